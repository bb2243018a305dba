from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL

#: Hours the secret before the current one is still believed. Shopify signs with the old one for up
#: to an hour, and repeats deliveries for four.
GRACE_HOURS = 48


class CommerceCredential(models.Model):
    """Secrets that sign webhooks: for a while after a change the one before is valid too, so that
    nothing is lost between the change here and the change over there."""

    _inherit = "commerce.credential"

    previous_until = fields.Datetime(
        string="Previous Value Until",
        readonly=True,
        help="Messages signed with the value before are believed until then.",
    )

    def init(self):
        result = super().init()
        self.env.cr.execute(
            """ALTER TABLE commerce_credential
                 ADD COLUMN IF NOT EXISTS previous_storage varchar,
                 ADD COLUMN IF NOT EXISTS previous_secret text"""
        )
        return result

    @api.private
    def _keep(self, value):
        if self.name in self.connection_id._adapter_class().webhook_secret_names:
            self._remember_previous()
        return super()._keep(value)

    @api.private
    def _forget(self):
        result = super()._forget()
        self._forget_previous()
        return result

    def _remember_previous(self):
        self.flush_recordset()
        self.env.cr.execute(
            SQL(
                """UPDATE commerce_credential
                      SET previous_storage = storage, previous_secret = secret, previous_until = %s
                    WHERE id = %s AND storage <> 'none'""",
                fields.Datetime.now() + timedelta(hours=GRACE_HOURS),
                self.id,
            )
        )
        self.invalidate_recordset(["previous_until"])

    @api.private
    def _forget_previous(self):
        """From now on only the current value is believed."""
        if self.ids:
            self.flush_recordset()
            self.env.cr.execute(
                SQL(
                    """UPDATE commerce_credential SET previous_storage = NULL,
                              previous_secret = NULL, previous_until = NULL WHERE id IN %s""",
                    self._ids,
                )
            )
            self.invalidate_recordset(["previous_until"])
            self.env.registry.clear_cache()

    def _write_secret(self, storage, secret):
        result = super()._write_secret(storage, secret)
        self.env.registry.clear_cache()  # of the secrets that webhooks are verified with
        return result

    @api.private
    def _get_sealed(self):
        """``((label, storage, secret, valid until), ...)`` of these credentials, as kept."""
        if not self.ids:
            return ()
        self.flush_model()
        self.env.cr.execute(
            SQL(
                """SELECT label, storage, secret, NULL::timestamp FROM commerce_credential
                    WHERE id IN %(ids)s AND storage <> 'none'
                    UNION ALL
                   SELECT label, previous_storage, previous_secret, previous_until
                     FROM commerce_credential
                    WHERE id IN %(ids)s AND previous_secret IS NOT NULL""",
                ids=self._ids,
            )
        )
        return tuple(self.env.cr.fetchall())

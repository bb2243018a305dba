from odoo import api, fields, models
from odoo.tools import SQL

from ..engine.database import NOW

#: Days a refusal is of interest.
KEEP_DAYS = 14


class CommerceWebhookRefusal(models.Model):
    """Messages that were not believed. No trace of what they said."""

    _name = "commerce.webhook.refusal"
    _description = "Refused Webhook"
    _order = "id desc"
    _rec_name = "reason"

    connection_id = fields.Many2one(
        "commerce.connection", required=True, readonly=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="connection_id.company_id")
    reason = fields.Selection(
        [
            ("signature", "Wrong signature"),
            ("sender", "From another shop"),
            ("too_large", "Too large"),
        ],
        required=True,
        readonly=True,
    )
    count = fields.Integer(readonly=True, help="With those before it that were not counted alone.")
    refused_at = fields.Datetime(required=True, readonly=True, default=fields.Datetime.now)

    _refused = models.Index("(connection_id, refused_at)")

    @api.private
    def _note(self, connection_id, reason, count):
        self.env.cr.execute(
            SQL(
                """INSERT INTO commerce_webhook_refusal (connection_id, reason, count, refused_at)
                   VALUES (%s, %s, %s, %s)""",
                connection_id,
                reason,
                count,
                NOW,
            )
        )
        self.invalidate_model(flush=False)

    @api.autovacuum
    def _gc_refusals(self):
        """Forget what is old."""
        self.env.cr.execute(
            SQL(
                """DELETE FROM commerce_webhook_refusal
                    WHERE refused_at < %s - %s * interval '1 day'""",
                NOW,
                KEEP_DAYS,
            )
        )
        return self.env.cr.rowcount, 0

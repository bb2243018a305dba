import os
from contextlib import suppress

from cryptography.fernet import Fernet, InvalidToken
from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL, config

#: Where the key that encrypts credentials comes from: an environment variable, or the option of
#: the same meaning in odoo.conf.
KEY_VARIABLE = "COMMERCE_SYNC_KEY"
KEY_OPTION = "commerce_sync_key"

#: A credential may be kept outside the database: its value is then ``env:NAME``. Only variables
#: that begin like this can be named, so that nobody reads others of the server through it.
ENVIRONMENT_PREFIX = "COMMERCE_SYNC_"


class CommerceCredential(models.Model):
    """A secret of a connection: written by people, read by the engine only.

    The value is in a column (``secret``) that is no field of the ORM: there is nothing that
    ``read``, ``export_data``, a form or a remote call could give back, to whomever.
    """

    _name = "commerce.credential"
    _description = "Credential"
    _order = "connection_id, sequence, id"

    connection_id = fields.Many2one("commerce.connection", required=True, ondelete="cascade")
    company_id = fields.Many2one(related="connection_id.company_id", store=True, index=True)
    sequence = fields.Integer(default=10)
    name = fields.Char(string="Technical Name", required=True, readonly=True)
    label = fields.Char(string="Credential", readonly=True)
    help = fields.Char(readonly=True)
    required = fields.Boolean(readonly=True)
    storage = fields.Selection(
        [
            ("none", "Not set"),
            ("encrypted", "Set, encrypted"),
            ("plain", "Set, not encrypted"),
            ("environment", "From the server's environment"),
        ],
        string="State",
        default="none",
        required=True,
        readonly=True,
    )
    value = fields.Char(
        string="New Value",
        compute="_compute_value",
        inverse="_inverse_value",
        help="Type a new value to replace the one that is kept. It is never shown again. "
        "env:COMMERCE_SYNC_... takes it from the server's environment.",
    )

    _name_uniq = models.UniqueIndex("(connection_id, name)", "A credential is kept once.")

    def init(self):
        self.env.cr.execute("ALTER TABLE commerce_credential ADD COLUMN IF NOT EXISTS secret text")

    @api.depends("storage")
    def _compute_value(self):
        self.value = False

    def _inverse_value(self):
        for credential in self:
            if credential.value:
                credential._keep(credential.value)
        # or whoever saves a form would be shown what is in the cache
        self.invalidate_recordset(["value"])

    @api.private
    def _keep(self, value):
        """Store a secret, encrypted where a key is configured; an empty one is forgotten.

        :raise UserError: the value cannot be one
        """
        self.ensure_one()
        if not isinstance(value, str):
            raise UserError(self.env._("%s must be a text.", self.label))
        self._write_secret(*self._seal(value.strip()))
        self.connection_id._credentials_changed()

    @api.private
    def _forget(self):
        """Delete the secrets."""
        for credential in self:
            credential._write_secret("none", None)

    def _write_secret(self, storage, secret):
        self.flush_recordset()
        self.env.cr.execute(
            SQL("UPDATE commerce_credential SET secret = %s WHERE id = %s", secret, self.id)
        )
        self.storage = storage

    def _seal(self, value):
        """``(storage, what to keep)`` for a value a person typed."""
        if not value:
            return "none", None
        if value.startswith("env:"):
            return "environment", self._check_variable(value.removeprefix("env:"))
        cipher = self._get_cipher()
        if not cipher:
            return "plain", value
        return "encrypted", cipher.encrypt(value.encode()).decode()

    def _check_variable(self, name):
        """The name of a variable of the server's environment, if it is meant for credentials."""
        if not name.startswith(ENVIRONMENT_PREFIX) or name == KEY_VARIABLE:
            raise UserError(
                self.env._(
                    "Only environment variables that begin with %(prefix)s can be used, and not "
                    "%(key)s.",
                    prefix=ENVIRONMENT_PREFIX,
                    key=KEY_VARIABLE,
                )
            )
        return name

    @api.private
    def _reveal(self):
        """The secrets by name, in clear. For the engine alone.

        :raise UserError: a secret cannot be read with the key that is configured now
        """
        self.flush_model()
        if not self.ids:
            return {}
        self.env.cr.execute(
            SQL(
                """SELECT name, label, storage, secret FROM commerce_credential
                    WHERE id IN %s AND storage <> 'none'""",
                self._ids,
            )
        )
        return {
            name: self._open(label or name, storage, secret)
            for name, label, storage, secret in self.env.cr.fetchall()
        }

    def _open(self, label, storage, secret):
        if storage == "plain":
            return secret
        if storage == "environment":
            value = os.environ.get(secret, "")
            if not value:
                raise UserError(
                    self.env._("%(label)s: %(name)s is not set.", label=label, name=secret)
                )
            return value
        cipher = self._get_cipher()
        if cipher:
            with suppress(InvalidToken):
                return cipher.decrypt(secret.encode()).decode()
        raise UserError(
            self.env._(
                "%(label)s cannot be decrypted: the key of this server is missing or another one. "
                "Restore the key, or type the credential again.",
                label=label,
            )
        )

    def _get_cipher(self):
        """Fernet with the configured key, or ``None`` where there is none.

        :raise UserError: the key is not one
        """
        key = os.environ.get(KEY_VARIABLE) or config.get(KEY_OPTION)
        if not key:
            return None
        try:
            return Fernet(key)
        except ValueError as error:
            raise UserError(
                self.env._("%s is not a Fernet key (32 bytes, URL-safe base64).", KEY_OPTION)
            ) from error

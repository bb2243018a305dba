from odoo import fields, models

from ..adapters.standard_webhooks import new_secret

#: What each way to sign in needs.
SECRETS = {
    "header": ("token",),
    "basic": ("username", "password"),
    "bearer": ("token",),
    "oauth2": ("client_id", "client_secret"),
    "hmac": ("signing_secret",),
    "standard_webhooks": ("signing_secret",),
}
#: Steps of the set-up that stores have.
OF_STORES = ("variant", "tax", "carrier", "payment_method", "preview")


class CommerceConnection(models.Model):
    """How to sign in to any system that speaks HTTP."""

    _inherit = "commerce.connection"

    platform = fields.Selection(
        selection_add=[("http", "Any system (HTTP)")], ondelete={"http": "cascade"}
    )
    http_auth = fields.Selection(
        [
            ("none", "None"),
            ("header", "A header with a secret"),
            ("basic", "Basic (user and password)"),
            ("bearer", "Bearer token"),
            ("oauth2", "OAuth 2 client credentials"),
            ("hmac", "HMAC-SHA256 of the message"),
            ("standard_webhooks", "Signature (Standard Webhooks)"),
        ],
        string="How to Sign In",
        default="none",
        required=True,
    )
    http_auth_header = fields.Char(string="Header", default="X-Signature")
    http_token_url = fields.Char(string="Token Address")
    http_scope = fields.Char(string="Scope")
    http_hmac_encoding = fields.Selection(
        [("hex", "Hexadecimal"), ("base64", "Base64")],
        string="Written As",
        default="hex",
        required=True,
    )
    http_hmac_prefix = fields.Char(string="Prefix", help="For example sha256=")
    http_check_path = fields.Char(string="Test With", help="A path that answers without changing.")

    http_writable = fields.Text(
        string="What Messages May Write",
        help="A line for each model: res.partner: name, email. Messages write nothing else, and "
        "only what the user that the connection works as may write.",
    )

    def _get_writable(self):
        """``{model: names of fields}`` that messages may write."""
        writable = {}
        for line in (self.http_writable or "").splitlines():
            model, _colon, names = line.partition(":")
            writable.setdefault(model.strip(), set()).update(names.replace(",", " ").split())
        return writable

    def _get_options(self):
        options = super()._get_options()
        if self.platform == "http":
            options |= {
                "auth": self.http_auth,
                "auth_header": self.http_auth_header or "X-Signature",
                "token_url": self.http_token_url or "",
                "scope": self.http_scope or "",
                "hmac_encoding": self.http_hmac_encoding,
                "hmac_prefix": self.http_hmac_prefix or "",
                "check_path": self.http_check_path or "",
            }
        return options

    def _has_credentials(self):
        if self.platform != "http":
            return super()._has_credentials()
        typed = self.sudo().credential_ids.filtered(lambda one: one.storage != "none")
        return {*SECRETS.get(self.http_auth, ())} <= {*typed.mapped("name")}

    def _get_steps(self):
        steps = super()._get_steps()
        if self.platform == "http":
            return [step for step in steps if step["key"] not in OF_STORES]
        return steps

    def _offer_flows(self):
        """What there is to send is for a person to say: a template is offered instead."""
        if self.platform != "http":
            return super()._offer_flows()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "commerce_sync.commerce_flow_template_action"
        )
        return {**action, "context": {"default_connection_id": self.id}}

    def import_flow(self, config):
        """Make a flow of this connection of what ``commerce.flow.export_config`` gave.

        :param dict config: ``{name, model, lines, ...}``
        :return: the flow's id; it is switched off until it was seen
        :raise UserError: its app is not installed
        """
        self.ensure_one()
        self.check_access("write")
        return self.env["commerce.flow"]._import_config(self, config)

    def action_rotate_signing_secret(self):
        """Sign with a new secret, and with the one before it until that is deleted.

        :return: a notification with the new secret, which is shown this once
        """
        self.ensure_one()
        self.check_access("write")
        known = self.credential_ids._reveal().get("signing_secret", "")
        fresh = new_secret()
        self.set_credentials({"previous_signing_secret": known, "signing_secret": fresh})
        return self._notification(
            "danger",
            self.env._("The new signing secret, shown only now: %s", fresh),
            self.env._("Delete the previous one when the receiver has changed over."),
        )

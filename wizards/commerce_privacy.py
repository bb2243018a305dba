from odoo import fields, models
from odoo.exceptions import UserError


class CommercePrivacy(models.TransientModel):
    """A customer of a store wants to know what is held, or to be forgotten."""

    _name = "commerce.privacy"
    _description = "Data Protection Request"

    connection_id = fields.Many2one("commerce.connection", required=True, ondelete="cascade")
    email = fields.Char(string="E-mail")
    customer_id = fields.Char(string="Customer ID", help="Of the store.")

    def action_report(self):
        """What is held, as an activity on the connection."""
        known = self._get_known()
        self.connection_id._report_privacy(
            self.env._("A customer wants to know what is held"), **known
        )
        return {"type": "ir.actions.act_window_close"}

    def action_wipe(self):
        """Forget the customer, but for Odoo's own records."""
        self.connection_id._redact_customer(**self._get_known())
        return {"type": "ir.actions.act_window_close"}

    def _get_known(self):
        self.ensure_one()
        self.connection_id.check_access("write")
        if not self.email and not self.customer_id:
            raise UserError(self.env._("Type the customer's e-mail or the id the store has."))
        return {
            "email": (self.email or "").strip(),
            "customer_id": (self.customer_id or "").strip(),
        }

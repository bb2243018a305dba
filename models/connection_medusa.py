from odoo import api, fields, models


class CommerceConnection(models.Model):
    """What a Medusa store needs beside address and key."""

    _inherit = "commerce.connection"

    platform = fields.Selection(
        selection_add=[("medusa", "Medusa")], ondelete={"medusa": "cascade"}
    )

    def _get_options(self):
        options = super()._get_options()
        if self.platform == "medusa":
            options["currency"] = self.company_id.currency_id.name
        return options


class CommerceFlow(models.Model):
    _inherit = "commerce.flow"

    @api.model_create_multi
    def create(self, vals_list):
        """Medusa keeps pieces of its own open orders back by itself, and has metadata only."""
        connections = self.env["commerce.connection"]
        for vals in vals_list:
            connection = connections.browse(vals.get("connection_id"))
            if connection.platform == "medusa":
                vals.setdefault("stock_basis", "on_hand")
                vals.setdefault("invoice_note", "none")
        return super().create(vals_list)

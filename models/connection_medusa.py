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
            options["currency"] = self.store_currency or self.company_id.currency_id.name
        return options

    def _resend_stock(self, picking_ids):
        """Have the stock of what these deliveries moved sent, whatever was sent before."""
        products = self.env["stock.picking"].browse(picking_ids).move_ids.product_id
        flows = self.flow_ids.filtered(
            lambda flow: flow.active and flow.kind == "inventory" and flow.direction == "out"
        )
        for flow in flows:
            flow._enqueue_due(products.ids, force=True)


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


class CommerceBinding(models.Model):
    _inherit = "commerce.binding"

    def _store(self, cr, rows):
        """A fulfilment takes pieces off Medusa's stock, as the delivery did off Odoo's: so that
        they are not taken off twice, the stock of its products is told anew."""
        result = super()._store(cr, rows)
        shipped = {}
        for row in rows:
            if row.resource == "shipment":
                shipped.setdefault(row.connection_id, []).append(row.res_id)
        for connection in self.env["commerce.connection"].browse(shipped):
            if connection.platform == "medusa":
                connection._resend_stock(shipped[connection.id])
        return result

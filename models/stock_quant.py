from odoo import api, models

#: A change of these changes what can be sold.
WATCHED = {"quantity", "reserved_quantity", "location_id", "product_id"}


class StockQuant(models.Model):
    _inherit = "stock.quant"

    @api.model_create_multi
    def create(self, vals_list):
        quants = super().create(vals_list)
        self.env["commerce.flow"]._notice("inventory", quants.product_id.ids)
        return quants

    def write(self, vals):
        result = super().write(vals)
        if not WATCHED.isdisjoint(vals):
            self.env["commerce.flow"]._notice("inventory", self.product_id.ids)
        return result

    def unlink(self):
        self.env["commerce.flow"]._notice("inventory", self.product_id.ids)
        return super().unlink()

from odoo import api, models


class ProductPricelistItem(models.Model):
    _inherit = "product.pricelist.item"

    @api.model_create_multi
    def create(self, vals_list):
        items = super().create(vals_list)
        items._notice_prices()
        return items

    def write(self, vals):
        self._notice_prices()  # of what the rule was about before
        result = super().write(vals)
        self._notice_prices()
        return result

    def unlink(self):
        self._notice_prices()
        return super().unlink()

    def _notice_prices(self):
        """Products whose price these rules may change; where that is all of a category, or all
        there are, a flow finds out by itself which of them it sends."""
        flows = self.env["commerce.flow"]
        listening = flows._listening("price")
        if not listening:
            return
        for item in self:
            products = item.product_id or item.product_tmpl_id.product_variant_ids
            flows._notice("price", products.ids)
        if any(not item.product_id and not item.product_tmpl_id for item in self):
            for connection in flows.sudo().browse(listening).connection_id:
                flows._notice("price", connection._bound_ids("variant", "product.product"))

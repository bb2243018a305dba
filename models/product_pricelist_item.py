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
        if not flows._listening("price"):
            return
        products_sudo = self.env["product.product"].sudo()
        for item in self:
            products = item.product_id or item.product_tmpl_id.product_variant_ids
            if not products:
                bound = flows.sudo().browse(flows._listening("price")).connection_id.binding_ids
                variants = bound.filtered(lambda binding: binding.resource == "variant")
                products = products_sudo.browse(variants.mapped("res_id"))
            flows._notice("price", products.ids)

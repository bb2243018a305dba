from odoo import api, models


class ProductTemplateAttributeValue(models.Model):
    _inherit = "product.template.attribute.value"

    @api.model_create_multi
    def create(self, vals_list):
        values = super().create(vals_list)
        values._notice_prices()
        return values

    def write(self, vals):
        result = super().write(vals)
        if "price_extra" in vals:
            self._notice_prices()
        return result

    def _notice_prices(self):
        products = self.product_tmpl_id.product_variant_ids
        self.env["commerce.flow"]._notice("price", products.ids)

from odoo import models

#: A change of these changes what a product costs. ``standard_price``: a pricelist may start there.
PRICED = {"list_price", "taxes_id", "standard_price", "categ_id"}


class ProductTemplate(models.Model):
    _inherit = "product.template"

    def write(self, vals):
        result = super().write(vals)
        if not PRICED.isdisjoint(vals):
            self.env["commerce.flow"]._notice("price", self.product_variant_ids.ids)
        return result

from odoo import api, models

#: A change of these changes how a store shows the product.
SHOWN = {
    "active",
    "default_code",
    "barcode",
    "weight",
    "image_1920",
    "image_variant_1920",
    "standard_price",
    "product_template_attribute_value_ids",
}


class ProductProduct(models.Model):
    _inherit = "product.product"

    @api.model_create_multi
    def create(self, vals_list):
        products = super().create(vals_list)
        self.env["commerce.flow"]._notice("product", products.product_tmpl_id.ids)
        return products

    def write(self, vals):
        result = super().write(vals)
        if not SHOWN.isdisjoint(vals):
            self.env["commerce.flow"]._notice("product", self.product_tmpl_id.ids)
        if "standard_price" in vals:
            self.env["commerce.flow"]._notice("price", self.ids)
        return result

    def action_commerce_push_prices(self):
        """Send the prices of these products to all stores now, also where nothing changed.

        :return: a notification saying how many will be sent
        """
        return self.env["commerce.flow"]._enqueue_by_hand("price", self)

from odoo import api, models

#: A change of these changes what a product costs. ``standard_price``: a pricelist may start there.
PRICED = {"list_price", "taxes_id", "standard_price", "categ_id"}
#: A change of these changes how a store shows it.
SHOWN = {
    "name",
    "active",
    "sale_ok",
    "categ_id",
    "product_tag_ids",
    "description_sale",
    "description_ecommerce",
    "image_1920",
    "attribute_line_ids",
    "default_code",
    "barcode",
    "weight",
    "list_price",
    "taxes_id",
}


class ProductTemplate(models.Model):
    _inherit = "product.template"

    @api.model_create_multi
    def create(self, vals_list):
        templates = super().create(vals_list)
        self.env["commerce.flow"]._notice("product", templates.ids)
        return templates

    def write(self, vals):
        result = super().write(vals)
        if not PRICED.isdisjoint(vals):
            self.env["commerce.flow"]._notice("price", self.product_variant_ids.ids)
        if not SHOWN.isdisjoint(vals):
            self.env["commerce.flow"]._notice("product", self.ids)
        return result

    def action_commerce_push_products(self):
        """Send these products to all stores now, also where nothing changed.

        :return: a notification saying how many will be sent
        """
        return self.env["commerce.flow"]._enqueue_by_hand("product", self)

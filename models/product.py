from odoo import models


class ProductProduct(models.Model):
    _inherit = "product.product"

    def action_commerce_push_inventory(self):
        """Send the stock of these products to all stores now, also where nothing changed.

        :return: a notification saying how many will be sent
        """
        return self.env["commerce.flow"]._enqueue_by_hand("inventory", self)


class ProductTemplate(models.Model):
    _inherit = "product.template"

    def action_commerce_push_inventory(self):
        """As on the variants."""
        return self.product_variant_ids.action_commerce_push_inventory()

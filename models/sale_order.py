from odoo import models


class SaleOrder(models.Model):
    _inherit = "sale.order"

    def write(self, vals):
        result = super().write(vals)
        if vals.get("state") == "cancel":
            self.env["commerce.flow"]._notice("order_status", self.ids)
        return result

    def action_commerce_send(self):
        """Send these cancellations to their stores now, also where nothing changed.

        :return: a notification saying how many will be sent
        """
        return self.env["commerce.flow"]._enqueue_by_hand("order_status", self)

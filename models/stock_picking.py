from odoo import models

#: A change of these after the delivery is done is a correction.
WATCHED = {"carrier_id", "carrier_tracking_ref"}


class StockPicking(models.Model):
    _inherit = "stock.picking"

    def _action_done(self):
        result = super()._action_done()
        (self | self.return_id)._notice_shipments()
        return result

    def write(self, vals):
        result = super().write(vals)
        if not WATCHED.isdisjoint(vals):
            self._notice_shipments()
        return result

    def _notice_shipments(self):
        done = self.filtered(lambda picking: picking.state == "done")
        self.env["commerce.flow"]._notice("shipment", done.ids)

    def action_commerce_send(self):
        """Send these deliveries to their stores now, also where nothing changed.

        :return: a notification saying how many will be sent
        """
        return self.env["commerce.flow"]._enqueue_by_hand("shipment", self)

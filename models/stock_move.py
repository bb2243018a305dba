from odoo import api, models

#: A change of these changes the forecast; quants do not tell of it.
WATCHED = {"state", "product_uom_qty", "location_id", "location_dest_id"}


class StockMove(models.Model):
    _inherit = "stock.move"

    @api.model_create_multi
    def create(self, vals_list):
        moves = super().create(vals_list)
        moves._notice_forecast()
        return moves

    def write(self, vals):
        result = super().write(vals)
        if not WATCHED.isdisjoint(vals):
            self._notice_forecast()
        return result

    def _notice_forecast(self):
        flow_model = self.env["commerce.flow"]
        if flow_model._forecasting():
            flow_model._notice("inventory", self.product_id.ids)

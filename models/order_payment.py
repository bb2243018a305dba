from odoo import models


class AccountMove(models.Model):
    """Payments of a store's order that came before its invoice."""

    _inherit = "account.move"

    def _post(self, soft=True):
        posted = super()._post(soft=soft)
        invoices = posted.filtered(lambda move: move.move_type == "out_invoice")
        orders = invoices.line_ids.sale_line_ids.order_id
        if orders and self.env["commerce.flow"]._registers_payments():
            self.env["commerce.flow"].sudo()._settle_payments(orders)
        return posted

from odoo import models


class AccountMove(models.Model):
    _inherit = "account.move"

    def write(self, vals):
        result = super().write(vals)
        if "state" in vals:
            self._notice_invoices()
        return result

    def _compute_payment_state(self):
        # stored and computed: a change of it never passes through write()
        result = super()._compute_payment_state()
        self.filtered(lambda move: move.state == "posted")._notice_invoices()
        return result

    def _notice_invoices(self):
        invoices = self.filtered(lambda move: move.move_type == "out_invoice")
        # [] for those that are only being typed
        self.env["commerce.flow"]._notice("invoice", invoices._origin.ids)

    def action_commerce_send(self):
        """Send these invoices to their stores now, also where nothing changed.

        :return: a notification saying how many will be sent
        """
        return self.env["commerce.flow"]._enqueue_by_hand("invoice", self)

from odoo import fields, models

#: kind of data -> type of journal entry
MOVE_TYPES = {"invoice": "out_invoice", "credit_note": "out_refund"}


class AccountMove(models.Model):
    _inherit = "account.move"

    commerce_pdf_tries = fields.Integer(copy=False, readonly=True)
    commerce_pdf_tried_at = fields.Datetime(copy=False, readonly=True)
    commerce_pdf_error = fields.Char(copy=False, readonly=True)

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
        for kind, move_type in MOVE_TYPES.items():
            moves = self.filtered(lambda move, wanted=move_type: move.move_type == wanted)
            # [] for those that are only being typed
            self.env["commerce.flow"]._notice(kind, moves._origin.ids)

    def action_commerce_send(self):
        """Send these invoices to their stores now, also where nothing changed.

        :return: a notification saying how many will be sent
        """
        notes = self.filtered(lambda move: move.move_type == "out_refund")
        kind = "credit_note" if notes and notes == self else "invoice"
        return self.env["commerce.flow"]._enqueue_by_hand(kind, self)

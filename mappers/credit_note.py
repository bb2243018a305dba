"""Posted credit notes of the store's orders -> credit notes, and their refund if it is wanted."""

from decimal import Decimal
from typing import ClassVar

from ..adapters.documents import CreditNote, RefundLine
from .base import register
from .invoice import InvoiceMapper, numbered, sku
from .money import money, quantity


@register
class CreditNoteMapper(InvoiceMapper):
    kind = "credit_note"
    resource = "credit_note"
    move_type = "out_refund"
    parts: ClassVar[dict[str, str]] = {"refund": "account.move"}

    def prepare(self, records):
        # those of a refund the store made, or that we had it make: never made a second time
        self._refunded = self.connection._bindings("refund", records)
        sold = records.line_ids.sale_line_ids
        self._line_bindings = self.connection._bindings("order_line", sold)
        return super().prepare(records)

    def intro(self, label):
        return self.env._(
            "Cannot send credit note %(note)s to %(store)s", note=label, store=self.connection.name
        )

    def _document(self, move, label, order_binding):
        choice = self.flow.credit_note_refund
        wanted = choice != "none" and move.state == "posted" and move.id not in self._refunded
        lines = tuple(self._refund_lines(move)) if wanted else ()
        return CreditNote(
            **self._values(move, label, order_binding),
            record_id=move.id,
            invoice_number=move.reversed_entry_id.name or "",
            reason=(move.ref or "").strip(),
            refunds=wanted,
            pays_back=wanted and choice == "pay",
            refund_lines=lines,
            notify=self.flow.credit_note_notify,
        )

    def _refund_lines(self, move):
        """Line by line where every line is one of the store's; else only the amount counts."""
        lines = [line for _number, line in numbered(move)]
        if not all(self._line_id(line) for line in lines):
            return
        for line in lines:
            amount = money(line.price_subtotal, move.currency_id)
            yield RefundLine(
                line_id=self._line_id(line),
                sku=sku(line),
                quantity=self._pieces(line),
                amount=amount,
                tax=money(line.price_total, move.currency_id) - amount,
            )

    def _line_id(self, line):
        bound = [self._line_bindings.get(sold.id) for sold in line.sale_line_ids]
        return bound[0].external_id if len(bound) == 1 and bound[0] else ""

    def _pieces(self, line):
        """None where only the price was reduced."""
        sold = line.sale_line_ids
        whole = line.currency_id.compare_amounts(line.price_unit, sold.price_unit) == 0
        return quantity(line.quantity) if whole else Decimal(0)

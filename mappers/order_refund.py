"""Refunds of the store's orders -> draft credit notes."""

from decimal import Decimal

from odoo import Command

from .links import Links
from .money import money


class OrderRefunds:
    """Makes a draft credit note of each refund, once; a person posts it."""

    def __init__(self, mapper, memory):
        self.env = mapper.env
        self.flow = mapper.flow
        self.connection = mapper.connection
        self.links = Links(mapper.connection)
        self.memory = memory

    def take_in(self, order, record):
        """:return: whether anything was new"""
        known = self._known(order)
        news = False
        for refund in order.refunds:
            if refund.external_id not in known and refund.amount > 0:
                news |= self._take(order, record, refund)
        return news

    def _known(self, order):
        """Ids of refunds that are bound: taken from the store before, or made there by us. What we
        make there is bound under the credit note, with the order's id before its own."""
        keys = {}
        for refund in order.refunds:
            keys[refund.external_id] = keys[f"{order.external_id}:{refund.external_id}"] = refund
        bound = {
            **self.links.find("refund", keys),
            **self.links.find("credit_note", keys),
        }
        return {keys[key].external_id for key in bound}

    def _take(self, order, record, refund):
        invoice = record.invoice_ids.filtered(
            lambda move: move.move_type == "out_invoice" and move.state == "posted"
        )[:1]
        if not invoice or self.flow.order_refund == "note":
            return self.memory.tell(record, self._sentence(refund, invoice))
        ours = self._find_ours(record, refund)
        move = ours or self._create(order, record, refund, invoice)
        self.links.claim("refund", move, refund.external_id, parent_id=order.external_id)
        if not ours:
            self.memory.tell(record, self._sentence(refund, invoice))
        return not ours

    def _find_ours(self, record, refund):
        """A credit note of Odoo over this amount that no refund belongs to yet: most likely the
        store's refund is the echo of it."""
        notes = (record.invoice_ids | record.invoice_ids.reversal_move_ids).filtered(
            lambda move: (
                move.move_type == "out_refund"
                and move.state == "posted"
                and money(move.amount_total, move.currency_id) == refund.amount
            )
        )
        bound = self.connection._bindings("refund", notes)
        return notes.filtered(lambda move: move.id not in bound)[:1]

    def _create(self, order, record, refund, invoice):
        ref = refund.reason or self.env._("Refund of order %s", order.label)
        whole = refund.amount == money(invoice.amount_total, invoice.currency_id)
        if whole and not invoice.reversal_move_ids:
            return invoice._reverse_moves([{"ref": ref, "invoice_date": False}])
        lines = [*self._prepare_lines(refund), *self._prepare_shipping(order, refund)]
        move = self.env["account.move"].create(
            {
                "move_type": "out_refund",
                "partner_id": invoice.partner_id.id,
                "company_id": invoice.company_id.id,
                "journal_id": invoice.journal_id.id,
                "currency_id": invoice.currency_id.id,
                "reversed_entry_id": invoice.id,
                "invoice_origin": record.name,
                "ref": ref,
                "invoice_line_ids": [Command.create(line) for line in lines],
            }
        )
        gap = refund.amount - money(move.amount_total, move.currency_id)
        if gap:
            move.invoice_line_ids = [Command.create(self._prepare_gap(gap, bool(lines)))]
        return move

    def _prepare_lines(self, refund):
        bound = self.links.find_ids("order_line", [line.line_id for line in refund.lines])
        for line in refund.lines:
            sold = self.env["sale.order.line"].browse(bound.get(line.line_id, [])).exists()
            if sold and (line.amount or line.quantity):
                yield self._prepare_line(sold, line.quantity or Decimal(1), line.amount, line.tax)

    def _prepare_shipping(self, order, refund):
        if not refund.shipping:
            return
        keys = [f"shipping:{one.external_id}" for one in order.lines if one.kind == "shipping"]
        bound = self.links.find_ids("order_line", keys)
        sold = self.env["sale.order.line"].browse(list(bound.values())[:1]).exists()
        if sold:
            yield self._prepare_line(sold, Decimal(1), refund.shipping, refund.shipping_tax)

    def _prepare_line(self, sold, quantity, amount, tax):
        taxes = sold.tax_ids if tax else sold.tax_ids.browse()
        gross = amount + tax if any(taxes.mapped("price_include")) else amount
        return {
            "product_id": sold.product_id.id,
            "name": sold.name,
            "quantity": float(quantity),
            "price_unit": float(gross / quantity),
            "tax_ids": [Command.set(taxes.ids)],
            "sale_line_ids": [Command.link(sold.id)],
        }

    def _prepare_gap(self, gap, is_rounding):
        """What the refund's lines do not explain: cents of rounding, or money without any line."""
        product = self.flow._get_charge_product("rounding" if is_rounding else "fee")
        name = product.name if is_rounding else self.env._("Refund")
        return {
            "product_id": product.id,
            "name": name,
            "quantity": 1,
            "price_unit": float(gap),
            "tax_ids": [],
        }

    def _sentence(self, refund, invoice):
        values = {"store": self.connection.name, "amount": refund.amount}
        values["reason"] = refund.reason or "-"
        if not invoice:
            return self.env._(
                "%(store)s gave %(amount)s back (%(reason)s), but there is no posted invoice here "
                "yet. Invoice only what is left, or make the credit note by hand.",
                **values,
            )
        return self.env._("%(store)s gave %(amount)s back (%(reason)s).", **values)

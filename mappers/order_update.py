"""Later versions of an order: what Odoo's own state still permits, and words for the rest."""

from odoo import Command

from ..adapters.documents import plain
from ..adapters.errors import ValidationFailed
from .customer import Customers
from .links import Links
from .money import money
from .order_lines import line_key
from .order_notices import digest
from .order_status import CANCELLED_THERE


class OrderUpdate:
    """Brings one sales order up to date with the store's order."""

    def __init__(self, mapper, memory, record):
        self.mapper = mapper
        self.env = mapper.env
        self.connection = mapper.connection
        self.memory = memory
        self.record = record

    def apply(self, order):
        """:return: ``(outcome, a sentence for the log)``"""
        if order.cancelled:
            return self._cancel()
        changes = [self._update_lines(order), self._update_addresses(order)]
        outcomes = [outcome for outcome, _note in changes]
        notes = " ".join(note for _outcome, note in changes if note)
        for outcome in ("skipped", "updated"):
            if outcome in outcomes:
                return outcome, notes
        return "unchanged", notes

    # === CANCEL === #

    def _cancel(self):
        record = self.record
        # the store knows: it is not told what it said itself
        self.memory.keep(CANCELLED_THERE, True)
        if record.state == "cancel":
            return "unchanged", ""
        delivered = record.picking_ids.filtered(lambda picking: picking.state == "done")
        invoiced = record.invoice_ids.filtered(lambda move: move.state == "posted")
        if delivered or invoiced:
            note = self.env._(
                "The order was cancelled in %s, but here it is delivered or invoiced already.",
                self.connection.name,
            )
            self.memory.tell(record, note)
            return "skipped", note
        record._action_cancel()
        return "updated", self.env._("Cancelled in the store.")

    # === LINES === #

    def _update_lines(self, order):
        said = lines_digest(order)
        known = self.memory.get("lines")
        same_total = order.total == money(self.record.amount_total, self.record.currency_id)
        if known == said or (known is None and same_total):
            return "unchanged", ""
        if not self._is_free():
            return self._tell_difference(order)
        try:
            with self.env.cr.savepoint():
                self._rewrite(order)
        except ValidationFailed:
            if self.record.state in ("draft", "sent"):
                raise
            return self._tell_difference(order)
        self.memory.keep("lines", said)
        return "updated", ""

    def _is_free(self):
        """Whether lines may still change: nothing shipped, nothing invoiced, not locked."""
        record = self.record
        if record.state in ("draft", "sent"):
            return True
        return (
            record.state == "sale"
            and not record.locked
            and not any(picking.state == "done" for picking in record.picking_ids)
            and not any(move.state != "cancel" for move in record.invoice_ids)
        )

    def _rewrite(self, order):
        """Change the lines that are bound, add new ones, take out those that are gone. The lines of
        a confirmed order cannot be deleted: their quantity becomes 0."""
        record, links = self.record, Links(self.connection)
        commands = self.mapper._prepare_lines(order)
        keys = [line_key(line) for line in order.lines]
        bound = links.find_ids("order_line", keys)
        before = record.order_line
        record.write({"order_line": list(self._changes(keys, bound, commands, before))})
        made = (record.order_line - before).sorted("id")
        new = [key for key in keys if bound.get(key) not in before.ids]
        links.bind("order_line", zip(made, new, strict=True), parent_id=order.external_id)
        record.note = order.note or False
        self.mapper._check_total(order, record)

    def _changes(self, keys, bound, commands, before):
        kept = set()
        for key, (_create, _zero, values) in zip(keys, commands, strict=True):
            line_id = bound.get(key)
            if line_id in before.ids:
                kept.add(line_id)
                yield Command.update(line_id, {"extra_tax_data": False, **values})
            else:
                yield Command.create(values)
        for line in before.filtered(lambda one: one.id not in kept):
            if self.record.state in ("draft", "sent"):
                yield Command.delete(line.id)
            else:
                yield Command.update(line.id, {"product_uom_qty": 0})

    def _tell_difference(self, order):
        if order.total == money(self.record.amount_total, self.record.currency_id):
            return "unchanged", ""
        note = self.env._(
            "The order was changed in %(store)s after it was confirmed here: its total is "
            "%(total)s there. Compare the two and change this order by hand.",
            store=self.connection.name,
            total=f"{order.total} {order.currency}",
        )
        self.memory.tell(self.record, note)
        return "skipped", note

    # === ADDRESSES === #

    def _update_addresses(self, order):
        said = places_digest(order)
        known = self.memory.get("places")
        if known in (None, said):
            self.memory.keep("places", said)
            return "unchanged", ""
        record = self.record
        customers = Customers(self.mapper)
        delivery = customers.find_delivery(order, record.partner_id)
        invoice = customers.find_invoice(order, record.partner_id)
        self.memory.keep("places", said)
        notes = [
            self._move(delivery, "partner_shipping_id", self._has_left()),
            self._move(invoice, "partner_invoice_id", self._is_invoiced()),
        ]
        late = " ".join(filter(None, notes))
        if late:
            self.memory.tell(record, late)
            return "skipped", late
        return "updated", self.env._("The address was changed in the store.")

    def _move(self, partner, name, is_late):
        """:return: what to tell where it is too late"""
        if self.record[name] == partner:
            return ""
        if not is_late:
            self.record[name] = partner
            return ""
        return self.env._(
            "The address was changed in %(store)s to %(address)s, but this order is delivered or "
            "invoiced already.",
            store=self.connection.name,
            address=partner.display_name,
        )

    def _has_left(self):
        return any(picking.state == "done" for picking in self.record.picking_ids)

    def _is_invoiced(self):
        return any(move.state == "posted" for move in self.record.invoice_ids)


def lines_digest(order):
    """Changes exactly when something of the lines does."""
    return digest(f"{plain(order.lines)} {plain(order.total)} {order.note}")


def places_digest(order):
    return digest(f"{plain(order.billing)} {plain(order.shipping)}")

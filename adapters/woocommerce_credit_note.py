"""Credit notes to WooCommerce: like invoices, and the refund of the order.

A refund has no idempotency key. It carries the credit note's number as a field, and in every try
the order's refunds are read before one is made.
"""

from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal

from . import refunds
from .base import Link, Result
from .errors import Missing, SyncError
from .woocommerce_values import number

#: https://woocommerce.github.io/woocommerce-rest-api-docs/#order-refunds
REFUNDS = "orders/{order}/refunds"
REFUND_KEY = "_commerce_sync_credit_note"
MONEY_FIELDS = "id,number,total,currency,line_items,shipping_lines,fee_lines"
GROUPS = ("line_items", "shipping_lines", "fee_lines")
CENT = Decimal("0.01")


class CreditNoteMixin:
    """Needs ``_api`` and :class:`InvoiceMixin`'s ``_deliver``."""

    refund_quiet = refunds.QUIET

    def _push_credit_note(self, documents, keys):
        return [self._credit(*pair) for pair in zip(documents, keys, strict=True)]

    def _credit(self, note, key):
        """The refund first: it is what counts. What is done is kept, whatever fails after it."""
        progress, links = dict(key.progress), ()
        try:
            if note.refunds:
                progress["refund"] = self._refund(note, key, progress)
                links = (
                    Link(
                        resource="refund",
                        record_id=note.record_id,
                        external_id=progress["refund"],
                        parent_id=note.external_id,
                    ),
                )
        except SyncError as error:
            return Result(error=error, progress=progress)
        result = self._deliver(note, replace(key, progress=progress))
        return replace(result, links=links)

    def _refund(self, note, key, progress):
        """:return: id of the refund, made now or before"""
        if progress.get("refund"):
            return progress["refund"]
        refunds.check(note)
        made = self._read_refunds(note)
        ours = [row for row in made if _is_ours(note, row)]
        if ours:
            return str(ours[0]["id"])
        refunds.check_quiet(note, progress, key.uncertain, self.refund_quiet)
        order = self._api(
            "GET", f"orders/{note.external_id}", params={"_fields": MONEY_FIELDS}
        ).json()
        given = sum((abs(number(row.get("amount")) or 0) for row in made), Decimal(0))
        left = (number(order.get("total")) or Decimal(0)) - given
        refunds.check_left(note, left, order.get("currency"))
        refunds.begin(progress)
        path = REFUNDS.format(order=note.external_id)
        try:
            return str(self._api("POST", path, json=_body(note, order)).json()["id"])
        except SyncError as error:
            if not error.uncertain:
                progress.pop(refunds.ASKED)
            raise

    def _read_refunds(self, note):
        path = REFUNDS.format(order=note.external_id)
        try:
            return self._api("GET", path, params={"per_page": 100}).json()
        except Missing as error:
            raise Missing(
                f"Credit note {note.number}: its order {note.external_id} no longer exists in the "
                "store.",
                hint="Give the money back by hand, then cancel this job.",
                code=error.code,
            ) from error


def _is_ours(note, row):
    fields = {meta.get("key"): meta.get("value") for meta in row.get("meta_data") or ()}
    return fields.get(REFUND_KEY) == note.number or refunds.marked(note, row.get("reason"))


def _body(note, order):
    body = {
        "amount": format(note.total, "f"),
        "reason": refunds.reason(note),
        "api_refund": note.pays_back,
        "api_restock": False,  # stock is Odoo's to say
        "meta_data": [{"key": REFUND_KEY, "value": note.number}],
    }
    total = sum((line.amount + line.tax for line in note.refund_lines), Decimal(0))
    if note.refund_lines and total == note.total:
        known = {str(row["id"]): row for group in GROUPS for row in order.get(group) or ()}
        lines = [(line, line.line_id.rpartition(":")[2]) for line in note.refund_lines]
        if all(line_id in known for _line, line_id in lines):
            body["line_items"] = [_line_body(line, known[line_id]) for line, line_id in lines]
    return body


def _line_body(line, row):
    return {
        "id": row["id"],
        "quantity": int(line.quantity),
        "refund_total": format(line.amount, "f"),
        "refund_tax": _taxes(line.tax, row.get("taxes") or ()),
    }


def _taxes(tax, rows):
    """A line's tax, shared out to its rates as they were charged; nothing is lost to rounding."""
    whole = sum((number(row.get("total")) or Decimal(0) for row in rows), Decimal(0))
    shared, left = [], tax
    for place, row in enumerate(rows, start=1):
        part = (number(row.get("total")) or Decimal(0)) / whole if whole else Decimal(0)
        amount = left if place == len(rows) else (tax * part).quantize(CENT, ROUND_HALF_UP)
        left -= amount
        shared.append({"id": row["id"], "refund_total": format(amount, "f")})
    return shared

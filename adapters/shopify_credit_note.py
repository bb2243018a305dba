"""Credit notes to Shopify: like invoices, and the refund of the order.

The refund's idempotency key is made of the credit note's number, the same whatever job sends it;
Shopify remembers it for a day. So the order's refunds are read first, in every try.
https://shopify.dev/docs/api/admin-graphql/latest/mutations/refundCreate
"""

import uuid
from dataclasses import replace
from decimal import Decimal

from . import refunds
from .base import Link, Result
from .errors import Missing, Rejected, SyncError
from .shopify_errors import PREVIOUS_FAILED, element_error
from .shopify_queries import CREATE_REFUND, REFUNDS
from .shopify_values import decimal, gid, plain_id

#: Payments that money can be given back of.
CAPTURED = ("SALE", "CAPTURE")
NAMESPACE = uuid.UUID("6f1d2a3e-53a4-4c58-9d0e-6b7f6a9d1c11")


class CreditNoteMixin:
    """Needs ``_query``, ``_mutate`` and :class:`InvoiceMixin`'s ``_deliver``."""

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
        order = self._query(REFUNDS, id=gid("Order", note.external_id)).get("order")
        if not order:
            raise Missing(
                f"Credit note {note.number}: its order {note.external_id} no longer exists in the "
                "store.",
                hint="Give the money back by hand, then cancel this job.",
                code="order_not_found",
            )
        ours = [row for row in order["refunds"] if refunds.marked(note, row.get("note"))]
        if ours:
            return plain_id(ours[0]["id"])
        refunds.check_quiet(note, progress, key.uncertain, self.refund_quiet)
        given = _shop(order["totalRefundedSet"])
        total = order["totalPriceSet"]["shopMoney"]
        refunds.check_left(note, decimal(total["amount"]) - given, total["currencyCode"])
        refunds.begin(progress)
        try:
            return self._create_refund(note, key, order)
        except SyncError as error:
            if not error.uncertain:
                progress.pop(refunds.ASKED)
            raise

    def _create_refund(self, note, key, order):
        values = _input(note, order)
        stable = str(uuid.uuid5(NAMESPACE, f"{self.host}:{note.external_id}:{note.number}"))
        payload, errors = self._mutate(CREATE_REFUND, input=values, key=stable)
        if errors and errors[0].get("code") == PREVIOUS_FAILED:
            # It was refused, not lost: a new key is what Shopify asks for.
            payload, errors = self._mutate(CREATE_REFUND, input=values, key=f"{stable}:{key.value}")
        if errors:
            raise element_error(errors[0], f"Credit note {note.number}")
        return plain_id(payload["refund"]["id"])


def _shop(bag):
    return decimal(bag["shopMoney"]["amount"]) or Decimal(0)


def _input(note, order):
    values = {
        "orderId": order["id"],
        "note": refunds.reason(note),
        "notify": note.notify,
        "refundLineItems": [
            {
                "lineItemId": gid("LineItem", line.line_id),
                "quantity": int(line.quantity),
                "restockType": "NO_RESTOCK",  # stock is Odoo's to say
            }
            for line in note.refund_lines
            if line.line_id.isdigit() and line.quantity >= 1
        ],
    }
    if note.pays_back:
        values["transactions"] = list(_payments(note, order))
    return values


def _payments(note, order):
    """Which of the order's payments the money is given back of."""
    left = note.total
    for row in order["transactions"]:
        if row["kind"] not in CAPTURED or row["status"] != "SUCCESS" or left <= 0:
            continue
        amount = min(left, _shop(row["amountSet"]))
        left -= amount
        yield {
            "orderId": order["id"],
            "parentId": row["id"],
            "kind": "REFUND",
            "gateway": row["gateway"],
            "amount": format(amount, "f"),
        }
    if left > 0:
        raise Rejected(
            f"Credit note {note.number}: the order's payments in the store are too small, by "
            f"{left} {note.currency}.",
            hint="Look at the order's payments in Shopify; give the money back another way and "
            "cancel this job.",
            code="no_payment",
        )

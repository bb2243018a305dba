"""Cancellations, marks and notes of orders in WooCommerce.

Status and field go in one request, and may be written twice; the note is looked for before it is
added. WooCommerce puts the goods of a cancelled order back into its stock, and pays nothing back.
https://woocommerce.com/document/managing-orders/order-statuses/
"""

from .base import Result
from .errors import Missing, Rejected, SyncError, ValidationFailed
from .woocommerce_invoice import NOTE_FIELDS, NOTES, ORDER_FIELDS, WRITTEN_FIELDS, comparable
from .woocommerce_values import utc

STATUS_KEY = "_commerce_sync_status"
CANCELLED = "cancelled"
#: Of these nothing is left to cancel: the goods or the money are gone.
SETTLED = ("completed", "refunded")


class OrderStatusMixin:
    """Needs ``_api`` and :class:`InvoiceMixin`'s ``_ask_order``."""

    def _push_order_status(self, documents, keys):
        return [self._mark_order(*pair) for pair in zip(documents, keys, strict=True)]

    def _mark_order(self, status, key):
        """One order. Even a failure of the line is its result, for what is done must be kept."""
        marking = _Marking(status, key)
        try:
            marking.check()
            self._ask_order(marking, "GET", ORDER_FIELDS)
            body = marking.changes_of_order()
            if body:
                self._ask_order(marking, "PUT", WRITTEN_FIELDS, body)
                marking.progress["order"] = "done"
            self._write_status_note(marking)
        except SyncError as error:
            return marking.result(error)
        return marking.result()

    def _write_status_note(self, marking):
        """To the customer where he is to be told, else to staff."""
        text = marking.status.note
        if not text or "note" in marking.progress:
            return
        path, params = NOTES.format(order=marking.order_id), {"_fields": NOTE_FIELDS}
        notes = self._api("GET", path, params=params).json()
        if any(comparable(text) in comparable(note.get("note")) for note in notes):
            return
        body = {"note": text, "customer_note": marking.status.notify}
        note = self._api("POST", path, params=params, json=body).json()
        marking.progress["note"] = note["id"]


class _Marking:
    """One order that is marked: what is done, and what this try changed."""

    def __init__(self, status, key):
        self.status = status
        self.order_id = status.external_id
        self.order = {}
        self.progress = dict(key.progress)

    @property
    def _name(self):
        return f"Order {self.status.label or self.order_id}"

    def check(self):
        """:raise ValidationFailed: it cannot be sent"""
        if not self.order_id.isdigit():
            raise ValidationFailed(
                f"{self._name}: '{self.order_id}' is not the ID of an order in WooCommerce.",
                hint="Match it again (Configuration > Matching), then press Resend.",
            )

    def missing(self, what, hint, code):
        return Missing(f"{self._name} {what}.", hint=hint, code=code)

    def changes_of_order(self):
        """What is to be written to the order; empty where it says all of it already.

        :raise Rejected: it can no longer be cancelled
        """
        body, value = {}, {"tags": list(self.status.tags), "reason": self.status.reason}
        found = [row for row in self.order.get("meta_data") or () if row.get("key") == STATUS_KEY]
        if len(found) != 1 or found[0].get("value") != value:
            body["meta_data"] = [{"key": STATUS_KEY, "value": value}]
        have = self.order.get("status")
        if not self.status.cancelled or have == CANCELLED:
            return body
        if have in SETTLED:
            raise Rejected(
                f"{self._name} cannot be cancelled in the store: it is {have} there.",
                hint="Look into the order in WooCommerce, refund or change it there by hand, then "
                "cancel this job.",
                code="order_settled",
            )
        return {**body, "status": CANCELLED}

    def result(self, error=None):
        if error:
            return Result(error=error, progress=self.progress)
        return Result(
            outcome="updated" if self.progress else "unchanged",
            external_id=self.order_id,
            external_ref=str(self.order.get("number") or ""),
            updated_at=utc(self.order.get("date_modified_gmt")),
            progress=self.progress,
        )

"""Cancellations, tags and notes of orders in Shopify.

Each try reads the order first and writes what it does not say yet. No money moves: what is paid
back, a credit note says.
https://shopify.dev/docs/api/admin-graphql/latest/mutations/orderCancel
"""

from .base import Result
from .errors import Missing, Rejected, SyncError, ValidationFailed
from .shopify_errors import element_error
from .shopify_invoice import NOTE_LIMIT, TAG_LIMIT
from .shopify_queries import ADD_TAGS, CANCEL_ORDER, ORDER_STATUS, UPDATE_ORDER
from .shopify_values import gid, is_id, utc

#: https://shopify.dev/docs/api/admin-graphql/latest/enums/OrderCancelReason
REASONS = frozenset({"CUSTOMER", "DECLINED", "FRAUD", "INVENTORY", "STAFF"})
OTHER = "OTHER"
#: Nothing is paid back.
NO_REFUND = {"originalPaymentMethodsRefund": False}
#: Characters of the note that the order's timeline shows.
STAFF_NOTE_LIMIT = 255


class OrderStatusMixin:
    """Needs ``_query`` and ``_mutate``."""

    def _push_order_status(self, documents, keys):
        return [self._mark_order(*pair) for pair in zip(documents, keys, strict=True)]

    def _mark_order(self, status, key):
        """One order. Even a failure of the line is its result, for what is done must be kept."""
        marking = _Marking(status, key)
        try:
            marking.check()
            marking.take(self._query(ORDER_STATUS, id=marking.order_gid).get("order"))
            self._cancel_order(marking)
            self._add_tags(marking)
            self._add_note(marking)
        except SyncError as error:
            return marking.result(error)
        return marking.result()

    def _cancel_order(self, marking):
        """Cancelled over there already, by whomever: nothing is left to do. The store works on a
        cancellation for a while; it is not asked for twice."""
        status = marking.status
        if not status.cancelled or marking.order.get("cancelledAt") or "cancel" in marking.progress:
            return
        reason = status.reason.upper()
        _payload, errors = self._mutate(
            CANCEL_ORDER,
            id=marking.order_gid,
            reason=reason if reason in REASONS else OTHER,
            restock=True,
            notify=status.notify,
            note=status.note[:STAFF_NOTE_LIMIT] or None,
            refund=NO_REFUND,
        )
        marking.keep("cancel", errors)

    def _add_tags(self, marking):
        known = {tag.lower() for tag in marking.order.get("tags") or ()}
        tags = [tag for tag in marking.status.tags if tag.lower() not in known]
        if tags:
            _payload, errors = self._mutate(ADD_TAGS, id=marking.order_gid, tags=tags)
            marking.keep("tags", errors)

    def _add_note(self, marking):
        """One more line below what staff wrote."""
        text = marking.new_note()
        if text:
            update = {"id": marking.order_gid, "note": text}
            _payload, errors = self._mutate(UPDATE_ORDER, input=update)
            marking.keep("note", errors)


class _Marking:
    """One order that is marked: what is done, and what this try changed."""

    def __init__(self, status, key):
        self.status = status
        self.order = {}
        self.progress = dict(key.progress)

    @property
    def name(self):
        return f"Order {self.status.label or self.order.get('name') or self.status.external_id}"

    @property
    def order_gid(self):
        return gid("Order", self.status.external_id)

    def check(self):
        """:raise ValidationFailed: it cannot be sent"""
        if not is_id(self.status.external_id):
            raise ValidationFailed(
                f"{self.name}: '{self.status.external_id}' is not the ID of an order in Shopify.",
                hint="Match it again (Configuration > Matching), then press Resend.",
            )
        long = [tag for tag in self.status.tags if len(tag) > TAG_LIMIT]
        if long:
            raise ValidationFailed(
                f"{self.name}: a tag of Shopify has {TAG_LIMIT} characters at most, but "
                f"'{long[0]}' has {len(long[0])}.",
                hint="Shorten the tag in the flow, then press Resend.",
            )

    def take(self, order):
        """:raise Missing: the order is gone"""
        if not order:
            raise Missing(
                f"{self.name} no longer exists in the store.",
                hint="Find out in the store why it was deleted; then cancel this job, or match the "
                "order again and press Resend.",
                code="order_not_found",
            )
        self.order = order

    def new_note(self):
        """The order's note with ours in it; empty where it has it already.

        :raise Rejected: no place is left
        """
        line, note = " ".join(self.status.note.split()), self.order.get("note") or ""
        if not line or line in (" ".join(found.split()) for found in note.splitlines()):
            return ""
        text = f"{note.rstrip()}\n{line}".strip()
        if len(text) > NOTE_LIMIT:
            raise Rejected(
                f"{self.name}: its note in the store is full ({NOTE_LIMIT} characters).",
                hint="Shorten the note in Shopify, then press Resend.",
                code="note_full",
            )
        return text

    def keep(self, step, errors):
        if errors:
            raise element_error(errors[0], self.name)
        self.progress[step] = "done"

    def result(self, error=None):
        if error:
            return Result(error=error, progress=self.progress)
        return Result(
            outcome="updated" if self.progress else "unchanged",
            external_id=self.status.external_id,
            external_ref=self.order.get("name") or "",
            updated_at=utc(self.order.get("updatedAt")),
            progress=self.progress,
        )

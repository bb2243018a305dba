"""Shipments to WooCommerce, which has no such object: custom field, note and status of the order.

Field and status go in one request, and may be written twice; the note is looked for before it is
added, in every try, for the customer would get a second e-mail.
"""

from .base import Result
from .errors import Missing, SyncError, ValidationFailed
from .woocommerce_invoice import NOTE_FIELDS, NOTES, ORDER_FIELDS, WRITTEN_FIELDS, comparable
from .woocommerce_values import utc

#: One field for each shipment: two of one order never overwrite each other.
SHIPMENT_KEY = "_commerce_sync_shipment:{number}"
COMPLETED = "completed"
#: Of an order that may become completed; one that was cancelled or refunded stays so.
#: https://woocommerce.com/document/managing-orders/order-statuses/
SHIPPABLE = ("pending", "on-hold", "processing")


class ShipmentMixin:
    """Needs ``_api`` and :class:`InvoiceMixin`'s ``_ask_order``."""

    def _push_shipment(self, documents, keys):
        return [self._ship(*pair) for pair in zip(documents, keys, strict=True)]

    def _ship(self, shipment, key):
        """One shipment. Even a failure of the line is its result, for what is done must be kept."""
        delivery = _Delivery(shipment, key)
        try:
            delivery.check()
            self._ask_order(delivery, "GET", ORDER_FIELDS)
            self._write_shipment(delivery)
            self._write_shipment_note(delivery)
        except SyncError as error:
            return delivery.result(error)
        return delivery.result()

    def _write_shipment(self, delivery):
        body = delivery.changes_of_order()
        if body:
            self._ask_order(delivery, "PUT", WRITTEN_FIELDS, body)
            delivery.outcome = "updated" if delivery.shipment.external_id else "created"
        delivery.progress["order"] = "done"

    def _write_shipment_note(self, delivery):
        if "note" in delivery.progress:
            return
        path = NOTES.format(order=delivery.order_id)
        text, to_customer = delivery.note_text(), delivery.to_customer
        params = {"_fields": NOTE_FIELDS}
        notes = self._api("GET", path, params=params).json()
        found = [note for note in notes if comparable(text) in comparable(note.get("note"))]
        if not found:
            body = {"note": text, "customer_note": to_customer}
            found = [self._api("POST", path, params=params, json=body).json()]
            delivery.outcome = "updated" if delivery.shipment.external_id else "created"
        delivery.progress["note"] = found[0]["id"]


class _Delivery:
    """One shipment on its way: what is done, and what this try changed."""

    def __init__(self, shipment, key):
        self.shipment = shipment
        self.order_id = shipment.parent_id
        self.order = {}
        self.outcome = "created" if key.progress else "unchanged"
        self.progress = dict(key.progress)

    @property
    def _name(self):
        return f"Shipment {self.shipment.number}"

    @property
    def to_customer(self):
        return self.shipment.notify and self.shipment.state != "cancelled"

    def check(self):
        """:raise ValidationFailed: it cannot be sent"""
        if not self.order_id.isdigit():
            raise ValidationFailed(
                f"{self._name}: '{self.order_id}' is not the ID of an order in WooCommerce.",
                hint="Match its order again (Configuration > Matching), then press Resend.",
            )

    def missing(self, what, hint, code):
        return Missing(f"{self._name}: its order {self.order_id} {what}.", hint=hint, code=code)

    def changes_of_order(self):
        """What is to be written to the order; empty where it says all of it already."""
        key = SHIPMENT_KEY.format(number=self.shipment.number)
        value = field_value(self.shipment)
        found = [meta for meta in self.order.get("meta_data") or () if meta.get("key") == key]
        body = {}
        if len(found) != 1 or found[0].get("value") != value:
            body["meta_data"] = [{"key": key, "value": value}]
        complete = self.shipment.complete and self.shipment.state != "cancelled"
        if complete and self.order.get("status") in SHIPPABLE:
            body["status"] = COMPLETED
        return body

    def note_text(self):
        shipment = self.shipment
        if shipment.state == "cancelled":
            return f"Shipment {shipment.number} has been cancelled."
        numbers = ", ".join(shipment.tracking_numbers)
        how = " ".join(filter(None, (shipment.carrier, numbers, *shipment.tracking_urls)))
        said = f"Shipment {shipment.number} is on its way"
        return f"{said}: {how}" if how else f"{said}."

    def result(self, error=None):
        if error:
            return Result(error=error, progress=self.progress)
        return Result(
            outcome=self.outcome,
            external_id=f"{self.order_id}:{self.shipment.number}",
            parent_id=self.order_id,
            external_ref=str(self.order.get("number") or ""),
            updated_at=utc(self.order.get("date_modified_gmt")),
            progress=self.progress,
        )


def field_value(shipment):
    """What the order's field says of the shipment: texts only."""
    return {
        "number": shipment.number,
        "state": shipment.state,
        "carrier": shipment.carrier,
        "tracking_numbers": list(shipment.tracking_numbers),
        "tracking_urls": list(shipment.tracking_urls),
        "lines": [
            {"line_id": line.line_id, "sku": line.sku, "quantity": format(line.quantity, "f")}
            for line in shipment.lines
        ],
    }

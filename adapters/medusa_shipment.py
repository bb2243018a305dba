"""Shipments to Medusa: a fulfilment of some lines of the order, then its shipment with labels.

Neither has an idempotency key, so each try reads the order first and goes on from what is there:
our fulfilments carry the delivery's number in their metadata.

Medusa takes fulfilled pieces off its stock; the next stock we send is absolute and sets that right.
https://docs.medusajs.com/api/admin#orders_postordersidfulfillments
"""

from decimal import Decimal

from .base import Result
from .errors import Missing, Rejected, SyncError, ValidationFailed
from .medusa_errors import about
from .medusa_values import amount, is_id, json_number, utc

FULFILLMENTS = "admin/orders/{order}/fulfillments"
SHIPMENTS = FULFILLMENTS + "/{fulfillment}/shipments"
CANCEL = FULFILLMENTS + "/{fulfillment}/cancel"
FIELDS = (
    "id,display_id,status,updated_at,*items,*items.detail,*fulfillments,*fulfillments.items,"
    "*fulfillments.labels"
)
MARK = "odoo_delivery"


class ShipmentMixin:
    """Needs ``_api``, ``_locations`` and ``_read_order_row``."""

    def _push_shipment(self, documents, keys):
        return [self._ship(*pair) for pair in zip(documents, keys, strict=True)]

    def _ship(self, shipment, key):
        delivery = _Delivery(shipment, key)
        try:
            delivery.check()
            delivery.take(self._read_order_row(shipment.parent_id, FIELDS))
            if shipment.state == "cancelled":
                self._cancel_fulfillment(delivery)
            else:
                self._fulfil(delivery)
        except SyncError as error:
            said = getattr(error, "said", "")
            return delivery.result(about(error, delivery.name) if said else error)
        return delivery.result()

    def _fulfil(self, delivery):
        if not delivery.ours:
            place = self._ship_from(delivery)
            body = {
                "location_id": place,
                "items": delivery.allocate(),
                "no_notification": not delivery.shipment.notify,
                "metadata": {MARK: delivery.shipment.number},
            }
            self._change(delivery, FULFILLMENTS, body, "created")
        if delivery.ours["canceled_at"]:
            raise Rejected(
                f"{delivery.name}: it was cancelled in the store.",
                hint="Cancel this job, or ship the order anew.",
                code="fulfillment_cancelled",
            )
        if not delivery.ours["shipped_at"]:
            body = {
                "items": delivery.fulfilled(),
                "labels": delivery.labels(),
                "no_notification": not delivery.shipment.notify,
            }
            self._change(delivery, SHIPMENTS, body, "updated")
        elif delivery.tracking_differs():
            delivery.note = (
                "Medusa does not let the tracking number of a shipped parcel be corrected; it "
                "keeps the first."
            )

    def _ship_from(self, delivery):
        place = delivery.shipment.location_id or self.settings.options.get("location_id") or ""
        places = self._locations()
        if not place and len(places) == 1:
            return next(iter(places))
        if place in places:
            return place
        raise ValidationFailed(
            f"{delivery.name}: it is not said which of the store's locations it leaves from.",
            hint="Map the warehouse to a stock location of the store, then press Resend.",
        )

    def _cancel_fulfillment(self, delivery):
        if delivery.ours and not delivery.ours["canceled_at"]:
            self._change(delivery, CANCEL, {}, "updated")

    def _change(self, delivery, path, body, outcome):
        ours = delivery.ours or {}
        path = path.format(order=delivery.shipment.parent_id, fulfillment=ours.get("id"))
        row = self._api("POST", path, params={"fields": FIELDS}, json=body).json()["order"]
        delivery.take(row)
        delivery.outcome = "created" if delivery.outcome == "created" else outcome


class _Delivery:
    """One shipment on its way. ``ours`` is its fulfilment in the store."""

    def __init__(self, shipment, key):
        self.shipment = shipment
        self.order, self.ours = {}, None
        self.outcome, self.note = "unchanged", ""
        self.progress = dict(key.progress)

    @property
    def name(self):
        return f"Shipment {self.shipment.number}"

    def check(self):
        """:raise ValidationFailed: it cannot be sent"""
        if not is_id(self.shipment.parent_id):
            raise ValidationFailed(
                f"{self.name}: '{self.shipment.parent_id}' is not the ID of an order in Medusa.",
                hint="Match its order again (Configuration > Matching), then press Resend.",
            )
        if self.shipment.state == "cancelled":
            return
        if not any(line.quantity for line in self.shipment.lines):
            raise ValidationFailed(
                f"{self.name}: it has no lines that the store knows.",
                hint="Only products of the order can be shipped in the store.",
            )

    def take(self, order):
        """Find our fulfilment: by id, or by the delivery's number, which an uncertain try left."""
        self.order = order
        rows = order.get("fulfillments") or ()
        known = self.shipment.external_id or self.progress.get("fulfillment")
        number = self.shipment.number
        ours = [row for row in rows if row["id"] == known] or [
            row
            for row in rows
            if not known
            and (row.get("metadata") or {}).get(MARK) == number
            and not row.get("canceled_at")
        ]
        if self.shipment.external_id and not ours:
            raise Missing(
                f"{self.name}: order {order.get('display_id')} of the store no longer has it.",
                hint="Look into the order in Medusa; then cancel this job.",
                code="fulfillment_not_found",
            )
        self.ours = ours[-1] if ours else None
        if self.ours:
            self.progress["fulfillment"] = self.ours["id"]

    def allocate(self):
        """The order's lines that are shipped: ``[{id, quantity}]``.

        :raise Rejected: the store has fewer left to ship
        """
        rows, missing = {}, []
        for line in self.shipment.lines:
            left = line.quantity
            for item in self.order.get("items") or ():
                mine = (
                    item["id"] == line.line_id if line.line_id else item["variant_sku"] == line.sku
                )
                if mine and left > 0:
                    free = _open(item) - rows.get(item["id"], Decimal(0))
                    taken = min(left, max(free, Decimal(0)))
                    rows[item["id"]] = rows.get(item["id"], Decimal(0)) + taken
                    left -= taken
            if left > 0:
                missing.append(f"{left.normalize():f} of '{line.sku or line.line_id}'")
        if missing:
            raise Rejected(
                f"{self.name}: in order {self.order.get('display_id')} of the store there are not "
                f"enough pieces left to ship; missing: {', '.join(missing)}.",
                hint="Somebody may have shipped it in the store already, or the order was changed "
                "there. Compare both, then cancel this job or press Resend.",
                code="nothing_left_to_ship",
            )
        return [{"id": key, "quantity": json_number(count)} for key, count in rows.items() if count]

    def fulfilled(self):
        return [
            {"id": item["line_item_id"], "quantity": json_number(amount(item, "quantity"))}
            for item in self.ours.get("items") or ()
        ]

    def labels(self):
        urls = self.shipment.tracking_urls
        return [
            {
                "tracking_number": number,
                "tracking_url": urls[place] if place < len(urls) else "",
                "label_url": "",
            }
            for place, number in enumerate(self.shipment.tracking_numbers)
        ]

    def tracking_differs(self):
        theirs = [label["tracking_number"] for label in self.ours.get("labels") or ()]
        return bool(self.shipment.tracking_numbers) and theirs != list(
            self.shipment.tracking_numbers
        )

    def result(self, error=None):
        if error:
            return Result(error=error, progress=self.progress)
        ours = self.ours or {}
        return Result(
            outcome=self.outcome,
            external_id=ours.get("id") or self.shipment.external_id,
            parent_id=self.shipment.parent_id,
            external_ref=str(self.order.get("display_id") or ""),
            updated_at=utc(ours.get("updated_at")),
            progress=self.progress,
            note=self.note,
        )


def _open(item):
    return amount(item, "quantity") - amount(item.get("detail") or {}, "fulfilled_quantity")

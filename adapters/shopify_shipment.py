"""Shipments to Shopify: fulfilments of an order, in parts if need be.

A fulfilment has no idempotency key, and the customer would get a second e-mail. So every try reads
the order first, and one of ours that is there already is taken for what it is.
https://shopify.dev/docs/apps/build/orders-fulfillment/order-management-apps/build-fulfillment-solutions
"""

from collections import Counter

from .base import Result
from .errors import Missing, Rejected, SyncError, ValidationFailed
from .shopify_errors import element_error
from .shopify_queries import (
    CANCEL_FULFILLMENT,
    CREATE_FULFILLMENT,
    SHIPMENTS,
    SHIPPED,
    SHIPPING,
    UPDATE_TRACKING,
)
from .shopify_values import gid, is_id, plain_id, utc

#: Between the ids of a shipment that left from several of the store's locations.
SEPARATOR = "+"
#: Fulfilment orders in these states can be shipped.
OPEN = ("OPEN", "IN_PROGRESS")
CANCELLED = "CANCELLED"


class ShipmentMixin:
    """Needs ``_query``, ``_mutate`` and ``host``."""

    def _push_shipment(self, documents, keys):
        return [self._ship(*pair) for pair in zip(documents, keys, strict=True)]

    def _ship(self, shipment, key):
        """One shipment. Even a failure of the line is its result, for what is done must be kept."""
        delivery = _Delivery(shipment, key)
        try:
            delivery.check()
            self._read_shipping(delivery)
            if shipment.state == "cancelled":
                self._cancel(delivery)
            else:
                self._correct_tracking(delivery)
                self._fulfil(delivery)
        except SyncError as error:
            return delivery.result(error)
        return delivery.result()

    def _read_shipping(self, delivery):
        order = self._query(SHIPPING, id=gid("Order", delivery.order_id)).get("order")
        if not order:
            raise Missing(
                f"{delivery.name}: its order {delivery.order_id} no longer exists in the store.",
                hint="Find out in the store why it was deleted; then cancel this job.",
                code="order_not_found",
            )
        delivery.order = order
        known = delivery.known
        rows = self._query(SHIPPED, ids=known)["nodes"] if known else ()
        delivery.take(rows)
        if not delivery.ours and delivery.uncertain:
            # An earlier try may have arrived: then a fulfilment says the same as ours.
            data = self._query(SHIPMENTS, id=gid("Order", delivery.order_id))
            delivery.adopt((data.get("order") or {}).get("fulfillments") or ())

    # === NEW === #

    def _fulfil(self, delivery):
        """One fulfilment for each location the pieces leave from; what left already is left out."""
        for location, groups in delivery.allocate().items():
            shipment = {
                "lineItemsByFulfillmentOrder": groups,
                "notifyCustomer": delivery.shipment.notify,
            }
            if delivery.tracking:
                shipment["trackingInfo"] = delivery.tracking
            payload, errors = self._mutate(CREATE_FULFILLMENT, fulfillment=shipment)
            delivery.raise_first(errors)
            delivery.keep(location, payload["fulfillment"], "created")

    # === CHANGES === #

    def _correct_tracking(self, delivery):
        for number, fulfillment in delivery.ours.items():
            if fulfillment["status"] == CANCELLED:
                raise Rejected(
                    f"{delivery.name}: it was cancelled in the store.",
                    hint="Cancel this job, or ship the order anew.",
                    code="fulfillment_cancelled",
                )
            if not delivery.tracking or _same_tracking(fulfillment, delivery.shipment):
                continue
            payload, errors = self._mutate(
                UPDATE_TRACKING,
                id=gid("Fulfillment", number),
                tracking=delivery.tracking,
                notify=delivery.shipment.notify,
            )
            delivery.raise_first(errors)
            delivery.keep(number, payload["fulfillment"], "updated")

    def _cancel(self, delivery):
        for number, fulfillment in delivery.ours.items():
            if fulfillment["status"] == CANCELLED:
                continue
            payload, errors = self._mutate(CANCEL_FULFILLMENT, id=gid("Fulfillment", number))
            delivery.raise_first(errors)
            delivery.keep(number, payload["fulfillment"], "updated")


class _Delivery:
    """One shipment on its way. ``progress`` is ``{location: fulfilment id}``."""

    def __init__(self, shipment, key):
        self.shipment = shipment
        self.order_id = shipment.parent_id
        self.order = {}
        self.ours = {}  # id -> fulfilment
        self.outcome = "unchanged"
        self.updated_at = None
        self.progress = dict(key.progress)
        self.uncertain = key.uncertain

    @property
    def name(self):
        return f"Shipment {self.shipment.number}"

    def check(self):
        """:raise ValidationFailed: it cannot be sent"""
        if not is_id(self.order_id):
            raise ValidationFailed(
                f"{self.name}: '{self.order_id}' is not the ID of an order in Shopify.",
                hint="Match its order again (Mappings), then press Resend.",
            )
        if self.shipment.state == "cancelled":
            return
        if not any(line.quantity for line in self.shipment.lines):
            raise ValidationFailed(
                f"{self.name}: it has no lines that the store knows.",
                hint="Only products of the order can be shipped in the store.",
            )
        for line in self.shipment.lines:
            if line.quantity < 0 or line.quantity != line.quantity.to_integral_value():
                raise ValidationFailed(
                    f"{self.name}: Shopify only ships whole pieces, not {line.quantity} of "
                    f"'{line.sku or line.line_id}'.",
                    hint="Correct the quantity in Odoo, then press Resend.",
                )

    @property
    def known(self):
        """The whole ids of the fulfilments that are ours."""
        numbers = {*self.shipment.external_id.split(SEPARATOR), *self.progress.values()}
        return [gid("Fulfillment", number) for number in sorted(numbers) if number]

    def take(self, rows):
        """Our fulfilments, as far as the store still has them."""
        self.ours = {plain_id(row["id"]): row for row in rows if row}
        self.progress.update(
            {number: number for number in self.ours if number not in self.progress.values()}
        )
        if self.shipment.external_id and not self.ours:
            raise Missing(
                f"{self.name}: order {self.order['name']} of the store no longer has it.",
                hint="Look into the order in Shopify; then cancel this job, or unmatch the "
                "delivery and press Resend to ship it anew.",
                code="fulfillment_not_found",
            )

    def adopt(self, rows):
        wanted = Counter({_line_key(line): int(line.quantity) for line in self.shipment.lines})
        for row in rows:
            if row["status"] == CANCELLED or not _same_tracking(row, self.shipment):
                continue
            if wanted in (_shipped(row), _shipped(row, by_sku=True)):
                number = plain_id(row["id"])
                self.ours[number] = row
                self.progress[number] = number
                self.outcome = "created"
                return

    # === WHAT LEAVES FROM WHERE === #

    def allocate(self):
        """:return: ``{location: lineItemsByFulfillmentOrder}``
        :raise Rejected: the store has fewer left to ship
        """
        groups = {}
        left = [[line, int(line.quantity)] for line in self.shipment.lines]
        for shipped in self.ours.values():
            for item in shipped["fulfillmentLineItems"]["nodes"]:
                _draw(left, item["lineItem"], item["quantity"])
        for row in self._open_orders():
            location = plain_id((row["assignedLocation"].get("location") or {}).get("id"))
            for item in row["lineItems"]["nodes"]:
                quantity = _draw(left, item["lineItem"], item["remainingQuantity"])
                if quantity:
                    _add(groups, location, row["id"], item["id"], quantity)
        missing = [f"{count} of '{line.sku or line.line_id}'" for line, count in left if count]
        if missing:
            raise Rejected(
                f"{self.name}: in order {self.order['name']} of the store there are not enough "
                f"pieces left to ship; missing: {', '.join(missing)}.",
                hint="Somebody may have shipped it in the store already, or the order was changed "
                "there. Compare both, then cancel this job or press Resend.",
                code="nothing_left_to_ship",
            )
        return groups

    def _open_orders(self):
        """Those of our own location first."""
        rows = [row for row in self.order["fulfillmentOrders"]["nodes"] if row["status"] in OPEN]
        ours = gid("Location", self.shipment.location_id)

        def elsewhere(row):
            return (row["assignedLocation"].get("location") or {}).get("id") != ours

        return sorted(rows, key=elsewhere)

    @property
    def tracking(self):
        shipment = self.shipment
        info = {}
        if shipment.carrier:
            info["company"] = shipment.carrier
        if shipment.tracking_numbers:
            info["numbers"] = list(shipment.tracking_numbers)
        if shipment.tracking_urls:
            info["urls"] = list(shipment.tracking_urls)
        return info

    # === HOW IT ENDS === #

    def keep(self, step, fulfillment, outcome):
        number = plain_id(fulfillment["id"])
        if outcome == "created":
            self.progress[step] = number
            self.ours[number] = fulfillment
        if self.outcome != "created":
            self.outcome = outcome
        self.updated_at = utc(fulfillment.get("updatedAt"))

    def raise_first(self, errors):
        if errors:
            raise element_error(errors[0], self.name)

    def result(self, error=None):
        if error:
            return Result(error=error, progress=self.progress)
        return Result(
            outcome=self.outcome,
            external_id=SEPARATOR.join(sorted(self.ours, key=int)) or self.shipment.external_id,
            parent_id=plain_id(self.order_id),
            external_ref=(self.order.get("name") or "").removeprefix("#"),
            updated_at=self.updated_at,
            progress=self.progress,
        )


def _line_key(line):
    return plain_id(line.line_id) or line.sku


def _shipped(fulfillment, by_sku=False):
    """How much of each order line (or SKU) a fulfilment holds."""
    counts = Counter()
    for item in fulfillment["fulfillmentLineItems"]["nodes"]:
        line = item["lineItem"]
        counts[line.get("sku") if by_sku else plain_id(line["id"])] += item["quantity"]
    return counts


def _draw(left, store_line, available):
    """Take what is still wanted of one order line of the store, as far as it is available.

    :return: how much that was
    """
    number, sku, taken = plain_id(store_line["id"]), store_line.get("sku") or "", 0
    for entry in left:
        line, count = entry
        matches = plain_id(line.line_id) == number if line.line_id else line.sku == sku
        if matches and count:
            quantity = min(count, available - taken)
            entry[1] -= quantity
            taken += quantity
    return taken


def _add(groups, location, order, line, quantity):
    rows = groups.setdefault(location, [])
    row = next((row for row in rows if row["fulfillmentOrderId"] == order), None)
    if row is None:
        row = {"fulfillmentOrderId": order, "fulfillmentOrderLineItems": []}
        rows.append(row)
    row["fulfillmentOrderLineItems"].append({"id": line, "quantity": quantity})


def _same_tracking(fulfillment, shipment):
    infos = fulfillment.get("trackingInfo") or ()
    numbers = tuple(info["number"] for info in infos if info.get("number"))
    urls = tuple(info["url"] for info in infos if info.get("url"))
    carriers = {info["company"] for info in infos if info.get("company")}
    return (
        numbers == tuple(shipment.tracking_numbers)
        and (not shipment.tracking_urls or urls == tuple(shipment.tracking_urls))
        and (not shipment.carrier or carriers <= {shipment.carrier})
    )

"""Stock to Shopify: up to 250 quantities in one request, each compared with what we last saw.

https://shopify.dev/docs/api/admin-graphql/latest/mutations/inventorySetQuantities: it writes all of
them or none, so what it refuses is taken out and the others are sent again.
"""

import hashlib
import json
import uuid
from dataclasses import dataclass, field
from decimal import Decimal

from .base import Result, SendKey
from .documents import InventoryLevel
from .errors import Conflict, Missing, Rejected, SyncError, Temporary, Unexpected, ValidationFailed
from .shopify_errors import (
    BUNDLE,
    CONCURRENT,
    CONCURRENT_WAIT,
    HINT_BUNDLE,
    HINT_LOCATION,
    HINT_MATCH,
    NOT_STOCKED,
    PREVIOUS_FAILED,
    STALE,
    element_error,
    place_in,
)
from .shopify_queries import ACTIVATE, SET_STOCK, STOCK
from .shopify_values import decimal, gid, is_id, plain_id, utc

#: Quantities in one request.
BATCH_SIZE = 250
#: Variants looked at in one request: about 500 of the 1000 points that a query may cost.
LOOK_SIZE = 100
#: What Shopify keeps of a quantity: https://shopify.dev/docs/api/admin-graphql/latest/enums/InventorySetQuantitiesUserErrorCode
EXTREME = 1_000_000_000
QUANTITY = "available"
#: https://shopify.dev/docs/apps/build/orders-fulfillment/inventory-management-apps
REASON = "correction"
#: Shown in the shop's own history of the quantity.
REFERENCE = "gid://commerce-sync/Inventory/{key}"
#: A field of the answer -> the element it concerns.
PATH = ("input", "quantities")
#: The whole request is in question, not one element of it.
OF_REQUEST = (CONCURRENT, PREVIOUS_FAILED, "IDEMPOTENCY_KEY_PARAMETER_MISMATCH")


@dataclass
class _Stock:
    """One document on its way.

    ``expected`` is what each location must hold for our quantity to be written (``None``: whatever
    it holds); ``found`` is what was looked up; ``result`` is set once it is decided.
    """

    document: InventoryLevel
    key: SendKey
    item: str = ""
    expected: dict = field(default_factory=dict)
    found: dict = field(default_factory=dict)
    names: dict = field(default_factory=dict)
    changed: dict = field(default_factory=dict)
    activated: set = field(default_factory=set)
    looked_again: bool = False
    result: Result | None = None

    def __post_init__(self):
        self.item = str(self.document.handles.get("inventory_item_id") or "")
        self.expected = {level.location_id: level.last_seen for level in self.document.levels}
        problem = stock_problem(self.document)
        if problem:
            self.fail(problem)

    @property
    def wanted(self):
        """``{location id: quantity}``"""
        return {level.location_id: level.quantity for level in self.document.levels}

    @property
    def label(self):
        return self.document.label

    def place(self, location):
        return self.names.get(location) or f"location {location}"

    def fail(self, error):
        seen = {location: held or Decimal(0) for location, held in self.found.items()}
        changed = max(filter(None, self.changed.values()), default=None)
        self.result = Result(error=error, seen=seen, updated_at=changed)

    def succeed(self, outcome="updated", updated_at=None, note=""):
        if self.activated:
            places = ", ".join(self.place(location) for location in sorted(self.activated))
            note = f"It was not stocked at {places} and now is. {note}".strip()
        self.result = Result(
            outcome=outcome,
            external_id=self.document.external_id,
            parent_id=self.document.parent_id,
            updated_at=updated_at,
            seen=self.wanted,
            note=note,
        )


class InventoryMixin:
    """Needs ``_query(document, **variables)`` and ``_mutate(document, **variables)``."""

    def parcels(self, kind, documents):
        if kind != "inventory":
            return super().parcels(kind, documents)
        parcels, room = [], 0
        for position, document in enumerate(documents):
            rows = max(1, len(document.levels))
            if rows > room:
                parcels.append([])
                room = BATCH_SIZE
            parcels[-1].append(position)
            room -= rows
        return parcels

    def _push_inventory(self, documents, keys):
        stocks = [_Stock(*pair) for pair in zip(documents, keys, strict=True)]
        self._look_first(_undecided(stocks))
        for parcel in self.parcels("inventory", documents):
            self._write_stock([stocks[position] for position in parcel])
        return [stock.result for stock in stocks]

    # === LOOKING === #

    def _look_first(self, stocks):
        """At what was never written: whether it exists, is counted, and is stocked there.

        Since 2026-10 a quantity may be set anywhere, but nothing is sold from where the item is not
        stocked: https://shopify.dev/changelog/removal-of-itemnotstockedatlocation-error
        """
        new = [stock for stock in stocks if not stock.item or None in stock.expected.values()]
        self._look(new)
        for stock in _undecided(new):
            for location, held in list(stock.found.items()):
                # what we wrote before and is inactive now, somebody switched off
                if held is None and stock.expected[location] is None and not stock.result:
                    self._activate(stock, location)

    def _look(self, stocks):
        """Fill in what the store holds of these, at each of their locations."""
        locations = {location for stock in stocks for location in stock.expected}
        for location in sorted(locations):
            there = [stock for stock in _undecided(stocks) if location in stock.expected]
            for start in range(0, len(there), LOOK_SIZE):
                self._look_at(there[start : start + LOOK_SIZE], location)

    def _look_at(self, stocks, location):
        ids = [gid("ProductVariant", stock.document.external_id) for stock in stocks]
        data = self._query(STOCK, ids=ids, location=gid("Location", location))
        place = data.get("location")
        if not place or not place.get("isActive"):
            for stock in stocks:
                stock.fail(_no_location(stock.label, location))
            return
        nodes = data.get("nodes") or ()
        for stock, node in zip(stocks, nodes, strict=True):
            stock.names[location] = place.get("name") or ""
            _read_stock(stock, node, location)

    def _activate(self, stock, location):
        """Have an item stocked at a location."""
        key = request_key(["activate", stock.key.value, stock.item, location])
        payload, errors = self._mutate(
            ACTIVATE,
            item=gid("InventoryItem", stock.item),
            location=gid("Location", location),
            key=key,
        )
        if errors:
            stock.fail(element_error(errors[0], stock.label))
            return
        stock.activated.add(location)
        stock.found[location] = _available(payload.get("inventoryLevel"))
        stock.expected[location] = None

    # === WRITING === #

    def _write_stock(self, stocks):
        """Write what is undecided; what is refused is decided, and the others are sent again."""
        waiting = _undecided(stocks)
        while waiting:
            payload, errors = self._set_stock(waiting)
            if not errors:
                _settle(waiting, payload.get("inventoryAdjustmentGroup") or {})
                return
            if not self._sort_out(waiting, errors):
                self._write_halves(waiting, errors)
                return
            waiting = _undecided(waiting)

    def _write_halves(self, stocks, errors):
        """The store does not say which one it refuses: find out."""
        if len(stocks) == 1:
            stocks[0].fail(element_error(errors[0], stocks[0].label))
            return
        half = len(stocks) // 2
        self._write_stock(stocks[:half])
        self._write_stock(stocks[half:])

    def _set_stock(self, stocks):
        """One request.

        The key comes from the jobs and the content: the same request again is recognised over
        there, another quantity is another request.
        """
        rows = _rows(stocks)
        key = request_key([[stock.key.value for stock in stocks], rows])
        payload, errors = self._send_stock(rows, key)
        if any(error.get("code") == PREVIOUS_FAILED for error in errors):
            # Over there it is known that nothing was written, so this is a new request.
            payload, errors = self._send_stock(rows, str(uuid.uuid4()))
        for error in errors:
            if error.get("code") in OF_REQUEST:
                raise _request_error(error, self.host)
        return payload, errors

    def _send_stock(self, rows, key):
        content = {
            "name": QUANTITY,
            "reason": REASON,
            "referenceDocumentUri": REFERENCE.format(key=key),
            "quantities": rows,
        }
        return self._mutate(SET_STOCK, input=content, key=key)

    # === WHAT WAS REFUSED === #

    def _sort_out(self, stocks, errors):
        """Decide the elements that were refused, or mend what made them so.

        :return: whether any was found
        """
        owners = [(stock, location) for stock in stocks for location in stock.wanted]
        stale, found = [], False
        for error in errors:
            place = place_in(error, *PATH)
            if place is None or place >= len(owners):
                continue
            found = True
            stock, location = owners[place]
            if error.get("code") == STALE and not stock.looked_again:
                stale.append(stock)
            elif error.get("code") == NOT_STOCKED and location not in stock.activated:
                self._activate(stock, location)
            elif not stock.result:
                stock.fail(element_error(error, stock.label))
        self._look_again([stock for stock in stale if not stock.result])
        return found

    def _look_again(self, stocks):
        """At what changed since we last saw it. Where it is what we want, an earlier try of ours
        arrived, or somebody counted the same."""
        stocks = list({id(stock): stock for stock in stocks}.values())
        self._look(stocks)
        for stock in _undecided(stocks):
            stock.looked_again = True
            held = {location: stock.found.get(location) or Decimal(0) for location in stock.wanted}
            if held == stock.wanted:
                stock.succeed("unchanged", note="The store holds this quantity already.")
            elif all(_may_write(stock, location, held[location]) for location in held):
                stock.expected.update(held)
            else:
                stock.fail(_conflict(stock, held))


# === VALUES === #


def stock_problem(document):
    """Why this stock cannot be sent, or ``None``."""
    if not is_id(document.external_id):
        return ValidationFailed(
            f"{document.label}: '{document.external_id}' is not the ID of a variant in Shopify.",
            hint="Match the product again (Mappings), then press Resend.",
        )
    if not document.levels:
        return ValidationFailed(
            f"{document.label}: no location of the store was given.",
            hint="Map a warehouse to a location (Mappings), then press Resend.",
        )
    for level in document.levels:
        if not is_id(level.location_id):
            return ValidationFailed(
                f"{document.label}: '{level.location_id}' is not the ID of a location in Shopify.",
                hint=HINT_LOCATION,
            )
        quantity = level.quantity
        if not quantity.is_finite() or quantity != quantity.to_integral_value():
            return ValidationFailed(
                f"{document.label}: Shopify only takes whole pieces, not {quantity}.",
                hint="Correct the product's unit of measure or its quantity, then press Resend.",
            )
        if abs(quantity) > EXTREME:
            return ValidationFailed(
                f"{document.label}: Shopify takes no quantity beyond {EXTREME:,}, not {quantity}.",
                hint="Correct the quantity, then press Resend.",
            )
    return None


def request_key(content):
    """An idempotency key: the same for the same content, in the form of a UUID."""
    digest = hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).digest()
    return str(uuid.UUID(bytes=digest[:16], version=4))


def _undecided(stocks):
    return [stock for stock in stocks if not stock.result]


def _rows(stocks):
    return [
        {
            "inventoryItemId": gid("InventoryItem", stock.item),
            "locationId": gid("Location", location),
            "quantity": int(quantity),
            # must be there, even to say that nothing is compared
            "changeFromQuantity": _whole(stock.expected[location]),
        }
        for stock in stocks
        for location, quantity in stock.wanted.items()
    ]


def _whole(quantity):
    return None if quantity is None else int(quantity)


def _read_stock(stock, node, location):
    """What a look at one variant tells: where it is, or why it cannot be counted."""
    item = (node or {}).get("inventoryItem")
    if not item:
        stock.fail(
            Missing(
                f"{stock.label}: it no longer exists in the store.",
                hint=HINT_MATCH,
                code="variant_not_found",
            )
        )
    elif node.get("requiresComponents"):
        stock.fail(
            Rejected(f"{stock.label}: it is a bundle in the store.", hint=HINT_BUNDLE, code=BUNDLE)
        )
    elif not item.get("tracked"):
        stock.fail(_untracked(stock.label))
    else:
        stock.item = plain_id(item["id"])
        level = item.get("inventoryLevel")
        stock.found[location] = _available(level)
        stock.changed[location] = utc((level or {}).get("updatedAt"))


def _available(level):
    """The quantity of a level; ``None`` where the item is not stocked there."""
    quantities = (level or {}).get("quantities") or ()
    return decimal(quantities[0].get("quantity")) if quantities else None


def _settle(stocks, group):
    """All of these were written. An answer only lists what really changed."""
    untracked = {
        plain_id(change["item"]["id"])
        for change in group.get("changes") or ()
        if change.get("item") and not change["item"].get("tracked")
    }
    for stock in stocks:
        if stock.item in untracked:
            stock.fail(_untracked(stock.label))
        else:
            stock.succeed(updated_at=utc(group.get("createdAt")))


def _may_write(stock, location, held):
    """Whether nothing speaks against our quantity at a location."""
    return held == stock.wanted[location] or stock.expected[location] in (None, held)


def _conflict(stock, held):
    changed = [
        f"at {stock.place(location)} it holds {quantity:f}, and {stock.expected[location]:f} when "
        f"we last looked (to write: {stock.wanted[location]:f})"
        for location, quantity in held.items()
        if not _may_write(stock, location, quantity)
    ]
    return Conflict(
        f"{stock.label}: the stock was changed in the store: {'; '.join(changed)}.",
        hint="Find out in the store who changed it, then press Resend to overwrite it.",
        code=STALE,
    )


def _untracked(label):
    return Rejected(
        f"{label}: the store does not count the stock of this product.",
        hint="Switch on inventory tracking for it in Shopify (Products > Inventory), then press "
        "Resend; or unmatch it.",
        code="not_tracked",
    )


def _no_location(label, location):
    return Missing(
        f"{label}: location {location} no longer exists in the store, or is not active.",
        hint=HINT_LOCATION,
        code="INVALID_LOCATION",
    )


def _request_error(error, host) -> SyncError:
    if error.get("code") == CONCURRENT:
        return Temporary(
            f"{host} is still working on the same request.",
            hint="Nothing to do: it is looked at again by itself.",
            code=CONCURRENT,
            retry_after=CONCURRENT_WAIT,
            uncertain=True,
        )
    return Unexpected(
        f"{host}: {error.get('message')}",
        hint="This is an error in Commerce Sync: report it.",
        code=error.get("code"),
    )

"""Reading the stock of Shopify, to compare it: place by place, variant by variant.

The levels of an item are a list of their own, and a list within a list of a hundred costs more
points than a query may. Asked for one place at a time each variant has one level.
"""

import json
from contextlib import suppress

from .base import Page
from .documents import InventoryLevel, LocationQuantity
from .errors import ValidationFailed
from .shopify_queries import LOCATIONS, STOCK_PAGE
from .shopify_values import decimal, gid, plain_id, search_date, utc

#: Variants in one page: 750 of the 1000 points a query may cost.
PER_PAGE = 150
#: A shop has 200 locations at most: https://help.shopify.com/en/manual/locations
MOST_LOCATIONS = 200


class StockReadingMixin:
    """Needs ``_ask_page(document, cursor, **variables)`` and ``settings``."""

    def _fetch_inventory(self, since, cursor):
        """``options["stock_locations"]``: read these places only (default: all)."""
        place = self._stock_place(cursor) or {"locations": self._stock_locations()}
        if not place["locations"]:
            return Page(())
        location, after = place["locations"][0], place.get("after")
        data = self._ask_page(
            STOCK_PAGE,
            after or "",
            first=PER_PAGE,
            after=after,
            query=f"updated_at:>={search_date(since)}" if since else None,
            location=gid("Location", location),
        )
        found = data["productVariants"]
        levels = tuple(_level(node, location) for node in found["nodes"])
        return Page(levels, _next_place(place, found["pageInfo"]))

    def _stock_locations(self):
        chosen = self.settings.options.get("stock_locations")
        if chosen is not None:
            return list(chosen)
        data = self._query(LOCATIONS, first=MOST_LOCATIONS, after=None)
        nodes = data["locations"]["nodes"]
        return [plain_id(node["id"]) for node in nodes if node.get("isActive")]

    def _stock_place(self, cursor):
        if not cursor:
            return None
        with suppress(ValueError):
            place = json.loads(cursor)
            if isinstance(place, dict) and place.get("locations"):
                return place
        raise ValidationFailed(
            f"The place to go on reading {self.host} from cannot be read.",
            hint="Start the reading again from the beginning.",
            code="bad_cursor",
        )


def _next_place(place, info):
    locations, after = place["locations"], info["endCursor"]
    if not info["hasNextPage"]:
        locations, after = locations[1:], None
    return json.dumps({"locations": locations, "after": after}) if locations else ""


def _level(node, location):
    """No level where the shop does not count the stock; zero where it keeps none there."""
    item, product = node.get("inventoryItem") or {}, node.get("product") or {}
    counted = bool(item.get("tracked")) and not node.get("requiresComponents")
    quantities = (item.get("inventoryLevel") or {}).get("quantities") or ({"quantity": 0},)
    held = LocationQuantity(location_id=location, quantity=decimal(quantities[0]["quantity"]) or 0)
    sku, name = node.get("sku") or "", product.get("title") or ""
    return InventoryLevel(
        label=f"[{sku}] {name}" if sku else name,
        external_id=plain_id(node["id"]),
        parent_id=plain_id(product.get("id")),
        sku=sku,
        levels=(held,) if counted else (),
        handles={"inventory_item_id": plain_id(item.get("id"))},
        updated_at=utc(node.get("updatedAt")),
    )

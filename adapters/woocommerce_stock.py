"""Reading the stock of WooCommerce, to compare it: the pages of the catalogue, without names."""

from .base import Page
from .documents import InventoryLevel, LocationQuantity
from .woocommerce_catalog import as_cursor
from .woocommerce_inventory import LOCATION
from .woocommerce_values import number, utc


class StockReadingMixin:
    """Needs ``_sold_rows(since, cursor)`` of the catalogue."""

    def _fetch_inventory(self, since, cursor):
        rows, place, total = self._sold_rows(since, cursor)
        return Page(tuple(_level(row) for row in rows), as_cursor(place), total)


def _level(row):
    """No level where the store does not count the stock (or counts it with the parent's)."""
    held = number(row.get("stock_quantity")) if row.get("manage_stock") is True else None
    sku = row.get("sku") or ""
    name = row.get("name") or ""
    return InventoryLevel(
        label=f"[{sku}] {name}".strip() if sku else name,
        external_id=str(row["id"]),
        parent_id=str(row.get("parent_id") or ""),
        sku=sku,
        levels=() if held is None else (LocationQuantity(location_id=LOCATION, quantity=held),),
        updated_at=utc(row.get("date_modified_gmt")),
    )

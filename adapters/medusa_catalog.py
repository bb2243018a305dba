"""Reading variants, orders, locations, stock and prices, page by page, oldest change first.

Offsets would lie: a record that is changed between two pages moves to the end, and another one
slips forward, unread. So each page starts at the last moment of the one before; what was read of
that moment is left out.
"""

import json
from contextlib import suppress
from decimal import Decimal

from .base import Page
from .documents import (
    CatalogItem,
    InventoryLevel,
    Location,
    LocationQuantity,
    OrderHead,
    Price,
    Product,
    ProductImage,
    ProductOption,
    ProductVariant,
)
from .errors import ValidationFailed
from .medusa_values import amount, iso, number, rounded, utc

#: https://docs.medusajs.com/api/admin#product-variants_getproductvariants
VARIANTS = "admin/product-variants"
#: https://docs.medusajs.com/api/admin#products_getproducts
PRODUCTS = "admin/products"
#: https://docs.medusajs.com/api/admin#orders_getorders
ORDERS = "admin/orders"
#: https://docs.medusajs.com/api/admin#stock-locations_getstocklocations
LOCATIONS = "admin/stock-locations"
PER_PAGE = 100

ITEM_FIELDS = (
    "id,manage_inventory,inventory_items.inventory_item_id,inventory_items.required_quantity"
)
LEVEL_FIELDS = (
    "inventory_items.inventory.location_levels.location_id,"
    "inventory_items.inventory.location_levels.stocked_quantity"
)
VARIANT_FIELDS = (
    f"{ITEM_FIELDS},sku,barcode,ean,upc,title,updated_at,product_id,product.title,product.status,"
    f"options.value,{LEVEL_FIELDS}"
)
PRICE_FIELDS = "id,sku,title,product_id,updated_at,prices.amount,prices.currency_code,prices.rules"
ORDER_HEAD_FIELDS = "id,display_id,currency_code,total,status,created_at,updated_at"
PRODUCT_FIELDS = (
    "id,title,description,status,updated_at,*categories,*tags,*images,*options,*options.values,"
    "*variants,*variants.options,*variants.inventory_items"
)
STATUSES = {"published": "active", "draft": "draft", "proposed": "draft", "rejected": "archived"}


class CatalogMixin:
    """Needs ``_api``, ``host`` and ``record_url``."""

    per_page = PER_PAGE

    def _fetch_variant(self, since, cursor):
        return self._page(VARIANTS, "variants", VARIANT_FIELDS, since, cursor, self._item)

    def _fetch_inventory(self, since, cursor):
        return self._page(VARIANTS, "variants", VARIANT_FIELDS, since, cursor, self._levels)

    def _fetch_price(self, since, cursor):
        return self._page(VARIANTS, "variants", PRICE_FIELDS, since, cursor, self._price)

    def _fetch_product(self, since, cursor):
        return self._page(PRODUCTS, "products", PRODUCT_FIELDS, since, cursor, self._product)

    def _fetch_order(self, since, cursor):
        return self._page(ORDERS, "orders", ORDER_HEAD_FIELDS, since, cursor, self._order_head)

    def _fetch_location(self, since, cursor):
        return self._page(LOCATIONS, "stock_locations", "id,name", since, cursor, _location)

    def _locations(self):
        """The ids of the store's stock locations; asked for once in an adapter's life."""
        if self._known_locations is None:
            found, cursor = set(), ""
            while True:
                page = self._fetch_location(None, cursor)
                found |= {one.external_id for one in page.documents}
                cursor = page.cursor
                if not cursor:
                    break
            self._known_locations = found
        return self._known_locations

    def _find_items(self, variant_ids):
        """``{variant id: inventory item id}`` of these variants, ``None`` where there is no one
        item whose stock is the variant's."""
        found = {}
        for start in range(0, len(variant_ids), PER_PAGE):
            part = variant_ids[start : start + PER_PAGE]
            params = {"id[]": part, "fields": ITEM_FIELDS, "limit": PER_PAGE}
            rows = self._api("GET", VARIANTS, params=params).json().get("variants") or ()
            found |= {row["id"]: stock_item(row) for row in rows}
        return found

    # === DOCUMENTS === #

    def _item(self, row):
        name, sku = _name(row), row.get("sku") or ""
        item = stock_item(row)
        tracked = bool(row.get("manage_inventory"))
        return CatalogItem(
            label=f"[{sku}] {name}" if sku else name,
            external_id=row["id"],
            parent_id=row.get("product_id") or "",
            sku=sku,
            barcode=row.get("barcode") or row.get("ean") or row.get("upc") or "",
            name=name,
            kind="bundle" if tracked and not item else "variation",
            tracked=tracked,
            quantity=sum((one.quantity for one in _stock(row)), Decimal(0)) if item else None,
            updated_at=utc(row.get("updated_at")),
            url=self.record_url("variant", row["id"], row.get("product_id") or ""),
            handles={"inventory_item_id": item} if item else {},
        )

    def _levels(self, row):
        item = stock_item(row)
        if not item:
            return None
        return InventoryLevel(
            label=_name(row),
            external_id=row["id"],
            parent_id=row.get("product_id") or "",
            sku=row.get("sku") or "",
            handles={"inventory_item_id": item},
            levels=tuple(_stock(row)),
        )

    def _price(self, row):
        """The variant's own price in the connection's currency, or the first there is."""
        wanted = (self.settings.options.get("currency") or "").lower()
        prices = [price for price in row.get("prices") or () if not price.get("rules")]
        prices.sort(key=lambda price: price.get("currency_code") != wanted)
        if not prices:
            return None
        return Price(
            label=row.get("title") or "",
            external_id=row["id"],
            parent_id=row.get("product_id") or "",
            sku=row.get("sku") or "",
            price=amount(prices[0], "amount"),
            currency=prices[0]["currency_code"].upper(),
            updated_at=utc(row.get("updated_at")),
        )

    def _product(self, row):
        options = row.get("options") or ()
        return Product(
            label=row.get("title") or "",
            external_id=row["id"],
            name=row.get("title") or "",
            description=row.get("description") or "",
            status=STATUSES.get(row.get("status"), "draft"),
            category=tuple(one.get("name") or "" for one in (row.get("categories") or ())[:1]),
            tags=tuple(one.get("value") or "" for one in row.get("tags") or ()),
            options=tuple(
                ProductOption(
                    name=one["title"], values=tuple(v["value"] for v in one.get("values") or ())
                )
                for one in options
            ),
            variants=tuple(_variant(one, options) for one in row.get("variants") or ()),
            images=tuple(ProductImage(url=one["url"]) for one in row.get("images") or ()),
            updated_at=utc(row.get("updated_at")),
            url=self.record_url("product", row["id"]),
        )

    def _order_head(self, row):
        currency = (row.get("currency_code") or "").upper()
        return OrderHead(
            label=f"#{row.get('display_id')}",
            external_id=row["id"],
            number=str(row.get("display_id") or row["id"]),
            currency=currency,
            total=rounded(amount(row, "total"), currency),
            status=row.get("status") or "",
            created_at=utc(row.get("created_at")),
            updated_at=utc(row.get("updated_at")),
            url=self.record_url("order", row["id"]),
        )

    # === PAGES === #

    def _page(self, path, name, fields, since, cursor, make):
        place = self._place(cursor)
        seen = place.get("seen") or []
        fields = fields if "updated_at" in fields else f"{fields},updated_at"
        limit = self.per_page + len(seen)
        params = {"fields": fields, "order": "updated_at", "limit": limit}
        after = place.get("after") or (iso(since) if since else "")
        if after:
            params["updated_at[$gte]"] = after
        answer = self._api("GET", path, params=params).json()
        rows = [row for row in answer.get(name) or () if row.get("id") not in seen]
        total = place.get("total", answer.get("count"))
        documents = tuple(filter(None, map(make, rows)))
        if len(rows) + len(seen) < limit:
            return Page(documents, "", total)
        last = rows[-1]["updated_at"]
        kept = seen if last == place.get("after") else []
        kept = [*kept, *(row["id"] for row in rows if row["updated_at"] == last)]
        return Page(documents, json.dumps({"after": last, "seen": kept, "total": total}), total)

    def _place(self, cursor):
        if not cursor:
            return {}
        with suppress(ValueError):
            place = json.loads(cursor)
            if isinstance(place, dict):
                return place
        raise ValidationFailed(
            f"The place to go on reading {self.host} from cannot be read.",
            hint="Start reading anew.",
        )


def stock_item(row):
    """The one inventory item whose stock is the variant's, or ``None``."""
    links = row.get("inventory_items") or ()
    if not row.get("manage_inventory") or len(links) != 1:
        return None
    return links[0].get("inventory_item_id") if links[0].get("required_quantity") == 1 else None


def _stock(row):
    for link in row.get("inventory_items") or ():
        for level in (link.get("inventory") or {}).get("location_levels") or ():
            quantity = number(level.get("stocked_quantity")) or Decimal(0)
            yield LocationQuantity(
                location_id=level["location_id"], quantity=quantity, last_seen=quantity
            )


def _name(row):
    """``Shirt - S, Blue``; a product's only variant has no name of its own."""
    title = (row.get("product") or {}).get("title") or ""
    values = [one.get("value") or "" for one in row.get("options") or ()]
    described = ", ".join(value for value in values if value and not value.startswith("Default"))
    return " - ".join(part for part in (title, described) if part) or row.get("title") or ""


def _location(row):
    return Location(label=row["name"], external_id=row["id"], name=row["name"])


def _variant(row, options):
    chosen = {one.get("option_id"): one.get("value") or "" for one in row.get("options") or ()}
    item = stock_item(row)
    return ProductVariant(
        external_id=row["id"],
        sku=row.get("sku") or "",
        barcode=row.get("barcode") or row.get("ean") or row.get("upc") or "",
        values=tuple(chosen.get(option["id"], "") for option in options),
        weight=_kilograms(row.get("weight")),
        tracked=bool(row.get("manage_inventory")),
        handles={"inventory_item_id": item} if item else {},
    )


def _kilograms(grams):
    """Medusa leaves the unit to the merchant; its carriers' plug-ins take grams."""
    found = number(grams)
    return None if found is None else found / 1000

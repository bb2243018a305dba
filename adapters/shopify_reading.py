"""Reading products and prices of Shopify as the documents that Odoo would send, to compare both
sides."""

from decimal import Decimal

from .base import Page
from .documents import (
    PRODUCT_FIELDS,
    Price,
    Product,
    ProductImage,
    ProductOption,
    ProductVariant,
)
from .shopify_queries import PRICES, PRODUCT_VARIANTS, PRODUCTS, SHOP_MONEY
from .shopify_values import decimal, gid, plain_id, search_date, utc

PRICES_PER_PAGE = 100
STATUSES = {"ACTIVE": "active", "ARCHIVED": "archived", "UNLISTED": "active"}
#: What Shopify calls the option of a product that has none.
NO_OPTION = "Title"
KILOGRAMS = {
    "KILOGRAMS": Decimal(1),
    "GRAMS": Decimal("0.001"),
    "POUNDS": Decimal("0.45359237"),
    "OUNCES": Decimal("0.45359237") / 16,
}


class ReadingMixin:
    """Needs ``_query(document, **variables)`` and ``_ask_page`` of the catalogue."""

    def _search(self, since):
        return f"updated_at:>={search_date(since)}" if since else None

    # === PRICES === #

    def _fetch_price(self, since, cursor):
        """In the shop's own currency, never what a customer abroad sees."""
        shop = self._query(SHOP_MONEY)["shop"]
        variables = {"first": PRICES_PER_PAGE, "after": cursor or None}
        found = self._ask_page(PRICES, cursor, query=self._search(since), **variables)
        found = found["productVariants"]
        prices = tuple(_price(node, shop) for node in found["nodes"])
        return Page(prices, _next(found["pageInfo"]))

    # === PRODUCTS === #

    def _fetch_product(self, since, cursor):
        """The first variants come with their product, the others are asked for."""
        query = self._search(since)
        found = self._ask_page(PRODUCTS, cursor, query=query, after=cursor or None)["products"]
        products = tuple(
            read_product(node, self._all_variants(node["id"], node["variants"]))
            for node in found["nodes"]
        )
        return Page(products, _next(found["pageInfo"]))

    def _all_variants(self, product, found):
        rows = list(found["nodes"])
        while found["pageInfo"]["hasNextPage"]:
            after = found["pageInfo"]["endCursor"]
            data = self._query(PRODUCT_VARIANTS, id=gid("Product", plain_id(product)), after=after)
            if not data.get("product"):
                break
            found = data["product"]["variants"]
            rows += found["nodes"]
        return rows


def _next(info):
    return (info["endCursor"] or "") if info["hasNextPage"] else ""


def read_product(node, variants):
    """A product's document, from its node and those of its variants."""
    options = [one for one in node.get("options") or () if one["name"] != NO_OPTION]
    return Product(
        label=node.get("title") or "",
        external_id=plain_id(node["id"]),
        name=node.get("title") or "",
        description=node.get("descriptionHtml") or "",
        status=STATUSES.get(node.get("status"), "draft"),
        category=(node["productType"],) if node.get("productType") else (),
        tags=tuple(node.get("tags") or ()),
        vendor=node.get("vendor") or "",
        options=tuple(
            ProductOption(name=one["name"], values=tuple(one.get("values") or ()))
            for one in options
        ),
        variants=tuple(_variant(row, [one["name"] for one in options]) for row in variants),
        owned=PRODUCT_FIELDS,
        updated_at=utc(node.get("updatedAt")),
        images=tuple(
            ProductImage(url=image.get("url") or "", external_id=plain_id(image.get("id")))
            for image in (node.get("images") or {}).get("nodes") or ()
        ),
    )


def _variant(node, names):
    item = node.get("inventoryItem") or {}
    weight = ((item.get("measurement") or {}).get("weight")) or {}
    chosen = {one["name"]: one["value"] for one in node.get("selectedOptions") or ()}
    return ProductVariant(
        external_id=plain_id(node["id"]),
        sku=node.get("sku") or "",
        barcode=node.get("barcode") or "",
        values=tuple(chosen.get(name, "") for name in names),
        weight=(decimal(weight.get("value")) or Decimal(0)) * KILOGRAMS[weight["unit"]]
        if weight
        else Decimal(0),
        price=decimal(node.get("price")),
        tracked=bool(item.get("tracked")),
        handles={"inventory_item_id": plain_id(item.get("id"))},
    )


def _price(node, shop):
    product = node.get("product") or {}
    sku, name = node.get("sku") or "", product.get("title") or ""
    return Price(
        label=f"[{sku}] {name}" if sku else name,
        external_id=plain_id(node["id"]),
        parent_id=plain_id(product.get("id")),
        sku=sku,
        price=decimal(node.get("price")) or Decimal(0),
        compare_at=decimal(node.get("compareAtPrice")),
        currency=shop["currencyCode"],
        taxes_included=bool(shop.get("taxesIncluded")),
        updated_at=utc(node.get("updatedAt")),
    )

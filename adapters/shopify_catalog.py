"""Reading variants and orders, page by page.

A page starts behind the last record of the one before (Shopify's cursors are places in the order,
not page numbers), so nothing is left out when something changes in between. Orders come oldest
change first; variants by their id, because Shopify does not sort them by change.
"""

from .base import Page
from .documents import CatalogItem, OrderHead
from .errors import Unexpected, ValidationFailed
from .shopify_queries import ORDERS, VARIANTS
from .shopify_values import decimal, plain_id, search_date, utc

#: Records in one page: about 400 of the 1000 points a query may cost.
PER_PAGE = 100
#: What Shopify calls the one variant of a product that has no options.
ONLY_VARIANT = "Default Title"


class CatalogMixin:
    """Needs ``_query(document, **variables)``, ``host`` and ``record_url``."""

    def _fetch_variant(self, since, cursor):
        data = self._read_page(VARIANTS, since, cursor)
        return self._page(data, "productVariants", "productVariantsCount", self._catalog_item)

    def _fetch_order(self, since, cursor):
        data = self._read_page(ORDERS, since, cursor)
        return self._page(data, "orders", "ordersCount", self._order_head)

    def _read_page(self, document, since, cursor):
        query = f"updated_at:>={search_date(since)}" if since else None
        variables = {"first": PER_PAGE, "after": cursor or None, "query": query}
        return self._ask_page(document, cursor, counted=not cursor, **variables)

    def _ask_page(self, document, cursor, **variables):
        try:
            return self._query(document, **variables)
        except Unexpected as error:
            if not cursor or "cursor" not in error.message.lower():
                raise
            raise ValidationFailed(
                f"The place to go on reading {self.host} from cannot be read.",
                hint="Start the reading again from the beginning.",
                code="bad_cursor",
            ) from error

    def _page(self, data, name, count, read):
        connection = data[name]
        info = connection["pageInfo"]
        total = (data.get(count) or {}).get("count")
        return Page(
            tuple(read(node) for node in connection["nodes"]),
            info["endCursor"] or "" if info["hasNextPage"] else "",
            total if total is not None else None,
        )

    def _catalog_item(self, node):
        product = node.get("product") or {}
        item = node.get("inventoryItem") or {}
        plain = node.get("title") == ONLY_VARIANT
        name = product.get("title") or ""
        name = name if plain else f"{name} - {node.get('title') or ''}"
        sku = node.get("sku") or ""
        tracked = bool(item.get("tracked"))
        variant, parent = plain_id(node["id"]), plain_id(product.get("id"))
        kind = "simple" if plain else "variation"
        return CatalogItem(
            label=f"[{sku}] {name}" if sku else name,
            external_id=variant,
            parent_id=parent,
            sku=sku,
            barcode=node.get("barcode") or "",
            name=name,
            kind="bundle" if node.get("requiresComponents") else kind,
            tracked=tracked,
            quantity=decimal(node.get("inventoryQuantity")) if tracked else None,
            updated_at=utc(node.get("updatedAt")),
            url=self.record_url("variant", variant, parent),
            handles={"inventory_item_id": plain_id(item.get("id"))},
        )

    def _order_head(self, node):
        order = plain_id(node["id"])
        money = node["totalPriceSet"]["shopMoney"]  # not what the customer saw: presentmentMoney
        status = (node.get("displayFinancialStatus") or "").lower()
        return OrderHead(
            label=node["name"],
            external_id=order,
            number=node["name"].removeprefix("#"),
            currency=money["currencyCode"],
            total=decimal(money["amount"]) or 0,
            status="cancelled" if node.get("cancelledAt") else status,
            created_at=utc(node.get("createdAt")),
            updated_at=utc(node.get("updatedAt")),
            url=self.record_url("order", order),
        )

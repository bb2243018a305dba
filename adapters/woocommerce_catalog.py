"""Reading products, variations and orders, page by page, oldest change first.

Page numbers would lie: a record that is changed between two pages moves to the end, and another
one slips from the second page into the first, unread. So each page starts where the one before
ended: at its last moment of change, without the records of that moment that were read already.
"""

import json
from contextlib import suppress
from datetime import datetime, timedelta

from .base import Page
from .documents import CatalogItem, OrderHead
from .errors import Missing, SyncError, ValidationFailed
from .woocommerce_errors import NO_ROUTE
from .woocommerce_values import gmt, number, utc

#: https://woocommerce.github.io/woocommerce-rest-api-docs/#list-all-products
PRODUCTS = "products"
#: All variations at once, from WooCommerce 10.3 on
#: (includes/rest-api/Controllers/Version3/class-wc-rest-variations-controller.php)
VARIATIONS = "variations"
#: https://woocommerce.github.io/woocommerce-rest-api-docs/#list-all-product-variations
VARIATIONS_OF = "products/{parent}/variations"
#: https://woocommerce.github.io/woocommerce-rest-api-docs/#list-all-orders
ORDERS = "orders"
PER_PAGE = 100
#: Products whose variations are read in one go, where there is a request for each.
PARENTS_AT_ONCE = 10

STOCK_FIELDS = "id,sku,global_unique_id,manage_stock,stock_quantity,date_modified,date_modified_gmt"
PRICE_FIELDS = "regular_price,sale_price"
PRODUCT_FIELDS = f"{STOCK_FIELDS},{PRICE_FIELDS},name,type,permalink"
VARIATION_FIELDS = f"{STOCK_FIELDS},{PRICE_FIELDS},parent_id,attributes,permalink"
PARENT_FIELDS = "id,variations,date_modified"
ORDER_FIELDS = "id,number,currency,total,status,date_created_gmt,date_modified,date_modified_gmt"

#: Nothing of these is sold from stock: variable products sell their variations.
NOT_SOLD = frozenset({"grouped", "external"})
#: Put together of other products, by extensions; WooCommerce itself has none.
BUNDLES = ("bundle", "composite", "woosb", "mix-and-match")


class CatalogMixin:
    """Needs ``_api(method, path, params=...)``, ``host`` and ``record_url``."""

    # === PRODUCTS AND VARIATIONS === #

    def _fetch_variant(self, since, cursor):
        rows, place, total = self._sold_rows(since, cursor)
        return Page(tuple(self._items(rows)), as_cursor(place), total)

    def _sold_rows(self, since, cursor):
        """First products, then variations: all at once, or by product in older stores.

        :return: rows (those of variations with ``parent_id``), the next place, how many in all
        """
        place = self._place(cursor) or {"step": "products"}
        return getattr(self, f"_{place['step']}_rows")(since, place)

    def _products_rows(self, since, place):
        rows, place, total = self._next_rows(PRODUCTS, PRODUCT_FIELDS, since, place)
        return [row for row in rows if is_sold(row)], place or {"step": "variations"}, total

    def _variations_rows(self, since, place):
        try:
            return self._next_rows(VARIATIONS, VARIATION_FIELDS, since, place)
        except SyncError as error:
            if error.code != NO_ROUTE:
                raise
        return self._parents_rows(since, {"step": "parents"})

    def _parents_rows(self, since, place):
        """The numbers of products that have variations; their variations follow."""
        rows, after, _total = self._next_rows(PRODUCTS, PARENT_FIELDS, None, place)
        parents = [row["id"] for row in rows if row.get("variations")]
        if not parents:
            return [], after, None
        return self._children_rows(since, {"step": "children", "ids": parents, "then": after})

    def _children_rows(self, since, place):
        """The variations of some products; ``at`` is the place within those of the first."""
        rows, waiting, at = [], list(place["ids"]), place.get("at") or {}
        for _turn in range(PARENTS_AT_ONCE):
            if not waiting or len(rows) >= PER_PAGE:
                break
            found, at = self._children(waiting[0], since, at)
            rows += [{**row, "parent_id": waiting[0]} for row in found]
            if not at:
                waiting, at = waiting[1:], {}
        return rows, {**place, "ids": waiting, "at": at} if waiting else place["then"], None

    def _children(self, parent, since, at):
        path = VARIATIONS_OF.format(parent=parent)
        try:
            rows, at, _total = self._next_rows(path, VARIATION_FIELDS, since, at)
        except Missing:  # deleted since it was listed
            return [], None
        return rows, at

    def _items(self, rows):
        names = self._names({row.get("parent_id") for row in rows})
        return [
            self._variation(row, names.get(row["parent_id"], ""))
            if row.get("parent_id")
            else self._product(row)
            for row in rows
        ]

    def _names(self, ids):
        """``{product id: name}``"""
        ids = sorted(number for number in ids if number)
        names = {}
        for start in range(0, len(ids), PER_PAGE):
            part = ",".join(str(number) for number in ids[start : start + PER_PAGE])
            params = {"include": part, "per_page": PER_PAGE, "_fields": "id,name"}
            names |= {row["id"]: row.get("name") or "" for row in self._rows(PRODUCTS, params)[0]}
        return names

    def _product(self, row):
        return self._item(row, row.get("name") or "", kind=kind_of(row), parent="")

    def _variation(self, row, parent_name):
        options = [str(value.get("option") or "") for value in row.get("attributes") or ()]
        described = ", ".join(option for option in options if option)
        name = " - ".join(part for part in (parent_name, described) if part)
        return self._item(row, name, kind="variation", parent=str(row.get("parent_id") or ""))

    def _item(self, row, name, kind, parent):
        tracked = row.get("manage_stock") is True
        sku = row.get("sku") or ""
        return CatalogItem(
            label=f"[{sku}] {name}" if sku else name,
            external_id=str(row["id"]),
            parent_id=parent,
            sku=sku,
            barcode=row.get("global_unique_id") or "",
            name=name,
            kind=kind,
            tracked=tracked,
            quantity=number(row.get("stock_quantity")) if tracked else None,
            updated_at=utc(row.get("date_modified_gmt")),
            url=row.get("permalink") or "",
        )

    # === ORDERS === #

    def _fetch_order(self, since, cursor):
        place = self._place(cursor) or {}
        rows, place, total = self._next_rows(ORDERS, ORDER_FIELDS, since, place, is_gmt=True)
        return Page(tuple(self._order_head(row) for row in rows), as_cursor(place), total)

    def _order_head(self, row):
        order_id = str(row["id"])
        return OrderHead(
            label=str(row.get("number") or order_id),
            external_id=order_id,
            number=str(row.get("number") or order_id),
            currency=row.get("currency") or "",
            total=number(row.get("total")) or 0,
            status=row.get("status") or "",
            created_at=utc(row.get("date_created_gmt")),
            updated_at=utc(row.get("date_modified_gmt")),
            url=self.record_url("order", order_id),
        )

    # === PAGES === #

    def _next_rows(self, path, fields, since, place, is_gmt=False):
        """The page at ``place``, by moment of change.

        :param is_gmt: how the store sorts: orders by UTC, products by its local time
        :return: rows, the next place (``None`` after the last page), how many there are in all
        """
        params = {"per_page": PER_PAGE, "orderby": "modified", "order": "asc", "_fields": fields}
        if place.get("after"):
            params["modified_after"] = gmt(datetime.fromisoformat(place["after"]) - SECOND)
            params["dates_are_gmt"] = "true" if is_gmt else "false"
        else:
            params |= since_params(since)
        if place.get("seen"):
            params["exclude"] = ",".join(str(number) for number in place["seen"])
        rows, total = self._rows(path, params)
        total = place.get("total", total)
        if len(rows) < PER_PAGE:
            return rows, None, total
        moment = "date_modified_gmt" if is_gmt else "date_modified"
        return rows, {**place, **_where_it_ends(rows, place, moment), "total": total}, total

    def _rows(self, path, params):
        """:return: rows, how many there are in all"""
        response = self._api("GET", path, params=params)
        rows = response.json()
        total = response.headers.get("X-WP-Total", "")
        return (rows if isinstance(rows, list) else []), int(total) if total.isdigit() else None

    def _place(self, cursor):
        if not cursor:
            return None
        with suppress(ValueError):
            place = json.loads(cursor)
            if isinstance(place, dict):
                return place
        raise ValidationFailed(
            f"The place to go on reading {self.host} from cannot be read.",
            hint="Start the reading again from the beginning.",
        )


SECOND = timedelta(seconds=1)


def _where_it_ends(rows, place, moment):
    """The last moment of change on the page, and the records of that moment."""
    after = rows[-1].get(moment) or place.get("after")
    seen = [row["id"] for row in rows if not after or row.get(moment) == after]
    if after == place.get("after"):
        seen = place.get("seen", []) + seen
    return {"after": after, "seen": seen}


def as_cursor(place):
    return json.dumps(place, separators=(",", ":")) if place else ""


def since_params(since):
    """``modified_after`` leaves out the moment itself."""
    if not since:
        return {}
    return {"modified_after": gmt(since - SECOND), "dates_are_gmt": "true"}


def is_sold(row):
    kind = row.get("type") or "simple"
    return kind not in NOT_SOLD and "variable" not in kind


def kind_of(row):
    kind = row.get("type") or "simple"
    return "bundle" if any(name in kind for name in BUNDLES) else "simple"

"""Reading products and prices of WooCommerce as the documents that Odoo would send, to compare
both sides."""

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
from .errors import Missing
from .woocommerce_catalog import as_cursor
from .woocommerce_terms import CATEGORIES, PER_KILOGRAM
from .woocommerce_values import number, utc

PRODUCTS = "products"
VARIATIONS = "products/{product}/variations"
#: https://woocommerce.github.io/woocommerce-rest-api-docs/#retrieve-current-currency
CURRENCY = "data/currencies/current"
TAX_SETTINGS = "settings/tax"
PER_PAGE = 100
ITEM_FIELDS = "id,sku,global_unique_id,weight,regular_price,manage_stock,status,attributes"
PRODUCT_ROW = (
    f"{ITEM_FIELDS},name,type,description,categories,tags,images,permalink,variations,"
    "date_modified,date_modified_gmt"
)
VARIATION_ROW = f"{ITEM_FIELDS},image"
STATUSES = {"publish": "active", "trash": "archived"}


class ReadingMixin:
    """Needs ``_api``, ``_next_rows``, ``_rows``, ``_sold_rows``, ``_place`` of the catalogue and
    :class:`TermMixin`."""

    # === PRICES === #

    def _fetch_price(self, since, cursor):
        rows, place, total = self._sold_rows(since, cursor)
        currency, included = self._known(CURRENCY), self._known(TAX_SETTINGS)
        prices = [_price(row, currency, included) for row in rows]
        return Page(tuple(filter(None, prices)), as_cursor(place), total)

    def _known(self, what):
        """A setting of the store, asked for once."""
        if what not in self._terms:
            answer = self._api("GET", what).json()
            if what == CURRENCY:
                self._terms[what] = answer.get("code") or ""
            else:
                values = {row.get("id"): row.get("value") for row in answer}
                self._terms[what] = values.get("woocommerce_prices_include_tax") == "yes"
        return self._terms[what]

    # === PRODUCTS === #

    def _fetch_product(self, since, cursor):
        """Products with all their variations, which are asked for product by product. A change of a
        variation does not move its product's date: read without ``since`` to find all.

        WooCommerce knows no archive: what was taken off sale is a ``draft``.
        """
        place = self._place(cursor) or {}
        rows, place, total = self._next_rows(PRODUCTS, PRODUCT_ROW, since, place)
        products = tuple(self._read_product(row) for row in rows)
        return Page(products, as_cursor(place), total)

    def _read_product(self, row):
        variable = "variable" in (row.get("type") or "")
        options = [item for item in row.get("attributes") or () if item.get("variation")]
        options = options if variable else []
        names = [item.get("name") or "" for item in options]
        items = self._variation_rows(row["id"]) if variable else [row]
        sku, name = row.get("sku") or "", row.get("name") or ""
        return Product(
            label=f"[{sku}] {name}" if sku else name,
            external_id=str(row["id"]),
            name=name,
            description=row.get("description") or "",
            status=STATUSES.get(row.get("status"), "draft"),
            category=self._category_path(row.get("categories") or ()),
            tags=tuple(tag.get("name") or "" for tag in row.get("tags") or ()),
            options=tuple(
                ProductOption(name=item["name"], values=tuple(item.get("options") or ()))
                for item in options
            ),
            variants=tuple(self._read_variant(item, names) for item in items),
            images=tuple(_image(image) for image in row.get("images") or ()),
            owned=PRODUCT_FIELDS,
            updated_at=utc(row.get("date_modified_gmt")),
            url=row.get("permalink") or "",
        )

    def _variation_rows(self, product):
        rows, page = [], 1
        while True:
            params = {"per_page": PER_PAGE, "page": page, "_fields": VARIATION_ROW}
            params |= {"orderby": "id", "order": "asc"}
            try:
                found, _total = self._rows(VARIATIONS.format(product=product), params)
            except Missing:  # deleted since it was listed
                return rows
            rows += found
            if len(found) < PER_PAGE:
                return rows
            page += 1

    def _read_variant(self, row, names):
        chosen = {item.get("name"): item.get("option") for item in row.get("attributes") or ()}
        return ProductVariant(
            external_id=str(row["id"]),
            sku=row.get("sku") or "",
            barcode=row.get("global_unique_id") or "",
            values=tuple(str(chosen.get(name) or "") for name in names),
            weight=self._kilograms(number(row.get("weight"))),
            price=number(row.get("regular_price")),
            tracked=row.get("manage_stock") is True,
            active=row.get("status") != "private",
            image=_image(row["image"]) if row.get("image") else None,
        )

    def _kilograms(self, weight):
        if not weight:
            return Decimal(0)
        kilograms = weight / PER_KILOGRAM.get(self._weight_unit(), Decimal(1))
        return round(kilograms, 6).normalize() + 0

    def _category_path(self, categories):
        """Of the first one, from the root to the leaf."""
        if not categories:
            return ()
        known, path, number = self._all_categories(), [], categories[0].get("id")
        while number in known and len(path) < len(known):
            name, number = known[number]
            path.insert(0, name)
        return tuple(path) or (categories[0].get("name") or "",)

    def _all_categories(self):
        """``{number: (name, number of the parent)}``, asked for once."""
        if "all" not in self._terms:
            found, page = {}, 1
            while True:
                params = {"per_page": PER_PAGE, "page": page, "_fields": "id,name,parent"}
                rows, _total = self._rows(CATEGORIES, params)
                found |= {row["id"]: (row.get("name") or "", row.get("parent")) for row in rows}
                if len(rows) < PER_PAGE:
                    break
                page += 1
            self._terms["all"] = found
        return self._terms["all"]


def _price(row, currency, included):
    """``None`` for what has no price."""
    regular, sale = number(row.get("regular_price")), number(row.get("sale_price"))
    if regular is None and sale is None:
        return None
    sku = row.get("sku") or ""
    return Price(
        label=f"[{sku}] {row.get('name') or ''}".strip() if sku else row.get("name") or "",
        external_id=str(row["id"]),
        parent_id=str(row.get("parent_id") or ""),
        sku=sku,
        price=regular if sale is None else sale,
        compare_at=None if sale is None else regular,
        currency=currency,
        taxes_included=included,
        updated_at=utc(row.get("date_modified_gmt")),
    )


def _image(image):
    return ProductImage(
        name=image.get("name") or "", url=image.get("src") or "", external_id=str(image["id"])
    )

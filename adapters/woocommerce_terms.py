"""Categories and tags, which WooCommerce only takes by number: found by name, or made.

https://woocommerce.github.io/woocommerce-rest-api-docs/#product-categories
"""

import html
from decimal import Decimal

from .errors import Rejected

CATEGORIES = "products/categories"
TAGS = "products/tags"
#: https://woocommerce.github.io/woocommerce-rest-api-docs/#settings
PRODUCT_SETTINGS = "settings/products"
WEIGHT_UNIT = "woocommerce_weight_unit"
#: Another request made the same at the same moment.
TERM_EXISTS = "term_exists"
#: What one kilogram is in each unit that a store may weigh in.
PER_KILOGRAM = {
    "kg": Decimal(1),
    "g": Decimal(1000),
    "lbs": Decimal(1) / Decimal("0.45359237"),
    "oz": Decimal(16) / Decimal("0.45359237"),
}


class TermMixin:
    """Needs ``_api(method, path, params=..., json=...)`` and the dict ``_terms``."""

    def _category_id(self, names):
        """The number of a category, from the root to the leaf; 0 for none."""
        number = 0
        for name in names:
            number = self._term_id(CATEGORIES, name, number)
        return number

    def _tag_ids(self, names):
        return [self._term_id(TAGS, name) for name in names]

    def _term_id(self, path, name, parent=None):
        known = (path, name.casefold(), parent)
        if known not in self._terms:
            self._terms[known] = self._find_term(path, name, parent) or self._make_term(
                path, name, parent
            )
        return self._terms[known]

    def _find_term(self, path, name, parent):
        params = {"search": name, "per_page": 100, "_fields": "id,name"}
        if parent is not None:
            params["parent"] = parent
        for row in self._api("GET", path, params=params).json():
            if html.unescape(row.get("name") or "").casefold() == name.casefold():
                return row["id"]
        return None

    def _make_term(self, path, name, parent):
        body = {"name": name, **({"parent": parent} if parent else {})}
        try:
            return self._api("POST", path, params={"_fields": "id"}, json=body).json()["id"]
        except Rejected as error:
            found = self._find_term(path, name, parent) if error.code == TERM_EXISTS else None
            if not found:
                raise
            return found

    def _store_weight(self, kilograms):
        """A weight as the store writes it, in its own unit; ``""`` for none."""
        if not kilograms:
            return ""
        weight = kilograms * PER_KILOGRAM.get(self._weight_unit(), Decimal(1))
        return format(round(weight, 6).normalize(), "f")

    def _weight_unit(self):
        if WEIGHT_UNIT not in self._terms:
            rows = self._api("GET", PRODUCT_SETTINGS).json()
            values = {row.get("id"): row.get("value") for row in rows}
            self._terms[WEIGHT_UNIT] = values.get(WEIGHT_UNIT) or "kg"
        return self._terms[WEIGHT_UNIT]

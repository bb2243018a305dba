"""Reading what of a store's configuration has a counterpart in Odoo: taxes, ways of shipping and of
paying. WooCommerce keeps no stock by location.

https://woocommerce.github.io/woocommerce-rest-api-docs/#tax-rates and the sections on payment
gateways and shipping methods.
"""

from .base import Page
from .documents import Choice

PER_PAGE = 100


class ConfigurationMixin:
    """Needs ``_api``."""

    def _fetch_tax(self, since, cursor):
        """Page after page: a store may have a rate for each postcode."""
        number = int(cursor or 1)
        params = {"page": number, "per_page": PER_PAGE, "orderby": "id"}
        rows = self._api("GET", "taxes", params=params).json()
        return Page(tuple(map(_tax, rows)), str(number + 1) if len(rows) == PER_PAGE else "")

    def _fetch_carrier(self, since, cursor):
        return Page(tuple(map(_choice, self._api("GET", "shipping_methods").json())))

    def _fetch_payment_method(self, since, cursor):
        rows = self._api("GET", "payment_gateways").json()
        return Page(tuple(_choice(row, bool(row.get("enabled"))) for row in rows))


def _tax(row):
    place = " ".join(filter(None, (row.get("country"), row.get("state"), row.get("postcode"))))
    percent = str(row.get("rate") or "").rstrip("0").rstrip(".")
    name = row.get("name") or ""
    return Choice(
        label=name,
        external_id=str(row["id"]),
        name=f"{name} {percent}%".strip(),
        detail=", ".join(filter(None, (place, row.get("class")))),
    )


def _choice(row, active=True):
    name = row.get("method_title") or row.get("title") or ""
    return Choice(label=name, external_id=str(row["id"]), name=name, active=active)

"""Reading what of a shop's configuration has a counterpart in Odoo.

Locations can be listed. Taxes, ways of shipping and ways of paying cannot: they are taken from the
latest orders, which is where they are needed.
"""

from .base import Page
from .documents import Choice, Location
from .shopify_queries import LOCATIONS, USED
from .shopify_values import decimal, plain_id

#: Orders looked at: about 350 of the 1000 points a query may cost.
LATEST = 50


class ConfigurationMixin:
    """Needs ``_query``, ``_ask_page`` and ``_page``."""

    def _fetch_location(self, since, cursor):
        """All of them each time: there are few, and they cannot be searched by date."""
        data = self._ask_page(LOCATIONS, cursor, first=LATEST, after=cursor or None)
        return self._page(data, "locations", "", _location)

    def _fetch_tax(self, since, cursor):
        return self._used(lambda row: [tax_name(tax) for tax in row["taxLines"]])

    def _fetch_carrier(self, since, cursor):
        return self._used(lambda row: [line["title"] for line in row["shippingLines"]["nodes"]])

    def _fetch_payment_method(self, since, cursor):
        return self._used(lambda row: row["paymentGatewayNames"])

    def _used(self, names):
        """:param names: an order -> what it says"""
        rows = self._query(USED, first=LATEST)["orders"]["nodes"]
        found = sorted({name for row in rows for name in names(row) if name})
        return Page(tuple(Choice(label=name, external_id=name, name=name) for name in found))


def tax_name(row):
    """Shopify's taxes have no id: name and percentage tell them apart (``VAT 20%``)."""
    percent = decimal(row.get("ratePercentage"))
    shown = "" if percent is None else f" {percent.normalize():f}%"
    return f"{row.get('title') or ''}{shown}"


def _location(node):
    return Location(
        label=node["name"],
        external_id=plain_id(node["id"]),
        name=node["name"],
        active=bool(node.get("isActive")),
    )

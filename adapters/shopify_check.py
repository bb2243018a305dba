"""Who answers at the address, and if it is not a usable Shopify shop: why exactly."""

from urllib.parse import urlsplit

from .base import StoreIdentity
from .errors import Misconfigured, SyncError
from .shopify_errors import HINT_ADDRESS, HINT_SCOPE
from .shopify_queries import SHOP

#: What an app must be allowed to do -> for which kinds of data.
#: https://shopify.dev/docs/api/usage/access-scopes
SCOPES = {
    "write_inventory": "stock",
    "read_products": "matching products",
    "read_locations": "locations",
    "read_orders": "orders",
    "read_customers": "the customers of orders",
    "write_orders": "invoices and order status",
    "write_files": "the invoice's PDF",
    "write_merchant_managed_fulfillment_orders": "shipments",
}


class CheckMixin:
    """Needs ``_query``, ``settings``, ``host`` and ``version``."""

    def check(self):
        data = self._ask_who_is_there()
        shop = data["shop"]
        domain = shop.get("myshopifyDomain") or ""
        return StoreIdentity(
            name=shop.get("name") or self.host,
            version=f"Shopify {self.version}",
            currency=shop.get("currencyCode") or "",
            address=f"https://{domain}" if domain else self.settings.address,
            warnings=tuple(self._warnings(data, domain)),
        )

    def _ask_who_is_there(self):
        try:
            data = self._query(SHOP)
        except SyncError as error:
            if error.code in ("page_not_found", "web_page", "malformed_answer", "404"):
                raise self._not_shopify() from error
            raise
        if not isinstance(data.get("shop"), dict):
            raise self._not_shopify()
        return data

    def _not_shopify(self):
        return Misconfigured(
            f"{self.host} does not answer like a Shopify shop.",
            hint=HINT_ADDRESS,
            code="not_shopify",
        )

    def _warnings(self, data, domain):
        entered = urlsplit(self.settings.address)
        if domain and (entered.hostname or "").endswith(".myshopify.com"):
            if entered.hostname != domain:
                yield f"The shop calls itself {domain}. Better enter that as its address."
        elif entered.hostname not in ("127.0.0.1", "localhost"):
            yield f"Enter the shop's own address, https://{domain}: else its webhooks are refused."
        if entered.scheme != "https":
            yield "The connection is not encrypted (http): others can read along."
        yield from self._missing_scopes(data)
        versions = data.get("publicApiVersions") or ()
        if versions and not any(_is_supported(row, self.version) for row in versions):
            yield f"The shop no longer supports version {self.version} of the API: update."

    def _missing_scopes(self, data):
        rows = (data.get("currentAppInstallation") or {}).get("accessScopes") or ()
        granted = {row.get("handle") for row in rows}
        missing = [f"{scope} (for {use})" for scope, use in SCOPES.items() if scope not in granted]
        if missing and granted:
            yield f"The app lacks access scopes: {', '.join(missing)}. {HINT_SCOPE}"


def _is_supported(row, version):
    return row.get("handle") == version and bool(row.get("supported"))

"""Who answers at the address, and if it is not a usable WooCommerce store: why exactly."""

from urllib.parse import urlsplit

from .base import StoreIdentity
from .errors import AuthenticationFailed, Misconfigured, SyncError
from .woocommerce_errors import HINT_ROLE, KEYS_PLACE
from .woocommerce_inventory import PRODUCTS_BATCH

NEEDED_NAMESPACE = "wc/v3"
#: https://woocommerce.github.io/woocommerce-rest-api-docs/#system-status. Only what is read, since
#: WooCommerce tries out network connections for the rest.
STATUS_FIELDS = "environment.version,environment.home_url,settings.currency"
ORDERS_BATCH = "orders/batch"
STOCK_SETTING = "settings/products/woocommerce_manage_stock"
#: First version with ``modified_after``, which reading what changed depends on.
OLDEST_VERSION = (5, 8)
#: First version whose API keys work with plain permalinks.
PLAIN_VERSION = "11.1"


class CheckMixin:
    """Needs ``_api``, ``_index``, ``settings`` and ``host``."""

    def check(self):
        name = self._check_wordpress()
        version, currency, home, warnings = self._check_key()
        warnings += self._check_writing()
        warnings += self._check_surroundings(version, home)
        return StoreIdentity(
            name=name,
            version=f"WooCommerce {version}".strip(),
            currency=currency,
            address=home or self.settings.address,
            warnings=tuple(warnings),
        )

    # === STEP BY STEP === #

    def _check_wordpress(self):
        """:return: the site's name"""
        try:
            index = self._index().json()
        except SyncError as error:
            raise self._no_wordpress(error) from error
        namespaces = index.get("namespaces") if isinstance(index, dict) else None
        if not isinstance(namespaces, list):
            raise self._not_wordpress()
        if NEEDED_NAMESPACE not in namespaces:
            raise Misconfigured(
                f"{self.host} is a WordPress site, but WooCommerce is not active there.",
                hint="Activate WooCommerce in the store under Plugins, or correct the address.",
                code="no_woocommerce",
            )
        return str(index.get("name") or self.host)

    def _no_wordpress(self, error):
        if error.code in ("page_not_found", "web_page", "404", "malformed_answer"):
            return self._not_wordpress()
        if error.code in ("401", "403"):
            return Misconfigured(
                f"{self.host} does not let anybody use its API ({error.code}).",
                hint="A security plugin of the store switches the REST API off: allow it there.",
                code="api_switched_off",
            )
        return error

    def _not_wordpress(self):
        return Misconfigured(
            f"{self.host} does not answer like a WordPress site.",
            hint="Enter the address of the store's front page, with the folder if the store is in "
            "one (https://www.example.com/shop). If WordPress is there, open its Settings > "
            "Permalinks, choose any but Plain, and save.",
            code="not_wordpress",
        )

    def _check_key(self):
        """Whether the key is accepted for reading.

        :return: version, currency, the store's own address, warnings
        """
        try:
            status = self._api("GET", "system_status", params={"_fields": STATUS_FIELDS}).json()
        except AuthenticationFailed as error:
            if error.code.startswith("woocommerce_rest_cannot"):
                return self._check_key_of_lesser_user(error)
            raise self._refused_key(error) from error
        environment, settings = status.get("environment") or {}, status.get("settings") or {}
        return (
            str(environment.get("version") or ""),
            str(settings.get("currency") or ""),
            str(environment.get("home_url") or ""),
            [],
        )

    def _check_key_of_lesser_user(self, refused):
        """The status is for administrators and shop managers; products may still be allowed."""
        try:
            self._api("GET", "products", params={"per_page": 1, "_fields": "id"})
        except AuthenticationFailed as error:
            raise self._refused_key(error) from error
        return "", "", "", [f"The version of WooCommerce could not be read. {HINT_ROLE}"]

    def _refused_key(self, error):
        if self._plain and error.code == "woocommerce_rest_cannot_view":
            return Misconfigured(
                f"{self.host} uses plain permalinks, with which WooCommerce before version "
                f"{PLAIN_VERSION} takes no API key.",
                hint="In the store's Settings > Permalinks choose any but Plain, and save.",
                code="plain_permalinks",
            )
        return error

    def _check_writing(self):
        """An empty batch changes nothing, and is refused where writing would be."""
        try:
            self._api("POST", PRODUCTS_BATCH, json={})
        except AuthenticationFailed as error:
            raise self._refused_writing(error) from error
        try:
            self._api("POST", ORDERS_BATCH, json={})
        except AuthenticationFailed:
            return [f"The API key's user may not change orders, so invoices fail. {HINT_ROLE}"]
        return []

    def _refused_writing(self, error):
        if error.code.startswith("woocommerce_rest_cannot"):
            return error
        return AuthenticationFailed(
            f"The API key may read {self.host}, but not write.",
            hint=f"In {KEYS_PLACE} set the key's permission to Read/Write.",
            code="read_only_key",
        )

    def _check_surroundings(self, version, home):
        """What works today and will be trouble."""
        warnings = []
        own, entered = urlsplit(home), urlsplit(self.settings.address)
        if home and (own.scheme, own.netloc) != (entered.scheme, entered.netloc):
            warnings.append(f"The store calls itself {home}. Better enter that as its address.")
        if entered.scheme != "https":
            warnings.append("The connection is not encrypted (http): others can read along.")
        if _numbers(version) and _numbers(version) < OLDEST_VERSION:
            warnings.append(f"WooCommerce {version} is too old to read changes; update it.")
        if not self._counts_stock():
            warnings.append(
                "Stock management is switched off in WooCommerce > Settings > Products > Inventory,"
                " so quantities are dropped."
            )
        return warnings

    def _counts_stock(self):
        try:
            setting = self._api("GET", STOCK_SETTING).json()
        except SyncError:
            return True  # a user who may not read settings; each item's answer will tell
        return not isinstance(setting, dict) or setting.get("value") != "no"


def _numbers(version):
    """``"9.4.2-beta"`` -> ``(9, 4)``"""
    parts = version.split(".")[:2]
    return tuple(int(part) for part in parts if part.isdigit())

"""Who answers at the address, and if it is not a usable Medusa store: why exactly."""

from urllib.parse import urlsplit

from .base import StoreIdentity
from .errors import Misconfigured, SyncError

#: https://docs.medusajs.com/api/admin#stores_getstores
STORES = "admin/stores"
NOT_MEDUSA = ("page_not_found", "web_page", "404", "malformed_answer", "redirected")


class CheckMixin:
    """Needs ``_api``, ``_locations``, ``settings`` and ``host``."""

    def check(self):
        try:
            answer = self._api("GET", STORES, params={"fields": "id,name,*supported_currencies"})
            stores = answer.json()["stores"]
        except SyncError as error:
            raise self._not_medusa() if error.code in NOT_MEDUSA else error from error
        except (KeyError, TypeError) as error:
            raise self._not_medusa() from error
        store = stores[0] if stores else {}
        return StoreIdentity(
            name=str(store.get("name") or self.host),
            version="Medusa v2",  # the API does not say more
            currency=_currency(store),
            address=self.settings.address,
            warnings=tuple(self._warnings()),
        )

    def _not_medusa(self):
        return Misconfigured(
            f"{self.host} does not answer like a Medusa store.",
            hint="Enter the address of Medusa's server (not of the storefront), e.g. "
            "https://api.example.com, without /admin and /app.",
            code="not_medusa",
        )

    def _warnings(self):
        if urlsplit(self.settings.address).scheme != "https":
            yield "The connection is not encrypted (http): others can read along."
        if not self._locations():
            yield "The store has no stock location yet, so no stock can be sent to it."


def _currency(store):
    rows = store.get("supported_currencies") or ()
    first = next((row for row in rows if row.get("is_default")), {})
    return str(first.get("currency_code") or "").upper()

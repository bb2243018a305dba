"""Shelf, an invented store: ``GET /``, ``GET /items``, ``PUT /items/<id>/stock|price``.

All that a platform needs: what it can do, who answers, how a document is written, how items are
read for matching. The queue, the log, retries, screens and matching come from Commerce Sync.
"""

from decimal import Decimal

from odoo.addons.commerce_sync.adapters.base import (
    Adapter,
    Capabilities,
    CredentialField,
    FlowSupport,
    Page,
    Result,
    StoreIdentity,
    register,
)
from odoo.addons.commerce_sync.adapters.documents import CatalogItem
from odoo.addons.commerce_sync.adapters.errors import Missing, SyncError


@register
class ShelfAdapter(Adapter):
    platform = "shelf"
    label = "Shelf"
    address_help = "The address of the Shelf, e.g. https://shelf.example.com"
    credential_fields = (CredentialField("token", "Token", "Printed on the Shelf's back."),)
    capabilities = Capabilities(
        outbound={"inventory": FlowSupport(), "price": FlowSupport()},
        inbound={"variant": FlowSupport(batch=100)},
    )

    def check(self):
        shelf = self._api("GET", "").json()
        return StoreIdentity(shelf["name"], "Shelf 1", currency=shelf["currency"])

    def _push_inventory(self, documents, keys):
        return [
            self._put(one, "stock", {"quantity": int(one.levels[0].quantity)}) for one in documents
        ]

    def _push_price(self, documents, keys):
        return [
            self._put(one, "price", {"amount": str(one.price), "currency": one.currency})
            for one in documents
        ]

    def _fetch_variant(self, since, cursor):
        items = tuple(
            CatalogItem(
                label=item["sku"],
                external_id=item["id"],
                sku=item["sku"],
                name=item["sku"],
                quantity=Decimal(item["quantity"]),
            )
            for item in self._api("GET", "items").json()
        )
        return Page(items)

    def _put(self, document, what, values):
        """One document: its own failure is its result, the line's is everybody's."""
        try:
            self._api("PUT", f"items/{document.external_id}/{what}", json=values)
        except Missing as error:
            gone = Missing(f"{document.label}: {error.message}", hint="Match it again.")
            return Result(error=gone)
        except SyncError as error:
            if error.kind != "rejected":
                raise
            return Result(error=error)
        return Result(outcome="updated", external_id=document.external_id)

    def _api(self, method, path, **more):
        headers = {"X-Shelf-Token": self.settings.credentials["token"]}
        return self.client.request(method, path, headers=headers, **more)

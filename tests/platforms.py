"""The stores that the contract of adapters is tested on: one class for each platform.

A class says how to fill its store and how to look into it; the scenarios (``test_contract.py``) are
the same for all. Another platform is another class in :data:`PLATFORMS`.
"""

from decimal import Decimal

from ..adapters.base import Settings
from ..adapters.http import HttpClient
from ..adapters.shopify import ShopifyAdapter
from ..adapters.woocommerce import WooCommerceAdapter
from ..sandbox import shopify_schema
from ..sandbox.shopify import ShopifyStore
from ..sandbox.woocommerce import WooCommerceStore

#: Seconds to connect, and to wait for an answer.
TIMEOUTS = (1, 1)


class Platform:
    """One store on loopback.

    ``faults``: what stores that can do it call the request that writes a kind of data, for
    :meth:`sandbox.base.Sandbox.fault`.
    """

    name = ""
    store_class = None
    adapter_class = None
    faults = {}
    location = ""

    def __init__(self):
        self.store = self.store_class().start()

    def close(self):
        self.store.stop()

    def adapter(self, **credentials):
        settings = Settings(self.store.url, {**self.credentials(), **credentials}, self.options())
        return self.adapter_class(settings, HttpClient(self.store.url, timeouts=TIMEOUTS))

    def credentials(self):
        raise NotImplementedError

    def wrong_credentials(self):
        raise NotImplementedError

    def options(self):
        return {}

    def add_item(self, sku):
        """A simple product of the store, with stock to count.

        :return: ``(external id, parent id, handles)`` of what is sold
        """
        raise NotImplementedError

    def stock(self, external_id):
        raise NotImplementedError

    def price(self, external_id):
        raise NotImplementedError

    def delete(self, external_id, parent_id):
        raise NotImplementedError

    def products(self):
        """``{id: (name, on sale)}``"""
        raise NotImplementedError

    def break_down(self, kind, fault, **more):
        """Have the next request that writes ``kind`` end as ``fault`` says."""
        self.store.fault(fault, times=1, **self.faults[kind], **more)


class WooCommerce(Platform):
    name = "woocommerce"
    store_class = WooCommerceStore
    adapter_class = WooCommerceAdapter
    location = "default"
    faults = {
        "inventory": {"path": "/products/batch", "method": "POST"},
        "price": {"path": "/products/batch", "method": "POST"},
        "product": {"path": "/products", "method": "POST"},
    }

    def credentials(self):
        return {"consumer_key": self.store.key, "consumer_secret": self.store.secret}

    def wrong_credentials(self):
        return {"consumer_key": "ck_wrong"}

    def options(self):
        return {"auth": "basic"}

    def add_item(self, sku):
        row = {"name": sku, "sku": sku, "manage_stock": True, "stock_quantity": 0}
        (made,) = self.store.seed({"products": [row]})["products"]
        return str(made["id"]), "", {}

    def _held(self, external_id):
        return self.store.store.get("product", int(external_id))

    def stock(self, external_id):
        return self._held(external_id)["stock_quantity"]

    def price(self, external_id):
        held = self._held(external_id)
        return Decimal(held["sale_price"] or held["regular_price"])

    def delete(self, external_id, parent_id):
        self.store.store.delete("product", int(external_id))

    def products(self):
        rows = self.store.store.find("product", [("type <> 'variation'", [])])
        return {str(row["id"]): (row["name"], row["status"] == "publish") for row in rows}


class Shopify(Platform):
    name = "shopify"
    store_class = ShopifyStore
    adapter_class = ShopifyAdapter
    location = "1"
    faults = {
        "inventory": {"path": "#inventorySetQuantities"},
        "price": {"path": "#productVariantsBulkUpdate"},
        "product": {"path": "#productSet"},
    }

    def __init__(self):
        super().__init__()
        shopify_schema.load(self.adapter_class.version)  # takes longer than an answer may

    def credentials(self):
        return {"access_token": self.store.token}

    def wrong_credentials(self):
        return {"access_token": "shpat_wrong"}

    def add_item(self, sku):
        (made,) = self.store.seed({"products": [{"title": sku, "sku": sku}]})["products"]
        (variant,) = made["variants"]
        handles = {"inventory_item_id": str(variant["inventory_item_id"])}
        return str(variant["id"]), str(made["id"]), handles

    def _held(self, external_id):
        return self.store.store.get("variant", int(external_id))

    def stock(self, external_id):
        item = self.store.store.get("item", self._held(external_id)["inventoryItemId"])
        return item["levels"][self.location]["available"]

    def price(self, external_id):
        return Decimal(self._held(external_id)["price"])

    def delete(self, external_id, parent_id):
        self.store.store.delete("variant", int(external_id))
        self.store.store.delete("product", int(parent_id))

    def products(self):
        rows = self.store.store.find("product")
        return {str(row["id"]): (row["title"], row["status"] == "ACTIVE") for row in rows}


PLATFORMS = [WooCommerce, Shopify]

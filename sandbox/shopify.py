"""A Shopify store on loopback: the Admin GraphQL API on Shopify's own schema.

On the command line: ``python -m sandbox.shopify --port 8082 --data store.sqlite``

In a test::

    with ShopifyStore() as store:
        headers = {"X-Shopify-Access-Token": store.token}
        url = f"{store.url}/admin/api/2026-10/graphql.json"
        requests.post(url, json={"query": "{ shop { name } }"}, headers=headers)
        store.fault("http_500_after", times=1, path="#metafieldsSet")

A fault's ``path`` is searched in the address and, behind a ``#``, the names of the fields asked
for.
"""

import argparse
import random
import secrets
import signal
import threading
import time
from contextlib import contextmanager

from . import invented, page
from .base import Sandbox
from .messages import html_response, json_response
from .shop import (
    bulk,
    costs,
    files,
    fulfillments,
    graphql,
    inventory,
    metafields,
    orders,
    page_data,
    products,
    shop,
    tokens,
    webhooks,
)
from .store import DocumentStore

DEFAULT_PORT = 8082
LOOKUPS = {
    "parent_id": "parentId",
    "sku": "sku",
    "barcode": "barcode",
    "email": "email",
    "status": "status",
    "type": "type",
    "title": "title",
    "created": "createdAt",
    "modified": "updatedAt",
}
ALL_SCOPES = [
    "read_customers", "read_files", "read_inventory", "read_locations",
    "read_merchant_managed_fulfillment_orders", "read_orders", "read_products", "write_files",
    "write_inventory", "write_merchant_managed_fulfillment_orders", "write_orders",
    "write_products",
]  # fmt: skip
DEFAULT_SETTINGS = {
    "title": "Sandbox Shop",
    "domain": "sandbox-shop.myshopify.com",
    "currency": "USD",
    "scopes": ALL_SCOPES,
    "points": 2000,  # the bucket of query costs, and what comes back each second
    "points_per_second": 100,
    "file_polls": 2,  # how often a new file is looked at before it is ready
    "files_fail": False,
    "webhook_retries": 1,
    "webhook_version": "2026-10",
}
MAINTENANCE_PAGE = (
    "<!DOCTYPE html><html><head><title>503</title></head><body><h1>Something went wrong</h1>"
    "<p>What happened? This shop is unavailable for a moment.</p></body></html>"
)
MODULES = (bulk, files, fulfillments, inventory, metafields, orders, products, shop, webhooks)


class ShopifyStore(Sandbox):
    name = "Shopify sandbox"

    def __init__(self, data=None, port=0, token=None, client_id=None, client_secret=None, **more):
        """:param data: a SQLite file that outlives the process, or None for memory
        :param token: a token that lasts, as old custom apps have; made up and kept if not given
        :param client_id: of the app; it gets tokens for a day
        :param more: settings, see DEFAULT_SETTINGS, e.g. ``currency="EUR"``
        """
        super().__init__(port)
        self.store = DocumentStore(data, LOOKUPS)
        self.random = random.Random()
        self.bucket = costs.Bucket(time.monotonic)
        self.tokens = tokens.Tokens(self)
        self._deliverer = webhooks.Deliverer(self)
        self._announced = []
        self._begun, self._begun_lock = set(), threading.Lock()
        self._settings = {**DEFAULT_SETTINGS, **self.store.setting("settings", {})}
        if more:
            self.change_settings(more)
        self._fill_bucket()
        self.token = self._secret("token", token, f"shpat_{secrets.token_hex(16)}")
        self.client_id = self._secret("client_id", client_id, secrets.token_hex(16))
        self.client_secret = self._secret(
            "client_secret", client_secret, f"shpss_{secrets.token_hex(16)}"
        )
        if not self.store.count(inventory.LOCATION):
            inventory.add_location(self, "Main Warehouse")
            inventory.add_location(self, "Second Street")

    def _secret(self, name, given, invented_value):
        value = given or self.store.setting(name) or invented_value
        self.store.set_setting(name, value)
        return value

    def start(self):
        super().start()
        self._deliverer.start()
        return self

    def stop(self):
        self._deliverer.stop()
        super().stop()

    def close(self):
        super().close()
        self.store.close()

    # === SETTINGS === #

    def settings(self):
        return dict(self._settings)

    def setting(self, name):
        return self._settings[name]

    def change_settings(self, values):
        unknown = sorted(set(values) - set(DEFAULT_SETTINGS))
        if unknown:
            raise ValueError(f"unknown settings: {', '.join(unknown)}")
        for name, value in values.items():
            if type(value) is not type(DEFAULT_SETTINGS[name]):
                raise TypeError(f"{name} must be like {DEFAULT_SETTINGS[name]!r}")
        self._settings = {**self._settings, **values}
        self.store.set_setting("settings", self._settings)
        if {"points", "points_per_second"} & set(values):
            self._fill_bucket()

    def _fill_bucket(self):
        self.bucket.set(self._settings["points"], self._settings["points_per_second"])

    title = property(lambda self: self._settings["title"])
    domain = property(lambda self: self._settings["domain"])
    currency = property(lambda self: self._settings["currency"])

    # === REQUESTS === #

    def serve(self, request):
        names = ",".join(graphql.operations(request.body)) if "graphql" in request.path else ""
        request.target += f"#{names}" if names else ""
        return super().serve(request)

    def respond(self, request):
        found = graphql.ADDRESS.fullmatch(request.path)
        if found and request.method == "POST":
            return graphql.respond(self, request, found.group(1))
        if request.path == tokens.ADDRESS and request.method == "POST":
            return self.tokens.respond(request)
        for prefix, answer in PLACES.items():
            if request.path.startswith(prefix):
                return answer(self, request)
        return json_response({"errors": "Not Found"}, 404)

    def public_query(self, request):
        """For the journal: the names of the fields asked for."""
        names = request.target.partition("#")[2]
        return {"operation": names} if names else dict(request.query)

    def fault_response(self, rule):
        if rule.kind == "maintenance":
            headers = [("Retry-After", rule.retry_after())]
            return html_response(MAINTENANCE_PAGE, 503, headers)
        if rule.kind == "rate_limit":
            text = "Exceeded 40 calls per second for api client. Reduce request rates to resume."
            return json_response({"errors": text}, 429, [("Retry-After", rule.retry_after())])
        if rule.kind == "unauthorized":
            return json_response({"errors": graphql.BAD_TOKEN}, 401)
        return json_response({"errors": "Internal Server Error"}, 500)

    @contextmanager
    def unit_of_work(self):
        """One transaction; what was announced in it goes out after it is committed."""
        with self.store.transaction():
            self._announced = []
            yield
            announced = list(dict.fromkeys(self._announced))
        self._deliverer.announce(announced)

    def emit(self, topic, kind, number):
        """Announce to the subscriptions, once per unit of work: ("orders/updated", "order", 3)"""
        self._announced.append((topic, kind, number))

    def wait_for_webhooks(self):
        """Until everything announced so far is delivered or failed: for tests."""
        self._deliverer.wait()

    def begin(self, key):
        """Note that a request with this idempotency key is being worked on, unless one is."""
        with self._begun_lock:
            if key in self._begun:
                return False
            self._begun.add(key)
            return True

    def end(self, key):
        with self._begun_lock:
            self._begun.discard(key)

    # === DATA === #

    def seed(self, data):
        """Load many at once: no webhooks, no journal.

        :param data: ``{"locations": ["Main"], "products": [...], "orders": [...]}``, see
            ``shop.products.create`` and ``shop.orders.create``; ``{"invent": 500}`` makes up
            products
        :return: ids of what was loaded: ``{"locations": [...], "products": [{"id", "title",
            "variants": [{"id", "sku", "inventory_item_id"}]}], "orders": [...]}``
        """
        with self.store.transaction():
            loaded = {
                "locations": [
                    inventory.add_location(self, name)["id"] for name in data.get("locations", ())
                ],
                "products": [self._seed_product(row) for row in self._products_of(data)],
                "orders": [orders.create(self, row)["id"] for row in data.get("orders", ())],
            }
            self._announced = []
        return loaded

    def _products_of(self, data):
        start = self.store.count(products.KIND)
        for number in range(start, start + int(data.get("invent", 0))):
            made = invented.product(number, self.random)
            yield {
                "title": made["name"],
                "sku": made["sku"],
                "price": made["regular_price"],
                "quantity": made["stock_quantity"],
            }
        yield from data.get("products", ())

    def _seed_product(self, row):
        product, variants = products.create(self, row)
        shown = [
            {"id": row["id"], "sku": row["sku"], "inventory_item_id": row["inventoryItemId"]}
            for row in variants
        ]
        return {"id": product["id"], "title": product["title"], "variants": shown}

    def place_order(self, data=None):
        """A customer buys something: an invented order, announced as created.

        :param data: what is not to be invented, see ``shop.orders.create``
        :return: the order as webhooks show it
        """
        with self.unit_of_work():
            order = orders.create(self, {**self._invented_order(), **(data or {})})
            return webhooks.payload(self, orders.KIND, order["id"])

    def _invented_order(self):
        who = invented.person(self.random, "US")
        address = {
            "id": "gid://shopify/MailingAddress/1?model_name=Address",
            "firstName": who["first_name"],
            "lastName": who["last_name"],
            "address1": who["address_1"],
            "city": who["city"],
            "zip": who["postcode"],
            "countryCodeV2": "US",
            "phone": who["phone"],
        }
        if not self.store.count(products.VARIANT):
            self.seed({"invent": 8})
        rows = self.store.find(products.VARIANT, order="random()", limit=self.random.randint(1, 3))
        lines = [{"variant": row["id"], "quantity": self.random.randint(1, 3)} for row in rows]
        return {
            "email": who["email"],
            "customer": 7000 + self.random.randrange(1000),
            "billingAddress": address,
            "shippingAddress": address,
            "lines": lines,
            "shipping": "5.00",
        }

    def reset(self):
        """Delete all data but the locations; keys and settings stay."""
        places = [row["name"] for row in self.store.find(inventory.LOCATION)]
        self.store.clear()
        self.seed({"locations": places})

    def state(self):
        count = self.store.count
        return {
            "platform": "shopify",
            "title": self.title,
            "version": self.setting("webhook_version"),
            "products": count(products.KIND),
            "variants": count(products.VARIANT),
            "orders": count(orders.KIND),
            "fulfillments": count(fulfillments.SHIPPED),
            "refunds": count(orders.REFUND),
            "metafields": count(metafields.KIND),
            "files": count(files.KIND),
            "webhooks": count(webhooks.KIND),
            "faults": len(self.faults.rules()),
        }

    def page(self, request):
        query = dict(request.query)
        subtitle = f"Shopify · {self.domain} · {self.url}"
        sections = page_data.sections(self, query.get("q", ""))
        return page.render(self, subtitle, sections, live="live" in query)


PLACES = {files.UPLOADS: files.receive, files.CONTENT: files.serve, bulk.RESULTS: bulk.serve}


def main():
    parser = argparse.ArgumentParser(description="A Shopify store on loopback, with faults.")
    parser.add_argument("--port", type=int, default=DEFAULT_PORT)
    parser.add_argument("--data", help="SQLite file; without one everything is forgotten")
    parser.add_argument("--token", help="access token, made up and kept if not given")
    arguments = parser.parse_args()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with ShopifyStore(arguments.data, arguments.port, arguments.token) as store:
        print(f"{store.name}: {store.url}", flush=True)
        print(f"access token:  {store.token}", flush=True)
        print(f"client id:     {store.client_id}\nclient secret: {store.client_secret}", flush=True)
        stop.wait()


if __name__ == "__main__":
    main()

"""A WooCommerce store on loopback.

On the command line: ``python -m sandbox.woocommerce --port 8081 --data store.sqlite``

In a test::

    with WooCommerceStore() as store:
        auth = (store.key, store.secret)
        requests.get(store.url + "/wp-json/wc/v3/products", auth=auth)
        store.fault("http_500_after", times=1, path="/orders")
"""

import argparse
import random
import signal
import threading
from contextlib import contextmanager
from datetime import timedelta

from . import invented, page
from .base import Sandbox
from .messages import html_response, json_response
from .store import DocumentStore
from .woo import (
    api,
    auth,
    customers,
    info,
    orders,
    page_data,
    product_view,
    products,
    refunds,
    webhooks,
)
from .woo.rest import ApiError, php_query

DEFAULT_PORT = 8081
LOOKUPS = {
    "parent_id": "parent_id",
    "sku": "sku",
    "barcode": "global_unique_id",
    "email": "email",
    "status": "status",
    "type": "type",
    "title": "name",
    "created": "date_created_gmt",
    "modified": "date_modified_gmt",
}
DEFAULT_SETTINGS = {
    "title": "Sandbox Store",
    "version": "10.3.4",
    "wp_version": "6.8.3",
    "currency": "USD",
    "country": "US",
    "prices_include_tax": False,
    "weight_unit": "kg",  # "g", "lbs", "oz"
    # not UTC on purpose: whoever mixes up date_modified and date_modified_gmt is to notice
    "utc_offset_minutes": 120,
    "permalinks": "pretty",  # "plain": no /wp-json, only /?rest_route=
    "require_oauth": False,  # True: no Basic over plain HTTP, as with a real store
    "tax_rates": [
        {"id": 1, "name": "Tax", "rate": "15.0000", "class": "standard"},
        {"id": 2, "name": "Reduced tax", "rate": "5.0000", "class": "reduced-rate"},
        {"id": 3, "name": "Zero tax", "rate": "0.0000", "class": "zero-rate"},
    ],
}
CRASH_MESSAGE = (
    "<p>There has been a critical error on this website.</p>"
    '<p><a href="https://wordpress.org/documentation/article/faq-troubleshooting/">'
    "Learn more about troubleshooting WordPress.</a></p>"
)
MAINTENANCE_PAGE = (
    "<!DOCTYPE html><html><head><title>Maintenance</title></head><body><h1>Briefly unavailable"
    " for scheduled maintenance. Check back in a minute.</h1></body></html>"
)
RANDOM_PRODUCTS = (
    "SELECT id FROM document WHERE kind = ? AND type <> 'variable' AND status = 'publish'"
    " ORDER BY random() LIMIT ?"
)


class WooCommerceStore(Sandbox):
    name = "WooCommerce sandbox"

    def __init__(self, data=None, port=0, key=None, secret=None, **settings):
        """:param data: a SQLite file that outlives the process, or None for memory
        :param key: consumer key of the administrator; made up, and kept, if there is none
        :param settings: see DEFAULT_SETTINGS, e.g. ``permalinks="plain"``
        """
        super().__init__(port)
        self.store = DocumentStore(data, LOOKUPS)
        self.random = random.Random()
        self._authenticator = auth.Authenticator()
        self._deliverer = webhooks.Deliverer(self)
        self._announced = []
        self._settings = {**DEFAULT_SETTINGS, **self.store.setting("settings", {})}
        self._keys = [auth.Key(**values) for values in self.store.setting("keys", [])]
        if settings:
            self.change_settings(settings)
        self._set_first_key(key, secret)

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

    # === KEYS === #

    @property
    def key(self):
        return self._keys[0].key

    @property
    def secret(self):
        return self._keys[0].secret

    def add_key(self, permissions="read_write", role="administrator"):
        """A further key, e.g. ``store.add_key("read")``; role "customer": may not do anything.

        :return: auth.Key with ``key`` and ``secret``
        """
        if permissions not in auth.PERMISSIONS or role not in auth.ROLES:
            raise ValueError(f"permissions: {auth.PERMISSIONS}, role: {auth.ROLES}")
        return self._keep_key(auth.new_key(permissions, role))

    def _set_first_key(self, key, secret):
        if key or secret:
            given = auth.Key(key or self.key, secret or self.secret)
            self._keys = [given, *self._keys[1:]]
            self._keep_keys()
        elif not self._keys:
            self._keep_key(auth.new_key())

    def _keep_key(self, key):
        self._keys.append(key)
        self._keep_keys()
        return key

    def _keep_keys(self):
        self.store.set_setting("keys", [key.as_dict() for key in self._keys])

    def authenticate(self, request):
        keys = {key.key: key for key in self._keys}
        oauth_only, now = self._settings["require_oauth"], self.clock().timestamp()
        return self._authenticator.user(request, keys, oauth_only, now)

    # === SETTINGS === #

    def settings(self):
        return dict(self._settings)

    def change_settings(self, values):
        unknown = sorted(set(values) - set(DEFAULT_SETTINGS))
        if unknown:
            raise ValueError(f"unknown settings: {', '.join(unknown)}")
        for name, value in values.items():
            if type(value) is not type(DEFAULT_SETTINGS[name]):
                raise TypeError(f"{name} must be like {DEFAULT_SETTINGS[name]!r}")
        self._settings = {**self._settings, **values}
        self.store.set_setting("settings", self._settings)

    title = property(lambda self: self._settings["title"])
    version = property(lambda self: self._settings["version"])
    wp_version = property(lambda self: self._settings["wp_version"])
    currency = property(lambda self: self._settings["currency"])
    country = property(lambda self: self._settings["country"])
    prices_include_tax = property(lambda self: self._settings["prices_include_tax"])
    plain_permalinks = property(lambda self: self._settings["permalinks"] == "plain")

    @property
    def utc_offset(self):
        return timedelta(minutes=self._settings["utc_offset_minutes"])

    @property
    def tax_rates(self):
        common = {"country": self.country, "priority": 1, "compound": False, "shipping": True}
        return [{**common, **rate} for rate in self._settings["tax_rates"]]

    @staticmethod
    def currency_symbol(code):
        return info.CURRENCIES.get(code, (code, code))[1]

    @property
    def api_index(self):
        plain = self.plain_permalinks
        return f"{self.url}/index.php?rest_route=/" if plain else f"{self.url}{api.PREFIX}/"

    def api_url(self, path):
        """:param path: below wc/v3, e.g. "products/7" """
        return f"{self.api_index}{api.NAMESPACE}/{path}"

    # === REQUESTS === #

    def is_page(self, request):
        return request.path == "/" and "rest_route" not in dict(request.query)

    def respond(self, request):
        return api.respond(self, request)

    def public_query(self, request):
        return php_query(pair for pair in request.query if pair[0] not in auth.CREDENTIALS)

    def fault_response(self, rule):
        if rule.kind == "maintenance":
            headers = [("Retry-After", rule.retry_after())]
            return html_response(MAINTENANCE_PAGE, 503, headers)
        if rule.kind == "rate_limit":
            data = _error(429, "rate_limit_exceeded", "Too many requests. Try again later.")
            return json_response(data, 429, [("Retry-After", rule.retry_after())])
        if rule.kind == "unauthorized":
            return json_response(auth.forbidden(None, "list").body, 401)
        data = _error(500, "internal_server_error", CRASH_MESSAGE)
        return json_response({**data, "additional_errors": []}, 500)

    @contextmanager
    def unit_of_work(self):
        """One transaction; what was announced in it goes out after it is committed."""
        with self.store.transaction():
            self._announced = []
            yield
            announced = list(dict.fromkeys(self._announced))
        self._deliverer.announce(announced)

    def emit(self, topic, resource_id):
        """Announce to the webhooks, once per unit of work: e.g. ("order.updated", 12)"""
        self._announced.append((topic, resource_id))

    def ping(self, webhook):
        self._deliverer.ping(webhook)

    def wait_for_webhooks(self):
        """Until everything announced so far is delivered or failed: for tests."""
        self._deliverer.wait()

    def webhook_payload(self, resource, resource_id):
        """What GET on the resource shows at this moment, or only the id if it is gone."""
        with self.store.transaction():
            document = self.store.get(resource, resource_id)
            if document is None:
                return {"id": resource_id}
            if resource == products.KIND:
                return product_view.View(self, [document]).product(document)
            return {orders.KIND: orders.show, customers.KIND: customers.show}[resource](
                self, document
            )

    # === DATA === #

    def seed(self, data):
        """Load many at once: no webhooks, no journal.

        :param data: ``{"products": [...], "orders": [...], "customers": [...]}`` with the API's
            fields; a variable product may carry its ``variations``; ``{"invent": 500}`` makes up
            products
        :return: ids of what was loaded, and of each product its SKU: ``{"products": [...], ...}``
        """
        with _plain_errors(), self.store.transaction():
            loaded = {
                "customers": [
                    customers.create(self, item)["id"] for item in data.get("customers", [])
                ],
                "products": [self._seed_product(item) for item in self._products_of(data)],
                "orders": [orders.load(self, item)["id"] for item in data.get("orders", [])],
            }
            self._announced = []
        return loaded

    def _products_of(self, data):
        start = self.store.count(products.KIND)
        numbers = range(start, start + int(data.get("invent", 0)))
        yield from (invented.product(number, self.random) for number in numbers)
        yield from data.get("products", [])

    def _seed_product(self, item):
        variations = item.get("variations") or []
        given = {"type": "variable"} if variations else {}
        product = products.create(self, {**given, **item})
        rows = [products.create(self, child, product) for child in variations]
        shown = [{"id": row["id"], "sku": row["sku"]} for row in rows]
        return {"id": product["id"], "sku": product["sku"], "variations": shown}

    def place_order(self, data=None):
        """A customer buys something: an invented order, announced as created and as paid.

        :param data: fields of the API that are not to be invented, e.g. ``{"line_items": [...]}``
        :return: the order as the API shows it
        """
        data = data or {}
        with _plain_errors(), self.unit_of_work():
            who = invented.person(self.random, self.country)
            order = orders.create(self, {**self._invented_order(who), **data}, via="checkout")
            return orders.show(self, order)

    def _invented_order(self, who):
        return {
            "billing": who,
            "shipping": {name: value for name, value in who.items() if name != "email"},
            "customer_note": self.random.choice(invented.NOTES),
            "payment_method": "sandbox_card",
            "payment_method_title": "Card (invented)",
            "transaction_id": f"txn_{self.random.getrandbits(48):012x}",
            "line_items": self._invented_lines(),
            "shipping_lines": [
                {"method_id": "flat_rate", "method_title": "Flat rate", "total": "5.00"}
            ],
            "set_paid": True,
        }

    def _invented_lines(self):
        if not self.store.rows(RANDOM_PRODUCTS, [products.KIND, 1]):
            self.seed({"invent": 8})
        rows = self.store.rows(RANDOM_PRODUCTS, [products.KIND, self.random.randint(1, 3)])
        found = self.store.get_many(products.KIND, [row[0] for row in rows]).values()
        return [
            {
                ("variation_id" if products.is_variation(product) else "product_id"): product["id"],
                "quantity": self.random.randint(1, 3),
            }
            for product in found
        ]

    def reset(self):
        """Delete all data; keys and settings stay."""
        self.store.clear()

    def state(self):
        count = self.store.count
        return {
            "platform": "woocommerce",
            "title": self.title,
            "version": self.version,
            "products": count(products.KIND, [("type <> 'variation'", [])]),
            "variations": count(products.KIND, [("type = 'variation'", [])]),
            "orders": count(orders.KIND),
            "notes": count(orders.NOTE),
            "refunds": count(refunds.KIND),
            "customers": count(customers.KIND),
            "webhooks": count(webhooks.KIND),
            "faults": len(self.faults.rules()),
        }

    def page(self, request):
        query = dict(request.query)
        subtitle = f"WooCommerce {self.version} · {self.url}"
        sections = page_data.sections(self, query.get("q", ""))
        return page.render(self, subtitle, sections, live="live" in query)


@contextmanager
def _plain_errors():
    """Who loads data or places an order in Python knows no REST errors."""
    try:
        yield
    except ApiError as error:
        raise ValueError(f"{error.body['code']}: {error}") from error


def _error(status, code, message):
    return {"code": code, "message": message, "data": {"status": status}}


def main():
    parser = argparse.ArgumentParser(description="A WooCommerce store on loopback, with faults.")
    parser.add_argument("--port", type=int, default=DEFAULT_PORT)
    parser.add_argument("--data", help="SQLite file; without one everything is forgotten")
    parser.add_argument("--key", help="consumer key, made up and kept if not given")
    parser.add_argument("--secret", help="consumer secret")
    arguments = parser.parse_args()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    store = WooCommerceStore(
        arguments.data, arguments.port, key=arguments.key, secret=arguments.secret
    )
    with store:
        print(f"{store.name}: {store.url}", flush=True)
        print(f"consumer key:    {store.key}\nconsumer secret: {store.secret}", flush=True)
        stop.wait()


if __name__ == "__main__":
    main()

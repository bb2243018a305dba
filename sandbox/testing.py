"""What tests of the sandbox, and with it, need: a client, goods, a receiver of webhooks.

A test module says ``pytest_plugins = ["sandbox.testing"]`` for the fixtures. Nothing here is to be
rewritten by pytest, which imports come too early for: PYTEST_DONT_REWRITE
"""

import base64
import hashlib
import hmac
import http.server
import json
import os
import threading
import time
from datetime import datetime, timedelta, timezone
from urllib.parse import quote

import pytest
import requests

from .woocommerce import WooCommerceStore

API = "/wp-json/wc/v3/"


class Client(requests.Session):
    """Speaks to the API of one store: ``client.get("products")``"""

    def __init__(self, store, key=None):
        super().__init__()
        self.trust_env = False
        self.store = store
        self.auth = (key or store).key, (key or store).secret

    def request(self, method, url, *arguments, **options):
        if not url.startswith(("http", "/")):
            url = API + url
        if url.startswith("/"):
            url = self.store.url + url
        options.setdefault("timeout", 10)
        return super().request(method, url, *arguments, **options)

    def batch(self, path="products", **parts):
        response = self.post(f"{path}/batch", json=parts)
        assert response.status_code == 200, response.text
        return response.json()


@pytest.fixture
def store():
    with WooCommerceStore() as running:
        yield running


@pytest.fixture
def api(store):
    with Client(store) as client:
        yield client


@pytest.fixture
def clock(store):
    """The store's clock, standing still until it is moved: ``clock(seconds=5)``"""
    now = [datetime(2026, 11, 2, 12, 0, tzinfo=timezone.utc)]
    store.clock = lambda: now[0]

    def move(**delta):
        now[0] += timedelta(**delta)

    return move


def mug(**fields):
    return {
        "name": "Mug",
        "sku": "MUG",
        "regular_price": "10.00",
        "manage_stock": True,
        "stock_quantity": 5,
        **fields,
    }


def seed_mug(store, **fields):
    return store.seed({"products": [mug(**fields)]})["products"][0]["id"]


def seed_mugs(store, count):
    loaded = store.seed({"products": [mug(name=f"Mug {i}", sku=f"M{i}") for i in range(count)]})
    return [product["id"] for product in loaded["products"]]


def seed_shirt(store):
    """A variable product: (id, [id of size S, id of size M])"""
    size = {"name": "Size", "variation": True, "options": ["S", "M"]}
    variations = [
        {
            "sku": f"SHIRT-{option}",
            "global_unique_id": f"400000000000{number}",
            "regular_price": f"{20 + number}.00",
            "manage_stock": True,
            "stock_quantity": 3,
            "attributes": [{"name": "Size", "option": option}],
        }
        for number, option in enumerate("SM")
    ]
    shirt = {"name": "Shirt", "sku": "SHIRT", "attributes": [size], "variations": variations}
    loaded = store.seed({"products": [shirt]})["products"][0]
    return loaded["id"], [variation["id"] for variation in loaded["variations"]]


def error_of(response):
    return response.status_code, response.json()["code"]


def order_of(store, api, *, quantity=2, shipping="5.00", **fields):
    mug_id = seed_mug(store)
    order = {
        "line_items": [{"product_id": mug_id, "quantity": quantity}],
        "shipping_lines": [{"method_id": "flat_rate", "total": shipping}],
        **fields,
    }
    return api.post("orders", json=order).json()


# === SIGNING === #


def rfc3986(text):
    return quote(str(text), safe="-._~")


def sign(store, method, url, query=(), digest="sha256", **changes):
    """The OAuth parameters of RFC 5849, section 3.4, for a request without a token."""
    oauth = {
        "oauth_consumer_key": store.key,
        "oauth_nonce": os.urandom(8).hex(),
        "oauth_signature_method": f"HMAC-{digest.upper()}",
        "oauth_timestamp": str(int(time.time())),
        **changes,
    }
    secret = oauth.pop("secret", store.secret)
    pairs = sorted((rfc3986(name), rfc3986(value)) for name, value in [*query, *oauth.items()])
    joined = "&".join(f"{name}={value}" for name, value in pairs)
    base = "&".join([method, rfc3986(url), rfc3986(joined)])
    raw = hmac.new(f"{secret}&".encode(), base.encode(), getattr(hashlib, digest)).digest()
    return {**oauth, "oauth_signature": base64.b64encode(raw).decode()}


# === RECEIVING === #


class Receiver(http.server.ThreadingHTTPServer):
    """Takes deliveries and answers each with ``status``."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _ReceiverHandler)
        self.url = f"http://127.0.0.1:{self.server_port}/hook?x=1"
        self.status = 200
        self.deliveries = []

    def bodies(self, topic):
        return [
            json.loads(body)
            for headers, body in self.deliveries
            if headers.get("X-WC-Webhook-Topic") == topic
        ]


class _ReceiverHandler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.deliveries.append((dict(self.headers.items()), body))
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *arguments):
        pass


@pytest.fixture
def receiver():
    with Receiver() as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield server
        server.shutdown()


def subscribe(api, receiver, topic, **fields):
    fields = {"topic": topic, "delivery_url": receiver.url, "secret": "hush", **fields}
    webhook = api.post("webhooks", json=fields).json()
    api.store.wait_for_webhooks()
    receiver.deliveries.clear()
    return webhook

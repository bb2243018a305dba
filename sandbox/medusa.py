"""A Medusa store on loopback, in memory: what the addon uses of the Admin API, behaving as the real
one does (``tests/test_medusa_real.py`` runs the same scenarios against both).

In a test::

    with MedusaStore() as store:
        requests.get(store.url + "/admin/orders", auth=(store.key, ""))
        store.fault("http_500_after", times=1, path="/fulfillments")
"""

import base64
import hashlib
import hmac
import json
import re
import secrets
import threading
import urllib.request
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from .base import Sandbox
from .medusa_api import goods, orders
from .medusa_api.rest import ApiError, new_id
from .messages import html_response, json_response

UNAUTHORIZED = {"message": "Unauthorized"}
CRASH = {"code": "unknown_error", "type": "unknown_error", "message": "An unknown error occurred."}
ID = r"([^/]+)"
ROUTES = (
    ("GET", "stores", lambda site, request: site.show_stores()),
    ("GET", "stock-locations", lambda site, request: site.list_locations()),
    ("GET", "products", goods.list_products),
    ("POST", "products", goods.create_product),
    ("GET", f"products/{ID}", goods.get_product),
    ("POST", f"products/{ID}", goods.update_product),
    ("POST", f"products/{ID}/options/batch", goods.batch_options),
    ("GET", "shipping-profiles", lambda site, request: {"shipping_profiles": []}),
    ("DELETE", f"products/{ID}", goods.delete_product),
    ("GET", f"products/{ID}/variants", goods.list_variants_of),
    ("POST", f"products/{ID}/variants/batch", goods.batch_variants),
    ("GET", "product-variants", goods.list_variants),
    ("POST", "inventory-items/location-levels/batch", goods.batch_levels),
    ("GET", f"inventory-items/{ID}/location-levels", goods.list_levels),
    ("GET", "orders", orders.list_orders),
    ("GET", f"orders/{ID}", orders.get_order),
    ("POST", f"orders/{ID}", orders.update_order),
    ("POST", f"orders/{ID}/cancel", orders.cancel_order),
    ("POST", f"orders/{ID}/fulfillments", orders.create_fulfillment),
    ("POST", f"orders/{ID}/fulfillments/{ID}/shipments", orders.create_shipment),
    ("POST", f"orders/{ID}/fulfillments/{ID}/cancel", orders.cancel_fulfillment),
    ("POST", "payment-collections", orders.create_collection),
    ("POST", f"payment-collections/{ID}/mark-as-paid", orders.mark_as_paid),
    ("POST", f"payments/{ID}/refund", orders.refund),
)


@dataclass
class _Call:
    """A request, as the handlers read it."""

    query: list
    body: bytes
    rules: list

    def json(self):
        try:
            return json.loads(self.body or b"{}")
        except ValueError as error:
            raise ApiError(400, "invalid_data", str(error)) from error


class MedusaStore(Sandbox):
    name = title = "Medusa sandbox"

    def __init__(self, port=0, currency="eur", country="de", tax=19):
        super().__init__(port)
        self.key = f"sk_{secrets.token_hex(16)}"
        self.currency, self.country, self.tax = currency, country, tax
        self.webhook_url = self.webhook_secret = ""
        self._lock = threading.RLock()
        self._last = None
        self.reset()

    def reset(self):
        self.location = new_id("sloc")
        self.locations = {self.location: "Warehouse"}
        self.products, self.variants, self.levels, self.orders = {}, {}, {}, {}
        self.last_number = 0

    def now(self):
        """Never the same moment twice."""
        moment = self.clock()
        if self._last and moment <= self._last:
            moment = self._last + timedelta(milliseconds=1)
        self._last = moment
        return moment.astimezone(timezone.utc).replace(tzinfo=None).isoformat()[:23] + "Z"

    # === FROM PYTHON === #

    def make_location(self, name):
        place = new_id("sloc")
        self.locations[place] = name
        return place

    def make_product(self, *args, **fields):
        with self._lock:
            return goods.add_product(self, *args, **fields)

    def place_order(self, lines, **fields):
        with self._lock:
            order = json.loads(json.dumps(orders.add_order(self, lines, **fields)))
        self.tell("order.placed", order)
        return order

    def tell(self, topic, order):
        """What the subscriber of docs/medusa.md does."""
        if not self.webhook_url:
            return
        data = {"id": order["id"], "updated_at": order["updated_at"]}
        body = json.dumps({"type": topic, "data": data}).encode()
        identity = "msg_" + hashlib.sha256(body).hexdigest()[:32]
        stamp = str(int(datetime.now(timezone.utc).timestamp()))
        key = base64.b64decode(self.webhook_secret.removeprefix("whsec_"))
        signed = f"{identity}.{stamp}.".encode() + body
        digest = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        headers = {
            "Content-Type": "application/json",
            "webhook-id": identity,
            "webhook-timestamp": stamp,
            "webhook-signature": f"v1,{digest}",
        }
        message = urllib.request.Request(self.webhook_url, body, headers)
        with urllib.request.urlopen(message, timeout=20):
            pass

    # === WHAT IT ANSWERS === #

    def respond(self, request):
        if request.path == "/health":
            return json_response("OK")
        if not self._signed_in(request):
            return json_response(UNAUTHORIZED, 401)
        path = request.path.removeprefix("/admin/")
        call = _Call(request.query, request.body, request.rules)
        for method, pattern, answer in ROUTES:
            found = re.fullmatch(pattern, path)
            if method == request.method and found and path != request.path:
                return self._answer_call(answer, call, found.groups())
        return html_response(f"<pre>Cannot {request.method} {request.path}</pre>", 404)

    def _answer_call(self, answer, call, ids):
        try:
            with self._lock:
                return json_response(answer(self, call, *ids))
        except ApiError as error:
            return json_response({"type": error.kind, "message": error.message}, error.status)

    def _signed_in(self, request):
        expected = base64.b64encode(f"{self.key}:".encode()).decode()
        given = request.headers.get("Authorization") or ""
        return hmac.compare_digest(given.encode(), f"Basic {expected}".encode())

    def refuse_bad_item(self, request, item):
        rule = self.faults.strike_item(request.rules, {"id": item})
        if rule:
            message = rule["message"] or "The store refuses an item."
            raise ApiError(int(rule["status"]), rule["code"] or "invalid_data", message)

    def show_stores(self):
        currencies = [{"currency_code": self.currency, "is_default": True}]
        row = {"id": "store_1", "name": "Medusa Store", "supported_currencies": currencies}
        return {"stores": [row], "count": 1}

    def list_locations(self):
        rows = [
            {"id": place, "name": name, "updated_at": "2026-01-01T00:00:00.000Z"}
            for place, name in self.locations.items()
        ]
        return {"stock_locations": rows, "count": len(rows)}

    def fault_response(self, rule):
        if rule.kind == "rate_limit":
            headers = [("Retry-After", rule.retry_after())]
            return json_response({"message": "Too many requests"}, 429, headers)
        if rule.kind == "unauthorized":
            return json_response(UNAUTHORIZED, 401)
        if rule.kind == "maintenance":
            return html_response("<h1>503</h1>", 503, [("Retry-After", rule.retry_after())])
        return json_response(CRASH, 500)

    def page(self, request):
        return "<h1>Medusa sandbox</h1>"

    def state(self):
        return {"products": len(self.products), "orders": len(self.orders)}

"""Subscriptions to what happens, and their signed deliveries.

https://shopify.dev/docs/apps/build/webhooks/delivery-structure
"""

import base64
import hashlib
import hmac
import http.client
import json
import logging
import queue
import threading
import uuid
from urllib.parse import urlsplit

from .ids import gid, now
from .paging import connection, find
from .registry import resolves, user_error

_logger = logging.getLogger(__name__)

KIND = "webhook"
TIMEOUT = 5  # Shopify's own


# === SUBSCRIPTIONS === #


@resolves("Mutation", "webhookSubscriptionCreate")
def _create(call, _source, arguments):
    given = arguments["webhookSubscription"]
    uri = given.get("uri") or given.get("callbackUrl") or ""
    if not uri.startswith(("http://", "https://")):
        return _refuse("Address is invalid", "webhookSubscription", "uri")
    rows = call.store.find(KIND, [("type = ?", [arguments["topic"]])])
    if any(row["uri"] == uri for row in rows):
        return _refuse("Address for this topic has already been taken", "webhookSubscription")
    document = {
        "id": call.store.next_id(KIND),
        "type": arguments["topic"],
        "topic": arguments["topic"],
        "uri": uri,
        "callbackUrl": uri,
        "format": given.get("format") or "JSON",
        "includeFields": given.get("includeFields") or [],
        "metafieldNamespaces": given.get("metafieldNamespaces") or [],
        "metafields": [],
        "filter": given.get("filter"),
        "createdAt": now(call.site),
        "updatedAt": now(call.site),
    }
    call.store.put(KIND, document)
    call.created += 1
    return {"webhookSubscription": document, "userErrors": []}


def _refuse(message, *field):
    return {"webhookSubscription": None, "userErrors": [user_error(message, *field)]}


@resolves("Mutation", "webhookSubscriptionUpdate")
def _update(call, _source, arguments):
    document = find(call, KIND, "WebhookSubscription", arguments["id"])
    if not document:
        return _refuse("Webhook subscription does not exist", "id")
    given = arguments["webhookSubscription"]
    document.pop("__typename")
    document.update({name: given[name] for name in ("uri", "filter") if name in given})
    document["updatedAt"] = now(call.site)
    call.store.put(KIND, document)
    return {"webhookSubscription": document, "userErrors": []}


@resolves("Mutation", "webhookSubscriptionDelete")
def _delete(call, _source, arguments):
    document = find(call, KIND, "WebhookSubscription", arguments["id"])
    if not document:
        error = user_error("Webhook subscription does not exist", "id")
        return {"deletedWebhookSubscriptionId": None, "userErrors": [error]}
    call.store.delete(KIND, document["id"])
    return {"deletedWebhookSubscriptionId": arguments["id"], "userErrors": []}


@resolves("QueryRoot", "webhookSubscriptions")
def _subscriptions(call, _source, arguments):
    page = connection(call, KIND, "WebhookSubscription", arguments, {"id": "id"}, {})
    topics, uri = arguments.get("topics"), arguments.get("uri")
    rows = [
        row
        for row in page["nodes"]
        if (not topics or row["topic"] in topics) and (not uri or row["uri"] == uri)
    ]
    return {**page, "nodes": rows, "edges": [{"node": row, "cursor": ""} for row in rows]}


# === PAYLOADS: as the REST API shows a record === #


def payload(site, kind, number):
    document = site.store.get(kind, number)
    if document is None:
        return {"id": number}
    return PAYLOADS[kind](site, document)


def _order(site, order):
    return {
        "id": order["id"],
        "admin_graphql_api_id": gid("Order", order["id"]),
        "name": order["name"],
        "order_number": order["number"],
        "email": order["email"],
        "currency": order["currencyCode"],
        "presentment_currency": order["presentmentCurrencyCode"],
        "total_price": order["total"],
        "total_tax": order["tax"],
        "financial_status": order["displayFinancialStatus"].lower(),
        "cancelled_at": order["cancelledAt"],
        "created_at": order["createdAt"],
        "updated_at": order["updatedAt"],
        "note": order["note"],
        "tags": ", ".join(order["tags"]),
        "line_items": [
            {"id": line["id"], "variant_id": line["variantId"], "sku": line["sku"],
             "name": line["name"], "quantity": line["quantity"], "price": line["price"]}
            for line in order["lines"]
        ],
    }  # fmt: skip


def _product(site, product):
    rows = site.store.find("variant", [("parent_id = ?", [product["id"]])])
    return {
        "id": product["id"],
        "admin_graphql_api_id": gid("Product", product["id"]),
        "title": product["title"],
        "status": product["status"].lower(),
        "updated_at": product["updatedAt"],
        "variants": [
            {"id": row["id"], "sku": row["sku"], "price": row["price"], "title": row["title"],
             "inventory_item_id": row["inventoryItemId"]}
            for row in rows
        ],
    }  # fmt: skip


def _level(site, item):
    place, level = next(iter(item["levels"].items()), (None, {}))
    return {
        "inventory_item_id": item["id"],
        "location_id": place and int(place),
        "available": level.get("available"),
        "updated_at": level.get("updatedAt"),
    }


def _child(site, document):
    return {
        "id": document["id"],
        "order_id": document["parentId"],
        "created_at": document["createdAt"],
        "updated_at": document["updatedAt"],
    }


PAYLOADS = {
    "order": _order,
    "product": _product,
    "item": _level,
    "refund": _child,
    "fulfillment": _child,
}


# === DELIVERY === #


def signature(body, secret):
    """base64(HMAC-SHA256(raw body, client secret))"""
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


def headers(site, topic, body, webhook_id=None):
    """What comes with a delivery of ``body``, e.g. topic ``orders/updated``."""
    return {
        "Content-Type": "application/json",
        "X-Shopify-Topic": topic,
        "X-Shopify-Shop-Domain": site.domain,
        "X-Shopify-Hmac-SHA256": signature(body, site.client_secret),
        "X-Shopify-Webhook-Id": webhook_id or str(uuid.uuid4()),
        "X-Shopify-Event-Id": str(uuid.uuid4()),
        "X-Shopify-Triggered-At": site.clock().isoformat(),
        "X-Shopify-API-Version": site.setting("webhook_version"),
    }


class Deliverer:
    """Sends what happened, one after the other, in a thread of its own; the payload is that of
    the moment it happened, and a second try has the same."""

    def __init__(self, site):
        self._site = site
        self._queue = queue.Queue()
        self._thread = None

    def start(self):
        self._thread = threading.Thread(target=self._run, name="sandbox webhooks", daemon=True)
        self._thread.start()

    def stop(self):
        if self._thread:
            while not self._queue.empty():
                self._queue.get_nowait()
                self._queue.task_done()
            self._queue.put(None)
            self._thread.join(timeout=1)
            self._thread = None

    def wait(self):
        self._queue.join()

    def announce(self, events):
        """Queue a delivery of each (topic, kind, number) for every subscription to the topic."""
        subscriptions = self._site.store.find(KIND) if events else []
        for topic, kind, number in events if subscriptions else ():
            body = json.dumps(payload(self._site, kind, number)).encode()
            for row in subscriptions:
                if row["topic"] == topic.upper().replace("/", "_"):
                    self._queue.put((row["uri"], body, headers(self._site, topic, body)))

    def _run(self):
        for task in iter(self._queue.get, None):
            try:
                self._deliver(*task)
            except Exception:  # the edge of the thread: the next delivery must still go out
                _logger.exception("webhook delivery")
            finally:
                self._queue.task_done()
        self._queue.task_done()

    def _deliver(self, uri, body, given):
        """Twice at most; Shopify itself tries eight times in four hours."""
        for _attempt in range(1 + self._site.setting("webhook_retries")):
            if 200 <= _post(uri, body, given) < 300:
                return


def _post(uri, body, given):
    """The status, or 0 where nobody answered. Redirects are not followed."""
    url = urlsplit(uri)
    kind = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
    connection_ = kind(url.hostname, url.port, timeout=TIMEOUT)
    path = (url.path or "/") + (f"?{url.query}" if url.query else "")
    try:
        connection_.request("POST", path, body, {**given, "User-Agent": "Shopify-Captain-Hook"})
        return connection_.getresponse().status
    except (OSError, http.client.HTTPException, ValueError) as error:
        _logger.info("webhook to %s: %s", url.hostname, error)
        return 0
    finally:
        connection_.close()

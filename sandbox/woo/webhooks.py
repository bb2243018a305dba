"""Webhooks: the resource, and their delivery in the background.

includes/class-wc-webhook.php and class-wc-rest-webhooks-controller.php. What is kept of their
habits: the body is built when it is delivered, not when the thing happened; a delivery is tried
once; the delivery id is a hash of the webhook's id and the current second, so two deliveries in one
second share it; deleting for good (``force=true``) is not announced, only the trash is.
"""

import base64
import hashlib
import hmac
import http.client
import json
import logging
import queue
import secrets
import threading
from urllib.parse import urlsplit

from . import dates
from .rest import PAGING, STRING, ApiError, enum, php_text

_logger = logging.getLogger(__name__)

KIND = "webhook"
STATUSES = ("active", "paused", "disabled")
MAX_FAILURES = 5  # WC_Webhook::failed_delivery(): beyond these the next failure disables
TIMEOUT = 60  # seconds; WC_Webhook::deliver()
EVENTS = ("created", "updated", "deleted", "restored")
TOPICS = {f"{kind}.{event}" for kind in ("coupon", "order", "product") for event in EVENTS} | {
    f"customer.{event}" for event in EVENTS[:3]
}
LIST_PARAMS = {
    **PAGING,
    "orderby": {**enum("date", "id", "title"), "default": "date"},
    "status": {**enum("all", *STATUSES), "default": "all"},
}
PARAMS = {
    "name": STRING,
    "status": enum(*STATUSES),
    "topic": STRING,
    "delivery_url": STRING,
    "secret": STRING,
}
CREATE_PARAMS = {
    **PARAMS,
    "topic": {**STRING, "required": True},
    "delivery_url": {**STRING, "required": True},
}


# === THE RESOURCE === #


def list_conditions(site, params):
    if params["status"] != "all":
        yield "status = ?", [params["status"]]


def get(site, webhook_id, status=404):
    webhook = site.store.get(KIND, webhook_id)
    if webhook is None:
        message = "Invalid ID." if status == 404 else "ID is invalid."
        raise ApiError(status, "woocommerce_rest_shop_webhook_invalid_id", message)
    return webhook


def create(site, params):
    now = dates.now(site)
    webhook = {
        "id": 0,
        "name": php_text(params.get("name")) or f"Webhook created on {now}",
        "status": "active",
        "date_created_gmt": now,
        "secret": php_text(params.get("secret")) or secrets.token_urlsafe(37),
        "failure_count": 0,
    }
    _assign(webhook, params)
    webhook["id"] = site.store.next_id("webhook")
    save(site, webhook)
    site.ping(webhook)
    return webhook


def update(site, webhook, params):
    for name in ("name", "secret", "status"):
        if params.get(name):
            webhook[name] = php_text(params[name])
    _assign(webhook, params)
    save(site, webhook)
    return webhook


def save(site, webhook):
    webhook["date_modified_gmt"] = dates.now(site)
    site.store.put(KIND, webhook)


def _assign(webhook, params):
    topic, url = php_text(params.get("topic")), php_text(params.get("delivery_url"))
    if (topic or not webhook["id"]) and not _is_topic(topic):
        word = "must be valid" if webhook["id"] else "is required and must be valid"
        code = "woocommerce_rest_shop_webhook_invalid_topic"
        raise ApiError(400, code, f"Webhook topic {word}.")
    if (url or not webhook["id"]) and not _is_url(url):
        raise ApiError(
            400,
            "woocommerce_rest_shop_webhook_invalid_delivery_url",
            "Webhook delivery URL must be a valid URL starting with http:// or https://.",
        )
    webhook["topic"] = topic or webhook["topic"]
    webhook["delivery_url"] = url or webhook["delivery_url"]


def _is_topic(topic):
    return topic in TOPICS or topic.startswith("action.")


def _is_url(url):
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def show(site, webhook):
    resource, _, event = webhook["topic"].partition(".")
    return {
        "id": webhook["id"],
        "name": webhook["name"],
        "status": webhook["status"],
        "topic": webhook["topic"],
        "resource": resource,
        "event": event,
        "hooks": [f"woocommerce_{event}_{resource}"],
        "delivery_url": webhook["delivery_url"],
        **dates.shown(site, webhook, "date_created", "date_modified"),
        "_links": {
            "self": [{"href": site.api_url(f"webhooks/{webhook['id']}")}],
            "collection": [{"href": site.api_url("webhooks")}],
        },
    }


# === DELIVERY === #


def signature(body, secret):
    """base64(HMAC-SHA256(raw body, secret)): WC_Webhook::generate_signature()"""
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


def delivery_id(webhook_id, second):
    return hashlib.md5(f"{webhook_id}{second}".encode(), usedforsecurity=False).hexdigest()


class Deliverer:
    """Sends what happened, one after the other, in a thread of its own."""

    def __init__(self, site):
        self._site = site
        self._queue = queue.Queue()
        self._thread = None
        self._stopped = threading.Event()

    def start(self):
        self._stopped.clear()
        self._thread = threading.Thread(target=self._run, name="sandbox webhooks", daemon=True)
        self._thread.start()

    def stop(self):
        """What was not sent yet is lost, as with a store that goes down."""
        self._stopped.set()
        if self._thread:
            while not self._queue.empty():
                self._queue.get_nowait()
                self._queue.task_done()
            self._queue.put(None)
            self._thread.join(timeout=1)
            self._thread = None

    def wait(self):
        """Until everything that was announced so far is sent."""
        self._queue.join()

    def announce(self, events):
        """Queue a delivery of each (topic, resource id) for every active webhook of the topic."""
        webhooks = self._site.store.find(KIND, [("status = 'active'", [])]) if events else []
        for topic, resource_id in events if webhooks else ():
            for webhook in webhooks:
                if webhook["topic"] == topic:
                    self._queue.put((self._deliver, webhook["id"], topic, resource_id))

    def ping(self, webhook):
        self._queue.put((self._ping, webhook))

    def _run(self):
        for task in iter(self._queue.get, None):
            try:
                task[0](*task[1:])
            except Exception:  # the edge of the thread: the next delivery must still go out
                _logger.exception("webhook delivery")
            finally:
                self._queue.task_done()
        self._queue.task_done()

    def _ping(self, webhook):
        """What WooCommerce sends when a webhook is made: a form, and no signature."""
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        self._post(webhook, f"webhook_id={webhook['id']}".encode(), headers)

    def _deliver(self, webhook_id, topic, resource_id):
        webhook = self._site.store.get(KIND, webhook_id)
        if webhook is None or webhook["status"] != "active":
            return
        resource, _, event = topic.partition(".")
        payload = {"id": resource_id} if event == "deleted" else None
        payload = payload or self._site.webhook_payload(resource, resource_id)
        # as PHP writes JSON: a slash is escaped, and so is everything beyond ASCII
        body = json.dumps(payload, separators=(",", ":")).replace("/", "\\/").encode()
        second = int(self._site.clock().timestamp())
        headers = {
            "Content-Type": "application/json",
            "X-WC-Webhook-Source": f"{self._site.url}/",
            "X-WC-Webhook-Topic": topic,
            "X-WC-Webhook-Resource": resource,
            "X-WC-Webhook-Event": event,
            "X-WC-Webhook-Signature": signature(body, webhook["secret"]),
            "X-WC-Webhook-ID": str(webhook_id),
            "X-WC-Webhook-Delivery-ID": delivery_id(webhook_id, second),
        }
        status = self._post(webhook, body, headers)
        if not self._stopped.is_set():
            self._note_outcome(webhook_id, 200 <= status < 303)

    def _post(self, webhook, body, headers):
        """The status, or 0 where nobody answered. Redirects are not followed."""
        url = urlsplit(webhook["delivery_url"])
        secure = url.scheme == "https"
        kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        connection = kind(url.hostname, url.port, timeout=TIMEOUT)
        agent = f"WooCommerce/{self._site.version} Hookshot (WordPress/{self._site.wp_version})"
        path = (url.path or "/") + (f"?{url.query}" if url.query else "")
        try:
            connection.request("POST", path, body, {**headers, "User-Agent": agent})
            return connection.getresponse().status
        except (OSError, http.client.HTTPException, ValueError) as error:
            _logger.info("webhook %s: %s", webhook["id"], error)
            return 0
        finally:
            connection.close()

    def _note_outcome(self, webhook_id, success):
        """WC_Webhook::log_delivery() and failed_delivery()"""
        with self._site.store.transaction():
            webhook = self._site.store.get(KIND, webhook_id)
            if webhook is None:
                return
            if success:
                webhook["failure_count"] = 0
            elif webhook["failure_count"] > MAX_FAILURES:
                webhook["status"] = "disabled"
            else:
                webhook["failure_count"] += 1
            save(self._site, webhook)

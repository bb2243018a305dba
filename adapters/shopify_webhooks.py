"""What Shopify sends to us.

https://shopify.dev/docs/apps/build/webhooks/delivery-structure
"""

import json
from urllib.parse import urlsplit

from .base import Event
from .errors import Rejected, SyncError
from .shopify_errors import element_error
from .shopify_queries import SUBSCRIBE, SUBSCRIPTIONS, UNSUBSCRIBE
from .shopify_values import plain_id, utc
from .signatures import hmac_sha256_matches

SIGNATURE = "X-Shopify-Hmac-SHA256"
TOPIC = "X-Shopify-Topic"
SHOP_DOMAIN = "X-Shopify-Shop-Domain"
#: The same in every try of one delivery.
DELIVERY = "X-Shopify-Webhook-Id"
TRIGGERED = "X-Shopify-Triggered-At"
#: Resources of topics (``orders/updated``) -> our kinds of data.
KINDS = {
    "orders": "order",
    "customers": "customer",
    "products": "product",
    "inventory_levels": "inventory",
    "refunds": "refund",
    "fulfillments": "shipment",
}
#: Asked by data protection law; the shop's or the customer's data is to be handed out or deleted.
#: https://shopify.dev/docs/apps/build/compliance/privacy-law-compliance
PRIVACY_TOPICS = ("customers/data_request", "customers/redact", "shop/redact")
TOPIC_LIMIT = 64
#: A refund, a payment and a cancellation update their order.
TOPICS = {
    "order": ("orders/create", "orders/updated", "orders/delete"),
    "customer": ("customers/create", "customers/update", "customers/delete"),
    "product": ("products/create", "products/update", "products/delete"),
}
LOOPBACK = ("127.0.0.1", "localhost", "::1")
PAGE = 100


class WebhookMixin:
    """Signature and identity of deliveries; subscriptions."""

    webhook_topics = TOPICS
    privacy_topics = PRIVACY_TOPICS

    @classmethod
    def verify(cls, headers, body, secrets):
        """``secrets`` are the app's client secrets."""
        return hmac_sha256_matches(body, headers.get(SIGNATURE), secrets)

    @classmethod
    def parse_event(cls, headers, body):
        topic = (headers.get(TOPIC) or "").lower()[:TOPIC_LIMIT]
        delivery = headers.get(DELIVERY) or ""
        if not topic or not delivery:
            raise Rejected("The message says neither topic nor id.", code="malformed_event")
        record = parse_body(body)
        kind = "" if topic in PRIVACY_TOPICS else KINDS.get(topic.partition("/")[0], "")
        changed = record.get("updated_at") or headers.get(TRIGGERED)
        return Event(
            identity=delivery[:128],
            topic=topic,
            kind=kind,
            external_id=_record_id(kind, record),
            updated_at=utc(changed),
            deleted=topic.endswith("/delete"),
        )

    @classmethod
    def comes_from(cls, headers, address):
        """Whether a message comes from the shop at an address: one app serves several shops, and
        all of its messages are signed with the same secret.

        :param str address: the connection's; a sandbox on this machine may be any shop
        """
        host = (urlsplit(address).hostname or "").lower()
        return host in LOOPBACK or sender(headers) == host

    # === SUBSCRIPTIONS === #

    def subscriptions(self):
        """What the shop sends where, of this app.

        :return: ``[{"id", "topic", "uri"}]``, topics as in the header (``orders/updated``)
        """
        found, after = [], None
        while True:
            page = self._query(SUBSCRIPTIONS, first=PAGE, after=after)["webhookSubscriptions"]
            found += [
                {
                    "id": plain_id(node["id"]),
                    "topic": header_topic(node["topic"]),
                    "uri": node.get("uri") or "",
                    "active": True,  # Shopify removes what fails
                }
                for node in page["nodes"]
            ]
            if not page["pageInfo"]["hasNextPage"]:
                return found
            after = page["pageInfo"]["endCursor"]

    def subscribe(self, topic, uri, secret=""):
        """Have the shop send a topic to an address; what is there already is left as it is.

        :raise SyncError: the shop refuses it
        """
        if any(row["topic"] == topic and row["uri"] == uri for row in self.subscriptions()):
            return
        webhook = {"uri": uri, "format": "JSON"}
        _payload, errors = self._mutate(SUBSCRIBE, topic=schema_topic(topic), webhook=webhook)
        if errors:
            raise element_error(errors[0], f"Webhook {topic}")

    def unsubscribe(self, subscription_id):
        """Have the shop stop; one that is gone is left alone."""
        subscription = f"gid://shopify/WebhookSubscription/{subscription_id}"
        _payload, errors = self._mutate(UNSUBSCRIBE, id=subscription)
        error: SyncError | None = element_error(errors[0], "Webhook") if errors else None
        if error and error.kind != "missing":
            raise error


def sender(headers):
    """The shop a message comes from: ``example.myshopify.com``"""
    return (headers.get(SHOP_DOMAIN) or "").strip().lower()


def schema_topic(topic):
    """``orders/updated`` -> ``ORDERS_UPDATED``"""
    return topic.upper().replace("/", "_")


#: Words of topics that hold an underscore themselves.
RESOURCES = ("inventory_levels", "inventory_items", "fulfillment_orders", "bulk_operations")


def header_topic(name):
    """``ORDERS_UPDATED`` -> ``orders/updated``; ``INVENTORY_LEVELS_UPDATE`` too."""
    lowered = name.lower()
    for resource in RESOURCES:
        if lowered.startswith(resource + "_"):
            return f"{resource}/{lowered[len(resource) + 1 :]}"
    return lowered.replace("_", "/", 1)


def parse_body(body):
    try:
        record = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Rejected("The message is no JSON.", code="malformed_event") from error
    if not isinstance(record, dict):
        raise Rejected("The message is no JSON object.", code="malformed_event")
    return record


def _record_id(kind, record):
    if kind == "inventory":
        return str(record.get("inventory_item_id") or "")
    return str(record.get("id") or "")

"""What WooCommerce sends to us.

https://developer.woocommerce.com/docs/best-practices/urls-and-routing/webhooks/ and
includes/class-wc-webhook.php
"""

import hashlib
import json

from .base import Event
from .errors import Rejected
from .signatures import hmac_sha256_matches
from .woocommerce_values import utc

SIGNATURE = "X-WC-Webhook-Signature"
TOPIC = "X-WC-Webhook-Topic"
#: Resources of topics (``order.updated``) -> our kinds of data.
KINDS = {"order": "order", "customer": "customer", "product": "product"}
#: When a webhook is saved, an unsigned form ``webhook_id=17`` comes first and wants a 200
#: (WC_Webhook::deliver_ping).
PING = b"webhook_id="
PING_LIMIT = 64


class WebhookMixin:
    """Signature and identity of deliveries."""

    @classmethod
    def is_ping(cls, headers, body):
        return (
            len(body) <= PING_LIMIT
            and body.startswith(PING)
            and body.removeprefix(PING).isdigit()
            and not headers.get(SIGNATURE)
        )

    @classmethod
    def verify(cls, headers, body, secrets):
        return hmac_sha256_matches(body, headers.get(SIGNATURE), secrets)

    @classmethod
    def parse_event(cls, headers, body):
        """The identity is topic and content: the delivery id is made of the webhook and the
        current second, and two orders in one second share it."""
        topic = (headers.get(TOPIC) or "")[:64]
        resource = topic.partition(".")[0]
        record = parse_body(body)
        external_id = record.get("id")
        digest = hashlib.sha256(body).hexdigest()[:32]
        return Event(
            identity=f"{topic}:{external_id}:{digest}",
            topic=topic,
            kind=KINDS.get(resource, ""),
            external_id=str(external_id or ""),
            updated_at=utc(record.get("date_modified_gmt")),
            deleted=topic.endswith(".deleted"),
        )


def parse_body(body):
    try:
        record = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Rejected("The message is no JSON.", code="malformed_event") from error
    if not isinstance(record, dict):
        raise Rejected("The message is no JSON object.", code="malformed_event")
    return record

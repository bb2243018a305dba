"""What our subscriber in Medusa sends to us: Standard Webhooks. Medusa has none of its own.

The subscriber is in docs/medusa.md; its body is ``{type, timestamp, data: {id, updated_at}}``.
``data`` names the order (product, customer) that the event ``type`` is about.
https://www.standardwebhooks.com/
"""

import json

from .base import Event
from .errors import Rejected
from .medusa_values import utc
from .standard_webhooks import verify

MESSAGE_ID = "webhook-id"
#: Beginnings of topics -> our kinds of data. What is shipped or paid concerns the order.
KINDS = {
    "order": "order",
    "shipment": "order",
    "delivery": "order",
    "payment": "order",
    "product": "product",
    "customer": "customer",
}


class WebhookMixin:
    """Signature and identity of messages."""

    @classmethod
    def verify(cls, headers, body, secrets):
        return verify(headers, body, secrets)

    @classmethod
    def parse_event(cls, headers, body):
        """The message's id is the same in all tries of one event."""
        message = parse_body(body)
        data = message.get("data") if isinstance(message.get("data"), dict) else {}
        topic = str(message.get("type") or "")[:64]
        return Event(
            identity=(headers.get(MESSAGE_ID) or "")[:200],
            topic=topic,
            kind=KINDS.get(topic.partition(".")[0], ""),
            external_id=str(data.get("id") or ""),
            updated_at=utc(data.get("updated_at")),
        )


def parse_body(body):
    try:
        record = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Rejected("The message is no JSON.", code="malformed_event") from error
    if not isinstance(record, dict):
        raise Rejected("The message is no JSON object.", code="malformed_event")
    return record

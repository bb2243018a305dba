"""Standard Webhooks: signed messages, sent and received.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import binascii
import hashlib
import hmac
import json
import secrets as randomness
import time

from .base import Event
from .errors import Rejected

ID_HEADER = "webhook-id"
TIMESTAMP_HEADER = "webhook-timestamp"
SIGNATURE_HEADER = "webhook-signature"
SECRET_PREFIX = "whsec_"
#: Seconds a message may be old, or ahead of our clock.
TOLERANCE = 300
#: More than any rotation needs are not looked at.
MOST_SIGNATURES = 10


def sign(secret, identity, timestamp, body):
    """One signature, ``v1,<base64>``.

    :param str secret: base64, with or without ``whsec_``
    :param int timestamp: Unix seconds
    :param bytes body: exactly as it is sent
    :raise ValueError: the secret is no base64
    """
    signed = f"{identity}.{timestamp}.".encode("utf-8", "replace") + body
    digest = hmac.new(_key(secret), signed, hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode()


def headers(secrets, identity, body, now=None):
    """The three headers of a message; one signature for each secret, for rotation."""
    timestamp = int(time.time() if now is None else now)
    signatures = [sign(secret, identity, timestamp, body) for secret in secrets if secret]
    return {
        ID_HEADER: identity,
        TIMESTAMP_HEADER: str(timestamp),
        SIGNATURE_HEADER: " ".join(signatures),
    }


def verify(received, body, secrets, now=None):
    """Whether a message was signed with one of the secrets, and lately. An empty secret refuses.

    :param received: case-insensitive mapping of headers
    """
    identity, stamp = received.get(ID_HEADER), received.get(TIMESTAMP_HEADER, "")
    given = (received.get(SIGNATURE_HEADER) or "").split()
    if not identity or not stamp.isascii() or not stamp.isdigit() or len(stamp) > 12:
        return False
    if abs((time.time() if now is None else now) - int(stamp)) > TOLERANCE:
        return False
    wanted = [sign(secret, identity, int(stamp), body) for secret in secrets if is_secret(secret)]
    matches = [
        hmac.compare_digest(one.encode(), other.encode("utf-8", "replace"))
        for one in wanted
        for other in given[:MOST_SIGNATURES]
    ]
    return any(matches)


def is_secret(secret):
    """Whether this can sign anything."""
    try:
        return bool(secret and _key(secret))
    except ValueError:
        return False


def new_secret():
    """A secret nobody has used yet: ``whsec_...``"""
    return SECRET_PREFIX + base64.b64encode(randomness.token_bytes(32)).decode()


def _key(secret):
    try:
        key = base64.b64decode(secret.strip().removeprefix(SECRET_PREFIX), validate=True)
    except (binascii.Error, UnicodeError) as error:
        raise ValueError("The signing secret is no base64.") from error
    if not key:
        raise ValueError("The signing secret is empty.")
    return key


class StandardWebhookMixin:
    """What a platform does with webhooks that are signed so.

    The body is an object with ``type`` (``order.updated``), ``timestamp`` and ``data``; what is in
    ``data`` is the platform's own, see :meth:`_describe`.
    """

    @classmethod
    def verify(cls, headers, body, secrets):
        return verify(headers, body, secrets)

    @classmethod
    def parse_event(cls, headers, body):
        message_id = headers.get(ID_HEADER) or ""
        try:
            message = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise Rejected("The message is no JSON.", code="malformed_event") from error
        if not message_id or not isinstance(message, dict):
            raise Rejected("The message has no id, or is no object.", code="malformed_event")
        topic = message.get("type")
        topic = topic if isinstance(topic, str) else ""
        return Event(identity=message_id, topic=topic, **cls._describe(topic, message))

    @classmethod
    def _describe(cls, topic, message):
        """``kind``, ``external_id``, ``updated_at`` and ``deleted`` of :class:`Event`, as far as
        the message says. Overridden for each platform."""
        return {}

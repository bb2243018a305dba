"""Standard Webhooks: signed messages, sent and received.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import binascii
import hashlib
import hmac
import time

ID_HEADER = "webhook-id"
TIMESTAMP_HEADER = "webhook-timestamp"
SIGNATURE_HEADER = "webhook-signature"
SECRET_PREFIX = "whsec_"
#: Seconds a message may be old, or ahead of our clock.
TOLERANCE = 300


def sign(secret, identity, timestamp, body):
    """One signature, ``v1,<base64>``.

    :param str secret: base64, with or without ``whsec_``
    :param int timestamp: Unix seconds
    :param bytes body: exactly as it is sent
    :raise ValueError: the secret is no base64
    """
    signed = f"{identity}.{timestamp}.".encode() + body
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
    if not identity or not stamp.isdigit() or len(stamp) > 12:
        return False
    if abs((time.time() if now is None else now) - int(stamp)) > TOLERANCE:
        return False
    try:
        wanted = [sign(secret, identity, int(stamp), body) for secret in secrets if secret]
    except ValueError:
        return False
    matches = [
        hmac.compare_digest(one.encode(), other.encode()) for one in wanted for other in given
    ]
    return any(matches)


def _key(secret):
    try:
        key = base64.b64decode(secret.strip().removeprefix(SECRET_PREFIX), validate=True)
    except (binascii.Error, UnicodeError) as error:
        raise ValueError("The signing secret is no base64.") from error
    if not key:
        raise ValueError("The signing secret is empty.")
    return key

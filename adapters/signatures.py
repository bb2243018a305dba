"""Signatures of webhooks: pure functions over headers and raw bodies, in constant time."""

import base64
import binascii
import hashlib
import hmac

#: Standard Webhooks: how old, or how far in the future, a message may be, in seconds.
#: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
TOLERANCE = 300
SECRET_PREFIX = "whsec_"


def hmac_sha256_matches(body, signature, secrets):
    """Whether ``signature`` (base64) is the HMAC-SHA256 of ``body`` under one of the secrets.

    :param bytes body: exactly as received
    :param list secrets: texts; empty ones match nothing
    """
    given = (signature or "").encode()
    matches = [
        hmac.compare_digest(given, base64.b64encode(_hmac(secret.encode(), body)))
        for secret in secrets
        if secret
    ]
    return any(matches)


def standard_webhook_matches(headers, body, secrets, now):
    """Whether a message is signed as Standard Webhooks wants it, and recent.

    :param headers: case-insensitive mapping
    :param bytes body: exactly as received
    :param list secrets: base64 texts, with or without ``whsec_``; several during rotation
    :param float now: seconds since 1970
    """
    message_id = headers.get("webhook-id") or ""
    timestamp = headers.get("webhook-timestamp") or ""
    if not message_id or not timestamp.isascii() or not timestamp.isdigit():
        return False
    if len(timestamp) > 12 or abs(now - int(timestamp)) > TOLERANCE:
        return False
    given = [
        signature.removeprefix("v1,").encode()
        for signature in (headers.get("webhook-signature") or "").split()
        if signature.startswith("v1,")
    ]
    message = f"{message_id}.{timestamp}.".encode() + body
    expected = [base64.b64encode(_hmac(key, message)) for key in map(_key, secrets) if key]
    matches = [hmac.compare_digest(one, other) for one in given for other in expected]
    return any(matches)


def standard_webhook_signature(message_id, timestamp, body, secret):
    """The value of ``webhook-signature`` for a message of ours.

    :param int timestamp: seconds since 1970
    :param bytes body: as it will be sent
    """
    message = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(_hmac(_key(secret), message)).decode()


def _key(secret):
    """The bytes of a Standard Webhooks secret; empty where it is none."""
    try:
        return base64.b64decode((secret or "").removeprefix(SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        return b""


def _hmac(key, message):
    return hmac.new(key, message, hashlib.sha256).digest()

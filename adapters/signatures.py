"""Signatures over raw bodies, compared in constant time."""

import base64
import hashlib
import hmac


def hmac_sha256_matches(body, signature, secrets):
    """Whether ``signature`` (base64) is the HMAC-SHA256 of ``body`` under one of the secrets.

    :param bytes body: exactly as received
    :param list secrets: texts; empty ones match nothing
    """
    given = (signature or "").encode("utf-8", "replace")
    matches = [
        hmac.compare_digest(given, base64.b64encode(hmac_sha256(secret.encode(), body)))
        for secret in secrets
        if secret
    ]
    return any(matches)


def hmac_sha256(key, message):
    """The HMAC-SHA256 of ``message`` under ``key``; all three are bytes."""
    return hmac.new(key, message, hashlib.sha256).digest()

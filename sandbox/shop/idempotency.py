"""``@idempotent(key:)``: what the schema does not say, and Shopify enforces at run time.

https://shopify.dev/docs/api/usage/implementing-idempotency
"""

import hashlib
import json
from datetime import datetime, timedelta

from graphql import GraphQLError

from .ids import now
from .registry import user_error

KIND = "idempotency"
REMEMBERED = timedelta(hours=24)
REQUIRED_SINCE = "2026-04"
#: mutation -> name of the payload's own object, null beside an error
MUTATIONS = {
    "inventorySetQuantities": "inventoryAdjustmentGroup",
    "inventoryActivate": "inventoryLevel",
    "refundCreate": "refund",
}
CONCURRENT = "This request is currently in progress, please try again."
MISMATCH = "The same idempotency key cannot be used with different operation parameters."
FAILED = "A previous request with this idempotency key failed. Retry with a new idempotency key."
MISSING = "The @idempotent directive is required for this mutation but was not provided."


def guarded(call, field, key, arguments, work):
    """The payload of ``work()``, or of the same request before, or why neither."""
    if not key:
        if call.version >= REQUIRED_SINCE:
            raise GraphQLError(MISSING, extensions={"code": "BAD_REQUEST"})
        return work()
    if not call.site.begin(key):
        return _refusal(field, "IDEMPOTENCY_CONCURRENT_REQUEST", CONCURRENT)
    try:
        return _once(call, field, key, arguments, work)
    finally:
        call.site.end(key)


def _once(call, field, key, arguments, work):
    number = int.from_bytes(hashlib.sha256(key.encode()).digest()[:7], "big") + 1
    asked = hashlib.sha256(json.dumps([field, arguments], sort_keys=True).encode()).hexdigest()
    before = call.store.get(KIND, number)
    if before and _age(call.site, before) < REMEMBERED:
        if before["asked"] != asked:
            return _refusal(field, "IDEMPOTENCY_KEY_PARAMETER_MISMATCH", MISMATCH)
        if before["failed"]:
            return _refusal(field, "IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED", FAILED)
        return before["answer"]
    answer = work()
    failed = bool(answer.get("userErrors"))
    call.store.put(
        KIND,
        {"id": number, "asked": asked, "failed": failed, "answer": answer, "at": now(call.site)},
    )
    return answer


def _age(site, before):
    return site.clock() - datetime.fromisoformat(before["at"].replace("Z", "+00:00"))


def _refusal(field, code, message):
    return {MUTATIONS[field]: None, "userErrors": [user_error(message, code=code)]}

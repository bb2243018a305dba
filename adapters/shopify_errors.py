"""Shopify's refusals, sorted into the typed errors.

They come in three ways: as an HTTP status, as ``errors`` beside HTTP 200, and as ``userErrors`` of
a mutation. https://shopify.dev/docs/api/admin-graphql#status_and_error_codes
"""

import re

from .errors import (
    AuthenticationFailed,
    Conflict,
    Misconfigured,
    Missing,
    RateLimited,
    Rejected,
    Temporary,
    Unexpected,
)
from .failures import RETRIED, plain_words

THROTTLED = "THROTTLED"
STALE = "CHANGE_FROM_QUANTITY_STALE"
NOT_STOCKED = "ITEM_NOT_STOCKED_AT_LOCATION"
BUNDLE = "NON_MUTABLE_INVENTORY_ITEM"
CONCURRENT = "IDEMPOTENCY_CONCURRENT_REQUEST"
PREVIOUS_FAILED = "IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED"
#: Seconds until a request that is still being worked on over there is asked for again.
CONCURRENT_WAIT = 5.0

APP_PLACE = "the app's settings in Shopify's Dev Dashboard"
HINT_TOKEN = (
    f"Check client ID and client secret ({APP_PLACE}), or the access token, and that the app is "
    "still installed in the shop."
)
HINT_SCOPE = (
    "Add the access scope to a new version of the app in Shopify's Dev Dashboard, approve it in the"
    " shop's admin, then press Resume."
)
HINT_ADDRESS = "Enter the shop's own address, which ends in .myshopify.com."
HINT_CHANGE = "Correct it as the store says, then press Resend."
HINT_MATCH = "Match it again (Mappings), or publish it anew, then press Resend."
HINT_LOCATION = "Map the warehouse to another location (Mappings), then press Resend."
HINT_BUNDLE = (
    "A bundle has no stock of its own: Shopify counts its parts. Unmatch the product, or send the "
    "stock of the parts."
)

#: code of a userError -> (class, hint)
CODES = {
    STALE: (Conflict, "Look at the quantity in the store, then press Resend to overwrite it."),
    "STALE_OBJECT": (Conflict, "Look at the record in the store, then press Resend."),
    BUNDLE: (Rejected, HINT_BUNDLE),
    "INVALID_INVENTORY_ITEM": (Missing, HINT_MATCH),
    "INVALID_LOCATION": (Missing, HINT_LOCATION),
    "PRODUCT_DOES_NOT_EXIST": (Missing, HINT_MATCH),
    "PRODUCT_VARIANT_DOES_NOT_EXIST": (Missing, HINT_MATCH),
    "NOT_FOUND": (Missing, HINT_MATCH),
    CONCURRENT: (Temporary, RETRIED),
    "INTERNAL_ERROR": (Temporary, RETRIED),
}
#: Most mutations of orders and fulfilments give words and no code.
GONE = re.compile(r"does(n't| not) exist|could(n't| not) be found|\bnot found\b", re.I)


# === HTTP STATUSES === #


def interpret(response, host):
    """What a refused request means.

    :return: a typed error, or ``None`` to leave it to the general rules of HTTP
    """
    explain = STATUSES.get(response.status)
    if not explain or response.is_page:  # a web page comes from something in front of the shop
        return None
    return explain(host, _words(response.data))


def _words(data):
    errors = data.get("errors") if isinstance(data, dict) else None
    return plain_words(errors if isinstance(errors, str) else "")


def _not_signed_in(host, words):
    said = words or "no reason is given"
    return AuthenticationFailed(
        f"{host} does not accept our access: {said}", hint=HINT_TOKEN, code="401"
    )


def _frozen(host, _words):
    return Misconfigured(
        f"The shop {host} is frozen: it owes Shopify money (HTTP 402).",
        hint="The shop's owner pays the bill in Shopify; then press Resume.",
        code="shop_frozen",
    )


def _forbidden(host, words):
    said = f": {words}" if words else ""
    return AuthenticationFailed(
        f"{host} forbids this (HTTP 403){said}.", hint=HINT_SCOPE, code="403"
    )


def _no_shop(host, _words):
    return Misconfigured(
        f"There is no Shopify shop at {host}, or it no longer has this version of the API.",
        hint=f"{HINT_ADDRESS} If it does, update Commerce Sync.",
        code="no_shop",
    )


def _locked(host, _words):
    return Misconfigured(
        f"The shop {host} is locked (HTTP 423).",
        hint="The shop's owner asks Shopify's support why; then press Resume.",
        code="shop_locked",
    )


STATUSES = {401: _not_signed_in, 402: _frozen, 403: _forbidden, 404: _no_shop, 423: _locked}


# === ERRORS OF A QUERY === #


def query_error(errors, host, wait=None):
    """What ``errors`` beside HTTP 200 mean: always the whole request.

    :param float wait: seconds until there are points enough again
    """
    first = errors[0] if isinstance(errors, list) and errors else {}
    first = first if isinstance(first, dict) else {"message": str(first)}
    extensions = first.get("extensions")
    code = str((extensions or {}).get("code") or "") if isinstance(extensions, dict) else ""
    words = plain_words(first.get("message"))
    if code == THROTTLED:
        return RateLimited(
            f"{host} asks us to send fewer requests.",
            code=code,
            retry_after=wait,
            hint="Nothing to do: the request is sent again later.",
        )
    if code == "ACCESS_DENIED":
        message = f"The app may not do this in {host}: {words}"
        return AuthenticationFailed(message, hint=HINT_SCOPE, code=code)
    if code == "SHOP_INACTIVE":
        return Misconfigured(
            f"The shop {host} is not active.", hint="Open the shop in Shopify.", code=code
        )
    if code in ("INTERNAL_SERVER_ERROR", "TIMEOUT"):
        message = f"{host} has an error of its own: {words or code}"
        return Temporary(message, hint=RETRIED, code=code, uncertain=True)
    if "invalid global id" in words.lower() or "invalid id" in words.lower():
        return Missing(f"{host}: {words}", hint=HINT_MATCH, code=code)
    return Unexpected(
        f"{host} does not understand our request: {words or 'no reason is given'}",
        hint="This is an error in Commerce Sync: report it.",
        code=code or "query_error",
    )


# === ERRORS OF ONE ELEMENT === #


def element_error(error, label):
    """What one entry of ``userErrors`` means: never more than the element it concerns.

    :param dict error: ``{code, field, message}``; many have no code
    """
    code = str(error.get("code") or "")
    words = plain_words(error.get("message")) or code or "no reason is given"
    error_class, hint = CODES.get(code) or _by_words(words)
    if error_class is Missing:
        message = f"{label}: it no longer exists in the store ({words.rstrip('.')})."
    else:
        message = f"{label}: the store refuses it: {words}"
    if error_class is Temporary:
        return Temporary(message, hint=hint, code=code, retry_after=CONCURRENT_WAIT)
    return error_class(message, hint=hint, code=code)


def _by_words(words):
    return (Missing, HINT_MATCH) if GONE.search(words) else (Rejected, HINT_CHANGE)


def place_in(error, *path):
    """The number in a field like ``["input", "quantities", "3", "locationId"]`` behind ``path``,
    or ``None``: the error does not say which element."""
    field = error.get("field")
    if not isinstance(field, list) or tuple(field[: len(path)]) != path or len(field) <= len(path):
        return None
    number = str(field[len(path)])
    return int(number) if number.isdigit() else None

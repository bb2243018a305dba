"""WooCommerce's error codes, sorted into the typed errors.

The body of an error is ``{code, message, data: {status}}``:
https://woocommerce.github.io/woocommerce-rest-api-docs/#errors
"""

import re

from .errors import AuthenticationFailed, Missing, RateLimited, Rejected, Temporary
from .failures import plain_words

KEYS_PLACE = "WooCommerce > Settings > Advanced > REST API"
TOO_LARGE = "woocommerce_rest_request_entity_too_large"
NO_ROUTE = "rest_no_route"
#: A variation addressed as a product.
IS_VARIATION = "woocommerce_rest_invalid_product_id"

#: The record is gone, whether the status beside it is 400 (in a batch) or 404.
MISSING_CODE = re.compile(r"_invalid_id$|_invalid_parent$|^rest_post_invalid_id$|_already_trashed$")
#: Given by WooCommerce, and by WordPress where it takes the API key for a user's name.
KEY_CODES = frozenset(
    {
        "woocommerce_rest_authentication_error",
        "woocommerce_rest_authentication_missing_parameter",
        "invalid_username",
        "invalid_email",
        "incorrect_password",
    }
)

HINT_KEY = f"Check consumer key and consumer secret; new ones are made in {KEYS_PLACE}."
HINT_CLOCK = "The clocks of the Odoo server and of the store differ: set both right."
HINT_UNSEEN = (
    f"Check consumer key and consumer secret ({KEYS_PLACE}). If they are right, the store's web "
    "server does not hand the key on to WordPress (the Authorization header), or WordPress does "
    "not see that the connection is encrypted (https behind a proxy); its hosting provider can "
    "mend either."
)
HINT_ROLE = (
    f"Give the API key's user the role Shop manager, or make a key for another user in {KEYS_PLACE}"
    "."
)
HINT_MISSING = "Match it again (Configuration > Matching), or publish it anew, then press Resend."
HINT_NO_ROUTE = (
    "Check in the store under Plugins that WooCommerce is active and up to date. It is tried again "
    "by itself."
)

#: code -> (class, hint), where the status alone would mislead.
CODES = {
    NO_ROUTE: (Temporary, HINT_NO_ROUTE),
    IS_VARIATION: (Missing, "In the store it is now a variation of a product. Match it again."),
    TOO_LARGE: (Rejected, "The store accepts fewer items in one request than is usual."),
    "product_invalid_sku": (Rejected, "Another product of the store has this SKU already."),
    "woocommerce_rest_invalid_coupon": (Rejected, "Check the order's coupons in the store."),
}


def read_error(data):
    """``(code, message, status)`` of an error body, or ``None`` where it is not one."""
    if not isinstance(data, dict) or "code" not in data:
        return None
    details = data.get("data")
    status = details.get("status") if isinstance(details, dict) else None
    status = int(status) if str(status).isdigit() else 0
    return str(data["code"]), plain_words(data.get("message")), status


def interpret(response, host, single):
    """What a refused request means.

    :param single: it concerned one record, so being forbidden says nothing of the others
    :return: a typed error, or ``None`` to leave it to the general rules of HTTP
    """
    found = read_error(response.data)
    if not found or response.status >= 500 or response.status == 429:
        return None
    code, words, _status = found
    if response.status in (401, 403) and not (single and response.status == 403):
        return authentication_error(response.status, code, words, host)
    error_class, hint = _classify(code, response.status)
    return error_class(f"{host}: {words or code}", hint=hint, code=code)


def authentication_error(status, code, words, host):
    """The key itself is the trouble, so every other request would fail alike."""
    if code in KEY_CODES:
        message = f"{host} does not accept the API key: {words or code}"
        hint = HINT_CLOCK if "timestamp" in words.lower() else HINT_KEY
    elif status == 401:
        message, hint = f"{host} does not recognise the API key: {words or code}", HINT_UNSEEN
    else:
        message = f"The user behind the API key may not do this in {host}: {words or code}"
        hint = HINT_ROLE
    return AuthenticationFailed(message, hint=hint, code=code)


def item_error(data, label):
    """What an error in the place of one item of a batch means: never more than that item.

    :param dict data: ``{code, message, data: {status}}``
    """
    code, words, status = read_error(data) or ("", "", 0)
    error_class, hint = _classify(code, status)
    if error_class is Missing:
        return missing(label, code, words, hint)
    return error_class(f"{label}: the store refuses it: {words or code}", hint=hint, code=code)


def missing(label, code, words="", hint=HINT_MISSING):
    said = f" ({words})" if words else ""
    return Missing(f"{label}: it no longer exists in the store{said}.", hint=hint, code=code)


def _classify(code, status):
    if code in CODES:
        return CODES[code]
    if MISSING_CODE.search(code) or status in (404, 410):
        return Missing, HINT_MISSING
    if status == 429:
        return RateLimited, ""
    if status >= 500:
        return Temporary, "It is tried again by itself."
    if status in (401, 403):
        return Rejected, f"The API key's user may not change this record. {HINT_ROLE}"
    return Rejected, "Correct it as the store says, then press Resend."

"""Medusa's errors, sorted into the typed errors.

The body is ``{type, message}``: https://docs.medusajs.com/learn/fundamentals/api-routes/errors
"""

from .errors import AuthenticationFailed, Missing, Rejected, Temporary
from .failures import plain_words

KEYS_PLACE = "Settings > Secret API Keys"
HINT_KEY = f"Make a secret API key in Medusa's admin under {KEYS_PLACE}, and type it in."
HINT_MISSING = "Match it again (Configuration > Matching), or publish it anew, then press Resend."
HINT_REJECTED = "Correct it as the store says, then press Resend."
#: Another request has the record under its lock.
BUSY = "conflict"
NOT_FOUND = "not_found"
FORBIDDEN = (401, 403)


def interpret(response, host):
    """What a refused request means.

    :return: a typed error with the store's whole message as ``said``, or ``None`` to leave it to
        the general rules of HTTP
    """
    data = response.data if isinstance(response.data, dict) else {}
    words, code = str(data.get("message") or ""), str(data.get("type") or response.status)
    if not words or response.status >= 500 or response.status == 429:
        return None
    said = plain_words(words)
    if response.status in FORBIDDEN:
        error = AuthenticationFailed(
            f"{host} does not accept the API key: {said}", hint=HINT_KEY, code=code
        )
    elif response.status == 409 or code == BUSY:
        error = Temporary(f"{host}: {said}", hint="It is tried again by itself.", code=code)
    elif response.status == 404 or code == NOT_FOUND:
        error = Missing(f"{host}: {said}", hint=HINT_MISSING, code=code)
    else:
        error = Rejected(f"{host}: {said}", hint=HINT_REJECTED, code=code)
    error.said = words
    return error


def about(error, label, what="the store refuses it"):
    """The same error, said of one document."""
    words = plain_words(getattr(error, "said", "")) or error.message
    if isinstance(error, Missing):
        what = "the store does not have it (any more)"
    wrapped = type(error)(
        f"{label}: {what}: {words}",
        hint=error.hint,
        code=error.code,
        retry_after=error.retry_after,
        uncertain=error.uncertain,
    )
    wrapped.said = getattr(error, "said", "")
    return wrapped

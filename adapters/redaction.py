"""What must not be written to a log: credentials always, personal data unless asked for.

Pure functions over text, headers, addresses and JSON-like values. They never raise, and what they
give back they leave alone when they meet it again.
"""

import json
import re
from functools import lru_cache
from urllib.parse import unquote_plus

MASK = "***"
#: Characters of a request or response kept for the log.
SUMMARY_LIMIT = 2000
#: Characters of one text inside a summary: an image or a PDF in base64 says nothing.
LEAF_LIMIT = 400
#: Nothing a store sends is nested deeper.
MAX_DEPTH = 60

# === KEYS === #

CREDENTIAL_KEY = re.compile(
    r"passw(or)?d|passwd|passphrase|(^|_)pwd($|_)|secret|token|authori[sz]ation|credential|cookie"
    r"|api_?key|access_?key|private_?key|consumer_?key|order_?key|auth_?key|signature|hmac|nonce"
    r"|(^|_)oauth(_|$)|(^|_)jwt($|_)|session_?id|(^|_)cvv|(^|_)cvc|card_?number|(^|_)iban($|_)"
)
#: Personal whatever the surroundings.
PERSONAL_KEY = re.compile(
    r"(^|_)(first|last|full|middle|nick|display|user)_?name$|(^|_)address_?(line_?)?\d$"
    r"|(^|_)street_?\d?$|(^|_)(post|postal|zip)_?code$|(^|_)zip$|(^|_)city$|(^|_)(tele)?phone"
    r"|(^|_)mobile$|(^|_)fax$|(^|_)e?mails?(_address)?$|(^|_)ip(_address)?$|(^|_)vat(_number)?$"
    r"|(^|_)birth|(^|_)latitude$|(^|_)longitude$"
)
#: Personal where they stand inside a :data:`PERSON` (a product's ``name`` is not).
PERSONAL_INSIDE = frozenset({"name", "company", "company_name", "address"})
#: Keys of objects that describe a person or where one lives.
PERSON = re.compile(
    r"(^|_)(billing|shipping|customer|contact|recipient|buyer|addressee|partner|address)"
    r"(_(address|details|info))?$|(^|_)(addresses|customers|contacts)$"
)
#: Written by the customer.
PERSONAL_TEXT = frozenset({"customer_note", "customer_message", "buyer_note"})

# === PATTERNS IN TEXT === #

_CREDENTIAL_NAMES = (
    r"consumer_?key|consumer_?secret|client_?secret|webhook_?secret|access_?token|refresh_?token"
    r"|id_?token|api_?key|private_?key|order_?key|passw(?:or)?d|passwd|secret|token|signature"
    r"|authorization|set-cookie|cookie|oauth_\w+"
)
_PERSONAL_NAMES = (
    r"first_?name|last_?name|address_?[12]|postcode|city|phone|email|(?:customer_)?ip_address"
)
#: Where a word begins; also after a line break that was escaped into a text.
_START = r"(?:(?<![A-Za-z0-9])|(?<=\\[nrt]))"
_VALUE = r"""(?:"(?:[^"\\]|\\.)*(?:"|\Z)|'[^']*(?:'|\Z)|[^\s&;,"'<>{}\[\]]+)"""

#: ck_, cs_ (WooCommerce), shpat_ (Shopify), sk_ (Medusa, Stripe), whsec_ (Standard Webhooks)
_PREFIXED = re.compile(
    _START + r"(?:[cs]k|pk|rk|cs|whsec|shp[a-z]{2})_"
    r"(?:[\w+/=-]{16,}|(?=[A-Za-z0-9]*\d)[A-Za-z0-9]{8,})"
)

CREDENTIAL_PATTERNS = (
    # https://user:password@shop.example
    (re.compile(r"(?<=://)[^\s/?#@]+@"), MASK + "@"),
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*-----|\Z)", re.S), MASK),
    (re.compile(_START + r"eyJ[\w-]{8,}\.[\w-]+(?:\.[\w-]*)?"), MASK),
    # Authorization: OAuth oauth_consumer_key="...", oauth_signature="..."
    (re.compile(_START + r"OAuth\s+\w+=[^\r\n]*"), "OAuth " + MASK),
    (
        re.compile(_START + r"(Basic|Bearer|Digest)(\s+)(?=\S*[\d=])[\w+/=.~-]{8,}", re.I),
        r"\1\2" + MASK,
    ),
    (_PREFIXED, MASK),
    # "consumer_secret": "...", consumer_secret=..., password: ...
    (
        re.compile(rf"""{_START}((?:{_CREDENTIAL_NAMES})["']?\s*[:=]\s*){_VALUE}""", re.I),
        r"\1" + MASK,
    ),
    # ?key=wc_order_... opens the order's payment page
    (re.compile(r"([?&](?:key|sig|hash|code)=)[^\s&#\"'<>]+", re.I), r"\1" + MASK),
)
PERSONAL_PATTERNS = (
    (
        re.compile(rf"""("(?:{_PERSONAL_NAMES})"\s*:\s*)"(?:[^"\\]|\\.)*(?:"|\Z)""", re.I),
        rf'\1"{MASK}"',
    ),
    (re.compile(r"(?<![\w.+%-])[\w.+%-]+@[\w-]+(?:\.[\w-]+)+"), MASK),
    # +49 151 2345678, (555) 123-4567; not 004915123456, which may be a barcode
    (re.compile(r"(?<![\w.])\+\d[\d ().-]{6,}\d"), MASK),
    (re.compile(r"\(\d{3}\) ?\d{3}-\d{4}(?!\d)"), MASK),
)
#: Without one of these in it, a text in lower case matches none of the patterns above, but for a
#: prefixed key. Most texts have none, and looking for them is many times faster than the patterns.
_NEEDLES = (
    "@", "+", "(", '"', "key", "secret", "token", "passw", "signature", "authorization", "cookie",
    "oauth", "basic", "bearer", "digest", "eyj", "-----begin", "sig=", "hash=", "code=",
)  # fmt: skip
#: What a credential can be made of: a cut must not leave the head of one behind.
_CUT_TAIL = re.compile(r"[\w+/=.~%@-]*\Z")


def redact_text(text, personal=True):
    """``text`` without credentials and, if ``personal``, without e-mail and phone numbers."""
    if not isinstance(text, str) or not _is_suspect(text):
        return text
    patterns = CREDENTIAL_PATTERNS + PERSONAL_PATTERNS if personal else CREDENTIAL_PATTERNS
    # A mask may bring two harmless halves together; so go on until nothing changes.
    for _again in range(5):
        before = text
        for pattern, replacement in patterns:
            text = pattern.sub(replacement, text)
        if text == before:
            break
    return text


def _is_suspect(text):
    if text.isalnum():
        return False
    lowered = text.lower()
    for needle in _NEEDLES:  # any() would take twice as long, and this is the hot path
        if needle in lowered:
            return True
    return "_" in text and bool(_PREFIXED.search(text))


def cut(text, limit):
    """``text`` cut to about ``limit`` characters, never in the middle of a word."""
    if len(text) <= limit:
        return text
    return _CUT_TAIL.sub("", text[:limit]) + "…"


# === KEYS AND VALUES === #


@lru_cache(maxsize=4096)
def _snake(key):
    """``X-Access-Token`` and ``accessToken`` -> ``x_access_token`` and ``access_token``"""
    key = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", key)
    return re.sub(r"[^a-z0-9]+", "_", key.lower()).strip("_")


@lru_cache(maxsize=4096)
def _redact_key(key, personal):
    return redact_text(key, personal)


@lru_cache(maxsize=4096)
def is_credential_key(key):
    """Whether what stands under this key opens a door."""
    return bool(CREDENTIAL_KEY.search(_snake(key)))


@lru_cache(maxsize=4096)
def is_personal_key(key, inside_person=False):
    """Whether what stands under this key belongs to a person."""
    key = _snake(key)
    if inside_person and key in PERSONAL_INSIDE:
        return True
    return key in PERSONAL_TEXT or bool(PERSONAL_KEY.search(key))


@lru_cache(maxsize=4096)
def _is_person(key):
    return bool(PERSON.search(_snake(key)))


def redact(value, personal=True):
    """A copy of a JSON-like value without credentials and, if ``personal``, personal data.

    :param value: dicts, lists, tuples, texts, numbers; anything else is shown by its type
    """
    return _redact(value, personal, inside_person=False, depth=0)


def _redact(value, personal, inside_person, depth):
    if isinstance(value, str):
        return redact_text(value, personal)
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if depth >= MAX_DEPTH:
        return "…"
    if isinstance(value, dict):
        return _redact_dict(value, personal, inside_person, depth + 1)
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_redact(item, personal, inside_person, depth + 1) for item in value]
    if isinstance(value, (bytes, bytearray)):
        return redact_text(bytes(value).decode("utf-8", "replace"), personal)
    return f"<{type(value).__name__}>"


def _redact_dict(value, personal, inside_person, depth):
    hidden = _names_something_hidden(value, personal)
    redacted = {}
    for key, item in value.items():
        text = key if isinstance(key, str) else str(key)
        mask = is_credential_key(text) or (hidden and text == "value")
        if personal and not mask and not isinstance(item, dict):
            mask = is_personal_key(text, inside_person)
        redacted[_redact_key(text, personal)] = (
            _mask(item)
            if mask
            else _redact(item, personal, inside_person or _is_person(text), depth)
        )
    return redacted


def _names_something_hidden(value, personal):
    """Pairs as platforms write them: ``{"key": "_billing_email", "value": ...}``."""
    name = value.get("key") or value.get("name")
    if "value" not in value or not isinstance(name, str):
        return False
    return is_credential_key(name) or (personal and is_personal_key(name))


def _mask(item):
    """Whether there was a value is worth knowing, so empty ones stay."""
    return item if item is None or item == "" or isinstance(item, bool) else MASK


def redact_headers(headers, personal=True):
    """HTTP headers as a plain dict, without credentials."""
    return _redact(dict(headers), personal, inside_person=False, depth=0)


def redact_url(url, personal=True):
    """An address without user, password and secret query parameters; the rest stays readable.
    A signature (``oauth_*``) is left out: it says nothing."""
    base, mark, query = str(url).partition("?")
    query, hash_mark, fragment = query.partition("#")
    pairs = [_redact_pair(pair, personal) for pair in query.split("&")] if mark else []
    query = "&".join(pair for pair in pairs if not pair.startswith("oauth_"))
    text = base + (mark if query else "") + query + hash_mark + fragment
    return redact_text(text, personal)


def _redact_pair(pair, personal):
    key, mark, value = pair.partition("=")
    name, text = unquote_plus(key), unquote_plus(value)
    hidden = is_credential_key(name) or (personal and is_personal_key(name))
    if mark and (hidden or redact_text(text, personal) != text):
        return key + mark + MASK
    return pair


# === SUMMARIES === #


def summarize(value, limit=SUMMARY_LIMIT, personal=True):
    """``value`` redacted, as text of about ``limit`` characters.

    The cost depends on ``limit``, not on the size of ``value``: what will not be shown is not
    looked at.
    """
    if value is None:
        return ""
    if isinstance(value, (bytes, bytearray)):
        value = bytes(value[: limit * 4]).decode("utf-8", "replace")
    if isinstance(value, str):
        # Cut before and after: before for the cost, after because masks change the length.
        return cut(redact_text(cut(value, limit + LEAF_LIMIT), personal), limit)
    budget = _Budget(limit)
    pruned = redact(_prune(value, budget), personal)
    text = json.dumps(pruned, ensure_ascii=False, default=str, separators=(", ", ": "))
    return text if len(text) <= limit else text[:limit] + "…"


class _Budget:
    def __init__(self, left):
        self.left = left


def _prune(value, budget, depth=0):
    """The head of ``value``, as far as the budget reaches."""
    if isinstance(value, str):
        value = cut(value, LEAF_LIMIT)
    elif depth >= MAX_DEPTH:
        value = "…"
    elif isinstance(value, dict):
        return _prune_dict(value, budget, depth + 1)
    elif isinstance(value, (list, tuple)):
        return _prune_list(value, budget, depth + 1)
    budget.left -= len(value) if isinstance(value, str) else 6
    return value


def _prune_dict(value, budget, depth):
    pruned = {}
    for key, item in value.items():
        if budget.left <= 0:
            pruned["…"] = f"{len(value) - len(pruned)} more"
            break
        budget.left -= len(str(key)) + 6
        pruned[key] = _prune(item, budget, depth)
    return pruned


def _prune_list(value, budget, depth):
    pruned = []
    for item in value:
        if budget.left <= 0:
            pruned.append(f"… {len(value) - len(pruned)} more")
            break
        pruned.append(_prune(item, budget, depth))
    return pruned

"""Values as Medusa writes them."""

import re
from datetime import datetime, timezone
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

#: ``variant_01M896D1476RGK7SPNJ2Z58WV2``
ID = re.compile(r"[A-Za-z0-9_-]{1,100}")
#: Digits after the point where they are not two (ISO 4217).
CURRENCY_DIGITS = {
    **dict.fromkeys(("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG"), 0),
    **dict.fromkeys(("RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}


def is_id(value):
    """Whether this can be part of an address of the API."""
    return bool(ID.fullmatch(value or ""))


def utc(text):
    """``2026-11-25T11:10:39.016Z`` as UTC without a time zone; ``None`` where there is none."""
    try:
        found = datetime.fromisoformat((text or "").replace("Z", "+00:00"))
    except (ValueError, AttributeError):
        return None
    return found.astimezone(timezone.utc).replace(tzinfo=None) if found.tzinfo else found


def iso(moment):
    """The other way round; a moment without a time zone is UTC."""
    if moment.tzinfo:
        moment = moment.astimezone(timezone.utc).replace(tzinfo=None)
    return moment.isoformat(timespec="milliseconds") + "Z"


def number(value):
    """A JSON number or a text with one, exactly; ``None`` where it is neither."""
    if value is None or isinstance(value, bool) or value == "":
        return None
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        return None
    return found if found.is_finite() else None


def amount(row, name):
    """An amount of ``row``. Beside ``total`` stands ``raw_total``, which is exact."""
    raw = row.get(f"raw_{name}")
    exact = number(raw.get("value")) if isinstance(raw, dict) else None
    return (number(row.get(name)) or Decimal(0)) if exact is None else exact


def rounded(value, currency):
    """In the currency's smallest unit: Medusa itself reckons on with all digits."""
    digits = CURRENCY_DIGITS.get((currency or "").upper(), 2)
    return value.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)


def json_number(value):
    """A decimal as the JSON number Medusa wants."""
    return int(value) if value == value.to_integral_value() else float(value)

"""Values as WooCommerce writes them."""

from datetime import datetime, timezone
from decimal import Decimal, InvalidOperation


def utc(text):
    """A date of a ``*_gmt`` field (``2026-03-01T09:30:00``), UTC without a time zone; ``None``
    where there is none."""
    try:
        return datetime.fromisoformat((text or "").rstrip("Z")).replace(tzinfo=None)
    except (ValueError, AttributeError, TypeError):
        return None


def gmt(moment):
    """The other way round, in whole seconds; a moment without a time zone is UTC."""
    if moment.tzinfo:
        moment = moment.astimezone(timezone.utc)
    return moment.replace(microsecond=0, tzinfo=None).isoformat()


def number(value):
    """A JSON number or a text with one, exactly; ``None`` where it is neither."""
    if value is None or isinstance(value, bool) or value == "":
        return None
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        return None
    return found if found.is_finite() else None

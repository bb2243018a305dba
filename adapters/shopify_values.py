"""Values as Shopify writes them."""

from datetime import datetime, timezone
from decimal import Decimal, InvalidOperation

#: https://shopify.dev/docs/api/usage/gids
GID = "gid://shopify/"


def gid(kind, number):
    """``gid("Order", "7")`` -> ``"gid://shopify/Order/7"``. Ids are kept as plain numbers, which is
    what webhooks and the shop's own addresses use; a whole id is left as it is."""
    return number if str(number).startswith(GID) else f"{GID}{kind}/{number}"


def plain_id(text):
    """``"gid://shopify/Order/7"`` -> ``"7"``; empty for what is empty."""
    return str(text or "").partition("?")[0].rpartition("/")[2]


def is_id(text):
    """Whether this can be the id of a record: a number, or a whole id."""
    return plain_id(text).isdigit() and (text.isdigit() or text.startswith(GID))


def utc(text):
    """A date (``2026-03-01T09:30:00Z``), UTC without a time zone; ``None`` where there is none."""
    try:
        moment = datetime.fromisoformat(str(text or "").replace("Z", "+00:00"))
        return moment.astimezone(timezone.utc).replace(tzinfo=None) if moment.tzinfo else moment
    except (ValueError, OverflowError):
        return None


def search_date(moment):
    """A moment (UTC without a time zone) for a search: ``'2026-03-01T09:30:00Z'``"""
    if moment.tzinfo:
        moment = moment.astimezone(timezone.utc)
    return f"'{moment.replace(microsecond=0, tzinfo=None).isoformat()}Z'"


def decimal(value):
    """A number or a text with one, exactly; ``None`` where it is neither."""
    if value is None or isinstance(value, bool) or value == "":
        return None
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        return None
    return found if found.is_finite() else None

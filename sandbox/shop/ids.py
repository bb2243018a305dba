"""Global ids and dates, as Shopify writes them."""

from datetime import timezone

from graphql import GraphQLError

PREFIX = "gid://shopify/"


def gid(kind, number):
    """``gid("Order", 7)`` -> ``"gid://shopify/Order/7"``"""
    return f"{PREFIX}{kind}/{number}"


def split(text):
    """``"gid://shopify/Order/7"`` -> ``("Order", 7)``

    :raise GraphQLError: it is no such id
    """
    kind, _, number = str(text).removeprefix(PREFIX).partition("/")
    number = number.partition("?")[0]
    if not str(text).startswith(PREFIX) or not (number.isascii() and number.isdigit()):
        raise GraphQLError(
            f"Invalid global id '{text}'", extensions={"code": "argumentLiteralsIncompatible"}
        )
    return kind, int(number)


def number_of(text, kind):
    """The number in an id, or 0 where it belongs to another kind of thing."""
    found, number = split(text)
    return number if found == kind else 0


def now(site):
    """e.g. ``2026-11-02T09:30:00Z``"""
    return stamp(site.clock())


def stamp(moment):
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")

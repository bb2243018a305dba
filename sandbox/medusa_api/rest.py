"""Errors, identifiers and lists, as Medusa has them."""

import secrets
from datetime import datetime
from decimal import Decimal


class ApiError(Exception):
    """A refusal: ``{type, message}`` with a status."""

    def __init__(self, status, kind, message):
        super().__init__(message)
        self.status, self.kind, self.message = status, kind, message


def missing(message):
    return ApiError(404, "not_found", message)


def invalid(message):
    return ApiError(400, "invalid_data", message)


def not_allowed(message):
    return ApiError(400, "not_allowed", message)


def new_id(prefix):
    return f"{prefix}_{secrets.token_hex(13).upper()}"


def exact(value):
    return Decimal(str(value))


def as_number(value):
    """A JSON number, with all digits: Medusa does not round."""
    return int(value) if value == value.to_integral_value() else float(value)


def pick(rows, query):
    """``(rows of the page, how many there are)`` by ``id[]``, ``sku[]``, ``updated_at[$gte]``,
    ``order``, ``limit`` and ``offset``."""
    given = dict(query)
    for name in ("id", "sku", "external_id"):
        wanted = [value for key, value in query if key in (name, f"{name}[]")]
        if wanted:
            rows = [row for row in rows if row.get(name) in wanted]
    since = given.get("updated_at[$gte]")
    if since:
        moment = parse(since)
        rows = [row for row in rows if parse(row["updated_at"]) >= moment]
    order = given.get("order", "created_at")
    if "," in order:
        raise ApiError(500, "unknown_error", "An unknown error occurred.")
    rows = sorted(rows, key=lambda row: row[order.lstrip("-")], reverse=order.startswith("-"))
    offset, limit = int(given.get("offset", 0)), int(given.get("limit", 50))
    return rows[offset : offset + limit], len(rows)


def parse(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def changed(values, previous):
    """Metadata is merged by key; an empty text deletes its key."""
    merged = {**(previous or {}), **values}
    return {name: value for name, value in merged.items() if value != ""}

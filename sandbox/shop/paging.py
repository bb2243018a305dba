"""Connections: what is searched, in which order, page by page."""

import base64
import json
import re
from datetime import datetime, timezone

from graphql import GraphQLError

from .ids import gid, number_of, stamp

MAX_PAGE = 250
TERM = re.compile(r"(\w+):(>=|<=|>|<|)('[^']*'|\"[^\"]*\"|[^\s()]+)")
SIGNS = {"": "=", ">": ">", "<": "<", ">=": ">=", "<=": "<="}
DATES = ("modified", "created")


def connection(call, kind, type_name, arguments, fields, sorts, conditions=()):
    """One page of documents.

    :param fields: of the search syntax -> column, e.g. ``{"sku": "sku"}``
    :param sorts: sort key -> column
    """
    first, forward = _size(arguments)
    column = sorts.get(arguments.get("sortKey"), "id")
    down = bool(arguments.get("reverse")) == forward
    wanted = [*conditions, *search(arguments.get("query"), fields)]
    total = list(wanted)
    after = arguments.get("after" if forward else "before")
    if after:
        wanted.append(_beyond(after, column, down))
    word = "DESC" if down else "ASC"
    rows = call.store.find(kind, wanted, f"{column} {word}, id {word}", first + 1)
    more, rows = len(rows) > first, rows[:first]
    rows = rows if forward else rows[::-1]
    rows = [{**row, "__typename": type_name} for row in rows]
    return shown(rows, lambda row: _cursor(call, kind, row["id"], column), more, bool(after)) | {
        "_total": lambda: call.store.count(kind, total)
    }


def listing(rows, arguments, type_name=None):
    """One page of rows that are at hand; cursors are their places."""
    first, forward = _size(arguments)
    if type_name:
        rows = [{**row, "__typename": type_name} for row in rows]
    rows = rows[::-1] if bool(arguments.get("reverse")) == forward else rows
    mark = arguments.get("after" if forward else "before")
    start = int(base64.b64decode(mark)) + 1 if mark else 0
    page = list(enumerate(rows))[start : start + first]
    places = {id(row): place for place, row in page}
    return shown(
        [row for _place, row in page],
        lambda row: base64.b64encode(str(places[id(row)]).encode()).decode(),
        start + first < len(rows),
        start > 0,
    )


def shown(rows, cursor, more, before):
    cursors = [cursor(row) for row in rows]
    return {
        "nodes": rows,
        "edges": [{"node": row, "cursor": mark} for row, mark in zip(rows, cursors, strict=True)],
        "pageInfo": {
            "hasNextPage": more,
            "hasPreviousPage": before,
            "startCursor": cursors[0] if cursors else None,
            "endCursor": cursors[-1] if cursors else None,
        },
    }


def _size(arguments):
    first, last = arguments.get("first"), arguments.get("last")
    size = first if first is not None else last
    if size is None:
        raise GraphQLError(
            "you must provide one of first or last", extensions={"code": "BAD_REQUEST"}
        )
    if not 0 < size <= MAX_PAGE:
        raise GraphQLError(
            f"{'first' if first is not None else 'last'} cannot exceed {MAX_PAGE}",
            extensions={"code": "BAD_REQUEST"},
        )
    return size, first is not None


def _cursor(call, kind, number, column):
    value = call.store.rows(
        f"SELECT {column} FROM document WHERE kind = ? AND id = ?", [kind, number]
    )[0][0]
    text = json.dumps({"last_id": number, "last_value": value})
    return base64.b64encode(text.encode()).decode()


def _beyond(cursor, column, down):
    try:
        place = json.loads(base64.b64decode(cursor))
        last, value = place["last_id"], place["last_value"]
    except (ValueError, KeyError, TypeError) as error:
        raise GraphQLError("Invalid cursor", extensions={"code": "BAD_REQUEST"}) from error
    sign = "<" if down else ">"
    clause = f"{column} {sign} ? OR ({column} = ? AND id {sign} ?)"
    return clause, [value, value, last]


def search(query, fields):
    """Conditions of Shopify's search syntax; a field that is not known is passed over.

    https://shopify.dev/docs/api/usage/search-syntax
    """
    conditions = []
    for name, sign, value in TERM.findall(query or ""):
        column = fields.get(name)
        if column:
            conditions.append((f"{column} {SIGNS[sign]} ?", [_value(value.strip("'\""), column)]))
    if " OR " in (query or "") and conditions:
        clauses, values = zip(*conditions, strict=True)
        return [(" OR ".join(clauses), [value for part in values for value in part])]
    return conditions


def _value(text, column):
    if column in ("id", "parent_id"):
        return int(text.rpartition("/")[2])
    if column in DATES:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
        return stamp(moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc))
    return text


def find(call, kind, type_name, text):
    """The document of a global id with its type's name, or ``None``."""
    document = call.store.get(kind, number_of(text, type_name))
    return {**document, "__typename": type_name} if document else None


def reference(kind, number):
    """An object of which only the id is asked."""
    return {"id": gid(kind, number), "__typename": kind}

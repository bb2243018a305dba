"""Metafields of orders: set together or not at all, up to 25."""

import hashlib
import json

from graphql import GraphQLError

from .ids import gid, now, split
from .paging import find, listing
from .registry import resolves, user_error

KIND = "metafield"
LIMIT = 25
OWNERS = {"Order": "order", "Product": "product", "ProductVariant": "variant"}
MAX_KEY, MAX_NAMESPACE = 64, 255
#: https://shopify.dev/docs/apps/build/custom-data/metafields/metafield-limits
MAX_VALUE = 65_536
TYPES = ("json", "single_line_text_field", "multi_line_text_field", "file_reference", "url", "date")


@resolves("Mutation", "metafieldsSet")
def _set(call, _source, arguments):
    rows = arguments["metafields"]
    if len(rows) > LIMIT:
        raise GraphQLError(
            f"The input array size of {len(rows)} is greater than the maximum allowed of {LIMIT}.",
            extensions={"code": "MAX_INPUT_SIZE_EXCEEDED"},
        )
    errors = []
    for place, row in enumerate(rows):
        error = _error(call, row)
        if error:
            code, message, name = error
            field = ("metafields", str(place), name)
            errors.append(user_error(message, *field, code=code, elementIndex=place))
    if errors:
        return {"metafields": None, "userErrors": errors}
    call.written += len(rows)
    return {"metafields": [write(call, row) for row in rows], "userErrors": []}


def _error(call, row):
    """:return: code, message, field; or ``None``"""
    kind, number = split(row["ownerId"])
    if not call.store.get(OWNERS.get(kind, kind), number):
        return "INVALID", "Owner does not exist.", "ownerId"
    if not 2 <= len(row["key"]) <= MAX_KEY:
        return "TOO_LONG", f"Key must be between 2 and {MAX_KEY} characters.", "key"
    if not set(row["key"]) <= KEY_CHARACTERS:
        message = "Key can only contain letters, digits, underscores and hyphens."
        return "INVALID", message, "key"
    if row.get("type") not in TYPES:
        return "INVALID_TYPE", "Type can't be blank", "type"
    if not row["value"]:
        return "BLANK", "Value can't be blank.", "value"
    if len(row["value"].encode()) > MAX_VALUE:
        return "TOO_LONG", f"Value is too long (maximum is {MAX_VALUE} bytes).", "value"
    return _value_error(call, row)


KEY_CHARACTERS = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")


def _value_error(call, row):
    if row["type"] == "json":
        try:
            json.loads(row["value"])
        except ValueError:
            return "INVALID_VALUE", "Value is invalid JSON.", "value"
    if row["type"] == "file_reference":
        kind, number = split(row["value"])
        if kind != "GenericFile" or not call.store.get("file", number):
            message = "Value references a non-existing file."
            return "INVALID_VALUE", message, "value"
    return None


def write(call, row):
    owner_kind, owner = split(row["ownerId"])
    namespace = row.get("namespace") or "$app"
    found = read(call.store, owner_kind, owner, namespace, row["key"])
    document = found or {
        "id": call.store.next_id(KIND),
        "parentId": owner,
        "type": row["type"],
        "ownerKind": owner_kind,
        "namespace": namespace,
        "key": row["key"],
        "createdAt": now(call.site),
    }
    call.created += not found
    document.update(type=row["type"], value=row["value"], updatedAt=now(call.site))
    call.store.put(KIND, document)
    if owner_kind == "Order":
        order = call.store.get("order", owner)
        order["updatedAt"] = now(call.site)
        call.store.put("order", order)
        call.site.emit("orders/updated", "order", owner)
    return document


def read(store, owner_kind, owner, namespace, key):
    rows = of(store, owner_kind, owner)
    wanted = (namespace or "$app", key)
    return next((row for row in rows if (row["namespace"], row["key"]) == wanted), None)


def of(store, owner_kind, owner):
    rows = store.find(KIND, [("parent_id = ?", [owner])])
    return [row for row in rows if row["ownerKind"] == owner_kind]


@resolves("Order", "metafield")
def _metafield(call, order, arguments):
    return read(call.store, "Order", order["id"], arguments.get("namespace"), arguments["key"])


@resolves("Order", "metafields")
def _metafields(call, order, arguments):
    rows = of(call.store, "Order", order["id"])
    if arguments.get("namespace"):
        rows = [row for row in rows if row["namespace"] == arguments["namespace"]]
    if arguments.get("keys"):
        rows = [row for row in rows if f"{row['namespace']}.{row['key']}" in arguments["keys"]]
    return listing(rows, arguments)


@resolves("Metafield", "jsonValue")
def _json(_call, row, _arguments):
    return json.loads(row["value"]) if row["type"] == "json" else row["value"]


@resolves("Metafield", "compareDigest")
def _digest(_call, row, _arguments):
    return hashlib.sha256(row["value"].encode()).hexdigest()


@resolves("Metafield", "reference")
def _reference(call, row, _arguments):
    if row["type"] != "file_reference":
        return None
    return find(call, "file", "GenericFile", row["value"])


@resolves("Metafield", "owner")
def _owner(_call, row, _arguments):
    return {"id": gid(row["ownerKind"], row["parentId"]), "__typename": row["ownerKind"]}

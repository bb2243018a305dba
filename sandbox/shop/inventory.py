"""Locations, inventory items and what of them lies where.

An item carries its levels: ``{location id: {"available": 5, "active": true, "updatedAt": ...}}``.
What is committed to orders is not kept: "available" and "on_hand" are the same here.
"""

from graphql import GraphQLError

from .ids import now, number_of
from .paging import connection, find, listing
from .registry import resolves, user_error

KIND, LOCATION = "item", "location"
LIMIT = 250
NAMES = ("available", "on_hand")
#: https://shopify.dev/docs/apps/build/orders-fulfillment/inventory-management-apps
REASONS = (
    "correction", "cycle_count_available", "damaged", "movement_created", "movement_updated",
    "movement_received", "movement_canceled", "other", "promotion", "quality_control", "received",
    "reservation_created", "reservation_deleted", "reservation_updated", "restock", "safety_stock",
    "shrinkage",
)  # fmt: skip
EXTREME = 1_000_000_000
#: Until this version a quantity was refused where the item was not stocked; since then it is kept
#: there, for a level that is not active: https://shopify.dev/changelog/removal-of-itemnotstockedatlocation-error
SET_ANYWHERE_SINCE = "2026-04"


# === DATA === #


def add_location(site, name, active=True):
    location = {
        "id": site.store.next_id(LOCATION),
        "name": name,
        "title": name,
        "status": "active" if active else "inactive",
        "isActive": active,
        "fulfillsOnlineOrders": active,
        "shipsInventory": active,
        "createdAt": now(site),
        "updatedAt": now(site),
    }
    site.store.put(LOCATION, location)
    return location


def add_item(site, variant_id, given):
    locations = [row["id"] for row in site.store.find(LOCATION)]
    levels = given.get("levels")
    if levels is None:
        levels = {str(locations[0]): given.get("quantity", 0)} if locations else {}
    item = {
        # far from the variants' numbers, so that whoever mixes them up is to notice
        "id": 50_000 + site.store.next_id(KIND),
        "variantId": variant_id,
        "sku": given.get("sku") or "",
        "tracked": given.get("tracked", True),
        "bundle": bool(given.get("bundle")),
        "requiresShipping": True,
        "levels": {str(place): _level(site, quantity) for place, quantity in levels.items()},
        "createdAt": now(site),
        "updatedAt": now(site),
    }
    site.store.put(KIND, item)
    return item


def change_item(site, item_id, tracked, sku):
    item = site.store.get(KIND, item_id)
    if tracked is not None:
        item["tracked"] = tracked
    if sku is not None:
        item["sku"] = sku
    site.store.put(KIND, item)


def _level(site, quantity, active=True):
    return {"available": quantity, "active": active, "updatedAt": now(site)}


def adjust(site, item_id, location_id, delta):
    """Pieces that come or go, by an order, a refund, or by hand."""
    item = site.store.get(KIND, item_id)
    if item:
        level = item["levels"].setdefault(str(location_id), _level(site, 0))
        put_level(site, item, location_id, level["available"] + delta)


def put_level(site, item, location_id, quantity):
    level = item["levels"].setdefault(str(location_id), _level(site, 0, active=False))
    level.update(available=quantity, updatedAt=now(site))
    item["updatedAt"] = now(site)
    site.store.put(KIND, item)
    site.emit("inventory_levels/update", KIND, item["id"])


def quantity(item, location_id):
    return item["levels"].get(str(location_id), {}).get("available", 0)


def total(item):
    return sum(level["available"] for level in item["levels"].values() if level["active"])


# === READING === #


@resolves("QueryRoot", "locations")
def _locations(call, _source, arguments):
    only = [] if arguments.get("includeInactive") else [("status = 'active'", [])]
    return connection(
        call, LOCATION, "Location", arguments, {"name": "title"}, {"NAME": "title"}, only
    )


@resolves("QueryRoot", "location")
def _location(call, _source, arguments):
    return find(call, LOCATION, "Location", arguments["id"])


@resolves("QueryRoot", "inventoryItem")
def _item(call, _source, arguments):
    return find(call, KIND, "InventoryItem", arguments["id"])


@resolves("InventoryItem", "inventoryLevel")
def _level_at(call, item, arguments):
    number = number_of(arguments["locationId"], "Location")
    level = item["levels"].get(str(number))
    visible = level and (level["active"] or arguments.get("includeInactive"))
    return shown_level(item, number, level) if visible else None


@resolves("InventoryItem", "inventoryLevels")
def _levels(call, item, arguments):
    rows = [
        shown_level(item, int(place), level)
        for place, level in item["levels"].items()
        if level["active"] or arguments.get("includeInactive")
    ]
    return listing(rows, arguments)


@resolves("InventoryItem", "variant")
def _variant(call, item, _arguments):
    return call.store.get("variant", item["variantId"])


def shown_level(item, location_id, level):
    return {
        "__typename": "InventoryLevel",
        "id": f"gid://shopify/InventoryLevel/{location_id}?inventory_item_id={item['id']}",
        "isActive": level["active"],
        "createdAt": item["createdAt"],
        "updatedAt": level["updatedAt"],
        "itemId": item["id"],
        "locationId": location_id,
        "available": level["available"],
    }


@resolves("InventoryLevel", "item")
def _item_of(call, level, _arguments):
    return call.store.get(KIND, level["itemId"])


@resolves("InventoryLevel", "location")
def _location_of(call, level, _arguments):
    return call.store.get(LOCATION, level["locationId"])


@resolves("InventoryLevel", "quantities")
def _quantities(call, level, arguments):
    return [
        {"id": f"{level['id']}&name={name}", "name": name, "quantity": level["available"]}
        for name in arguments["names"]
    ]


@resolves("InventoryChange", "item")
def _item_changed(call, change, _arguments):
    return call.store.get(KIND, change["itemId"])


@resolves("InventoryChange", "location")
def _location_changed(call, change, _arguments):
    return call.store.get(LOCATION, change["locationId"])


# === MUTATIONS === #


@resolves("Mutation", "inventorySetQuantities")
def _set_quantities(call, _source, arguments):
    given = arguments["input"]
    rows = given["quantities"]
    if len(rows) > LIMIT:
        raise GraphQLError(
            f"The input array size of {len(rows)} is greater than the maximum allowed of {LIMIT}.",
            extensions={"code": "MAX_INPUT_SIZE_EXCEEDED"},
        )
    _check_compare(call, rows)
    errors = _head_errors(given) or _row_errors(call, given, rows)
    if errors:
        return {"inventoryAdjustmentGroup": None, "userErrors": errors}
    changes = [change for row in rows for change in _write(call, row)]
    call.written += len(rows)
    group = None
    if changes:
        group = {
            "id": call.store.next_id("adjustment"),
            "createdAt": now(call.site),
            "reason": given["reason"],
            "referenceDocumentUri": given.get("referenceDocumentUri"),
            "changes": changes,
        }
    return {"inventoryAdjustmentGroup": group, "userErrors": []}


def _check_compare(call, rows):
    if call.version < "2026-04":
        return
    if not all("changeFromQuantity" in row for row in rows):
        raise GraphQLError(
            "InventoryQuantityInput must include the following argument: changeFromQuantity.",
            extensions={"code": "INVALID_FIELD_ARGUMENTS"},
        )


def _head_errors(given):
    if given["name"] not in NAMES:
        message = "The quantity name must be either 'available' or 'on_hand'."
        return [user_error(message, "input", "name", code="INVALID_NAME")]
    if given["reason"] not in REASONS:
        return [
            user_error("The specified reason is invalid.", "input", "reason", code="INVALID_REASON")
        ]
    uri = given.get("referenceDocumentUri")
    if uri is not None and not uri.partition("://")[2]:
        message = "The specified reference document is invalid."
        field = ("input", "referenceDocumentUri")
        return [user_error(message, *field, code="INVALID_REFERENCE_DOCUMENT")]
    return []


def _row_errors(call, given, rows):
    errors, seen = [], set()
    for place, row in enumerate(rows):
        pair = (row["inventoryItemId"], row["locationId"])
        error = _row_error(call, given, row) if pair not in seen else DUPLICATE
        seen.add(pair)
        if error:
            code, message, name = error
            errors.append(user_error(message, "input", "quantities", str(place), name, code=code))
    return errors


DUPLICATE = (
    "NO_DUPLICATE_INVENTORY_ITEM_ID_GROUP_ID_PAIR",
    "The combination of inventoryItemId and locationId must be unique.",
    "locationId",
)


def _row_error(call, given, row):
    """:return: code, message, the field it concerns; or ``None``"""
    item = find(call, KIND, "InventoryItem", row["inventoryItemId"])
    place = find(call, LOCATION, "Location", row["locationId"])
    if not item:
        message = "The specified inventory item could not be found."
        return "INVALID_INVENTORY_ITEM", message, "inventoryItemId"
    if not place or not place["isActive"]:
        return "INVALID_LOCATION", "The specified location could not be found.", "locationId"
    refusal = call.refusal({"id": item["id"], "sku": item["sku"]})
    if refusal or item["bundle"]:
        code = (refusal and refusal["code"]) or "NON_MUTABLE_INVENTORY_ITEM"
        message = "The specified inventory item is not allowed to be adjusted via API."
        return code, (refusal and refusal["message"]) or message, "inventoryItemId"
    return _quantity_error(call, given, row, item, place)


def _quantity_error(call, given, row, item, place):
    level = item["levels"].get(str(place["id"]))
    if call.version < SET_ANYWHERE_SINCE and not (level and level["active"]):
        message = "The specified inventory item is not stocked at the location."
        return "ITEM_NOT_STOCKED_AT_LOCATION", message, "locationId"
    if row["quantity"] > EXTREME:
        message = "The total quantity can't be higher than 1,000,000,000."
        return "INVALID_QUANTITY_TOO_HIGH", message, "quantity"
    if row["quantity"] < -EXTREME:
        message = "The total quantity can't be lower than -1,000,000,000."
        return "INVALID_QUANTITY_TOO_LOW", message, "quantity"
    if row["quantity"] < 0 and given["name"] == "on_hand":
        return "INVALID_QUANTITY_NEGATIVE", "The quantity can't be negative.", "quantity"
    held = level["available"] if level else 0
    expected = row.get("changeFromQuantity", row.get("compareQuantity"))
    if expected is not None and expected != held:
        message = "The changeFromQuantity argument no longer matches the persisted quantity."
        return "CHANGE_FROM_QUANTITY_STALE", message, "changeFromQuantity"
    compared = "compareQuantity" in row or "changeFromQuantity" in row
    if not compared and not given.get("ignoreCompareQuantity"):
        message = "The compareQuantity argument must be given to each quantity."
        return "COMPARE_QUANTITY_REQUIRED", message, "compareQuantity"
    return None


def _write(call, row):
    item = call.store.get(KIND, number_of(row["inventoryItemId"], "InventoryItem"))
    place = number_of(row["locationId"], "Location")
    delta = row["quantity"] - quantity(item, place)
    put_level(call.site, item, place, row["quantity"])
    if not delta:
        return []
    common = {"delta": delta, "quantityAfterChange": row["quantity"], "ledgerDocumentUri": None}
    where = {"itemId": item["id"], "locationId": place}
    return [{"name": name, **common, **where} for name in NAMES]


@resolves("InventoryAdjustmentGroup", "changes")
def _changes(call, group, arguments):
    names = arguments.get("quantityNames")
    return [row for row in group["changes"] if names is None or row["name"] in names]


@resolves("Mutation", "inventoryActivate")
def _activate(call, _source, arguments):
    item = find(call, KIND, "InventoryItem", arguments["inventoryItemId"])
    place = find(call, LOCATION, "Location", arguments["locationId"])
    if not item or not place or not place["isActive"]:
        field, what = ("inventoryItemId", "product") if not item else ("locationId", "location")
        return _not_activated(f"The {what} couldn't be found.", field)
    if item["bundle"]:
        return _not_activated(
            "The product is a bundle and has no stock of its own.", "inventoryItemId"
        )
    item.pop("__typename")
    level = item["levels"].setdefault(str(place["id"]), _level(call.site, 0))
    level["active"] = True
    if arguments.get("available") is not None:
        level["available"] = arguments["available"]
    call.store.put(KIND, item)
    call.created += 1
    return {"inventoryLevel": shown_level(item, place["id"], level), "userErrors": []}


def _not_activated(message, field):
    return {"inventoryLevel": None, "userErrors": [user_error(message, field)]}

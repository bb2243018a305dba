"""What is to ship of an order, and what was shipped."""

from .ids import now, number_of
from .paging import find, listing
from .registry import resolves, user_error

KIND, SHIPPED = "fulfillmentOrder", "fulfillment"
CLOSED = ("CLOSED", "CANCELLED", "INCOMPLETE")


# === DATA === #


def open_for(site, order, location=None):
    """The fulfillment order of a new order: all its lines, from one place."""
    places = [row["id"] for row in site.store.find("location")]
    document = {
        "id": site.store.next_id(KIND),
        "parentId": order["id"],
        "locationId": location or (places[0] if places else None),
        "status": "OPEN",
        "requestStatus": "UNSUBMITTED",
        "lines": [_open_line(site, line) for line in order["lines"]],
        "createdAt": now(site),
        "updatedAt": now(site),
    }
    site.store.put(KIND, document)
    return document


def _open_line(site, line):
    return {
        "id": site.store.next_id("fulfillmentOrderLine"),
        "lineId": line["id"],
        "sku": line["sku"],
        "productTitle": line["title"],
        "totalQuantity": line["quantity"],
        "remainingQuantity": line["quantity"],
    }


def orders_of(site, order_id):
    return site.store.find(KIND, [("parent_id = ?", [order_id])])


def shipped_of(site, order_id):
    return site.store.find(SHIPPED, [("parent_id = ?", [order_id])])


def status_of(site, order):
    lines = [line for row in orders_of(site, order["id"]) for line in row["lines"]]
    left = sum(line["remainingQuantity"] for line in lines)
    total = sum(line["totalQuantity"] for line in lines)
    if left == total:
        return "UNFULFILLED"
    return "PARTIALLY_FULFILLED" if left else "FULFILLED"


# === READING === #


@resolves("Order", "fulfillmentOrders")
def _orders(call, order, arguments):
    return listing(orders_of(call.site, order["id"]), arguments)


@resolves("Order", "fulfillments")
def _shipped(call, order, arguments):
    return shipped_of(call.site, order["id"])[: arguments.get("first")]


@resolves("QueryRoot", "fulfillmentOrder")
def _order(call, _source, arguments):
    return find(call, KIND, "FulfillmentOrder", arguments["id"])


@resolves("QueryRoot", "fulfillment")
def _fulfillment(call, _source, arguments):
    return find(call, SHIPPED, "Fulfillment", arguments["id"])


@resolves("FulfillmentOrder", "lineItems")
def _lines(_call, row, arguments):
    return listing([{**line, "orderId": row["parentId"]} for line in row["lines"]], arguments)


@resolves("FulfillmentOrder", "orderId")
def _order_id(_call, row, _arguments):
    return f"gid://shopify/Order/{row['parentId']}"


@resolves("FulfillmentOrder", "orderName")
def _order_name(call, row, _arguments):
    return call.store.get("order", row["parentId"])["name"]


@resolves("FulfillmentOrder", "assignedLocation")
def _assigned(call, row, _arguments):
    place = call.store.get("location", row["locationId"] or 0)
    return {"name": place["name"] if place else "", "countryCode": "US", "location": place}


@resolves("FulfillmentOrderLineItem", "lineItem")
def _line_item(call, line, _arguments):
    order = call.store.get("order", line["orderId"])
    found = next(row for row in order["lines"] if row["id"] == line["lineId"])
    return {**found, "order": order}


@resolves("Fulfillment", "trackingInfo")
def _tracking(_call, row, arguments):
    return row["tracking"][: arguments.get("first")]


@resolves("Fulfillment", "order")
def _order_of(call, row, _arguments):
    return call.store.get("order", row["parentId"])


@resolves("Fulfillment", "fulfillmentLineItems")
def _shipped_lines(call, row, arguments):
    order = call.store.get("order", row["parentId"])
    known = {line["id"]: {**line, "order": order} for line in order["lines"]}
    rows = [{**line, "lineItem": known[line["lineId"]]} for line in row["lines"]]
    return listing(rows, arguments)


# === MUTATIONS === #


@resolves("Mutation", "fulfillmentCreate")
def _create(call, _source, arguments):
    given = arguments["fulfillment"]
    groups, errors = [], []
    for row in given["lineItemsByFulfillmentOrder"]:
        document = find(call, KIND, "FulfillmentOrder", row["fulfillmentOrderId"])
        error = _error(call, document, row, groups)
        if error:
            errors.append(user_error(error, "fulfillment"))
        else:
            groups.append((document, row))
    if errors:
        return {"fulfillment": None, "userErrors": errors}
    lines = [line for document, row in groups for line in _ship(call, document, row)]
    shipped = {
        "id": call.store.next_id(SHIPPED),
        "parentId": groups[0][0]["parentId"],
        "name": f"#F{groups[0][0]['id']}",
        "status": "SUCCESS",
        "displayStatus": "FULFILLED",
        "totalQuantity": sum(line["quantity"] for line in lines),
        "tracking": _tracking_rows(given.get("trackingInfo")),
        "notified": bool(given.get("notifyCustomer")),
        "lines": lines,
        "fulfillmentOrders": [document["id"] for document, _row in groups],
        "createdAt": now(call.site),
        "updatedAt": now(call.site),
    }
    call.store.put(SHIPPED, shipped)
    call.created += 1
    _touch(call, shipped["parentId"], "fulfillments/create", shipped["id"])
    return {"fulfillment": shipped, "userErrors": []}


def _error(call, document, row, groups):
    if not document:
        return "Fulfillment order does not exist."
    if document["status"] in CLOSED:
        state = document["status"].lower()
        return f"Fulfillment order {document['id']} has an unfulfillable status= {state}."
    if groups and groups[0][0]["locationId"] != document["locationId"]:
        return "All fulfillment orders must be assigned to the same location."
    known = {line["id"]: line for line in document["lines"]}
    for given in row.get("fulfillmentOrderLineItems") or ():
        line = known.get(number_of(given["id"], "FulfillmentOrderLineItem"))
        if not line or given["quantity"] < 1 or given["quantity"] > line["remainingQuantity"]:
            return "Invalid fulfillment order line item quantity requested."
    return None


def _ship(call, document, row):
    wanted = {
        number_of(line["id"], "FulfillmentOrderLineItem"): line["quantity"]
        for line in row.get("fulfillmentOrderLineItems") or ()
    }
    shipped = []
    for line in document["lines"]:
        quantity = wanted.get(line["id"], 0) if wanted else line["remainingQuantity"]
        if quantity:
            line["remainingQuantity"] -= quantity
            shipped.append(
                {"id": call.store.next_id("shippedLine"), "lineId": line["lineId"],
                 "openLineId": line["id"], "quantity": quantity}
            )  # fmt: skip
    _save(call, document)
    return shipped


def _save(call, document):
    left = sum(line["remainingQuantity"] for line in document["lines"])
    total = sum(line["totalQuantity"] for line in document["lines"])
    document["status"] = "CLOSED" if not left else "OPEN" if left == total else "IN_PROGRESS"
    document["updatedAt"] = now(call.site)
    document.pop("__typename", None)
    call.store.put(KIND, document)


def _tracking_rows(given):
    given = given or {}
    numbers = given.get("numbers") or [given.get("number")]
    urls = given.get("urls") or [given.get("url")]
    urls += [None] * (len(numbers) - len(urls))
    rows = [
        {"company": given.get("company"), "number": number, "url": url}
        for number, url in zip(numbers, urls, strict=False)
    ]
    return [row for row in rows if any(row.values())]


@resolves("Mutation", "fulfillmentTrackingInfoUpdate", "fulfillmentTrackingInfoUpdateV2")
def _update_tracking(call, _source, arguments):
    shipped = find(call, SHIPPED, "Fulfillment", arguments["fulfillmentId"])
    if not shipped or shipped["status"] == "CANCELLED":
        said = "Fulfillment is cancelled." if shipped else "Fulfillment does not exist."
        return {"fulfillment": None, "userErrors": [user_error(said, "fulfillmentId")]}
    shipped["tracking"] = _tracking_rows(arguments["trackingInfoInput"])
    return _changed(call, shipped)


@resolves("Mutation", "fulfillmentCancel")
def _cancel(call, _source, arguments):
    shipped = find(call, SHIPPED, "Fulfillment", arguments["id"])
    if not shipped or shipped["status"] == "CANCELLED":
        said = "Fulfillment is already cancelled." if shipped else "Fulfillment does not exist."
        return {"fulfillment": None, "userErrors": [user_error(said, "id")]}
    shipped.update(status="CANCELLED", displayStatus="CANCELED")
    back = {line["openLineId"]: line["quantity"] for line in shipped["lines"]}
    for document in orders_of(call.site, shipped["parentId"]):
        for line in document["lines"]:
            line["remainingQuantity"] += back.get(line["id"], 0)
        _save(call, document)
    return _changed(call, shipped)


def _changed(call, shipped):
    shipped["updatedAt"] = now(call.site)
    shipped.pop("__typename", None)
    call.store.put(SHIPPED, shipped)
    call.written += 1
    _touch(call, shipped["parentId"], "fulfillments/update", shipped["id"])
    return {"fulfillment": shipped, "userErrors": []}


def _touch(call, order_id, topic, shipped_id):
    order = call.store.get("order", order_id)
    order["updatedAt"] = now(call.site)
    call.store.put("order", order)
    call.site.emit(topic, SHIPPED, shipped_id)
    call.site.emit("orders/updated", "order", order_id)

"""Orders: read page by page, annotated, refunded; what ships of them is in ``fulfillments``."""

from decimal import Decimal

from . import fulfillments, inventory, products
from .ids import now, number_of
from .paging import connection, find, listing
from .registry import resolves, user_error

KIND, REFUND = "order", "refund"
FIELDS = {
    "id": "id",
    "name": "title",
    "email": "email",
    "updated_at": "modified",
    "created_at": "created",
    "financial_status": "status",
}
SORTS = {"UPDATED_AT": "modified", "CREATED_AT": "created", "PROCESSED_AT": "created"}
FIRST_NUMBER = 1001
MAX_NOTE = 5000
MAX_TAGS, MAX_TAG = 250, 40


# === DATA === #


def create(site, given):
    """An order with its lines, and the fulfillment order that says where they ship from.

    :param given: ``{"lines": [{"variant": id, "quantity", "price", "discount": "1.00"}], "email",
        "shipping": "5.00", "rate": "1.10", "presentment": "EUR", "taxRate": "0.15"}``; prices are
        without tax, shipping bears none
    """
    number = site.store.next_id(KIND)
    rate = Decimal(given.get("taxRate") or 0)
    lines = [_line(site, row, rate) for row in given.get("lines") or ()]
    order = {
        "id": number,
        "number": FIRST_NUMBER + number - 1,
        "name": f"#{FIRST_NUMBER + number - 1}",
        "title": f"#{FIRST_NUMBER + number - 1}",
        "email": given.get("email"),
        "phone": given.get("phone"),
        "note": given.get("note"),
        "tags": given.get("tags") or [],
        "customAttributes": [],
        "currencyCode": site.currency,
        "presentmentCurrencyCode": given.get("presentment") or site.currency,
        "rate": given.get("rate") or "1",
        "taxesIncluded": False,
        "test": False,
        "status": given.get("financialStatus") or "PAID",
        "displayFinancialStatus": given.get("financialStatus") or "PAID",
        "cancelledAt": None,
        "closedAt": None,
        "billingAddress": given.get("billingAddress"),
        "shippingAddress": given.get("shippingAddress"),
        "lines": lines,
        "customerId": given.get("customer"),
        "taxRate": str(rate),
        **_totals(lines, given),
        "createdAt": given.get("createdAt") or now(site),
        "processedAt": given.get("createdAt") or now(site),
        "updatedAt": given.get("updatedAt") or now(site),
    }
    site.store.put(KIND, order)
    fulfillments.open_for(site, order, given.get("location"))
    for line in lines:
        _take_from_stock(site, line, given.get("location"))
    site.emit("orders/create", KIND, number)
    return order


def _line(site, row, rate):
    variant = site.store.get(products.VARIANT, row.get("variant") or 0)
    product = site.store.get(products.KIND, variant["parentId"]) if variant else None
    price = row.get("price") or (variant or {}).get("price") or "0.00"
    quantity, discount = row.get("quantity") or 1, Decimal(row.get("discount") or 0)
    tax = ((Decimal(price) * quantity - discount) * rate).quantize(Decimal("0.01"))
    return {
        "id": site.store.next_id("line"),
        "variantId": variant and variant["id"],
        "sku": row.get("sku") or (variant or {}).get("sku"),
        "title": (product or {}).get("title") or row.get("title") or "Item",
        "name": (product or {}).get("title") or row.get("title") or "Item",
        "quantity": quantity,
        "price": str(price),
        "discount": str(discount),
        "tax": str(tax),
        "refunded": 0,
    }


def _totals(lines, given):
    subtotal = sum((_net(line) for line in lines), Decimal(0))
    shipping = Decimal(given.get("shipping") or 0)
    tax = sum((Decimal(line["tax"]) for line in lines), Decimal(0))
    total = subtotal + shipping + tax
    values = {"subtotal": subtotal, "shipping": shipping, "tax": tax, "total": total}
    return {name: f"{value:.2f}" for name, value in values.items()} | {"refunded": "0.00"}


def _net(line):
    return Decimal(line["price"]) * line["quantity"] - Decimal(line["discount"])


def _take_from_stock(site, line, location):
    variant = site.store.get(products.VARIANT, line["variantId"] or 0)
    if not variant:
        return
    item = site.store.get(inventory.KIND, variant["inventoryItemId"])
    places = [place for place, level in item["levels"].items() if level["active"]]
    place = str(location) if location else next(iter(places), None)
    if place:
        inventory.adjust(site, item["id"], place, -line["quantity"])


def save(site, order):
    order.pop("__typename", None)
    order["updatedAt"] = now(site)
    site.store.put(KIND, order)
    site.emit("orders/updated", KIND, order["id"])


def cancel(site, order):
    order.update(cancelledAt=now(site), displayFinancialStatus="VOIDED", status="VOIDED")
    save(site, order)
    site.emit("orders/cancelled", KIND, order["id"])


# === READING === #


@resolves("QueryRoot", "orders")
def _orders(call, _source, arguments):
    return connection(call, KIND, "Order", arguments, FIELDS, SORTS)


@resolves("QueryRoot", "ordersCount")
def _count(call, _source, _arguments):
    return {"count": call.store.count(KIND), "precision": "EXACT"}


@resolves("QueryRoot", "order")
def _order(call, _source, arguments):
    return find(call, KIND, "Order", arguments["id"])


@resolves("Order", "displayFulfillmentStatus")
def _fulfillment_status(call, order, _arguments):
    return fulfillments.status_of(call.site, order)


@resolves("Order", "confirmed", "refundable", "fulfillable")
def _yes(_call, _order, _arguments):
    return True


@resolves("Order", "lineItems")
def _line_items(_call, order, arguments):
    return listing([{**line, "order": order} for line in order["lines"]], arguments)


@resolves("Order", "totalPriceSet", "currentTotalPriceSet")
def _total(_call, order, _arguments):
    return money(order, order["total"])


@resolves("Order", "subtotalPriceSet")
def _subtotal(_call, order, _arguments):
    return money(order, order["subtotal"])


@resolves("Order", "totalTaxSet")
def _tax(_call, order, _arguments):
    return money(order, order["tax"])


@resolves("Order", "totalShippingPriceSet")
def _shipping(_call, order, _arguments):
    return money(order, order["shipping"])


@resolves("Order", "totalRefundedSet")
def _refunded(_call, order, _arguments):
    return money(order, order["refunded"])


@resolves("Order", "refunds")
def _refunds(call, order, _arguments):
    return call.store.find(REFUND, [("parent_id = ?", [order["id"]])])


@resolves("LineItem", "originalUnitPriceSet", "discountedUnitPriceSet")
def _unit_price(_call, line, _arguments):
    return money(line["order"], line["price"])


@resolves("LineItem", "originalTotalSet", "discountedTotalSet")
def _line_total(_call, line, _arguments):
    return money(line["order"], str(Decimal(line["price"]) * line["quantity"]))


@resolves("LineItem", "variant")
def _line_variant(call, line, _arguments):
    return call.store.get(products.VARIANT, line["variantId"] or 0)


@resolves("LineItem", "currentQuantity", "refundableQuantity")
def _current(_call, line, _arguments):
    return line["quantity"] - line["refunded"]


@resolves("LineItem", "taxLines")
def _line_taxes(_call, line, _arguments):
    rate = Decimal(line["order"]["taxRate"])
    if not rate:
        return []
    price = money(line["order"], line["tax"])
    percent = float(rate * 100)
    return [{"title": "Tax", "rate": float(rate), "ratePercentage": percent, "priceSet": price}]


@resolves("Order", "taxLines")
def _order_taxes(_call, order, _arguments):
    rate = Decimal(order["taxRate"])
    if not rate:
        return []
    price = money(order, order["tax"])
    row = {"title": "Tax", "rate": float(rate), "ratePercentage": float(rate * 100)}
    return [{**row, "priceSet": price}]


@resolves("LineItem", "discountAllocations")
def _line_discounts(_call, line, _arguments):
    if not Decimal(line["discount"]):
        return []
    return [{"allocatedAmountSet": money(line["order"], line["discount"])}]


@resolves("Order", "shippingLines")
def _shipping_lines(_call, order, arguments):
    price = money(order, order["shipping"])
    row = {"id": order["id"], "title": "Standard", "code": "Standard", "originalPriceSet": price}
    row |= {"discountedPriceSet": price, "taxLines": [], "discountAllocations": []}
    return listing([row] if Decimal(order["shipping"]) else [], arguments)


@resolves("MailingAddress", "name")
def _full_name(_call, address, _arguments):
    return f"{address.get('firstName') or ''} {address.get('lastName') or ''}".strip()


@resolves("Order", "customer")
def _customer(_call, order, _arguments):
    return {"id": order["customerId"], "email": order["email"]} if order["customerId"] else None


@resolves("Order", "paymentGatewayNames")
def _gateways(_call, _order, _arguments):
    return ["bogus"]


@resolves("Order", "transactions")
def _transactions(_call, order, _arguments):
    if order["displayFinancialStatus"] == "PENDING":
        return []
    row = {"id": order["id"], "kind": "SALE", "status": "SUCCESS", "gateway": "bogus"}
    return [{**row, "paymentId": f"pay_{order['id']}", "amountSet": money(order, order["total"])}]


def money(order, amount):
    """A MoneyBag: the shop's currency, and what the customer saw."""
    shop = Decimal(amount)
    seen = (shop * Decimal(order["rate"])).quantize(Decimal("0.01"))
    return {
        "shopMoney": {"amount": f"{shop:.2f}", "currencyCode": order["currencyCode"]},
        "presentmentMoney": {
            "amount": f"{seen:.2f}",
            "currencyCode": order["presentmentCurrencyCode"],
        },
    }


# === MUTATIONS === #


@resolves("Mutation", "orderUpdate")
def _update(call, _source, arguments):
    given = arguments["input"]
    order = find(call, KIND, "Order", given["id"])
    if not order:
        return {"order": None, "userErrors": [user_error("Order does not exist", "id")]}
    if len(given.get("note") or "") > MAX_NOTE:
        error = user_error(f"Note is too long (maximum is {MAX_NOTE} characters)", "note")
        return {"order": None, "userErrors": [error]}
    for name in ("note", "tags", "customAttributes", "email", "phone", "poNumber"):
        if name in given:
            order[name] = given[name]
    save(call.site, order)
    call.written += 1
    return {"order": order, "userErrors": []}


@resolves("Mutation", "tagsAdd")
def _add_tags(call, _source, arguments):
    order = find(call, KIND, "Order", arguments["id"])
    if not order:
        return {"node": None, "userErrors": [user_error("Node does not exist", "id")]}
    if any(len(tag) > MAX_TAG for tag in arguments["tags"]):
        error = user_error(f"Tag is too long (maximum is {MAX_TAG} characters)", "tags")
        return {"node": None, "userErrors": [error]}
    lowered = {tag.lower() for tag in order["tags"]}
    order["tags"] += [tag for tag in arguments["tags"] if tag.lower() not in lowered]
    save(call.site, order)
    call.written += 1
    return {"node": {**order, "__typename": "Order"}, "userErrors": []}


@resolves("Mutation", "tagsRemove")
def _remove_tags(call, _source, arguments):
    order = find(call, KIND, "Order", arguments["id"])
    if not order:
        return {"node": None, "userErrors": [user_error("Node does not exist", "id")]}
    gone = {tag.lower() for tag in arguments["tags"]}
    order["tags"] = [tag for tag in order["tags"] if tag.lower() not in gone]
    save(call.site, order)
    call.written += 1
    return {"node": {**order, "__typename": "Order"}, "userErrors": []}


@resolves("Mutation", "orderCancel")
def _cancel(call, _source, arguments):
    order = find(call, KIND, "Order", arguments["orderId"])
    if not order or order["cancelledAt"]:
        said = "Order has already been cancelled" if order else "Order does not exist"
        errors = [user_error(said, "orderId", code="INVALID" if order else "NOT_FOUND")]
        return {"job": None, "orderCancelUserErrors": errors, "userErrors": errors}
    if fulfillments.status_of(call.site, order) != "UNFULFILLED":
        errors = [user_error("Cannot cancel a fulfilled order", "orderId", code="INVALID")]
        return {"job": None, "orderCancelUserErrors": errors, "userErrors": errors}
    order.update(cancelReason=arguments["reason"], staffNote=arguments.get("staffNote"))
    cancel(call.site, order)
    call.written += 1
    job = {"id": f"gid://shopify/Job/{order['id']}", "done": True}
    return {"job": job, "orderCancelUserErrors": [], "userErrors": []}


@resolves("Mutation", "refundCreate")
def _refund(call, _source, arguments):
    given = arguments["input"]
    order = find(call, KIND, "Order", given["orderId"])
    error = _refund_error(order, given)
    if error:
        return {"refund": None, "order": None, "userErrors": [error]}
    lines = {line["id"]: line for line in order["lines"]}
    for row in given.get("refundLineItems") or ():
        _refund_line(call.site, lines[number_of(row["lineItemId"], "LineItem")], row)
    paid = sum((Decimal(row["amount"]) for row in given.get("transactions") or ()), Decimal(0))
    order["refunded"] = str(Decimal(order["refunded"]) + paid)
    whole = Decimal(order["refunded"]) >= Decimal(order["total"])
    order["displayFinancialStatus"] = "REFUNDED" if whole else "PARTIALLY_REFUNDED"
    refund = {
        "id": call.store.next_id(REFUND),
        "parentId": order["id"],
        "note": given.get("note"),
        "lines": _refunded_lines(order, lines, given),
        "shipping": (given.get("shipping") or {}).get("amount"),
        "amount": str(paid),
        "createdAt": now(call.site),
        "updatedAt": now(call.site),
        "processedAt": now(call.site),
    }
    call.store.put(REFUND, refund)
    save(call.site, order)
    call.site.emit("refunds/create", REFUND, refund["id"])
    call.created += 1
    return {"refund": refund, "order": order, "userErrors": []}


def _refunded_lines(order, lines, given):
    rows = []
    for row in given.get("refundLineItems") or ():
        line = lines[number_of(row["lineItemId"], "LineItem")]
        share = Decimal(row["quantity"]) / line["quantity"]
        rows.append(
            {
                "lineId": line["id"],
                "quantity": row["quantity"],
                "restockType": row.get("restockType") or "NO_RESTOCK",
                "subtotal": f"{_net(line) * share:.2f}",
                "tax": f"{Decimal(line['tax']) * share:.2f}",
            }
        )
    return rows


def _refund_error(order, given):
    if not order:
        return user_error("Order does not exist", "orderId")
    lines = {line["id"]: line for line in order["lines"]}
    for place, row in enumerate(given.get("refundLineItems") or ()):
        line = lines.get(number_of(row["lineItemId"], "LineItem"))
        if not line or line["quantity"] - line["refunded"] < row["quantity"]:
            message = "Quantity cannot refund more items than were purchased"
            return user_error(message, "refundLineItems", str(place), "quantity")
    paid = sum((Decimal(row["amount"]) for row in given.get("transactions") or ()), Decimal(0))
    left = Decimal(order["total"]) - Decimal(order["refunded"])
    if paid > left and not given.get("allowOverRefunding"):
        return user_error("Refund amount is more than is left of the payment", "transactions")
    return None


def _refund_line(site, line, row):
    line["refunded"] += row["quantity"]
    variant = site.store.get(products.VARIANT, line["variantId"] or 0)
    if variant and row.get("restockType") in ("RETURN", "CANCEL") and row.get("locationId"):
        place = number_of(row["locationId"], "Location")
        inventory.adjust(site, variant["inventoryItemId"], place, row["quantity"])


@resolves("Refund", "totalRefundedSet")
def _refund_total(call, refund, _arguments):
    return money(call.store.get(KIND, refund["parentId"]), refund["amount"])


@resolves("Refund", "order")
def _refund_order(call, refund, _arguments):
    return call.store.get(KIND, refund["parentId"])


@resolves("Refund", "refundLineItems")
def _refund_line_items(call, refund, arguments):
    order = call.store.get(KIND, refund["parentId"])
    lines = {line["id"]: {**line, "order": order} for line in order["lines"]}
    rows = [
        {
            "quantity": row["quantity"],
            "restockType": row["restockType"],
            "lineItem": lines[row["lineId"]],
            "subtotalSet": money(order, row["subtotal"]),
            "totalTaxSet": money(order, row["tax"]),
        }
        for row in refund.get("lines") or ()
    ]
    return listing(rows, arguments)


@resolves("Refund", "refundShippingLines")
def _refund_shipping_lines(call, refund, arguments):
    order = call.store.get(KIND, refund["parentId"])
    given = refund.get("shipping")
    row = {"id": refund["id"], "subtotalAmountSet": money(order, given or "0")}
    return listing([{**row, "taxAmountSet": money(order, "0")}] if given else [], arguments)


@resolves("Order", "totalTipReceivedSet")
def _tip(_call, order, _arguments):
    return money(order, order.get("tip") or "0")


@resolves("Order", "additionalFees")
def _fees(_call, _order, _arguments):
    return []

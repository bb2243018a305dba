"""Orders with their fulfilments and payments."""

from decimal import Decimal

from .goods import take_off_stock
from .rest import as_number, changed, exact, invalid, missing, new_id, not_allowed, pick

SHIPPING = Decimal(5)


def add_order(site, lines, email="jo@example.com", **fields):
    """:param lines: ``[(variant id, quantity), ...]``"""
    site.last_number += 1
    now = site.now()
    address = {
        "first_name": "Jo",
        "last_name": "Example",
        "address_1": "Main Street 1",
        "city": "Sampletown",
        "postal_code": "12345",
        "country_code": site.country,
        "phone": "+49 30 1234567",
    }
    items = [_item(site, variant, exact(count)) for variant, count in lines]
    order = {
        "id": new_id("order"),
        "display_id": site.last_number,
        "status": "pending",
        "email": email,
        "currency_code": site.currency,
        "metadata": None,
        "canceled_at": None,
        "customer_id": new_id("cus"),
        "customer": {"company_name": None},
        "items": items,
        "shipping_methods": [{"id": new_id("ordsm"), "name": "Parcel", **_amounts(site, SHIPPING)}],
        "billing_address": address,
        "shipping_address": address,
        "credit_line_total": 0,
        "payment_status": "not_paid",
        "payment_collections": [],
        "fulfillments": [],
        "created_at": now,
        "updated_at": now,
        **fields,
    }
    rows = [*order["items"], *order["shipping_methods"]]
    for name in ("total", "tax_total"):
        order[name] = as_number(sum((exact(row[name]) for row in rows), Decimal(0)))
    site.orders[order["id"]] = order
    return order


def _item(site, variant_id, count):
    variant = site.variants[variant_id]
    product = site.products[variant["product_id"]]
    return {
        "id": new_id("ordli"),
        "title": product["title"],
        "product_title": product["title"],
        "variant_title": variant["title"],
        "variant_id": variant_id,
        "variant_sku": variant["sku"],
        "quantity": as_number(count),
        "detail": {"quantity": as_number(count), "fulfilled_quantity": 0},
        **_amounts(site, exact(variant["prices"][0]["amount"]) * count),
    }


def _amounts(site, net):
    tax = net * site.tax / 100
    line = {
        "tax_rate_id": "txr_1",
        "code": f"vat{site.tax}",
        "description": f"VAT {site.tax}%",
        "rate": site.tax,
        "total": as_number(tax),
    }
    return {
        "subtotal": as_number(net),
        "discount_subtotal": 0,
        "tax_total": as_number(tax),
        "total": as_number(net + tax),
        "tax_lines": [line],
    }


def _order(site, order_id):
    if order_id not in site.orders:
        raise missing(f"Order id not found: {order_id}")
    return site.orders[order_id]


def _open_order(site, order_id):
    order = _order(site, order_id)
    if order["canceled_at"]:
        raise invalid(f"Order with id {order_id} has been canceled.")
    return order


def list_orders(site, request):
    rows, count = pick(list(site.orders.values()), request.query)
    return {"orders": rows, "count": count}


def get_order(site, request, order_id):
    return {"order": _order(site, order_id)}


def update_order(site, request, order_id):
    order = _open_order(site, order_id)
    if "metadata" in request.json():
        order["metadata"] = changed(request.json()["metadata"], order["metadata"])
    return _touched(site, order)


def cancel_order(site, request, order_id):
    order = _open_order(site, order_id)
    if any(not one["canceled_at"] for one in order["fulfillments"]):
        raise not_allowed("All fulfillments must be canceled before canceling an order")
    order["status"], order["canceled_at"] = "canceled", site.now()
    return _touched(site, order)


def _touched(site, order):
    order["updated_at"] = site.now()
    return {"order": order}


# === FULFILMENTS === #


def create_fulfillment(site, request, order_id):
    order, body = _open_order(site, order_id), request.json()
    items = {item["id"]: item for item in order["items"]}
    unknown = [row["id"] for row in body["items"] if row["id"] not in items]
    if unknown:
        raise invalid(
            f"Items with ids {', '.join(unknown)} does not exist in order with id {order_id}."
        )
    if body.get("location_id") not in site.locations:
        raise missing(f"StockLocation id not found: {body.get('location_id')}")
    for row in body["items"]:
        detail = items[row["id"]]["detail"]
        left = exact(detail["quantity"]) - exact(detail["fulfilled_quantity"])
        if exact(row["quantity"]) > left:
            raise invalid(
                f"Quantity to fulfill exceeds the reserved quantity for the item: {row['id']}"
            )
    made = _fulfillment(site, body, items)
    order["fulfillments"].append(made)
    return _touched(site, order)


def _fulfillment(site, body, items):
    rows = []
    for row in body["items"]:
        item = items[row["id"]]
        fulfilled = exact(item["detail"]["fulfilled_quantity"]) + exact(row["quantity"])
        item["detail"]["fulfilled_quantity"] = as_number(fulfilled)
        links = site.variants.get(item["variant_id"], {}).get("inventory_items") or ()
        for link in links:
            take_off_stock(site, link["inventory_item_id"], body["location_id"], row["quantity"])
        rows.append(
            {"line_item_id": row["id"], "sku": item["variant_sku"], "quantity": row["quantity"]}
        )
    return {
        "id": new_id("ful"),
        "location_id": body["location_id"],
        "shipped_at": None,
        "canceled_at": None,
        "metadata": body.get("metadata"),
        "items": rows,
        "labels": [],
        "updated_at": site.now(),
    }


def _find_fulfillment(order, fulfillment_id):
    found = [one for one in order["fulfillments"] if one["id"] == fulfillment_id]
    if not found:
        raise missing(f"Fulfillment with id: {fulfillment_id} was not found")
    return found[0]


def create_shipment(site, request, order_id, fulfillment_id):
    order = _open_order(site, order_id)
    one = _find_fulfillment(order, fulfillment_id)
    if one["shipped_at"]:
        raise not_allowed("Shipment has already been created")
    one["shipped_at"] = one["updated_at"] = site.now()
    one["labels"] = request.json().get("labels") or []
    return _touched(site, order)


def cancel_fulfillment(site, request, order_id, fulfillment_id):
    order = _order(site, order_id)
    one = _find_fulfillment(order, fulfillment_id)
    if one["canceled_at"]:
        raise not_allowed("The fulfillment is already canceled")
    if one["shipped_at"]:
        raise not_allowed(
            "The fulfillment has already been shipped. Shipped fulfillments cannot be canceled"
        )
    one["canceled_at"] = one["updated_at"] = site.now()
    return _touched(site, order)


# === PAYMENTS === #


def create_collection(site, request):
    body = request.json()
    order = _order(site, body["order_id"])
    made = {"id": new_id("pay_col"), "amount": body["amount"], "payments": []}
    order["payment_collections"].append(made)
    return {"payment_collection": made}


def mark_as_paid(site, request, collection_id):
    order = _order(site, request.json()["order_id"])
    (collection,) = (one for one in order["payment_collections"] if one["id"] == collection_id)
    capture = {"id": new_id("capt"), "amount": collection["amount"], "created_at": site.now()}
    payment = {
        "id": new_id("pay"),
        "provider_id": "pp_system_default",
        "currency_code": order["currency_code"],
        "amount": collection["amount"],
        "captures": [capture],
        "refunds": [],
    }
    collection["payments"].append(payment)
    order["payment_status"] = "captured"
    return {"payment_collection": collection}


def refund(site, request, payment_id):
    body = request.json()
    for order in site.orders.values():
        for collection in order["payment_collections"]:
            for payment in collection["payments"]:
                if payment["id"] == payment_id:
                    return {"payment": _refund(site, order, payment, body)}
    raise missing(f"Payment with id: {payment_id} was not found")


def _refund(site, order, payment, body):
    given = sum((exact(one["amount"]) for one in payment["refunds"]), Decimal(0))
    if given + exact(body["amount"]) > exact(payment["amount"]):
        raise invalid("You are not allowed to refund more than the captured amount")
    row = {"id": new_id("ref"), "amount": body["amount"], "note": body.get("note")}
    payment["refunds"].append({**row, "created_at": site.now()})
    order["payment_status"] = "partially_refunded"
    return payment

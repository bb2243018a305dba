"""Orders and their notes.

class-wc-rest-orders-controller.php (versions 2 and 3), class-wc-rest-order-notes-controller.php.
"""

import secrets

from . import dates, lines, meta, money, products, stock
from .rest import (
    BOOLEAN,
    INTEGER,
    META,
    OBJECT,
    OBJECTS,
    PAGING,
    STRING,
    ApiError,
    enum,
    php_int,
    php_text,
)

KIND, NOTE, REFUND, CUSTOMER = "order", "note", "refund", "customer"
STATUSES = (
    "auto-draft",
    "pending",
    "processing",
    "on-hold",
    "completed",
    "cancelled",
    "refunded",
    "failed",
    "checkout-draft",
)
PAID = ("processing", "completed")
STOCK_TAKEN = ("processing", "completed", "on-hold")
STOCK_GIVEN_BACK = ("cancelled", "pending")
NAMES = {"on-hold": "On hold", "pending": "Pending payment"}

LIST_PARAMS = {
    **PAGING,
    "orderby": {**enum("date", "id", "include", "title", "slug", "modified"), "default": "date"},
    "status": {
        "type": "array",
        "items": enum("any", "trash", *STATUSES),
        "default": ["any"],
    },
    "customer": INTEGER,
    "product": INTEGER,
    "parent": {"type": "array", "items": INTEGER},
    "dp": INTEGER,
}
PARAMS = {
    "parent_id": INTEGER,
    "status": enum(*STATUSES),
    "currency": STRING,
    "customer_id": INTEGER,
    "customer_note": STRING,
    "billing": OBJECT,
    "shipping": OBJECT,
    "payment_method": STRING,
    "payment_method_title": STRING,
    "transaction_id": STRING,
    "meta_data": META,
    "line_items": OBJECTS,
    "shipping_lines": OBJECTS,
    "fee_lines": OBJECTS,
    "coupon_lines": OBJECTS,
    "set_paid": BOOLEAN,
}
NOTE_PARAMS = {
    "note": {**STRING, "required": True},
    "customer_note": {**BOOLEAN, "default": False},
    "added_by_user": {**BOOLEAN, "default": False},
}
NOTE_LIST_PARAMS = {"type": {**enum("any", "customer", "internal"), "default": "any"}}

ADDRESS = (
    "first_name",
    "last_name",
    "company",
    "address_1",
    "address_2",
    "city",
    "state",
    "postcode",
    "country",
)
ADDRESSES = {"billing": [*ADDRESS, "email", "phone"], "shipping": [*ADDRESS, "phone"]}
TEXTS = (
    "currency",
    "customer_note",
    "payment_method",
    "payment_method_title",
    "transaction_id",
)
RECALCULATED_BY = ("billing", "shipping", "coupon_lines", *money.GROUPS)


# === FINDING === #


def list_conditions(site, params):
    statuses = params["status"]
    if "any" in statuses or not statuses:
        yield "status NOT IN ('trash', 'auto-draft')", []
    else:
        yield f"status IN ({','.join('?' * len(statuses))})", statuses
    if params.get("customer") is not None:
        yield "json_extract(body, '$.customer_id') = ?", [params["customer"]]
    if params.get("product"):
        line = "SELECT 1 FROM json_each(body, '$.line_items') WHERE "
        yield f"EXISTS ({line} json_extract(value, '$.product_id') = ?)", [params["product"]]
    if params.get("search"):
        fields = [f"json_extract(body, '$.billing.{name}')" for name in ADDRESSES["billing"]]
        clause = " OR ".join(f"{field} LIKE ? ESCAPE '\\'" for field in [*fields, "id"])
        yield clause, [products.like(params["search"])] * (len(fields) + 1)
    yield from products.common_conditions(site, params)


def get(site, order_id, status=404):
    order = site.store.get(KIND, order_id)
    if order is None:
        raise ApiError(status, "woocommerce_rest_shop_order_invalid_id", "Invalid ID.")
    return order


# === WRITING === #


def blank(site):
    now = dates.now(site)
    return {
        "id": 0,
        "parent_id": 0,
        "status": "pending",
        "currency": site.currency,
        "version": site.version,
        "prices_include_tax": site.prices_include_tax,
        "date_created_gmt": now,
        "date_modified_gmt": now,
        "date_paid_gmt": None,
        "date_completed_gmt": None,
        "customer_id": 0,
        "order_key": f"wc_order_{secrets.token_hex(7)}",
        "billing": dict.fromkeys(ADDRESSES["billing"], ""),
        "shipping": dict.fromkeys(ADDRESSES["shipping"], ""),
        "payment_method": "",
        "payment_method_title": "",
        "transaction_id": "",
        "customer_ip_address": "",
        "customer_user_agent": "",
        "created_via": "rest-api",
        "customer_note": "",
        "cart_hash": "",
        "meta_data": [],
        "line_items": [],
        "tax_lines": [],
        "shipping_lines": [],
        "fee_lines": [],
        "coupon_lines": [],
        "refunds": [],
        "stock_taken": False,
    }


def create(site, params, via="rest-api"):
    order = {**blank(site), "created_via": via}
    assign(site, order, params)
    order["id"] = site.store.next_id("post")
    money.set_totals(site, order)
    lines.apply_coupons(site, order, params.get("coupon_lines"))
    set_status(site, order, params.get("status") or "pending")
    save(site, order)
    site.emit("order.created", order["id"])
    _pay_if_asked(site, order, params)
    return order


def update(site, order, params):
    assign(site, order, params)
    if any(params.get(name) is not None for name in RECALCULATED_BY):
        money.set_totals(site, order)
    lines.apply_coupons(site, order, params.get("coupon_lines"))
    if params.get("status"):
        set_status(site, order, params["status"])
    save(site, order)
    site.emit("order.updated", order["id"])
    _pay_if_asked(site, order, params)
    return order


def save(site, order):
    order["date_modified_gmt"] = dates.now(site)
    site.store.put(KIND, order)


def assign(site, order, params):
    """:raises ApiError: for a customer, product or line that is not there"""
    customer_id = php_int(params.get("customer_id"))
    if customer_id and site.store.get(CUSTOMER, customer_id) is None:
        raise ApiError(400, "woocommerce_rest_invalid_customer_id", "Customer ID is invalid.")
    if params.get("customer_id") is not None:
        order["customer_id"] = customer_id
    for name in TEXTS:
        if params.get(name) is not None:
            order[name] = php_text(params[name])
    if params.get("parent_id") is not None:
        order["parent_id"] = php_int(params["parent_id"])
    for name, fields in ADDRESSES.items():
        given = params.get(name)
        if isinstance(given, dict):
            order[name] |= {key: php_text(given[key]) for key in fields if key in given}
    lines.assign(site, order, params)
    if params.get("meta_data") is not None:
        order["meta_data"] = meta.merge(site.store, order["meta_data"], params["meta_data"])


def _pay_if_asked(site, order, params):
    if params.get("set_paid") is True and order["status"] not in PAID:
        set_status(site, order, "processing")
        save(site, order)
        site.emit("order.updated", order["id"])


def set_status(site, order, status):
    """Set dates, move the stock of the products, and write the note WooCommerce writes itself.

    A status that is not known becomes "pending", as in WC_Abstract_Order::set_status().
    """
    status = status.removeprefix("wc-")
    old = order["status"]
    order["status"] = status if status in STATUSES else "pending"
    if order["status"] in PAID and not order["date_paid_gmt"]:
        order["date_paid_gmt"] = dates.now(site)
    if order["status"] == "completed" and not order["date_completed_gmt"]:
        order["date_completed_gmt"] = dates.now(site)
    if order["status"] in STOCK_TAKEN and not order["stock_taken"]:
        _move_stock(site, order, -1)
    elif order["status"] in STOCK_GIVEN_BACK and order["stock_taken"]:
        _move_stock(site, order, 1)
    if old != order["status"]:
        names = status_name(old), status_name(order["status"])
        add_note(site, order, "Order status changed from {} to {}.".format(*names))


def status_name(status):
    return NAMES.get(status, status.capitalize())


def _move_stock(site, order, sign):
    """The store counts its own sales down; of products it keeps the stock of."""
    order["stock_taken"] = sign < 0
    for line in order["line_items"]:
        adjust_stock(site, line["variation_id"] or line["product_id"], sign * line["quantity"])


def adjust_stock(site, product_id, delta):
    product = site.store.get(products.KIND, product_id) if product_id else None
    if product and not product["manage_stock"] and products.is_variation(product):
        product = site.store.get(products.KIND, product["parent_id"])
    if not product or not product["manage_stock"]:
        return
    product["stock_quantity"] = (product["stock_quantity"] or 0) + delta
    stock.set_status(product)
    products.save(site, product)
    site.emit("product.updated", product["id"])


def remove(site, order, force):
    """Into the trash, which is announced, or away for good with its notes, which is not."""
    if not force:
        order["status"] = "trash"
        save(site, order)
        site.emit("order.deleted", order["id"])
        return
    site.store.delete(KIND, order["id"])
    for kind in (NOTE, REFUND):
        for (child_id,) in site.store.children(kind, [order["id"]]).get(order["id"], []):
            site.store.delete(kind, child_id)


# === SEEDING === #

# What a client may not write, and a seed may: told as they are, not computed.
SEEDED = (
    "version",
    "prices_include_tax",
    "order_key",
    "created_via",
    "cart_hash",
    "tax_lines",
    "coupon_lines",
    "discount_total",
    "discount_tax",
    "shipping_total",
    "shipping_tax",
    "cart_tax",
    "total",
    "total_tax",
    "refunds",
)
SEEDED_DATES = ("date_created_gmt", "date_paid_gmt", "date_completed_gmt")


def load(site, params):
    """Store an order as it is told: no webhook, no note, no stock moved, given totals kept."""
    order = blank(site)
    order["id"] = php_int(params.get("id")) or site.store.next_id("post")
    site.store.raise_sequence("post", order["id"])
    assign(site, order, {**params, **_lines_without_id(params)})
    money.set_totals(site, order)
    order["status"] = params.get("status", "processing")
    order["stock_taken"] = order["status"] in STOCK_TAKEN
    order.update({name: params[name] for name in SEEDED if name in params})
    for name in SEEDED_DATES:
        if params.get(name):
            order[name] = dates.parse(site, params[name], True)
    if order["status"] in PAID and not order["date_paid_gmt"]:
        order["date_paid_gmt"] = order["date_created_gmt"]
    for group in money.GROUPS:
        for line, given in zip(order[group], params.get(group) or [], strict=True):
            told = line.keys() & given.keys() - {"meta_data"}
            line.update({name: given[name] for name in told})
    save(site, order)
    return order


def _lines_without_id(params):
    return {
        group: [{**line, "id": None} for line in params.get(group) or []] for group in money.GROUPS
    }


# === NOTES === #


def add_note(site, order, text, customer_note=False, author="system"):
    note = {
        "id": site.store.next_id("comment"),
        "parent_id": order["id"],
        "author": author,
        "date_created_gmt": dates.now(site),
        "note": text,
        "customer_note": customer_note,
    }
    site.store.put(NOTE, note)
    return note


def notes(site, order_id, kind="any"):
    """Newest first."""
    found = site.store.find(NOTE, [("parent_id = ?", [order_id])], order="id DESC")
    if kind == "any":
        return found
    return [note for note in found if note["customer_note"] == (kind == "customer")]


def show_note(site, note):
    base = f"orders/{note['parent_id']}/notes"
    return {
        "id": note["id"],
        "author": note["author"],
        **dates.shown(site, note, "date_created"),
        "note": note["note"],
        "customer_note": note["customer_note"],
        "_links": {
            "self": [{"href": site.api_url(f"{base}/{note['id']}")}],
            "collection": [{"href": site.api_url(base)}],
            "up": [{"href": site.api_url(f"orders/{note['parent_id']}")}],
        },
    }


# === SHOWING === #


def show(site, order):
    shown = {name: value for name, value in order.items() if name != "stock_taken"}
    shown.update(dates.shown(site, order, "date_created", "date_modified"))
    shown.update(dates.shown(site, order, "date_paid", "date_completed"))
    pending = order["status"] in ("pending", "failed")
    key = order["order_key"]
    return {
        **shown,
        "number": str(order["id"]),
        "line_items": [lines.show_item(line) for line in order["line_items"]],
        "payment_url": f"{site.url}/checkout/order-pay/{order['id']}/?pay_for_order=true&key={key}",
        "is_editable": order["status"] in ("pending", "on-hold", "auto-draft"),
        "needs_payment": pending and money.amount(order["total"]) > 0,
        "needs_processing": True,
        "currency_symbol": site.currency_symbol(order["currency"]),
        "_links": {
            "self": [{"href": site.api_url(f"orders/{order['id']}")}],
            "collection": [{"href": site.api_url("orders")}],
        },
    }

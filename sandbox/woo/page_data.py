"""What the web page shows of a WooCommerce store: products and orders."""

import json
from datetime import datetime, timedelta, timezone

from .. import page
from . import dates, orders, products
from .money import amount, text
from .product_view import View

SHOWN_PRODUCTS = 100
SHOWN_ORDERS = 18
SHOWN_NOTES = 6
SHOWN_DEPTH = 4  # of objects within objects in meta data
FRESH_SECONDS = 30  # what changed that recently is highlighted

STOCK_BADGES = {
    "instock": ("in stock", "good"),
    "outofstock": ("out of stock", "bad"),
    "onbackorder": ("on backorder", "warn"),
}
STATUS_BADGES = {
    "processing": "warn",
    "completed": "good",
    "cancelled": "bad",
    "failed": "bad",
    "refunded": "bad",
}
# key of order meta data begins with, or contains -> heading of its block
INVOICE, TRACKING, OTHER = "Invoice", "Shipment and tracking", "More meta data"


def sections(site, search=""):
    with site.store.transaction():
        return [_orders(site), _products(site, search)]


def _is_fresh(site, document):
    limit = site.clock().astimezone(timezone.utc) - timedelta(seconds=FRESH_SECONDS)
    return document["date_modified_gmt"] > dates.text(limit)


def _time(site, stored):
    """e.g. "2 Nov, 10:30:05", in the shop's time"""
    at = datetime.fromisoformat(dates.local(site, stored))
    return f"{at.day} {at:%b, %H:%M:%S}"


# === PRODUCTS === #


def _products(site, search):
    conditions = [("type <> 'variation' AND status <> 'trash'", [])]
    if search:
        pattern = products.like(search)
        conditions.append(("title LIKE ? ESCAPE '\\' OR sku LIKE ? ESCAPE '\\'", [pattern] * 2))
    total = site.store.count(products.KIND, conditions)
    found = site.store.find(products.KIND, conditions, "modified DESC, id", SHOWN_PRODUCTS)
    columns = [
        ("Product", ""),
        ("SKU", "code"),
        ("Price", "num wide"),
        ("Stock", "num"),
        ("", ""),
        ("Changed", "wide"),
    ]
    aside = f"{len(found)} of {total}, changed last" if total > len(found) else str(total)
    rows = _product_rows(site, found)
    field = page.field_input("q", value=search, placeholder="Name or SKU")
    find = page.tag("form", field, " ", page.tag("button", "Find"), class_="push")
    empty = "No product is called so." if search else "No products yet."
    return page.Table("Products", columns, rows, empty, aside, [find])


def _product_rows(site, found):
    ids = [product["id"] for product in found if product["type"] == "variable"]
    children = {}
    for parent_id, rows in site.store.children(products.KIND, ids).items():
        known = site.store.get_many(products.KIND, [row[0] for row in rows])
        children[parent_id] = list(known.values())
    every = [row for product in found for row in (product, *children.get(product["id"], []))]
    view = View(site, every)
    return [_product_row(site, view.product(row), row) for row in every]


def _product_row(site, shown, stored):
    child = shown["type"] == "variation"
    css = [name for name, on in (("child", child), ("fresh", _is_fresh(site, stored))) if on]
    label, kind = STOCK_BADGES[shown["stock_status"]]
    quantity = "" if shown["stock_quantity"] is None else shown["stock_quantity"]
    changed = _time(site, stored["date_modified_gmt"])
    badge = page.badge(label, kind)
    return " ".join(css), [
        shown["name"],
        shown["sku"],
        shown["price"],
        quantity,
        badge,
        changed,
    ]


# === ORDERS === #


def _orders(site):
    total = site.store.count(orders.KIND)
    found = site.store.find(orders.KIND, order="id DESC", limit=SHOWN_ORDERS)
    aside = f"the last {len(found)} of {total}" if total > len(found) else str(total)
    cards = [_order(site, order) for order in found]
    return page.Cards("Orders", cards, "No orders yet: place one.", aside)


def _order(site, order):
    status = orders.status_name(order["status"])
    badges = [
        page.badge(status, STATUS_BADGES.get(order["status"], "")),
        page.tag("span", _time(site, order["date_created_gmt"]), class_="soft"),
    ]
    blocks = [_summary(order), *_meta_blocks(order), *_refunds(order), *_notes(site, order)]
    return page.card(f"Order {order['id']}", badges, *blocks, fresh=_is_fresh(site, order))


def _summary(order):
    who = f"{order['billing']['first_name']} {order['billing']['last_name']}".strip() or "Guest"
    goods = ", ".join(f"{line['quantity']} x {line['name']}" for line in order["line_items"])
    total = f"{text(amount(order['total']))} {order['currency']}"
    return page.tag("p", page.tag("b", total), f" · {who}", page.Html("<br>"), goods)


def _meta_blocks(order):
    """A block for each entry that is an object, and one for the rest of each group."""
    groups, blocks = {INVOICE: [], TRACKING: [], OTHER: []}, []
    for entry in order["meta_data"]:
        group, label, value = _meta_group(entry["key"]), _meta_label(entry["key"]), entry["value"]
        value = _parsed(value)
        if isinstance(value, dict):
            blocks.append(page.block(f"{group} {label}".strip(), _value(value)))
        else:
            groups[group].append((label or group, _value(value)))
    rest = [page.block(title, page.definitions(pairs)) for title, pairs in groups.items() if pairs]
    return [*blocks, *rest]


def _meta_group(key):
    name = key.lower()
    if "invoice" in name:
        return INVOICE
    return TRACKING if any(word in name for word in ("track", "ship", "carrier")) else OTHER


def _meta_label(key):
    """e.g. "_commerce_sync_invoice_due_date" -> "Due date", "...invoice:INV/7" -> "INV/7" """
    name = key.strip("_").removeprefix("commerce_sync_")
    return _words(name.removeprefix("invoice").lstrip("_:"))


def _words(name):
    """e.g. "due_date" -> "Due date" """
    return name[:1].upper() + name[1:].replace("_", " ")


def _parsed(value):
    """The object or list that is told in a text as JSON; anything else as it is."""
    if not isinstance(value, str) or value[:1] not in ("{", "["):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value


def _value(value, depth=0):
    value = _parsed(value)
    if isinstance(value, dict) and depth < SHOWN_DEPTH:
        shown = {name: _value(inner, depth + 1) for name, inner in value.items() if inner != ""}
        return page.definitions((_words(name), inner) for name, inner in shown.items())
    if isinstance(value, list) and depth < SHOWN_DEPTH:
        return page.join([_value(item, depth + 1) for item in value], ", ")
    if isinstance(value, (dict, list)):
        return "…"
    if isinstance(value, str):
        return page.link(value, value)
    return json.dumps(value)


def _refunds(order):
    items = [
        page.tag("li", f"{refund['total']} {order['currency']} {refund['reason']}")
        for refund in order["refunds"]
    ]
    return [page.block("Refunds", page.tag("ul", *items))] if items else []


def _notes(site, order):
    found = orders.notes(site, order["id"])
    items = [
        page.tag(
            "li",
            page.badge("to customer", "good") if note["customer_note"] else "",
            " " if note["customer_note"] else "",
            note["note"],
            page.tag("span", f" · {_time(site, note['date_created_gmt'])}", class_="soft"),
        )
        for note in found[:SHOWN_NOTES]
    ]
    if len(found) > SHOWN_NOTES:
        items.append(page.tag("li", f"and {len(found) - SHOWN_NOTES} older ones", class_="soft"))
    return [page.block("Notes", page.tag("ul", *items))] if items else []

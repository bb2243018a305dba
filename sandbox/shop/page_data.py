"""What the web page shows of a Shopify store: orders and stock."""

from .. import page
from . import files, fulfillments, inventory, metafields, orders, products

SHOWN_PRODUCTS = 100
SHOWN_ORDERS = 18


def sections(site, search=""):
    with site.store.transaction():
        return [_orders(site), _stock(site, search)]


def _stock(site, search):
    places = site.store.find(inventory.LOCATION)
    conditions = [("sku LIKE ?", [f"%{search}%"])] if search else []
    total = site.store.count(products.VARIANT, conditions)
    rows = site.store.find(products.VARIANT, conditions, "modified DESC, id", SHOWN_PRODUCTS)
    columns = [("Product", ""), ("SKU", "code"), ("Price", "num wide")]
    columns += [(place["name"], "num") for place in places] + [("", "")]
    aside = f"{len(rows)} of {total}" if total > len(rows) else str(total)
    field = page.field_input("q", value=search, placeholder="SKU")
    find = page.tag("form", field, " ", page.tag("button", "Find"), class_="push")
    cells = [("", _stock_row(site, row, places)) for row in rows]
    return page.Table("Stock", columns, cells, "No products yet.", aside, [find])


def _stock_row(site, variant, places):
    product = site.store.get(products.KIND, variant["parentId"])
    item = site.store.get(inventory.KIND, variant["inventoryItemId"])
    plain = variant["title"] == products.DEFAULT_OPTION["value"]
    name = product["title"] if plain else f"{product['title']} - {variant['title']}"
    quantities = [_quantity(item, place) for place in places]
    kind = "bundle" if item["bundle"] else "" if item["tracked"] else "not tracked"
    badge = page.badge(kind, "warn") if kind else ""
    return [name, variant["sku"], variant["price"], *quantities, badge]


def _quantity(item, place):
    level = item["levels"].get(str(place["id"]))
    if not level:
        return "-"
    return level["available"] if level["active"] else f"({level['available']})"


def _orders(site):
    total = site.store.count(orders.KIND)
    found = site.store.find(orders.KIND, order="id DESC", limit=SHOWN_ORDERS)
    aside = f"the last {len(found)} of {total}" if total > len(found) else str(total)
    cards = [_order(site, order) for order in found]
    return page.Cards("Orders", cards, "No orders yet: place one.", aside)


def _order(site, order):
    status = order["displayFinancialStatus"].replace("_", " ").lower()
    badges = [page.badge(status, "good" if status == "paid" else "warn")]
    badges += [page.badge(tag) for tag in order["tags"]]
    lines = [f"{line['quantity']} x {line['title']}" for line in order["lines"]]
    total = f"{order['total']} {order['currencyCode']}"
    blocks = [page.definitions([("Lines", ", ".join(lines)), ("Total", total)])]
    if order["note"]:
        blocks.append(page.block("Note", page.tag("p", order["note"])))
    blocks += [_metafield(site, row) for row in metafields.of(site.store, "Order", order["id"])]
    blocks += [_shipment(row) for row in fulfillments.shipped_of(site, order["id"])]
    return page.card(order["name"], badges, *blocks)


def _metafield(site, row):
    value = row["value"]
    if row["type"] == "file_reference":
        number = int(value.rpartition("/")[2])
        name = (site.store.get(files.KIND, number) or {}).get("title") or value
        value = page.link(name, f"{site.url}{files.CONTENT}{number}/{name}")
    return page.block(f"{row['namespace']}.{row['key']}", page.tag("p", value))


def _shipment(row):
    numbers = ", ".join(
        f"{info['company'] or ''} {info['number'] or ''}".strip() for info in row["tracking"]
    )
    state = row["status"].lower()
    pairs = [("Tracking", numbers or "-"), ("Pieces", row["totalQuantity"]), ("State", state)]
    return page.block("Shipment", page.definitions(pairs))

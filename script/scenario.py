"""What script/demo shows: a store and an Odoo that know nothing of each other come to agree.

Everything is done from outside, as a person or another program would: Odoo over JSON-RPC, the
store over HTTP. Standard library only.
"""

import base64
import http.client
import json
import time
import urllib.parse

from devenv.console import say, step

STORE_NAME = "Demo Store"
STORE_API = "/wp-json/wc/v3"
ORDERS = 5
#: Seconds until everything must have arrived.
PATIENCE = 120


class Odoo:
    """Odoo's JSON-RPC, signed in."""

    def __init__(self, url, database, login, password):
        self.address = urllib.parse.urlsplit(url).netloc
        uid = self._call("common", "authenticate", database, login, password, {})
        self._identity = (database, uid, password)

    def __call__(self, model, method, *args, **kwargs):
        return self._call("object", "execute_kw", *self._identity, model, method, args, kwargs)

    def search_read(self, model, domain, *fields, **kwargs):
        return self(model, "search_read", domain, list(fields), **kwargs)

    def _call(self, service, method, *args):
        params = {"service": service, "method": method, "args": args}
        answer = send(self.address, "POST", "/jsonrpc", {"jsonrpc": "2.0", "params": params})
        if "error" in answer:
            raise RuntimeError(answer["error"]["data"]["message"])
        return answer.get("result")


class Store:
    """The sandbox store's HTTP, signed in."""

    def __init__(self, url, key, secret):
        self.address = urllib.parse.urlsplit(url).netloc
        self.sign_in = base64.b64encode(f"{key}:{secret}".encode()).decode()

    def get(self, path, **params):
        return self._call("GET", f"{STORE_API}/{path}?{urllib.parse.urlencode(params)}")

    def sandbox(self, what, body):
        return self._call("POST", f"/_sandbox/{what}", body)

    def _call(self, method, path, body=None):
        return send(self.address, method, path, body, Authorization=f"Basic {self.sign_in}")


def send(address, method, path, body=None, **headers):
    """One request with JSON; its answer."""
    connection = http.client.HTTPConnection(address, timeout=60)
    headers["Content-Type"] = "application/json"
    connection.request(method, path, body and json.dumps(body), headers)
    answer = connection.getresponse()
    data = answer.read()
    connection.close()
    if answer.status >= 400:
        raise RuntimeError(f"{address} answers {answer.status} to {method} {path}")
    return json.loads(data)


def run(context):
    """Do the main job and check it.

    :param context: ``devenv.demo.Context``
    :return: whether the store holds what it should
    """
    odoo = Odoo(context.odoo.url, context.database, context.login, context.password)
    store = Store(context.store.url, context.store_key, context.store_secret)
    with step("Filling the store with Odoo's demo products, without stock"):
        products = storable_products(odoo)
        store.sandbox("seed", {"products": [in_store(family) for family in products]})
    with step(f"{ORDERS} orders in the store; Odoo has them already, invoiced"):
        invoices = make_orders(odoo, store, products)
    with step("Setting up the connection"):
        connection = connect(odoo, context)
    with step("Matching products by SKU and orders by number"):
        match(odoo, connection, "variant")
        match(odoo, connection, "order")
    with step("Sending stock and invoices"):
        push(odoo, connection)
    return report(odoo, store, products, invoices)


# === BOTH SIDES BEFORE THEY MEET === #


def storable_products(odoo):
    """Odoo's demo products that count stock and have a SKU: lists of variants, by template."""
    variants = odoo.search_read(
        "product.product",
        [["is_storable", "=", True], ["default_code", "!=", False], ["company_id", "=", False]],
        *("name", "default_code", "lst_price", "product_tmpl_id", "invoice_policy"),
        order="product_tmpl_id, id",
    )
    families = {}
    for variant in variants:
        families.setdefault(variant["product_tmpl_id"][0], []).append(variant)
    return list(families.values())


def in_store(family):
    """A template as a product of the store: simple, or variable with variations."""
    first = family[0]
    if len(family) == 1:
        return {"name": first["name"], **sellable(first)}
    return {
        "name": first["name"],
        "type": "variable",
        "variations": [sellable(variant) for variant in family],
    }


def sellable(variant):
    return {
        "sku": variant["default_code"],
        "regular_price": f"{variant['lst_price']:.2f}",
        "manage_stock": True,
        "stock_quantity": 0,
    }


def make_orders(odoo, store, products):
    """Orders that exist on both sides, from before they were connected; in Odoo they are invoiced.

    :return: ids of the invoices
    """
    customers = odoo.search_read(
        "res.partner", [["is_company", "=", True], ["customer_rank", ">=", 0]], "name", limit=ORDERS
    )
    variants = [variant for family in products for variant in family]
    at_once = [variant for variant in variants if variant["invoice_policy"] == "order"]
    return [
        make_order(odoo, store, customer, at_once[number % 3 : number % 3 + 2])
        for number, customer in enumerate(customers)
    ]


def make_order(odoo, store, customer, variants):
    items = [{"sku": variant["default_code"], "quantity": 1} for variant in variants]
    number = store.sandbox("orders", {"line_items": items})["number"]
    lines = [[0, 0, {"product_id": variant["id"], "product_uom_qty": 1}] for variant in variants]
    order = odoo(
        "sale.order",
        "create",
        {"partner_id": customer["id"], "client_order_ref": number, "order_line": lines},
    )
    odoo("sale.order", "action_confirm", [order])
    return invoice(odoo, order)


def invoice(odoo, order):
    context = {"active_model": "sale.order", "active_ids": [order], "active_id": order}
    wizard = odoo("sale.advance.payment.inv", "create", {}, context=context)
    odoo("sale.advance.payment.inv", "create_invoices", [wizard], context=context)
    [move] = odoo.search_read("sale.order", [["id", "=", order]], "invoice_ids")[0]["invoice_ids"]
    odoo("account.move", "action_post", [move])
    return move


# === THE CONNECTION === #


def connect(odoo, context):
    """A live connection with flows for stock and invoices."""
    connection = odoo(
        "commerce.connection",
        "create",
        {
            "name": STORE_NAME,
            "platform": "woocommerce",
            "address": context.store.url,
            "woo_auth": "basic",
            "dry_run": False,
            "flow_ids": [[0, 0, {"kind": "inventory"}], [0, 0, {"kind": "invoice"}]],
        },
    )
    secrets = {"consumer_key": context.store_key, "consumer_secret": context.store_secret}
    odoo("commerce.connection", "set_credentials", [connection], secrets)
    answer = odoo("commerce.connection", "action_test", [connection])["params"]
    if answer["type"] == "danger":
        raise RuntimeError(answer["message"])
    return connection


def match(odoo, connection, resource):
    """Have one resource matched, and confirm what is proposed."""
    values = {"connection_id": connection, "resource": resource}
    matching = odoo("commerce.matching", "create", values)
    odoo("commerce.matching", "action_read", [matching])

    def state():
        return odoo.search_read("commerce.matching", [["id", "=", matching]], "state")[0]["state"]

    wait_until(lambda: state() != "reading")
    odoo("commerce.matching", "action_confirm", [matching])


def push(odoo, connection):
    """Go live, have everything compared and sent, and wait until nothing waits."""
    odoo("commerce.connection", "action_go_live", [connection])
    for flow in odoo("commerce.flow", "search", [["connection_id", "=", connection]]):
        odoo("commerce.flow", "action_sync_now", [flow])

    def waiting():
        [status] = odoo("commerce.connection", "sync_status", [connection])
        return status["pending"] + status["running"]

    wait_until(lambda: not waiting())


def wait_until(condition):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            raise RuntimeError("It takes too long: look at Odoo's log.")
        time.sleep(0.3)


# === WHAT THE STORE HOLDS === #


def report(odoo, store, products, invoices):
    """Ask the store what it holds, and print it beside what Odoo holds."""
    rows = stock_rows(odoo, store, products) + invoice_rows(odoo, store, invoices)
    width = max(len(row[0]) for row in rows)
    say(f"\n{'':{width}}  {'Odoo':>12}  {'Store':>12}")
    for what, here, there in rows:
        mark = "" if here == there else "   <- differs"
        say(f"{what:{width}}  {here:>12}  {there:>12}{mark}")
    agreed = sum(here == there for _what, here, there in rows)
    say(f"\n{agreed} of {len(rows)} agree.")
    return agreed == len(rows) and bool(rows)


def stock_rows(odoo, store, products):
    skus = [variant["default_code"] for family in products for variant in family]
    here = odoo.search_read(
        "product.product", [["default_code", "in", skus]], "default_code", "free_qty"
    )
    there = {item["sku"]: item["stock_quantity"] for item in all_items(store)}
    return [
        (item["default_code"], str(max(0, int(item["free_qty"]))), str(there[item["default_code"]]))
        for item in sorted(here, key=lambda item: item["default_code"])
    ]


def all_items(store):
    """Simple products and variations of the store."""
    for product in store.get("products", per_page=100):
        if product["type"] == "variable":
            yield from store.get(f"products/{product['id']}/variations", per_page=100)
        else:
            yield product


def invoice_rows(odoo, store, invoices):
    moves = odoo.search_read("account.move", [["id", "in", invoices]], "name", "amount_total")
    there = dict(invoice_data(store))
    return [
        (move["name"], f"{move['amount_total']:.2f}", there.get(move["name"], "missing"))
        for move in moves
    ]


def invoice_data(store):
    """``(number, total)`` of the invoices that the store's orders carry."""
    for order in store.get("orders", per_page=100):
        for meta in order["meta_data"]:
            if meta["key"].startswith("_commerce_sync_invoice"):
                data = meta["value"]
                data = json.loads(data) if isinstance(data, str) else data
                yield data["number"], data["total"]

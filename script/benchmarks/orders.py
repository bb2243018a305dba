"""Orders of the store, taken in."""

import json
import time
from types import SimpleNamespace

from devenv.console import SetupError

from . import data, databases
from .rows import row, take_turns
from .side import Ours

ORDERS = 100
LINES = 3
CUSTOMERS = 20
WORK = (
    f"take in {ORDERS} paid orders of {LINES} lines and {CUSTOMERS} known customers from the "
    "waiting events in one worker, confirmed, each in a transaction of its own"
)
#: Takes no part: what WooCommerce's webhooks tell is complete.
STORE = SimpleNamespace(url="http://127.0.0.1:1")


@row(
    "orders",
    60,
    WORK,
    "orders/s",
    ">= 0.7",
    "sale.order.create and action_confirm of the same orders, made beforehand, each committed",
)
def orders(environment):
    with databases.ours(environment) as database:
        ours = Ours(environment, database)
        ours.connect(STORE, 1)
        flow = _prepare(ours)
        return take_turns(2, lambda: _import(ours, flow), lambda: _bare(ours))


def _prepare(ours):
    with ours.env() as env:
        flow = env["commerce.flow"].create(
            {"connection_id": ours.connection_id, "kind": "order", "order_payment": "none"}
        )
        env["res.partner"].create(
            [{"name": f"Customer {n}", "email": f"c{n}@example.com"} for n in range(CUSTOMERS)]
        )
        flow_id = flow.id
    _ask(ours, 1)  # what Odoo reads once for each process
    ours.drain()
    ours.analyze()
    return flow_id


def _ask(ours, count):
    """Have the events of so many new orders waiting."""
    from odoo.addons.commerce_sync.adapters.base import Event

    with ours.env() as env:
        connection = env["commerce.connection"].browse(ours.connection_id)
        start = env["commerce.webhook.event"].search_count([]) + 1
        skus = data.products(env)[: count * LINES].mapped("default_code")
        for number in range(start, start + count):
            body = json.dumps(_order(number, skus)).encode()
            event = Event(identity=str(number), kind="order", external_id=str(number))
            env["commerce.webhook.event"]._take_in(connection, event, body)


def _order(number, skus):
    lines = [
        {
            "id": number * 10 + place,
            "name": "Mug",
            "sku": skus[(number * LINES + place) % len(skus)],
            "quantity": 1,
            "subtotal": "10.00",
            "total": "10.00",
            "taxes": [],
        }
        for place in range(LINES)
    ]
    return {
        "id": number,
        "number": str(number),
        "status": "processing",
        "currency": "USD",
        "total": f"{LINES * 10}.00",
        "billing": {"email": f"c{number % CUSTOMERS}@example.com", "first_name": "Customer"},
        "line_items": lines,
        "date_created_gmt": "2026-11-01T10:00:00",
        "date_modified_gmt": "2026-11-01T10:00:00",
    }


def _import(ours, flow_id):
    """Orders a second."""
    before = ours.count(flow_id=flow_id, state="done", outcome="created")
    _ask(ours, ORDERS)
    seconds = ours.drain()
    if ours.count(flow_id=flow_id, state="done", outcome="created") != before + ORDERS:
        raise SetupError("Not all orders were taken in.")
    return ORDERS / seconds


def _bare(ours):
    with ours.env() as env:
        customers = env["res.partner"].search([("email", "like", "c%@example.com")]).ids
        products = data.products(env)[: ORDERS * LINES].ids
    orders = [
        {
            "partner_id": customers[number % CUSTOMERS],
            "client_order_ref": str(number),
            "order_line": [
                (0, 0, {"product_id": products[number * LINES + place], "price_unit": 10.0})
                for place in range(LINES)
            ],
        }
        for number in range(ORDERS)
    ]
    started = time.perf_counter()
    for values in orders:
        with ours.env() as env:
            env["sale.order"].create(values).action_confirm()
    return ORDERS / (time.perf_counter() - started)

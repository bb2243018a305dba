"""What people notice of the addon: nothing."""

import time

from . import data, databases, store
from .rows import row, take_turns
from .side import Ours

LINES = 100
TIMES = 15


@row(
    "validate_transfer",
    70,
    f"validate a transfer of {LINES} products that are all matched, with a flow of stock",
    "s",
    "<= 1.05",
    "the same with the flow switched off",
)
def validate_transfer(environment):
    with databases.ours(environment) as database, store.running() as there:
        ours = Ours(environment, database)
        ours.connect(there, 1)
        ours.add_flow("inventory")
        for on in (True, False):  # the first ones load what the others find
            _validate(ours, on)
        return take_turns(TIMES, lambda: _validate(ours, True), lambda: _validate(ours, False))


def _validate(ours, on):
    """Seconds until the validation is committed."""
    with ours.env() as env:
        env["commerce.flow"].browse(ours.flow_id).active = on
        env.cr.execute("DELETE FROM commerce_job")
        picking_id = _make_receipt(env).id
    with ours.env() as env:
        picking = env["stock.picking"].browse(picking_id)
        started = time.perf_counter()
        picking.button_validate()
        env.cr.commit()
        seconds = time.perf_counter() - started
        assert picking.state == "done"
    assert ours.count(state="pending") == (LINES if on else 0)
    return seconds


def _make_receipt(env):
    warehouse = env["stock.warehouse"].search([], limit=1)
    supplier = env.ref("stock.stock_location_suppliers")
    products = data.products(env)[:LINES]
    places = {"location_id": supplier.id, "location_dest_id": warehouse.lot_stock_id.id}
    moves = [
        {"product_id": product.id, "product_uom_qty": 1, "quantity": 1, "picked": True, **places}
        for product in products
    ]
    picking = env["stock.picking"].create(
        {
            "picking_type_id": warehouse.in_type_id.id,
            "move_ids": [(0, 0, values) for values in moves],
            **places,
        }
    )
    picking.action_confirm()
    return picking

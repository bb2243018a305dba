"""How long a change takes to the store when nothing else is going on."""

import random
import time

from . import databases, store
from .rows import row
from .side import Ours

TIMES = 20
PATIENCE = 70  # the scheduler looks once a minute, woken or not


@row(
    "latency",
    80,
    "from the commit of a change of stock to the request at the store, idle system, Odoo with two "
    "workers for HTTP and two for scheduled actions",
    "s",
    "< 0.5",
)
def latency(environment):
    with (
        databases.ours(environment) as database,
        store.running(0) as there,
        environment.start_odoo(database, workers=2, cron_threads=2),
    ):
        ours = Ours(environment, database)
        ours.connect(there, 4)
        ours.add_flow("inventory")
        _wait(ours, there)
        return ([_wait(ours, there) for _change in range(TIMES)],)


def _wait(ours, there):
    time.sleep(random.uniform(1, 2))
    there.forget()
    with ours.env() as env:
        product = env["product.product"].browse(random.choice(ours.bound))
        shelf = env["stock.warehouse"].search([], limit=1).lot_stock_id
        env["stock.quant"]._update_available_quantity(product, shelf, 1)
        # Written now, for what is measured begins with the commit.
        env.cr.flush()
        committed = time.time()
    while not (last := there.told()["last"]):
        assert time.time() < committed + PATIENCE
        time.sleep(0.05)
    return last - committed

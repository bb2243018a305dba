"""Both sides of the stock compared."""

import time

from devenv.console import SetupError

from . import bare, data, databases, store
from .rows import row, take_turns
from .stock import connected

PER_PAGE = 100
#: One in so many differs in the store.
WRONG = 100
#: Requests on top of what the pages need.
MARGIN = 1.02


@row(
    "reconcile",
    26,
    f"compare {data.PRODUCTS:,} stock levels, 1% of them wrong, with a store that answers in 50 ms",
    "levels/s",
    ">= 0.5",
    "a script that only reads the same pages, one after the other",
)
def reconcile(environment):
    with databases.ours(environment) as database, store.running() as there:
        ours = connected(environment, database, there)
        with ours.env() as env:
            data.change_stock(env, 100)
        there.hold(
            {number: 100 + number % 50 + (n % WRONG == 0) for n, number in enumerate(ours.bound)}
        )
        return take_turns(3, lambda: _compare(ours, there), lambda: _read(there))


def _compare(ours, there):
    """Levels a second."""
    from odoo.addons.commerce_sync.engine.reconciliation import Reconciler

    there.forget()
    with ours.env() as env:
        flow = env["commerce.flow"].browse(ours.flow_id)
        reconciliation_id = flow.action_reconcile()["res_id"]
    with ours.env() as env:
        reconciler = Reconciler(env, reconciliation_id, time.monotonic() + 600)
    started = time.perf_counter()
    reconciler.run()
    seconds = time.perf_counter() - started
    _check(ours, reconciliation_id, len(there.asked()))
    return data.PRODUCTS / seconds


def _check(ours, reconciliation_id, requests):
    with ours.env() as env:
        record = env["commerce.reconciliation"].browse(reconciliation_id)
        found = (record.state, record.compared_count, record.difference_count)
        words = record.error_message
    if found != ("done", data.PRODUCTS, data.PRODUCTS // WRONG):
        raise SetupError(f"The comparison found {found}: {words}")
    if requests > data.PRODUCTS / PER_PAGE * MARGIN:
        raise SetupError(f"{requests} requests for {data.PRODUCTS:,} levels.")


def _read(there):
    pages = there.asked()
    return data.PRODUCTS / bare.seconds(there, 1, [("GET", path, None) for path in pages])

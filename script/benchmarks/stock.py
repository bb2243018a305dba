"""Stock levels to the store."""

import random

from devenv.console import SetupError

from . import bare, data, databases, queue_job, store
from .rows import row, take_turns
from .side import Ours

CONNECTIONS = 4
BATCH = 100
SAMPLE = 300  # jobs of queue_job: one takes as long as the other
FIELDS = "id,manage_stock,stock_quantity,date_modified_gmt"
WORK = (
    f"push {data.PRODUCTS:,} changed stock levels to a store that answers in 50 ms, {BATCH} in "
    f"each request, {CONNECTIONS} connections, from the waiting jobs to the settled ones"
)


@row(
    "push_stock",
    10,
    WORK,
    "levels/s",
    ">= 0.3",
    "a script that sends the same requests, made beforehand, on as many connections",
)
def push_stock(environment):
    with databases.ours(environment) as database, store.running() as there:
        ours = connected(environment, database, there)
        return take_turns(3, lambda: push(ours, there), lambda: _send(ours, there))


@row(
    "push_stock_queue_job",
    20,
    WORK,
    "levels/s",
    ">= 50",
    "OCA queue_job, a job for each product, 8 channels, 4 workers",
)
def push_stock_queue_job(environment):
    with (
        databases.ours(environment) as database,
        databases.reference(environment) as other,
        store.running() as there,
        queue_job.running(environment, other) as reference,
    ):
        ours = connected(environment, database, there)
        return take_turns(
            3,
            lambda: push(ours, there),
            lambda: reference.rate(data.products, "push_stock", there, SAMPLE),
        )


def connected(environment, database, there):
    """Ours, with a flow of stock."""
    ours = Ours(environment, database)
    ours.connect(there, CONNECTIONS)
    ours.add_flow("inventory", stock_basis="free")
    return ours


def push(ours, there):
    """Levels a second."""
    there.forget()
    with ours.env() as env:
        data.change_stock(env, random.randrange(100, 100_000))
    ours.enqueue()
    seconds = ours.drain()
    if len(there.told()["stock"]) != data.PRODUCTS or ours.count(state="pending"):
        raise SetupError("Not all levels arrived.")
    return data.PRODUCTS / seconds


def _send(ours, there):
    items = [
        {"id": number, "manage_stock": True, "stock_quantity": n, "_fields": FIELDS}
        for n, number in enumerate(ours.bound)
    ]
    parts = [items[start : start + BATCH] for start in range(0, len(items), BATCH)]
    calls = [("POST", "products/batch", {"update": part}) for part in parts]
    return len(items) / bare.seconds(there, CONNECTIONS, calls)

"""Changes of many records, noticed in one transaction."""

import time

from . import data, databases, queue_job, store
from .rows import row, take_turns
from .side import Ours

SAMPLE = 1_000  # jobs of queue_job: one takes as long as the other


@row(
    "enqueue",
    50,
    f"enqueue {data.PRODUCTS:,} changed records in one transaction",
    "records/s",
    ">= 20",
    "`with_delay()` of OCA queue_job for each record",
)
def enqueue(environment):
    with (
        databases.ours(environment) as database,
        databases.reference(environment) as other,
        store.running() as there,
    ):
        reference = queue_job.Reference(environment, other)
        ours = Ours(environment, database)
        ours.connect(there, 1)
        ours.add_flow("inventory")
        return take_turns(5, lambda: _notice(ours), lambda: _delay(reference, there))


def _notice(ours):
    """Records a second, from the notice to the end of the commit that enqueues them."""
    with ours.env() as env:
        env.cr.execute("DELETE FROM commerce_job")
    with ours.env() as env:
        started = time.perf_counter()
        env["commerce.flow"]._notice("inventory", ours.bound)
        env.cr.commit()
        seconds = time.perf_counter() - started
    assert ours.count(state="pending") == data.PRODUCTS
    return data.PRODUCTS / seconds


def _delay(reference, there):
    with reference.env() as env:
        records = data.products(env)[:SAMPLE]
        started = time.perf_counter()
        reference.delay(records, "push_stock", there)
        env.cr.commit()
        seconds = time.perf_counter() - started
    reference.clear()
    return SAMPLE / seconds

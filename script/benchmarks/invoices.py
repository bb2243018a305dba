"""Invoices to the store."""

from devenv.console import SetupError

from . import bare, data, databases, queue_job, store
from .rows import row, take_turns
from .side import Ours

CONNECTIONS = 8
SAMPLE = 300  # jobs of queue_job: one takes as long as the other
WORK = (
    f"send {data.INVOICES:,} invoices, one request each, to a store that answers in 50 ms, "
    f"{CONNECTIONS} connections, from the waiting jobs to the settled ones"
)


@row(
    "send_invoices",
    30,
    WORK,
    "invoices/s",
    ">= 0.6",
    "a script that sends the same requests, made beforehand, on as many connections",
)
def send_invoices(environment):
    with databases.ours(environment) as database, store.running() as there:
        ours = _connected(environment, database, there)
        return take_turns(2, lambda: _send(ours, there), lambda: _send_bare(there))


@row(
    "send_invoices_queue_job",
    40,
    WORK,
    "invoices/s",
    ">= 2",
    "OCA queue_job, a job for each invoice, 8 channels, 4 workers",
)
def send_invoices_queue_job(environment):
    with (
        databases.ours(environment) as database,
        databases.reference(environment) as other,
        store.running() as there,
        queue_job.running(environment, other) as reference,
    ):
        ours = _connected(environment, database, there)
        return take_turns(
            2,
            lambda: _send(ours, there),
            lambda: reference.rate(data.invoices, "send_invoice", there, SAMPLE),
        )


def _connected(environment, database, there):
    ours = Ours(environment, database)
    ours.connect(there, CONNECTIONS)
    ours.add_flow("invoice", invoice_meta=True, invoice_note="none")
    return ours


def _send(ours, there):
    """Invoices a second."""
    there.forget()
    with ours.env() as env:
        # as if none had ever been sent
        env.cr.execute("DELETE FROM commerce_sync_state")
        env.cr.execute("DELETE FROM commerce_binding WHERE resource = 'invoice'")
    ours.enqueue()
    seconds = ours.drain()
    told = there.told()
    if len(told["orders"]) != data.INVOICES or ours.count(state="pending"):
        raise SetupError("Not all invoices arrived.")
    if told["requests"] != data.INVOICES:
        raise SetupError(f"{told['requests']} requests for {data.INVOICES} invoices.")
    return data.INVOICES / seconds


def _send_bare(there):
    orders = there.told()["orders"]
    calls = [
        ("PUT", f"orders/{number}?_fields=id", {"meta_data": order["meta_data"]})
        for number, order in orders.items()
    ]
    return len(calls) / bare.seconds(there, CONNECTIONS, calls)

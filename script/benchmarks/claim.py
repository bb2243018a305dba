"""Claims, beside a short and a long history."""

import time

from . import databases, store
from .rows import row, take_turns
from .side import Ours

SHORT, LONG = 1_000, 1_000_000
CLAIMED = 400
TIMES = 25


@row(
    "claim",
    60,
    f"claim {CLAIMED} jobs of 10,000 waiting ones beside {LONG:,} finished jobs and attempts",
    "ms",
    "<= 1.2",
    f"the same beside {SHORT:,}",
)
def claim(environment):
    with (
        databases.ours(environment) as long,
        databases.ours(environment) as short,
        store.running() as there,
    ):
        sides = [_prepare(environment, *side, there) for side in ((long, LONG), (short, SHORT))]
        return take_turns(TIMES, *(lambda ours=ours: _claim(ours) for ours in sides))


def _prepare(environment, database, history, there):
    ours = Ours(environment, database)
    ours.connect(there, 4)
    ours.add_flow("inventory")
    with ours.env() as env:
        _make_history(env, ours, history)
    ours.enqueue()
    with ours.env() as env:
        env.cr.execute("ANALYZE")
    _claim(ours)
    return ours


def _make_history(env, ours, count):
    """Jobs that are done, of all products in turn, over the last ninety days, an attempt each."""
    values = {"flow": ours.flow_id, "connection": ours.connection_id, "count": count}
    env.cr.execute(
        """INSERT INTO commerce_job (
               flow_id, connection_id, company_id, direction, kind, model, res_id, operation, state,
               outcome, priority, run_after, identity_key, sequence_key, idempotency_key,
               "coalesce", force, uncertain, attempts, tries, document, external_id,
               create_date, write_date, started_at, finished_at)
           SELECT %(flow)s, %(connection)s, 1, 'out', 'inventory', 'product.product', product.id,
                  'push', 'done', 'updated', 40, moment, key || product.id, scope || product.id,
                  gen_random_uuid()::text, true, false, false, 0, 1, 'Product', product.id,
                  moment, moment, moment, moment
             FROM generate_series(1, %(count)s) AS number
             JOIN LATERAL (SELECT now()::timestamp - number * interval '7 seconds' AS moment,
                                  %(flow)s || ':push:product.product:' AS key,
                                  %(connection)s || ':inventory:product.product:' AS scope)
                  AS made ON true
             JOIN (SELECT res_id AS id, row_number() OVER (ORDER BY res_id) AS place
                     FROM commerce_binding WHERE resource = 'variant') AS product
                  ON product.place = number %% 10000 + 1""",
        values,
    )
    env.cr.execute(
        """INSERT INTO commerce_attempt (
               job_id, flow_id, connection_id, company_id, direction, kind, model, res_id,
               operation, number, state, outcome, started_at, finished_at, document, external_id,
               request_summary, request_line, http_status, worker, idempotency_key)
           SELECT id, flow_id, connection_id, company_id, direction, kind, model, res_id, operation,
                  1, 'done', outcome, started_at, finished_at, document, external_id,
                  '{"quantity": "1"}', 'POST /wp-json/wc/v3/products/batch', 200, 'lane 1',
                  idempotency_key
             FROM commerce_job""",
    )


def _claim(ours):
    """Milliseconds; what was claimed is given back."""
    from odoo.addons.commerce_sync.engine import database, queue

    with ours.registry.cursor() as cr:
        database.read_committed(cr)
        started = time.perf_counter()
        jobs = queue.claim(cr, ours.flow_id, ours.connection_id, CLAIMED, 60.0, "benchmark")
        milliseconds = (time.perf_counter() - started) * 1000
        cr.rollback()
    assert len(jobs) == CLAIMED
    return milliseconds

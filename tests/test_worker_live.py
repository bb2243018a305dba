"""The worker with transactions that commit: leases, several workers at once, a store that is slow,
a database that goes away."""

import threading
import time
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from unittest.mock import patch

import odoo.sql_db
from odoo.tools import mute_logger

from ..engine import worker as worker_module
from ..engine.lease import Leases
from ..engine.rate_limit import RateLimit, Throttle
from ..engine.worker import Worker
from ..sandbox.woocommerce import WooCommerceStore
from .clone import Background, CloneCase, server


class Killed(BaseException):
    pass


class LiveCase(CloneCase):
    def have_variations(self, prefix, quantities, store=None, connection_id=None):
        """Variations of different products, a request each; each has a waiting job.

        :return: ``{sku: quantity}``
        """
        store = store or self.store
        with self.committed() as env:
            connection = env["commerce.connection"].browse(connection_id or self.connection_id)
            for number, quantity in enumerate(quantities):
                product = self.make_product(f"{prefix}-{number}", quantity)
                variation = {"sku": product.default_code, "manage_stock": True}
                family = {"name": product.name, "type": "variable", "variations": [variation]}
                [made] = store.seed({"products": [family]})["products"]
                env["commerce.binding"].create(
                    {
                        "connection_id": connection.id,
                        "resource": "variant",
                        "model": "product.product",
                        "res_id": product.id,
                        "external_id": str(made["variations"][0]["id"]),
                        "parent_id": str(made["id"]),
                    }
                )
            env.cr.flush()
            connection.flow_ids._enqueue_due()
        return {f"{prefix}-{number}": quantity for number, quantity in enumerate(quantities)}

    def variation_stock(self, store=None):
        """``{sku: quantity}`` of all variations."""
        rows = (store or self.store).store.find("product", [("type = 'variation'", [])])
        return {row["sku"]: row["stock_quantity"] for row in rows}

    def set_connection(self, connection_id=None, **values):
        with self.committed() as env:
            env["commerce.connection"].browse(connection_id or self.connection_id).write(values)

    def attempts(self, *columns, connection_id=None):
        return self.query(
            f"SELECT {', '.join(columns)} FROM commerce_attempt WHERE connection_id = %s"
            " ORDER BY id",
            connection_id or self.connection_id,
        )

    def attempt_states(self):
        return [state for (state,) in self.attempts("state")]

    @contextmanager
    def chunks_of(self, size):
        with patch.object(worker_module, "LARGEST_CHUNK", size):
            yield


class TestLeases(LiveCase):
    connection_values = {"parallel_requests": 1}

    def test_the_lease_of_everything_held_is_renewed_while_a_slow_store_answers(self):
        """Also of the chunk that waits behind the one that is being sent."""
        wanted = self.have_variations("SLOW", range(1, 7))
        self.store.fault("latency", ms=400)
        with self.chunks_of(2):
            slow = Background(lambda: self.drain(lease=0.9))
            done = 0
            while slow.is_alive():
                done += self.drain(lease=0.9).done
                time.sleep(0.1)
            self.assertEqual(slow.result().done + done, 6)
        self.assertEqual(self.variation_stock(), wanted)
        self.assertEqual(len(self.store.requests), 6)
        self.assertEqual(self.attempt_states(), ["done"] * 6)

    def test_a_worker_that_was_held_up_sends_nothing_more_and_settles_nothing(self):
        """Suspended, or cut off from the database: it cannot renew its lease."""
        wanted = self.have_variations("HELD", range(1, 5))
        self.store.fault("latency", ms=900)
        with patch.object(Leases, "_run", lambda leases: None):
            held_up = Background(lambda: self.drain(lease=1.0))
            while len(self.store.requests) < 2:
                time.sleep(0.02)
            time.sleep(0.3)
            self.store.clear_faults()
            other = self.drain(lease=600.0)
            self.assertEqual(held_up.result().done, 0)
        self.assertEqual(other.done, 4)
        self.assertEqual(self.variation_stock(), wanted)
        # two before the lease was over, and all four of the other worker
        self.assertEqual(len(self.store.requests), 6)
        self.assertEqual(self.attempt_states(), ["unknown"] * 4 + ["done"] * 4)

    def test_a_worker_that_lost_its_jobs_while_preparing_sends_nothing(self):
        self.have_products("PREP", [3])
        prepare = Worker._prepare_in

        def too_slow(worker, cr, chunk):
            prepare(worker, cr, chunk)
            self.query("UPDATE commerce_job SET lease_until = lease_until - interval '1 day'")
            self.assertEqual(self.drain().done, 1)

        with patch.object(Worker, "_prepare_in", too_slow):
            first = Worker(self.env, "slow")
            with patch.object(Worker, "_prepare_in", self.once(too_slow, prepare)):
                self.assertEqual(first.drain().done, 0)
        self.assertEqual(len(self.store.requests), 1)
        self.assertEqual(self.attempt_states(), ["done"])

    @staticmethod
    def once(first, then):
        """A function that is ``first`` when it is called for the first time."""
        left = [first]

        def function(*arguments):
            return (left.pop() if left else then)(*arguments)

        return function

    def test_jobs_of_a_dead_worker_are_taken_up_by_one_that_is_at_work_already(self):
        self.have_variations("DEAD", range(1, 6))
        with (
            self.chunks_of(1),
            patch.object(Worker, "_finish", side_effect=Killed),
            suppress(Killed),
        ):
            self.drain(lease=1.0)
        self.assertIn("running", self.states())
        self.store.fault("latency", ms=1200)
        with self.chunks_of(1), patch.object(worker_module, "RECLAIM_EVERY", 0.2):
            self.drain()
        self.assertEqual(set(self.states()), {"done"})
        self.assertIn("unknown", self.attempt_states())

    def test_who_looks_after_it_wakes_when_the_lease_of_a_dead_worker_is_over(self):
        self.have_products("WAKE", [3])
        with patch.object(Worker, "_finish", side_effect=Killed), suppress(Killed):
            self.drain(lease=300.0)
        [(lease_until,)] = self.jobs("lease_until")
        drained = self.drain()
        self.assertEqual((drained.done, drained.remaining), (0, 0))
        self.assertEqual(drained.next_at, lease_until)


class TestTransactions(LiveCase):
    connection_values = {"parallel_requests": 1}

    def test_no_transaction_is_open_while_the_store_is_asked(self):
        self.have_variations("OPEN", range(1, 9))
        self.store.fault("latency", ms=300)
        found = []
        with self.chunks_of(2):
            worker = Background(self.drain)
            while worker.is_alive():
                found += self.open_transactions()
                time.sleep(0.02)
            worker.result()
        self.assertEqual(len(self.store.requests), 8)
        self.assertEqual(found, [])

    def open_transactions(self):
        """Transactions of the clone that have been open for longer than any of ours takes."""
        return self.query(
            """SELECT state, query FROM pg_stat_activity
                WHERE datname = current_database() AND pid <> pg_backend_pid()
                  AND now() - xact_start > interval '200 ms'"""
        )

    def test_what_was_sent_is_written_down_though_the_database_went_away_meanwhile(self):
        wanted = self.have_variations("GONE", range(1, 4))
        self.store.fault("latency", ms=400)
        with mute_logger("odoo.sql_db", "odoo.addons.commerce_sync.engine.worker"):
            worker = Background(lambda: self.drain(lease=20.0))
            while len(self.store.requests) < 2:
                time.sleep(0.02)
            self.cut_off()
            self.assertEqual(worker.result().done, 3)
        self.assertEqual(self.variation_stock(), wanted)
        self.assertEqual(self.attempt_states(), ["done"] * 3)

    def test_also_where_it_stayed_away_for_a_while(self):
        wanted = self.have_variations("AWAY", range(1, 4))
        self.store.fault("latency", ms=400)
        with mute_logger("odoo.sql_db", "odoo.addons.commerce_sync.engine.worker"):
            worker = Background(lambda: self.drain(lease=20.0))
            while len(self.store.requests) < 2:
                time.sleep(0.02)
            self.let_in(False)
            self.cut_off()
            time.sleep(2)
            self.let_in(True)
            self.assertEqual(worker.result().done, 3)
        self.assertEqual(self.variation_stock(), wanted)
        self.assertEqual(self.attempt_states(), ["done"] * 3)

    def cut_off(self):
        """Every database connection breaks, as in a restart of the server."""
        self.as_administrator(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            f" WHERE datname = '{self.database}' AND pid <> pg_backend_pid()"
            " AND backend_type = 'client backend'"
        )

    def let_in(self, allowed):
        self.as_administrator(f'ALTER DATABASE "{self.database}" ALLOW_CONNECTIONS {allowed}')

    def as_administrator(self, statement):
        with server().connection.cursor() as cr:
            cr.execute(statement)

    def test_a_change_that_is_committed_while_its_job_is_sent_is_sent_too(self):
        self.have_products("BUSY", [3])
        self.store.fault("latency", ms=500, times=1)
        worker = Background(self.drain)
        while not self.store.requests:
            time.sleep(0.02)
        with self.committed() as env:
            product = env["product.product"].search([("default_code", "=", "BUSY-0")])
            self.set_stock(product, 4)
        worker.result()
        self.drain()
        self.assertEqual(self.store_stock(), {"BUSY-0": 4})
        self.assertEqual(self.states(), ["done", "done"])


class TestTime(LiveCase):
    connection_values = {"parallel_requests": 1}

    def test_with_nothing_to_do_it_ends_at_once(self):
        self.drain()
        before, started = odoo.sql_db.sql_counter, time.monotonic()
        drained = self.drain()
        self.assertEqual((drained.done, drained.remaining, drained.next_at), (0, 0, None))
        self.assertLess(odoo.sql_db.sql_counter - before, 12)
        self.assertLess(time.monotonic() - started, 2)

    def test_with_jobs_that_are_not_due_it_says_when_to_come_back(self):
        self.have_products("LATER", [3])
        self.query("UPDATE commerce_job SET run_after = run_after + interval '1 hour'")
        [(run_after,)] = self.jobs("run_after")
        before = odoo.sql_db.sql_counter
        drained = self.drain()
        self.assertEqual((drained.done, drained.remaining, drained.next_at), (0, 0, run_after))
        self.assertLess(odoo.sql_db.sql_counter - before, 12)

    def test_with_jobs_that_wait_for_others_it_does_not_come_back_at_once(self):
        self.have_products("WAIT", [3])
        self.query("UPDATE commerce_job SET state = 'failed', identity_key = NULL")
        self.query(
            """INSERT INTO commerce_job (flow_id, connection_id, company_id, direction, kind, model,
                   res_id, operation, state, priority, run_after, sequence_key, idempotency_key,
                   "coalesce", force, uncertain, attempts, tries, create_date)
               SELECT flow_id, connection_id, company_id, direction, kind, model, res_id, operation,
                      'pending', priority, run_after, sequence_key, 'other', false, false, false,
                      0, 0, create_date
                 FROM commerce_job"""
        )
        drained = self.drain()
        self.assertEqual((drained.done, drained.remaining), (0, 0))

    def test_a_slow_store_does_not_keep_a_worker_beyond_its_time(self):
        """What was claimed but not begun goes back; it costs no try."""
        wanted = self.have_variations("LATE", range(1, 11))
        self.store.fault("latency", ms=300)
        started = time.monotonic()
        with patch.object(worker_module, "OVERTIME", 0.2):
            drained = self.drain(seconds=0.3)
        self.assertLess(time.monotonic() - started, 2.5)
        self.assertEqual(drained.remaining, 1)
        self.assertIn("not_sent", self.attempt_states())
        self.assertEqual({attempts for (attempts,) in self.jobs("attempts")}, {0})
        self.assertNotIn("running", self.states())
        self.store.clear_faults()
        self.drain()
        self.assertEqual(self.variation_stock(), wanted)
        self.assertEqual(len(self.store.requests), 10)

    def test_a_worker_that_is_stopped_in_the_middle_begins_no_further_request(self):
        self.have_variations("STOP", range(1, 9))
        self.store.fault("latency", ms=300)
        announce = patch.object(Worker, "_announce", side_effect=Killed)
        with announce, suppress(Killed):
            self.drain()
        self.assertLessEqual(len(self.store.requests), 1)


class TestManyAtOnce(LiveCase):
    connection_values = {"parallel_requests": 3}

    def intervals(self, store=None):
        """``(begin, end)`` of each request, in seconds."""
        for entry in (store or self.store).requests:
            begin = datetime.fromisoformat(entry.at)
            yield begin.timestamp(), (begin + timedelta(milliseconds=entry.ms)).timestamp()

    def most_at_once(self):
        events = [(begin, 1) for begin, _end in self.intervals()]
        events += [(end, -1) for _begin, end in self.intervals()]
        most = now = 0
        for _moment, change in sorted(events):
            now += change
            most = max(most, now)
        return most

    def test_a_worker_has_no_more_requests_under_way_than_the_connection_allows(self):
        """However many flows it has."""
        self.have_variations("MANY", range(1, 13))
        with self.committed() as env:
            env["commerce.flow"].create({"connection_id": self.connection_id, "kind": "invoice"})
            env.cr.execute(
                "UPDATE commerce_job SET flow_id = %s, kind = 'invoice' WHERE false",
                [self.flow_id],
            )
        self.store.fault("latency", ms=150)
        with self.chunks_of(4):
            self.drain()
        self.assertEqual(len(self.store.requests), 12)
        self.assertEqual(self.most_at_once(), 3)

    def test_several_workers_never_send_the_same_job_twice(self):
        wanted = self.have_variations("ONCE", range(1, 25))
        self.store.fault("latency", ms=30)
        with self.chunks_of(3):
            workers = [Background(self.drain) for _number in range(4)]
            done = [worker.result().done for worker in workers]
        self.assertEqual(sum(done), 24)
        self.assertEqual(len(self.store.requests), 24)
        self.assertEqual(self.variation_stock(), wanted)

    def test_the_rate_limit_holds_over_several_workers(self):
        self.set_connection(rate_limit=20, rate_burst=4)
        wanted = self.have_variations("RATE", range(1, 31))
        with self.chunks_of(3):
            workers = [Background(self.drain) for _number in range(3)]
            self.assertEqual(sum(worker.result().done for worker in workers), 30)
        self.assertEqual(self.variation_stock(), wanted)
        begins = sorted(begin for begin, _end in self.intervals())
        for first in range(len(begins)):
            for last in range(first, len(begins)):
                length = begins[last] - begins[first]
                # a request may reach the store a little later than it was let go
                self.assertLessEqual(last - first + 1, 4 + 20 * (length + 0.15))
        self.assertGreater(begins[-1] - begins[0], 25 / 20 - 0.2)

    def test_reservations_of_several_machines_are_one_after_another(self):
        """Each has a connection to the database of its own; only the row is shared."""
        limit = RateLimit(1000.0, 1)
        throttles = [
            Throttle(self.registry.cursor, self.connection_id, limit) for _number in range(4)
        ]
        barrier = threading.Barrier(4)

        def reserve_some(throttle):
            barrier.wait()
            return [throttle._reserve(1.0) for _number in range(25)]

        started = time.time()
        for thread in [Background(reserve_some, throttle) for throttle in throttles]:
            thread.result()
        [(arrival,)] = self.query(
            "SELECT arrival FROM commerce_traffic WHERE connection_id = %s", self.connection_id
        )
        self.assertGreaterEqual(arrival, started + 0.09)

    def test_what_the_store_says_of_its_limit_is_heeded_by_all(self):
        self.have_products("PUT", [3])
        Throttle(self.registry.cursor, self.connection_id, None).put_off(60)
        drained = self.drain()
        self.assertEqual((drained.done, drained.remaining), (0, 0))
        self.assertFalse(self.store.requests)


class TestFairness(LiveCase):
    connection_values = {"parallel_requests": 1}

    def setUp(self):
        super().setUp()
        self.other_store = WooCommerceStore()
        self.other_store.start()
        self.addCleanup(self.other_store.stop)
        self.other_id, _flow_id = self.make_connection(self.other_store)

    def test_a_slow_store_does_not_hold_back_a_fast_one(self):
        self.have_variations("SLOW", range(1, 7))
        self.have_variations("FAST", range(1, 13), self.other_store, self.other_id)
        self.store.fault("latency", ms=1000)
        with self.chunks_of(2):
            worker = Background(self.drain)
            deadline = time.monotonic() + 4
            while len(self.other_store.requests) < 12 and time.monotonic() < deadline:
                time.sleep(0.05)
            fast, slow = len(self.other_store.requests), len(self.store.requests)
            worker.result()
        self.assertEqual(fast, 12)
        self.assertLess(slow, 5)

    def test_two_stores_are_served_in_turns(self):
        self.have_variations("ONE", range(1, 9))
        self.have_variations("TWO", range(1, 9), self.other_store, self.other_id)
        with self.chunks_of(2):
            self.drain()
        claims = self.query(
            """SELECT connection_id FROM commerce_attempt
                WHERE connection_id IN (%s, %s) GROUP BY connection_id, worker ORDER BY min(id)""",
            self.connection_id,
            self.other_id,
        )
        turns = [connection_id for (connection_id,) in claims]
        self.assertEqual(len(turns), 8)
        for number in range(0, 8, 2):
            self.assertEqual(len(set(turns[number : number + 2])), 2, turns)

    def test_a_store_that_is_down_does_not_hold_back_the_other(self):
        self.have_variations("DOWN", range(1, 9))
        wanted = self.have_variations("UP", range(1, 5), self.other_store, self.other_id)
        self.store.fault("down")
        with self.chunks_of(2):
            self.drain()
        self.assertEqual(self.variation_stock(self.other_store), wanted)
        self.assertEqual(set(self.states()), {"pending"})

    def test_a_worker_for_one_connection_leaves_the_other_alone(self):
        self.have_products("MINE", [3])
        self.have_variations("THEIRS", [3], self.other_store, self.other_id)
        drained = self.drain(connection_id=self.connection_id)
        self.assertEqual((drained.done, drained.remaining, drained.next_at), (1, 0, None))
        self.assertFalse(self.other_store.requests)

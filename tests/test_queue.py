"""The queue's SQL: in one transaction, and between several that do not wait for each other."""

import threading
import time
from contextlib import contextmanager

from odoo.tools import SQL

from ..engine import queue
from ..engine.database import read_committed
from .clone import Background, CloneCase
from .common import StoreCase


class Helpers:
    """What both kinds of tests need: ``cr``, and ids of the flow and its connection."""

    def order(self, *record_ids, **vals):
        return queue.Order(
            **{
                "flow_id": self.flow_id,
                "connection_id": self.connection_id,
                "company_id": 1,
                "direction": "out",
                "kind": "inventory",
                "model": "product.product",
                "record_ids": record_ids,
                **vals,
            }
        )

    def enqueue(self, cr, *record_ids, **vals):
        return sorted(queue.enqueue(cr, self.order(*record_ids, **vals)))

    def claim(self, cr, limit=100, lease=600.0, worker="test/1"):
        """Claim and commit, as the worker does."""
        jobs = queue.claim(cr, self.flow_id, self.connection_id, limit, lease, worker)
        return [job.id for job in jobs]

    def settle(self, cr, state, *job_ids, worker="test/1", **vals):
        moves = [queue.Move(job_id, state, **vals) for job_id in job_ids]
        return sorted(queue.settle(cr, worker, moves))

    def read(self, cr, *columns):
        cr.execute(
            f"SELECT {', '.join(columns)} FROM commerce_job WHERE connection_id = %s ORDER BY id",
            [self.connection_id],
        )
        return cr.fetchall() if len(columns) > 1 else [value for (value,) in cr.fetchall()]


class TestInOneTransaction(StoreCase, Helpers):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.connection_id = cls.connection.id
        cls.flow_id = cls.inventory_flow.id

    # === ENQUEUE === #

    def test_a_record_that_waits_already_keeps_its_job(self):
        first = self.enqueue(self.cr, 1, 2)
        again = self.enqueue(self.cr, 2, 3, 2, 3)
        self.assertEqual(len(self.read(self.cr, "id")), 3)
        self.assertEqual(len(set(first) & set(again)), 1)

    def test_nothing_to_enqueue_asks_nothing_of_the_database(self):
        with self.assertQueryCount(0):
            self.assertEqual(queue.enqueue(self.cr, self.order()), [])

    def test_ten_thousand_records_are_as_few_queries_as_one(self):
        self.cr.flush()
        with self.assertQueryCount(6):
            self.enqueue(self.cr, 1)
        with self.assertQueryCount(6):
            self.enqueue(self.cr, *range(10_000))

    def test_the_more_urgent_wish_wins(self):
        self.enqueue(self.cr, 1, priority=40, delay=600)
        self.enqueue(self.cr, 1, priority=10, force=True)
        self.enqueue(self.cr, 1, priority=30, delay=60)
        [(priority, force, due)] = self.read(
            self.cr, "priority", "force", "run_after <= clock_timestamp() AT TIME ZONE 'UTC'"
        )
        self.assertEqual((priority, force, due), (10, True, True))

    def test_a_job_that_failed_for_now_keeps_its_pause_whatever_changes_meanwhile(self):
        self.enqueue(self.cr, 1)
        ids = self.claim(self.cr)
        self.settle(self.cr, "pending", *ids, delay=600, cost=1)
        self.enqueue(self.cr, 1)
        self.assertEqual(self.claim(self.cr), [])
        self.enqueue(self.cr, 1, force=True)  # a person
        self.assertEqual(self.claim(self.cr), ids)

    def test_a_change_while_its_job_runs_makes_a_new_one(self):
        self.enqueue(self.cr, 1)
        [running] = self.claim(self.cr)
        [waiting] = self.enqueue(self.cr, 1)
        self.assertNotEqual(running, waiting)
        self.assertEqual(self.claim(self.cr), [])
        self.settle(self.cr, "done", running)
        self.assertEqual(self.claim(self.cr), [waiting])

    def test_what_must_not_coalesce_makes_a_job_each(self):
        for _time in range(3):
            self.enqueue(self.cr, 1, coalesce=False)
        self.assertEqual(len(self.read(self.cr, "id")), 3)

    def test_the_callers_own_lock_timeout_is_left_alone(self):
        self.cr.execute("SET LOCAL lock_timeout = '7s'")
        self.enqueue(self.cr, 1)
        self.cr.execute("SHOW lock_timeout")
        self.assertEqual(self.cr.fetchone(), ("7s",))

    # === CLAIM === #

    def test_the_most_urgent_and_oldest_come_first(self):
        self.enqueue(self.cr, 1, priority=50)
        self.enqueue(self.cr, 2, priority=10, delay=-60)
        self.enqueue(self.cr, 3, priority=10, delay=-120)
        records = []
        for _time in range(3):
            [job] = queue.claim(self.cr, self.flow_id, self.connection_id, 1, 600.0, "test/1")
            records.append(job.res_id)
        self.assertEqual(records, [3, 2, 1])

    def test_what_is_not_due_is_not_claimed(self):
        self.enqueue(self.cr, 1, delay=60)
        self.assertEqual(self.claim(self.cr), [])

    def test_never_more_than_the_limit_whatever_plan_the_database_makes(self):
        self.enqueue(self.cr, *range(100))
        for setting in ("hashjoin", "mergejoin", "indexscan", "bitmapscan", "material", "memoize"):
            self.cr.execute(SQL("SET LOCAL %s = off", SQL.identifier(f"enable_{setting}")))
        for _time in range(5):
            self.assertEqual(len(self.claim(self.cr, limit=3)), 3)

    def test_a_claim_counts_the_try_and_takes_the_lease(self):
        self.enqueue(self.cr, 1)
        self.claim(self.cr, lease=100)
        [(tries, attempts, worker, left)] = self.read(
            self.cr,
            "tries",
            "attempts",
            "worker",
            "extract(epoch FROM lease_until - (clock_timestamp() AT TIME ZONE 'UTC'))",
        )
        self.assertEqual((tries, attempts, worker), (1, 0, "test/1"))
        self.assertAlmostEqual(left, 100, delta=2)

    # === SETTLE === #

    def test_only_who_holds_a_job_can_settle_it(self):
        ids = self.enqueue(self.cr, 1)
        self.claim(self.cr, worker="one/1")
        self.assertEqual(self.settle(self.cr, "done", *ids, worker="two/2"), [])
        self.assertEqual(self.read(self.cr, "state"), ["running"])
        self.assertEqual(self.settle(self.cr, "done", *ids, worker="one/1"), ids)
        self.assertEqual(self.settle(self.cr, "failed", *ids, worker="one/1"), [])

    def test_a_job_that_would_wait_again_gives_way_to_one_that_waits_already(self):
        [old] = self.enqueue(self.cr, 1, force=True)
        self.claim(self.cr)
        [new] = self.enqueue(self.cr, 1)
        self.settle(self.cr, "pending", old, error_kind="temporary", cost=1, uncertain=True)
        self.assertEqual(
            self.read(self.cr, "state", "superseded_by_id", "force", "uncertain"),
            # what a person wanted, and that it may have arrived, is not lost with it
            [("cancelled", new, False, True), ("pending", None, True, True)],
        )

    def test_an_uncertain_failed_job_hands_its_doubt_on(self):
        [old] = self.enqueue(self.cr, 1)
        self.claim(self.cr)
        self.settle(self.cr, "failed", old, uncertain=True)
        self.enqueue(self.cr, 1)
        [job] = queue.claim(self.cr, self.flow_id, self.connection_id, 9, 600.0, "test/1")
        self.assertTrue(job.uncertain)
        self.assertEqual(self.read(self.cr, "uncertain"), [True, True])

    # === LEASES === #

    def expire(self, *job_ids):
        self.cr.execute(
            "UPDATE commerce_job SET lease_until = (clock_timestamp() AT TIME ZONE 'UTC')"
            " - interval '1 second' WHERE id IN %s",
            [job_ids],
        )

    def test_only_jobs_whose_lease_is_over_are_taken_back(self):
        ids = self.enqueue(self.cr, 1, 2, 3)
        self.claim(self.cr)
        self.expire(ids[1])
        self.assertEqual(queue.reclaim(self.cr), 1)
        self.assertEqual(self.read(self.cr, "state"), ["running", "pending", "running"])
        self.assertEqual(self.read(self.cr, "attempts"), [0, 1, 0])

    def test_a_lease_that_is_over_cannot_be_renewed(self):
        ids = self.enqueue(self.cr, 1, 2)
        self.claim(self.cr)
        self.expire(*ids)
        self.assertEqual(queue.renew(self.cr, "test/1", ids, 600.0), 0)

    def test_dead_workers_jobs_are_taken_back_in_bounded_transactions(self):
        ids = self.enqueue(self.cr, *range(25))
        self.claim(self.cr)
        self.expire(*ids)
        self.assertEqual([queue.reclaim(self.cr, limit=10) for _time in range(4)], [10, 10, 5, 0])
        self.assertEqual(set(self.read(self.cr, "state")), {"pending"})

    # === RESEND AND CANCEL === #

    def test_of_several_settled_jobs_for_one_thing_the_newest_goes_back(self):
        settled = []
        for _time in range(3):
            ids = self.enqueue(self.cr, 1)
            self.claim(self.cr)
            self.settle(self.cr, "done", *ids)
            settled += ids
        self.assertEqual(queue.resend(self.cr, settled, self.env.uid), settled[-1:])
        self.assertEqual(self.read(self.cr, "state"), ["done", "done", "pending"])

    def test_several_settled_jobs_for_one_thing_that_waits_already_are_that_one(self):
        settled = []
        for _time in range(2):
            ids = self.enqueue(self.cr, 1)
            self.claim(self.cr)
            self.settle(self.cr, "done", *ids)
            settled += ids
        waiting = self.enqueue(self.cr, 1, delay=3600)
        self.assertEqual(queue.resend(self.cr, settled, self.env.uid), waiting)
        self.assertEqual(self.read(self.cr, "state"), ["done", "done", "pending"])
        self.assertEqual(self.claim(self.cr), waiting)

    def test_a_running_job_is_neither_resent_nor_cancelled(self):
        ids = self.enqueue(self.cr, 1)
        self.claim(self.cr)
        self.assertEqual(queue.resend(self.cr, ids, self.env.uid), [])
        self.assertEqual(queue.cancel(self.cr, ids, self.env.uid), [])
        self.assertEqual(self.read(self.cr, "state"), ["running"])

    def test_a_settled_job_is_resent_though_a_newer_one_for_the_same_thing_runs(self):
        [old] = self.enqueue(self.cr, 1)
        self.claim(self.cr)
        self.settle(self.cr, "done", old)
        [new] = self.enqueue(self.cr, 1)
        self.claim(self.cr)
        self.assertEqual(queue.resend(self.cr, [old, new], self.env.uid), [old])
        self.assertEqual(self.read(self.cr, "state"), ["pending", "running"])


class TestBetweenTransactions(CloneCase, Helpers):
    """Several database connections, as business transactions (repeatable read) and workers (read
    committed) have them."""

    @contextmanager
    def business(self):
        """A transaction of Odoo's kind whose snapshot is taken now."""
        with self.registry.cursor() as cr:
            cr.execute("SELECT 1")
            yield cr

    @contextmanager
    def worker(self):
        with self.registry.cursor() as cr:
            read_committed(cr)
            yield cr

    def claimed(self, **kwargs):
        with self.worker() as cr:
            return self.claim(cr, **kwargs)

    def enqueued(self, *record_ids, **vals):
        with self.business() as cr:
            return self.enqueue(cr, *record_ids, **vals)

    def settled(self, state, *job_ids, **vals):
        with self.worker() as cr:
            return self.settle(cr, state, *job_ids, **vals)

    def assertQuick(self, function, *arguments, seconds=3.0):
        """It neither fails nor waits for anybody.

        :return: what it returned
        """
        started = time.monotonic()
        result = Background(function, *arguments).result(seconds + 5)
        self.assertLess(time.monotonic() - started, seconds)
        return result

    # === ENQUEUE BESIDE ENQUEUE === #

    def test_two_that_enqueue_the_same_at_once_do_not_wait_for_each_other(self):
        with self.business() as first:
            one = self.enqueue(first, 1, 2)
            two = self.assertQuick(self.enqueued, 2, 3)
            self.assertFalse(set(one) & set(two))
        self.assertEqual(sorted(one + two), [job_id for (job_id,) in self.jobs("id")])
        self.assertEqual(set(self.states()), {"pending"})

    def test_also_where_the_other_committed_after_our_snapshot(self):
        with self.business() as late:
            early = self.enqueued(1)
            mine = self.enqueue(late, 1)
            self.assertNotEqual(early, mine)
        self.assertEqual(self.states(), ["pending", "pending"])

    def test_also_where_both_find_the_same_waiting_job(self):
        [waiting] = self.enqueued(1)
        with self.business() as first:
            self.assertEqual(self.enqueue(first, 1), [waiting])
            [own] = self.assertQuick(self.enqueued, 1)
            self.assertNotEqual(own, waiting)

    def test_what_was_enqueued_beside_another_is_sent_by_a_job_that_sees_both_changes(self):
        with self.business() as first:
            self.enqueue(first, 1)
            self.assertQuick(self.enqueued, 1)
            # the second one committed: its job runs and may not see the first one's change
            [ran] = self.claimed()
            self.settled("done", ran)
        # but there is one that does
        self.assertEqual(len(self.claimed()), 1)

    def test_two_that_enqueue_in_opposite_order_do_not_deadlock(self):
        with self.business() as first, self.business() as second:
            self.enqueue(first, 1)
            self.enqueue(second, 2)
            crossing = Background(self.enqueue, first, 2)
            self.enqueue(second, 1)
            crossing.result(5)
        self.assertEqual(len(self.jobs("id")), 4)

    def test_many_that_enqueue_overlapping_records_all_succeed(self):
        barrier = threading.Barrier(6)

        def enqueue_some(number):
            barrier.wait()
            for start in range(10):
                records = range(start, start + 40)
                self.enqueued(*(records if number % 2 else reversed(records)))

        for thread in [Background(enqueue_some, number) for number in range(6)]:
            thread.result(60)
        records = {record for (record,) in self.jobs("res_id")}
        self.assertEqual(records, set(range(49)))

    def test_a_transaction_that_rolls_back_leaves_no_job(self):
        with self.registry.cursor() as cr:
            self.enqueue(cr, 1)
            cr.rollback()
        self.assertEqual(self.jobs("id"), [])

    # === ENQUEUE BESIDE CLAIM === #

    def test_what_is_not_committed_is_not_claimed(self):
        with self.business() as first:
            self.enqueue(first, 1)
            self.assertEqual(self.assertQuick(self.claimed), [])
        self.assertEqual(len(self.claimed()), 1)

    def test_a_job_that_was_found_waiting_is_kept_from_workers_until_the_change_is_committed(self):
        """Taken now, it would be prepared from the values of before."""
        [waiting] = self.enqueued(1)
        with self.business() as first:
            self.assertEqual(self.enqueue(first, 1), [waiting])
            self.assertEqual(self.assertQuick(self.claimed), [])
        self.assertEqual(self.claimed(), [waiting])

    def test_a_change_is_not_lost_in_a_job_that_is_just_being_claimed(self):
        [waiting] = self.enqueued(1)
        with self.worker() as cr:
            self.assertEqual(self.claim(cr), [waiting])
            [own] = self.assertQuick(self.enqueued, 1)
        self.assertNotEqual(own, waiting)
        self.settled("done", waiting)
        self.assertEqual(self.claimed(), [own])

    def test_a_change_is_not_lost_in_a_job_that_was_claimed_after_our_snapshot(self):
        [waiting] = self.enqueued(1)
        with self.business() as late:
            self.assertEqual(self.claimed(), [waiting])
            [own] = self.enqueue(late, 1)
        self.assertNotEqual(own, waiting)
        self.settled("done", waiting)
        self.assertEqual(self.claimed(), [own])

    # === CLAIM BESIDE CLAIM === #

    def test_claims_at_the_same_time_share_the_jobs(self):
        self.enqueued(*range(60))
        barrier = threading.Barrier(6)

        def claim_some(number):
            barrier.wait()
            return [self.claimed(limit=5, worker=f"lane/{number}") for _round in range(3)]

        threads = [Background(claim_some, number) for number in range(6)]
        rounds = [ids for thread in threads for ids in thread.result()]
        taken = [job_id for ids in rounds for job_id in ids]
        self.assertEqual(len(taken), 60)
        self.assertEqual(len(set(taken)), 60)

    def test_a_claim_passes_over_what_others_have_locked(self):
        one, two = self.enqueued(1, 2)
        with self.business() as other:
            other.execute("SELECT id FROM commerce_job WHERE id = %s FOR UPDATE", [one])
            self.assertEqual(self.assertQuick(self.claimed), [two])

    def test_a_claim_does_not_wait_for_a_person_who_is_just_resending(self):
        [failed] = self.enqueued(1)
        self.claimed()
        self.settled("failed", failed)
        with self.business() as person:
            queue.resend(person, [failed], 1)
            [newer] = self.enqueued(1)
            self.assertEqual(self.assertQuick(self.claimed), [newer])
        self.assertEqual(self.states(), ["pending", "running"])

    # === ORDER === #

    def test_order_holds_where_numbers_are_committed_out_of_order(self):
        """Job 5 is made before job 6 but committed after it."""
        with self.business() as slow:
            [five] = self.enqueue(slow, 1, coalesce=False)
            [six] = self.enqueued(1, coalesce=False)
            self.assertLess(five, six)
            self.assertEqual(self.claimed(), [six])
        # never both at once
        self.assertEqual(self.claimed(), [])
        self.settled("done", six)
        self.assertEqual(self.claimed(), [five])

    def test_one_document_is_never_worked_on_twice_at_once(self):
        for _time in range(20):
            self.enqueued(1, coalesce=False)
        running, most, order = set(), [], []
        lock = threading.Lock()

        def work(number):
            worker, idle = f"lane/{number}", 0
            while idle < 20:
                ids = self.claimed(limit=3, worker=worker)
                idle = 0 if ids else idle + 1
                with lock:
                    running.update(ids)
                    order.extend(ids)
                    most.append(len(running))
                time.sleep(0.002)
                with lock:
                    running.difference_update(ids)
                if ids:
                    self.settled("done", *ids, worker=worker)

        for thread in [Background(work, number) for number in range(4)]:
            thread.result(60)
        self.assertEqual(max(most), 1)
        self.assertEqual(len(order), 20)
        self.assertEqual(order, sorted(order))

    # === SETTLE, RECLAIM, RESEND BESIDE OTHERS === #

    def test_settling_does_not_wait_for_a_long_business_transaction(self):
        """Which has enqueued the same thing and not committed yet."""
        [running, other] = self.enqueued(1, 2)
        self.claimed()
        with self.business() as slow:
            [newer] = self.enqueue(slow, 1)
            moved = self.assertQuick(
                lambda: self.settled("pending", running, other, error_kind="temporary", cost=1)
            )
            self.assertEqual(moved, [running, other])
        self.assertEqual(self.states(), ["pending", "pending", "pending"])
        self.assertEqual(self.claimed(), [running, other])
        self.settled("done", running, other)
        self.assertEqual(self.claimed(), [newer])

    def test_resending_does_not_wait_for_a_long_business_transaction(self):
        [done] = self.enqueued(1)
        self.claimed()
        self.settled("done", done)

        def resend():
            with self.business() as person:
                return queue.resend(person, [done], 1)

        with self.business() as slow:
            self.enqueue(slow, 1)
            self.assertEqual(self.assertQuick(resend), [done])
        self.assertEqual(self.states(), ["pending", "pending"])

    def test_resending_what_was_enqueued_after_our_snapshot_does_not_fail(self):
        [done] = self.enqueued(1)
        self.claimed()
        self.settled("done", done)
        with self.business() as late:
            self.enqueued(1)
            self.assertEqual(queue.resend(late, [done], 1), [done])
        self.assertEqual(self.states(), ["pending", "pending"])

    def test_two_that_take_back_the_same_jobs_count_each_once(self):
        self.enqueued(*range(40))
        self.claimed(lease=-1.0)
        barrier = threading.Barrier(4)

        def reclaim():
            barrier.wait()
            with self.worker() as cr:
                return queue.reclaim(cr)

        threads = [Background(reclaim) for _number in range(4)]
        self.assertEqual(sum(thread.result() for thread in threads), 40)
        self.assertEqual({attempts for (attempts,) in self.jobs("attempts")}, {1})

    def test_who_settles_while_his_jobs_are_taken_back_comes_too_late(self):
        ids = self.enqueued(1)
        self.claimed(lease=-1.0)
        with self.worker() as other:
            queue.reclaim(other)
            late = Background(lambda: self.settled("done", *ids))
            time.sleep(0.2)
        self.assertEqual(late.result(), [])
        self.assertEqual(self.states(), ["pending"])

    def test_who_has_settled_in_time_keeps_his_result(self):
        ids = self.enqueued(1)
        self.claimed(lease=-1.0)
        with self.worker() as cr:
            self.assertEqual(self.settle(cr, "done", *ids), ids)
            with self.worker() as other:
                self.assertEqual(queue.reclaim(other), 0)
        self.assertEqual(self.states(), ["done"])

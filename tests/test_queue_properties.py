"""Properties of the queue: whatever happens, in whatever order, no job leaves the table of
transitions, none is forgotten, and in the end the store holds what Odoo holds."""

from collections import Counter
from contextlib import suppress
from datetime import datetime, timedelta
from unittest.mock import patch

import requests
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from odoo.sql_db import Savepoint
from odoo.tools import SQL

from ..engine import log, queue, states
from ..engine.worker import Worker
from .common import StoreCase

NOW = SQL("(clock_timestamp() AT TIME ZONE 'UTC')")
RECORDS = (1, 2, 3)
UNHURRIED = settings(
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
)


class Killed(BaseException):
    pass


class Hand:
    """A worker's claim, and what it knew when it took the jobs."""

    def __init__(self, worker, jobs, attempts, seen):
        self.worker = worker
        self.jobs = jobs
        self.attempts = attempts
        self.seen = seen


class QueueMachine(RuleBasedStateMachine):
    """The queue's SQL against the real database, with a model of it beside."""

    def __init__(self, case):
        super().__init__()
        self.case = case
        self.cr = case.env.cr
        self.flow = case.inventory_flow
        self.savepoint = Savepoint(self.cr)
        self.hands = []
        self.lost_hands = []
        self.keys = {}  # job id -> idempotency key, as long as it may not change
        self.clock = 0
        self.changed = {}  # (record, operation) -> when it was last enqueued
        self.delivered = Counter()
        self.before = {}

    def teardown(self):
        try:
            self.come_to_an_end()
        finally:
            self.savepoint.close()
            self.case.env.invalidate_all()

    # === HELPERS === #

    def rows(self, *columns, where="TRUE"):
        self.cr.execute(
            f"SELECT id, {', '.join(columns)} FROM commerce_job WHERE {where} ORDER BY id"
        )
        return {row[0]: row[1:] for row in self.cr.fetchall()}

    def pick(self, number, *in_states):
        """One of the jobs in these states, or ``None``."""
        ids = [job_id for job_id, (state,) in self.rows("state").items() if state in in_states]
        return ids[number % len(ids)] if ids else None

    def order(self, record, operation="push", **vals):
        return queue.Order(
            flow_id=self.flow.id,
            connection_id=self.flow.connection_id.id,
            company_id=self.flow.company_id.id,
            direction="out",
            kind="inventory",
            model="product.product",
            record_ids=(record,),
            operation=operation,
            **vals,
        )

    def claim_up_to(self, limit):
        worker = queue.worker_name("test")
        jobs = queue.claim(self.cr, self.flow.id, self.flow.connection_id.id, limit, 600.0, worker)
        attempts = log.open_tries(self.cr, worker, [log.Try(job.id) for job in jobs])
        if jobs:
            seen = {job.id: self.clock for job in jobs}
            self.hands.append(Hand(worker, jobs, attempts, seen))
        return jobs

    def settle_hand(self, hand, moves):
        """:return: ids of the jobs that moved"""
        moved = queue.settle(self.cr, hand.worker, moves)
        log.close_tries(
            self.cr,
            [
                log.Try(move.job_id, attempt_id=hand.attempts[move.job_id], state="done")
                for move in moves
            ],
        )
        things = self.rows("res_id", "operation", "state", "uncertain")
        for job_id in moved:
            record, operation, state, _uncertain = things[job_id]
            if state == "done":
                key = record, operation
                self.delivered[key] = max(self.delivered[key], hand.seen[job_id])
        return moved

    # === WHAT MAY HAPPEN === #

    @rule(
        record=st.sampled_from(RECORDS),
        operation=st.sampled_from(["push", "push", "cancel"]),
        coalesce=st.sampled_from([True, True, True, False]),
        force=st.booleans(),
    )
    def enqueue(self, record, operation, coalesce, force):
        self.clock += 1
        order = self.order(record, operation, coalesce=coalesce, force=force)
        [job_id] = queue.enqueue(self.cr, order)
        self.changed[record, operation] = self.clock
        assert self.rows("state")[job_id] == ("pending",)

    @rule(limit=st.integers(1, 4))
    def claim(self, limit):
        assert len(self.claim_up_to(limit)) <= limit

    @precondition(lambda self: self.hands)
    @rule(
        number=st.integers(0, 9),
        ends=st.lists(
            st.sampled_from(["done", "failed", "retry", "later", "unsure"]), min_size=4, max_size=4
        ),
    )
    def settle(self, number, ends):
        hand = self.hands.pop(number % len(self.hands))
        moves = []
        for job, end in zip(hand.jobs, ends, strict=False):
            state = end if end in ("done", "failed") else "pending"
            delay = {"retry": 0.0, "later": 3600.0}.get(end, 0.0)
            kind = None if end == "done" else "temporary"
            uncertain = end == "unsure" or (end != "done" and job.uncertain)
            moves.append(
                queue.Move(job.id, state, error_kind=kind, delay=delay, cost=1, uncertain=uncertain)
            )
        moved = self.settle_hand(hand, moves)
        assert sorted(moved) == sorted(job.id for job in hand.jobs)

    @precondition(lambda self: self.hands)
    @rule(number=st.integers(0, 9))
    def die(self, number):
        """A worker falls silent; its lease runs out and somebody takes the jobs back."""
        hand = self.hands.pop(number % len(self.hands))
        ids = tuple(job.id for job in hand.jobs)
        self.cr.execute(
            SQL("UPDATE commerce_job SET lease_until = %s - interval '1s' WHERE id IN %s", NOW, ids)
        )
        assert queue.reclaim(self.cr) == len(ids)
        assert not queue.renew(self.cr, hand.worker, ids, 600.0)
        assert not queue.held(self.cr, hand.worker, ids)
        self.lost_hands.append(hand)

    @precondition(lambda self: self.lost_hands)
    @rule(number=st.integers(0, 9), state=st.sampled_from(["done", "failed", "pending"]))
    def come_back_too_late(self, number, state):
        """Who was only slow finds that the jobs are no longer his."""
        hand = self.lost_hands[number % len(self.lost_hands)]
        moves = [queue.Move(job.id, state) for job in hand.jobs]
        assert queue.settle(self.cr, hand.worker, moves) == []

    @precondition(lambda self: self.hands)
    @rule(number=st.integers(0, 9))
    def renew(self, number):
        hand = self.hands[number % len(self.hands)]
        ids = [job.id for job in hand.jobs]
        assert queue.renew(self.cr, hand.worker, ids, 600.0) == len(ids)
        assert queue.held(self.cr, hand.worker, ids) == set(ids)

    @rule(numbers=st.lists(st.integers(0, 30), min_size=1, max_size=4))
    def resend(self, numbers):
        ids = {self.pick(number, *states.STATES) for number in numbers} - {None}
        if not ids:
            return
        before = self.rows("state", "identity_key")
        sent = queue.resend(self.cr, sorted(ids), self.case.env.uid)
        after = self.rows("state", "force")
        assert all(after[job_id] == ("pending", True) for job_id in sent)
        waiting = {key for state, key in before.values() if state == "pending"}
        for job_id in ids:
            state, key = before[job_id]
            if state in ("done", "failed", "cancelled") and key not in waiting:
                # it, or a newer one of the chosen for the same thing
                assert any(before[other][1] == key for other in sent)
        for job_id in sent:
            self.keys.pop(job_id, None)

    @rule(number=st.integers(0, 30))
    def cancel(self, number):
        job_id = self.pick(number, *states.STATES)
        if not job_id:
            return
        state, record, operation = self.rows("state", "res_id", "operation")[job_id]
        stopped = queue.cancel(self.cr, [job_id], self.case.env.uid)
        assert stopped == ([job_id] if state in ("pending", "failed") else [])
        if stopped:  # a person did not want it
            self.changed.pop((record, operation), None)

    @rule()
    def let_time_pass(self):
        past = SQL("%s - interval '1s'", NOW)
        self.cr.execute(SQL("UPDATE commerce_job SET run_after = %s WHERE state = 'pending'", past))

    # === WHAT MUST HOLD === #

    @invariant()
    def only_allowed_transitions(self):
        after = {job_id: state for job_id, (state,) in self.rows("state").items()}
        for job_id, state in after.items():
            before = self.before.get(job_id)
            if before is None:
                assert state == "pending"
            elif before != state:
                assert state in states.TRANSITIONS[before], f"{before} -> {state}"
        assert set(self.before) <= set(after), "a job vanished"
        self.before = after

    @invariant()
    def one_waits_for_each_thing_and_one_runs_for_each_document(self):
        waiting = self.rows("identity_key", where="state = 'pending' AND identity_key IS NOT NULL")
        assert max(Counter(waiting.values()).values(), default=1) == 1
        running = self.rows("sequence_key", where="state = 'running'")
        assert max(Counter(running.values()).values(), default=1) == 1

    @invariant()
    def what_runs_is_leased_and_what_does_not_is_not(self):
        leased = self.rows("state = 'running'", "worker IS NOT NULL AND lease_until IS NOT NULL")
        assert all(running == held for running, held in leased.values())

    @invariant()
    def no_open_job_is_forgotten(self):
        """A waiting job can be claimed now, or one can say what it waits for; the claim sees it the
        same way, and so does the screen."""
        self.cr.execute(queue._due(self.flow.id, 1000))
        claimable = {job_id for (job_id,) in self.cr.fetchall()}
        jobs = self.rows("state", "run_after", "res_id", "operation", '"coalesce"')
        expected, waits = set(), {}
        for job_id, (state, run_after, record, operation, coalesce) in jobs.items():
            if state != "pending":
                continue
            blockers = [
                other
                for other, (other_state, _at, other_record, other_operation, _c) in jobs.items()
                if other != job_id
                and other_record == record
                and (
                    other_state == "running"
                    or (other < job_id and other_state == "pending")
                    or (
                        other < job_id
                        and other_state == "failed"
                        and not (coalesce and other_operation == operation)
                    )
                )
            ]
            if blockers:
                waits[job_id] = min(blockers)
            elif run_after <= datetime.utcnow():
                expected.add(job_id)
            else:
                assert run_after < datetime.utcnow() + timedelta(hours=2)
        assert claimable == expected
        self.case.env.invalidate_all()
        pending = self.case.env["commerce.job"].browse(
            [job_id for job_id, row in jobs.items() if row[0] == "pending"]
        )
        assert {job.id: job.waits_for_id.id for job in pending if job.waits_for_id} == waits
        assert all(job.waiting for job in pending)

    @invariant()
    def only_running_jobs_are_under_way_in_the_log(self):
        self.cr.execute(
            """SELECT count(*) FROM commerce_attempt AS attempt
                 JOIN commerce_job AS job ON job.id = attempt.job_id
                WHERE attempt.state = 'sending'
                  AND (job.state <> 'running' OR job.worker <> attempt.worker)"""
        )
        assert self.cr.fetchone() == (0,)

    @invariant()
    def the_idempotency_key_stays(self):
        for job_id, (key,) in self.rows("idempotency_key").items():
            assert self.keys.setdefault(job_id, key) == key
        self.cr.execute(
            """SELECT idempotency_key FROM commerce_job GROUP BY 1 HAVING count(*) > 1"""
        )
        assert not self.cr.fetchall()

    @invariant()
    def who_gave_way_says_to_whom(self):
        superseded = self.rows("state", "superseded_by_id", where="superseded_by_id IS NOT NULL")
        for state, newer in superseded.values():
            assert state == "cancelled"
            assert newer in self.before
        errors = self.rows("error_kind", "outcome", "finished_at", where="state = 'done'")
        for kind, _outcome, finished_at in errors.values():
            assert kind is None
            assert finished_at

    def come_to_an_end(self):
        """With workers that do their work and a person who resends, everything is done."""
        for _round in range(50):
            while self.hands:
                self.settle(0, ["done"] * 4)
            self.let_time_pass()
            if self.claim_up_to(4):
                continue
            failed = list(self.rows("id", where="state = 'failed'"))
            if not failed:
                break
            queue.resend(self.cr, failed, self.case.env.uid)
        left = self.rows("state", where="state NOT IN ('done', 'cancelled')")
        assert not left, f"forgotten: {left}"
        for thing, moment in self.changed.items():
            assert self.delivered[thing] >= moment, f"a change of {thing} was lost"


class StoreMachine(RuleBasedStateMachine):
    """Odoo, the worker and a store that misbehaves: in the end both sides agree."""

    def __init__(self, case):
        super().__init__()
        self.case = case
        self.savepoint = Savepoint(case.env.cr)
        self.unwanted = set()  # products whose last change a person cancelled
        self.empty_the_store()

    def teardown(self):
        try:
            self.come_to_an_end()
        finally:
            self.case.store.clear_faults()
            self.case.env.flush_all()
            self.savepoint.close()
            self.case.env.invalidate_all()
            self.case.registry.clear_all_caches()

    def empty_the_store(self):
        """The database begins anew with each example, the store must as well."""
        items = [
            {"id": int(number), "stock_quantity": 0} for number in self.case.external_ids.values()
        ]
        requests.post(
            f"{self.case.store.url}/wp-json/wc/v3/products/batch",
            json={"update": items},
            auth=(self.case.store.key, self.case.store.secret),
            timeout=10,
        ).raise_for_status()

    def product(self, number):
        return self.case.products[number % len(self.case.products)]

    @rule(number=st.integers(0, 2), quantity=st.integers(0, 3))
    def change(self, number, quantity):
        # few different quantities, so that a change is often taken back
        product = self.product(number)
        if product.qty_available != quantity:
            self.case.set_stock(product, quantity)
            self.case.flush()
            self.unwanted.discard(product)

    @rule(
        fault=st.sampled_from(
            [
                {"kind": "http_500_before"},
                {"kind": "http_500_after"},
                {"kind": "http_500_after"},
                {"kind": "reset"},
                {"kind": "malformed"},
                {"kind": "malformed", "style": "empty"},
                {"kind": "down"},
                {"kind": "rate_limit", "retry_after": 30},
                {"kind": "bad_item", "sku": "SKU-0"},
                {"kind": "bad_item", "sku": "SKU-1"},
            ]
        )
    )
    def misbehave(self, fault):
        self.case.store.fault(**fault, times=1)

    @rule()
    def work(self):
        self.case.drain()

    @rule()
    def work_and_die(self):
        """Everything is sent, nothing of it is written down."""
        with patch.object(Worker, "_finish", side_effect=Killed), suppress(Killed):
            self.case.drain()

    @rule()
    def let_time_pass(self):
        self.case.be_due()
        self.case.env.cr.execute(
            "UPDATE commerce_job SET lease_until = lease_until - interval '1 day'"
        )

    @rule(number=st.integers(0, 20))
    def resend(self, number):
        jobs = self.case.jobs()
        if jobs:
            jobs[number % len(jobs)].action_resend()

    @rule(number=st.integers(0, 20))
    def cancel(self, number):
        jobs = self.case.jobs(("state", "in", ("pending", "failed")))
        if jobs:
            job = jobs[number % len(jobs)]
            self.unwanted.add(self.case.env["product.product"].browse(job.res_id))
            job.action_cancel()

    @rule()
    def sweep(self):
        self.case.inventory_flow._enqueue_due()

    def come_to_an_end(self):
        self.case.store.clear_faults()
        for _round in range(30):
            self.let_time_pass()
            self.case.jobs(("state", "=", "failed")).action_resend()
            self.case.drain()
            if not self.case.jobs(("state", "in", states.OPEN_STATES)):
                break
        self.case.assertFalse(self.case.jobs(("state", "in", states.OPEN_STATES)))
        self.case.assertFalse(self.case.attempts(("state", "=", "sending")))
        theirs = self.case.store_stock()
        for product in self.case.products:
            if product not in self.unwanted:
                self.case.assertEqual(theirs[product.default_code], product.qty_available)


class TestQueueProperties(StoreCase):
    def test_no_order_of_events_breaks_the_queue(self):
        self.inventory_flow.max_attempts = 3
        run_state_machine_as_test(
            lambda: QueueMachine(self),
            settings=settings(UNHURRIED, max_examples=60, stateful_step_count=30),
        )

    def test_the_store_agrees_with_odoo_in_the_end(self):
        self.inventory_flow.write({"retry_first_delay": 60, "max_attempts": 4})
        self.connection.parallel_requests = 1
        self.products = self.env["product.product"].concat(
            *(self.make_product(f"SKU-{number}") for number in range(3))
        )
        self.external_ids = self.publish(self.products)
        self.flush()
        run_state_machine_as_test(
            lambda: StoreMachine(self),
            settings=settings(UNHURRIED, max_examples=20, stateful_step_count=15),
        )

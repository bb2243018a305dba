"""What the worker makes of a store that misbehaves: each job ends as the design says, and the log
tells how."""

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.tools import mute_logger

from ..adapters.woocommerce import WooCommerceAdapter
from ..engine import queue
from ..engine.worker import Worker
from ..mappers.inventory import InventoryMapper
from .common import StoreCase
from .invoices import make_invoices

WORKER_LOG = "odoo.addons.commerce_sync.engine.worker"
LINE_LOG = "odoo.addons.commerce_sync.engine.line"


class Killed(BaseException):
    pass


class WorkerCase(StoreCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # the store's requests one after another, so that it is known which one a fault hits
        cls.connection.parallel_requests = 1
        cls.inventory_flow.write({"retry_first_delay": 60, "max_attempts": 3})

    def have_products(self, *quantities, **vals):
        """Products with stock, known to the store, which does not know the stock yet."""
        products = self.env["product.product"]
        for number, quantity in enumerate(quantities):
            products |= self.make_product(f"SKU-{number}", quantity, **vals)
        self.publish(products)
        self.flush()
        self.inventory_flow._enqueue_due()
        return products

    def have_variations(self, count):
        """Variations of different products: a request each."""
        for number in range(count):
            product = self.make_product(f"VAR-{number}", number + 1)
            variation = {"sku": product.default_code, "manage_stock": True}
            family = {"name": f"Family {number}", "type": "variable", "variations": [variation]}
            [made] = self.store.seed({"products": [family]})["products"]
            self.env["commerce.binding"].create(
                {
                    "connection_id": self.connection.id,
                    "resource": "variant",
                    "model": "product.product",
                    "res_id": product.id,
                    "external_id": str(made["variations"][0]["id"]),
                    "parent_id": str(made["id"]),
                }
            )
        self.flush()
        self.inventory_flow._enqueue_due()

    def by_sku(self, sku):
        product = self.env["product.product"].search([("default_code", "=", sku)])
        return self.jobs(("model", "=", "product.product"), ("res_id", "=", product.id))

    def traffic(self):
        self.connection.invalidate_recordset()
        return self.connection.traffic_ids

    def assertStates(self, jobs, *states):
        jobs.invalidate_recordset()
        self.assertEqual(jobs.mapped("state"), list(states))

    def api_requests(self, *methods):
        methods = methods or ("GET", "POST", "PUT")
        return [entry for entry in self.store.requests if entry.method in methods]


class TestResults(WorkerCase):
    def test_each_item_of_a_batch_settles_its_own_job(self):
        self.have_products(1, 2, 3, 4)
        self.store.fault("bad_item", sku="SKU-1", code="product_gone", message="Not this one")
        self.store.fault("bad_item", sku="SKU-3", message="Nor this one")
        self.drain()
        self.assertEqual(self.store_stock()["SKU-0"], 1)
        self.assertEqual(self.store_stock()["SKU-2"], 3)
        self.assertEqual(
            {sku: self.by_sku(sku).state for sku in ("SKU-0", "SKU-1", "SKU-2", "SKU-3")},
            {"SKU-0": "done", "SKU-1": "failed", "SKU-2": "done", "SKU-3": "failed"},
        )
        failed = self.by_sku("SKU-1")
        self.assertEqual((failed.error_kind, failed.error_code), ("rejected", "product_gone"))
        self.assertIn("Not this one", failed.error_message)
        self.assertEqual(len(self.api_requests("POST")), 1)
        self.assertEqual(
            sorted(self.attempts().mapped("state")), ["done", "done", "failed", "failed"]
        )

    def test_an_attempt_tells_the_whole_story(self):
        self.have_products(5)
        self.drain()
        attempt = self.attempts()
        self.assertEqual(attempt.state, "done")
        self.assertEqual(attempt.outcome, "updated")
        self.assertEqual(attempt.http_status, 200)
        self.assertEqual(attempt.number, 1)
        self.assertIn("POST", attempt.request_line)
        self.assertIn("products/batch", attempt.request_line)
        self.assertIn('"5"', attempt.request_summary)
        self.assertTrue(attempt.started_at and attempt.finished_at)
        self.assertGreater(attempt.duration_ms, 0)
        self.assertEqual(attempt.idempotency_key, self.jobs().idempotency_key)

    def test_a_record_deleted_in_odoo_is_skipped(self):
        products = self.have_products(0, 7)
        self.env["commerce.binding"].search([("res_id", "=", products[0].id)]).unlink()
        products[0].unlink()
        self.drain()
        outcomes = {job.res_id: (job.state, job.outcome) for job in self.jobs()}
        self.assertEqual(outcomes[products.ids[0]], ("done", "skipped"))
        self.assertEqual(outcomes[products.ids[1]], ("done", "updated"))

    def test_what_was_sent_already_is_not_sent_again(self):
        products = self.have_products(3)
        self.drain()
        self.inventory_flow._enqueue_due(products.ids)
        self.drain()
        self.assertEqual(self.jobs().mapped("outcome"), ["updated", "unchanged"])
        self.assertEqual(len(self.api_requests("POST")), 1)
        self.assertEqual(len(self.attempts()), 1)

    def test_resend_sends_in_any_case(self):
        self.have_products(3)
        self.drain()
        self.assertEqual(self.jobs().action_resend(), 1)
        self.drain()
        self.assertEqual(self.jobs().mapped("outcome"), ["updated"])
        self.assertEqual(len(self.api_requests("POST")), 2)
        self.assertFalse(self.jobs().force)

    def test_a_dry_run_shows_what_it_would_send_and_sends_nothing(self):
        self.connection.dry_run = True
        self.have_products(3)
        self.drain()
        self.assertEqual((self.jobs().state, self.jobs().outcome), ("done", "dry_run"))
        self.assertEqual(self.attempts().state, "dry_run")
        self.assertIn('"3"', self.attempts().request_summary)
        self.assertFalse(self.store.requests)

    def test_a_dry_run_is_not_taken_for_sent_afterwards(self):
        self.connection.dry_run = True
        products = self.have_products(3)
        self.drain()
        self.connection.dry_run = False
        self.inventory_flow._enqueue_due(products.ids)
        self.drain()
        self.assertEqual(self.store_stock(), {"SKU-0": 3})


class TestBugs(WorkerCase):
    """A bug of ours fails the job it hits, with its traceback, and nothing else."""

    def test_a_record_that_breaks_the_mapper_fails_alone(self):
        self.have_products(*range(1, 8))
        level = InventoryMapper._level

        def broken(mapper, record, *args):
            if record.default_code == "SKU-3":
                raise ZeroDivisionError("a bug")
            return level(mapper, record, *args)

        with patch.object(InventoryMapper, "_level", broken), mute_logger(WORKER_LOG):
            self.drain()
        job = self.by_sku("SKU-3")
        self.assertEqual((job.state, job.error_kind), ("failed", "unexpected"))
        self.assertIn("SKU-3", job.error_message)
        self.assertIn("a bug", job.attempt_ids.traceback)
        others = self.jobs() - job
        self.assertEqual(set(others.mapped("state")), {"done"})
        self.assertEqual(self.store_stock()["SKU-6"], 7)

    def test_one_bad_record_among_many_is_found_in_few_steps(self):
        self.have_products(*range(1, 65))
        calls = []
        prepare, level = InventoryMapper.prepare, InventoryMapper._level

        def counted(mapper, records):
            calls.append(len(records))
            return prepare(mapper, records)

        def broken(mapper, record, *args):
            if record.default_code == "SKU-40":
                raise ZeroDivisionError
            return level(mapper, record, *args)

        with (
            patch.object(InventoryMapper, "prepare", counted),
            patch.object(InventoryMapper, "_level", broken),
            mute_logger(WORKER_LOG),
        ):
            self.drain()
        self.assertEqual(self.by_sku("SKU-40").state, "failed")
        self.assertLess(len(calls), 20)

    def test_a_bug_in_the_adapter_is_unexpected_and_uncertain(self):
        self.have_products(1)
        with patch.object(WooCommerceAdapter, "_push_inventory", side_effect=KeyError("id")):
            self.drain()
        job = self.jobs()
        self.assertEqual((job.state, job.error_kind), ("failed", "unexpected"))
        self.assertIn("KeyError", job.error_message)
        self.assertIn("KeyError", job.attempt_ids.traceback)
        self.assertTrue(job.uncertain)
        self.assertFalse(self.traffic().last_success)

    def test_an_adapter_that_forgets_a_result_is_unexpected(self):
        self.have_products(1, 2)
        for wrong in ([], [None, None]):
            with (
                self.subTest(results=wrong),
                patch.object(WooCommerceAdapter, "_push_inventory", return_value=wrong),
            ):
                self.drain()
                self.assertStates(self.jobs(), "failed", "failed")
                self.assertEqual(set(self.jobs().mapped("error_kind")), {"unexpected"})
                self.jobs().action_resend()

    def test_an_adapter_that_cannot_even_sort_its_parcels_is_unexpected(self):
        self.have_products(1)
        with (
            patch.object(WooCommerceAdapter, "parcels", side_effect=TypeError("parcels")),
            mute_logger(WORKER_LOG),
        ):
            self.drain()
        job = self.jobs()
        self.assertEqual((job.state, job.error_kind), ("failed", "unexpected"))
        self.assertIn("parcels", job.attempt_ids.traceback)
        self.assertFalse(job.uncertain)

    def test_a_result_that_cannot_be_written_down_fails_alone(self):
        self.have_variations(3)
        push = WooCommerceAdapter._push_inventory

        def odd(adapter, documents, keys):
            [result] = push(adapter, documents, keys)
            return [replace(result, seen={1, 2}) if documents[0].sku == "VAR-1" else result]

        with patch.object(WooCommerceAdapter, "_push_inventory", odd), mute_logger(WORKER_LOG):
            self.drain()
        self.assertEqual(
            [self.by_sku(f"VAR-{number}").state for number in range(3)], ["done", "failed", "done"]
        )
        job = self.by_sku("VAR-1")
        self.assertEqual((job.error_kind, job.uncertain), ("unexpected", True))
        self.assertIn("not JSON serializable", job.attempt_ids.traceback)
        self.assertFalse(self.attempts(("state", "=", "sending")))

    def test_a_bug_in_the_mapper_as_a_whole_fails_its_jobs_with_a_traceback(self):
        self.have_products(1, 2)
        broken = patch.object(InventoryMapper, "__init__", side_effect=KeyError("mapper"))
        facts = Worker._flow_facts(Worker(self.env), self.cr, self.inventory_flow.id)
        known = patch.object(Worker, "_flow_facts", return_value=facts)
        with broken, known, mute_logger(WORKER_LOG):
            self.drain()
        self.assertStates(self.jobs(), "failed", "failed")
        self.assertIn("mapper", self.attempts()[0].traceback)

    def test_a_flow_that_cannot_be_worked_on_stops_no_other(self):
        self.have_products(1)
        broken = self.env["commerce.flow"].create(
            {"connection_id": self.connection.id, "kind": "invoice"}
        )
        queue.enqueue(self.cr, self.inventory_flow_order(flow_id=broken.id, priority=1))
        facts = Worker._flow_facts

        def gone(worker, cr, flow_id):
            if flow_id == broken.id:
                raise KeyError("its addon was uninstalled")
            return facts(worker, cr, flow_id)

        with patch.object(Worker, "_flow_facts", gone), mute_logger(WORKER_LOG):
            self.drain()
        self.assertEqual(self.by_sku("SKU-0").filtered("outcome").state, "done")

    def inventory_flow_order(self, **vals):
        mapper = self.inventory_flow._get_mapper()
        order = self.inventory_flow._get_order(mapper, (10**6,), False, None)
        return queue.Order(**{**vars(order), **vals})

    def test_a_notice_that_fails_costs_nobody_his_result(self):
        self.connection.breaker_threshold = 1
        self.have_products(1)
        self.store.fault("http_500_before")
        tell = patch.object(
            type(self.env["commerce.connection"]), "_line_changed", side_effect=KeyError("mail")
        )
        with tell, mute_logger(WORKER_LOG):
            self.drain()
        self.assertStates(self.jobs(), "pending")
        self.assertEqual(self.attempts().mapped("state"), ["retry"])

    def test_a_zero_byte_in_the_answer_harms_nobody(self):
        self.have_products(1, 2)
        self.store.fault("bad_item", sku="SKU-1", code="odd\x00code", message="odd\x00words")
        self.drain()
        self.assertEqual(self.by_sku("SKU-0").state, "done")
        self.assertEqual(self.by_sku("SKU-1").state, "failed")


class TestRetries(WorkerCase):
    def test_a_temporary_failure_goes_back_with_a_growing_pause(self):
        self.have_products(1)
        self.store.fault("http_500_before")
        for number, ceiling in ((1, 60), (2, 120)):
            before = fields.Datetime.now() - timedelta(seconds=1)
            self.drain()
            job = self.jobs()
            self.assertStates(job, "pending")
            self.assertEqual(job.error_kind, "temporary")
            self.assertEqual((job.attempts, job.tries), (number, number))
            self.assertLessEqual(job.run_after, before + timedelta(seconds=ceiling + 5))
            self.be_due()
        self.drain()
        self.assertStates(self.jobs(), "failed")
        self.assertEqual(self.attempts().mapped("state"), ["retry", "retry", "failed"])
        self.assertEqual(self.attempts().mapped("number"), [1, 2, 3])
        self.assertEqual(set(self.attempts().mapped("http_status")), {500})

    def test_the_idempotency_key_stays_the_same_until_a_person_resends(self):
        self.have_products(1)
        self.store.fault("http_500_before", times=3)
        for _try in range(3):
            self.drain()
            self.be_due()
        key = self.jobs().idempotency_key
        self.assertEqual(set(self.attempts().mapped("idempotency_key")), {key})

    def test_the_first_error_is_still_in_the_log_after_the_second(self):
        self.have_products(1)
        self.store.fault("http_500_before", times=1)
        self.store.fault("maintenance", times=1, retry_after=1)
        self.drain()
        self.be_due()
        self.drain()
        first, second = self.attempts()
        self.assertEqual((first.http_status, second.http_status), (500, 503))
        self.assertNotEqual(first.error_message, second.error_message)

    def test_a_job_older_than_the_policy_allows_fails(self):
        self.inventory_flow.retry_max_age = 1
        self.have_products(1)
        self.let_pass(hours=2)
        self.store.fault("http_500_before")
        self.drain()
        self.assertStates(self.jobs(), "failed")

    def test_the_age_counts_anew_once_a_person_resends(self):
        self.inventory_flow.retry_max_age = 1
        self.have_products(1)
        self.drain()
        self.let_pass(hours=48)
        self.jobs().action_resend()
        self.store.fault("http_500_before")
        self.drain()
        self.assertStates(self.jobs(), "pending")

    def let_pass(self, hours):
        """The jobs were made so long ago."""
        ago = timedelta(hours=hours)
        self.env.cr.execute(
            "UPDATE commerce_job SET create_date = create_date - %s, queued_at = queued_at - %s",
            [ago, ago],
        )
        self.env.invalidate_all()


class TestRateLimit(WorkerCase):
    def assertWaits(self, low, high):
        """Nothing is claimed for between ``low`` and ``high`` seconds, and no try was spent."""
        job = self.jobs()
        self.assertStates(job, "pending")
        self.assertEqual((job.attempts, job.tries, job.error_kind), (0, 1, "rate_limit"))
        wait = (self.traffic().blocked_until - fields.Datetime.now()).total_seconds()
        self.assertGreater(wait, low)
        self.assertLessEqual(wait, high)
        requests = len(self.store.requests)
        drained = self.drain()
        self.assertEqual(len(self.store.requests), requests)
        self.assertEqual(drained.remaining, 0)
        self.assertAlmostEqual(
            drained.next_at, self.traffic().blocked_until, delta=timedelta(seconds=1)
        )
        self.assertEqual(self.jobs().tries, 1)

    def test_retry_after_in_seconds_is_kept(self):
        self.have_products(1)
        self.store.fault("rate_limit", times=1, retry_after=90)
        self.drain()
        self.assertWaits(85, 91)

    def test_retry_after_as_a_date_is_kept(self):
        self.have_products(1)
        self.store.fault("rate_limit", times=1, retry_after=90, http_date=True)
        self.drain()
        self.assertWaits(85, 92)

    def test_what_waited_for_the_limit_goes_on_by_itself(self):
        self.have_products(1)
        self.store.fault("rate_limit", times=1, retry_after=90)
        self.drain()
        self.be_due()
        self.drain()
        self.assertStates(self.jobs(), "done")
        self.assertEqual(self.attempts().mapped("state"), ["retry", "done"])

    def test_after_a_429_the_rest_of_the_claim_is_not_sent(self):
        self.inventory_flow.connection_id.parallel_requests = 1
        self.have_variations(6)
        self.store.fault("rate_limit", retry_after=90)
        self.drain()
        self.assertEqual(len(self.api_requests("POST")), 1)
        self.assertEqual(sorted(self.attempts().mapped("state")), ["not_sent"] * 5 + ["retry"])
        self.assertEqual(set(self.jobs().mapped("attempts")), {0})


class TestBreaker(WorkerCase):
    def setUp(self):
        super().setUp()
        self.connection.breaker_threshold = 2
        self.inventory_flow.max_attempts = 8

    def open_by_failing(self, times=2):
        """Let requests fail until the breaker opens."""
        self.store.fault("http_500_before")
        for _time in range(times):
            self.drain()
            self.env.cr.execute(
                "UPDATE commerce_job SET run_after = (now() at time zone 'UTC') - interval '1 hour'"
                " WHERE state = 'pending'"
            )
            self.env.invalidate_all()

    def notices(self):
        told = self.connection.activity_ids
        return told.filtered(lambda activity: not activity.commerce_error_kind)

    def test_it_opens_after_so_many_failures_and_tells_once(self):
        self.have_products(1)
        self.open_by_failing()
        self.assertTrue(self.traffic().open_since)
        self.assertEqual(self.connection.health, "down")
        self.assertEqual(len(self.notices()), 1)

    def test_while_it_is_open_nothing_is_claimed_and_no_try_is_spent(self):
        self.have_products(1)
        self.open_by_failing()
        tries, requests = self.jobs().tries, len(self.store.requests)
        for _round in range(3):
            drained = self.drain()
            self.assertEqual((drained.done, drained.remaining), (0, 0))
        self.assertEqual(self.jobs().tries, tries)
        self.assertEqual(len(self.store.requests), requests)
        self.assertEqual(len(self.notices()), 1)
        self.assertIn("does not answer", self.jobs().waiting)

    def test_the_first_probe_comes_soon_however_many_requests_failed_at_once(self):
        self.connection.parallel_requests = 8
        self.have_variations(8)
        self.open_by_failing(times=1)
        wait = (self.traffic().probe_at - fields.Datetime.now()).total_seconds()
        self.assertLess(wait, 16)

    def probe_now(self):
        self.env.cr.execute(
            "UPDATE commerce_traffic SET probe_at = (now() at time zone 'UTC') - interval '1 hour'"
        )
        self.env.invalidate_all()

    def test_a_probe_is_one_job_and_costs_it_nothing(self):
        self.have_products(*range(1, 6))
        self.open_by_failing()
        requests = len(self.store.requests)
        spent = self.jobs().mapped("attempts")
        self.probe_now()
        self.drain()
        self.assertEqual(len(self.store.requests), requests + 1)
        self.assertEqual(self.jobs().mapped("attempts"), spent)
        self.assertEqual(len(self.attempts(("state", "=", "sending"))), 0)
        self.assertTrue(self.traffic().open_since)

    def test_a_probe_that_succeeds_closes_it_and_the_rest_follows(self):
        self.have_products(*range(1, 6))
        self.open_by_failing()
        self.store.clear_faults()
        self.probe_now()
        self.drain()
        self.assertFalse(self.traffic().open_since)
        self.assertEqual(set(self.jobs().mapped("state")), {"done"})
        self.assertFalse(self.notices())

    def test_pauses_between_probes_grow(self):
        self.have_products(1)
        self.open_by_failing()
        waits = []
        for _probe in range(3):
            self.probe_now()
            self.env.cr.execute("UPDATE commerce_job SET run_after = now() - interval '1 day'")
            self.env.invalidate_all()
            self.drain()
            waits.append((self.traffic().probe_at - fields.Datetime.now()).total_seconds())
        for wait, expected in zip(waits, (15, 30, 60), strict=True):
            self.assertAlmostEqual(wait, expected, delta=4)

    def test_a_probe_nobody_can_make_is_left_to_the_next_flow(self):
        """The most urgent flow has only jobs that wait for others: its turn must not use up the
        probe of the whole connection."""
        self.have_products(1)
        self.open_by_failing()
        self.store.clear_faults()
        urgent = self.env["commerce.flow"].create(
            {"connection_id": self.connection.id, "kind": "invoice"}
        )
        follower = self.blocked_jobs(urgent)
        self.probe_now()
        self.drain()
        self.assertStates(follower, "pending")
        self.assertStates(self.by_sku("SKU-0"), "done")
        self.assertFalse(self.traffic().open_since)

    def blocked_jobs(self, flow):
        """A failed job, and one that waits for it.

        :return: the one that waits
        """
        order = queue.Order(
            flow.id,
            self.connection.id,
            self.connection.company_id.id,
            "out",
            flow.kind,
            "account.move",
            (10**6,),
            coalesce=False,
            priority=flow.priority,
        )
        [failed] = queue.enqueue(self.env.cr, order)
        self.env.cr.execute("UPDATE commerce_job SET state = 'failed' WHERE id = %s", [failed])
        return self.env["commerce.job"].browse(queue.enqueue(self.env.cr, order))

    def test_a_probe_that_never_reached_the_store_proves_nothing(self):
        """The probe's job was refused by us before any request was made."""
        self.have_products(1, 2)
        self.open_by_failing()
        self.product("SKU-0").default_code = False
        self.env.cr.execute(
            "UPDATE commerce_binding SET external_id = 'no number' WHERE res_id = %s",
            [self.product("SKU-1").id],
        )
        self.env.invalidate_all()
        self.probe_now()
        requests = len(self.store.requests)
        self.drain()
        self.assertEqual(len(self.store.requests), requests)
        self.assertTrue(self.traffic().open_since)
        self.assertEqual(len(self.notices()), 1)

    def product(self, sku):
        return self.env["product.product"].search([("default_code", "=", sku)])

    def test_after_a_probe_that_made_no_request_the_next_job_may_probe_at_once(self):
        products = self.have_products(1, 2, 3)
        self.open_by_failing()
        self.store.clear_faults()
        products[0].default_code = False
        self.flush()
        self.probe_now()
        self.drain()
        self.assertFalse(self.traffic().open_since)
        self.assertEqual(self.jobs().mapped("state"), ["failed", "done", "done"])

    def test_a_store_that_is_only_busy_is_not_down(self):
        self.have_products(1)
        self.open_by_failing()
        self.store.clear_faults()
        self.store.fault("rate_limit", times=1, retry_after=1)
        self.probe_now()
        self.drain()
        self.assertFalse(self.traffic().open_since)
        self.be_due()
        self.drain()
        self.assertStates(self.jobs(), "done")


class TestPause(WorkerCase):
    def test_refused_credentials_pause_the_connection_with_one_notice(self):
        self.have_products(1, 2)
        self.store.fault("unauthorized")
        self.drain()
        self.assertEqual((self.connection.state, self.connection.health), ("paused", "paused"))
        self.assertEqual(self.connection.pause_kind, "authentication")
        self.assertEqual(len(self.connection.activity_ids), 1)
        self.assertStates(self.jobs(), "pending", "pending")
        self.assertEqual(self.jobs().mapped("attempts"), [0, 0])
        requests = len(self.store.requests)
        self.assertEqual(self.drain().remaining, 0)
        self.assertEqual(len(self.store.requests), requests)

    def test_a_new_credential_lets_it_go_on(self):
        self.have_products(1)
        self.store.fault("unauthorized")
        self.drain()
        self.store.clear_faults()
        self.connection.set_credentials({"consumer_secret": self.store.secret})
        self.drain()
        self.assertStates(self.jobs(), "done")
        self.assertFalse(self.connection.activity_ids)

    def test_a_missing_credential_pauses_as_well(self):
        self.have_products(1)
        for credential in self.connection.credential_ids:
            credential.sudo()._keep("")
        self.drain()
        self.assertEqual(self.connection.pause_kind, "authentication")
        self.assertStates(self.jobs(), "pending")

    def test_a_person_pauses_and_resumes(self):
        self.have_products(1)
        self.connection.action_pause()
        self.assertEqual(self.drain(), self.drain())
        self.assertStates(self.jobs(), "pending")
        self.assertFalse(self.store.requests)
        self.assertIn("paused", self.jobs().waiting)
        self.connection.action_resume()
        self.drain()
        self.assertStates(self.jobs(), "done")

    def test_a_flow_that_is_switched_off_waits(self):
        self.have_products(1)
        self.inventory_flow.active = False
        self.drain()
        self.assertStates(self.jobs(), "pending")
        self.assertEqual(self.jobs().waiting, "The flow is switched off.")
        self.inventory_flow.active = True
        self.drain()
        self.assertStates(self.jobs(), "done")


class TestOrder(WorkerCase):
    """Jobs of one document run one after another, in the order in which they were made."""

    def enqueue(self, product, **vals):
        mapper = self.inventory_flow._get_mapper()
        order = self.inventory_flow._get_order(mapper, product.ids, True, None)
        values = {**vars(order), "coalesce": False, **vals}
        return self.env["commerce.job"].browse(queue.enqueue(self.env.cr, queue.Order(**values)))

    def test_followers_say_whom_they_wait_for_and_go_on_when_it_is_resent(self):
        product = self.have_products(1)
        first = self.jobs()
        second, third = self.enqueue(product), self.enqueue(product)
        self.store.fault("bad_item", sku="SKU-0", times=1)
        self.drain()
        self.assertStates(first | second | third, "failed", "pending", "pending")
        for follower in (second, third):
            self.assertEqual(follower.waits_for_id, first)
            self.assertEqual(follower.waiting, f"Waits for job {first.id}.")
        first.action_resend()
        self.drain()
        self.assertStates(first | second | third, "done", "done", "done")
        self.assertEqual(
            self.attempts(("state", "=", "done")).mapped("job_id.id"), (first | second | third).ids
        )

    def test_followers_go_on_when_the_one_before_is_cancelled(self):
        product = self.have_products(1)
        first, second = self.jobs(), self.enqueue(product)
        self.store.fault("bad_item", sku="SKU-0", times=1)
        self.drain()
        first.action_cancel()
        self.drain()
        self.assertStates(first | second, "cancelled", "done")

    def test_a_failed_job_holds_back_its_own_document_only(self):
        products = self.have_products(1, 2)
        follower = self.enqueue(products[0])
        self.store.fault("bad_item", sku="SKU-0", times=1)
        self.drain()
        self.assertEqual(self.by_sku("SKU-1").state, "done")
        self.assertEqual(follower.state, "pending")

    def test_a_failed_job_makes_way_for_a_newer_one_for_the_same_thing(self):
        product = self.have_products(1)
        failed = self.jobs()
        self.store.fault("bad_item", sku="SKU-0", times=1)
        self.drain()
        self.set_stock(product, 9)
        self.drain()
        newer = self.jobs() - failed
        self.assertStates(failed | newer, "cancelled", "done")
        self.assertEqual(failed.superseded_by_id, newer)
        self.assertEqual(self.store_stock(), {"SKU-0": 9})

    def test_a_newer_job_runs_first_where_it_was_committed_first(self):
        """Job numbers are drawn before the commit; whoever runs is waited for."""
        product = self.have_products(1)
        first, second = self.jobs(), self.enqueue(product)
        self.env.cr.execute(
            "UPDATE commerce_job SET state = 'running', worker = 'x/1', lease_until = now() +"
            " interval '1 day' WHERE id = %s",
            [second.id],
        )
        self.env.invalidate_all()
        self.drain()
        self.assertStates(first | second, "pending", "running")
        self.assertEqual(first.waits_for_id, second)


class TestUncertain(WorkerCase):
    """A try that may have arrived is never taken for one that did not."""

    def change(self, product, quantity):
        self.set_stock(product, quantity)
        self.flush()

    def agree(self, product, quantity):
        """A product the store knows as well as Odoo does."""
        self.change(product, quantity)
        self.drain()
        self.assertEqual(self.store_stock()[product.default_code], quantity)

    def test_a_change_that_is_taken_back_after_a_lost_answer_is_sent(self):
        """5 -> 9 arrives but its answer is lost; back to 5: the store must not keep the 9."""
        product = self.have_products(0)
        self.agree(product, 5)
        self.change(product, 9)
        self.store.fault("http_500_after", times=1)
        self.drain()
        self.assertEqual(self.store_stock(), {"SKU-0": 9})
        self.change(product, 5)
        self.be_due()
        self.drain()
        self.assertEqual(self.store_stock(), {"SKU-0": 5})

    def test_also_where_the_lost_job_was_cancelled(self):
        product = self.have_products(0)
        self.agree(product, 5)
        self.change(product, 9)
        self.store.fault("http_500_after", times=1)
        self.drain()
        self.jobs(("state", "=", "pending")).action_cancel()
        self.change(product, 5)
        self.drain()
        self.assertEqual(self.store_stock(), {"SKU-0": 5})

    def test_also_where_the_lost_job_failed_for_good(self):
        self.inventory_flow.max_attempts = 1
        product = self.have_products(0)
        self.agree(product, 5)
        self.change(product, 9)
        self.store.fault("http_500_after", times=1)
        self.drain()
        self.assertEqual(self.jobs()[-1].state, "failed")
        self.change(product, 5)
        self.drain()
        self.assertEqual(self.store_stock(), {"SKU-0": 5})

    def test_also_where_its_worker_died(self):
        product = self.have_products(0)
        self.agree(product, 5)
        self.change(product, 9)
        job = self.be_killed_in_the_middle()
        self.drain()  # the lease is over: taken up again, as uncertain
        job.action_cancel()
        self.change(product, 5)
        self.drain()
        self.assertEqual(self.store_stock(), {"SKU-0": 5})

    def be_killed_in_the_middle(self):
        """Send, and die before the answer is written down; the lease is over.

        :return: the jobs that were on their way
        """
        # not assertRaises: Odoo's rolls back, and a dead worker takes nothing back
        with patch.object(Worker, "_finish", side_effect=Killed), suppress(Killed):
            self.drain()
        running = self.jobs(("state", "=", "running"))
        self.env.cr.execute(
            "UPDATE commerce_job SET lease_until = now() - interval '1 day', run_after = now() +"
            " interval '1 day' WHERE state = 'running'"
        )
        self.env.invalidate_all()
        return running

    def test_after_a_kill_the_log_says_unknown_and_the_next_try_is_sent(self):
        product = self.have_products(0)
        self.agree(product, 5)
        self.change(product, 9)
        job = self.be_killed_in_the_middle()
        self.assertEqual(self.attempts()[-1].state, "sending")
        key = job.idempotency_key
        self.drain()
        unknown, done = self.attempts(("job_id", "=", job.id))
        self.assertEqual((unknown.state, done.state), ("unknown", "done"))
        self.assertTrue(unknown.finished_at)
        self.assertIn("not known", unknown.error_message)
        self.assertEqual((unknown.idempotency_key, done.idempotency_key), (key, key))
        self.assertEqual((job.state, job.attempts, job.uncertain), ("done", 1, False))

    def test_the_job_that_takes_over_from_an_uncertain_one_looks_first_too(self):
        product = self.have_products(0)
        self.agree(product, 5)
        self.change(product, 9)
        self.store.fault("http_500_after", times=1)
        self.drain()
        uncertain = self.jobs()[-1]
        self.assertTrue(uncertain.uncertain)
        # a newer job for the same thing waits before this one could go back to waiting
        self.env.cr.execute("UPDATE commerce_job SET state = 'failed' WHERE id = %s", uncertain.ids)
        self.env.invalidate_all()
        self.change(product, 7)
        keys = []
        push = WooCommerceAdapter._push_inventory

        def spy(adapter, documents, send_keys):
            keys.extend(send_keys)
            return push(adapter, documents, send_keys)

        with patch.object(WooCommerceAdapter, "_push_inventory", spy):
            self.drain()
        self.assertTrue(keys[0].uncertain)

    def test_a_job_that_kills_its_worker_each_time_comes_to_an_end(self):
        self.have_products(1)
        for _try in range(3):
            job = self.be_killed_in_the_middle()
            self.env.cr.execute("UPDATE commerce_job SET run_after = now() - interval '1 day'")
            self.env.invalidate_all()
        self.drain()
        self.assertStates(job, "failed")
        self.assertEqual(self.attempts().mapped("state"), ["unknown"] * 3)


class TestInvoices(WorkerCase):
    """A note is the one thing WooCommerce would take twice."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.invoice_flow = cls.env["commerce.flow"].create(
            {"connection_id": cls.connection.id, "kind": "invoice", "max_attempts": 5}
        )

    def have_invoices(self, count=1):
        product = self.make_product("SOLD", 100)
        orders = [self.store.place_order() for _number in range(count)]
        moves = make_invoices(self.env, self.connection, orders, product)
        self.flush()
        self.orders = dict(zip(moves, orders, strict=True))
        return moves

    def notes(self, move):
        """Our notes on the order of an invoice."""
        notes = self.store_get(f"orders/{self.orders[move]['id']}/notes")
        return [note for note in notes if move.name in note["note"]]

    def meta(self, move):
        order = self.store_get(f"orders/{self.orders[move]['id']}")
        return [meta for meta in order["meta_data"] if move.name in meta["key"]]

    def assertArrivedOnce(self, moves):
        for move in moves:
            self.assertEqual(len(self.notes(move)), 1, move.name)
            self.assertEqual(len(self.meta(move)), 1, move.name)

    def drain_all(self):
        for _round in range(8):
            self.drain()
            self.be_due()
        self.assertEqual(set(self.jobs(("kind", "=", "invoice")).mapped("state")), {"done"})

    def test_an_invoice_arrives_once_whatever_happens_to_the_answer(self):
        faults = (
            {"kind": "http_500_after"},
            {"kind": "http_500_before"},
            {"kind": "reset"},
            {"kind": "malformed"},
            {"kind": "malformed", "style": "html"},
            {"kind": "timeout", "seconds": 30.0},
            {"kind": "down"},
        )
        self.connection.timeout = 1
        moves = self.have_invoices(len(faults))
        for move, fault in zip(moves, faults, strict=True):
            order = self.orders[move]["id"]
            self.store.fault(**fault, times=1, method="POST", path=f"/orders/{order}/notes")
        self.drain_all()
        self.assertArrivedOnce(moves)

    def test_an_invoice_arrives_once_though_the_worker_died_after_sending(self):
        moves = self.have_invoices(2)
        TestUncertain.be_killed_in_the_middle(self)
        self.drain_all()
        self.assertArrivedOnce(moves)
        log = self.attempts(("kind", "=", "invoice"))
        self.assertEqual(sorted(log.mapped("state")), ["done", "done", "unknown", "unknown"])

    def test_what_staff_deleted_in_the_store_is_written_again_by_resend(self):
        moves = self.have_invoices()
        self.drain()
        order = self.orders[moves]["id"]
        [note] = self.notes(moves)
        self.store.store.delete("note", note["id"])
        self.assertFalse(self.notes(moves))
        self.jobs(("kind", "=", "invoice")).action_resend()
        self.drain()
        self.assertEqual(len(self.notes(moves)), 1, f"order {order}")

    def test_resend_after_half_of_it_arrived_completes_it_without_repeating(self):
        self.invoice_flow.max_attempts = 1
        moves = self.have_invoices()
        self.store.fault("http_500_after", times=1, method="POST", path="/notes")
        self.drain()
        job = self.jobs(("kind", "=", "invoice"))
        self.assertEqual((job.state, job.progress["steps"]), ("failed", {"meta": "done"}))
        job.action_resend()
        self.drain()
        self.assertArrivedOnce(moves)

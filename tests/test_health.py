"""The day things go wrong: what staff see, and who is told."""

import requests
from odoo.tests import new_test_user

from .common import StoreCase


class HealthCase(StoreCase):
    def make_bound(self, sku="MUG-B", quantity=7):
        product = self.make_product(sku)
        self.publish(product)
        self.set_stock(product, quantity)
        return product

    def drain_again(self):
        """Time passes, the scheduled action comes round."""
        self.be_due()
        self.drain()

    def notices(self, connection=None):
        told = (connection or self.connection).activity_ids.filtered("automated")
        return told.filtered(lambda activity: not activity.commerce_error_kind)

    def status(self):
        return self.connection.sync_status()[0]


class TestErrorsInWords(HealthCase):
    """Each failure is on its job: what, which record, what to do."""

    def push_with(self, *fault, **parameters):
        product = self.make_bound()
        self.store.fault(*fault, **parameters)
        self.drain()
        return product, self.jobs()

    def assertFailure(self, job, state, kind, words, attempts):
        self.assertEqual((job.state, job.error_kind), (state, kind))
        self.assertRegex(job.error_message, words)
        self.assertTrue(job.error_hint)
        self.assertEqual(job.attempts, attempts)
        attempt = self.attempts()[-1]
        self.assertEqual(attempt.error_message, job.error_message)
        self.assertEqual(attempt.error_kind, kind)
        self.assertEqual(attempt.job_id, job)

    def test_an_error_of_the_store_is_tried_again(self):
        _product, job = self.push_with("http_500_before")
        self.assertFailure(job, "pending", "temporary", "has an error of its own .HTTP 500", 1)
        self.assertGreater(job.run_after, job.create_date)
        self.assertEqual(job.waiting, "Will be tried again later.")

    def test_maintenance_is_tried_again(self):
        _product, job = self.push_with("maintenance")
        self.assertFailure(job, "pending", "temporary", "is not available at the moment", 1)

    def test_an_answer_that_is_cut_off_is_tried_again(self):
        _product, job = self.push_with("reset")
        self.assertFailure(job, "pending", "temporary", "broke the connection off", 1)
        self.assertTrue(job.uncertain)

    def test_an_answer_that_cannot_be_read_is_tried_again(self):
        for style in ("truncated", "notice", "html", "empty"):
            with self.subTest(style=style):
                product = self.make_bound(f"MUG-{style}")
                self.store.fault("malformed", style=style, times=1)
                self.drain()
                job = self.jobs(("res_id", "=", product.id))
                self.assertFailure(
                    job, "pending", "temporary", "cannot be read|web page instead of data", 1
                )
                self.drain_again()
                self.assertEqual(job.state, "done")

    def test_a_refused_item_fails_at_once_and_alone(self):
        good, bad = self.make_bound("GOOD"), self.make_bound("BAD")
        external_id = self.connection._bindings("variant", bad)[bad.id].external_id
        self.store.fault("bad_item", id=external_id, message="No such thing.")
        self.drain()
        self.assertEqual(self.jobs(("res_id", "=", good.id)).state, "done")
        job = self.jobs(("res_id", "=", bad.id))
        self.assertEqual((job.state, job.error_kind), ("failed", "rejected"))
        self.assertIn(bad.display_name, job.error_message)
        self.assertIn("No such thing.", job.error_message)
        self.assertEqual(self.store_stock(), {"GOOD": 7, "BAD": 0})

    def test_a_product_deleted_in_the_store_is_missing(self):
        kept, gone = self.make_bound("KEPT"), self.make_bound("GONE")
        external_id = self.connection._bindings("variant", gone)[gone.id].external_id
        requests.delete(
            f"{self.store.url}/wp-json/wc/v3/products/{external_id}",
            params={"force": "true"},
            auth=(self.store.key, self.store.secret),
            timeout=10,
        ).raise_for_status()
        self.drain()
        self.assertEqual(self.jobs(("res_id", "=", kept.id)).state, "done")
        job = self.jobs(("res_id", "=", gone.id))
        self.assertEqual((job.state, job.error_kind), ("failed", "missing"))
        self.assertIn(gone.display_name, job.error_message)
        self.assertIn("no longer exists in the store", job.error_message)
        self.assertIn("Match it again", job.error_hint)
        self.assertEqual(self.connection.health, "degraded")

    def test_tries_come_to_an_end(self):
        self.inventory_flow.max_attempts = 3
        self.connection.breaker_threshold = 100
        _product, job = self.push_with("http_500_before")
        for _time in range(5):
            self.drain_again()
        self.assertFailure(job, "failed", "temporary", "has an error of its own", 3)
        self.assertEqual(len(self.store.requests), 3)
        self.assertEqual(self.attempts().mapped("state"), ["retry", "retry", "failed"])
        self.assertEqual(self.attempts().mapped("number"), [1, 2, 3])

    def test_the_first_error_is_not_overwritten(self):
        _product, job = self.push_with("http_500_before", times=1)
        self.store.fault("malformed", style="html", times=1)
        self.drain_again()
        self.drain_again()
        self.assertEqual(job.state, "done")
        messages = self.attempts().mapped("error_message")
        self.assertIn("has an error of its own", messages[0])
        self.assertIn("web page", messages[1])
        self.assertFalse(messages[2])
        self.assertFalse(job.error_message)

    def test_a_failed_job_is_sent_again_by_one_click(self):
        self.inventory_flow.max_attempts = 1
        product, job = self.push_with("http_500_before", times=1)
        self.assertEqual(job.state, "failed")
        user = new_test_user(self.env, "commerce user", "commerce_sync.group_user")
        self.assertEqual(job.with_user(user).action_resend(), 1)
        self.drain()
        self.assertEqual(job.state, "done")
        self.assertEqual(self.store_stock(), {product.default_code: 7})

    def test_many_are_sent_again_at_once(self):
        self.inventory_flow.max_attempts = 1
        for number in range(5):
            self.make_bound(f"MUG-{number}")
        self.store.fault("http_500_before", times=1)
        self.drain()
        self.assertEqual(set(self.jobs().mapped("state")), {"failed"})
        self.assertEqual(self.jobs().action_resend(), 5)
        self.drain()
        self.assertEqual(set(self.jobs().mapped("state")), {"done"})

    def test_too_many_requests_cost_no_try(self):
        _product, job = self.push_with("rate_limit", times=1, retry_after=30)
        self.assertEqual((job.state, job.error_kind), ("pending", "rate_limit"))
        self.assertIn("asks us to send fewer requests", job.error_message)
        self.assertEqual((job.attempts, job.tries), (0, 1))
        self.drain()
        self.assertEqual(len(self.store.requests), 1)  # it keeps to what it was told
        self.drain_again()
        self.assertEqual(job.state, "done")
        self.assertEqual(self.attempts().mapped("state"), ["retry", "done"])


class TestHealth(HealthCase):
    def test_a_new_connection_says_that_nothing_is_sent(self):
        connection = self.connection.copy({"name": "Another"})
        self.assertEqual(connection.health, "draft")
        self.assertEqual(connection.health_message, "Not live yet: nothing is sent.")

    def test_all_well(self):
        self.make_bound()
        self.drain()
        self.assertEqual(self.connection.health, "healthy")
        self.assertTrue(self.connection.last_success)
        self.assertEqual(
            self.status(),
            {
                "id": self.connection.id,
                "name": "Demo Store",
                "health": "healthy",
                "message": "",
                "pending": 0,
                "running": 0,
                "failed": 0,
                "last_success": self.connection.last_success.isoformat(),
            },
        )

    def test_failed_jobs_are_counted(self):
        self.make_bound().default_code = False
        self.drain()
        status = self.status()
        self.assertEqual((status["health"], status["failed"]), ("degraded", 1))
        self.assertEqual(status["message"], "1 jobs need a person.")
        self.assertFalse(self.notices())  # the connection itself is well
        action = self.connection.action_view_failed()
        self.assertEqual(self.jobs(*action["domain"]), self.jobs())

    def test_one_failure_of_the_line_is_said(self):
        self.make_bound()
        self.store.fault("http_500_before", times=1)
        self.drain()
        self.assertEqual(self.connection.health, "degraded")
        self.assertIn("has an error of its own", self.connection.health_message)
        self.drain_again()
        self.assertEqual(self.connection.health, "healthy")

    def test_a_person_pauses_without_a_notice(self):
        self.connection.action_pause()
        self.assertEqual(self.connection.health, "paused")
        self.assertIn("Paused by", self.connection.health_message)
        self.assertFalse(self.notices())
        self.connection.action_resume()
        self.assertEqual(self.connection.health, "healthy")


class TestRefusedCredentials(HealthCase):
    def refuse(self):
        self.connection.set_credentials({"consumer_secret": "cs_wrong_invented_secret"})
        self.make_bound("MUG-B")
        self.make_bound("MUG-C")
        self.drain()

    def test_the_connection_pauses_with_one_notice_and_burns_no_try(self):
        self.refuse()
        for _time in range(3):
            self.set_stock(self.make_bound(f"MUG-{_time}"), 3)
            self.drain_again()
        self.assertEqual(self.connection.state, "paused")
        self.assertEqual(self.connection.health, "paused")
        self.assertIn("does not", self.connection.health_message)
        self.assertEqual(len(self.store.requests), 1)
        self.assertEqual(set(self.jobs().mapped("state")), {"pending"})
        self.assertEqual(set(self.jobs().mapped("attempts")), {0})
        self.assertEqual(self.jobs()[0].waiting, "Demo Store is paused.")
        notice = self.notices()
        self.assertEqual(len(notice), 1)
        self.assertEqual(notice.summary, "Demo Store is paused")
        self.assertEqual(notice.user_id, self.connection.responsible_id)
        self.assertIn(self.connection.pause_message, notice.note)

    def test_new_credentials_resume_and_take_the_notice_away(self):
        self.refuse()
        self.connect(self.connection)
        self.assertEqual(self.connection.state, "live")
        self.assertFalse(self.notices())
        self.drain()
        self.assertEqual(set(self.jobs().mapped("state")), {"done"})
        self.assertEqual(self.store_stock(), {"MUG-B": 7, "MUG-C": 7})

    def test_refused_again_there_is_a_notice_again(self):
        self.refuse()
        self.connection.set_credentials({"consumer_secret": "cs_wrong_again"})
        self.drain()
        self.assertEqual(self.connection.state, "paused")
        self.assertEqual(len(self.notices()), 1)

    def test_a_responsible_without_rights_is_told_too(self):
        self.connection.responsible_id = new_test_user(self.env, "clerk", "base.group_user")
        self.refuse()
        self.assertEqual(self.notices().user_id.login, "clerk")

    def test_without_responsible_the_connections_user_is_told(self):
        self.connection.responsible_id = False
        self.refuse()
        self.assertEqual(self.notices().user_id, self.connection.user_id)

    def test_the_other_connections_go_on(self):
        other = self.connection.copy({"name": "Second Store", "dry_run": False})
        self.connect(other)
        self.env["commerce.flow"].create({"connection_id": other.id, "kind": "inventory"})
        other.action_go_live()
        self.connection.set_credentials({"consumer_secret": "cs_wrong_invented_secret"})
        product = self.make_product("MUG-B")
        external_id = self.publish(product, other)[product]
        self.env["commerce.binding"].create(
            {
                "connection_id": self.connection.id,
                "resource": "variant",
                "model": "product.product",
                "res_id": product.id,
                "external_id": external_id,
            }
        )
        self.set_stock(product, 7)
        self.drain()
        states = {job.connection_id: job.state for job in self.jobs()}
        self.assertEqual(states, {self.connection: "pending", other: "done"})


class TestStoreDown(HealthCase):
    def setUp(self):
        super().setUp()
        self.connection.breaker_threshold = 3
        self.products = [self.make_bound(f"MUG-{number}") for number in range(2)]
        self.store.fault("down")
        for _time in range(3):
            self.drain_again()

    def test_after_some_failures_nothing_more_is_tried_and_one_notice_says_so(self):
        self.assertEqual(self.connection.health, "down")
        self.assertRegex(
            self.connection.health_message,
            r"Does not answer since \d{4}-\d\d-\d\d \d\d:\d\d: .*Jobs wait and go on by themselves",
        )
        spent = self.jobs().mapped("attempts")
        asked = len(self.store.requests)
        self.env.cr.execute("UPDATE commerce_job SET run_after = now() at time zone 'UTC'")
        self.env.invalidate_all()
        self.drain()
        self.drain()
        self.assertEqual(len(self.store.requests), asked)
        self.assertEqual(self.jobs().mapped("attempts"), spent)
        self.assertEqual(set(self.jobs().mapped("state")), {"pending"})
        self.assertEqual(self.notices().summary, "Demo Store does not answer")
        self.assertEqual(self.jobs()[0].waiting, "Demo Store does not answer.")

    def test_failed_probes_burn_no_try_and_tell_nobody_again(self):
        spent = self.jobs().mapped("attempts")
        for _time in range(4):
            self.drain_again()
        self.assertEqual(self.jobs().mapped("attempts"), spent)
        self.assertEqual(len(self.notices()), 1)

    def test_the_first_answer_closes_it_and_takes_the_notice_away(self):
        self.store.clear_faults()
        self.drain_again()
        self.assertEqual(set(self.jobs().mapped("state")), {"done"})
        self.assertEqual(self.connection.health, "healthy")
        self.assertFalse(self.notices())
        self.assertEqual(self.store_stock(), {"MUG-0": 7, "MUG-1": 7})

    def test_it_is_told_anew_what_is_wrong_now(self):
        self.connection.set_credentials({"consumer_secret": "cs_wrong_invented_secret"})
        self.store.clear_faults()
        self.drain_again()
        self.assertEqual(self.connection.state, "paused")
        notice = self.notices()
        self.assertEqual(notice.summary, "Demo Store is paused")
        self.assertIn("does not", notice.note)

    def test_a_person_may_try_at_once(self):
        self.store.clear_faults()
        self.connection.action_pause()
        self.connection.action_resume()
        self.be_due()
        self.drain()
        self.assertEqual(set(self.jobs().mapped("state")), {"done"})


class TestTestConnection(HealthCase):
    """*Test connection* names the store, or says exactly what is wrong."""

    def test(self, connection=None):
        params = (connection or self.connection).action_test()["params"]
        return params["type"], params["message"]

    def test_it_names_the_store_and_its_version(self):
        kind, message = self.test()
        self.assertIn("Sandbox Store answers: WooCommerce 10.3.4.", message)
        self.assertEqual(kind, "warning")  # http
        self.assertEqual(self.connection.store_name, "Sandbox Store")
        self.assertEqual(self.connection.store_version, "WooCommerce 10.3.4")
        self.assertEqual(self.connection.store_currency, "USD")
        self.assertTrue(self.connection.checked_at)

    def test_it_says_exactly_what_is_wrong(self):
        read_only = self.store.add_key("read")
        lesser = self.store.add_key(role="customer")
        cases = {
            "may read .* but not write": {
                "consumer_key": read_only.key,
                "secret": read_only.secret,
            },
            "may not do this": {"consumer_key": lesser.key, "secret": lesser.secret},
            "does not (accept|recognise) the API key": {"consumer_key": "ck_x", "secret": "cs_x"},
        }
        for words, given in cases.items():
            with self.subTest(words=words):
                self.connection.set_credentials(
                    {"consumer_key": given["consumer_key"], "consumer_secret": given["secret"]}
                )
                kind, message = self.test()
                self.assertEqual(kind, "danger")
                self.assertRegex(message, words)

    def test_an_address_where_nobody_listens(self):
        self.store.stop()
        kind, message = self.test()
        self.assertEqual(kind, "danger")
        self.assertIn("refuses connections: no web server is listening there.", message)

    def test_it_works_before_the_connection_is_live(self):
        connection = self.connection.copy({"name": "Another", "address": self.store.url})
        self.connect(connection)
        self.assertIn("Sandbox Store answers", self.test(connection)[1])
        self.assertEqual(connection.state, "draft")

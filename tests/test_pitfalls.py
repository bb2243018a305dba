"""What goes wrong in comparable software, one by one, and does not here.

The list is that of the project's pitfalls, 1 to 32. Where another file has the test already, it is
named here; a name that is no longer there fails.
"""

import base64
import hashlib
import hmac
import json
import re
import time
from datetime import datetime, timezone
from pathlib import Path
from unittest import TestCase

import psycopg2.errors
from lxml import etree
from odoo.tests import HttpCase, new_test_user, tagged, test_cursor

from ..engine import database
from .common import StoreCase

#: number -> where it is tested, ``file::test``; ``""``: in this file
COVERED = {
    1: ("", "test_worker::test_a_record_that_breaks_the_mapper_fails_alone"),
    2: ("", "test_health::test_a_failed_job_is_sent_again_by_one_click"),
    3: ("",),
    4: ("test_worker::test_a_job_that_kills_its_worker_each_time_comes_to_an_end",),
    5: ("test_health::test_the_first_error_is_not_overwritten",),
    6: ("", "test_health::test_the_connection_pauses_with_one_notice_and_burns_no_try"),
    7: ("",),
    8: (
        "test_invoice_flow::test_a_store_that_fails_after_the_work_gets_one_note",
        "test_worker::test_an_invoice_arrives_once_whatever_happens_to_the_answer",
    ),
    9: ("", "test_health::test_tries_come_to_an_end"),
    10: ("",),
    11: (
        "test_worker::test_retry_after_in_seconds_is_kept",
        "test_health::test_too_many_requests_cost_no_try",
        "test_store_limit::test_what_the_store_says_of_its_limit_holds_for_all_workers",
    ),
    12: ("",),
    13: ("test_worker::test_after_a_kill_the_log_says_unknown_and_the_next_try_is_sent",),
    14: ("test_worker::test_followers_go_on_when_the_one_before_is_cancelled",),
    15: (
        "test_health::test_a_refused_item_fails_at_once_and_alone",
        "test_health::test_a_product_deleted_in_the_store_is_missing",
    ),
    16: ("", "test_order_import::test_the_same_customer_is_made_once"),
    17: (
        "test_matching::test_the_stock_of_a_variant_goes_to_its_variation",
        "test_matching::test_reading_again_after_confirming_makes_nothing_double",
    ),
    18: ("test_inventory_rules::test_each_store_gets_the_stock_of_its_company",),
    19: ("test_health::test_a_product_deleted_in_the_store_is_missing",),
    20: ("",),
    21: ("",),
    22: (),  # no stock comes in: Odoo's counts
    23: ("", "test_order_import::test_an_empty_secret_refuses_everything"),
    24: (
        "test_invoice_flow::test_amounts_are_odoos_to_the_cent",
        "test_invoice_flow::test_prices_that_include_the_tax",
        "test_invoice_flow::test_a_foreign_currency_is_the_invoices_own",
    ),
    25: ("", "test_http_client::test_one_connection_serves_many_requests"),
    26: ("",),
    27: ("",),
    28: ("test_credentials::test_the_form_gives_no_secret",),
    29: ("test_neutralize::test_nothing_is_sent",),
    30: ("", "test_inventory_rules::test_nothing_is_remembered_as_sent"),
    31: ("test_security::test_a_commerce_user_resends_and_enqueues",),
    32: ("", "test_invoice_flow::test_the_log_holds_no_key_to_the_invoice"),
}


class TestTable(TestCase):
    def test_every_pitfall_has_its_test(self):
        self.assertEqual(sorted(COVERED), list(range(1, 33)))
        here = Path(__file__)
        for number, places in COVERED.items():
            for place in places:
                file, _, name = place.partition("::")
                text = (here.parent / f"{file or here.stem}.py").read_text()
                wanted = name or rf"test_{number:02}_\w+"
                with self.subTest(pitfall=number, place=place):
                    self.assertRegex(text, re.compile(rf"def {wanted}\("))


class PitfallCase(StoreCase):
    def make_bound(self, sku="MUG-B", quantity=7, **vals):
        product = self.make_product(sku, **vals)
        self.publish(product)
        self.set_stock(product, quantity)
        return product


class TestErrorsThatNobodySees(PitfallCase):
    def test_01_a_failed_exchange_never_ends_as_done_and_leaves_its_trace(self):
        self.connection.breaker_threshold = 1000
        for fault in ("down", "http_500_before", "http_500_after", "malformed", "reset"):
            with self.subTest(fault=fault):
                product = self.make_bound(f"MUG {fault}")
                self.store.fault(fault, times=1)
                self.drain()
                job = self.jobs(("res_id", "=", product.id))
                self.assertEqual(job.state, "pending")
                self.assertTrue(job.error_message)
                self.assertTrue(job.attempt_ids.error_message)

    def test_02_the_message_is_in_the_list_and_the_form_of_those_who_resend(self):
        user = new_test_user(self.env, "commerce user", "commerce_sync.group_user")
        jobs = self.env["commerce.job"].with_user(user)
        for kind in ("list", "form"):
            arch = etree.fromstring(jobs.get_view(view_type=kind)["arch"])
            with self.subTest(view=kind):
                shown = arch.xpath("//field[@name='error_message'][not(@column_invisible)]")
                self.assertTrue(shown)
        self.assertTrue(arch.xpath("//button[@name='action_resend_now']"))
        self.assertTrue(arch.xpath("//field[@name='error_hint']"))

    def test_06_the_chatter_is_not_flooded(self):
        connection = self.connection.with_context(tracking_disable=False)
        self.connection.breaker_threshold = 2
        self.make_bound()
        self.store.fault("down")
        for _time in range(8):
            self.drain()
            self.be_due()
        self.assertEqual(len(connection.activity_ids), 1)
        said = len(connection.message_ids)
        for _time in range(8):
            self.drain()
            self.be_due()
        self.assertEqual(len(connection.activity_ids), 1)
        self.assertEqual(len(connection.message_ids), said)

    def test_07_lists_open_filtered_and_hide_nothing_that_is_broken(self):
        product = self.make_bound()
        product.default_code = False
        self.drain()
        failed = self.jobs()
        for name in ("commerce_job_action", "commerce_job_action_failed"):
            with self.subTest(action=name):
                found = self.search_by_default(name)
                self.assertIn(failed, found)
        self.assertNotIn("commerce.job,", failed.display_name)
        self.connection.action_pause()
        for name in ("commerce_connection_action_overview", "commerce_connection_action"):
            with self.subTest(action=name):
                self.assertIn(self.connection, self.search_by_default(name))

    def search_by_default(self, action):
        """What a menu shows at first: its domain and default filters applied."""
        action = self.env["ir.actions.act_window"]._for_xml_id(f"commerce_sync.{action}")
        model = self.env[action["res_model"]]
        arch = etree.fromstring(model.get_view(view_type="search")["arch"])
        domain = json.loads((action["domain"] or "[]").replace("'", '"'))
        defaults = re.findall(r"'search_default_(\w+)'", action["context"] or "")
        for name in defaults:
            (found,) = arch.xpath(f"//filter[@name='{name}']")
            if found.get("domain"):
                text = found.get("domain").translate(str.maketrans("()'", '[]"'))
                domain += json.loads(text)
        return model.search([tuple(leaf) for leaf in domain])


class TestRetriesThatHurt(PitfallCase):
    def test_09_a_store_that_is_away_for_a_moment_fails_nothing(self):
        self.make_bound()
        self.store.stop()
        self.drain()
        self.assertEqual((self.jobs().state, self.jobs().attempts), ("pending", 1))
        self.store.start()
        self.be_due()
        self.drain()
        self.assertEqual(self.jobs().state, "done")

    def test_09_what_the_store_refuses_is_not_tried_again(self):
        product = self.make_bound()
        external_id = self.connection._bindings("variant", product)[product.id].external_id
        self.store.fault("bad_item", id=external_id)
        for _time in range(3):
            self.drain()
            self.be_due()
        self.assertEqual((self.jobs().state, self.jobs().tries), ("failed", 1))
        self.assertEqual(len(self.store.requests), 1)

    def test_10_sending_again_sends(self):
        product = self.make_bound()
        product.default_code = False
        self.drain()
        job = self.jobs()
        product.default_code = "MUG-B"
        what = (job.direction, job.operation, job.model, job.res_id)
        job.action_resend()
        self.drain()
        self.assertEqual(self.jobs(), job)
        self.assertEqual((job.direction, job.operation, job.model, job.res_id), what)
        self.assertEqual(job.direction, "out")
        self.assertEqual({entry.method for entry in self.store.requests}, {"POST"})

    def test_12_a_transaction_that_collides_again_and_again_is_given_up(self):
        tries = []

        def collide(_cr):
            tries.append(1)
            raise psycopg2.errors.SerializationFailure

        failure = psycopg2.errors.SerializationFailure
        with self.enter_registry_test_mode(), self.assertRaises(failure):
            database.transact(self.registry.cursor, collide)
        self.assertEqual(len(tries), database.MOST_TRIES)


class TestDoubles(PitfallCase):
    def test_16_the_database_keeps_one_binding_whoever_comes_second(self):
        product = self.make_bound()
        binding = self.env["commerce.binding"].search([])
        row = type("Row", (), {**binding.read()[0]})
        row.connection_id, row.company_id = self.connection.id, self.env.company.id
        row.parent_id = row.external_ref = row.handles = None
        binding._store(self.env.cr, [row])
        row.external_id = "4711"
        binding._store(self.env.cr, [row])
        self.assertEqual(self.env["commerce.binding"].search([]), binding)
        self.assertEqual(self.connection._bindings("variant", product)[product.id], binding)


@tagged("post_install", "-at_install")
class TestWebhooks(StoreCase, HttpCase):
    SECRET = "an invented secret"

    def setUp(self):
        super().setUp()
        self.env["commerce.flow"].create({"connection_id": self.connection.id, "kind": "order"})
        self.connection.set_credentials({"webhook_secret": self.SECRET})

    def post(self, body, secret=SECRET, signed=None, connection=None, **headers):
        """A webhook; its status."""
        digest = hmac.new(secret.encode(), signed or body, hashlib.sha256).digest()
        key = (connection or self.connection).webhook_key
        answer = self.url_open(
            f"/commerce_sync/webhook/{key}",
            data=body,
            headers={
                "X-WC-Webhook-Topic": "order.created",
                "X-WC-Webhook-Signature": base64.b64encode(digest).decode(),
                **headers,
            },
        )
        self.env.invalidate_all()
        return answer.status_code

    def events(self):
        return self.env["commerce.webhook.event"].search([])

    def test_03_a_received_webhook_shows_as_received(self):
        self.assertFalse(self.connection.last_event)
        self.assertEqual(self.post(b'{"id": 7}'), 200)
        self.assertTrue(self.connection.last_event)
        self.assertEqual(self.events().topic, "order.created")

    def test_20_the_same_message_under_another_delivery_id_is_the_same(self):
        for number in ("a", "b"):
            self.assertEqual(self.post(b'{"id": 7}', **{"X-WC-Webhook-Delivery-ID": number}), 200)
        self.assertEqual(len(self.events()), 1)

    def test_20_the_message_of_another_store_is_refused(self):
        other = self.connection.copy({"name": "Second Store"})
        other.set_credentials({"webhook_secret": "another secret"})
        self.assertEqual(self.post(b'{"id": 7}', connection=other), 401)
        self.assertFalse(self.events())
        self.assertNotEqual(other.webhook_key, self.connection.webhook_key)

    def test_21_two_orders_of_one_second_that_share_their_delivery_id_are_two(self):
        for body in (b'{"id": 7}', b'{"id": 8}'):
            self.assertEqual(self.post(body, **{"X-WC-Webhook-Delivery-ID": "same"}), 200)
        self.assertEqual(len(self.events()), 2)

    def test_23_the_signature_is_that_of_the_raw_body(self):
        raw = b'{ "id": 7,\n  "total": "10.00" }'
        again = json.dumps(json.loads(raw)).encode()
        self.assertEqual(self.post(raw, signed=again), 401)
        self.assertEqual(self.post(raw), 200)


class TestSpeed(PitfallCase):
    def test_25_many_changes_are_few_requests(self):
        products = self.env["product.product"]
        for number in range(150):
            products |= self.make_product(f"MUG-{number}")
        self.publish(products)
        for product in products:
            self.set_stock(product, 3)
        self.drain()
        self.assertEqual(set(self.jobs().mapped("state")), {"done"})
        self.assertEqual([entry.method for entry in self.store.requests], ["POST", "POST"])

    def test_26_no_transaction_is_open_while_the_store_is_asked(self):
        cursors, open_cursors = test_cursor.TestCursor._cursors_stack, []
        with self.enter_registry_test_mode(), self.registry.cursor():
            self.assertEqual(len(cursors), 1)  # so that is where they are

        def clock():  # asked by the store in the middle of each request
            deadline = time.monotonic() + 5
            # meanwhile the worker looks for more work, in short transactions
            while cursors and time.monotonic() < deadline:
                time.sleep(0.01)
            open_cursors.append(len(cursors))
            return datetime.now(timezone.utc)

        self.make_bound()
        self.store.clock = clock
        self.drain()
        self.assertEqual(self.jobs().state, "done")
        self.assertEqual(set(open_cursors), {0})

    def test_27_old_jobs_are_deleted_in_bounds_and_failed_ones_stay(self):
        done, failed, young = (self.make_bound(sku) for sku in ("DONE", "FAILED", "YOUNG"))
        failed.default_code = False
        self.drain()
        old = self.jobs(("res_id", "in", (done | failed).ids))
        for table, column in (("commerce_job", "finished_at"), ("commerce_attempt", "started_at")):
            key = "id" if table == "commerce_job" else "job_id"
            self.env.cr.execute(
                f"UPDATE {table} SET {column} = {column} - interval '91 days' WHERE {key} IN %s",
                [tuple(old.ids)],
            )
        self.assertEqual(self.env["commerce.job"]._gc_jobs(), (1, 0))
        self.assertEqual(self.env["commerce.attempt"]._gc_attempts(), (2, 0))
        self.env.invalidate_all()
        self.assertEqual(self.jobs().mapped("res_id"), (failed | young).ids)
        self.assertEqual(self.attempts().mapped("res_id"), young.ids)


class TestSafety(PitfallCase):
    def test_30_a_new_connection_sends_nothing_until_it_is_told_to(self):
        connection = self.env["commerce.connection"].create(
            {"name": "New", "platform": "woocommerce", "address": self.store.url}
        )
        self.assertTrue(connection.dry_run)
        self.assertEqual(connection.state, "draft")

    def test_32_what_is_kept_of_an_exchange_names_nobody(self):
        if not self.env.company.chart_template:
            self.env["account.chart.template"].try_loading(
                "generic_coa", self.env.company, install_demo=False
            )
        self.env["commerce.flow"].create({"connection_id": self.connection.id, "kind": "invoice"})
        person = self.env["res.partner"].create(
            {
                "name": "Ada Example",
                "email": "ada@shop.example",
                "phone": "+1 555 010 9999",
                "street": "12 Invented Road",
            }
        )
        product = self.make_product("MUG-B", invoice_policy="order")
        order = self.env["sale.order"].create(
            {
                "partner_id": person.id,
                "order_line": [(0, 0, {"product_id": product.id, "price_unit": 10})],
            }
        )
        order.action_confirm()
        placed = self.store.place_order({"billing": {"email": "ada@shop.example"}})
        self.env["commerce.binding"].create(
            {
                "connection_id": self.connection.id,
                "resource": "order",
                "model": "sale.order",
                "res_id": order.id,
                "external_id": str(placed["id"]),
            }
        )
        order._create_invoices().action_post()
        self.drain()
        self.assertEqual(self.jobs(("kind", "=", "invoice")).state, "done")
        self.env.flush_all()
        for table in ("commerce_job", "commerce_attempt", "commerce_sync_state"):
            self.env.cr.execute(f"SELECT {table}::text FROM {table}")
            kept = "\n".join(text for (text,) in self.env.cr.fetchall())
            for personal in ("Ada Example", "ada@shop.example", "555 010 9999", "Invented Road"):
                with self.subTest(table=table, personal=personal):
                    self.assertNotIn(personal, kept)

"""How the worker deals with what comes from outside: one transaction for each event, and a store
that may have to be asked before."""

import json
import time
from unittest.mock import patch

import psycopg2.errors
from odoo import fields
from odoo.tools import mute_logger

from ..adapters.base import Event
from ..adapters.woocommerce import WooCommerceAdapter
from ..mappers.order import OrderMapper
from .common import StoreCase


class ImporterCase(StoreCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.order_flow = cls.env["commerce.flow"].create(
            {"connection_id": cls.connection.id, "kind": "order", "retry_first_delay": 60}
        )

    def setUp(self):
        super().setUp()
        self.product = self.make_product("MUG-B", quantity=50)
        self.publish(self.product)
        self.flush()
        self.drain()
        self.store.journal.clear()

    def receive(self, count=1, **order):
        """Orders of the store arrive as events.

        :return: their jobs
        """
        for _number in range(count):
            placed = self.store.place_order({"line_items": [{"sku": "MUG-B", "quantity": 1}]})
            event = Event(
                identity=f"event of {placed['id']}",
                topic="order.created",
                kind="order",
                external_id=str(placed["id"]),
            )
            body = json.dumps({**placed, **order}).encode()
            self.env["commerce.webhook.event"]._take_in(self.connection, event, body)
        return self.order_jobs()

    def order_jobs(self):
        return self.jobs(("kind", "=", "order"))

    def order_attempts(self):
        return self.attempts(("kind", "=", "order"))

    def sales(self):
        return self.env["sale.order"].search([("client_order_ref", "!=", False)])

    def traffic(self):
        self.connection.invalidate_recordset()
        return self.connection.traffic_ids

    def asking(self):
        """An adapter that asks the store for each order before it can read it."""
        read = WooCommerceAdapter.read_event

        def ask(adapter, kind, body):
            adapter._api("GET", f"orders/{json.loads(body)['id']}")
            return read(adapter, kind, body)

        return patch.object(WooCommerceAdapter, "read_event", ask)


class TestImporter(ImporterCase):
    def test_one_bad_order_rolls_back_no_good_one(self):
        self.receive(1)
        self.receive(1, currency="no currency")
        self.receive(1)
        self.drain()
        self.assertEqual(self.order_jobs().mapped("state"), ["done", "failed", "done"])
        self.assertEqual(len(self.sales()), 2)

    def test_a_bug_fails_its_own_order_with_a_traceback(self):
        self.receive(2)
        apply, broken = OrderMapper.apply, self.order_jobs()[0].external_id

        def odd(mapper, document):
            if document.external_id == broken:
                raise ZeroDivisionError("a bug")
            return apply(mapper, document)

        with patch.object(OrderMapper, "apply", odd), mute_logger("odoo.addons.commerce_sync"):
            self.drain()
        self.assertEqual(self.order_jobs().mapped("state"), ["failed", "done"])
        self.assertIn("a bug", self.order_attempts()[0].traceback)

    def test_what_is_no_longer_kept_fails_in_words(self):
        self.receive(1)
        self.cr.execute("UPDATE commerce_webhook_event SET body = NULL")
        self.env.invalidate_all()
        self.drain()
        self.assertEqual(self.order_jobs().error_kind, "validation")

    def test_when_the_time_is_up_the_rest_goes_back_and_costs_nothing(self):
        """An import can take a second; a hundred of them must not keep the scheduler."""
        self.receive(6)
        apply = OrderMapper.apply

        def slow(mapper, document):
            time.sleep(0.4)
            return apply(mapper, document)

        started = time.monotonic()
        with patch.object(OrderMapper, "apply", slow):
            drained = self.drain(seconds=0.5)
        self.assertLess(time.monotonic() - started, 2.5)
        # the rest of the orders; and the stock that the imported ones reserved may be due as well
        self.assertGreaterEqual(drained.remaining, 1)
        states = self.order_jobs().mapped("state")
        self.assertEqual(set(states), {"done", "pending"})
        self.assertEqual(set(self.order_jobs().mapped("attempts")), {0})
        self.assertIn("not_sent", self.order_attempts().mapped("state"))
        self.drain()
        self.assertEqual(len(self.sales()), 6)

    def test_a_collision_that_does_not_end_costs_its_own_order_a_try(self):
        self.receive(2)
        apply, busy = OrderMapper.apply, self.order_jobs()[0].external_id

        def collides(mapper, document):
            if document.external_id == busy:
                raise psycopg2.errors.SerializationFailure
            return apply(mapper, document)

        with patch.object(OrderMapper, "apply", collides):
            self.drain()
        first, second = self.order_jobs()
        self.assertEqual((first.state, second.state), ("pending", "done"))
        self.assertEqual((first.error_kind, first.attempts), ("temporary", 1))
        self.assertFalse(self.traffic().failures)

    def test_who_lost_the_job_meanwhile_leaves_nothing_behind(self):
        self.receive(1)
        apply = OrderMapper.apply

        def lose(mapper, document):
            found = apply(mapper, document)
            mapper.env.cr.execute("UPDATE commerce_job SET worker = 'other/1' WHERE kind = 'order'")
            return found

        with patch.object(OrderMapper, "apply", lose):
            self.assertEqual(self.drain().done, 0)
        self.assertFalse(self.sales())


class TestAskingTheStore(ImporterCase):
    """The way to the store matters for imports as it does for exports."""

    def test_refused_credentials_pause_the_connection_after_one_question(self):
        self.receive(3)
        self.store.fault("unauthorized")
        with self.asking():
            self.drain()
        self.assertEqual(len(self.store.requests), 1)
        self.assertEqual(self.connection.pause_kind, "authentication")
        self.assertEqual(set(self.order_jobs().mapped("state")), {"pending"})
        self.assertEqual(set(self.order_jobs().mapped("attempts")), {0})

    def test_a_store_that_asks_for_patience_is_left_alone(self):
        self.receive(3)
        self.store.fault("rate_limit", times=1, retry_after=90)
        with self.asking():
            self.drain()
        self.assertEqual(len(self.store.requests), 1)
        wait = (self.traffic().blocked_until - fields.Datetime.now()).total_seconds()
        self.assertGreater(wait, 80)
        self.assertEqual(set(self.order_jobs().mapped("attempts")), {0})

    def test_a_store_that_is_down_opens_the_breaker(self):
        self.connection.breaker_threshold = 2
        self.receive(5)
        self.store.fault("http_500_before")
        with self.asking():
            self.drain()
        self.assertEqual(len(self.store.requests), 2)
        self.assertTrue(self.traffic().open_since)
        self.assertEqual(sorted(self.order_jobs().mapped("attempts")), [0, 0, 0, 1, 1])

    def test_a_probe_that_asked_nobody_keeps_no_other_waiting(self):
        self.receive(2)
        self.cr.execute(
            "UPDATE commerce_traffic SET open_since = now() - interval '1 hour', failures = 9,"
            " probe_at = now() - interval '1 hour'"
        )
        self.env.invalidate_all()
        self.drain()
        self.assertEqual(set(self.order_jobs().mapped("state")), {"done"})
        self.assertTrue(self.traffic().open_since)

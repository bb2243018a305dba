"""The same event from many sides at once: what commits really do to each other."""

import json

import requests
from odoo import SUPERUSER_ID, api
from odoo.tools import mute_logger
from werkzeug.datastructures import Headers

from ..engine.database import read_committed
from ..sandbox.woo.webhooks import signature
from .clone import Background, CloneCase

SECRET = "a secret for tests only"


class TestIntakeConcurrency(CloneCase):
    def setUp(self):
        super().setUp()
        with self.committed() as env:
            self.connection.set_credentials({"webhook_secret": SECRET})
            self.order_flow_id = (
                env["commerce.flow"]
                .create({"connection_id": self.connection_id, "kind": "order"})
                .id
            )
            product = self.make_product(f"MUG-{self.connection_id}", 50)
            self.publish(product)
        # each test's store begins to count anew, in one database
        [(self.newest,)] = self.query("SELECT COALESCE(max(id), 0) FROM sale_order")
        line = {"sku": f"MUG-{self.connection_id}", "quantity": 1}
        self.placed = self.store.place_order({"line_items": [line]})
        self.body = json.dumps(self.placed).encode()

    def receive(self, body=None, topic="order.created"):
        """What the controller does with one delivery, in a transaction of its own."""
        body = body or self.body
        headers = Headers(
            {"X-WC-Webhook-Signature": signature(body, SECRET), "X-WC-Webhook-Topic": topic}
        )
        with self.registry.cursor() as cr:
            read_committed(cr)
            connections = api.Environment(cr, SUPERUSER_ID, {})["commerce.connection"]
            intakes = connections._get_intakes().values()
            [intake] = [one for one in intakes if one.connection_id == self.connection_id]
            return connections.browse(self.connection_id)._receive(intake, headers, body)

    def poll(self):
        with self.registry.cursor() as cr:
            flow = api.Environment(cr, SUPERUSER_ID, {})["commerce.flow"].browse(self.order_flow_id)
            return flow._poll_all(cr.commit)

    def sales(self):
        return self.query(
            """SELECT sale.id FROM sale_order AS sale
                 JOIN commerce_binding AS binding ON binding.res_id = sale.id
                  AND binding.resource = 'order' AND binding.connection_id = %s""",
            self.connection_id,
        )

    def all_orders(self):
        return self.query(
            "SELECT id FROM sale_order WHERE client_order_ref = %s AND id > %s",
            self.placed["number"],
            self.newest,
        )

    def drain_from_two_sides(self):
        with mute_logger("odoo.sql_db"):
            lanes = [Background(self.drain) for _lane in range(2)]
            for lane in lanes:
                lane.result(60)

    def test_the_same_webhook_twenty_times_from_eight_sides_makes_one_order(self):
        def twenty():
            return [self.receive() for _number in range(20)]

        with mute_logger("odoo.sql_db"):
            sides = [Background(twenty) for _side in range(8)]
            statuses = {status for side in sides for status in side.result(60)}
        self.assertEqual(statuses, {200})
        [(events,)] = self.query(
            "SELECT count(*) FROM commerce_webhook_event WHERE connection_id = %s",
            self.connection_id,
        )
        self.assertEqual(events, 1)
        self.drain_from_two_sides()
        self.assertEqual((len(self.sales()), len(self.all_orders())), (1, 1))

    def test_webhook_and_poll_at_the_same_moment_make_one_order(self):
        sides = [Background(self.receive), Background(self.poll)]
        for side in sides:
            side.result(60)
        self.drain_from_two_sides()
        self.assertEqual((len(self.sales()), len(self.all_orders())), (1, 1))

    def test_an_update_that_comes_first_makes_the_order_and_the_creation_changes_nothing(self):
        self.receive(self.body, topic="order.updated")
        self.receive(self.body, topic="order.created")
        self.drain()
        self.assertEqual(len(self.all_orders()), 1)
        self.assertEqual({state for (state,) in self.jobs("state")}, {"done"})

    def test_two_orders_of_one_second_are_two(self):
        line = {"sku": f"MUG-{self.connection_id}", "quantity": 1}
        other = self.store.place_order({"line_items": [line]})
        self.receive()
        self.receive(json.dumps(other).encode())
        self.drain()
        self.assertEqual(len(self.sales()), 2)

    def test_a_creation_that_comes_after_the_deletion_makes_nothing(self):
        self.store_delete_order()
        self.receive(json.dumps({"id": self.placed["id"]}).encode(), topic="order.deleted")
        self.receive()
        self.drain()
        self.assertFalse(self.all_orders())
        states = self.jobs("state", "outcome", "error_message")
        self.assertEqual({state for state, *_ in states if state != "done"}, set(), states)

    def store_delete_order(self):
        requests.delete(
            f"{self.store.url}/wp-json/wc/v3/orders/{self.placed['id']}",
            auth=(self.store.key, self.store.secret),
            timeout=10,
        ).raise_for_status()

import requests
from odoo.tests import HttpCase

from ..sandbox.woo.webhooks import signature
from .common import StoreCase

SECRET = "a secret for tests only"


class OrderCase(StoreCase, HttpCase):
    """A store that tells Odoo of its orders by signed webhooks."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.order_flow = cls.env["commerce.flow"].create(
            {"connection_id": cls.connection.id, "kind": "order"}
        )
        cls.connection.set_credentials({"webhook_secret": SECRET})

    def setUp(self):
        super().setUp()
        self.webhook_path = f"/commerce_sync/webhook/{self.connection.webhook_key}"
        self.product = self.make_product("MUG-B", quantity=5)
        self.publish(self.product)
        self.subscribe("order.created")

    def subscribe(self, topic):
        self.store_send(
            "POST",
            "webhooks",
            {
                "name": topic,
                "topic": topic,
                "secret": SECRET,
                "delivery_url": self.base_url() + self.webhook_path,
            },
        )

    def store_send(self, method, path, body):
        answer = requests.request(
            method,
            f"{self.store.url}/wp-json/wc/v3/{path}",
            json=body,
            auth=(self.store.key, self.store.secret),
            timeout=20,
        )
        answer.raise_for_status()
        return answer.json()

    def place_order(self, **order):
        """An order is placed in the store, Odoo is told, and the queue is drained."""
        line = {"sku": "MUG-B", "quantity": 2}
        with self.allow_requests(all_requests=True):
            placed = self.store.place_order({"line_items": [line], **order})
            self.store.wait_for_webhooks()
        self.drain()
        return placed

    def change_order(self, order, **changes):
        with self.allow_requests(all_requests=True):
            changed = self.store_send("PUT", f"orders/{order['id']}", changes)
            self.store.wait_for_webhooks()
        self.drain()
        return changed

    def sales(self, order):
        return self.env["sale.order"].search([("client_order_ref", "=", str(order["number"]))])

    def post(self, body, **headers):
        return self.url_open(self.webhook_path, data=body, headers=headers)

    def signed(self, body, secret=SECRET, topic="order.updated"):
        return {
            "X-WC-Webhook-Signature": signature(body, secret),
            "X-WC-Webhook-Topic": topic,
            "Content-Type": "application/json",
        }

    def events(self):
        return self.env["commerce.webhook.event"].search([])


class TestOrderImport(OrderCase):
    def test_an_order_of_the_store_becomes_a_sales_order_once(self):
        order = self.place_order()
        sale = self.sales(order)
        self.assertEqual(len(sale), 1, self.jobs().mapped("error_message"))
        self.assertEqual(f"{sale.amount_total:.2f}", order["total"])
        self.assertEqual(sale.order_line[0].product_id, self.product)
        binding = self.connection._bindings("order", sale)[sale.id]
        self.assertEqual(binding.external_id, str(order["id"]))

    def test_each_line_is_bound_to_the_line_of_the_store(self):
        order = self.place_order(
            shipping_lines=[{"method_id": "flat_rate", "method_title": "Flat", "total": "5.00"}]
        )
        lines = self.sales(order).order_line
        bindings = self.connection._bindings("order_line", lines)
        self.assertEqual(
            [bindings[line.id].external_id for line in lines],
            [
                str(order["line_items"][0]["id"]),
                f"shipping:{order['shipping_lines'][0]['id']}",
            ],
        )
        self.assertEqual(bindings[lines[0].id].parent_id, str(order["id"]))

    def test_a_second_event_of_the_same_order_makes_no_second_one(self):
        self.subscribe("order.updated")
        order = self.place_order()
        before = len(self.events())
        self.change_order(order, customer_note="Leave it at the door.")
        self.assertEqual(len(self.sales(order)), 1)
        self.assertGreater(len(self.events()), before)
        self.assertEqual(set(self.jobs(("kind", "=", "order")).mapped("state")), {"done"})

    def test_an_unknown_product_fails_that_order_in_words(self):
        self.env["commerce.binding"].search([]).unlink()
        self.product.default_code = "OTHER"
        order = self.place_order()
        self.assertFalse(self.sales(order))
        job = self.jobs(("kind", "=", "order"))
        self.assertEqual((job.state, job.error_kind), ("failed", "validation"))
        self.assertEqual(
            job.error_message,
            f"Cannot import order #{order['number']} from Demo Store: line 1 'Product MUG-B' has "
            "SKU MUG-B, which no product in Odoo has.",
        )
        self.product.default_code = "MUG-B"
        job.action_resend()
        self.drain()
        self.assertEqual(len(self.sales(order)), 1)

    def test_the_same_customer_is_made_once(self):
        first, second = self.place_order(), self.place_order()
        if first["billing"]["email"] == second["billing"]["email"]:
            self.assertEqual(self.sales(first).partner_id, self.sales(second).partner_id)
        emails = {order["billing"]["email"] for order in (first, second)}
        partners = self.env["res.partner"].search([("email", "in", list(emails))])
        self.assertEqual(len(partners.filtered(lambda one: not one.parent_id)), len(emails))

    def test_an_order_cancelled_in_the_store_is_cancelled_here(self):
        self.subscribe("order.updated")
        order = self.place_order()
        self.change_order(order, status="cancelled")
        self.assertEqual(self.sales(order).state, "cancel")


class TestIntake(OrderCase):
    def test_a_wrong_signature_is_refused_and_counted(self):
        answer = self.post(b'{"id": 1}', **{"X-WC-Webhook-Signature": "bm9uZQ=="})
        self.assertEqual((answer.status_code, answer.text), (401, ""))
        self.connection.invalidate_recordset()
        self.assertEqual(self.connection.refused_count, 1)
        self.assertFalse(self.events())

    def test_an_unsigned_ping_is_answered_and_forgotten(self):
        self.assertEqual(self.post(b"webhook_id=17").status_code, 200)
        self.assertFalse(self.events())

    def test_an_empty_secret_refuses_everything(self):
        self.env.cr.execute("UPDATE commerce_credential SET storage = 'none', secret = NULL")
        self.env.invalidate_all()
        self.assertEqual(self.post(b"{}").status_code, 401)

    def test_an_unknown_connection_is_not_found(self):
        answer = self.url_open("/commerce_sync/webhook/none-of-ours", data=b"{}")
        self.assertEqual(answer.status_code, 404)

    def test_only_post_is_allowed(self):
        self.assertEqual(self.url_open(self.webhook_path).status_code, 405)

    def test_too_large_a_body_is_refused(self):
        self.assertEqual(self.post(b"x" * (5 * 1024 * 1024 + 1)).status_code, 413)

    def test_refusals_are_said_in_words_and_forgotten_on_request(self):
        for _number in range(2):
            self.post(b"{}", **{"X-WC-Webhook-Signature": "bm9uZQ=="})
        self.connection.invalidate_recordset()
        self.assertIn("2 webhooks refused since", self.connection.refused_message)
        self.assertIn("Is the webhook secret right?", self.connection.refused_message)
        self.connection.action_forget_refusals()
        self.connection.invalidate_recordset()
        self.assertFalse(self.connection.refused_message)

    def test_during_rotation_both_secrets_are_believed(self):
        self.connection.set_credentials({"webhook_secret": "the next secret"})
        for number, secret in enumerate((SECRET, "the next secret")):
            body = b'{"id": %d}' % number
            self.assertEqual(self.post(body, **self.signed(body, secret)).status_code, 200)
        self.connection.action_forget_previous_secret()
        body = b'{"id": 3}'
        self.assertEqual(self.post(body, **self.signed(body)).status_code, 401)
        self.assertEqual(len(self.events()), 2)

    def test_the_secret_before_expires(self):
        self.connection.set_credentials({"webhook_secret": "the next secret"})
        self.env["commerce.credential"].flush_model()
        self.cr.execute("UPDATE commerce_credential SET previous_until = now() - interval '1 day'")
        self.env.registry.clear_cache()
        self.assertEqual(self.post(b"{}", **self.signed(b"{}")).status_code, 401)

    def test_what_is_signed_but_not_understood_is_kept(self):
        for body in (b"", b"[]", b"\xff\xfe", b"[" * 100_000, b"9" * 10_000):
            answer = self.post(body or b" ", **self.signed(body or b" "))
            self.assertEqual((answer.status_code, answer.text), (200, ""))
        self.assertEqual(len(self.events().filtered("problem")), 5)
        self.assertFalse(self.jobs(("kind", "=", "order")))

    def test_odd_values_do_not_lose_the_event(self):
        for number, value in enumerate(('"a\\u0000b"', '"\\ud800"', '{"x": 1}', "1e400", "[1]")):
            body = f'{{"id": {value}, "date_modified_gmt": {number}}}'.encode()
            topic = "order.updated\u00e9"
            answer = self.post(body, **self.signed(body, topic=topic))
            self.assertEqual((answer.status_code, answer.text), (200, ""))
        self.assertEqual(len(self.events()), 5)

    def test_the_same_event_is_kept_once(self):
        body = b'{"id": 7}'
        for _number in range(3):
            self.assertEqual(self.post(body, **self.signed(body)).status_code, 200)
        self.assertEqual(len(self.events()), 1)

    def test_a_form_that_is_signed_is_read_byte_for_byte(self):
        body = b'{"id": 7}'
        headers = self.signed(body) | {"Content-Type": "application/x-www-form-urlencoded"}
        self.assertEqual(self.post(body, **headers).status_code, 200)
        self.assertEqual(self.events().external_id, "7")

    def test_what_no_flow_wanted_can_be_processed_later(self):
        self.order_flow.active = False
        body = b'{"id": 7}'
        self.assertEqual(self.post(body, **self.signed(body)).status_code, 200)
        self.assertEqual(self.events().action_replay(), 0)
        self.order_flow.active = True
        self.assertEqual(self.events().action_replay(), 1)
        self.assertEqual(len(self.jobs(("kind", "=", "order"))), 1)

    def test_a_paused_connection_keeps_what_comes(self):
        self.connection.action_pause()
        body = b'{"id": 7}'
        self.assertEqual(self.post(body, **self.signed(body)).status_code, 200)
        self.assertEqual(len(self.events()), 1)

    def test_an_archived_connection_and_a_copy_are_not_found(self):
        self.connection.active = False
        self.assertEqual(self.post(b"{}").status_code, 404)
        self.connection.write({"active": True, "pause_kind": "neutralized"})
        self.assertEqual(self.post(b"{}").status_code, 404)

    def test_a_flood_is_asked_to_come_later(self):
        self.connection.webhook_rate = 1
        body = b'{"id": 7}'
        statuses = [self.post(body, **self.signed(body)).status_code for _number in range(22)]
        self.assertEqual(statuses[0], 200)
        self.assertEqual(statuses[-1], 429)

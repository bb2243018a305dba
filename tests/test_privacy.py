"""Personal data: found, handed out, forgotten."""

import json

from .test_order_import import OrderCase


class TestPrivacy(OrderCase):
    def setUp(self):
        super().setUp()
        self.order = self.place_order()
        self.sale = self.sales(self.order)
        self.email = self.order["billing"]["email"]

    def heed(self, topic, **message):
        self.connection._heed_privacy(topic, json.dumps(message).encode())

    def customer_bindings(self):
        return self.env["commerce.binding"].search(
            [("connection_id", "=", self.connection.id), ("resource", "=", "customer")]
        )

    def test_a_data_request_tells_staff_what_is_held(self):
        self.heed("customers/data_request", customer={"email": self.email})
        note = self.connection.activity_ids.note
        self.assertIn(self.sale.partner_id.display_name, note)
        self.assertIn(self.sale.name, note)
        self.assertTrue(self.events().mapped("body"))

    def test_a_customer_is_forgotten_but_for_odoos_own_records(self):
        self.heed(
            "customers/redact",
            customer={"email": self.email},
            orders_to_redact=[self.order["id"]],
        )
        self.env.invalidate_all()
        self.assertFalse(any(self.events().mapped("body")))
        self.assertTrue(all(self.events().mapped("wiped_at")))
        attempts = self.attempts(("kind", "=", "order"))
        self.assertFalse(any(attempts.mapped("request_summary")))
        self.assertFalse(self.customer_bindings())
        self.assertTrue(self.sale.exists() and self.sale.partner_id.exists())
        self.assertIn(self.sale.name, self.connection.activity_ids.note)

    def test_a_shop_is_forgotten(self):
        self.heed("shop/redact")
        self.env.invalidate_all()
        self.assertFalse(any(self.events().mapped("body")))
        self.assertFalse(self.customer_bindings())
        self.assertTrue(self.connection.activity_ids)

    def test_a_person_can_ask_for_it(self):
        wizard = self.env["commerce.privacy"].create(
            {"connection_id": self.connection.id, "email": self.email}
        )
        wizard.action_wipe()
        self.env.invalidate_all()
        self.assertFalse(any(self.events().mapped("body")))

    def test_nonsense_is_survived(self):
        for body in (b"", b"[]", b'{"customer": 3}', b'{"orders_to_redact": 1}'):
            self.connection._heed_privacy("customers/redact", body)

    def test_old_messages_are_wiped_unless_their_job_needs_them(self):
        self.env.flush_all()
        self.cr.execute("UPDATE commerce_webhook_event SET received_at = now() - interval '1 year'")
        self.cr.execute("UPDATE commerce_job SET state = 'failed' WHERE kind = 'order'")
        self.env.invalidate_all()
        events = self.env["commerce.webhook.event"]
        self.assertEqual(events._gc_bodies(), (0, 0))
        self.cr.execute("UPDATE commerce_job SET state = 'done' WHERE kind = 'order'")
        self.env.invalidate_all()
        self.assertGreater(events._gc_bodies()[0], 0)
        self.assertFalse(any(self.events().mapped("body")))

"""Looking for what webhooks missed."""

from datetime import timedelta

from odoo import fields

from .test_order_import import OrderCase


class TestPoll(OrderCase):
    def look(self):
        with self.allow_requests(all_requests=True):
            found = self.order_flow._poll_all(lambda: None)
        self.env.invalidate_all()
        self.drain()
        return found

    def missed_order(self):
        """An order whose webhook never came."""
        for webhook in self.store_get("webhooks"):
            self.store_send("PUT", f"webhooks/{webhook['id']}", {"status": "paused"})
        return self.place_order()

    def test_a_missed_order_is_found_and_counted(self):
        order = self.missed_order()
        self.assertFalse(self.sales(order))
        self.assertEqual(self.look(), 1)
        self.assertEqual(len(self.sales(order)), 1, self.jobs().mapped("error_message"))
        self.assertEqual(self.order_flow.poll_found, 1)
        self.assertEqual(self.events().mapped("source"), ["poll"])

    def test_what_a_webhook_brought_is_not_found_again(self):
        order = self.place_order()
        self.assertEqual(self.look(), 0)
        self.assertEqual(len(self.sales(order)), 1)

    def test_a_second_look_finds_nothing(self):
        self.missed_order()
        self.look()
        self.assertEqual(self.look(), 0)
        self.assertEqual(len(self.events()), 1)

    def test_a_store_that_does_not_answer_is_said_and_asked_again(self):
        order = self.missed_order()
        self.store.fault("http_500_before", times=10)
        self.assertEqual(self.look(), 0)
        self.assertTrue(self.order_flow.poll_error)
        self.assertFalse(self.order_flow.poll_since)
        self.store.clear_faults()
        self.assertEqual(self.look(), 1)
        self.assertFalse(self.order_flow.poll_error)
        self.be_due()
        self.drain()
        self.assertEqual(len(self.sales(order)), 1)

    def test_a_look_overlaps_with_the_one_before(self):
        self.look()
        self.order_flow.poll_since = fields.Datetime.now() + timedelta(minutes=5)
        self.missed_order()
        self.assertEqual(self.look(), 1)

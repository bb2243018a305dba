"""An order cancelled in Odoo is cancelled in the store: once, in words if not, and never back."""

import pytest

from ..sandbox import faults
from .shopify_case import ShopifyCase
from .test_invoice_flow import InvoiceCase
from .test_order_import import OrderCase
from .test_shipments import Deliveries

STATUS = ("kind", "=", "order_status")


class TestStatusToWooCommerce(InvoiceCase):
    def setUp(self):
        super().setUp()
        self.invoice_flow.active = False
        self.flow = self.env["commerce.flow"].create(
            {
                "connection_id": self.connection.id,
                "kind": "order_status",
                "order_status_tags": "odoo, sold out, odoo",
                "order_status_reason": "inventory",
            }
        )
        self.sale, self.there = self.make_order()

    def status(self):
        return self.store_get(f"orders/{self.there}")["status"]

    def test_a_cancelled_order_is_cancelled_with_note_and_marks(self):
        self.sale._action_cancel()
        self.drain()
        [job] = self.jobs(STATUS)
        self.assertEqual((job.state, job.outcome, job.error_message), ("done", "updated", False))
        self.assertEqual(self.status(), "cancelled")
        marks = {"tags": ["odoo", "sold out"], "reason": "inventory"}
        self.assertEqual(self.fields_of(self.there)["_commerce_sync_status"], marks)
        self.assertEqual(len(self.notes(self.there, self.sale.name)), 1)

    def test_it_can_be_marked_only(self):
        self.flow.order_status_cancel = False
        self.sale._action_cancel()
        self.drain()
        self.assertEqual(self.status(), "processing")
        self.assertEqual(len(self.notes(self.there, self.sale.name)), 1)

    def test_what_was_cancelled_there_too_needs_no_second_note(self):
        self.sale._action_cancel()
        self.drain()
        self.sale.action_commerce_send()
        self.drain()
        self.assertEqual(self.jobs(STATUS)[-1].outcome, "unchanged")
        self.assertEqual(len(self.notes(self.there, self.sale.name)), 1)

    def test_an_order_that_is_completed_there_fails_in_words(self):
        order = self.store.store.get("order", self.there)
        self.store.store.put("order", {**order, "status": "completed"})
        self.sale._action_cancel()
        self.drain()
        [job] = self.jobs(STATUS)
        self.assertEqual((job.state, job.error_kind), ("failed", "rejected"))
        self.assertIn(f"Order {self.sale.name} cannot be cancelled", job.error_message)
        self.assertEqual(self.status(), "completed")

    def test_a_note_that_arrived_before_the_line_broke_is_not_written_twice(self):
        rule = {"kind": "reset", "path": "/notes", "method": "POST", "times": 1}
        self.store.faults.add(faults.Rule(**rule))
        self.sale._action_cancel()
        self.drain()
        self.be_due()
        self.drain()
        self.assertEqual(self.jobs(STATUS).state, "done")
        self.assertEqual(len(self.notes(self.there, self.sale.name)), 1)

    def test_an_order_outside_of_the_domain_or_of_no_store_is_not_sent(self):
        other, _number = self.make_order(bound=False)
        self.flow.domain = f"[('id', '!=', {self.sale.id})]"
        (self.sale + other)._action_cancel()
        self.drain()
        self.assertFalse(self.jobs(STATUS))


class TestEcho(OrderCase):
    def setUp(self):
        super().setUp()
        self.subscribe("order.updated")
        self.env["commerce.flow"].create(
            {"connection_id": self.connection.id, "kind": "order_status"}
        )

    def test_a_cancellation_that_came_from_the_store_is_not_sent_back(self):
        item = {"sku": "MUG-B", "quantity": 1, "subtotal": "10.00", "total": "10.00"}
        order = self.place_order(line_items=[item], set_paid=True)
        self.change_order(order, status="cancelled")
        self.assertEqual(self.sales(order).state, "cancel")
        self.drain()
        self.assertFalse(self.jobs(STATUS))


@pytest.mark.node
class TestStatusToShopify(Deliveries, ShopifyCase):
    def setUp(self):
        super().setUp()
        self.flow = self.add_flow(
            "order_status", order_status_tags="odoo", order_status_reason="customer"
        )
        self.cup = self.make_product("CUP", 10)
        self.sale, self.there = self.order_there(self.publish_there(self.cup), self.cup, 3)

    def order(self):
        return self.shop.store.get("order", self.there)

    def test_a_cancelled_order_is_cancelled_with_tags_and_note(self):
        self.sale._action_cancel()
        self.drain()
        [job] = self.jobs(STATUS)
        self.assertEqual((job.state, job.outcome, job.error_message), ("done", "updated", False))
        order = self.order()
        self.assertTrue(order["cancelledAt"])
        self.assertEqual((order["cancelReason"], order["tags"]), ("CUSTOMER", ["odoo"]))
        self.assertIn(self.sale.name, order["note"])
        self.assertIn(self.sale.name, order["staffNote"])
        self.assertEqual(order["refunded"], "0.00")

    def test_a_cancellation_whose_answer_was_lost_is_not_repeated(self):
        rule = {"kind": "reset", "path": "orderCancel", "times": 1}
        self.shop.faults.add(faults.Rule(**rule))
        self.sale._action_cancel()
        self.drain()
        self.be_due()
        self.drain()
        self.assertEqual(self.jobs(STATUS).state, "done")
        self.assertEqual(self.order()["tags"], ["odoo"])

    def test_an_order_that_was_shipped_there_fails_in_words(self):
        order = self.order()
        for row in self.shop.store.find("fulfillmentOrder"):
            row["lines"][0]["remainingQuantity"] = 0
            self.shop.store.put("fulfillmentOrder", row)
        self.sale._action_cancel()
        self.drain()
        [job] = self.jobs(STATUS)
        self.assertEqual((job.state, job.error_kind), ("failed", "rejected"))
        self.assertIn(self.sale.name, job.error_message)
        self.assertFalse(order["cancelledAt"])

    def test_a_tag_that_is_too_long_for_the_store_is_never_sent(self):
        self.flow.order_status_tags = "x" * 41
        self.sale._action_cancel()
        self.drain()
        [job] = self.jobs(STATUS)
        self.assertEqual((job.state, job.error_kind), ("failed", "validation"))
        self.assertFalse(self.order()["cancelledAt"])

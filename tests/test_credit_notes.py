"""Credit notes reach the store; a refund is made there once, whatever the network does."""

import pytest

from ..adapters.shopify import ShopifyAdapter
from ..adapters.woocommerce import WooCommerceAdapter
from ..sandbox import faults
from .shopify_case import ShopifyCase
from .test_invoice_flow import InvoiceCase


class CreditNotes:
    def credit(self, invoice, quantity=None):
        """The posted credit note of an invoice, of all of it or of some pieces."""
        wizard = self.env["account.move.reversal"].with_context(
            active_model="account.move", active_ids=invoice.ids
        )
        values = {"journal_id": invoice.journal_id.id, "reason": "Came back"}
        note = invoice.browse(wizard.create(values).reverse_moves()["res_id"])
        if quantity:
            note.invoice_line_ids.quantity = quantity
        note.action_post()
        return note

    def note_job(self):
        return self.jobs(("kind", "=", "credit_note"))


class TestCreditNotesToWooCommerce(CreditNotes, InvoiceCase):
    def setUp(self):
        super().setUp()
        self.flow = self.env["commerce.flow"].create(
            {
                "connection_id": self.connection.id,
                "kind": "credit_note",
                "credit_note_refund": "pay",
            }
        )
        [goods] = self.store.seed({"products": [{"name": "Mug", "regular_price": "10.00"}]})[
            "products"
        ]
        lines = [{"product_id": goods["id"], "quantity": 3}]
        self.sale, _ = self.make_order((self.mug, 3, 10, 0), bound=False)
        self.sale.order_line.tax_ids = False
        [self.there] = self.store.seed({"orders": [{"status": "processing", "line_items": lines}]})[
            "orders"
        ]
        self.bind(self.sale, self.there)
        self.bought = self.store_get(f"orders/{self.there}")["line_items"][0]
        self.env["commerce.binding"].create(
            {
                "connection_id": self.connection.id,
                "resource": "order_line",
                "model": "sale.order.line",
                "res_id": self.sale.order_line.id,
                "external_id": str(self.bought["id"]),
            }
        )
        self.move = self.invoice(self.sale)
        self.drain()

    def refunds(self):
        return self.store_get(f"orders/{self.there}/refunds")

    def break_line(self, kind, path="/refunds"):
        rule = {"kind": kind, "path": path, "method": "POST", "times": 1}
        self.store.faults.add(faults.Rule(**rule))

    def test_a_part_is_refunded_by_line(self):
        note = self.credit(self.move, quantity=1)
        self.drain()
        job = self.note_job()
        self.assertEqual((job.state, job.error_message), ("done", False))
        [refund] = self.refunds()
        self.assertEqual((refund["amount"], refund["refunded_payment"]), ("10.00", True))
        self.assertEqual(refund["line_items"][0]["quantity"], -1)
        self.assertIn(f"_commerce_sync_credit_note:{note.name}", self.fields_of(self.there))
        bound = self.env["commerce.binding"].search([("resource", "=", "refund")])
        self.assertEqual((bound.res_id, bound.external_id), (note.id, str(refund["id"])))

    def test_a_refund_whose_answer_was_lost_is_not_paid_twice(self):
        self.break_line("reset")
        self.credit(self.move, quantity=1)
        self.drain()
        self.be_due()
        self.drain()
        self.assertEqual(self.note_job().state, "done")
        self.assertEqual(len(self.refunds()), 1)

    def test_a_refund_that_may_still_be_under_way_is_waited_for(self):
        self.break_line("http_500_before")
        self.credit(self.move, quantity=1)
        self.drain()
        self.be_due()
        self.drain()
        job = self.note_job()
        self.assertEqual((job.state, job.error_code), ("pending", "refund_uncertain"))
        self.patch(WooCommerceAdapter, "refund_quiet", 0)
        self.be_due()
        self.drain()
        self.assertEqual(self.note_job().state, "done")
        self.assertEqual(len(self.refunds()), 1)

    def test_a_refund_stays_made_when_the_note_after_it_fails(self):
        self.break_line("http_500_before", "/notes")
        self.credit(self.move, quantity=1)
        self.drain()
        self.assertEqual(len(self.refunds()), 1)
        self.be_due()
        self.drain()
        self.assertEqual(self.note_job().state, "done")
        self.assertEqual(len(self.refunds()), 1)

    def test_sending_again_by_hand_pays_nothing(self):
        self.credit(self.move, quantity=1)
        self.drain()
        self.note_job().action_resend()
        self.drain()
        self.assertEqual(len(self.refunds()), 1)

    def test_a_refund_of_the_store_is_never_sent_back(self):
        self.flow.trigger = "manual"
        note = self.credit(self.move, quantity=1)
        self.env["commerce.binding"].create(
            {
                "connection_id": self.connection.id,
                "resource": "refund",
                "model": "account.move",
                "res_id": note.id,
                "external_id": "4711",
            }
        )
        note.action_commerce_send()
        self.drain()
        self.assertEqual(self.note_job().state, "done")
        self.assertFalse(self.refunds())

    def test_more_than_is_left_of_the_order_is_refused_in_words(self):
        self.move.button_draft()
        self.move.invoice_line_ids.price_unit = 50
        self.move.action_post()
        self.credit(self.move)
        self.drain()
        job = self.note_job()
        self.assertEqual((job.error_kind, job.error_code), ("rejected", "refund_too_large"))
        self.assertFalse(self.refunds())


@pytest.mark.node
class TestCreditNotesToShopify(CreditNotes, ShopifyCase):
    def setUp(self):
        super().setUp()
        self.flow = self.add_flow("credit_note", credit_note_refund="pay")
        self.cup = self.make_product("CUP", 10)
        self.cup.invoice_policy = "order"
        self.sale, self.there = self.order_there(self.publish_there(self.cup), self.cup, 3)
        self.move = self.sale._create_invoices()
        self.move.action_post()

    def refunds(self):
        return self.shop.store.find("refund")

    def test_a_part_is_paid_back(self):
        note = self.credit(self.move, quantity=1)
        self.drain()
        job = self.note_job()
        self.assertEqual((job.state, job.error_message), ("done", False))
        [refund] = self.refunds()
        self.assertEqual(float(refund["amount"]), 10)
        self.assertIn(note.name, refund["note"])

    def test_a_refund_whose_answer_was_lost_is_not_paid_twice(self):
        rule = {"kind": "reset", "path": "refundCreate", "times": 1}
        self.shop.faults.add(faults.Rule(**rule))
        self.credit(self.move, quantity=1)
        self.drain()
        self.patch(ShopifyAdapter, "refund_quiet", 0)
        self.be_due()
        self.drain()
        self.assertEqual(self.note_job().state, "done")
        self.assertEqual(len(self.refunds()), 1)

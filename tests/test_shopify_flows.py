"""Stock and invoices reach a Shopify shop through the queue."""

import pytest
from odoo.exceptions import UserError
from odoo.tools import mute_logger

from ..adapters.shopify import ShopifyAdapter
from ..sandbox import faults
from .shopify_case import ShopifyCase

PRINTER = "odoo.addons.commerce_sync.models.flow_invoice"
pytestmark = pytest.mark.node


class TestShopify(ShopifyCase):
    def setUp(self):
        super().setUp()
        self.env["commerce.mapping"].action_read(self.shopify.ids)
        self.places = self.env["commerce.mapping"].search(
            [("connection_id", "=", self.shopify.id), ("resource", "=", "location")]
        )
        self.mug = self.make_product("MUG-B", 5)

    def test_the_shops_locations_are_read_to_be_chosen(self):
        self.assertEqual(self.places.mapped("name"), ["Main Warehouse", "Second Street"])
        self.assertFalse(any(self.places.mapped("warehouse_id")))
        self.places[0].warehouse_id = self.warehouse
        binding = self.env["commerce.binding"].search([("resource", "=", "location")])
        self.assertEqual(binding.external_id, self.places[0].external_id)
        self.places[0].warehouse_id = False
        self.assertFalse(binding.exists())

    def test_stock_goes_to_the_mapped_location(self):
        self.places[0].warehouse_id = self.warehouse
        variant = self.publish_there(self.mug)
        self.add_flow("inventory", stock_basis="on_hand").enqueue(self.mug.ids)
        self.drain()
        [job] = self.jobs()
        self.assertEqual((job.state, job.error_message), ("done", False))
        item = self.shop.store.get("item", variant["inventory_item_id"])
        self.assertEqual(item["levels"][self.places[0].external_id]["available"], 5)

    def test_without_a_mapping_the_job_says_where_to_make_one(self):
        self.publish_there(self.mug)
        self.add_flow("inventory", stock_basis="on_hand").enqueue(self.mug.ids)
        self.drain()
        [job] = self.jobs()
        self.assertEqual(job.error_kind, "validation")
        self.assertIn("Mappings", job.error_hint)


class TestInvoices(ShopifyCase):
    def setUp(self):
        super().setUp()
        self.flow = self.add_flow("invoice", invoice_pdf=True)
        self.cup = self.make_product("CUP", 10)
        self.cup.invoice_policy = "order"
        self.sale, self.there = self.order_there(self.publish_there(self.cup), self.cup, 3)
        self.move = self.sale._create_invoices()

    def print_with(self, state):
        self.patch(
            type(self.env["ir.actions.report"]), "get_wkhtmltopdf_state", lambda *_args: state
        )

    def test_where_no_pdf_can_be_made_the_link_is_sent(self):
        self.print_with("install")
        self.move.action_post()
        self.drain()
        [job] = self.jobs()
        self.assertEqual((job.state, job.error_message), ("done", False))
        self.assertFalse(self.shop.store.find("file"))
        self.assertTrue(self.flow.pdf_missing)

    def test_a_report_that_fails_fails_the_job_in_words_after_some_tries(self):
        self.print_with("ok")
        self.move.action_post()

        def fail(*_args):
            raise UserError("The logo is broken.")

        self.patch(type(self.env["account.move.send"]), "_prepare_invoice_pdf_report", fail)
        for _number in range(3):
            self.drain()
            self.assertEqual(self.jobs().state, "pending")
            with self.enter_registry_test_mode(), mute_logger(PRINTER):
                self.env["commerce.flow"]._cron_print()
            self.be_due()
            self.env.invalidate_all()
        self.drain()
        [job] = self.jobs()
        self.assertEqual((job.state, job.error_kind), ("failed", "validation"))
        self.assertIn("its PDF cannot be made (The logo is broken.)", job.error_message)

    def test_the_pdf_is_made_once_by_the_scheduled_action_and_delivered(self):
        self.print_with("ok")
        self.move.action_post()
        self.drain()
        [job] = self.jobs()
        self.assertEqual((job.state, job.error_code, job.attempts), ("pending", "pdf_pending", 0))
        with self.enter_registry_test_mode():
            self.env["commerce.flow"]._cron_print()
        self.assertTrue(self.move.invoice_pdf_report_id)
        self.be_due()
        self.patch(ShopifyAdapter, "poll_seconds", 0)
        self.drain()
        self.assertEqual((job.state, job.error_message), ("done", False))
        self.assertEqual(len(self.shop.store.find("file")), 1)

    def test_a_file_that_was_uploaded_but_not_attached_is_attached_in_the_next_try(self):
        self.flow.invoice_meta = False
        self.print_with("ok")
        self.move.action_post()
        self.drain()
        with self.enter_registry_test_mode():
            self.env["commerce.flow"]._cron_print()
        self.be_due()
        self.patch(ShopifyAdapter, "poll_seconds", 0)
        self.shop.faults.add(faults.Rule("http_500_before", path="metafieldsSet", times=1))
        self.drain()
        [job] = self.jobs()
        self.assertEqual((job.state, job.attempts), ("pending", 1))
        self.assertEqual(len(self.shop.store.find("file")), 1)
        self.be_due()
        self.drain()
        self.assertEqual((job.state, job.error_message), ("done", False))
        self.assertEqual(len(self.shop.store.find("file")), 1)
        [attached] = [
            row for row in self.shop.store.find("metafield") if row["type"] == "file_reference"
        ]
        self.assertTrue(attached["value"])

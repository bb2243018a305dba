"""Stock and invoices reach a Shopify shop through the queue."""

import pytest

from .shopify_case import ShopifyCase

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

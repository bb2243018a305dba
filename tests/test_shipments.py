"""Deliveries reach the store: in parts, corrected, and once whatever the network does."""

import pytest

from ..sandbox import faults
from .shopify_case import ShopifyCase
from .test_invoice_flow import InvoiceCase


class Deliveries:
    def deliver(self, picking, quantity=None, tracking=""):
        """Have a delivery done, all of it or a part; the rest becomes a backorder."""
        picking.carrier_tracking_ref = tracking
        for move in picking.move_ids:
            move.quantity = quantity or move.product_uom_qty
            move.picked = True
        picking.with_context(skip_backorder=True).button_validate()
        return picking


class TestShipmentsToWooCommerce(Deliveries, InvoiceCase):
    def setUp(self):
        super().setUp()
        self.env["commerce.flow"].create({"connection_id": self.connection.id, "kind": "shipment"})
        self.invoice_flow.active = False
        self.cup = self.make_product("CUP", 10)
        self.sale, self.there = self.make_order((self.cup, 3, 10, 0))

    def shipped(self):
        return self.notes(self.there, "Shipment")

    def test_a_delivery_becomes_field_note_and_status(self):
        picking = self.deliver(self.sale.picking_ids, tracking="T-1")
        self.drain()
        [job] = self.jobs(("kind", "=", "shipment"))
        self.assertEqual((job.state, job.outcome, job.error_message), ("done", "created", False))
        field = self.fields_of(self.there)[f"_commerce_sync_shipment:{picking.name}"]
        self.assertEqual(field["tracking_numbers"], ["T-1"])
        self.assertEqual([(row["sku"], row["quantity"]) for row in field["lines"]], [("CUP", "3")])
        self.assertEqual(self.store_get(f"orders/{self.there}")["status"], "completed")
        self.assertEqual(len(self.shipped()), 1)

    def test_only_the_last_part_completes_the_order(self):
        picking = self.deliver(self.sale.picking_ids, quantity=1)
        self.drain()
        self.assertEqual(self.store_get(f"orders/{self.there}")["status"], "processing")
        self.deliver(self.sale.picking_ids - picking)
        self.drain()
        self.assertEqual(self.store_get(f"orders/{self.there}")["status"], "completed")
        self.assertEqual(len(self.shipped()), 2)

    def test_a_corrected_tracking_number_is_sent_again(self):
        picking = self.deliver(self.sale.picking_ids, tracking="T-1")
        self.drain()
        picking.carrier_tracking_ref = "T-2"
        self.drain()
        field = self.fields_of(self.there)[f"_commerce_sync_shipment:{picking.name}"]
        self.assertEqual(field["tracking_numbers"], ["T-2"])

    def test_a_note_that_arrived_before_the_line_broke_is_not_written_twice(self):
        self.deliver(self.sale.picking_ids)
        rule = {"kind": "reset", "path": "/notes", "method": "POST", "times": 1}
        self.store.faults.add(faults.Rule(**rule))
        self.drain()
        self.be_due()
        self.drain()
        [job] = self.jobs(("kind", "=", "shipment"))
        self.assertEqual(job.state, "done")
        self.assertEqual(len(self.shipped()), 1)

    def test_an_order_that_was_deleted_there_is_missing_and_can_be_matched_again(self):
        self.store.store.delete("order", self.there)
        self.deliver(self.sale.picking_ids)
        self.drain()
        [job] = self.jobs(("kind", "=", "shipment"))
        self.assertEqual((job.error_kind, job.can_match), ("missing", True))
        action = job.action_match_again()
        matching = self.env["commerce.matching"].browse(action["res_id"])
        self.assertEqual(matching.resource, "order")
        bindings = self.env["commerce.binding"].search([("model", "=", "sale.order")])
        self.assertFalse(bindings.filtered(lambda one: one.res_id == self.sale.id))
        self.assertFalse(job.can_unbind)


@pytest.mark.node
class TestShipmentsToShopify(Deliveries, ShopifyCase):
    def setUp(self):
        super().setUp()
        self.add_flow("shipment")
        self.cup = self.make_product("CUP", 10)
        self.sale, self.there = self.order_there(self.publish_there(self.cup), self.cup, 3)

    def fulfilments(self):
        return self.shop.store.find("fulfillment")

    def test_parts_are_fulfilments_of_their_own(self):
        first = self.deliver(self.sale.picking_ids, quantity=1, tracking="T-1")
        self.drain()
        self.deliver(self.sale.picking_ids - first, tracking="T-2")
        self.drain()
        self.assertEqual(set(self.jobs().mapped("state")), {"done"})
        self.assertEqual(len(self.fulfilments()), 2)
        first.carrier_tracking_ref = "T-3"
        self.drain()
        self.assertEqual(len(self.fulfilments()), 2)
        numbers = {info["number"] for row in self.fulfilments() for info in row["tracking"]}
        self.assertEqual(numbers, {"T-2", "T-3"})

    def test_a_fulfilment_that_is_gone_there_is_unlinked_and_shipped_anew(self):
        picking = self.deliver(self.sale.picking_ids, tracking="T-1")
        self.drain()
        [shipped] = self.fulfilments()
        self.shop.store.delete("fulfillment", shipped["id"])
        picking.carrier_tracking_ref = "T-2"
        self.drain()
        job = self.jobs(("state", "=", "failed"))
        self.assertEqual(job.error_code, "fulfillment_not_found")
        self.assertEqual(job._get_remedies(), ["resend", "cancel", "unbind"])
        job.action_unbind()
        self.assertFalse(job.can_unbind)
        [binding] = self.env["commerce.binding"].search(
            [("resource", "=", "order"), ("res_id", "=", self.sale.id)]
        )
        self.assertEqual(binding.external_id, str(self.there))

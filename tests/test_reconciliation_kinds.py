"""Each kind of data is compared with what would be sent."""

from odoo.fields import Command

from .test_credit_notes import CreditNotes
from .test_invoice_flow import InvoiceCase
from .test_medusa_flows import SandboxCase
from .test_reconciliation import ReconciliationCase
from .test_shipments import Deliveries


class TestPrices(ReconciliationCase):
    def test_a_price_changed_behind_our_back_is_found_and_repaired(self):
        self.connection.store_currency = self.env.company.currency_id.name
        flow = self.env["commerce.flow"].create(
            {"connection_id": self.connection.id, "kind": "price", "price_taxes": "excluded"}
        )
        cups = {
            sku: self.make_product(sku, list_price=12.5, taxes_id=[Command.clear()])
            for sku in ("A", "B")
        }
        published = self.publish(cups["A"] | cups["B"])
        flow._enqueue_due()
        self.drain()
        self.assertFalse(self.compare(flow).line_ids)
        self.change_there(published[cups["A"]], regular_price="9.99")
        record = self.compare(flow)
        self.assertEqual(self.found(record), {("A", "different", "12.5", "9.99")})
        record.line_ids.action_repair()
        self.drain()
        self.assertFalse(self.compare(flow).line_ids)


class ToldCase(ReconciliationCase, InvoiceCase):
    """Documents the store keeps no list of: whether it was told of each."""

    kind = ""

    def setUp(self):
        super().setUp()
        self.invoice_flow.active = False
        self.flow = self.env["commerce.flow"].create(
            {"connection_id": self.connection.id, "kind": self.kind, "trigger": "manual"}
        )

    def check_told(self, document):
        """``document`` is listed, sent by the repair, and listed no longer."""
        line = self.compare(self.flow).line_ids
        self.assertEqual((line.status, line.res_id), ("not_told", document.id))
        line.action_repair()
        self.drain()
        jobs = self.jobs(("kind", "=", self.kind))
        self.assertEqual(jobs.mapped("state"), ["done"], jobs.mapped("error_message"))
        self.assertFalse(self.compare(self.flow).line_ids)


class TestShipmentsNotTold(Deliveries, ToldCase):
    kind = "shipment"

    def test_a_delivery_the_store_was_not_told_of_is_listed_and_sent(self):
        sale, _there = self.make_order((self.make_product("CUP", 10), 3, 10, 0))
        self.assertFalse(self.compare(self.flow).line_ids)
        self.check_told(self.deliver(sale.picking_ids))


class TestCreditNotesNotTold(CreditNotes, ToldCase):
    kind = "credit_note"

    def test_a_credit_note_the_store_was_not_told_of_is_listed_and_sent(self):
        sale, _there = self.make_order((self.mug, 3, 10, 0))
        invoice = self.invoice(sale)
        self.assertFalse(self.compare(self.flow).line_ids)
        self.check_told(self.credit(invoice))


class TestChangesWhileReading(ReconciliationCase):
    """The store is read page by page, and nobody stops working meanwhile."""

    def test_what_changes_while_pages_are_read_is_no_difference(self):
        products, there = self.in_agreement({f"P-{n:03}": 5 for n in range(130)})
        # read last, for it changed last
        self.change_there(there["P-050"], stock_quantity=77)
        self.store.fault("http_500_before", path="modified_after", times=1)
        record = self.env["commerce.reconciliation"].browse(
            self.inventory_flow.action_reconcile()["res_id"]
        )
        self.go_on()
        self.assertEqual((record.state, record.read_count), ("reading", 100))
        self.set_stock(products[3], 8)  # read already
        self.set_stock(products[120], 8)  # not yet
        self.drain()
        self.set_stock(products[125], 9)  # the store is not told in time
        record.next_at = False
        self.go_on()
        self.assertEqual(record.state, "done", record.error_message)
        self.assertEqual(self.found(record), {("P-050", "different", "5", "77")})


class TestMedusa(ReconciliationCase, SandboxCase):
    def test_drift_of_stock_is_found_and_repaired(self):
        product, theirs = self.sell("DRIFT-1", quantity=5, stock=0)
        _other, gone = self.sell("DRIFT-2", quantity=2, stock=0)
        self.stock_flow._enqueue_due()
        self.drain()
        self.assertFalse(self.compare(self.stock_flow).line_ids)
        item = theirs["variants"][0]["inventory_item_id"]
        level = {"inventory_item_id": item, "location_id": self.medusa.location}
        self.medusa.post(
            "/admin/inventory-items/location-levels/batch",
            {"update": [{**level, "stocked_quantity": 11}]},
        )
        self.medusa.request("DELETE", f"/admin/products/{gone['id']}")
        record = self.compare(self.stock_flow)
        self.assertEqual(
            {
                (line.status, line.odoo_value or "", line.external_value or "")
                for line in record.line_ids
            },
            {("different", "5", "11"), ("deleted_there", "", "")},
        )
        self.assertEqual(record.line_ids.filtered("odoo_value").res_id, product.id)
        record.line_ids.action_repair()
        self.drain()
        self.assertEqual(self.stocked(theirs), {self.medusa.location: 5})
        self.assertFalse(self.compare(self.stock_flow).line_ids)

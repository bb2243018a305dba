"""Scenarios of a Medusa store: the same for the sandbox and for the real one from npm, so that the
sandbox is known to tell the truth."""

import json
import time
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from odoo.tests import HttpCase

from ..adapters.base import SendKey, Settings
from ..adapters.documents import (
    CreditNote,
    OrderStatus,
    Price,
    Product,
    ProductOption,
    ProductVariant,
    Shipment,
    ShipmentLine,
)
from ..adapters.errors import AuthenticationFailed
from ..adapters.http import HttpClient
from ..adapters.medusa import MedusaAdapter
from .common import StoreCase

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


class MedusaCase(StoreCase, HttpCase):
    """A live connection to one store (:meth:`open_store`) for all tests of the class."""

    @classmethod
    def open_store(cls, webhook_url):
        """:return: the store, ready to take orders: ``url``, ``key``, ``location``, ..."""
        raise NotImplementedError

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.connection = cls.env["commerce.connection"].create(
            {
                "name": "Medusa",
                "platform": "medusa",
                "address": "http://127.0.0.1:1",
                "user_id": cls.env.ref("base.user_admin").id,
                "dry_run": False,
                "timeout": 30,
            }
        )
        path = f"/commerce_sync/webhook/{cls.connection.webhook_key}"
        cls.medusa = cls.open_store(cls.base_url() + path)
        cls.connection.address = cls.medusa.url
        cls.connection.set_credentials({"api_key": cls.medusa.key, "webhook_secret": SECRET})
        make = cls.env["commerce.flow"].create
        cls.stock_flow, cls.order_flow, cls.invoice_flow = (
            make({"connection_id": cls.connection.id, "kind": kind})
            for kind in ("inventory", "order", "invoice")
        )
        cls.shipment_flow = make({"connection_id": cls.connection.id, "kind": "shipment"})
        cls.order_flow.order_confirm = "always"
        cls.connection.action_go_live()
        cls.env["commerce.binding"].create(
            {
                "connection_id": cls.connection.id,
                "resource": "location",
                "model": "stock.warehouse",
                "res_id": cls.warehouse.id,
                "external_id": cls.medusa.location,
            }
        )
        cls.adapter = cls.make_adapter(cls.medusa.key)

    @classmethod
    def make_adapter(cls, key):
        settings = Settings(cls.medusa.url, {"api_key": key}, {"currency": "EUR"})
        return MedusaAdapter(settings, HttpClient(cls.medusa.url))

    def setUp(self):
        # no WooCommerce sandbox: the store is the class's own
        super(StoreCase, self).setUp()

    # === HELPERS === #

    def sell(self, sku, quantity=0.0, stock=None):
        """A product on both sides, bound.

        :return: Odoo's product, the store's
        """
        product = self.make_product(sku, quantity)
        theirs = self.medusa.make_product(sku, stock=stock)
        (variant,) = theirs["variants"]
        self.env["commerce.binding"].create(
            {
                "connection_id": self.connection.id,
                "resource": "variant",
                "model": "product.product",
                "res_id": product.id,
                "external_id": variant["id"],
                "parent_id": theirs["id"],
            }
        )
        return product, theirs

    def stocked(self, theirs):
        item = theirs["variants"][0]["inventory_item_id"]
        path = f"/admin/inventory-items/{item}/location-levels"
        levels = self.medusa.get(path)["inventory_levels"]
        return {level["location_id"]: level["stocked_quantity"] for level in levels}

    def push(self, kind, document, uncertain=False):
        (result,) = self.adapter.push(kind, [document], [SendKey("key", uncertain=uncertain)])
        return result

    def place_order(self, theirs, quantity=2):
        variant = theirs["variants"][0]["id"]
        with self.allow_requests(all_requests=True):
            return self.medusa.place_order([(variant, quantity)])

    def read_order(self, order):
        return self.adapter.read_event("order", json.dumps({"id": order["id"]}).encode())

    def wait_for_events(self, order, topic="order.placed"):
        """The subscriber works beside: until its message is here."""
        condition = [("external_id", "=", order["id"]), ("topic", "=", topic)]
        for _turn in range(100):
            self.env.invalidate_all()
            found = self.env["commerce.webhook.event"].search(condition)
            if found:
                return found
            with self.allow_requests(all_requests=True):
                time.sleep(0.1)
        self.fail(f"No {topic} of {order['id']} within 10 seconds")

    def deliver(self, sale):
        """Ship all of it, and let the queue tell the store."""
        picking = sale.picking_ids
        picking.move_ids.write({"quantity": 2, "picked": True})
        picking.button_validate()
        self.assertEqual(picking.state, "done")
        for _round in range(3):
            self.be_due()
            self.drain()
        job = self.job_of(("kind", "=", "shipment"))
        self.assertEqual(job.state, "done", job.error_message)

    def allow_tax(self):
        """Odoo's one sales tax is the store's."""
        self.env["account.tax"].search([("type_tax_use", "=", "sale")]).active = False
        self.env["account.tax"].create(
            {"name": "VAT 19%", "amount": 19, "type_tax_use": "sale", "amount_type": "percent"}
        )

    def job_of(self, *domain):
        jobs = self.jobs(("connection_id", "=", self.connection.id), *domain)
        return jobs[-1:]


class MedusaScenarios:
    """Mixed into a :class:`MedusaCase`."""

    # === SIGN-IN AND READING === #

    def test_the_store_says_who_it_is_and_a_wrong_key_is_refused(self):
        identity = self.adapter.check()
        self.assertEqual((identity.name, identity.currency), ("Medusa Store", "EUR"))
        with self.assertRaises(AuthenticationFailed):
            self.make_adapter("sk_wrong").check()

    def test_every_kind_is_read_in_pages_since_a_moment(self):
        _product, theirs = self.sell("READ-1", stock=4)
        order = self.place_order(theirs)
        wanted = {
            "variant": theirs["variants"][0]["id"],
            "inventory": theirs["variants"][0]["id"],
            "price": theirs["variants"][0]["id"],
            "product": theirs["id"],
            "order": order["id"],
            "location": self.medusa.location,
        }
        for kind, external_id in wanted.items():
            found = self.adapter.fetch(kind).documents
            self.assertIn(external_id, [one.external_id for one in found], kind)
        late = datetime(2100, 1, 1)
        self.assertFalse(self.adapter.fetch("order", since=late).documents)
        (item,) = (
            one
            for one in self.adapter.fetch("variant").documents
            if one.external_id == wanted["variant"]
        )
        self.assertEqual((item.sku, item.quantity), ("READ-1", 4))

    # === OUT === #

    def test_stock_arrives_and_one_refused_item_stops_no_other(self):
        good, theirs = self.sell("STOCK-1", 7)
        other, others = self.sell("STOCK-2", 3)
        gone, lost = self.sell("STOCK-3", 5)
        self.medusa.request("DELETE", f"/admin/products/{lost['id']}")
        self.drain()
        self.assertEqual(self.stocked(theirs), {self.medusa.location: 7})
        self.assertEqual(self.stocked(others), {self.medusa.location: 3})
        self.assertEqual(self.job_of(("res_id", "=", good.id)).state, "done")
        self.assertEqual(self.job_of(("res_id", "=", other.id)).state, "done")
        failed = self.job_of(("res_id", "=", gone.id))
        self.assertEqual(failed.state, "failed", failed.error_message)
        self.set_stock(good, 2)
        self.drain()
        self.assertEqual(self.stocked(theirs), {self.medusa.location: 2})

    def test_a_product_is_made_once_and_changed_field_by_field(self):
        red, blue = (
            ProductVariant(sku=f"NEW-{color}", values=(color,), price=Decimal("9.50"), record_id=n)
            for n, color in enumerate(("Red", "Blue"), start=1)
        )
        product = Product(
            label="Scarf",
            name="Scarf",
            description="<p>Warm &amp; soft.</p>",
            options=(ProductOption(name="Colour", values=("Red",)),),
            variants=(red,),
            owned=("name", "description", "status", "sku", "price"),
            reference="odoo-template-1",
        )
        made = self.push("product", product)
        self.assertEqual(made.outcome, "created", made.error)
        again = self.push("product", product, uncertain=True)
        self.assertEqual((again.outcome, again.external_id), ("updated", made.external_id))
        wider = replace(
            product,
            external_id=made.external_id,
            name="Wool scarf",
            options=(ProductOption(name="Colour", values=("Red", "Blue")),),
            variants=(replace(red, external_id=made.links[0].external_id), blue),
        )
        changed = self.push("product", wider)
        self.assertEqual(changed.outcome, "updated", changed.error)
        self.assertEqual([link.record_id for link in changed.links], [1, 2])
        theirs = self.medusa.read_product(made.external_id)
        self.assertEqual((theirs["title"], theirs["status"]), ("Wool scarf", "published"))
        self.assertEqual(theirs["description"], "Warm & soft.")
        prices = {one["sku"]: one["prices"][0]["amount"] for one in theirs["variants"]}
        self.assertEqual(prices, {"NEW-Red": 9.5, "NEW-Blue": 9.5})
        self.push("product", replace(wider, status="archived"))
        self.assertEqual(self.medusa.read_product(made.external_id)["status"], "draft")
        gone = self.push("product", replace(wider, external_id="prod_gone"))
        self.assertEqual(gone.error.kind, "missing")

    def test_a_price_is_written_once_and_other_currencies_stay(self):
        _product, theirs = self.sell("PRICE-1")
        price = Price(
            label="PRICE-1",
            external_id=theirs["variants"][0]["id"],
            parent_id=theirs["id"],
            price=Decimal("12.34"),
            currency="EUR",
        )
        self.assertEqual(self.push("price", price).outcome, "updated")
        self.assertEqual(self.push("price", price).outcome, "unchanged")
        (kept,) = self.medusa.read_product(theirs["id"])["variants"][0]["prices"]
        self.assertEqual((kept["amount"], kept["currency_code"]), (12.34, "eur"))

    def test_a_shipment_is_made_once_in_parts(self):
        _product, theirs = self.sell("SHIP-1", stock=9)
        order = self.place_order(theirs, 3)
        part = Shipment(
            number="WH/OUT/7",
            parent_id=order["id"],
            tracking_numbers=("T-1",),
            tracking_urls=("https://carrier.example/T-1",),
            lines=(ShipmentLine(quantity=Decimal(2), line_id=order["items"][0]["id"]),),
        )
        made = self.push("shipment", part)
        self.assertEqual(made.outcome, "created", made.error)
        again = self.push("shipment", part, uncertain=True)
        self.assertEqual((again.outcome, again.external_id), ("unchanged", made.external_id))
        (seen,) = self.read_order(order).shipments
        self.assertEqual((seen.tracking_numbers, seen.lines[0].quantity), (("T-1",), 2))
        too_many = Shipment(number="WH/OUT/8", parent_id=order["id"], lines=part.lines)
        self.assertEqual(self.push("shipment", too_many).error.code, "nothing_left_to_ship")

    def test_money_is_given_back_once(self):
        _product, theirs = self.sell("REFUND-1", stock=9)
        order = self.place_order(theirs)
        collection = {"order_id": order["id"], "amount": order["total"]}
        made = self.medusa.post("/admin/payment-collections", collection)["payment_collection"]
        path = f"/admin/payment-collections/{made['id']}/mark-as-paid"
        self.medusa.post(path, {"order_id": order["id"]})
        self.assertTrue(self.read_order(order).paid)
        note = CreditNote(
            external_id=order["id"],
            number="RINV/1",
            date=None,
            due_date=None,
            currency="EUR",
            untaxed=Decimal("1.00"),
            tax=Decimal("0.19"),
            total=Decimal("1.19"),
            residual=Decimal(0),
            state="posted",
            payment_state="paid",
            refunds=True,
        )
        self.assertEqual(self.push("credit_note", note).outcome, "created")
        self.assertEqual(self.push("credit_note", note, uncertain=True).outcome, "unchanged")
        (refund,) = self.read_order(order).refunds
        self.assertEqual(refund.amount, Decimal("1.19"))

    def test_an_order_is_cancelled_once(self):
        _product, theirs = self.sell("CANCEL-1", stock=9)
        order = self.place_order(theirs)
        status = OrderStatus(external_id=order["id"], cancelled=True, reason="Sold out")
        self.assertEqual(self.push("order_status", status).outcome, "updated")
        self.assertEqual(self.push("order_status", status).outcome, "unchanged")
        self.assertTrue(self.read_order(order).cancelled)

    # === IN, AND BACK === #

    def test_an_order_tells_odoo_by_the_documented_subscriber_and_gets_its_invoice(self):
        self.allow_tax()
        self.env.ref("base.EUR").active = True
        product, theirs = self.sell("ORDER-1", 9, stock=9)
        order = self.place_order(theirs)
        self.wait_for_events(order)
        self.drain()
        job = self.job_of(("kind", "=", "order"))
        self.assertEqual(job.state, "done", job.error_message)
        sale = self.env["sale.order"].search([("client_order_ref", "=", str(order["display_id"]))])
        self.assertEqual(len(sale), 1)
        self.assertEqual(sale.order_line[0].product_id, product)
        self.assertAlmostEqual(sale.amount_total, 29.75)
        self.assertEqual(sale.partner_id.email, "jo@example.com")
        product.invoice_policy = "order"
        invoice = sale._create_invoices()
        invoice.invoice_line_ids.filtered(lambda line: line.product_id != product).unlink()
        invoice.action_post()
        self.drain()
        written = self.medusa.get(f"/admin/orders/{order['id']}", fields="id,metadata")["order"]
        kept = written["metadata"][f"odoo_invoice_{invoice.name}"]
        self.assertEqual((kept["total"], kept["currency"]), ("23.80", "EUR"))
        self.deliver(sale)
        (seen,) = self.read_order(order).shipments
        self.assertEqual([line.quantity for line in seen.lines], [2])
        # the fulfilment took two pieces off, as the delivery did here: told anew
        self.assertEqual(self.stocked(theirs), {self.medusa.location: 7})

"""Each failure of docs/errors.md happens here (``errors_page``)."""

from unittest.mock import patch

import pytest
from odoo import Command
from odoo.tools import mute_logger

from ..mappers.inventory import InventoryMapper
from ..sandbox.medusa import MedusaStore
from .common import StoreCase
from .errors_page import Failures
from .medusa_case import SECRET, MedusaCase
from .shopify_case import ShopifyCase
from .test_credit_notes import CreditNotes
from .test_http_flows import EMAIL, NAME, HttpCase, answer
from .test_invoice_flow import InvoiceCase
from .test_medusa_flows import Visitor
from .test_order_import import OrderCase
from .test_shipments import Deliveries

WORKER_LOG = "odoo.addons.commerce_sync.engine.worker"


class TestStockPage(Failures, StoreCase):
    section = "Stock to WooCommerce"

    def test_the_page_says_what_staff_see(self):
        self.check_page()

    def make_bound(self, sku="MUG-B"):
        product = self.make_product(sku)
        product.name = "Blue mug"
        self.publish(product)
        self.set_stock(product, 3)
        return product

    def sent(self, product):
        self.connection.breaker_threshold = 100
        self.drain()
        return self.jobs(("res_id", "=", product.id), ("kind", "=", "inventory"))

    def break_by(self, fault, **parameters):
        product = self.make_bound(f"{fault}-{len(self.store.requests)}")
        self.store.fault(fault, times=1, **parameters)
        return self.sent(product)

    def fail_01(self):
        """The store has an error of its own"""
        return self.break_by("http_500_before")

    def fail_02(self):
        """The store is in maintenance"""
        return self.break_by("maintenance")

    def fail_03(self):
        """The answer breaks off"""
        return self.break_by("reset")

    def fail_04(self):
        """The answer is cut short"""
        return self.break_by("malformed", style="truncated")

    def fail_05(self):
        """The answer is a web page"""
        return self.break_by("malformed", style="html")

    def fail_06(self):
        """The answer is empty"""
        return self.break_by("malformed", style="empty")

    def fail_07(self):
        """A plug-in writes a notice into the answer"""
        return self.break_by("malformed", style="notice")

    def fail_08(self):
        """The store answers too late"""
        self.connection.timeout = 1
        return self.break_by("timeout", seconds=3)

    def fail_09(self):
        """The store asks to slow down"""
        return self.break_by("rate_limit", retry_after=60)

    def fail_10(self):
        """The store refuses the credentials"""
        return self.break_by("unauthorized")

    def fail_11(self):
        """A product lost its SKU"""
        product = self.make_bound("NO-SKU")
        product.default_code = False
        return self.sent(product)

    def fail_12(self):
        """The store refuses one item"""
        product = self.make_bound("REFUSED")
        external_id = self.connection._bindings("variant", product)[product.id].external_id
        self.store.fault("bad_item", id=external_id, message="No such thing.", times=1)
        return self.sent(product)

    def fail_13(self):
        """The product was deleted in the store"""
        product = self.make_bound("DELETED")
        external_id = self.connection._bindings("variant", product)[product.id].external_id
        self.store.store.delete("product", int(external_id))
        return self.sent(product)

    def fail_14(self):
        """A mistake in this software"""

        def broken(*_args):
            raise ZeroDivisionError("division by zero")

        product = self.make_bound("BROKEN")
        with patch.object(InventoryMapper, "_level", broken), mute_logger(WORKER_LOG):
            return self.sent(product)

    def fail_99(self):
        """No server answers at the address"""
        product = self.make_bound("AWAY")
        self.connection.address = "http://127.0.0.1:1"
        return self.sent(product)


class TestPricePage(Failures, StoreCase):
    section = "Prices to WooCommerce"

    def setUp(self):
        super().setUp()
        self.connection.store_currency = self.env.company.currency_id.name
        self.flow = self.env["commerce.flow"].create(
            {"connection_id": self.connection.id, "kind": "price", "price_taxes": "excluded"}
        )
        self.inventory_flow.active = False
        self.product = self.make_product("MUG-B", list_price=12.5, taxes_id=[Command.clear()])
        self.product.name = "Blue mug"
        self.there = self.publish(self.product)[self.product]

    def test_the_page_says_what_staff_see(self):
        self.check_page()

    def sent(self, price=20):
        self.product.list_price = price
        self.drain()
        return self.jobs(("flow_id", "=", self.flow.id))[-1]

    def fail_1(self):
        """The price is negative"""
        return self.sent(-1)

    def fail_2(self):
        """The pricelist is not in the store's currency"""
        self.flow.price_pricelist_id = self.env["product.pricelist"].create({"name": "Web"})
        self.connection.store_currency = "XYZ"
        return self.sent()

    def fail_3(self):
        """The store's currency was never read"""
        self.connection.store_currency = False
        return self.sent()

    def fail_4(self):
        """The store refuses the price"""
        self.store.fault("bad_item", id=self.there, message="Invalid price.", times=1)
        return self.sent()

    def fail_5(self):
        """The product was deleted in the store"""
        self.store.store.delete("product", int(self.there))
        return self.sent()


class TestProductPage(Failures, StoreCase):
    section = "Products to WooCommerce"

    def setUp(self):
        super().setUp()
        self.connection.store_currency = self.env.company.currency_id.name
        self.flow = self.env["commerce.flow"].create(
            {
                "connection_id": self.connection.id,
                "kind": "product",
                "product_scope": "filter",
                "domain": "[('name', 'like', 'Web %')]",
            }
        )
        self.inventory_flow.active = False

    def test_the_page_says_what_staff_see(self):
        self.check_page()

    def make_template(self, **values):
        return self.env["product.template"].create(
            {"name": "Web mug", "default_code": "MUG", "list_price": 12.5}
            | {"taxes_id": [Command.clear()], "is_storable": True}
            | values
        )

    def make_sizes(self, *skus):
        attribute = self.env["product.attribute"].create(
            {"name": "Size", "value_ids": [Command.create({"name": name}) for name in "SM"]}
        )
        line = {"attribute_id": attribute.id, "value_ids": [Command.set(attribute.value_ids.ids)]}
        template = self.make_template(
            name="Web shirt", default_code=False, attribute_line_ids=[Command.create(line)]
        )
        for variant, sku in zip(template.product_variant_ids, skus, strict=True):
            variant.default_code = sku

    def sent(self):
        self.drain()
        return self.jobs(("flow_id", "=", self.flow.id))[-1]

    def there(self, template):
        return int(self.connection._bindings("product", template)[template.id].external_id)

    def fail_1(self):
        """A variant has no SKU"""
        self.make_sizes("SHIRT-S", False)
        return self.sent()

    def fail_2(self):
        """Two variants have the same SKU"""
        self.make_sizes("SHIRT", "SHIRT")
        return self.sent()

    def fail_3(self):
        """The store has a product with this SKU already"""
        self.store.seed({"products": [{"name": "Old mug", "sku": "OLD"}]})
        self.make_template(default_code="OLD")
        return self.sent()

    def fail_4(self):
        """Somebody changed the SKU in the store"""
        self.flow.conflict_rule = "ask"
        template = self.make_template(default_code="CHANGED")
        self.drain()
        held = self.store.store.get("product", self.there(template))
        self.store.store.put("product", {**held, "sku": "THEIRS"})
        template.name = "Web cup"
        return self.sent()

    def fail_5(self):
        """The product was deleted in the store"""
        template = self.make_template(default_code="GONE")
        self.drain()
        self.store.store.delete("product", self.there(template))
        template.name = "Web cup"
        return self.sent()


class TestInvoicePage(Deliveries, CreditNotes, Failures, InvoiceCase):
    section = "Invoices, credit notes and shipments to WooCommerce"

    def setUp(self):
        super().setUp()
        make = self.env["commerce.flow"].create
        make({"connection_id": self.connection.id, "kind": "shipment"})
        make(
            {
                "connection_id": self.connection.id,
                "kind": "credit_note",
                "credit_note_refund": "pay",
            }
        )

    def test_the_page_says_what_staff_see(self):
        self.check_page()

    def sent(self, kind):
        self.drain()
        return self.jobs(("kind", "=", kind))[-1:]

    def make_delivery(self):
        sale, there = self.make_order((self.make_product("CUP", 10, name="Cup"), 3, 10, 0))
        return sale.picking_ids, there

    def fail_1(self):
        """A product of the invoice lost its SKU"""
        sale, _there = self.make_order()
        self.mug.default_code = False
        self.invoice(sale)
        return self.sent("invoice")

    def fail_2(self):
        """One invoice for two orders of the store"""
        (one, _there), (other, _there) = self.make_order(), self.make_order()
        self.invoice(one | other)
        return self.sent("invoice")

    def fail_3(self):
        """The invoice's order was deleted in the store"""
        sale, there = self.make_order()
        self.store.store.delete("order", there)
        self.invoice(sale)
        return self.sent("invoice")

    def fail_4(self):
        """The shipped order was deleted in the store"""
        picking, there = self.make_delivery()
        self.store.store.delete("order", there)
        self.deliver(picking)
        return self.sent("shipment")

    def fail_5(self):
        """A delivered product has no SKU"""
        picking, _there = self.make_delivery()
        picking.move_ids.product_id.default_code = False
        self.deliver(picking)
        return self.sent("shipment")

    def fail_6(self):
        """A credit note of more than the store was paid"""
        sale, _there = self.make_order((self.mug, 1, 5000, 0))
        move = self.invoice(sale)
        self.drain()
        self.credit(move)
        return self.sent("credit_note")

    def fail_7(self):
        """The credited order was deleted in the store"""
        sale, there = self.make_order()
        move = self.invoice(sale)
        self.drain()
        self.store.store.delete("order", there)
        self.credit(move)
        return self.sent("credit_note")


class TestOrderPage(Failures, OrderCase):
    section = "Orders from WooCommerce, with their customers"

    def test_the_page_says_what_staff_see(self):
        self.product.name = "Blue mug"
        self.check_page()

    def placed(self, **order):
        self.place_order(**order)
        return self.jobs(("kind", "=", "order"))[-1]

    def unbind(self):
        self.env["commerce.binding"].search([("resource", "=", "variant")]).unlink()

    def fail_1(self):
        """A product that Odoo does not have"""
        self.unbind()
        self.product.default_code = "OTHER"
        return self.placed()

    def fail_2(self):
        """Two products in Odoo have the SKU"""
        self.unbind()
        self.make_product("MUG-B")
        return self.placed()

    def fail_3(self):
        """The order's currency is not active in Odoo"""
        self.env["res.currency"].search([("name", "=", "CHF")]).active = False
        return self.placed(currency="CHF")

    def fail_4(self):
        """Odoo's taxes lead to another total"""
        tax = self.env["account.tax"].create(
            {"name": "Invented 19%", "amount": 19, "type_tax_use": "sale"}
        )
        self.env["commerce.binding"].create(
            {
                "connection_id": self.connection.id,
                "resource": "tax",
                "model": "account.tax",
                "res_id": tax.id,
                "external_id": "1",
            }
        )
        return self.placed(billing={"country": "US", "state": "CA"})


class TestRecordPage(Failures, HttpCase):
    section = "Records to any system (http)"

    def test_the_page_says_what_staff_see(self):
        self.check_page()

    def clear_faults(self):
        self.replies.clear()

    def sent(self, *replies, lines=(NAME, EMAIL), partner=None, **flow):
        made = self.make_flow(list(lines), **flow)
        self.replies[:] = replies
        self.make_partner("ada", **(partner or {}))
        self.drain()
        return self.jobs(("flow_id", "=", made.id))

    def fail_1(self):
        """A required value is empty"""
        return self.sent(partner={"email": False})

    def fail_2(self):
        """The system refuses the record"""
        refusal = answer({"message": "The address is blocked"}, "422 Unprocessable")
        return self.sent(refusal, record_answer_message="body.message")

    def fail_3(self):
        """The system says yes and means no"""
        reply = answer({"ok": False, "error": {"text": "The list is full"}})
        return self.sent(reply, record_success="body.ok", record_answer_message="body.error.text")

    def fail_4(self):
        """The path does not exist"""
        return self.sent(answer({}, "404 Not Found"))

    def fail_5(self):
        """The system refuses the credentials"""
        return self.sent(answer({}, "401 Unauthorized"))

    def fail_6(self):
        """The system asks to slow down"""
        return self.sent(answer({}, "429 Too Many Requests"))

    def fail_7(self):
        """The system is overloaded"""
        return self.sent(answer({}, "503 Service Unavailable"))

    def fail_8(self):
        """The system sends us elsewhere"""
        return self.sent(answer({}, "302 Found"))


@pytest.mark.node
class TestShopifyPage(Failures, ShopifyCase):
    section = "Shopify"

    def setUp(self):
        super().setUp()
        self.env["commerce.mapping"].action_read(self.shopify.ids)
        self.places = self.env["commerce.mapping"].search(
            [("connection_id", "=", self.shopify.id), ("resource", "=", "location")]
        )
        self.places[0].warehouse_id = self.warehouse
        self.flow = self.add_flow("inventory", stock_basis="on_hand")
        self.mug = self.make_product("MUG-B", 5, name="Blue mug")

    def test_the_page_says_what_staff_see(self):
        self.check_page()

    def clear_faults(self):
        self.shop.clear_faults()

    def sent(self):
        self.flow.enqueue(self.mug.ids)
        self.drain()
        return self.jobs(("flow_id", "=", self.flow.id))[-1]

    def break_by(self, fault, **parameters):
        self.publish_there(self.mug)
        self.shop.fault(fault, times=1, **parameters)
        return self.sent()

    def fail_1(self):
        """No warehouse is mapped to a location"""
        self.publish_there(self.mug)
        self.places[0].warehouse_id = False
        return self.sent()

    def fail_2(self):
        """Shopify has an error of its own"""
        return self.break_by("http_500_before")

    def fail_3(self):
        """Shopify asks to slow down"""
        return self.break_by("rate_limit", retry_after=60)

    def fail_4(self):
        """Shopify refuses the token"""
        return self.break_by("unauthorized")

    def fail_5(self):
        """The variant was deleted in the shop"""
        variant = self.publish_there(self.mug)
        item = str(variant["inventory_item_id"])
        self.shop.store.delete("item", int(item))
        self.shop.store.delete("variant", int(variant["id"]))
        return self.sent()

    def fail_6(self):
        """The shipped order was deleted in the shop"""
        self.add_flow("shipment")
        sale, there = self.order_there(self.publish_there(self.mug), self.mug, 1)
        self.shop.store.delete("order", there)
        for move in sale.picking_ids.move_ids:
            move.quantity, move.picked = move.product_uom_qty, True
        sale.picking_ids.button_validate()
        self.drain()
        return self.jobs(("kind", "=", "shipment"))


class TestMedusaPage(Failures, MedusaCase):
    section = "Medusa"

    @classmethod
    def open_store(cls, webhook_url):
        cls.sandbox = MedusaStore()
        cls.sandbox.start()
        cls.addClassCleanup(cls.sandbox.stop)
        cls.sandbox.webhook_url, cls.sandbox.webhook_secret = webhook_url, SECRET
        return Visitor(cls.sandbox)

    def test_the_page_says_what_staff_see(self):
        self.check_page()

    def clear_faults(self):
        self.sandbox.clear_faults()

    def sent(self, product):
        self.drain()
        return self.job_of(("res_id", "=", product.id))

    def break_by(self, sku, fault, **parameters):
        product, _theirs = self.sell(sku, 5)
        self.sandbox.fault(fault, **parameters)
        return self.sent(product)

    def fail_1(self):
        """Medusa is down"""
        return self.break_by("DOWN", "down")

    def fail_2(self):
        """Medusa has an error of its own"""
        return self.break_by("ERROR", "http_500_before")

    def fail_3(self):
        """Medusa refuses the key"""
        return self.break_by("KEY", "unauthorized")

    def fail_4(self):
        """Medusa refuses one item"""
        product, theirs = self.sell("REFUSED", 5)
        item = theirs["variants"][0]["inventory_item_id"]
        self.sandbox.fault("bad_item", id=item, message="Quantity not allowed.")
        return self.sent(product)

    def fail_5(self):
        """The product was deleted in Medusa"""
        product, theirs = self.sell("DELETED", 5)
        self.medusa.request("DELETE", f"/admin/products/{theirs['id']}")
        return self.sent(product)

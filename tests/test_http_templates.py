"""Each template end to end, with a receiver or a sender on loopback."""

import base64
import json

from odoo import Command
from odoo.exceptions import UserError
from odoo.tests import HttpCase as OdooHttpCase

from ..adapters import standard_webhooks
from .test_http_flows import NAME, SECRET, HttpCase
from .test_shipments import Deliveries


class TemplateCase(HttpCase):
    def make(self, template, **values):
        wizard = self.env["commerce.flow.template"].create(
            {"connection_id": self.system.id, "template": template}
        )
        flow = self.env["commerce.flow"].browse(wizard.action_make()["res_id"])
        flow.write({"active": True, **values})
        return flow


class TestTemplates(Deliveries, TemplateCase):
    def test_every_template_of_an_installed_app_makes_a_flow(self):
        for name in self.env["commerce.flow"]._get_templates():
            with self.subTest(template=name):
                self.assertTrue(self.make(name).mapping_line_ids)

    def test_a_flow_survives_export_and_import(self):
        flow = self.make_flow([NAME], record_success="body.ok", record_batch=5)
        config = flow.export_config()
        copy = self.env["commerce.flow"].browse(self.system.import_flow(config))
        self.assertEqual(copy.export_config(), config)
        self.assertFalse(copy.active)

    def test_the_exported_file_makes_the_same_flow_again(self):
        flow = self.make_flow([NAME])
        wizard = self.env["commerce.flow.template"].create(
            {"connection_id": self.system.id, "file": flow.record_config}
        )
        copy = self.env["commerce.flow"].browse(wizard.action_make()["res_id"])
        self.assertEqual(copy.export_config(), flow.export_config())

    def test_a_file_that_is_no_flow_is_refused_in_words(self):
        for content in (b"{", b"[]", b"\xff", b'{"name": 1}'):
            wizard = self.env["commerce.flow.template"].create(
                {"connection_id": self.system.id, "file": base64.b64encode(content)}
            )
            with self.subTest(content=content), self.assertRaises(UserError):
                wizard.action_make()

    def test_a_change_of_stock_is_sent_in_batches(self):
        self.make("stock_to_storefronts").domain = "[('default_code', 'like', 'TPL-')]"
        product = self.make_product("TPL-1", quantity=5)
        self.drain()
        self.set_stock(product, 3)
        self.drain()
        sent = [level["available"] for body in self.bodies() for level in body["levels"]]
        self.assertEqual(sent[-1], 3.0)

    def test_invoices_are_rows_each_once_for_each_state(self):
        self.make("invoices_to_reports")
        invoice = self.env["account.move"].create(
            {
                "move_type": "out_invoice",
                "partner_id": self.make_partner("ada").id,
                "invoice_line_ids": [Command.create({"name": "Mug", "price_unit": 10.0})],
            }
        )
        self.drain()
        self.assertFalse(self.wire.asked)
        invoice.action_post()
        self.drain()
        self.env["account.payment.register"].with_context(
            active_model="account.move", active_ids=invoice.ids
        ).create({})._create_payments()
        self.drain()
        self.drain()
        rows = [row for body in self.bodies() for row in body["rows"]]
        self.assertEqual({row["number"] for row in rows}, {invoice.name})
        self.assertEqual(rows[0]["state"], "posted")
        self.assertEqual(rows[0]["payment"], "not_paid")
        self.assertIn(rows[-1]["payment"], ("paid", "in_payment"))
        self.assertEqual(len(rows), 2)
        before = len(self.wire.asked)
        self.env["commerce.flow"]._cron_sweep()
        self.drain()
        self.assertEqual(len(self.wire.asked), before)

    def test_a_delivery_is_a_signed_event_with_tracking(self):
        self.system.http_auth = "standard_webhooks"
        self.system.set_credentials({"signing_secret": SECRET})
        self.make("shipments_to_notices")
        product = self.make_product("TPL-2", quantity=5)
        order = self.env["sale.order"].create(
            {
                "partner_id": self.make_partner("ada").id,
                "order_line": [Command.create({"product_id": product.id})],
            }
        )
        order.action_confirm()
        self.drain()
        self.assertFalse(self.wire.asked)
        self.deliver(order.picking_ids, tracking="T-1")
        self.drain()
        [asked] = self.wire.asked
        self.assertTrue(standard_webhooks.verify(asked.headers_as_sent, asked.body, [SECRET]))
        event = asked.json()
        self.assertEqual(event["type"], "shipment.done")
        self.assertEqual(event["data"]["tracking"], "T-1")
        self.assertEqual(event["data"]["email"], "ada@example.com")
        self.assertEqual(event["data"]["order"], order.name)

    def test_a_dashboard_gets_snapshots_on_a_schedule_and_changes_at_once(self):
        flow = self.make("contacts_to_dashboard", domain="[('comment', 'ilike', 'in the test')]")
        partner = self.make_partner("ada")
        self.drain()
        self.assertFalse(self.wire.asked)
        self.env["commerce.flow"]._cron_sweep()
        self.drain()
        self.assertEqual(self.bodies()[-1]["rows"][0]["name"], "ada")
        flow.trigger = "change"
        partner.name = "lovelace"
        self.drain()
        self.assertEqual(self.bodies()[-1]["rows"][0]["name"], "lovelace")
        self.assertEqual(len(self.wire.asked), 2)


class TestTemplatesIn(TemplateCase, OdooHttpCase):
    def setUp(self):
        super().setUp()
        self.system.set_credentials({"webhook_secret": SECRET})

    def post(self, kind, data, identity="msg_1"):
        body = json.dumps({"type": kind, "data": data}).encode()
        answer = self.url_open(
            f"/commerce_sync/webhook/{self.system.webhook_key}",
            data=body,
            headers=standard_webhooks.headers([SECRET], identity, body),
        )
        self.assertEqual(answer.status_code, 200)
        self.drain()
        self.env.invalidate_all()

    def made(self, flow):
        """What the flow's messages made."""
        [job] = self.jobs(("flow_id", "=", flow.id))
        self.assertEqual((job.state, job.error_message), ("done", False))
        bindings = self.env["commerce.binding"].search(
            [("connection_id", "=", self.system.id), ("model", "=", flow.record_model)]
        )
        return self.env[flow.record_model].browse(bindings.mapped("res_id"))

    def test_a_lead_becomes_a_subscriber_and_unsubscribing_comes_back(self):
        if "crm.lead" not in self.env:
            self.skipTest("crm is not installed")
        self.make("leads_to_newsletter")
        lead = self.env["crm.lead"].create(
            {"name": "Mugs", "email_from": "ada@example.com", "contact_name": "Ada"}
        )
        self.drain()
        [subscriber] = self.bodies()
        self.assertEqual((subscriber["email"], subscriber["name"]), ("ada@example.com", "Ada"))
        back = self.make("unsubscribed")
        self.post("subscriber.unsubscribed", {"email": "ada@example.com"})
        self.assertEqual(self.made(back).email, "ada@example.com")
        lead.invalidate_recordset()
        self.assertTrue(lead.is_blacklisted)

    def test_a_ticket_becomes_a_task(self):
        if "project.task" not in self.env:
            self.skipTest("project is not installed")
        project = self.env["project.project"].create({"name": "Support"})
        flow = self.make("tickets_in")
        self.post("ticket.opened", {"id": "T-1", "subject": "Broken mug", "text": "It leaks."})
        task = self.made(flow)
        self.assertEqual((task.name, task.project_id), ("Broken mug", project))
        self.assertIn("It leaks.", task.description)

    def test_an_order_of_any_shop_becomes_a_sales_order(self):
        product = self.make_product("TPL-3")
        partner = self.make_partner("ada")
        flow = self.make("orders_in")
        lines = [{"sku": "TPL-3", "quantity": 2, "price": "9.50"}]
        self.post(
            "order.placed",
            {"id": 5, "number": "S-5", "customer": {"email": partner.email}, "lines": lines},
        )
        order = self.made(flow)
        self.assertEqual((order.client_order_ref, order.partner_id), ("S-5", partner))
        line = order.order_line
        self.assertEqual(
            (line.product_id, line.product_uom_qty, line.price_unit), (product, 2, 9.5)
        )

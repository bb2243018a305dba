"""The log is found by what people have in hand, and a selection of documents can be looked at
before it is sent."""

from .test_invoice_flow import InvoiceCase
from .test_order_import import OrderCase


class TestLookupOfOrders(OrderCase):
    def look_for(self, text, model):
        return self.env[model].search([("look_for", "ilike", text)])

    def test_an_order_is_found_by_its_numbers_and_its_customer(self):
        order = self.place_order()
        sale = self.sales(order)
        for text in (str(order["number"]), sale.name, sale.partner_id.name):
            with self.subTest(text=text):
                self.assertIn("order", self.look_for(text, "commerce.job").mapped("kind"))

    def test_the_sync_log_knows_an_order_that_came_in_by_its_number(self):
        order = self.place_order()
        found = self.look_for(str(order["number"]), "commerce.attempt")
        self.assertEqual(found.mapped("kind"), ["order"])
        self.assertEqual(found.document, f"#{order['number']}")
        self.assertEqual(found.external_id, str(order["id"]))

    def test_the_job_of_a_message_leads_to_it_and_back(self):
        self.place_order()
        event = self.events()[-1]
        job = self.jobs(("kind", "=", "order"))[-1]
        self.assertEqual(job.action_open_record()["res_id"], event.id)
        action = event.action_view_jobs()
        self.assertIn(job, self.env[action["res_model"]].search(action["domain"]))


class TestLookupOfInvoices(InvoiceCase):
    def setUp(self):
        super().setUp()
        sale, _there = self.make_order()
        self.move = self.invoice(sale)

    def test_an_invoice_is_found_by_its_number_and_its_customer(self):
        self.drain()
        for model in ("commerce.job", "commerce.attempt"):
            for text in (self.move.name, "Invented Person"):
                with self.subTest(model=model, text=text):
                    found = self.env[model].search([("look_for", "ilike", text)])
                    self.assertIn(self.move.id, found.mapped("res_id"))

    def test_a_selection_is_looked_at_and_nothing_is_sent(self):
        other, _there = self.make_order()
        self.invoice(other)
        self.flush()
        action = self.env["commerce.flow"].action_preview_documents("account.move", self.move.ids)
        preview = self.env["commerce.preview"].browse(action["res_id"])
        self.assertEqual(preview.line_ids.flow_id, self.invoice_flow)
        self.assertEqual((preview.looked_at, preview.line_ids.state), (1, "send"))
        self.assertFalse([one for one in self.store.requests if one.method != "GET"])

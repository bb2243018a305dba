"""Posted invoices arrive at their order in the store: once, to the cent, and in words if not."""

from datetime import date

import requests
from odoo import Command
from odoo.exceptions import ValidationError
from odoo.tests import HttpCase, new_test_user, tagged

from .common import StoreCase


class InvoiceCase(StoreCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        company = cls.env.company
        if not company.chart_template:
            cls.env["account.chart.template"].try_loading(
                "generic_coa", company, install_demo=False
            )
        cls.invoice_flow = cls.env["commerce.flow"].create(
            {"connection_id": cls.connection.id, "kind": "invoice"}
        )
        cls.partner = cls.env["res.partner"].create({"name": "Invented Person"})
        cls.tax = cls.env["account.tax"].create(
            {"name": "Invented 7%", "amount": 7, "amount_type": "percent", "type_tax_use": "sale"}
        )
        cls.mug = cls.make_goods("MUG-B", "Blue mug")
        cls.tea = cls.make_goods("TEA", "Green tea")

    @classmethod
    def make_goods(cls, sku, name):
        return cls.env["product.product"].create(
            {
                "name": name,
                "default_code": sku,
                "invoice_policy": "order",
                "taxes_id": [Command.set(cls.tax.ids)],
            }
        )

    def make_order(self, *lines, bound=True, **vals):
        """A confirmed order, also in the store. ``lines``: (product, quantity, price, discount)

        :return: the order, its id in the store
        """
        order = self.env["sale.order"].create(
            {
                "partner_id": self.partner.id,
                "order_line": [
                    Command.create(
                        {
                            "product_id": product.id,
                            "product_uom_qty": quantity,
                            "price_unit": price,
                            "discount": discount,
                        }
                    )
                    for product, quantity, price, discount in lines or [(self.mug, 1, 10, 0)]
                ],
                **vals,
            }
        )
        order.action_confirm()
        (external_id,) = self.store.seed({"orders": [{"status": "processing"}]})["orders"]
        if bound:
            self.bind(order, external_id)
        return order, external_id

    def bind(self, order, external_id):
        self.env["commerce.binding"].create(
            {
                "connection_id": self.connection.id,
                "resource": "order",
                "model": "sale.order",
                "res_id": order.id,
                "external_id": str(external_id),
                "external_ref": str(external_id),
            }
        )

    def invoice(self, orders, **vals):
        """The posted invoice of orders."""
        move = orders._create_invoices()
        move.write({"invoice_date": "2026-03-02", "invoice_date_due": "2026-04-01", **vals})
        move.action_post()
        return move

    def pay(self, move, amount=None):
        wizard = self.env["account.payment.register"].with_context(
            active_model="account.move", active_ids=move.ids
        )
        wizard.create({"amount": amount} if amount else {})._create_payments()

    def fields_of(self, external_id):
        """``{key: value}`` of the order's custom fields, as the store shows them."""
        order = self.store_get(f"orders/{external_id}")
        return {meta["key"]: meta["value"] for meta in order["meta_data"]}

    def field(self, external_id, move):
        return self.fields_of(external_id)[f"_commerce_sync_invoice:{move.name}"]

    def notes(self, external_id, number="INV/"):
        """The texts of the order's notes about an invoice."""
        notes = self.store_get(f"orders/{external_id}/notes")
        return [note["note"] for note in notes if number in note["note"]]


class TestSending(InvoiceCase):
    def test_a_posted_invoice_arrives_at_its_order(self):
        order, external_id = self.make_order((self.mug, 3, 9.99, 12.5), (self.tea, 7, 1.235, 0))
        move = self.invoice(order)
        self.drain()
        job = self.jobs()
        self.assertEqual((job.state, job.outcome, job.document), ("done", "created", move.name))
        field = self.field(external_id, move)
        self.assertEqual(field["number"], move.name)
        self.assertEqual(field["date"], "2026-03-02")
        self.assertEqual(field["due_date"], "2026-04-01")
        self.assertEqual(field["currency"], self.env.company.currency_id.name)
        self.assertEqual(field["state"], "posted")
        self.assertEqual(field["payment_state"], "not_paid")
        self.assertEqual(len(self.notes(external_id, move.name)), 1)
        binding = self.env["commerce.binding"].search([("model", "=", "account.move")])
        self.assertEqual((binding.res_id, binding.resource), (move.id, "invoice"))
        self.assertEqual(binding.external_id, f"{external_id}:{move.name}")

    def assertAmounts(self, field, move):
        digits = move.currency_id.decimal_places
        for name, amount in {
            "untaxed": move.amount_untaxed,
            "tax": move.amount_tax,
            "total": move.amount_total,
            "residual": move.amount_residual,
        }.items():
            self.assertEqual(field[name], f"{amount:.{digits}f}", name)

    def test_amounts_are_odoos_to_the_cent(self):
        for lines in (
            [(self.mug, 3, 9.99, 12.5), (self.tea, 7, 1.235, 0)],
            [(self.mug, 3, 0.335, 33.33)] * 3,
            [(self.mug, 1, 10, 100)],
            [(self.mug, 1, 1234567.89, 0)],
        ):
            with self.subTest(lines=[line[1:] for line in lines]):
                order, external_id = self.make_order(*lines)
                move = self.invoice(order)
                self.drain()
                field = self.field(external_id, move)
                self.assertAmounts(field, move)
                cents = [round(float(field[name]) * 100) for name in ("untaxed", "tax", "total")]
                self.assertEqual(cents[0] + cents[1], cents[2])

    def test_the_document_carries_lines_and_taxes(self):
        order, _external_id = self.make_order((self.mug, 3, 9.99, 12.5), (self.tea, 7, 1.235, 0))
        move = self.invoice(order)
        document = self.invoice_flow._get_mapper().prepare(move)[move.id]
        self.assertEqual([line.sku for line in document.lines], ["MUG-B", "TEA"])
        self.assertEqual(sum(line.subtotal for line in document.lines), document.untaxed)
        self.assertEqual(
            [f"{line.total:.2f}" for line in document.lines],
            [f"{line.price_total:.2f}" for line in move.invoice_line_ids],
        )
        self.assertEqual(sum(tax.amount for tax in document.taxes), document.tax)
        self.assertEqual({tax.base for tax in document.taxes}, {document.untaxed})

    def test_prices_that_include_the_tax(self):
        self.tax.price_include_override = "tax_included"
        order, external_id = self.make_order((self.mug, 3, 9.99, 0))
        move = self.invoice(order)
        self.drain()
        self.assertEqual(self.field(external_id, move)["total"], "29.97")
        self.assertAmounts(self.field(external_id, move), move)

    def test_a_foreign_currency_is_the_invoices_own(self):
        euro = self.env.ref("base.EUR") | self.env.ref("base.CHF")
        euro = (euro - self.env.company.currency_id)[0]
        euro.active = True
        self.env["res.currency.rate"].create(
            {"currency_id": euro.id, "rate": 0.5, "name": "2020-01-01"}
        )
        pricelist = self.env["product.pricelist"].create({"name": "Abroad", "currency_id": euro.id})
        order, external_id = self.make_order((self.mug, 3, 9.99, 0), pricelist_id=pricelist.id)
        move = self.invoice(order)
        self.assertEqual(move.currency_id, euro)
        self.drain()
        field = self.field(external_id, move)
        self.assertEqual(field["currency"], euro.name)
        self.assertAmounts(field, move)
        document = self.invoice_flow._get_mapper().prepare(move)[move.id]
        self.assertEqual(sum(tax.amount for tax in document.taxes), document.tax)

    def test_a_currency_without_cents(self):
        yen = self.env.ref("base.JPY")
        yen.active = True
        pricelist = self.env["product.pricelist"].create({"name": "Yen", "currency_id": yen.id})
        order, external_id = self.make_order((self.mug, 3, 999, 0), pricelist_id=pricelist.id)
        move = self.invoice(order)
        self.drain()
        self.assertEqual(self.field(external_id, move)["total"], "3207")

    def test_a_payment_is_told_and_makes_no_second_note(self):
        order, external_id = self.make_order((self.mug, 1, 100, 0))
        move = self.invoice(order)
        self.drain()
        self.pay(move, 50)
        self.drain()
        field = self.field(external_id, move)
        self.assertEqual((field["payment_state"], field["residual"]), ("partial", "57.00"))
        self.pay(move)
        self.drain()
        field = self.field(external_id, move)
        self.assertEqual((field["payment_state"], field["residual"]), (move.payment_state, "0.00"))
        self.assertIn(move.payment_state, ("paid", "in_payment"))
        self.assertEqual(len(self.notes(external_id)), 1)
        self.assertEqual(self.jobs().mapped("outcome"), ["created", "updated", "updated"])

    def test_a_cancelled_invoice_is_told(self):
        order, external_id = self.make_order()
        move = self.invoice(order)
        self.drain()
        move.button_draft()
        self.drain()
        self.assertEqual(self.field(external_id, move)["state"], "posted")
        move.button_cancel()
        self.drain()
        self.assertEqual(self.field(external_id, move)["state"], "cancelled")
        self.assertTrue(any("cancelled" in note for note in self.notes(external_id)))

    def test_an_order_with_two_invoices_shows_both(self):
        order, external_id = self.make_order((self.mug, 2, 10, 0))
        first = order._create_invoices()
        first.invoice_line_ids.quantity = 1
        first.action_post()
        second = self.invoice(order)
        self.drain()
        self.assertEqual(self.field(external_id, first)["total"], "10.70")
        self.assertEqual(self.field(external_id, second)["total"], "10.70")
        self.assertEqual(len(self.notes(external_id)), 2)

    def test_what_did_not_change_is_not_sent_again(self):
        order, _external_id = self.make_order()
        move = self.invoice(order)
        self.drain()
        asked = len(self.store.requests)
        move.ref = "a remark"
        self.invoice_flow.enqueue(move.ids)
        self.drain()
        self.assertEqual(self.jobs()[-1].outcome, "unchanged")
        self.assertEqual(len(self.store.requests), asked)

    def test_resend_makes_no_second_note(self):
        order, external_id = self.make_order()
        move = self.invoice(order)
        self.drain()
        self.assertEqual(self.jobs().action_resend(), 1)
        self.drain()
        self.assertEqual(self.jobs().state, "done")
        move.action_commerce_send()
        self.drain()
        self.assertEqual(len(self.notes(external_id)), 1)
        self.assertEqual(len(self.fields_of(external_id)), 1)

    def test_the_note_goes_to_whom_the_flow_says(self):
        for choice, count, to_customer in (("none", 0, set()), ("customer", 1, {True})):
            with self.subTest(choice=choice):
                self.invoice_flow.invoice_note = choice
                order, external_id = self.make_order()
                self.invoice(order)
                self.drain()
                notes = self.store_get(f"orders/{external_id}/notes")
                notes = [note for note in notes if "INV/" in note["note"]]
                self.assertEqual(len(notes), count)
                self.assertEqual({note["customer_note"] for note in notes}, to_customer)

    def test_one_way_at_least_is_chosen(self):
        with self.assertRaisesRegex(ValidationError, "at least one way"):
            self.invoice_flow.write({"invoice_meta": False, "invoice_note": "none"})


class TestWhich(InvoiceCase):
    """Which invoices are sent."""

    def test_a_draft_makes_no_job(self):
        order, _external_id = self.make_order()
        order._create_invoices()
        self.flush()
        self.assertFalse(self.jobs())

    def test_an_invoice_of_an_unbound_order_makes_no_job_until_it_is_bound(self):
        order, external_id = self.make_order(bound=False)
        move = self.invoice(order)
        self.flush()
        self.assertFalse(self.jobs())
        self.assertEqual(move.action_commerce_send()["params"]["type"], "warning")
        self.bind(order, external_id)
        self.assertEqual(move.action_commerce_send()["params"]["type"], "success")
        self.drain()
        self.assertTrue(self.field(external_id, move))

    def test_an_order_bound_by_matching_gets_its_invoices(self):
        order, external_id = self.make_order(bound=False)
        order.client_order_ref = str(external_id)
        move = self.invoice(order)
        matching = self.env["commerce.matching"].create(
            {"connection_id": self.connection.id, "resource": "order"}
        )
        matching.action_read()
        self.flush()
        with self.enter_registry_test_mode():
            matching._read_all(matching.id)
        matching.action_confirm()
        self.invoice_flow.action_sync_now()
        self.drain()
        self.assertTrue(self.field(external_id, move))

    def test_an_invoice_without_order_makes_no_job(self):
        move = self.env["account.move"].create(
            {
                "move_type": "out_invoice",
                "partner_id": self.partner.id,
                "invoice_line_ids": [Command.create({"product_id": self.mug.id})],
            }
        )
        move.action_post()
        self.flush()
        self.assertFalse(self.jobs())

    def test_a_credit_note_is_not_sent_but_what_it_does_to_its_invoice_is(self):
        order, external_id = self.make_order()
        move = self.invoice(order)
        self.drain()
        wizard = self.env["account.move.reversal"].with_context(
            active_model="account.move", active_ids=move.ids
        )
        wizard = wizard.create({"journal_id": move.journal_id.id, "date": date(2026, 3, 5)})
        credit = self.env["account.move"].browse(wizard.refund_moves()["res_id"])
        credit.action_post()
        self.assertEqual(credit.move_type, "out_refund")
        credit.action_commerce_send()
        self.drain()
        self.assertEqual(set(self.jobs().mapped("res_id")), set(move.ids))
        self.assertNotIn(credit.name, str(self.fields_of(external_id)))
        self.assertEqual(self.field(external_id, move)["payment_state"], move.payment_state)

    def test_invoices_outside_the_filter_make_no_job(self):
        self.invoice_flow.domain = "[('amount_total', '>', 50)]"
        for price in (10, 100):
            self.invoice(self.make_order((self.mug, 1, price, 0))[0])
        self.flush()
        self.assertEqual(len(self.jobs()), 1)

    def test_one_set_back_to_draft_before_its_turn_is_skipped(self):
        order, _external_id = self.make_order()
        move = self.invoice(order)
        self.flush()
        move.button_draft()
        self.drain()
        self.assertEqual((self.jobs().state, self.jobs().outcome), ("done", "skipped"))
        self.assertFalse(self.store.requests)

    def test_a_rollback_leaves_no_job(self):
        order, _external_id = self.make_order()
        with self.assertRaises(ValidationError), self.env.cr.savepoint():
            self.invoice(order)
            self.flush()
            self.assertTrue(self.jobs())
            raise ValidationError("no")
        self.flush()
        self.assertFalse(self.jobs())


class TestProblems(InvoiceCase):
    def test_a_line_without_sku_is_named(self):
        self.mug.default_code = False
        order, external_id = self.make_order((self.tea, 1, 10, 0), (self.mug, 1, 10, 0))
        move = self.invoice(order)
        self.drain()
        job = self.jobs()
        self.assertEqual((job.state, job.error_kind), ("failed", "validation"))
        self.assertEqual(
            job.error_message,
            f"Cannot send invoice {move.name} to Demo Store: line 2 'Blue mug' has no SKU.",
        )
        self.assertEqual(job.error_hint, "Set the product's Internal Reference, then press Resend.")
        self.assertEqual(job.document, move.name)
        self.assertFalse(self.store.requests)
        self.mug.default_code = "MUG-B"
        job.action_resend()
        self.drain()
        self.assertEqual(job.state, "done")
        self.assertTrue(self.field(external_id, move))

    def test_all_problems_are_named_at_once(self):
        (self.mug | self.tea).default_code = False
        orders = [self.make_order((product, 1, 10, 0))[0] for product in (self.mug, self.tea)]
        move = self.invoice(orders[0] | orders[1])
        self.drain()
        job = self.jobs()
        self.assertEqual(
            job.error_message,
            f"Cannot send invoice {move.name} to Demo Store: line 1 'Blue mug' has no SKU; "
            f"line 2 'Green tea' has no SKU; it covers several orders of the store "
            f"({orders[0].name}, {orders[1].name}).",
        )
        self.assertEqual(
            job.error_hint,
            "Set the product's Internal Reference, then press Resend. "
            "Invoice each of them by itself, or send it by hand.",
        )

    def test_lines_are_counted_as_the_form_shows_them(self):
        self.mug.default_code = False
        order, _external_id = self.make_order((self.tea, 1, 10, 0), (self.mug, 1, 10, 0))
        section = {"display_type": "line_section", "name": "A section", "sequence": 0}
        move = order._create_invoices()
        move.write({"invoice_line_ids": [Command.create({**section, "move_id": move.id})]})
        move.action_post()
        self.drain()
        self.assertIn("line 2 'Blue mug' has no SKU", self.jobs().error_message)

    def test_a_line_of_text_without_product_is_named_by_its_text(self):
        order, _external_id = self.make_order()
        move = order._create_invoices()
        extra = {"name": "Gift wrapping\nin red", "price_unit": 2, "quantity": 1, "sequence": 99}
        move.write({"invoice_line_ids": [Command.create(extra)]})
        move.action_post()
        self.drain()
        self.assertIn("line 2 'Gift wrapping' has no SKU.", self.jobs().error_message)

    def test_a_store_that_fails_after_the_work_gets_one_note(self):
        for fault in ("http_500_after", "reset", "malformed"):
            for path in ("/notes$|/notes[?]", r"orders/\d+[?]?[^/]*$"):
                with self.subTest(fault=fault, path=path):
                    order, external_id = self.make_order()
                    move = self.invoice(order)
                    self.store.fault(fault, path=path, method="POST,PUT", times=1)
                    self.drain()
                    job = self.jobs(("res_id", "=", move.id))
                    self.assertEqual((job.state, job.error_kind), ("pending", "temporary"))
                    self.assertEqual(job.attempts, 1)
                    self.be_due()
                    self.drain()
                    self.assertEqual(job.state, "done")
                    self.assertEqual(len(self.notes(external_id)), 1)
                    self.assertEqual(
                        list(self.fields_of(external_id)), [f"_commerce_sync_invoice:{move.name}"]
                    )
                    self.assertEqual(
                        self.attempts(("job_id", "=", job.id)).mapped("state"), ["retry", "done"]
                    )

    def test_an_order_deleted_in_the_store_is_said(self):
        order, external_id = self.make_order()
        self.store_delete(f"orders/{external_id}", force="true")
        move = self.invoice(order)
        self.drain()
        job = self.jobs()
        self.assertEqual((job.state, job.error_kind), ("failed", "missing"))
        self.assertIn(move.name, job.error_message)
        self.assertIn("no longer exists in the store", job.error_message)
        self.assertTrue(job.error_hint)

    def store_delete(self, path, **params):
        answer = requests.delete(
            f"{self.store.url}/wp-json/wc/v3/{path}",
            params=params,
            auth=(self.store.key, self.store.secret),
            timeout=10,
        )
        answer.raise_for_status()

    def test_without_the_right_to_see_invoices_the_job_fails_in_words(self):
        order, _external_id = self.make_order()
        move = self.invoice(order)
        self.connection.user_id = new_test_user(self.env, "clerk", "base.group_user")
        self.drain()
        job = self.jobs()
        self.assertEqual((job.state, job.error_kind), ("failed", "validation"))
        self.assertIn("Cannot send invoice", job.error_message)
        self.assertIn("account.move", job.error_message)
        self.assertTrue(move.name)
        self.assertFalse(self.store.requests)

    def test_the_log_holds_no_key_to_the_invoice(self):
        order, _external_id = self.make_order()
        move = self.invoice(order)
        self.drain()
        self.assertTrue(move.access_token)
        attempt = self.attempts()
        self.assertIn(move.name, attempt.request_summary)
        self.assertNotIn(move.access_token, attempt.request_summary)
        self.assertNotIn(move.access_token, attempt.response_summary or "")


@tagged("post_install", "-at_install")
class TestLink(InvoiceCase, HttpCase):
    """The link in the store opens without signing in."""

    def drain(self, **kwargs):
        drained = super().drain(**kwargs)
        self.env.invalidate_all()  # a HttpCase does not, after working with other cursors
        return drained

    def open_link(self, wkhtmltopdf):
        """What the link in the store answers; whether this machine makes PDFs is no matter."""
        self.patch(
            self.registry["ir.actions.report"], "get_wkhtmltopdf_state", lambda _self: wkhtmltopdf
        )
        order, external_id = self.make_order()
        move = self.invoice(order)
        self.drain()
        url = self.field(external_id, move)["url"]
        self.assertTrue(url.startswith(self.base_url()), url)
        answer = self.url_open(url)
        self.assertEqual(answer.status_code, 200, answer.text[:2000])
        self.assertIn(move.name, answer.text)  # in tests, Odoo renders HTML also for a PDF
        return answer.headers["Content-Type"]

    def test_the_link_serves_the_pdf_to_whoever_has_it(self):
        self.assertEqual(self.open_link("ok"), "application/pdf")

    def test_the_link_serves_a_page_where_the_server_makes_no_pdf(self):
        self.assertEqual(self.open_link("install"), "text/html")

    def test_without_its_token_the_link_opens_nothing(self):
        order, external_id = self.make_order()
        move = self.invoice(order)
        self.drain()
        url = self.field(external_id, move)["url"]
        answer = self.url_open(url.replace(move.access_token, "0" * 36))
        self.assertNotIn(move.name, answer.text)
        self.assertNotIn(f"/my/invoices/{move.id}", answer.url)

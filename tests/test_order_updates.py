from .test_order_import import OrderCase


class TestOrderUpdates(OrderCase):
    def setUp(self):
        super().setUp()
        self.subscribe("order.updated")
        self.product.invoice_policy = "order"

    def place_paid(self, **order):
        item = {"sku": "MUG-B", "quantity": 2, "subtotal": "20.00", "total": "20.00"}
        return self.place_order(
            line_items=[item],
            set_paid=True,
            payment_method="stripe",
            payment_method_title="Card",
            transaction_id="pi_1",
            shipping_lines=[{"method_id": "flat_rate", "method_title": "Flat", "total": "5.00"}],
            **order,
        )

    def refund(self, order, **refund):
        with self.allow_requests(all_requests=True):
            made = self.store_send("POST", f"orders/{order['id']}/refunds", refund)
            self.store.wait_for_webhooks()
        self.drain()
        self.env.invalidate_all()
        return made

    def invoice(self, sale):
        move = sale._create_invoices()
        move.action_post()
        return move

    def notices(self, sale):
        return " ".join(sale.message_ids.mapped("body"))

    def credit_notes(self, sale):
        return sale.invoice_ids.reversal_move_ids

    # === LINES === #

    def test_lines_of_a_quotation_and_of_an_untouched_order_follow_the_store(self):
        for paid in (False, True):
            self.order_flow.order_confirm = "paid" if paid else "never"
            order = self.place_paid()
            sale = self.sales(order)
            line = sale.order_line[0]
            item = {"id": order["line_items"][0]["id"], "quantity": 3, "total": "30.00"}
            changed = self.change_order(order, line_items=[{**item, "subtotal": "30.00"}])
            self.assertEqual(sale.state, "sale" if paid else "draft")
            self.assertEqual(line.product_uom_qty, 3)
            self.assertEqual(f"{sale.amount_total:.2f}", changed["total"])

    def test_an_invoiced_order_is_not_changed_and_says_so_once(self):
        order = self.place_paid()
        sale = self.sales(order)
        self.invoice(sale)
        item = {"id": order["line_items"][0]["id"], "quantity": 3, "total": "30.00"}
        self.change_order(order, line_items=[{**item, "subtotal": "30.00"}])
        self.change_order(order, customer_note="Thanks!")
        self.assertEqual(sale.order_line[0].product_uom_qty, 2)
        self.assertEqual(self.notices(sale).count("was changed in Demo Store after"), 1)

    def test_an_address_changes_until_the_goods_have_left(self):
        order = self.place_paid()
        sale = self.sales(order)
        self.change_order(order, shipping={"address_1": "9 New Lane", "city": "Springfield"})
        self.assertEqual(sale.partner_shipping_id.street, "9 New Lane")

    def test_an_event_that_changes_nothing_is_an_echo(self):
        order = self.place_paid()
        self.change_order(order, meta_data=[{"key": "_commerce_sync_invoice:1", "value": "x"}])
        self.assertEqual(self.jobs(("kind", "=", "order"))[-1].outcome, "unchanged")

    # === PAYMENTS === #

    def test_a_payment_is_noted_with_its_transaction(self):
        sale = self.sales(self.place_paid())
        self.assertIn("transaction pi_1", self.notices(sale))
        self.assertEqual(sale.state, "sale")

    def test_a_payment_is_registered_once_when_the_invoice_is_posted(self):
        self.order_flow.order_payment = "invoice"
        journal = self.env["account.journal"].search(
            [("type", "=", "bank"), ("company_id", "=", self.env.company.id)], limit=1
        )
        self.env["commerce.binding"].create(
            {
                "connection_id": self.connection.id,
                "resource": "payment_method",
                "model": "account.journal",
                "res_id": journal.id,
                "external_id": "stripe",
            }
        )
        order = self.place_paid()
        sale = self.sales(order)
        invoice = self.invoice(sale)
        self.assertIn(invoice.payment_state, ("paid", "in_payment"), self.notices(sale))
        self.change_order(order, customer_note="Thanks!")
        bound = self.env["commerce.binding"].search([("resource", "=", "payment")])
        payment = self.env["account.payment"].browse(bound.res_id)
        self.assertEqual((payment.memo, payment.journal_id), ("pi_1", journal))

    # === REFUNDS === #

    def test_a_full_refund_makes_one_draft_credit_note_over_everything(self):
        order = self.place_paid()
        sale = self.sales(order)
        invoice = self.invoice(sale)
        self.refund(order, amount=order["total"], reason="Broken", api_refund=False)
        self.change_order(order, customer_note="Thanks!")
        note = self.credit_notes(sale)
        self.assertEqual((len(note), note.state), (1, "draft"), self.jobs().mapped("error_message"))
        self.assertEqual(f"{note.amount_total:.2f}", order["total"])
        self.assertEqual((note.reversed_entry_id, note.ref), (invoice, "Broken"))

    def test_a_partial_refund_credits_the_line(self):
        order = self.place_paid()
        sale = self.sales(order)
        self.invoice(sale)
        line = order["line_items"][0]
        each = float(line["total"]) / 2
        self.refund(
            order,
            line_items=[{"id": line["id"], "quantity": 1, "refund_total": f"{each:.2f}"}],
            api_refund=False,
        )
        note = self.credit_notes(sale)
        self.assertEqual(note.invoice_line_ids[0].sale_line_ids, sale.order_line[0])
        self.assertAlmostEqual(note.amount_total, each, 2)

    def test_a_refund_without_invoice_is_told_on_the_order(self):
        order = self.place_paid()
        sale = self.sales(order)
        self.refund(order, amount="1.00", api_refund=False)
        self.assertFalse(self.credit_notes(sale))
        self.assertIn("there is no posted invoice here yet", self.notices(sale))

    # === SHIPMENTS === #

    def test_a_shipment_of_the_store_validates_the_delivery_where_the_flow_says_so(self):
        self.order_flow.order_fulfilment = "validate"
        order = self.place_paid()
        sale = self.sales(order)
        self.change_order(order, status="completed")
        self.assertEqual(sale.picking_ids.mapped("state"), ["done"], self.notices(sale))
        self.change_order(order, customer_note="Thanks!")
        self.assertEqual(len(sale.picking_ids), 1)

    def test_a_shipment_of_the_store_is_noted(self):
        order = self.place_paid()
        sale = self.sales(order)
        self.change_order(order, status="completed")
        self.assertIn("Shipped in Demo Store", self.notices(sale))
        self.assertNotIn("done", sale.picking_ids.mapped("state"))

    def test_a_cancellation_after_the_invoice_is_told(self):
        order = self.place_paid()
        sale = self.sales(order)
        self.invoice(sale)
        self.change_order(order, status="cancelled")
        self.assertEqual(sale.state, "sale")
        self.assertIn("delivered or invoiced already", self.notices(sale))

    def test_a_refund_of_shipping_only_credits_shipping(self):
        order = self.place_paid()
        sale = self.sales(order)
        self.invoice(sale)
        self.refund(order, amount="5.00", api_refund=False)
        note = self.credit_notes(sale)
        self.assertEqual((note.amount_total, note.state), (5.0, "draft"))

from .test_order_import import OrderCase


class TestOrderCurrency(OrderCase):
    def test_an_order_is_booked_in_the_stores_currency_without_any_pricelist_in_it(self):
        self.env.ref("base.EUR").active = True
        self.env["product.pricelist"].search([]).active = False
        with self.allow_requests(all_requests=True):
            self.store.change_settings({"currency": "EUR"})
        order = self.place_order()
        sale = self.sales(order)
        self.assertEqual(order["currency"], "EUR")
        self.assertEqual(sale.currency_id.name, "EUR", self.jobs().mapped("error_message"))
        sale.order_line.product_id.invoice_policy = "order"
        self.assertEqual(sale._create_invoices().currency_id.name, "EUR")

from .test_order_import import OrderCase

ADDRESS = {
    "first_name": "Ada",
    "last_name": "Example",
    "address_1": "1 Example Road",
    "city": "Springfield",
    "postcode": "12345",
    "country": "US",
    "state": "CA",
    "email": "ada@example.com",
}


class TestOrderCustomers(OrderCase):
    def place(self, **billing):
        return self.sales(self.place_order(billing=ADDRESS | billing, shipping={}))

    def test_a_guest_who_comes_again_is_one_customer(self):
        first, second = self.place(), self.place()
        self.assertEqual(first.partner_id, second.partner_id)
        self.assertEqual(first.partner_id.state_id.code, "CA")

    def test_no_shipping_address_means_the_customer_itself(self):
        sale = self.place()
        self.assertEqual(sale.partner_shipping_id, sale.partner_id)
        self.assertEqual(sale.partner_invoice_id, sale.partner_id)

    def test_another_billing_address_becomes_an_invoice_address(self):
        first, second = self.place(), self.place(address_1="2 Other Street")
        self.assertEqual(second.partner_id, first.partner_id)
        self.assertEqual(second.partner_invoice_id.type, "invoice")
        self.assertEqual(second.partner_invoice_id.street, "2 Other Street")
        self.assertEqual(first.partner_id.street, "1 Example Road")

    def test_a_state_is_found_by_its_name_and_kept_as_text_if_unknown(self):
        self.assertEqual(self.place(state="California").partner_id.state_id.code, "CA")
        partner = self.place(state="Nowhere", email="b@example.com").partner_id
        self.assertEqual((partner.state_id.id, partner.street2), (False, "Nowhere"))

    def test_a_country_without_states_and_an_unknown_one_keep_no_order_out(self):
        self.assertEqual(self.place(country="MC", state="").partner_id.country_id.code, "MC")
        self.assertFalse(self.place(country="QQ", email="c@example.com").partner_id.country_id)

    def test_names_of_all_scripts_are_kept(self):
        for number, name in enumerate(("שרה 🛒", "أحمد", "Zoë 👩‍🚀")):
            sale = self.place(first_name=name, last_name="", email=f"n{number}@example.com")
            self.assertEqual(sale.partner_id.name, name)

    def test_customers_merged_in_odoo_stay_one(self):
        first = self.place()
        other = self.place(email="ada@elsewhere.example", first_name="Ada B.")
        self.assertNotEqual(first.partner_id, other.partner_id)
        keeps = first.partner_id
        self.env["base.partner.merge.automatic.wizard"].with_user(
            self.env.ref("base.user_admin")
        )._merge((keeps | other.partner_id).ids, keeps)
        again = self.place(email="ada@elsewhere.example", first_name="Ada B.")
        self.assertEqual(again.partner_id, keeps)

from ..adapters.base import Settings
from ..adapters.http import HttpClient
from ..adapters.shopify import ShopifyAdapter
from .test_order_import import OrderCase


class TestCustomerFlow(OrderCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.customer_flow = cls.env["commerce.flow"].create(
            {"connection_id": cls.connection.id, "kind": "customer"}
        )

    def register(self, method="POST", path="customers", **given):
        self.subscribe("customer.updated" if method == "PUT" else "customer.created")
        with self.allow_requests(all_requests=True):
            made = self.store_send(method, path, given)
            self.store.wait_for_webhooks()
        self.drain()
        self.env.invalidate_all()
        return made

    def partner(self, customer):
        binding = self.env["commerce.binding"].search(
            [("resource", "=", "customer"), ("external_id", "=", str(customer["id"]))]
        )
        return self.env["res.partner"].browse(binding.res_id)

    def make(self):
        place = {"address_1": "1 Road", "city": "Springfield", "country": "US", "state": "CA"}
        return self.register(
            email="new@example.com", first_name="Nia", last_name="New", billing=place
        )

    def test_a_new_customer_becomes_a_contact_and_orders_find_it(self):
        made = self.make()
        partner = self.partner(made)
        self.assertEqual((partner.name, partner.city), ("Nia New", "Springfield"))
        order = self.place_order(customer_id=made["id"])
        self.assertEqual(self.sales(order).partner_id, partner)

    def test_an_edit_in_the_store_counts_where_the_store_owns_customers(self):
        made = self.make()
        for owner, city in (("odoo", "Springfield"), ("external", "Townexternal")):
            self.customer_flow.owner = owner
            self.register("PUT", f"customers/{made['id']}", billing={"city": f"Town{owner}"})
            self.assertEqual(self.partner(made).city, city)

    def test_an_existing_contact_with_the_e_mail_is_taken(self):
        known = self.env["res.partner"].create({"name": "Nia", "email": "new@example.com"})
        self.assertEqual(self.partner(self.make()), known)

    def test_shopify_s_customer_is_read_from_its_message(self):
        adapter = ShopifyAdapter(Settings("http://127.0.0.1:1"), HttpClient("http://127.0.0.1:1"))
        body = (
            b'{"id": 7, "email": "a@example.com", "first_name": "Ada", "last_name": null,'
            b' "updated_at": "2026-11-01T10:00:00Z", "default_address": {"address1": "1 Road",'
            b' "city": "Oslo", "country_code": "NO", "default": true}}'
        )
        customer = adapter.read_event("customer", body)
        self.assertEqual((customer.name, customer.billing.city), ("Ada", "Oslo"))

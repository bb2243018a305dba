import threading

from odoo import SUPERUSER_ID, api

from ..adapters.base import Settings
from ..adapters.http import HttpClient
from ..adapters.woocommerce import WooCommerceAdapter
from ..engine.database import transact
from .clone import Background, CloneCase
from .test_order_totals import ADDRESS, ONE, woo_row


class TestTwoOrdersOfOneCustomer(CloneCase):
    def setUp(self):
        super().setUp()
        with self.committed() as env:
            self.order_flow = env["commerce.flow"].create(
                {"connection_id": self.connection_id, "kind": "order"}
            )
            env["product.product"].create({"name": "Mug", "default_code": "MUG"})
            tax = env["account.tax"].create(
                {"name": "Store 19", "amount": 19.0, "type_tax_use": "sale"}
            )
            env["commerce.binding"].create(
                {
                    "connection_id": self.connection_id,
                    "resource": "tax",
                    "model": "account.tax",
                    "res_id": tax.id,
                    "external_id": "1",
                }
            )
        self.together = threading.Barrier(2, timeout=20)

    def take(self, number, customer_id):
        adapter = WooCommerceAdapter(
            Settings("http://127.0.0.1:1"), HttpClient("http://127.0.0.1:1")
        )
        email = {**ADDRESS, "email": "new@example.com"}
        row = woo_row(ONE, billing=email, customer_id=customer_id)
        row["line_items"][0]["id"] = number * 10
        order = adapter._order({**row, "id": number, "number": str(number)})
        tries = []

        def work(cr):
            cr.execute("SELECT count(*) FROM res_partner")  # the snapshot is from before both
            tries.append(number)
            if len(tries) == 1:
                self.together.wait()
            env = api.Environment(cr, SUPERUSER_ID, {})
            mapper = env["commerce.flow"].browse(self.order_flow.id)._get_mapper()
            record, _outcome, _note = mapper.apply(order)
            env.flush_all()
            return record.partner_id.id

        return transact(self.registry.cursor, work)

    def test_make_one_contact_even_where_one_order_is_a_guest_s(self):
        both = [Background(self.take, 101, 7), Background(self.take, 102, 0)]
        partners = {one.result(60) for one in both}
        found = self.query("SELECT id FROM res_partner WHERE email = 'new@example.com'")
        self.assertEqual(partners, {found[0][0]})
        self.assertEqual(len(found), 1)

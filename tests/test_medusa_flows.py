"""The scenarios against the sandbox, and the bad days that a real store has too rarely."""

from decimal import Decimal

import requests

from ..adapters.documents import Shipment, ShipmentLine
from ..sandbox.medusa import MedusaStore
from .medusa_case import SECRET, MedusaCase, MedusaScenarios


class Visitor:
    """The sandbox as the scenarios use a store; asks it over HTTP."""

    def __init__(self, store):
        self.store = store
        self.url, self.key, self.location = store.url, store.key, store.location
        self.make_product, self.place_order = store.make_product, store.place_order

    def request(self, method, path, body=None, **query):
        answer = requests.request(
            method, self.url + path, json=body, params=query, auth=(self.key, ""), timeout=10
        )
        answer.raise_for_status()
        return answer.json()

    def get(self, path, **query):
        return self.request("GET", path, **query)

    def post(self, path, body=None):
        return self.request("POST", path, body)

    def read_product(self, product_id):
        return self.get(f"/admin/products/{product_id}")["product"]


class SandboxCase(MedusaCase):
    @classmethod
    def open_store(cls, webhook_url):
        cls.sandbox = MedusaStore()
        cls.sandbox.start()
        cls.addClassCleanup(cls.sandbox.stop)
        cls.sandbox.webhook_url, cls.sandbox.webhook_secret = webhook_url, SECRET
        return Visitor(cls.sandbox)

    def setUp(self):
        super().setUp()
        self.addCleanup(self.sandbox.clear_faults)


class TestMedusaSandbox(MedusaScenarios, SandboxCase):
    """What the real store does (tests/test_medusa_real.py)."""


class TestMedusaBadDays(SandboxCase):
    def test_a_shipment_whose_answer_was_lost_is_not_made_again(self):
        _product, theirs = self.sell("LOST-1", stock=9)
        order = self.place_order(theirs)
        shipment = Shipment(
            number="WH/OUT/9",
            parent_id=order["id"],
            lines=(ShipmentLine(quantity=Decimal(2), sku="LOST-1"),),
        )
        self.sandbox.fault("http_500_after", times=1, path="/fulfillments")
        first = self.push("shipment", shipment)
        self.assertEqual((first.error.kind, first.error.uncertain), ("temporary", True))
        second = self.push("shipment", shipment, uncertain=True)
        self.assertFalse(second.error)
        self.assertEqual(len(self.read_order(order).shipments), 1)

    def test_an_item_refused_without_a_name_is_found_by_halving(self):
        sold = [self.sell(f"HALF-{number}", 5) for number in range(9)]
        bad = sold[6][1]["variants"][0]["inventory_item_id"]
        self.sandbox.fault("bad_item", id=bad, message="No.")
        self.drain()
        states = {
            product.default_code: self.job_of(("res_id", "=", product.id)).state
            for product, _theirs in sold
        }
        self.assertEqual([sku for sku, state in states.items() if state == "failed"], ["HALF-6"])
        job = self.job_of(("res_id", "=", sold[6][0].id))
        self.assertEqual(job.error_kind, "rejected")
        self.assertIn("No.", job.error_message)
        for product, theirs in sold:
            if product.default_code != "HALF-6":
                self.assertEqual(self.stocked(theirs), {self.medusa.location: 5})

    def test_a_refused_key_pauses_the_connection_and_costs_no_job(self):
        product, _theirs = self.sell("KEY-1", 5)
        self.sandbox.fault("unauthorized")
        self.drain()
        self.env.invalidate_all()
        self.assertEqual(self.connection.state, "paused")
        self.assertEqual(self.job_of(("res_id", "=", product.id)).state, "pending")

    def test_a_store_that_is_down_is_tried_again(self):
        product, theirs = self.sell("DOWN-1", 5)
        self.sandbox.fault("down", times=3)
        self.drain()
        self.assertEqual(self.job_of(("res_id", "=", product.id)).state, "pending")
        self.sandbox.clear_faults()
        self.be_due()
        self.drain()
        self.assertEqual(self.job_of(("res_id", "=", product.id)).state, "done")
        self.assertEqual(self.stocked(theirs), {self.medusa.location: 5})

    def test_the_same_message_twice_makes_one_order(self):
        self.env.ref("base.EUR").active = True
        self.allow_tax()
        _product, theirs = self.sell("TWICE-1", 5, stock=5)
        order = self.place_order(theirs)
        with self.allow_requests(all_requests=True):
            self.sandbox.tell("order.placed", order)
            self.sandbox.tell("order.updated", order)
        self.drain()
        self.assertEqual(len(self.wait_for_events(order)), 1)
        number = str(order["display_id"])
        self.assertEqual(
            self.env["sale.order"].search_count([("client_order_ref", "=", number)]),
            1,
            self.jobs().mapped("error_message"),
        )

    def test_pieces_that_leave_are_not_taken_off_twice(self):
        self.env.ref("base.EUR").active = True
        self.allow_tax()
        _product, theirs = self.sell("LEAVE-1", 9, stock=9)
        order = self.place_order(theirs)
        self.drain()
        number = str(order["display_id"])
        sale = self.env["sale.order"].search([("client_order_ref", "=", number)])
        # the stock of after the delivery arrives first, the shipment later
        self.sandbox.fault("http_500_before", times=1, path="/fulfillments")
        self.deliver(sale)
        self.assertEqual(self.stocked(theirs), {self.medusa.location: 7})

    def test_every_page_is_read_once_whatever_changes_at_one_moment(self):
        for number in range(7):
            self.medusa.make_product(f"PAGE-{number}")
        moment = "2030-01-01T00:00:00.000Z"
        for variant in self.sandbox.variants.values():
            variant["updated_at"] = moment
        read, cursor = [], ""
        self.adapter.per_page = 3
        while True:
            page = self.adapter.fetch("variant", cursor=cursor)
            read += [one.external_id for one in page.documents]
            cursor = page.cursor
            if not cursor:
                break
        self.assertEqual(sorted(read), sorted(self.sandbox.variants))

from decimal import Decimal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from odoo.exceptions import ValidationError
from odoo.fields import Command

from ..adapters.base import SendKey, Settings
from ..adapters.documents import Price
from ..adapters.http import HttpClient
from ..adapters.shopify import ShopifyAdapter
from ..sandbox.shopify import ShopifyStore
from .common import StoreCase


class TestPriceFlow(StoreCase):
    def setUp(self):
        super().setUp()
        self.connection.store_currency = self.env.company.currency_id.name
        self.flow = self.env["commerce.flow"].create(
            {"connection_id": self.connection.id, "kind": "price", "price_taxes": "excluded"}
        )
        self.product = self.make_product("MUG-B", list_price=12.5, taxes_id=[Command.clear()])
        self.publish(self.product)

    def store_price(self):
        item = self.store_get("products")[0]
        return item["regular_price"], item["sale_price"]

    def job(self):
        return self.jobs(("flow_id", "=", self.flow.id))[-1]

    def test_a_changed_sales_price_arrives_in_the_store(self):
        self.product.list_price = 13.99
        self.drain()
        self.assertEqual(self.store_price(), ("13.99", ""))
        self.assertEqual((self.job().state, self.job().outcome), ("done", "updated"))

    def test_a_changed_rule_of_the_pricelist_arrives_with_the_price_before(self):
        pricelist = self.env["product.pricelist"].create({"name": "Web"})
        self.flow.write({"price_pricelist_id": pricelist.id, "price_compare": "list"})
        self.env["product.pricelist.item"].create(
            {
                "pricelist_id": pricelist.id,
                "applied_on": "1_product",
                "product_tmpl_id": self.product.product_tmpl_id.id,
                "compute_price": "fixed",
                "fixed_price": 9.9,
            }
        )
        self.drain()
        self.assertEqual(self.store_price(), ("12.50", "9.90"))

    def test_a_rule_for_all_products_is_noticed_too(self):
        pricelist = self.env["product.pricelist"].create({"name": "Web"})
        self.flow.price_pricelist_id = pricelist
        self.env["product.pricelist.item"].create(
            {
                "pricelist_id": pricelist.id,
                "applied_on": "3_global",
                "compute_price": "percentage",
                "percent_price": 10,
            }
        )
        self.drain()
        self.assertEqual(self.store_price(), ("11.25", ""))

    def test_taxes_are_added_where_the_store_wants_prices_with_them(self):
        self.flow.price_taxes = "included"
        tax = self.env["account.tax"].create(
            {"name": "19 %", "amount": 19, "price_include_override": "tax_excluded"}
        )
        self.product.write({"taxes_id": [Command.set(tax.ids)], "list_price": 10.0})
        self.drain()
        self.assertEqual(self.store_price(), ("11.90", ""))

    def test_a_pricelist_in_another_currency_is_refused_when_it_is_chosen(self):
        pricelist = self.other_pricelist()
        with self.assertRaises(ValidationError, msg="in words") as caught:
            self.flow.price_pricelist_id = pricelist
        self.assertIn("the store's currency is", str(caught.exception))

    def test_a_pricelist_in_another_currency_makes_no_request(self):
        self.flow.price_pricelist_id = self.env["product.pricelist"].create({"name": "Web"})
        self.connection.store_currency = "XYZ"
        self.product.list_price = 20
        self.drain()
        job = self.job()
        self.assertEqual((job.state, job.error_kind), ("failed", "validation"))
        self.assertIn("pricelist Web is in", job.error_message)
        self.assertIn("Cannot send the price of", job.error_message)
        self.assertFalse(self.store.requests)

    def test_a_store_whose_currency_is_unknown_gets_no_prices(self):
        self.connection.store_currency = False
        self.product.list_price = 20
        self.drain()
        self.assertIn("is not known yet", self.job().error_message)

    def test_a_product_deleted_in_the_store_is_missing_and_holds_up_no_other(self):
        other = self.make_product("MUG-R", list_price=5, taxes_id=[Command.clear()])
        self.publish(other)
        gone = self.store_get("products", sku="MUG-B")[0]["id"]
        self.store.store.delete("product", gone)
        (self.product | other).product_tmpl_id.write({"list_price": 7.77})
        self.drain()
        jobs = self.jobs(("flow_id", "=", self.flow.id)).sorted("res_id")
        self.assertEqual(jobs.mapped("state"), ["failed", "done"])
        self.assertEqual(jobs[0].error_kind, "missing")
        self.assertEqual(self.store_price(), ("7.77", ""))

    def test_what_is_sent_is_odoos_price_to_the_cent_in_the_currencys_decimals(self):
        currency = self.env.company.currency_id
        mapper = self.flow._get_mapper()
        tax = self.env["account.tax"].create(
            {"name": "T", "price_include_override": "tax_excluded"}
        )

        @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
        @given(
            cents=st.integers(min_value=0, max_value=10**8),
            percent=st.sampled_from([0, 5.5, 7, 19, 25]),
            included=st.booleans(),
            digits=st.sampled_from([1, 0.01]),
        )
        def holds(cents, percent, included, digits):
            currency.rounding = digits
            tax.amount = percent
            self.flow.price_taxes = "included" if included else "excluded"
            self.product.write({"list_price": cents / 100, "taxes_id": [Command.set(tax.ids)]})
            totals = tax.compute_all(cents / 100, currency, 1.0, product=self.product)
            amount = totals["total_included"] if included else currency.round(cents / 100)
            sent = mapper.prepare(self.product)[self.product.id].price
            self.assertEqual(sent, Decimal(f"{amount:.{currency.decimal_places}f}"))
            self.assertEqual(-sent.as_tuple().exponent, currency.decimal_places)

        holds()

    def other_pricelist(self):
        code = "EUR" if self.env.company.currency_id.name != "EUR" else "USD"
        currency = self.env["res.currency"].with_context(active_test=False)
        currency = currency.search([("name", "=", code)])
        currency.active = True
        values = {"name": "Abroad", "currency_id": currency.id}
        return self.env["product.pricelist"].create(values)


def test_prices_of_a_shopify_product_travel_together_and_one_refused_holds_up_no_other():
    with ShopifyStore() as store:
        rows = [{"sku": sku, "options": [{"name": "Size", "value": sku}]} for sku in ("A", "B")]
        made = store.seed({"products": [{"title": "Mug", "variants": rows}]})["products"][0]
        given_settings = Settings(store.url, {"access_token": store.token})
        adapter = ShopifyAdapter(given_settings, HttpClient(store.url))
        ids = [str(variant["id"]) for variant in made["variants"]] + ["999"]
        documents = [
            Price(
                label=number,
                external_id=number,
                parent_id=str(made["id"]),
                price=Decimal("12.30"),
                compare_at=Decimal("15.00"),
                currency="USD",
            )
            for number in ids
        ]
        keys = [SendKey(number) for number in ids]
        results = adapter.push("price", documents, keys)
        assert [result.outcome for result in results] == ["updated", "updated", ""]
        assert results[2].error.kind == "missing"
        held = [store.store.get("variant", int(number)) for number in ids[:2]]
        assert [row["price"] for row in held] == ["12.30"] * 2
        assert [row["compareAtPrice"] for row in held] == ["15.00"] * 2
        assert len(store.requests) == 1

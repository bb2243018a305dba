"""Whatever a store reckons, Odoo's total is the same to the cent, or the order says why not."""

from decimal import ROUND_HALF_UP, Decimal

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from ..adapters.base import Settings
from ..adapters.errors import ValidationFailed
from ..adapters.http import HttpClient
from ..adapters.shopify import ShopifyAdapter
from ..adapters.woocommerce import WooCommerceAdapter
from ..mappers.money import money
from .common import StoreCase

CENT = Decimal("0.01")
RATES = ("19", "7", "8.875")
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
#: (price in cents, quantity, discount in percent, index of the rate or None)
LINES = st.lists(
    st.tuples(
        st.integers(0, 99_999),
        st.integers(1, 9),
        st.sampled_from((0, 5, 10, 33, 50, 100)),
        st.sampled_from((0, 1, 2, None)),
    ),
    min_size=1,
    max_size=6,
)
MANY = settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize=True,
    phases=[Phase.generate],  # each example is an order made in the database: no long shrinking
)


def cents(value):
    return value.quantize(CENT, ROUND_HALF_UP)


def reckon(lines, included):
    """``(net before discount, net, tax, rate)`` of each line, as stores round: line by line."""
    for price, quantity, discount, rate in lines:
        gross = Decimal(price) / 100 * quantity
        after = cents(gross * (100 - discount) / 100)
        percent = Decimal(RATES[rate]) if rate is not None else Decimal(0)
        if included:
            tax = cents(after - after / (1 + percent / 100))
            yield cents(gross / (1 + percent / 100)), after - tax, tax, rate
        else:
            yield gross, after, cents(after * percent / 100), rate


def woo_row(lines, included=False, **more):
    reckoned = list(reckon(lines, included))
    items = [
        {
            "id": number,
            "name": f"Item {number}",
            "sku": "MUG",
            "product_id": 1,
            "quantity": quantity,
            "subtotal": str(max(before, net)),
            "total": str(net),
            "taxes": [{"id": rate + 1, "total": str(tax)}] if rate is not None else [],
        }
        for number, ((_p, quantity, _d, _r), (before, net, tax, rate)) in enumerate(
            zip(lines, reckoned, strict=True), 1
        )
    ]
    total = sum((net + tax for _b, net, tax, _r in reckoned), Decimal(0))
    return {
        "id": 15,
        "number": "15",
        "status": "processing",
        "currency": "USD",
        "prices_include_tax": included,
        "total": str(total),
        "total_tax": str(sum((tax for _b, _n, tax, _r in reckoned), Decimal(0))),
        "billing": ADDRESS,
        "shipping": {},
        "customer_id": 0,
        "line_items": items,
        "tax_lines": [
            {"rate_id": number, "label": f"Tax {rate}", "rate_percent": float(rate)}
            for number, rate in enumerate(RATES, 1)
        ],
        **more,
    }


def bag(value, seen="EUR"):
    return {
        "shopMoney": {"amount": str(value), "currencyCode": "USD"},
        "presentmentMoney": {"amount": str(value * 2), "currencyCode": seen},
    }


def shopify_row(lines, included=False, **more):
    """:return: the order and its lines, as GraphQL answers"""
    items, total, taxes = [], Decimal(0), Decimal(0)
    for number, (line, (_b, net, tax, rate)) in enumerate(
        zip(lines, reckon(lines, included), strict=True), 1
    ):
        price, quantity, _discount, _rate = line
        gross = Decimal(price) / 100 * quantity
        off = gross - (net + tax if included else net)
        total, taxes = total + net + tax, taxes + tax
        title = {"title": "Tax", "ratePercentage": float(RATES[rate or 0]), "priceSet": bag(tax)}
        items.append(
            {
                "id": f"gid://shopify/LineItem/{number}",
                "sku": "MUG",
                "name": f"Item {number}",
                "quantity": quantity,
                "variant": None,
                "originalTotalSet": bag(gross),
                "discountAllocations": [{"allocatedAmountSet": bag(off)}] if off else [],
                "taxLines": [title] if rate is not None else [],
            }
        )
    order = {
        "id": "gid://shopify/Order/7",
        "name": "#1007",
        "email": "ada@example.com",
        "displayFinancialStatus": "PAID",
        "taxesIncluded": included,
        "totalPriceSet": bag(total),
        "totalTaxSet": bag(taxes),
        "shippingLines": {"nodes": []},
        "shippingAddress": None,
        "billingAddress": {"name": "Ada Example", "address1": "1 Road", "countryCodeV2": "US"},
        **more,
    }
    return order, items


class TotalsCase(StoreCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.flow = cls.env["commerce.flow"].create(
            {"connection_id": cls.connection.id, "kind": "order"}
        )
        cls.mug = cls.env["product.product"].create(
            {"name": "Mug", "default_code": "MUG", "is_storable": True}
        )
        cls.taxes = cls.env["account.tax"].create(
            [
                {"name": f"Store {rate}", "amount": float(rate), "type_tax_use": "sale"}
                for rate in RATES
            ]
        )
        for number, (tax, rate) in enumerate(zip(cls.taxes, RATES, strict=True), 1):
            for external_id in (str(number), f"Tax {Decimal(rate).normalize():f}%"):
                cls.env["commerce.binding"].create(
                    {
                        "connection_id": cls.connection.id,
                        "resource": "tax",
                        "model": "account.tax",
                        "res_id": tax.id,
                        "external_id": external_id,
                    }
                )

    def adapter(self, adapter_class):
        given = Settings("http://127.0.0.1:1", {"access_token": "x"})
        return adapter_class(given, HttpClient(given.address))

    def woo(self, row):
        return self.adapter(WooCommerceAdapter)._order(row)

    def shopify(self, row, items):
        return self.adapter(ShopifyAdapter)._order(row, items)

    def take(self, order):
        sale, _outcome, _note = self.flow._get_mapper().apply(order)
        sale.flush_recordset()
        return sale

    def assert_equal_totals(self, order):
        with self.env.cr.savepoint() as savepoint:
            sale = self.take(order)
            self.assertEqual(money(sale.amount_total, sale.currency_id), order.total)
            self.assertEqual(money(sale.amount_tax, sale.currency_id), order.total_tax)
            savepoint.close(rollback=True)
        self.env.invalidate_all()


class TestTotals(TotalsCase):
    def test_random_orders_of_woocommerce_cost_the_same_in_odoo(self):
        @MANY
        @given(LINES, st.booleans())
        def holds(lines, included):
            self.assert_equal_totals(self.woo(woo_row(lines, included)))

        holds()

    def test_random_orders_of_shopify_cost_the_same_in_odoo(self):
        @MANY
        @given(LINES, st.booleans())
        def holds(lines, included):
            self.assert_equal_totals(self.shopify(*shopify_row(lines, included)))

        holds()

    def test_and_with_taxes_that_odoo_includes_in_the_price(self):
        self.taxes.price_include_override = "tax_included"

        @settings(MANY, max_examples=10)
        @given(LINES, st.booleans())
        def holds(lines, included):
            self.assert_equal_totals(self.woo(woo_row(lines, included)))

        holds()

    def test_and_where_odoo_rounds_each_line(self):
        self.env.company.tax_calculation_rounding_method = "round_per_line"

        @settings(MANY, max_examples=10)
        @given(LINES, st.booleans())
        def holds(lines, included):
            self.assert_equal_totals(self.woo(woo_row(lines, included)))

        holds()

    def test_a_tax_that_is_another_percentage_in_odoo_is_not_hidden(self):
        self.taxes[0].amount = 16
        with self.assertRaises(ValidationFailed) as caught:
            self.take(self.woo(woo_row([(10_000, 1, 0, 0)])))
        self.assertEqual(caught.exception.code, "total_differs")
        self.assertIn("116.0 where the store charged 119.00", caught.exception.message)

    def test_the_invoice_of_an_order_costs_the_same(self):
        self.mug.invoice_policy = "order"
        sale = self.take(self.woo(woo_row([(333, 3, 33, 0), (1999, 1, 0, 2), (505, 7, 5, 1)])))
        self.assertEqual(sale._create_invoices().amount_total, sale.amount_total)

    def test_the_store_s_cash_rounding_becomes_a_line_where_the_flow_allows(self):
        order = self.woo(woo_row([(999, 1, 0, None)], total="10.00"))
        with self.assertRaises(ValidationFailed), self.env.cr.savepoint():
            self.take(order)
        self.env.invalidate_all()
        self.flow.order_rounding = 0.05
        sale = self.take(order)
        self.assertEqual((sale.amount_total, len(sale.order_line)), (10.0, 2))


def charge(net, tax, rate=1, **more):
    return {"id": 90, "total": net, "taxes": [{"id": rate, "total": tax}], **more}


ONE = [(1000, 1, 0, 0)]
#: What it is -> the order of WooCommerce.
SHAPES = {
    "guest checkout": woo_row(ONE),
    "no address at all (digital)": woo_row(ONE, billing={"email": "a@example.com"}),
    "nobody at all": woo_row(ONE, billing={}),
    "discount on shipping": woo_row(
        ONE, shipping_lines=[charge("2.50", "0.48", method_title="Half")], total="14.88"
    ),
    "two taxes on one line": woo_row(
        [],
        line_items=[
            {
                "id": 1,
                "sku": "MUG",
                "quantity": 1,
                "total": "10.00",
                "taxes": [{"id": 1, "total": "1.90"}, {"id": 2, "total": "0.70"}],
            }
        ],
        total="12.60",
    ),
    "a negative fee": woo_row(
        ONE, fee_lines=[charge("-1.00", "-0.19", name="Voucher")], total="10.71"
    ),
    "everything free": woo_row([(1000, 2, 100, 0)]),
    "a free line beside a paid one": woo_row([(0, 1, 0, None), *ONE]),
    "half a piece": woo_row(
        [], line_items=[{"id": 1, "sku": "MUG", "quantity": 0.5, "total": "4.99"}], total="4.99"
    ),
    "250 lines": woo_row([(price, 1, 0, price % 3) for price in range(100, 350)]),
    "emoji and right to left": woo_row(
        ONE, billing={**ADDRESS, "first_name": "שרה 🛒", "city": "تونس"}, customer_note="🎁 تغليف"
    ),
    "a state that is missing": woo_row(ONE, billing={**ADDRESS, "state": ""}),
    "a country without states": woo_row(ONE, billing={**ADDRESS, "country": "MC", "state": ""}),
    "a VAT number that is none": woo_row(
        ONE,
        meta_data=[{"key": "_vat_number", "value": "DE000"}],
        billing={**ADDRESS, "country": "DE"},
    ),
}


class TestShapes(TotalsCase):
    def test_orders_of_all_shapes_are_taken_in(self):
        for name, row in SHAPES.items():
            with self.subTest(name):
                with self.env.cr.savepoint() as savepoint:
                    sale = self.take(self.woo(row))
                    self.assertEqual(
                        money(sale.amount_total, sale.currency_id), Decimal(row["total"])
                    )
                    self.assertIn(sale.state, ("draft", "sale"))
                    savepoint.close(rollback=True)
                self.env.invalidate_all()

    def test_the_shop_s_currency_is_booked_never_the_customer_s(self):
        sale = self.take(self.shopify(*shopify_row(ONE)))
        self.assertEqual((sale.currency_id.name, sale.amount_total), ("USD", 11.9))

    def test_tip_and_fees_of_shopify_are_lines(self):
        fee = {"id": "gid://shopify/AdditionalFee/3", "name": "Gift wrap", "price": bag(Decimal(2))}
        row, items = shopify_row(
            ONE,
            totalTipReceivedSet=bag(Decimal(3)),
            additionalFees=[fee],
            totalPriceSet=bag(Decimal("16.90")),
        )
        sale = self.take(self.shopify(row, items))
        self.assertEqual(sale.amount_total, 16.9)
        self.assertEqual(sale.order_line.mapped("name")[1:], ["Gift wrap", "Tip"])

    def test_a_product_that_was_deleted_in_the_store_fails_in_words(self):
        row = woo_row(ONE)
        row["line_items"][0].update(product_id=0, sku="", name="Blue mug")
        with self.assertRaises(ValidationFailed) as caught:
            self.take(self.woo(row))
        self.assertEqual(
            caught.exception.message,
            "Cannot import order #15 from Demo Store: line 1 'Blue mug' has no SKU.",
        )

    def test_unknown_products_are_created_or_replaced_where_the_flow_says_so(self):
        row = woo_row(ONE)
        row["line_items"][0].update(product_id=99, sku="NEW-1", name="New mug")
        self.flow.order_unknown = "create"
        sale = self.take(self.woo(row))
        product = sale.order_line.product_id
        self.assertEqual((product.default_code, product.name), ("NEW-1", "New mug"))
        self.assertEqual(
            self.connection._bindings("variant", product)[product.id].external_id, "99"
        )
        self.flow.order_unknown = "placeholder"
        row["id"], row["line_items"][0]["id"] = 16, 17
        row["line_items"][0].update(product_id=0, sku="")
        sale = self.take(self.woo(row))
        self.assertEqual(sale.order_line.product_id.default_code, "STORE-UNKNOWN")

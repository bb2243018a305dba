"""The sandbox store keeps WooCommerce's rules of orders, notes, refunds and meta data."""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from sandbox.testing import Client, error_of, order_of, seed_mug, seed_shirt  # noqa: E402
from sandbox.woo import money  # noqa: E402
from sandbox.woocommerce import WooCommerceStore  # noqa: E402

pytest_plugins = ["sandbox.testing"]


# === META DATA === #

META = [
    ([{"key": "new", "value": "1"}], [("one", "1"), ("twice", "a"), ("twice", "b"), ("new", "1")]),
    ([{"key": "one", "value": {"x": [1]}}], [("one", {"x": [1]}), ("twice", "a"), ("twice", "b")]),
    ([{"key": "twice", "value": "c"}], [("one", "1"), ("twice", "c")]),
    ([{"id": "ID", "key": "one", "value": "2"}], [("one", "2"), ("twice", "a"), ("twice", "b")]),
    ([{"id": "ID", "value": None}], [("twice", "a"), ("twice", "b")]),
    ([{"key": "one", "value": None}], [("twice", "a"), ("twice", "b")]),
    ([], [("one", "1"), ("twice", "a"), ("twice", "b")]),
]


@pytest.mark.parametrize(("given", "expected"), META)
def test_meta_data_is_merged_by_id_then_key(store, api, given, expected):
    seeded = {
        "meta_data": [
            {"id": 901, "key": "one", "value": "1"},
            {"id": 902, "key": "twice", "value": "a"},
            {"id": 903, "key": "twice", "value": "b"},
        ]
    }
    order = store.place_order()
    stored = store.store.get("order", order["id"])
    store.store.put("order", {**stored, **seeded})
    given = [{**entry, "id": 901} if "id" in entry else entry for entry in given]
    path = f"orders/{order['id']}"
    assert api.put(path, json={"meta_data": given}).status_code == 200
    merged = [(entry["key"], entry["value"]) for entry in api.get(path).json()["meta_data"]]
    assert merged == expected


def test_meta_data_keeps_its_id_when_it_is_written_again(store, api):
    path = f"orders/{store.place_order()['id']}"
    meta = {"meta_data": [{"key": "_invoice", "value": "INV/1"}]}
    first = api.put(path, json=meta).json()["meta_data"]
    assert api.put(path, json=meta).json()["meta_data"] == first


# === ORDERS === #


def test_totals_are_texts_and_add_up_without_tax_in_the_prices(store, api):
    order = order_of(store, api)
    assert order["prices_include_tax"] is False
    assert order["line_items"][0]["total"] == "20.00"
    assert order["line_items"][0]["total_tax"] == "3.00"
    assert (order["cart_tax"], order["shipping_tax"], order["total_tax"]) == (
        "3.00",
        "0.75",
        "3.75",
    )
    assert (order["shipping_total"], order["total"]) == ("5.00", "28.75")
    assert order["tax_lines"][0]["tax_total"] == "3.00"
    assert order["tax_lines"][0]["shipping_tax_total"] == "0.75"


def test_lines_are_told_without_tax_also_where_prices_include_it():
    with WooCommerceStore(prices_include_tax=True) as store, Client(store) as client:
        order = order_of(store, client, shipping="0")
        assert order["prices_include_tax"] is True
        assert order["line_items"][0]["total"] == "17.39"  # 20.00 / 1.15
        assert order["total"] == "20.00"


def test_a_coupon_takes_its_per_cents_off_the_products(store, api):
    order = order_of(store, api, shipping="0", coupon_lines=[{"code": "save50"}])
    assert (order["discount_total"], order["discount_tax"]) == ("10.00", "1.50")
    assert order["total"] == "11.50"
    assert order["coupon_lines"][0]["discount"] == "10.00"
    assert order["line_items"][0]["subtotal"] == "20.00"


def test_a_fee_and_another_tax_class_are_counted(store, api):
    fee = {"name": "Wrapping", "total": "10", "tax_class": "reduced-rate"}
    order = order_of(store, api, fee_lines=[fee])
    assert order["fee_lines"][0]["total_tax"] == "0.50"
    assert {line["label"]: line["tax_total"] for line in order["tax_lines"]} == {
        "Tax": "3.00",
        "Reduced tax": "0.50",
    }


def test_a_line_finds_its_product_by_sku_and_names_it(store, api):
    shirt, (small, _medium) = seed_shirt(store)
    order = api.post("orders", json={"line_items": [{"sku": "SHIRT-S"}]}).json()
    line = order["line_items"][0]
    assert (line["product_id"], line["variation_id"]) == (shirt, small)
    assert (line["name"], line["sku"], line["price"]) == ("Shirt - S", "SHIRT-S", 20.0)


def test_a_line_is_changed_by_id_and_removed_by_null(store, api):
    order = order_of(store, api)
    line = order["line_items"][0]["id"]
    path = f"orders/{order['id']}"
    change = {"line_items": [{"id": line, "quantity": 1, "total": "10"}]}
    assert api.put(path, json=change).json()["total"] == "17.25"
    gone = api.put(path, json={"line_items": [{"id": line, "product_id": None}]}).json()
    assert (gone["line_items"], gone["total"]) == ([], "5.75")
    unknown = api.put(path, json={"line_items": [{"id": line}]})
    assert error_of(unknown) == (400, "woocommerce_rest_invalid_item_id")


def test_addresses_are_changed_field_by_field(store, api):
    order = store.place_order()
    changed = api.put(f"orders/{order['id']}", json={"billing": {"city": "Newtown"}}).json()
    assert changed["billing"]["city"] == "Newtown"
    assert changed["billing"]["email"] == order["billing"]["email"]


STATUS_DATES = [
    ("pending", False, False),
    ("on-hold", False, False),
    ("processing", True, False),
    ("completed", True, True),
]


@pytest.mark.parametrize(("status", "paid", "completed"), STATUS_DATES)
def test_a_status_sets_its_dates(store, api, status, paid, completed):
    order = order_of(store, api, status=status)
    assert order["status"] == status
    assert bool(order["date_paid_gmt"]) == paid
    assert bool(order["date_completed"]) == completed


def test_a_paid_order_takes_its_goods_from_stock_and_a_cancelled_one_gives_them_back(store, api):
    order = order_of(store, api, quantity=2, set_paid=True)
    path = f"products/{order['line_items'][0]['product_id']}"
    assert api.get(path).json()["stock_quantity"] == 3
    api.put(f"orders/{order['id']}", json={"status": "completed"})
    assert api.get(path).json()["stock_quantity"] == 3
    api.put(f"orders/{order['id']}", json={"status": "cancelled"})
    assert api.get(path).json()["stock_quantity"] == 5


ORDER_FILTERS = [
    ("status=completed", {1}),
    ("status=processing,completed", {0, 1}),
    ("status=any", {0, 1}),
    ("customer=1", {1}),
    ("search=zebra", {0}),
    ("include=INDEX", {1}),
    ("product=PRODUCT", {0, 1}),
]


@pytest.mark.parametrize(("query", "expected"), ORDER_FILTERS)
def test_orders_are_filtered(store, api, query, expected):
    mug_id = seed_mug(store)
    loaded = store.seed(
        {
            "customers": [{"email": "ada@example.com"}],
            "orders": [
                {"line_items": [{"product_id": mug_id}], "billing": {"company": "Zebra Ltd"}},
                {"line_items": [{"sku": "MUG"}], "status": "completed", "customer_id": 1},
            ],
        }
    )["orders"]
    query = query.replace("INDEX", str(loaded[1])).replace("PRODUCT", str(mug_id))
    found = {row["id"] for row in api.get(f"orders?{query}").json()}
    assert found == {loaded[index] for index in expected}


def test_seeded_orders_keep_the_amounts_they_are_told(store, api):
    seed_mug(store)
    told = {
        "date_created_gmt": "2026-01-31T10:00:00Z",
        "total": "99.99",
        "total_tax": "0.01",
        "line_items": [{"sku": "MUG", "quantity": 3, "total": "33.33", "total_tax": "0.01"}],
    }
    order = api.get(f"orders/{store.seed({'orders': [told]})['orders'][0]}").json()
    assert (order["total"], order["total_tax"]) == ("99.99", "0.01")
    assert order["line_items"][0]["total_tax"] == "0.01"
    assert order["date_created_gmt"] == "2026-01-31T10:00:00"
    assert api.get("products?sku=MUG").json()[0]["stock_quantity"] == 5


# === NOTES AND REFUNDS === #


def test_notes_are_listed_newest_first_and_say_whom_they_are_for(store, api):
    path = f"orders/{store.place_order()['id']}/notes"
    own = api.post(path, json={"note": "For us"})
    assert own.status_code == 201
    api.post(path, json={"note": "For you", "customer_note": True})
    assert [note["note"] for note in api.get(path).json()][:2] == ["For you", "For us"]
    assert [note["note"] for note in api.get(f"{path}?type=customer").json()] == ["For you"]
    assert api.get(f"{path}/{own.json()['id']}").json()["note"] == "For us"


def test_a_note_needs_a_text(store, api):
    path = f"orders/{store.place_order()['id']}/notes"
    assert error_of(api.post(path, json={})) == (400, "rest_missing_callback_param")


def test_a_note_is_deleted_by_force_only(store, api):
    path = f"orders/{store.place_order()['id']}/notes"
    note = f"{path}/{api.post(path, json={'note': 'x'}).json()['id']}"
    assert error_of(api.delete(note)) == (501, "woocommerce_rest_trash_not_supported")
    assert api.delete(f"{note}?force=true").status_code == 200
    assert api.get(note).status_code == 404


def test_a_change_of_status_writes_a_note(store, api):
    order = order_of(store, api)
    api.put(f"orders/{order['id']}", json={"status": "on-hold"})
    notes = api.get(f"orders/{order['id']}/notes").json()
    assert notes[0]["note"] == "Order status changed from Pending payment to On hold."


def test_a_refund_stands_on_its_order_and_never_exceeds_it(store, api):
    order = order_of(store, api, set_paid=True)
    path = f"orders/{order['id']}/refunds"
    refund = api.post(path, json={"amount": "8.75", "reason": "Broken"}).json()
    assert api.get(f"orders/{order['id']}").json()["refunds"] == [
        {"id": refund["id"], "reason": "Broken", "total": "-8.75"}
    ]
    too_much = api.post(path, json={"amount": "20.01"})
    assert error_of(too_much) == (500, "woocommerce_rest_cannot_create_order_refund")
    api.post(path, json={"amount": "20"})
    assert api.get(f"orders/{order['id']}").json()["status"] == "refunded"
    assert [row["amount"] for row in api.get(path).json()] == ["20.00", "8.75"]


def test_a_refund_of_lines_is_summed_up_and_puts_the_goods_back(store, api):
    order = order_of(store, api, quantity=2, set_paid=True)
    line = order["line_items"][0]
    taken_back = {
        "id": line["id"],
        "quantity": 1,
        "refund_total": 10,
        "refund_tax": [{"id": 1, "refund_total": 1.5}],
    }
    refund = api.post(f"orders/{order['id']}/refunds", json={"line_items": [taken_back]}).json()
    assert refund["amount"] == "11.50"
    assert (refund["line_items"][0]["quantity"], refund["line_items"][0]["total"]) == (-1, "-10.00")
    assert api.get(f"products/{line['product_id']}").json()["stock_quantity"] == 4


def test_a_refund_can_be_deleted(store, api):
    order = order_of(store, api, set_paid=True)
    path = f"orders/{order['id']}/refunds"
    refund = api.post(path, json={"amount": "1"}).json()["id"]
    assert api.delete(f"{path}/{refund}").status_code == 200
    assert api.get(f"orders/{order['id']}").json()["refunds"] == []


AMOUNTS = [("12.5", "12.50"), (3, "3.00"), ("1,5", "1.50"), ("x", "0.00"), ("NaN", "0.00")]


@pytest.mark.parametrize(("given", "shown"), AMOUNTS)
def test_an_amount_is_read_kindly_and_told_with_two_decimals(given, shown):
    assert money.text(money.amount(given)) == shown

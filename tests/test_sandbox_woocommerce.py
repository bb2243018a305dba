"""The sandbox store keeps the rules of WordPress: addresses, errors, lists, customers."""

import json
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from sandbox.testing import Client, error_of, mug, seed_mug, seed_mugs, seed_shirt  # noqa: E402
from sandbox.woocommerce import WooCommerceStore  # noqa: E402

pytest_plugins = ["sandbox.testing"]


# === ADDRESSES, ERRORS === #


def test_the_version_and_currency_can_be_asked_for(api):
    status = api.get("system_status").json()
    assert re.fullmatch(r"\d+\.\d+\.\d+", status["environment"]["version"])
    assert status["settings"]["currency"] == api.get("data/currencies/current").json()["code"]


TOLD = [
    "settings/general",
    "settings/tax",
    "taxes",
    "payment_gateways",
    "shipping/zones",
    "shipping_methods",
    "reports/orders/totals",
]


@pytest.mark.parametrize("path", TOLD)
def test_the_store_tells_its_configuration(api, path):
    data = api.get(path).json()
    assert isinstance(data, list) and all("name" in row or "id" in row for row in data)


@pytest.mark.parametrize("permalinks", ["pretty", "plain"])
def test_every_address_also_works_without_pretty_permalinks(permalinks):
    with WooCommerceStore(permalinks=permalinks) as store, Client(store) as client:
        response = client.get("/?rest_route=/wc/v3/products&per_page=5")
        assert response.status_code == 200
        assert client.get("/index.php?rest_route=/").json()["name"] == "Sandbox Store"


def test_with_plain_permalinks_the_usual_address_is_a_page_that_is_not_there():
    with WooCommerceStore(permalinks="plain") as store, Client(store) as client:
        response = client.get("products")
        assert response.status_code == 404
        assert response.headers["Content-Type"].startswith("text/html")


ERRORS = [
    ("GET", "unknown", None, 404, "rest_no_route"),
    ("GET", "/wp-json/wc/v9/products", None, 404, "rest_no_route"),
    ("GET", "/wp-json/wp/v2/posts", None, 404, "rest_no_route"),
    ("PATCH", "products", {}, 404, "rest_no_route"),
    ("GET", "products/99", None, 404, "woocommerce_rest_product_invalid_id"),
    ("PUT", "products/99", {}, 400, "woocommerce_rest_product_invalid_id"),
    ("DELETE", "products/99", None, 404, "woocommerce_rest_product_invalid_id"),
    ("GET", "products/9" + "9" * 18, None, 404, "woocommerce_rest_product_invalid_id"),
    ("GET", "products/9" + "9" * 5000, None, 404, "rest_no_route"),
    ("GET", "orders/99", None, 404, "woocommerce_rest_shop_order_invalid_id"),
    ("PUT", "orders/99", {}, 400, "woocommerce_rest_shop_order_invalid_id"),
    ("GET", "orders/99/notes", None, 404, "woocommerce_rest_shop_order_invalid_id"),
    ("POST", "orders/99/notes", {"note": "x"}, 404, "woocommerce_rest_order_invalid_id"),
    ("GET", "orders/99/refunds", None, 404, "woocommerce_rest_invalid_order_id"),
    ("GET", "customers/99", None, 404, "woocommerce_rest_invalid_id"),
    ("DELETE", "webhooks/99?force=true", None, 404, "woocommerce_rest_shop_webhook_invalid_id"),
    ("POST", "products", {"id": 5}, 400, "woocommerce_rest_product_exists"),
    ("POST", "products", {"name": 5}, 400, "rest_invalid_param"),
    ("POST", "products", {"regular_price": 9.5}, 400, "rest_invalid_param"),
    ("POST", "products", {"stock_quantity": "many"}, 400, "rest_invalid_param"),
    ("POST", "products", {"stock_quantity": 1.5}, 400, "rest_invalid_param"),
    ("POST", "products", {"stock_quantity": True}, 400, "rest_invalid_param"),
    ("POST", "products", {"manage_stock": "perhaps"}, 400, "rest_invalid_param"),
    ("POST", "products", {"type": "bundle"}, 400, "rest_invalid_param"),
    ("POST", "products", {"meta_data": [7]}, 400, "rest_invalid_param"),
    ("POST", "products", {"meta_data": [{"key": 7}]}, 400, "rest_invalid_param"),
    ("POST", "products", {"images": {"src": "x"}}, 400, "rest_invalid_param"),
    ("POST", "products/batch", {"update": [7]}, 400, "rest_invalid_param"),
    ("POST", "products/batch", {"update": {"id": 7}}, 400, "rest_invalid_param"),
    ("POST", "orders", {"status": "lost"}, 400, "rest_invalid_param"),
    ("POST", "orders", {"billing": "somebody"}, 400, "rest_invalid_param"),
    ("POST", "orders", {"customer_id": 99}, 400, "woocommerce_rest_invalid_customer_id"),
    ("POST", "orders", {"line_items": [{}]}, 400, "woocommerce_rest_required_product_reference"),
    ("POST", "orders", {"shipping_lines": [{}]}, 400, "woocommerce_rest_invalid_shipping_item"),
    ("POST", "orders", {"fee_lines": [{}]}, 400, "woocommerce_rest_invalid_fee_item"),
    ("POST", "orders", {"coupon_lines": [{}]}, 400, "woocommerce_rest_invalid_coupon"),
    ("POST", "customers", {}, 400, "rest_missing_callback_param"),
    ("POST", "customers", {"email": "nobody"}, 400, "registration-error-invalid-email"),
    ("POST", "webhooks", {"topic": "order.created"}, 400, "rest_missing_callback_param"),
    ("GET", "products?page=0", None, 400, "rest_invalid_param"),
    ("GET", "products?per_page=0", None, 400, "rest_invalid_param"),
    ("GET", "products?per_page=101", None, 400, "rest_invalid_param"),
    ("GET", "products?per_page=ten", None, 400, "rest_invalid_param"),
    ("GET", "products?orderby=weight", None, 400, "rest_invalid_param"),
    ("GET", "products?modified_after=yesterday", None, 400, "rest_invalid_param"),
    ("GET", "products?modified_after=2026-02-31T00:00:00", None, 400, "rest_invalid_param"),
    ("GET", "products?sku[]=a", None, 400, "rest_invalid_param"),
    ("GET", "orders?status=lost", None, 400, "rest_invalid_param"),
]


@pytest.mark.parametrize(("method", "path", "body", "status", "code"), ERRORS)
def test_an_error_has_its_status_and_code_and_body(api, method, path, body, status, code):
    response = api.request(method, path, json=body)
    assert error_of(response) == (status, code)
    data = response.json()
    assert set(data) == {"code", "message", "data"}
    assert data["data"]["status"] == status


def test_a_bad_parameter_is_named_with_its_reason(api):
    data = api.get("products?per_page=500&order=up").json()
    assert data["message"] == "Invalid parameter(s): per_page, order"
    bounds = "per_page must be between 1 (inclusive) and 100 (inclusive)"
    assert data["data"]["params"]["per_page"] == bounds
    assert data["data"]["details"]["order"]["code"] == "rest_not_in_enum"


BAD_JSON = [
    (b"{", 4),
    (b"[1,", 4),
    (b'{"name": NaN}', 4),
    (b'{"name": "\xff"}', 5),
    (b'{"name": "\\ud800"}', 10),
    (b'{"a":' * 100_000, 1),
    (b'{"n": ' + b"9" * 5000 + b"}", 4),
]


@pytest.mark.parametrize(("body", "number"), BAD_JSON)
def test_a_body_that_is_no_json_is_refused(api, body, number):
    headers = {"Content-Type": "application/json"}
    response = api.post("products", data=body, headers=headers)
    assert error_of(response) == (400, "rest_invalid_json")
    assert response.json()["data"]["json_error_code"] == number


def test_a_body_that_does_not_say_it_is_json_is_not_read(api):
    body = json.dumps({"name": "Mug"})
    product = api.post("products", data=body, headers={"Content-Type": "text/plain"}).json()
    assert product["name"] == ""


def test_a_form_is_read_as_json_is(api):
    product = api.post("products", data={"name": "Mug", "regular_price": "3.50"}).json()
    assert (product["name"], product["price"]) == ("Mug", "3.50")


def test_post_may_stand_for_another_method(store, api):
    product_id = seed_mug(store)
    assert api.post(f"products/{product_id}?_method=DELETE").json()["id"] == product_id
    assert api.get(f"products/{product_id}").json()["status"] == "trash"


# === PAGES, FILTERS, FIELDS === #


def test_ten_to_a_page_unless_asked_for_more(store, api):
    seed_mugs(store, 12)
    assert len(api.get("products").json()) == 10
    assert len(api.get("products?per_page=100").json()) == 12


def test_a_page_tells_the_total_and_its_neighbours(store, api):
    seed_mugs(store, 5)
    response = api.get("products?per_page=2&page=2&orderby=id&order=asc")
    assert response.headers["X-WP-Total"] == "5"
    assert response.headers["X-WP-TotalPages"] == "3"
    assert response.links["next"]["url"].endswith("page=3")
    assert response.links["prev"]["url"].endswith("page=1")
    assert [row["sku"] for row in api.get(response.links["next"]["url"]).json()] == ["M4"]


def test_beyond_the_last_page_there_is_nothing(store, api):
    seed_mugs(store, 2)
    response = api.get("products?page=7")
    assert response.json() == []
    assert response.headers["X-WP-Total"] == "2"


def test_a_page_link_carries_no_credentials(store, api):
    seed_mugs(store, 3)
    query = {"consumer_key": store.key, "consumer_secret": store.secret, "per_page": 1}
    assert store.secret not in api.get("products", params=query).headers["Link"]


ORDERS_OF_PRODUCTS = [
    ("orderby=id&order=asc", ["B", "C", "A"]),
    ("orderby=title&order=asc", ["A", "B", "C"]),
    ("orderby=date", ["A", "C", "B"]),
    ("orderby=modified", ["B", "A", "C"]),
    ("orderby=price&order=asc", ["C", "B", "A"]),
    ("orderby=include&include=2,3,1", ["C", "A", "B"]),
]


@pytest.mark.parametrize(("query", "names"), ORDERS_OF_PRODUCTS)
def test_a_list_is_sorted_as_asked(store, api, clock, query, names):
    for name, price in (("B", "2"), ("C", "1"), ("A", "3")):
        store.seed({"products": [{"name": name, "regular_price": price}]})
        clock(seconds=1)
    api.put("products/1", json={"name": "B"})
    assert [row["name"] for row in api.get(f"products?{query}").json()] == names


FILTERS = [
    ("sku=MUG", {"MUG"}),
    ("sku=mug", {"MUG"}),
    ("sku=MUG,CUP,NONE", {"MUG", "CUP"}),
    ("sku=A,B", {"A,B"}),
    ("sku=MU", set()),
    ("search_sku=CU", {"CUP", "CUP-2"}),
    ("global_unique_id=4006381333931", {"CUP"}),
    ("search=red+cup", {"CUP-2"}),
    ("search=100%25", set()),
    ("status=draft", {"CUP-2"}),
    ("type=variable", {"SHIRT"}),
    ("include=1,2", {"MUG", "CUP"}),
    ("exclude=1&include[]=1&include[]=2", {"CUP"}),
    ("stock_status=outofstock", {"CUP"}),
    ("sku=SHIRT-S", {"SHIRT-S"}),
    ("global_unique_id=4000000000001", {"SHIRT-M"}),
]


@pytest.mark.parametrize(("query", "skus"), FILTERS)
def test_products_are_filtered(store, api, query, skus):
    store.seed(
        {
            "products": [
                mug(),
                mug(name="Cup", sku="CUP", global_unique_id="4006381333931", stock_quantity=0),
                mug(name="Red cup", sku="CUP-2", status="draft"),
                mug(name="Odd", sku="A,B"),
            ]
        }
    )
    seed_shirt(store)
    assert {row["sku"] for row in api.get(f"products?{query}").json()} == skus


def test_a_list_of_products_holds_no_variations_unless_asked_by_code(store, api):
    shirt, variations = seed_shirt(store)
    assert [row["id"] for row in api.get("products").json()] == [shirt]
    found = api.get("products?sku=SHIRT-M").json()[0]
    assert (found["id"], found["type"], found["parent_id"]) == (variations[1], "variation", shirt)


MODIFIED_AFTER = [  # the shop's clock is two hours ahead of UTC; the product changed at 12:00 UTC
    ("2026-11-02T11:59:59", "true", True),
    ("2026-11-02T12:00:00", "true", False),
    ("2026-11-02T13:59:59", "false", True),
    ("2026-11-02T14:00:00", "false", False),
    ("2026-11-02T11:59:59Z", "false", True),
    ("2026-11-02T09:59:59Z", "true", True),
    ("2026-11-02T10:00:00Z", "true", False),  # the trap: "Z" is turned into the shop's own time
    ("2026-11-02T12:00:00+02:00", "true", False),
]


@pytest.mark.parametrize(("bound", "gmt", "found"), MODIFIED_AFTER)
def test_modified_after_excludes_its_bound_and_knows_the_zone(store, api, clock, bound, gmt, found):
    seed_mug(store)
    query = {"modified_after": bound, "dates_are_gmt": gmt}
    assert len(api.get("products", params=query).json()) == found


def test_dates_are_told_in_the_shops_time_and_in_utc(store, api, clock):
    product = api.get(f"products/{seed_mug(store)}").json()
    assert product["date_modified"] == "2026-11-02T14:00:00"
    assert product["date_modified_gmt"] == "2026-11-02T12:00:00"


def test_only_the_fields_asked_for_are_told(store, api):
    seed_mug(store)
    rows = api.get("products?_fields=sku,dimensions.length").json()
    assert rows == [{"id": 1, "sku": "MUG", "dimensions": {"length": ""}}]


# === CUSTOMERS === #


def test_an_email_is_one_customers_only(api):
    first = api.post("customers", json={"email": "ada@example.com", "first_name": "Ada"}).json()
    second = api.post("customers", json={"email": "ADA@example.com"})
    assert error_of(second) == (400, "registration-error-email-exists")
    other = api.post("customers", json={"email": "eda@example.com"}).json()
    moved = api.put(f"customers/{other['id']}", json={"email": "ada@example.com"})
    assert moved.status_code == 400
    same = api.put(f"customers/{first['id']}", json={"email": "ada@example.com"})
    assert same.status_code == 200


def test_customers_are_found_by_email_and_deleted_by_force_only(api):
    customer = api.post("customers", json={"email": "ada@example.com"}).json()
    api.post("customers", json={"email": "eda@example.com"})
    found = api.get("customers?email=ada@example.com").json()
    assert [row["id"] for row in found] == [customer["id"]]
    path = f"customers/{customer['id']}"
    assert error_of(api.delete(path)) == (501, "woocommerce_rest_trash_not_supported")
    assert api.delete(f"{path}?force=true").status_code == 200

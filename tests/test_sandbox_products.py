"""The sandbox store keeps WooCommerce's rules of products, stock and batches."""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from sandbox.testing import error_of, mug, seed_mug, seed_mugs, seed_shirt  # noqa: E402

pytest_plugins = ["sandbox.testing"]


# === PRODUCTS AND STOCK === #

STOCK = [
    ({"manage_stock": True, "stock_quantity": 7}, (True, 7, "instock")),
    ({"manage_stock": True, "stock_quantity": "7"}, (True, 7, "instock")),
    ({"manage_stock": True, "stock_quantity": 7.0}, (True, 7, "instock")),
    ({"manage_stock": True, "stock_quantity": 0}, (True, 0, "outofstock")),
    ({"manage_stock": True, "stock_quantity": -2}, (True, -2, "outofstock")),
    (
        {"manage_stock": True, "stock_quantity": 0, "backorders": "notify"},
        (True, 0, "onbackorder"),
    ),
    ({"manage_stock": True, "stock_quantity": None}, (True, None, "outofstock")),
    ({"stock_quantity": 7}, (False, None, "instock")),
    ({"stock_status": "outofstock"}, (False, None, "outofstock")),
    ({"manage_stock": "true", "stock_quantity": 3}, (True, 3, "instock")),
]


@pytest.mark.parametrize(("given", "expected"), STOCK)
def test_stock_is_kept_only_where_it_is_managed(api, given, expected):
    product = api.post("products", json={"name": "Mug", **given}).json()
    kept = product["manage_stock"], product["stock_quantity"], product["stock_status"]
    assert kept == expected


def test_stock_that_is_not_given_stays(store, api):
    product_id = seed_mug(store)
    product = api.put(f"products/{product_id}", json={"name": "Cup", "stock_quantity": None}).json()
    assert (product["name"], product["stock_quantity"]) == ("Cup", 5)


def test_no_longer_managed_stock_is_forgotten(store, api):
    product = api.put(f"products/{seed_mug(store)}", json={"manage_stock": False}).json()
    assert product["stock_quantity"] is None


def test_every_save_moves_the_date_of_the_last_change(store, api, clock):
    product_id = seed_mug(store)
    clock(seconds=5)
    changed = api.put(f"products/{product_id}", json={}).json()["date_modified_gmt"]
    assert changed == "2026-11-02T12:00:05"


PRICES = [
    ({"regular_price": "10"}, "10"),
    ({"regular_price": "10,50"}, "10.50"),
    ({"regular_price": "10", "sale_price": "8"}, "8"),
    ({"regular_price": "10", "sale_price": "12"}, "10"),
    ({"regular_price": "free"}, ""),
]


@pytest.mark.parametrize(("given", "price"), PRICES)
def test_prices_are_texts_and_the_lower_one_counts(api, given, price):
    assert api.post("products", json=given).json()["price"] == price


def test_a_sku_belongs_to_one_product(store, api):
    owner = seed_mug(store)
    for sku in ("MUG", "mug", " MUG "):
        response = api.post("products", json=mug(sku=sku))
        assert error_of(response) == (400, "product_invalid_sku")
        data = response.json()["data"]
        assert data["resource_id"] == owner
        assert data["unique_sku"] == f"{sku.strip()}-1"


def test_a_sku_of_a_variation_is_taken_too(store, api):
    _shirt, variations = seed_shirt(store)
    response = api.post("products", json=mug(sku="SHIRT-S"))
    assert response.json()["data"]["resource_id"] == variations[0]


def test_a_product_may_keep_its_own_sku(store, api):
    assert api.put(f"products/{seed_mug(store)}", json={"sku": "MUG"}).status_code == 200


def test_a_sku_in_the_trash_is_free_again(store, api):
    api.delete(f"products/{seed_mug(store)}")
    assert api.post("products", json=mug()).status_code == 201


def test_a_barcode_belongs_to_one_product_and_is_digits(store, api):
    seed_mug(store, global_unique_id="4006381333931")
    for code in ("4006381333931", "not digits"):
        response = api.post("products", json=mug(sku="CUP", global_unique_id=code))
        assert error_of(response) == (400, "product_invalid_global_unique_id")


def test_a_product_goes_to_the_trash_first_and_away_by_force(store, api):
    path = f"products/{seed_mug(store)}"
    assert api.delete(path).status_code == 200
    assert api.get(path).json()["status"] == "trash"
    assert api.get("products").json() == []
    assert error_of(api.delete(path)) == (410, "woocommerce_rest_already_trashed")
    assert api.delete(path + "?force=true").status_code == 200
    assert api.get(path).status_code == 404


def test_categories_images_and_attributes_are_kept(api):
    product = api.post(
        "products",
        json={
            "name": "Mug",
            "categories": [{"name": "Kitchen"}],
            "images": [{"src": "https://example.com/mug.png", "alt": "A mug"}],
            "attributes": [{"name": "Colour", "options": ["Blue"], "visible": True}],
            "dimensions": {"length": "10"},
        },
    ).json()
    assert product["categories"][0]["slug"] == "kitchen"
    assert product["images"][0]["alt"] == "A mug"
    assert product["attributes"][0]["options"] == ["Blue"]
    assert product["dimensions"] == {"length": "10", "width": "", "height": ""}
    second = api.post("products", json={"categories": [{"name": "Kitchen"}]}).json()
    assert second["categories"] == product["categories"]


# === VARIATIONS === #


def test_a_variation_is_read_but_not_written_as_a_product(store, api):
    _shirt, (small, _medium) = seed_shirt(store)
    assert api.get(f"products/{small}").json()["type"] == "variation"
    for method in ("PUT", "DELETE"):
        response = api.request(method, f"products/{small}", json={})
        assert error_of(response) == (404, "woocommerce_rest_invalid_product_id")


def test_variations_are_written_under_their_product(store, api):
    shirt, (small, medium) = seed_shirt(store)
    path = f"products/{shirt}/variations"
    variation = api.put(f"{path}/{small}", json={"stock_quantity": 0}).json()
    assert (variation["stock_quantity"], variation["stock_status"]) == (0, "outofstock")
    assert variation["attributes"][0]["option"] == "S"
    assert {row["id"] for row in api.get(path).json()} == {small, medium}


def test_a_variation_under_the_wrong_product_is_refused(store, api):
    _shirt, (small, _medium) = seed_shirt(store)
    response = api.put(f"products/{seed_mug(store)}/variations/{small}", json={})
    assert error_of(response) == (403, "woocommerce_rest_cannot_edit")


def test_a_product_lists_its_variations_and_costs_what_the_cheapest_does(store, api):
    shirt, variations = seed_shirt(store)
    product = api.get(f"products/{shirt}").json()
    assert product["variations"] == variations
    assert (product["price"], product["regular_price"]) == ("20.00", "")


def test_a_product_is_in_stock_as_long_as_one_variation_is(store, api):
    shirt, (small, medium) = seed_shirt(store)
    path = f"products/{shirt}/variations"
    api.batch(path, update=[{"id": small, "stock_quantity": 0}])
    assert api.get(f"products/{shirt}").json()["stock_status"] == "instock"
    api.batch(path, update=[{"id": medium, "stock_quantity": 0}])
    assert api.get(f"products/{shirt}").json()["stock_status"] == "outofstock"


def test_a_variation_may_share_the_stock_of_its_product(store, api):
    shirt, (small, _medium) = seed_shirt(store)
    api.put(f"products/{shirt}", json={"manage_stock": True, "stock_quantity": 40})
    path = f"products/{shirt}/variations/{small}"
    variation = api.put(path, json={"manage_stock": False}).json()
    assert (variation["manage_stock"], variation["stock_quantity"]) == ("parent", 40)


def test_a_change_of_a_variation_does_not_change_the_date_of_its_product(store, api, clock):
    shirt, (small, _medium) = seed_shirt(store)
    clock(seconds=60)
    api.put(f"products/{shirt}/variations/{small}", json={"stock_quantity": 1})
    assert api.get(f"products/{shirt}").json()["date_modified_gmt"] == "2026-11-02T12:00:00"


def test_variations_go_with_their_product(store, api):
    shirt, (small, _medium) = seed_shirt(store)
    api.delete(f"products/{shirt}?force=true")
    assert api.get(f"products/{small}").status_code == 404


# === BATCH === #


def test_a_batch_creates_updates_and_deletes(store, api):
    first, second = seed_mugs(store, 2)
    answer = api.batch(
        create=[mug(sku="NEW")], update=[{"id": first, "stock_quantity": 9}], delete=[second]
    )
    assert answer["create"][0]["sku"] == "NEW"
    assert answer["update"][0]["stock_quantity"] == 9
    assert answer["delete"][0]["id"] == second
    assert api.get(f"products/{second}").status_code == 404


def test_a_hundred_items_are_one_batch_and_one_more_is_too_many(store, api):
    ids = seed_mugs(store, 100)
    updates = [{"id": number, "stock_quantity": 1} for number in ids]
    assert len(api.batch(update=updates)["update"]) == 100
    response = api.post("products/batch", json={"update": updates, "delete": [ids[0]]})
    assert error_of(response) == (413, "woocommerce_rest_request_entity_too_large")
    assert store.state()["products"] == 100


def test_one_bad_item_does_not_fail_the_others(store, api):
    _shirt, (small, _medium) = seed_shirt(store)
    mug_id = seed_mug(store)
    answer = api.batch(
        create=[mug()],
        update=[
            {"id": 999, "stock_quantity": 1},
            {"id": small, "stock_quantity": 1},
            {"id": mug_id, "sku": "SHIRT"},
            {"stock_quantity": 1},
            {"id": mug_id, "stock_quantity": 8},
        ],
    )
    errors = [item.get("error", {}).get("code") for item in answer["update"]]
    assert errors == [
        "woocommerce_rest_product_invalid_id",
        "woocommerce_rest_invalid_product_id",
        "product_invalid_sku",
        "woocommerce_rest_product_invalid_id",
        None,
    ]
    assert answer["create"][0]["id"] == 0
    assert answer["create"][0]["error"]["data"]["resource_id"] == mug_id
    assert answer["update"][0]["id"] == 999
    assert api.get(f"products/{mug_id}").json()["stock_quantity"] == 8


def test_a_refused_item_leaves_nothing_behind(store, api):
    mug_id = seed_mug(store)
    seed_mugs(store, 1)
    api.batch(update=[{"id": mug_id, "name": "Changed", "sku": "M0"}, {"id": mug_id}])
    assert api.get(f"products/{mug_id}").json()["name"] == "Mug"


def test_items_of_a_batch_are_not_checked_as_single_ones_are(store, api):
    mug_id = seed_mug(store)
    answer = api.batch(
        update=[{"id": str(mug_id), "stock_quantity": "abc", "regular_price": 4.5, "type": "odd"}]
    )
    product = answer["update"][0]
    assert (product["stock_quantity"], product["price"], product["type"]) == (0, "4.5", "simple")


def test_variations_have_a_batch_of_their_own(store, api):
    shirt, (small, medium) = seed_shirt(store)
    updates = [{"id": number, "stock_quantity": 11} for number in (small, medium, shirt)]
    answer = api.batch(f"products/{shirt}/variations", update=updates)["update"]
    assert [item.get("stock_quantity") for item in answer] == [11, 11, None]
    assert answer[2]["error"]["code"] == "woocommerce_rest_product_variation_invalid_id"


def test_orders_have_a_batch(store, api):
    order = store.place_order()
    answer = api.batch("orders", update=[{"id": order["id"], "status": "completed"}, {"id": 999}])
    assert answer["update"][0]["status"] == "completed"
    assert answer["update"][1]["error"]["code"] == "woocommerce_rest_shop_order_invalid_id"

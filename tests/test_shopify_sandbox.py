"""The Shopify store on loopback: what it adds to the schema it executes on."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
import requests

from ..sandbox import shopify_schema
from ..sandbox.shop import webhooks
from ..sandbox.shop.costs import Bucket
from ..sandbox.shopify import ShopifyStore
from .wire import Wire, answer

ROOT = Path(__file__).resolve().parent.parent
pytestmark = pytest.mark.node
VERSION = "2026-10"
SET = """
mutation Set($input: InventorySetQuantitiesInput!, $key: String!) {
  inventorySetQuantities(input: $input) @idempotent(key: $key) {
    inventoryAdjustmentGroup { id changes { name delta item { id } } }
    userErrors { code field message }
  }
}
"""
REFUND = """
mutation Refund($input: RefundInput!, $key: String!) {
  refundCreate(input: $input) @idempotent(key: $key) {
    refund { id totalRefundedSet { shopMoney { amount } } }
    userErrors { field message }
  }
}
"""


@pytest.fixture
def store():
    with ShopifyStore() as store:
        yield store


@pytest.fixture
def clock(store):
    """The store's clock, standing still until it is moved: ``clock(hours=25)``"""
    now = [datetime(2026, 11, 2, 12, 0, tzinfo=timezone.utc)]
    store.clock = lambda: now[0]

    def move(**delta):
        now[0] += timedelta(**delta)

    return move


@pytest.fixture
def wire():
    with ExitStack() as servers:
        yield lambda reply: servers.enter_context(Wire(reply))


@pytest.fixture
def ask(store):
    """``ask(query, version=..., token=..., **variables)`` -> the answer's JSON"""

    def ask(query, version=VERSION, token=None, **variables):
        response = post(store, query, version, token, **variables)
        assert response.status_code == 200, response.text
        return response.json()

    return ask


def post(store, query, version=VERSION, token=None, **variables):
    return requests.post(
        f"{store.url}/admin/api/{version}/graphql.json",
        json={"query": query, "variables": variables},
        headers={"X-Shopify-Access-Token": token or store.token},
        timeout=10,
    )


def seed(store, *rows):
    loaded = store.seed({"products": [{"title": row.get("sku"), **row} for row in rows]})
    return [row for item in loaded["products"] for row in item["variants"]]


def quantities(*rows, **more):
    """:param rows: ``(inventory item, quantity)``, with what it must be before if a third"""
    return {
        "name": "available",
        "reason": "correction",
        "quantities": [
            {
                "inventoryItemId": f"gid://shopify/InventoryItem/{row[0]}",
                "locationId": "gid://shopify/Location/1",
                "quantity": row[1],
                "changeFromQuantity": row[2] if len(row) > 2 else None,
            }
            for row in rows
        ],
        **more,
    }


def codes(answered, field="inventorySetQuantities"):
    return [error["code"] for error in answered["data"][field]["userErrors"]]


def stock(store, item):
    return store.store.get("item", item)["levels"]["1"]["available"]


# === THE SCHEMA === #


def test_the_version_in_the_address_chooses_the_schema(store):
    field = '{ __type(name: "InventoryLevel") { fields { name } } }'
    old, new = (post(store, field, version).json() for version in ("2026-01", "2026-10"))
    names = [{row["name"] for row in data["data"]["__type"]["fields"]} for data in (old, new)]
    assert "isActive" not in names[0]
    assert "isActive" in names[1]


def test_a_version_that_is_not_supported_is_not_found(store):
    assert post(store, "{ shop { name } }", "2024-01").status_code == 404


def test_a_field_the_schema_does_not_have_is_an_error_beside_200(ask):
    data = ask("{ shop { flavour } }")
    assert data["errors"][0]["extensions"]["code"] == "undefinedField"
    assert "data" not in data


def test_a_variable_of_the_wrong_type_is_an_error(ask):
    assert ask("query ($n: Int!) { orders(first: $n) { nodes { id } } }", n="x")["errors"]


def test_a_field_nobody_wrote_is_named(ask):
    message = ask("{ collections(first: 1) { nodes { id } } }")["errors"][0]["message"]
    assert "collections" in message


def test_schemas_are_those_of_the_npm_package():
    assert shopify_schema.versions() == ("2026-01", "2026-04", "2026-07", "2026-10")


# === SIGNING IN === #


def grant(store, **given):
    form = {
        "grant_type": "client_credentials",
        "client_id": store.client_id,
        "client_secret": store.client_secret,
        **given,
    }
    return requests.post(f"{store.url}/admin/oauth/access_token", data=form, timeout=10)


def test_a_token_lives_for_a_day(store, ask, clock):
    data = grant(store).json()
    assert data["expires_in"] == 86399
    clock(hours=23)
    assert ask("{ shop { name } }", token=data["access_token"])["data"]
    clock(hours=2)
    assert post(store, "{ shop { name } }", token=data["access_token"]).status_code == 401


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"client_secret": "x"}, "invalid_client"),
        ({"client_id": "x"}, "application_cannot_be_found"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
    ],
)
def test_wrong_credentials_get_no_token(store, given, code):
    response = grant(store, **given)
    assert (response.status_code, response.json()["error"]) == (400, code)


@pytest.mark.parametrize("token", ["wrong", "shpat_"])
def test_a_wrong_token_is_refused(store, token):
    response = post(store, "{ shop { name } }", token=token)
    assert response.status_code == 401
    assert "Invalid API key or access token" in response.json()["errors"]


# === STOCK === #


def test_from_2026_04_on_a_key_is_mandatory(store, ask):
    (mug,) = seed(store, {"sku": "A", "quantity": 5})
    bare = SET.replace(" @idempotent(key: $key)", "").replace(", $key: String!", "")
    content = quantities((mug["inventory_item_id"], 8))
    error = ask(bare, "2026-04", input=content)["errors"][0]
    assert (error["extensions"]["code"], stock(store, mug["inventory_item_id"])) == (
        "BAD_REQUEST",
        5,
    )
    assert codes(ask(bare, "2026-01", input={**content, "ignoreCompareQuantity": True})) == []


def test_from_2026_04_on_what_it_was_must_be_said(store, ask):
    (mug,) = seed(store, {"sku": "A", "quantity": 5})
    content = quantities((mug["inventory_item_id"], 8))
    del content["quantities"][0]["changeFromQuantity"]
    error = ask(SET, input=content, key="k")["errors"][0]
    assert error["extensions"]["code"] == "INVALID_FIELD_ARGUMENTS"
    assert codes(ask(SET, "2026-01", input=content, key="k2")) == ["COMPARE_QUANTITY_REQUIRED"]


def test_the_same_request_again_gets_the_same_answer_and_writes_nothing(store, ask):
    (mug,) = seed(store, {"sku": "A", "quantity": 5})
    content = quantities((mug["inventory_item_id"], 8, 5))
    first = ask(SET, input=content, key="k")
    store.place_order({"lines": [{"variant": mug["id"], "quantity": 1}]})
    second = ask(SET, input=content, key="k")
    assert first["data"] == second["data"]
    assert stock(store, mug["inventory_item_id"]) == 7


def test_a_key_is_for_one_content(store, ask):
    (mug,) = seed(store, {"sku": "A", "quantity": 5})
    ask(SET, input=quantities((mug["inventory_item_id"], 8)), key="k")
    again = ask(SET, input=quantities((mug["inventory_item_id"], 9)), key="k")
    assert codes(again) == ["IDEMPOTENCY_KEY_PARAMETER_MISMATCH"]


def test_a_key_whose_request_failed_is_used_up(store, ask):
    (mug,) = seed(store, {"sku": "A", "quantity": 5})
    content = quantities((mug["inventory_item_id"], 8, 4))
    assert codes(ask(SET, input=content, key="k")) == ["CHANGE_FROM_QUANTITY_STALE"]
    assert codes(ask(SET, input=content, key="k")) == ["IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED"]


def test_a_key_is_forgotten_after_a_day(store, ask, clock):
    (mug,) = seed(store, {"sku": "A", "quantity": 5})
    ask(SET, input=quantities((mug["inventory_item_id"], 8)), key="k")
    clock(hours=25)
    assert codes(ask(SET, input=quantities((mug["inventory_item_id"], 9)), key="k")) == []


def test_a_key_that_is_in_use_is_refused(store, ask):
    (mug,) = seed(store, {"sku": "A", "quantity": 5})
    store.begin("k")
    content = quantities((mug["inventory_item_id"], 8))
    assert codes(ask(SET, input=content, key="k")) == ["IDEMPOTENCY_CONCURRENT_REQUEST"]
    store.end("k")
    assert codes(ask(SET, input=content, key="k")) == []


def test_of_many_at_once_with_one_key_one_writes(store, ask):
    (mug,) = seed(store, {"sku": "A", "quantity": 5})
    content = quantities((mug["inventory_item_id"], 8, 5))
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: ask(SET, input=content, key="k"), range(8)))
    told = [code for data in found for code in codes(data)]
    assert set(told) <= {"IDEMPOTENCY_CONCURRENT_REQUEST"}
    assert len(told) < 8
    assert stock(store, mug["inventory_item_id"]) == 8


@pytest.mark.parametrize(
    ("row", "code", "field"),
    [
        ((50001, 8, 4), "CHANGE_FROM_QUANTITY_STALE", "changeFromQuantity"),
        ((99999, 8), "INVALID_INVENTORY_ITEM", "inventoryItemId"),
        ((50002, 8), "NON_MUTABLE_INVENTORY_ITEM", "inventoryItemId"),
        ((50001, 2_000_000_000), "INVALID_QUANTITY_TOO_HIGH", "quantity"),
    ],
)
def test_one_bad_quantity_stops_them_all_and_is_named(store, ask, row, code, field):
    seed(store, {"sku": "A", "quantity": 5}, {"sku": "B", "bundle": True}, {"sku": "C"})
    data = ask(SET, input=quantities((50003, 1), row), key="k")
    (error,) = data["data"]["inventorySetQuantities"]["userErrors"]
    assert (error["code"], error["field"]) == (code, ["input", "quantities", "1", field])
    assert (stock(store, 50003), stock(store, 50001)) == (0, 5)


def test_a_pair_may_come_once_in_a_request(store, ask):
    (mug,) = seed(store, {"sku": "A", "quantity": 5})
    row = (mug["inventory_item_id"], 8)
    assert codes(ask(SET, input=quantities(row, row), key="k")) == [
        "NO_DUPLICATE_INVENTORY_ITEM_ID_GROUP_ID_PAIR"
    ]


def test_251_quantities_are_too_many(store, ask):
    data = ask(SET, input=quantities(*((number, 1) for number in range(251))), key="k")
    assert data["errors"][0]["extensions"]["code"] == "MAX_INPUT_SIZE_EXCEEDED"


@pytest.mark.parametrize(("name", "reason"), [("committed", "correction"), ("available", "x")])
def test_names_and_reasons_are_checked(store, ask, name, reason):
    (mug,) = seed(store, {"sku": "A", "quantity": 5})
    content = quantities((mug["inventory_item_id"], 8), name=name, reason=reason)
    assert codes(ask(SET, input=content, key="k"))


@pytest.mark.parametrize(
    ("version", "expected"), [("2026-01", ["ITEM_NOT_STOCKED_AT_LOCATION"]), ("2026-10", [])]
)
def test_what_is_not_stocked_can_be_set_only_in_new_versions_and_is_not_sold(
    store, ask, version, expected
):
    (mug,) = seed(store, {"sku": "A", "levels": {}})
    content = quantities((mug["inventory_item_id"], 8))
    assert codes(ask(SET, version, input=content, key="k")) == expected
    sold = ask("{ productVariants(first: 1) { nodes { inventoryQuantity } } }")
    assert sold["data"]["productVariants"]["nodes"] == [{"inventoryQuantity": 0}]


# === COSTS === #


def test_every_answer_says_what_it_cost_and_what_is_left(ask):
    cost = ask("{ productVariants(first: 50) { nodes { id } } }")["extensions"]["cost"]
    assert (cost["requestedQueryCost"], cost["actualQueryCost"]) == (51, 1)
    assert cost["throttleStatus"]["maximumAvailable"] == 2000
    assert cost["throttleStatus"]["currentlyAvailable"] >= 1998


def test_a_query_beyond_1000_points_is_never_run(ask):
    query = "{ products(first: 100) { nodes { variants(first: 100) { nodes { id } } } } }"
    assert ask(query)["errors"][0]["extensions"]["code"] == "MAX_COST_EXCEEDED"


def test_without_points_a_query_is_throttled_with_200(store, ask):
    store.change_settings({"points": 60, "points_per_second": 1})
    query = "{ products(first: 50) { nodes { id } } }"
    assert "errors" not in ask(query)
    store.bucket.take(50)
    data = ask(query)
    assert data["errors"][0]["extensions"]["code"] == "THROTTLED"
    assert data["extensions"]["cost"]["throttleStatus"]["restoreRate"] == 1


def test_points_come_back_with_time():
    now = [0.0]
    bucket = Bucket(lambda: now[0])
    bucket.set(100, 10)
    assert bucket.take(100)
    assert not bucket.take(30)
    now[0] = 3
    assert bucket.take(30)


# === READING === #


def test_pages_go_on_where_the_last_one_ended(store, ask):
    seed(store, *({"sku": f"S{number}"} for number in range(5)))
    query = """query ($after: String) { productVariants(first: 2, after: $after) {
        edges { node { sku } cursor } pageInfo { hasNextPage endCursor } } }"""
    found, after = [], None
    while True:
        page = ask(query, after=after)["data"]["productVariants"]
        found += [edge["node"]["sku"] for edge in page["edges"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert found == ["S0", "S1", "S2", "S3", "S4"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("sku:S1", ["S1"]),
        ("id:>=2", ["S1", "S2"]),
        ("updated_at:>='2026-11-02T12:01:00Z'", ["S2"]),
        ("sku:S1 OR nonsense", ["S1"]),
        (None, ["S0", "S1", "S2"]),
    ],
)
def test_lists_are_searched(store, ask, clock, query, expected):
    seed(store, {"sku": "S0"}, {"sku": "S1"})
    clock(minutes=1)
    seed(store, {"sku": "S2"})
    text = "query ($q: String) { productVariants(first: 9, query: $q) { nodes { sku } } }"
    rows = ask(text, q=query)["data"]["productVariants"]["nodes"]
    assert [row["sku"] for row in rows] == expected


def test_a_list_without_a_size_is_refused(ask):
    assert "first or last" in ask("{ orders { nodes { id } } }")["errors"][0]["message"]


def test_a_bulk_operation_writes_a_line_for_each_record(store, ask):
    store.seed({"products": [{"title": "Shirt", "variants": [{"sku": "S"}, {"sku": "M"}]}]})
    query = "{ products { edges { node { id variants { edges { node { sku } } } } } } }"
    run = "mutation ($q: String!) { bulkOperationRunQuery(query: $q) "
    run += "{ bulkOperation { id status } userErrors { message } } }"
    started = ask(run, q=query)["data"]["bulkOperationRunQuery"]["bulkOperation"]
    assert started["status"] == "CREATED"
    look = "{ currentBulkOperation { status url objectCount } }"
    states = [ask(look)["data"]["currentBulkOperation"] for _look in range(2)]
    assert [state["status"] for state in states] == ["RUNNING", "COMPLETED"]
    lines = requests.get(states[1]["url"], timeout=10).text.splitlines()
    parent = "gid://shopify/Product/1"
    assert [json.loads(line) for line in lines] == [
        {"id": parent},
        {"sku": "S", "__parentId": parent},
        {"sku": "M", "__parentId": parent},
    ]


# === PRODUCTS === #


def test_product_set_makes_a_product_and_sets_its_variants(store, ask):
    text = """mutation ($input: ProductSetInput!, $id: ProductSetIdentifiers) {
        productSet(input: $input, identifier: $id) {
            product { id title variants(first: 5) { nodes { sku price } } }
            userErrors { field message } } }"""
    sizes = [{"name": "Size", "values": [{"name": "S"}, {"name": "M"}]}]
    rows = [
        {"optionValues": [{"optionName": "Size", "name": size}], "sku": size, "price": "5.00"}
        for size in "SM"
    ]
    given = {"title": "Shirt", "productOptions": sizes, "variants": rows}
    made = ask(text, input=given)["data"]["productSet"]
    assert [row["sku"] for row in made["product"]["variants"]["nodes"]] == ["S", "M"]
    changed = {"title": "New", "variants": [{**rows[0], "price": "6.00"}]}
    again = ask(text, input=changed, id={"id": made["product"]["id"]})["data"]["productSet"]
    assert again["product"]["title"] == "New"
    assert again["product"]["variants"]["nodes"] == [{"sku": "S", "price": "6.00"}]


@pytest.mark.parametrize(("partial", "price"), [(False, "1.00"), (True, "2.00")])
def test_prices_in_bulk_are_all_or_nothing_unless_told(store, ask, partial, price):
    seed(store, {"sku": "A", "price": "1.00"})
    text = """mutation ($rows: [ProductVariantsBulkInput!]!, $partial: Boolean) {
        productVariantsBulkUpdate(productId: "gid://shopify/Product/1", variants: $rows,
            allowPartialUpdates: $partial) { userErrors { code field } } }"""
    rows = [{"id": f"gid://shopify/ProductVariant/{number}", "price": "2.00"} for number in (1, 77)]
    data = ask(text, rows=rows, partial=partial)["data"]["productVariantsBulkUpdate"]
    assert data["userErrors"] == [
        {"code": "PRODUCT_VARIANT_DOES_NOT_EXIST", "field": ["variants", "1", "id"]}
    ]
    assert store.store.get("variant", 1)["price"] == price


# === ORDERS === #


def refund_of(order, amount):
    paid = {"orderId": order, "amount": amount, "gateway": "bogus", "kind": "REFUND"}
    return {"orderId": order, "transactions": [paid]}


def test_a_refund_is_paid_out_once(store, ask):
    store.seed({"orders": [{"shipping": "20"}]})
    content = refund_of("gid://shopify/Order/1", "15.00")
    for _again in range(2):
        data = ask(REFUND, input=content, key="k")["data"]["refundCreate"]
        assert data["refund"]["totalRefundedSet"]["shopMoney"]["amount"] == "15.00"
    assert store.store.get("order", 1)["refunded"] == "15.00"
    more = ask(REFUND, input=content, key="k2")["data"]["refundCreate"]
    assert more["refund"] is None
    assert "more than is left" in more["userErrors"][0]["message"]


def test_a_refund_needs_a_key(store, ask):
    store.seed({"orders": [{"shipping": "20"}]})
    bare = REFUND.replace(" @idempotent(key: $key)", "").replace(", $key: String!", "")
    content = refund_of("gid://shopify/Order/1", "15.00")
    assert ask(bare, input=content)["errors"][0]["extensions"]["code"] == "BAD_REQUEST"


def test_metafields_are_set_together_or_not_at_all(store, ask):
    store.seed({"orders": [{}]})
    text = """mutation ($rows: [MetafieldsSetInput!]!) { metafieldsSet(metafields: $rows) {
        metafields { key } userErrors { code elementIndex } } }"""
    row = {
        "ownerId": "gid://shopify/Order/1",
        "namespace": "n",
        "key": "good",
        "type": "json",
        "value": "{}",
    }
    rows = [row, {**row, "key": "bad", "value": "{"}]
    data = ask(text, rows=rows)["data"]["metafieldsSet"]
    assert data["userErrors"] == [{"code": "INVALID_VALUE", "elementIndex": 1}]
    assert store.store.count("metafield") == 0


# === FAULTS, JOURNAL, WEBHOOKS === #


def test_faults_can_be_meant_for_one_operation(store):
    store.fault("http_500_before", path="#orders")
    assert post(store, "{ shop { name } }").status_code == 200
    assert post(store, "{ orders(first: 1) { nodes { id } } }").status_code == 500


def test_the_journal_names_what_was_asked_and_no_token(store, ask):
    ask("{ shop { name } }")
    (entry,) = store.requests
    assert entry.query == {"operation": "shop"}
    assert store.token not in json.dumps(entry.as_dict())


def test_a_mistake_of_the_sandbox_looks_like_one_of_shopify(store, ask, monkeypatch):
    monkeypatch.setattr(store, "setting", lambda name: 1 / 0)
    response = post(store, "{ currentAppInstallation { accessScopes { handle } } }")
    assert response.status_code == 500


def test_a_delivery_that_is_refused_comes_again_with_the_same_payload(store, wire, ask):
    replies = iter([answer(b"", status="500 No"), answer(b"")])
    receiver = wire(lambda *_: next(replies))
    text = """mutation ($w: WebhookSubscriptionInput!) {
        webhookSubscriptionCreate(topic: ORDERS_CREATE, webhookSubscription: $w) {
            webhookSubscription { id uri } userErrors { message } } }"""
    ask(text, w={"uri": receiver.url, "format": "JSON"})
    store.place_order()
    store.wait_for_webhooks()
    first, second = receiver.asked
    assert first.body == second.body
    assert first.headers["x-shopify-webhook-id"] == second.headers["x-shopify-webhook-id"]
    assert first.headers["x-shopify-shop-domain"] == store.domain
    signature = webhooks.signature(first.body, store.client_secret)
    assert first.headers["x-shopify-hmac-sha256"] == signature.lower()  # the wire lowers all


def test_an_unsubscribed_address_gets_nothing(store, wire):
    receiver = wire(answer(b""))
    store.place_order()
    store.wait_for_webhooks()
    assert receiver.asked == []


def test_the_page_shows_stock_and_orders(store):
    seed(store, {"sku": "MUG-1", "quantity": 42})
    store.place_order()
    text = requests.get(store.url, timeout=10).text
    assert "MUG-1" in text
    assert "Second Street" in text
    assert "#1001" in text
    assert store.token not in text


def test_the_control_api_seeds_orders_and_resets(store):
    url = f"{store.url}/_sandbox"
    assert requests.post(f"{url}/seed", json={"invent": 3}, timeout=10).status_code == 201
    assert requests.post(f"{url}/orders", json={}, timeout=10).status_code == 201
    assert requests.get(f"{url}/state", timeout=10).json()["orders"] == 1
    assert requests.post(f"{url}/reset", timeout=10).json()["variants"] == 0


def test_data_and_keys_outlive_the_process(tmp_path):
    path = tmp_path / "store.sqlite"
    with ShopifyStore(path) as store:
        seed(store, {"sku": "A", "quantity": 5})
        token, secret = store.token, store.client_secret
    with ShopifyStore(path) as store:
        assert (store.token, store.client_secret) == (token, secret)
        assert stock(store, 50001) == 5


def test_it_starts_from_the_command_line():
    command = [sys.executable, "-m", "sandbox.shopify", "--port", "0"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout.readline().startswith("Shopify sandbox: http://127.0.0.1:")
            assert "access token:" in process.stdout.readline()
        finally:
            process.terminate()

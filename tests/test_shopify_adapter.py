"""The Shopify adapter against the store on loopback, which executes on Shopify's own schema; and,
for what that one does not do, against a server that answers exactly what the test says."""

import json
import os
import subprocess
import sys
from contextlib import ExitStack
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ..adapters import shopify, shopify_orders, shopify_queries
from ..adapters.base import ADAPTERS, SendKey, Settings
from ..adapters.documents import (
    InventoryLevel,
    Invoice,
    InvoiceLine,
    InvoiceTax,
    LocationQuantity,
    Shipment,
    ShipmentLine,
)
from ..adapters.errors import (
    AuthenticationFailed,
    Conflict,
    Misconfigured,
    Missing,
    RateLimited,
    Rejected,
    SyncError,
    Temporary,
    Unexpected,
    ValidationFailed,
)
from ..adapters.http import HttpClient
from ..adapters.shopify import ADMIN_VERSION, ShopifyAdapter, operation_name
from ..adapters.shopify_budget import Budget
from ..adapters.shopify_errors import element_error, place_in, query_error
from ..adapters.shopify_inventory import request_key
from ..adapters.shopify_invoice import metafield_key
from ..adapters.shopify_values import decimal, gid, is_id, plain_id, search_date, utc
from ..adapters.shopify_webhooks import header_topic, schema_topic
from ..sandbox import shopify_schema
from ..sandbox.shop import costs, fulfillments, inventory, metafields, orders, products, webhooks
from ..sandbox.shopify import ShopifyStore
from .wire import Wire, answer, page

ROOT = Path(__file__).resolve().parent.parent
node = pytest.mark.node
MAIN, SECOND = "1", "2"


@pytest.fixture
def store():
    with ShopifyStore() as store:
        yield store


@pytest.fixture
def wire():
    with ExitStack() as servers:
        yield lambda reply: servers.enter_context(Wire(reply))


def adapter_of(url, **credentials):
    options = credentials.pop("options", {})
    credentials = credentials or {"access_token": "shpat_1"}
    client = HttpClient(url, timeouts=(1, 2))
    adapter = ShopifyAdapter(Settings(url, credentials, options), client)
    adapter.poll_seconds = 0
    return adapter


def adapter_for(store, version=ADMIN_VERSION, **options):
    adapter = adapter_of(store.url, access_token=store.token, options=options)
    adapter.version = version
    return adapter


@pytest.fixture
def adapter(store):
    return adapter_for(store)


def check_failure(adapter):
    with pytest.raises(SyncError) as caught:
        adapter.check()
    return caught.value


def asked(store):
    """The operations a store was asked for."""
    return [entry.query.get("operation", entry.path) for entry in store.requests]


# === THE MODULE === #


def test_the_adapter_needs_no_odoo_and_no_schema():
    code = "import adapters.shopify, sys; assert not {'odoo', 'graphql'} & set(sys.modules)"
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environ, check=True)


def test_importing_the_package_registers_the_platform():
    assert ADAPTERS["shopify"] is ShopifyAdapter


def test_the_settings_show_no_credentials():
    assert "shpat_1" not in repr(adapter_of("http://shop.example").settings)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("order", "9"), "https://admin.shopify.com/store/mugs/orders/9"),
        (("invoice", "9:INV/1"), "https://admin.shopify.com/store/mugs/orders/9"),
        (("shipment", "4", "9"), "https://admin.shopify.com/store/mugs/orders/9"),
        (("variant", "7", "3"), "https://admin.shopify.com/store/mugs/products/3/variants/7"),
        (("product", "3"), "https://admin.shopify.com/store/mugs/products/3"),
        (("order", ""), ""),
    ],
)
def test_records_are_linked_to_the_shops_administration(arguments, expected):
    assert adapter_of("https://mugs.myshopify.com").record_url(*arguments) == expected


@node
@pytest.mark.parametrize("version", shopify.SUPPORTED_VERSIONS)
def test_every_document_of_ours_fits_the_schema_of_every_supported_version(version):
    from graphql import parse, validate

    schema = shopify_schema.load(version)
    problems = {
        name: [problem.message for problem in validate(schema, parse(document))]
        for name, document in shopify_queries.DOCUMENTS.items()
    }
    assert not {name: found for name, found in problems.items() if found}


@node
def test_the_version_is_one_shopify_has():
    assert shopify.ADMIN_VERSION in shopify.SUPPORTED_VERSIONS
    assert set(shopify.SUPPORTED_VERSIONS) <= set(shopify_schema.versions())


@node
def test_no_document_of_ours_costs_more_than_one_query_may():
    from graphql import parse

    schema = shopify_schema.load(ADMIN_VERSION)
    for name, document in shopify_queries.DOCUMENTS.items():
        operation = parse(document).definitions[0]
        # a shipment is one fulfilment for each location it leaves from
        sizes = {"first": 100, "ids": ["x"] * (10 if name == "SHIPPED" else 100)}
        cost = costs.Estimate(schema, {}, sizes).operation(operation)
        assert cost <= costs.MAX_SINGLE, name


def test_every_document_has_a_name():
    names = [operation_name(document) for document in shopify_queries.DOCUMENTS.values()]
    assert len(set(names)) == len(names)
    assert all(name.isalpha() for name in names)


# === VALUES === #


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("gid://shopify/Order/7", "7"),
        ("gid://shopify/InventoryLevel/5?inventory_item_id=9", "5"),
        ("7", "7"),
        ("", ""),
        (None, ""),
    ],
)
def test_an_id_is_kept_as_a_plain_number(text, expected):
    assert plain_id(text) == expected


def test_an_id_is_sent_whole():
    assert gid("Order", "7") == gid("Order", "gid://shopify/Order/7") == "gid://shopify/Order/7"


@pytest.mark.parametrize(
    ("text", "good"), [("7", True), ("gid://shopify/Order/7", True), ("", False), ("A7", False)]
)
def test_what_is_no_id_is_recognised(text, good):
    assert is_id(text) is good


def test_dates_are_utc_without_a_zone():
    assert utc("2026-03-01T09:30:00+02:00") == datetime(2026, 3, 1, 7, 30)
    assert utc("2026-03-01T09:30:00Z") == datetime(2026, 3, 1, 9, 30)
    assert utc("nonsense") is None
    assert search_date(datetime(2026, 3, 1, 9, 30)) == "'2026-03-01T09:30:00Z'"


@pytest.mark.parametrize(("value", "expected"), [("1.10", Decimal("1.10")), (5, 5), ("x", None)])
def test_amounts_are_exact(value, expected):
    assert decimal(value) == expected


# === SIGNING IN === #


def grant(token="shpat_new", **more):
    return answer({"access_token": token, "expires_in": 86399, **more})


def shop_data(**more):
    shop = {"name": "Shop", "myshopifyDomain": "mugs.myshopify.com", "currencyCode": "EUR"}
    return {"data": {"shop": {**shop, **more}, "currentAppInstallation": {}}}


REFUSED = answer({"errors": "[API] Invalid API key or access token"}, status="401 Unauthorized")


def app_of(url, **options):
    return adapter_of(url, client_id="id1", client_secret="secret1", options=options)


@node
def test_client_credentials_are_exchanged_for_a_token(store):
    adapter = adapter_of(store.url, client_id=store.client_id, client_secret=store.client_secret)
    assert adapter.check().name == "Sandbox Shop"
    adapter.check()
    assert [entry.path for entry in store.requests].count("/admin/oauth/access_token") == 1


@node
def test_a_token_that_was_revoked_is_renewed_once(store):
    adapter = adapter_of(store.url, client_id=store.client_id, client_secret=store.client_secret)
    adapter.check()
    store.tokens.revoke()
    assert adapter.check().name == "Sandbox Shop"
    assert [entry.path for entry in store.requests].count("/admin/oauth/access_token") == 2


def test_a_renewed_token_that_is_refused_too_ends_it(wire):
    def reply(asked, _connection):
        return grant() if asked.path == "/admin/oauth/access_token" else REFUSED

    server = wire(reply)
    error = check_failure(app_of(server.url))
    assert (type(error), error.code) == (AuthenticationFailed, "401")
    assert len(server.asked) == 4


def test_the_secret_travels_as_a_form_and_never_with_the_token(wire):
    def reply(asked, _connection):
        return grant() if "oauth" in asked.path else answer(shop_data())

    server = wire(reply)
    app_of(server.url).check()
    form = parse_qs(server.asked[0].body.decode())
    assert form["grant_type"] == ["client_credentials"]
    assert form["client_secret"] == ["secret1"]
    assert "x-shopify-access-token" not in server.asked[0].headers
    assert server.asked[1].headers["x-shopify-access-token"] == "shpat_new"


def test_a_pasted_token_is_used_as_it_is(wire):
    server = wire(answer(shop_data()))
    adapter_of(server.url, access_token="shpat_old", client_id="i", client_secret="s").check()
    assert [entry.headers["x-shopify-access-token"] for entry in server.asked] == ["shpat_old"]


def test_a_pasted_token_that_is_refused_is_not_replaced(wire):
    server = wire(REFUSED)
    error = check_failure(adapter_of(server.url, access_token="shpat_old"))
    assert type(error) is AuthenticationFailed
    assert "installed" in error.hint
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("invalid_client", "client ID"),
        ("shop_not_permitted", "organization"),
        ("app_not_installed", "Install the app"),
    ],
)
def test_a_sign_in_that_is_refused_says_why(wire, code, words):
    body = {"error": code, "error_description": "No."}
    error = check_failure(app_of(wire(answer(body, status="400 Bad Request")).url))
    assert (type(error), error.code) == (AuthenticationFailed, code)
    assert words in error.hint
    assert "secret1" not in error.message


def test_without_credentials_nothing_is_asked(wire):
    server = wire(answer({}))
    error = check_failure(adapter_of(server.url, client_id=""))
    assert (type(error), error.code) == (AuthenticationFailed, "no_credentials")
    assert server.asked == []


def test_a_token_is_not_used_until_its_last_second(wire):
    def reply(asked, _connection):
        return grant(expires_in=200) if "oauth" in asked.path else answer(shop_data())

    server = wire(reply)
    adapter = app_of(server.url)
    adapter.check()
    adapter.check()
    assert [entry.path for entry in server.asked].count("/admin/oauth/access_token") == 2


def test_no_log_shows_a_token(wire):
    def reply(asked, _connection):
        return grant("shpat_fetched_1") if "oauth" in asked.path else answer(shop_data())

    adapter = app_of(wire(reply).url)
    with adapter.client.recording() as exchanges:
        adapter.check()
    shown = " ".join(one.request_summary + one.response_summary for one in exchanges)
    for secret in ("shpat_fetched_1", "secret1"):
        assert secret not in shown


# === WHO IS THERE === #


@node
def test_a_good_connection_tells_who_answers(store):
    store.change_settings({"currency": "EUR"})
    identity = adapter_for(store).check()
    assert (identity.name, identity.currency) == ("Sandbox Shop", "EUR")
    assert identity.version == f"Shopify {ADMIN_VERSION}"
    assert identity.address == "https://sandbox-shop.myshopify.com"
    assert [text for text in identity.warnings if "not encrypted" not in text] == []


@node
def test_checking_changes_nothing(store, adapter):
    adapter.check()
    totals = store.journal.totals()
    assert (totals["items_written"], totals["creations"]) == (0, 0)


@node
def test_access_scopes_that_are_missing_are_warned_of(store):
    store.change_settings({"scopes": ["read_products"]})
    text = " ".join(adapter_for(store).check().warnings)
    assert "write_inventory (for stock)" in text
    assert "read_products" not in text


@pytest.mark.parametrize(
    ("reply", "kind", "code"),
    [
        (page("Welcome"), Misconfigured, "not_shopify"),
        (answer({"hello": 1}), Temporary, "malformed_answer"),
        (answer({"errors": "Not Found"}, status="404 Not Found"), Misconfigured, "no_shop"),
        (answer({"errors": "x"}, status="402 Payment Required"), Misconfigured, "shop_frozen"),
        (answer({"errors": "x"}, status="403 Forbidden"), AuthenticationFailed, "403"),
        (answer({"errors": "x"}, status="423 Locked"), Misconfigured, "shop_locked"),
    ],
)
def test_what_is_no_usable_shop_is_said_to_be_none(wire, reply, kind, code):
    error = check_failure(adapter_of(wire(reply).url))
    assert type(error) in (kind, Misconfigured)
    assert error.code in (code, "not_shopify")


@pytest.mark.parametrize("status", ["401 Unauthorized", "403 Forbidden"])
def test_a_firewalls_page_says_nothing_of_our_credentials(wire, status):
    error = check_failure(adapter_of(wire(page("Blocked", status=status)).url))
    assert (type(error), error.code) == (Temporary, "blocked")


def test_a_shop_that_is_down_is_temporary(store, adapter):
    store.stop()
    error = check_failure(adapter)
    assert (type(error), error.code, error.uncertain) == (Temporary, "connection_refused", False)


def test_another_name_of_the_shop_is_warned_of(wire):
    text = " ".join(adapter_of(wire(answer(shop_data())).url).check().warnings)
    assert "not encrypted" in text


# === ERRORS OF A QUERY === #


def query_errors(code, message="Words of Shopify."):
    return [{"message": message, "extensions": {"code": code}}]


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("THROTTLED", RateLimited),
        ("ACCESS_DENIED", AuthenticationFailed),
        ("SHOP_INACTIVE", Misconfigured),
        ("INTERNAL_SERVER_ERROR", Temporary),
        ("MAX_COST_EXCEEDED", Unexpected),
        ("undefinedField", Unexpected),
        ("", Unexpected),
    ],
)
def test_errors_beside_http_200_are_sorted_by_their_code(code, kind):
    error = query_error(query_errors(code), "mugs", wait=3)
    assert type(error) is kind
    assert error.retry_after == (3 if kind is RateLimited else None)


@pytest.mark.parametrize("errors", [None, "Text", [], ["Text"], [{"extensions": None}]])
def test_errors_of_another_shape_are_understood_too(errors):
    assert type(query_error(errors, "mugs")) is Unexpected


@pytest.mark.parametrize(
    ("code", "words", "kind"),
    [
        ("NON_MUTABLE_INVENTORY_ITEM", "Not allowed.", Rejected),
        ("INVALID_INVENTORY_ITEM", "Could not be found.", Missing),
        ("INVALID_LOCATION", "Could not be found.", Missing),
        ("CHANGE_FROM_QUANTITY_STALE", "Stale.", Conflict),
        ("IDEMPOTENCY_CONCURRENT_REQUEST", "In progress.", Temporary),
        ("", "Order does not exist", Missing),
        ("", "The product couldn't be found.", Missing),
        ("SOMETHING_NEW", "No.", Rejected),
    ],
)
def test_user_errors_are_sorted_by_code_or_words(code, words, kind):
    error = element_error({"code": code, "message": words}, "[MUG] Mug")
    assert type(error) is kind
    assert error.message.startswith("[MUG] Mug: ")
    assert words.rstrip(".") in error.message
    assert error.hint


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        (["input", "quantities", "3", "locationId"], 3),
        (["input", "quantities", "12"], 12),
        (["input", "reason"], None),
        (["input", "quantities"], None),
        (None, None),
    ],
)
def test_the_element_an_error_concerns_is_read_from_its_field(field, expected):
    assert place_in({"field": field}, "input", "quantities") == expected


# === STOCK === #


def seed(store, *rows):
    """:return: ``{sku: variant}`` with ``id`` and ``inventory_item_id``"""
    loaded = store.seed({"products": [{"title": row.get("sku"), **row} for row in rows]})
    return {row["sku"]: row for item in loaded["products"] for row in item["variants"]}


def level(variant, *quantities, **values):
    """:param quantities: ``(location, quantity, last seen)``, or a quantity for the main one"""
    rows = [row if isinstance(row, tuple) else (MAIN, row, None) for row in quantities]
    levels = tuple(
        LocationQuantity(
            location_id=place,
            quantity=Decimal(quantity),
            last_seen=None if seen is None else Decimal(seen),
        )
        for place, quantity, seen in rows
    )
    handles = {"inventory_item_id": str(variant["inventory_item_id"])}
    number = str(variant["id"])
    given = {"label": f"[{variant['sku']}]", "external_id": number, "handles": handles}
    return InventoryLevel(**{**given, "levels": levels, **values})


def push(adapter, *documents, kind="inventory", keys=None):
    return adapter.push(kind, list(documents), keys or [SendKey("k")] * len(documents))


def stock(store, variant, place=MAIN):
    return inventory.quantity(store.store.get("item", variant["inventory_item_id"]), place)


def is_stocked(store, variant, place):
    levels = store.store.get("item", variant["inventory_item_id"])["levels"]
    return place in levels and levels[place]["active"]


@node
def test_250_quantities_are_one_request(store, adapter):
    rows = seed(store, *({"sku": f"S{number}", "quantity": 1} for number in range(250)))
    results = push(adapter, *(level(row, (MAIN, 7, 1)) for row in rows.values()))
    assert asked(store) == ["inventorySetQuantities"]
    assert {result.outcome for result in results} == {"updated"}
    assert results[0].seen == {MAIN: Decimal(7)}
    assert stock(store, rows["S249"]) == 7


def test_parcels_hold_250_quantities_and_no_document_is_torn_apart():
    variant = {"id": 1, "sku": "A", "inventory_item_id": 2}
    documents = [level(variant, (MAIN, 1, 0), (SECOND, 1, 0)) for _number in range(126)]
    parcels = adapter_of("http://shop.example").parcels("inventory", documents)
    assert [len(parcel) for parcel in parcels] == [125, 1]
    assert sorted(place for parcel in parcels for place in parcel) == list(range(126))


@node
def test_what_was_written_before_is_compared_and_not_looked_at(store, adapter):
    mug = seed(store, {"sku": "A", "quantity": 5})["A"]
    (result,) = push(adapter, level(mug, (MAIN, 8, 5)))
    assert asked(store) == ["inventorySetQuantities"]
    assert (result.outcome, stock(store, mug)) == ("updated", 8)


@node
def test_a_first_write_overwrites_whatever_is_there(store, adapter):
    mug = seed(store, {"sku": "A", "quantity": 5})["A"]
    (result,) = push(adapter, level(mug, 8))
    assert (result.outcome, stock(store, mug)) == ("updated", 8)
    assert asked(store) == ["location,nodes", "inventorySetQuantities"]


@node
def test_a_quantity_that_changed_over_there_is_a_conflict_with_both_values(store, adapter):
    rows = seed(store, {"sku": "A", "quantity": 3}, {"sku": "B", "quantity": 5})
    stale, fine = push(adapter, level(rows["A"], (MAIN, 8, 5)), level(rows["B"], (MAIN, 6, 5)))
    assert (type(stale.error), stale.error.code) == (Conflict, "CHANGE_FROM_QUANTITY_STALE")
    assert "Main Warehouse" in stale.error.message
    for value in ("holds 3", "and 5", "write: 8"):
        assert value in stale.error.message
    assert stale.seen == {MAIN: Decimal(3)}
    assert stock(store, rows["A"]) == 3
    assert (fine.outcome, stock(store, rows["B"])) == ("updated", 6)


@node
def test_a_conflict_resent_with_what_was_seen_goes_through(store, adapter):
    mug = seed(store, {"sku": "A", "quantity": 3})["A"]
    (stale,) = push(adapter, level(mug, (MAIN, 8, 5)))
    (result,) = push(adapter, level(mug, (MAIN, 8, stale.seen[MAIN])))
    assert (result.outcome, stock(store, mug)) == ("updated", 8)


@node
@pytest.mark.parametrize("fault", ["http_500_after", "reset"])
def test_a_write_whose_answer_was_lost_is_recognised_by_its_key(store, adapter, fault):
    mug = seed(store, {"sku": "A", "quantity": 5})["A"]
    store.fault(fault, times=1, path="#inventorySetQuantities")
    with pytest.raises(Temporary) as caught:
        push(adapter, level(mug, (MAIN, 8, 5)))
    assert caught.value.uncertain
    (result,) = push(adapter, level(mug, (MAIN, 8, 5)))
    assert (result.outcome, stock(store, mug)) == ("updated", 8)


@node
def test_a_lost_write_in_another_company_is_recognised_by_what_is_there(store, adapter):
    """In a second try the parcel holds other documents too, so its key is another."""
    rows = seed(store, {"sku": "A", "quantity": 5}, {"sku": "B", "quantity": 5})
    store.fault("http_500_after", times=1)
    with pytest.raises(Temporary):
        push(adapter, level(rows["A"], (MAIN, 8, 5)))
    first, second = push(adapter, level(rows["A"], (MAIN, 8, 5)), level(rows["B"], (MAIN, 9, 5)))
    assert (first.outcome, second.outcome) == ("unchanged", "updated")
    assert first.seen == {MAIN: Decimal(8)}
    assert [stock(store, row) for row in rows.values()] == [8, 9]


@node
def test_a_changed_quantity_never_meets_its_old_key(store, adapter):
    mug = seed(store, {"sku": "A", "quantity": 5})["A"]
    for quantity, seen in ((8, 5), (9, 8), (4, 9)):
        (result,) = push(adapter, level(mug, (MAIN, quantity, seen)))
        assert (result.outcome, result.error) == ("updated", None)
    assert stock(store, mug) == 4


@node
def test_another_job_with_the_same_content_is_another_request(store, adapter):
    mug = seed(store, {"sku": "A", "quantity": 5})["A"]
    for job, (quantity, seen) in enumerate(((8, 5), (5, 8), (8, 5))):
        push(adapter, level(mug, (MAIN, quantity, seen)), keys=[SendKey(f"job {job}")])
    assert stock(store, mug) == 8


@node
def test_a_key_whose_request_failed_is_not_used_again(store, adapter):
    mug = seed(store, {"sku": "A", "quantity": 3})["A"]
    document = level(mug, (MAIN, 8, 5))
    push(adapter, document)
    store.seed({})
    item = store.store.get("item", mug["inventory_item_id"])
    inventory.put_level(store, item, MAIN, 5)
    (result,) = push(adapter, document)
    assert (result.outcome, stock(store, mug)) == ("updated", 8)


@node
def test_a_request_that_is_still_worked_on_is_waited_for(store, adapter):
    mug = seed(store, {"sku": "A", "quantity": 5})["A"]
    store.begin = lambda key: False
    with pytest.raises(Temporary) as caught:
        push(adapter, level(mug, (MAIN, 8, 5)))
    assert caught.value.code == "IDEMPOTENCY_CONCURRENT_REQUEST"
    assert caught.value.retry_after


@node
@pytest.mark.parametrize("version", shopify.SUPPORTED_VERSIONS)
def test_what_is_not_stocked_at_a_location_is_stocked_there_once(store, version):
    adapter = adapter_for(store, version)
    mug = seed(store, {"sku": "A", "levels": {MAIN: 5}})["A"]
    (result,) = push(adapter, level(mug, (MAIN, 8, None), (SECOND, 3, None)))
    assert (result.outcome, result.error) == ("updated", None)
    assert "Second Street" in result.note
    assert is_stocked(store, mug, SECOND)
    assert (stock(store, mug), stock(store, mug, SECOND)) == (8, 3)
    push(adapter, level(mug, (MAIN, 9, 8), (SECOND, 4, 3)))
    assert asked(store).count("inventoryActivate") == 1


@node
def test_an_old_version_that_refuses_what_is_not_stocked_is_answered_by_stocking_it(store):
    adapter = adapter_for(store, "2026-01")
    rows = seed(store, {"sku": "A", "levels": {}}, {"sku": "B", "quantity": 1})
    results = push(adapter, level(rows["A"], (MAIN, 8, 0)), level(rows["B"], (MAIN, 2, 1)))
    assert [result.outcome for result in results] == ["updated", "updated"]
    assert [stock(store, row) for row in rows.values()] == [8, 2]


@node
@pytest.mark.parametrize("seen", [None, 5])
def test_a_bundle_fails_alone(store, adapter, seen):
    rows = seed(store, *({"sku": sku, "quantity": 5, "bundle": sku == "B"} for sku in "ABC"))
    good, bad, other = push(adapter, *(level(row, (MAIN, 7, seen)) for row in rows.values()))
    assert (good.outcome, other.outcome) == ("updated", "updated")
    assert (type(bad.error), bad.error.code) == (Rejected, "NON_MUTABLE_INVENTORY_ITEM")
    assert "parts" in bad.error.hint
    assert [stock(store, row) for row in rows.values()] == [7, 5, 7]


@node
@pytest.mark.parametrize("seen", [None, 5])
def test_an_item_that_is_not_tracked_fails_alone(store, adapter, seen):
    rows = seed(store, {"sku": "A", "quantity": 5}, {"sku": "B", "quantity": 5, "tracked": False})
    good, bad = push(adapter, *(level(row, (MAIN, 7, seen)) for row in rows.values()))
    assert good.outcome == "updated"
    assert (type(bad.error), bad.error.code) == (Rejected, "not_tracked")


@node
@pytest.mark.parametrize("seen", [None, 5])
def test_a_deleted_variant_is_missing_and_alone(store, adapter, seen):
    rows = seed(store, {"sku": "A", "quantity": 5}, {"sku": "B", "quantity": 5})
    products.delete(store, store.store.get("variant", rows["A"]["id"]))
    gone, kept = push(adapter, *(level(row, (MAIN, 7, seen)) for row in rows.values()))
    assert type(gone.error) is Missing
    assert "no longer exists" in gone.error.message
    assert kept.outcome == "updated"


@node
@pytest.mark.parametrize("seen", [None, 5])
def test_a_location_that_is_gone_is_missing(store, adapter, seen):
    mug = seed(store, {"sku": "A", "quantity": 5})["A"]
    (result,) = push(adapter, level(mug, ("99", 7, seen)))
    assert type(result.error) is Missing
    assert "Map the warehouse" in result.error.hint


@node
def test_the_inventory_item_is_looked_up_where_it_is_not_known(store, adapter):
    mug = seed(store, {"sku": "A", "quantity": 5})["A"]
    (result,) = push(adapter, level(mug, (MAIN, 7, 5), handles={}))
    assert (result.outcome, stock(store, mug)) == ("updated", 7)


@node
def test_one_item_refused_for_another_reason_fails_alone(store, adapter):
    rows = seed(store, *({"sku": sku, "quantity": 5} for sku in "ABC"))
    store.fault("bad_item", sku="B", code="INVALID_REASON", message="Not <b>today</b>.")
    results = push(adapter, *(level(row, (MAIN, 7, 5)) for row in rows.values()))
    assert [result.outcome for result in results] == ["updated", "", "updated"]
    assert results[1].error.message == "[B]: the store refuses it: Not today."


def test_the_one_that_is_refused_without_a_name_is_found(wire):
    """Shopify says that something is wrong, but not with what."""

    def reply(asked, _connection):
        rows = asked.json()["variables"]["input"]["quantities"]
        bad = any(row["inventoryItemId"].endswith("/3") for row in rows)
        errors = [{"code": "INVALID_REASON", "field": None, "message": "No."}] if bad else []
        payload = {"inventoryAdjustmentGroup": None, "userErrors": errors}
        return answer({"data": {"inventorySetQuantities": payload}})

    variants = [{"id": n, "sku": str(n), "inventory_item_id": n} for n in range(1, 6)]
    adapter = adapter_of(wire(reply).url)
    results = push(adapter, *(level(row, (MAIN, 7, 5)) for row in variants))
    assert [bool(result.error) for result in results] == [False, False, True, False, False]


@settings(max_examples=30, deadline=None)
@given(bad=st.sets(st.integers(0, 11)), named=st.booleans(), all_at_once=st.booleans())
def test_whatever_is_refused_the_others_are_written(bad, named, all_at_once):
    """All or nothing, as Shopify does it; with or without the elements' names, one at a time or
    all at once."""
    written = {}

    def reply(asked, _connection):
        rows = asked.json()["variables"]["input"]["quantities"]
        items = [int(plain_id(row["inventoryItemId"])) for row in rows]
        places = [place for place, item in enumerate(items) if item - 1 in bad]
        errors = [
            {
                "code": "INVALID_INVENTORY_ITEM",
                "field": ["input", "quantities", str(place), "inventoryItemId"] if named else None,
                "message": "No.",
            }
            for place in (places if all_at_once else places[:1])
        ]
        if not errors:
            written.update({item: row["quantity"] for item, row in zip(items, rows, strict=True)})
        payload = {"inventoryAdjustmentGroup": None, "userErrors": errors}
        return answer({"data": {"inventorySetQuantities": payload}})

    variants = [{"id": n, "sku": str(n), "inventory_item_id": n} for n in range(1, 13)]
    with Wire(reply) as server:
        adapter = adapter_of(server.url)
        results = push(adapter, *(level(row, (MAIN, row["id"], 0)) for row in variants))
        adapter.client.close()
    assert {place for place, result in enumerate(results) if result.error} == bad
    assert written == {n: n for n in range(1, 13) if n - 1 not in bad}


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"external_id": "A7"}, "not the ID of a variant"),
        ({"external_id": ""}, "not the ID of a variant"),
        ({"levels": ()}, "no location"),
    ],
)
def test_what_cannot_be_sent_is_found_before_any_request(wire, values, words):
    server = wire(answer({}))
    variant = {"id": 1, "sku": "A", "inventory_item_id": 2}
    (result,) = push(adapter_of(server.url), level(variant, 1, **values))
    assert type(result.error) is ValidationFailed
    assert words in result.error.message
    assert server.asked == []


@pytest.mark.parametrize("quantity", ["1.5", "NaN", "2000000000"])
def test_quantities_shopify_cannot_hold_are_not_sent(wire, quantity):
    server = wire(answer({}))
    variant = {"id": 1, "sku": "A", "inventory_item_id": 2}
    (result,) = push(adapter_of(server.url), level(variant, (MAIN, quantity, 1)))
    assert type(result.error) is ValidationFailed
    assert server.asked == []


def test_keys_depend_on_content_and_have_the_form_of_a_uuid():
    assert request_key([1]) == request_key([1]) != request_key([2])
    assert len(request_key([1])) == 36


# === THROTTLING === #


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def cost_of(requested=10, available=1000, maximum=1000, rate=50):
    status = {
        "maximumAvailable": maximum,
        "currentlyAvailable": available,
        "restoreRate": rate,
    }
    return {"requestedQueryCost": requested, "throttleStatus": status}


def test_nothing_is_waited_for_before_the_first_answer():
    assert Budget().reserve("Shop") == 0


def test_a_budget_waits_as_long_as_points_are_missing():
    clock = Clock()
    budget = Budget(clock)
    budget.learn("Stock", cost_of(requested=400, available=100))
    assert budget.reserve("Stock") == pytest.approx(6.0)
    clock.now = 6.0
    assert budget.reserve("Unknown") == pytest.approx(0.2)


def test_a_budget_never_grows_beyond_its_size():
    clock = Clock()
    budget = Budget(clock)
    budget.learn("Stock", cost_of(requested=600, available=1000))
    clock.now = 3600
    assert budget.reserve("Stock") == 0
    assert budget.reserve("Stock") == pytest.approx(4.0)


@pytest.mark.parametrize(
    ("cost", "seconds"),
    [(cost_of(500, 100), 8.0), (cost_of(500, 490), 1.0), ({}, 1.0)],
)
def test_a_refused_query_is_tried_again_when_there_are_points_for_it(cost, seconds):
    assert Budget().wait_for(cost) == pytest.approx(seconds)


@node
def test_a_throttled_request_is_a_rate_limit_with_the_seconds_to_wait(store, adapter):
    mug = seed(store, {"sku": "A", "quantity": 5})["A"]
    store.change_settings({"points": 100, "points_per_second": 10})
    with pytest.raises(RateLimited) as caught:
        push(adapter, *(level(mug, 8, label=str(number)) for number in range(60)))
    assert caught.value.code == "THROTTLED"
    assert caught.value.retry_after == pytest.approx(14.3, abs=0.5)
    assert stock(store, mug) == 5


@node
def test_with_too_few_points_left_nothing_is_sent(store, adapter, monkeypatch):
    monkeypatch.setattr(shopify, "LONGEST_PAUSE", 2.0)
    mug = seed(store, {"sku": "A", "quantity": 5})["A"]
    store.change_settings({"points": 14, "points_per_second": 1})
    push(adapter, level(mug, (MAIN, 8, 5)))
    store.journal.clear()
    with pytest.raises(RateLimited) as caught:
        push(adapter, level(mug, (MAIN, 9, 8)))
    assert (caught.value.code, asked(store)) == ("budget", [])
    assert caught.value.retry_after > 2


@node
def test_a_lack_of_points_is_told_to_the_other_workers(store, adapter):
    told = []
    adapter.client.put_off = told.append
    mug = seed(store, {"sku": "A", "quantity": 5})["A"]
    push(adapter, level(mug, (MAIN, 8, 5)))
    assert told == []
    store.change_settings({"points": 14, "points_per_second": 1})
    push(adapter, level(mug, (MAIN, 9, 8)))
    assert told[0] == pytest.approx(9.0, abs=1.1)


@node
def test_http_429_is_a_rate_limit_too(store, adapter):
    store.fault("rate_limit", times=1, retry_after=7)
    error = check_failure(adapter)
    assert (type(error), error.retry_after) == (RateLimited, 7)


@node
def test_a_missing_scope_stops_everything_with_shopifys_words(store):
    store.change_settings({"scopes": ["read_products"]})
    mug = seed(store, {"sku": "A", "quantity": 5})["A"]
    with pytest.raises(AuthenticationFailed) as caught:
        push(adapter_for(store), level(mug, (MAIN, 8, 5)))
    assert "write_inventory" in caught.value.message
    assert caught.value.code == "ACCESS_DENIED"


# === READING === #


def fetch_all(adapter, kind, since=None):
    found, cursor, total = [], "", None
    while True:
        read = adapter.fetch(kind, since, cursor)
        found += read.documents
        total = read.total if read.total is not None else total
        cursor = read.cursor
        if not cursor:
            return found, total


@node
def test_variants_are_read_page_by_page(store, adapter):
    seed(store, *({"sku": f"S{number}"} for number in range(230)))
    found, total = fetch_all(adapter, "variant")
    assert [item.sku for item in found] == [f"S{number}" for number in range(230)]
    assert total == 230
    assert asked(store) == ["productVariants,productVariantsCount"] * 3


@node
def test_a_variant_tells_what_matching_needs(store, adapter):
    size = [{"name": "Size", "value": "M"}]
    shirt = {"sku": "M", "barcode": "400", "quantity": 4, "options": size}
    store.seed({"products": [{"title": "Shirt", "variants": [shirt]}]})
    ((item,), _total) = fetch_all(adapter, "variant")
    assert (item.label, item.name) == ("[M] Shirt - M", "Shirt - M")
    assert (item.external_id, item.parent_id, item.barcode) == ("1", "1", "400")
    assert (item.kind, item.tracked, item.quantity) == ("variation", True, 4)
    assert item.handles == {"inventory_item_id": "50001"}
    assert item.updated_at and item.url.endswith("/products/1/variants/1")


@node
@pytest.mark.parametrize(
    ("row", "kind", "tracked", "quantity"),
    [
        ({"sku": "A", "quantity": 4}, "simple", True, 4),
        ({"sku": "A", "bundle": True}, "bundle", True, 0),
        ({"sku": "A", "quantity": 4, "tracked": False}, "simple", False, None),
    ],
)
def test_the_kind_of_an_item_is_told(store, adapter, row, kind, tracked, quantity):
    seed(store, row)
    ((item,), _total) = fetch_all(adapter, "variant")
    assert (item.kind, item.tracked, item.quantity) == (kind, tracked, quantity)


@node
def test_orders_are_read_oldest_change_first(store, adapter):
    moments = [f"2026-01-0{day}T10:00:00Z" for day in (3, 1, 2)]
    store.seed({"orders": [{"updatedAt": moment, "shipping": "5"} for moment in moments]})
    found, total = fetch_all(adapter, "order")
    assert [order.number for order in found] == ["1002", "1003", "1001"]
    assert total == 3
    since, _total = fetch_all(adapter, "order", datetime(2026, 1, 2, 10))
    assert [order.number for order in since] == ["1003", "1001"]


@node
def test_an_orders_money_is_the_shops_and_not_what_the_customer_saw(store, adapter):
    given = {"shipping": "100", "presentment": "EUR", "rate": "0.9"}
    store.seed({"orders": [given]})
    ((order,), _total) = fetch_all(adapter, "order")
    assert (order.currency, order.total, order.status) == ("USD", Decimal("100.00"), "paid")


@node
def test_locations_are_read_with_those_that_are_closed(store, adapter):
    inventory.add_location(store, "Closed", active=False)
    found, _total = fetch_all(adapter, "location")
    assert [(place.external_id, place.name, place.active) for place in found] == [
        ("1", "Main Warehouse", True),
        ("2", "Second Street", True),
        ("3", "Closed", False),
    ]


@node
def test_a_place_to_go_on_from_that_cannot_be_read_says_so(adapter):
    with pytest.raises(ValidationFailed):
        adapter.fetch("order", None, "nonsense")


# === ORDERS IN === #


def read(adapter, number):
    return adapter.read_event("order", json.dumps({"id": number}).encode())


@node
def test_an_order_is_read_as_it_is_now_whatever_the_message_says(store, adapter):
    placed = store.place_order()
    stale = {**placed, "total_price": "1.00", "updated_at": "2020-01-01T00:00:00Z"}
    found = adapter.read_event("order", json.dumps(stale).encode())
    assert (found.label, found.number, found.external_id) == ("#1001", "1001", "1")
    assert found.total == Decimal(placed["total_price"])
    assert (found.paid, found.cancelled, found.status) == (True, False, "paid")
    assert (found.payment_method, found.transaction_id) == ("bogus", "pay_1")
    assert found.customer_id.startswith("7")
    assert found.billing.email.endswith("@example.com")
    assert (found.billing.country, bool(found.billing.street)) == ("US", True)


@node
def test_the_lines_of_an_order_add_up_to_its_total(store, adapter):
    mug = seed(store, {"sku": "MUG", "price": "9.99"})["MUG"]
    lines = [
        {"variant": mug["id"], "quantity": 3, "discount": "2.50"},
        {"title": "Gone", "sku": "OLD", "price": "4.00"},
    ]
    given = {"lines": lines, "shipping": "5.00", "taxRate": "0.19"}
    given |= {"presentment": "EUR", "rate": "0.9"}
    found = read(adapter, store.seed({"orders": [given]})["orders"][0])
    assert [line.kind for line in found.lines] == ["product", "product", "shipping"]
    first, second, _shipping = found.lines
    assert (first.product_id, first.sku, first.quantity) == (str(mug["id"]), "MUG", 3)
    assert (first.subtotal, first.total) == (Decimal("29.97"), Decimal("27.47"))
    assert (first.taxes[0].tax_id, first.taxes[0].percent) == ("Tax 19%", 19)
    assert (second.product_id, second.sku) == ("", "OLD")
    assert sum(line.total + line.tax for line in found.lines) == found.total
    assert sum(line.tax for line in found.lines) == found.total_tax
    assert found.currency == "USD"


@pytest.mark.parametrize(
    ("price", "off", "tax", "subtotal", "total"),
    [
        ("11.90", "0", "1.90", "10.00", "10.00"),
        ("23.80", "11.90", "1.90", "20.00", "10.00"),
        ("10.00", "10.00", "0", "10.00", "0.00"),
    ],
)
def test_taxes_that_are_included_are_taken_out(price, off, tax, subtotal, total):
    def bag(value):
        return {"shopMoney": {"amount": value, "currencyCode": "EUR"}}

    item = {
        "discountAllocations": [{"allocatedAmountSet": bag(off)}],
        "taxLines": [{"title": "VAT", "ratePercentage": 19.0, "priceSet": bag(tax)}],
    }
    money = shopify_orders._money(item, bag(price), included=True)
    assert (money["subtotal"], money["total"]) == (Decimal(subtotal), Decimal(total))


@node
def test_an_order_of_many_lines_is_read_whole(store, adapter):
    lines = [{"title": f"L{number}", "price": "1.00"} for number in range(120)]
    found = read(adapter, store.seed({"orders": [{"lines": lines}]})["orders"][0])
    assert len(found.lines) == 120
    assert asked(store) == ["order"] * 3


@node
def test_no_log_shows_who_bought(store, adapter):
    placed = store.place_order()
    with adapter.client.recording() as exchanges:
        found = read(adapter, placed["id"])
    text = " ".join(one.response_summary for one in exchanges)
    assert "displayFinancialStatus" in text
    for private in (found.billing.name, found.billing.email, found.billing.street):
        assert private and private not in text


@node
def test_a_cancelled_order_says_so(store, adapter):
    number = store.seed({"orders": [{"shipping": "5"}]})["orders"][0]
    orders.cancel(store, store.store.get("order", number))
    found = read(adapter, number)
    assert (found.cancelled, found.paid) == (True, False)


@node
def test_an_order_that_was_deleted_is_missing(adapter):
    with pytest.raises(Missing):
        read(adapter, 99)


def test_a_message_that_names_no_order_is_refused():
    with pytest.raises(Rejected):
        adapter_of("http://shop.example").read_event("order", b"{}")


# === INVOICES === #


def invoice(order="1", **values):
    line = InvoiceLine(
        sku="A",
        name="Mug",
        quantity=Decimal(2),
        unit_price=Decimal("10.00"),
        subtotal=Decimal("20.00"),
        total=Decimal("23.00"),
    )
    given = {
        "label": "INV/2026/0042",
        "external_id": str(order),
        "number": "INV/2026/0042",
        "date": date(2026, 3, 1),
        "due_date": None,
        "currency": "USD",
        "untaxed": Decimal("20.00"),
        "tax": Decimal("3.00"),
        "total": Decimal("23.00"),
        "residual": Decimal("23.00"),
        "state": "posted",
        "payment_state": "not_paid",
        "lines": (line,),
        "taxes": (InvoiceTax(name="15%", base=Decimal("20.00"), amount=Decimal("3.00")),),
        "url": "https://odoo.example/my/invoices/42?access_token=x",
        "carriers": ("metafield",),
    }
    return Invoice(**{**given, **values})


@pytest.fixture
def order(store):
    return str(store.seed({"orders": [{"shipping": "23"}]})["orders"][0])


def deliver(adapter, document, **key):
    (result,) = push(adapter, document, kind="invoice", keys=[SendKey("k", **key)])
    return result


def kept(store, order="1"):
    return {row["key"]: row for row in metafields.of(store.store, "Order", int(order))}


@node
def test_an_invoice_becomes_a_metafield(store, adapter, order):
    result = deliver(adapter, invoice(order))
    assert (result.outcome, result.error) == ("created", None)
    assert result.external_id == f"{order}:INV/2026/0042"
    assert (result.parent_id, result.external_ref) == (order, "1001")
    row = kept(store)["invoice_INV_2026_0042"]
    assert (row["namespace"], row["type"]) == ("commerce_sync", "json")
    value = json.loads(row["value"])
    assert (value["total"], value["currency"], value["due_date"]) == ("23.00", "USD", "")
    assert value["lines"][0]["unit_price"] == "10.00"
    assert value["taxes"] == [{"name": "15%", "base": "20.00", "amount": "3.00"}]


@node
def test_the_same_invoice_again_changes_nothing(store, adapter, order):
    carriers = ("metafield", "tag", "note")
    deliver(adapter, invoice(order, carriers=carriers))
    store.journal.clear()
    result = deliver(adapter, invoice(order, carriers=carriers))
    assert (result.outcome, asked(store)) == ("unchanged", ["order"])


@node
def test_a_paid_invoice_is_updated(store, adapter, order):
    deliver(adapter, invoice(order))
    result = deliver(adapter, invoice(order, residual=Decimal(0), payment_state="paid"))
    assert result.outcome == "updated"
    assert json.loads(kept(store)["invoice_INV_2026_0042"]["value"])["payment_state"] == "paid"


@node
def test_two_invoices_of_one_order_stand_side_by_side(store, adapter, order):
    deliver(adapter, invoice(order))
    deliver(adapter, invoice(order, number="INV/2026/0043"))
    assert len(kept(store)) == 2


@pytest.mark.parametrize(
    ("number", "expected"),
    [("INV/2026/0042", "invoice_INV_2026_0042"), ("INV-42", "invoice_INV-42")],
)
def test_a_metafields_key_is_readable(number, expected):
    assert metafield_key("invoice", number) == expected


def test_keys_that_would_look_the_same_differ():
    numbers = ["INV/1", "INV_1", "INV 1", "INV.1", "INV:1", "é" * 90, "é" * 91]
    keys = [metafield_key("invoice", number) for number in numbers]
    assert len(set(keys)) == len(keys)
    assert all(len(key) <= 64 and key.isascii() for key in keys)


@node
def test_the_pdf_itself_is_uploaded_and_linked_to_the_order(store, adapter, order):
    document = invoice(order, carriers=("file",), pdf=b"%PDF-1.7 \x00\xff\r\n--x\r\n")
    result = deliver(adapter, document)
    assert (result.outcome, result.error) == ("created", None)
    assert asked(store)[:2] == ["order", "stagedUploadsCreate"]
    found = store.store.get("file", 1)
    assert found["body"].encode("latin-1") == document.pdf
    assert (found["title"], found["mimeType"]) == ("INV_2026_0042.pdf", "application/pdf")
    row = kept(store)["invoice_pdf_INV_2026_0042"]
    assert (row["type"], row["value"]) == ("file_reference", "gid://shopify/GenericFile/1")


@node
def test_our_token_does_not_travel_with_the_upload(store, adapter, order):
    seen = []
    respond = store.respond
    store.respond = lambda request: seen.append(request) or respond(request)
    deliver(adapter, invoice(order, carriers=("file",), pdf=b"%PDF"))
    uploads = [request for request in seen if request.path.startswith("/uploads/")]
    assert [request.headers.get("X-Shopify-Access-Token") for request in uploads] == [None]


@node
def test_a_file_that_takes_long_is_waited_for_without_a_second_upload(store, adapter, order):
    store.change_settings({"file_polls": 9})
    document = invoice(order, carriers=("file",), pdf=b"%PDF")
    first = deliver(adapter, document)
    assert (type(first.error), first.error.code) == (Temporary, "file_processing")
    assert first.progress == {"file_id": "gid://shopify/GenericFile/1"}
    second = deliver(adapter, document, progress=first.progress)
    assert (second.outcome, second.error) == ("created", None)
    assert store.store.count("file") == 1


@node
def test_a_file_that_failed_is_uploaded_anew(store, adapter, order):
    store.change_settings({"files_fail": True})
    document = invoice(order, carriers=("file",), pdf=b"%PDF")
    first = deliver(adapter, document)
    assert (type(first.error), first.error.code) == (Temporary, "file_failed")
    assert first.progress == {}
    store.change_settings({"files_fail": False})
    assert deliver(adapter, document).outcome == "created"


@node
def test_half_a_success_is_gone_on_with(store, adapter, order):
    document = invoice(order, carriers=("metafield", "tag", "note"))
    store.fault("http_500_before", times=1, path="#tagsAdd")
    first = deliver(adapter, document)
    assert type(first.error) is Temporary
    assert first.progress == {"metafield": "done"}
    store.journal.clear()
    second = deliver(adapter, document, progress=first.progress)
    assert second.outcome == "created"
    assert "metafieldsSet" not in asked(store)


def test_without_a_pdf_the_file_carrier_says_so_before_any_request(wire):
    server = wire(answer({}))
    result = deliver(adapter_of(server.url), invoice(carriers=("metafield", "file")))
    assert (type(result.error), result.error.code) == (ValidationFailed, "no_pdf")
    assert "wkhtmltopdf" in result.error.hint
    assert server.asked == []


@node
def test_tag_and_note_are_added_to_what_staff_wrote(store, adapter):
    given = {"note": "Call first.", "tags": ["VIP"]}
    order = str(store.seed({"orders": [given]})["orders"][0])
    deliver(adapter, invoice(order, carriers=("tag", "note")))
    found = store.store.get("order", int(order))
    assert found["tags"] == ["VIP", "Invoice INV/2026/0042"]
    first, second = found["note"].splitlines()
    assert first == "Call first."
    assert second.startswith("Invoice INV/2026/0042 of 2026-03-01: 23.00 USD.")


@node
def test_a_cancelled_invoice_loses_its_tag_and_is_noted(store, adapter, order):
    deliver(adapter, invoice(order, carriers=("tag", "note")))
    result = deliver(adapter, invoice(order, state="cancelled", carriers=("tag", "note")))
    found = store.store.get("order", int(order))
    assert (result.error, found["tags"]) == (None, [])
    assert "has been cancelled" in found["note"]


@node
def test_the_shops_own_wording_is_used(store, order):
    adapter = adapter_for(store, tag_text="Rechnung, $number")
    deliver(adapter, invoice(order, carriers=("tag",)))
    assert store.store.get("order", int(order))["tags"] == ["Rechnung INV/2026/0042"]


@node
def test_an_order_that_is_gone_is_missing(adapter):
    result = deliver(adapter, invoice("77"))
    assert type(result.error) is Missing
    assert "77" in result.error.message


@pytest.mark.parametrize(
    "values", [{"external_id": ""}, {"carriers": ()}, {"carriers": ("pigeon",)}]
)
def test_an_invoice_that_cannot_be_delivered_makes_no_request(wire, values):
    server = wire(answer({}))
    result = deliver(adapter_of(server.url), invoice(**values))
    assert type(result.error) is ValidationFailed
    assert server.asked == []


def test_the_pdf_takes_no_part_in_the_fingerprint():
    assert invoice(pdf=b"1").fingerprint() == invoice(pdf=b"2").fingerprint()
    assert "%PDF" not in repr(invoice(pdf=b"%PDF"))


# === SHIPMENTS === #


@pytest.fixture
def sold(store):
    """An order of two mugs and one pen."""
    rows = seed(store, {"sku": "MUG", "quantity": 9}, {"sku": "PEN", "quantity": 9})
    lines = [
        {"variant": rows["MUG"]["id"], "quantity": 2},
        {"variant": rows["PEN"]["id"], "quantity": 1},
    ]
    return str(store.seed({"orders": [{"lines": lines}]})["orders"][0])


def shipment(order, *lines, **values):
    """:param lines: ``(sku, quantity)``"""
    given = {
        "label": "WH/OUT/1",
        "number": "WH/OUT/1",
        "parent_id": order,
        "carrier": "DHL",
        "tracking_numbers": ("T1",),
        "lines": tuple(ShipmentLine(sku=sku, quantity=Decimal(count)) for sku, count in lines),
    }
    return Shipment(**{**given, **values})


def ship(adapter, document, **key):
    (result,) = push(adapter, document, kind="shipment", keys=[SendKey("k", **key)])
    return result


def shipped(store, order):
    return fulfillments.shipped_of(store, int(order))


@node
def test_a_shipment_becomes_a_fulfilment(store, adapter, sold):
    result = ship(adapter, shipment(sold, ("MUG", 2), ("PEN", 1), notify=True))
    assert (result.outcome, result.error) == ("created", None)
    assert (result.external_id, result.parent_id) == ("1", sold)
    (row,) = shipped(store, sold)
    assert row["tracking"] == [{"company": "DHL", "number": "T1", "url": None}]
    assert (row["totalQuantity"], row["notified"]) == (3, True)
    assert fulfillments.status_of(store, {"id": int(sold)}) == "FULFILLED"


@node
def test_an_order_is_shipped_in_parts(store, adapter, sold):
    assert ship(adapter, shipment(sold, ("MUG", 1))).outcome == "created"
    second = shipment(sold, ("MUG", 1), ("PEN", 1), number="WH/OUT/2", tracking_numbers=("T2",))
    assert ship(adapter, second).outcome == "created"
    assert [row["totalQuantity"] for row in shipped(store, sold)] == [1, 2]


@node
def test_lines_are_found_by_their_id_too(store, adapter, sold):
    line = ShipmentLine(line_id="2", quantity=Decimal(1))
    result = ship(adapter, shipment(sold, lines=(line,)))
    assert result.outcome == "created"
    assert shipped(store, sold)[0]["lines"][0]["lineId"] == 2


@node
@pytest.mark.parametrize("fault", ["http_500_after", "reset"])
def test_a_shipment_whose_answer_was_lost_is_not_shipped_twice(store, adapter, sold, fault):
    document = shipment(sold, ("MUG", 1))
    store.fault(fault, times=1, path="#fulfillmentCreate")
    first = ship(adapter, document)
    assert (type(first.error), first.error.uncertain) == (Temporary, True)
    second = ship(adapter, document, uncertain=True, progress=first.progress)
    assert (second.outcome, second.external_id) == ("created", "1")
    assert len(shipped(store, sold)) == 1


@node
def test_a_tracking_number_is_corrected(store, adapter, sold):
    ship(adapter, shipment(sold, ("MUG", 1)))
    fixed = shipment(sold, ("MUG", 1), external_id="1", tracking_numbers=("T9", "T10"))
    assert ship(adapter, fixed).outcome == "updated"
    (row,) = shipped(store, sold)
    assert [info["number"] for info in row["tracking"]] == ["T9", "T10"]
    assert ship(adapter, fixed).outcome == "unchanged"


@node
def test_a_shipment_is_cancelled_once(store, adapter, sold):
    ship(adapter, shipment(sold, ("MUG", 2)))
    gone = shipment(sold, ("MUG", 2), external_id="1", state="cancelled")
    assert ship(adapter, gone).outcome == "updated"
    assert shipped(store, sold)[0]["status"] == "CANCELLED"
    assert ship(adapter, gone).outcome == "unchanged"


@node
def test_more_than_is_left_to_ship_is_refused_whole(store, adapter, sold):
    result = ship(adapter, shipment(sold, ("MUG", 3), ("PEN", 1)))
    assert (type(result.error), result.error.code) == (Rejected, "nothing_left_to_ship")
    assert "1 of 'MUG'" in result.error.message
    assert shipped(store, sold) == []


@node
def test_a_shipment_from_two_locations_is_two_fulfilments_and_goes_on_after_a_failure(
    store, adapter, sold
):
    order = store.store.get("order", int(sold))
    (first,) = fulfillments.orders_of(store, order["id"])
    other = fulfillments.open_for(store, order, location=2)
    keep = {1: first["lines"][:1], 2: other["lines"][1:]}
    store.store.put("fulfillmentOrder", {**first, "lines": keep[1]})
    store.store.put("fulfillmentOrder", {**other, "lines": keep[2]})
    document = shipment(sold, ("MUG", 2), ("PEN", 1))
    begun = adapter._mutate
    calls = []

    def once(query, **variables):
        calls.append(query)
        if len(calls) == 2:
            raise Temporary("down", uncertain=True)
        return begun(query, **variables)

    adapter._mutate = once
    half = ship(adapter, document)
    assert type(half.error) is Temporary
    assert len(half.progress) == 1
    adapter._mutate = begun
    result = ship(adapter, document, uncertain=True, progress=half.progress)
    assert (result.outcome, result.external_id) == ("created", "1+2")
    assert [row["totalQuantity"] for row in shipped(store, sold)] == [2, 1]


@node
def test_a_fulfilment_that_is_gone_is_missing(adapter, sold):
    result = ship(adapter, shipment(sold, ("MUG", 1), external_id="99"))
    assert type(result.error) is Missing


@pytest.mark.parametrize(
    "values",
    [
        {"parent_id": ""},
        {"lines": ()},
        {"lines": (ShipmentLine(sku="A", quantity=Decimal("0.5")),)},
    ],
)
def test_a_shipment_that_cannot_be_sent_makes_no_request(wire, values):
    server = wire(answer({}))
    result = ship(adapter_of(server.url), shipment("1", ("MUG", 1), **values))
    assert type(result.error) is ValidationFailed
    assert server.asked == []


# === WEBHOOKS === #


BODY = json.dumps({"id": 7, "updated_at": "2026-03-01T10:00:00+01:00"}).encode()


class Headers(dict):
    """Case-insensitive, as a server gives them."""

    def __init__(self, values):
        super().__init__({name.lower(): value for name, value in values.items()})

    def get(self, name, default=None):
        return super().get(name.lower(), default)


def delivery(body=BODY, topic="orders/updated", secret="shpss_1", **more):
    given = {
        "X-Shopify-Topic": topic,
        "X-Shopify-Shop-Domain": "mugs.myshopify.com",
        "X-Shopify-Hmac-SHA256": webhooks.signature(body, secret),
        "X-Shopify-Webhook-Id": "b54557e4",
        "X-Shopify-Triggered-At": "2026-03-01T11:00:00Z",
        **more,
    }
    return Headers(given)


@pytest.mark.parametrize(
    ("secrets", "good"),
    [
        (["shpss_1"], True),
        (["other", "shpss_1"], True),
        (["other"], False),
        ([""], False),
        ([], False),
    ],
)
def test_only_the_apps_secret_signs(secrets, good):
    assert ShopifyAdapter.verify(delivery(), BODY, secrets) is good


def test_a_signature_is_of_the_raw_body():
    assert not ShopifyAdapter.verify(delivery(), BODY.replace(b" ", b""), ["shpss_1"])
    assert not ShopifyAdapter.verify(Headers({}), BODY, ["shpss_1"])
    assert not ShopifyAdapter.verify(delivery(secret=""), BODY, [""])


def test_an_event_tells_who_and_what():
    event = ShopifyAdapter.parse_event(delivery(), BODY)
    assert (event.identity, event.topic, event.kind) == ("b54557e4", "orders/updated", "order")
    assert (event.external_id, event.updated_at) == ("7", datetime(2026, 3, 1, 9))


@pytest.mark.parametrize(
    ("topic", "body", "kind", "external_id"),
    [
        ("refunds/create", {"id": 3}, "refund", "3"),
        ("inventory_levels/update", {"inventory_item_id": 5}, "inventory", "5"),
        ("customers/redact", {"customer": {"id": 1}}, "", ""),
        ("shop/redact", {"shop_id": 1}, "", ""),
        ("app/uninstalled", {"id": 9}, "", "9"),
    ],
)
def test_topics_are_sorted_into_kinds(topic, body, kind, external_id):
    event = ShopifyAdapter.parse_event(delivery(topic=topic), json.dumps(body).encode())
    assert (event.kind, event.external_id) == (kind, external_id)
    assert event.updated_at == datetime(2026, 3, 1, 11)


@pytest.mark.parametrize("body", [b"", b"no json", b"[1]"])
def test_a_message_that_is_no_json_object_is_refused(body):
    with pytest.raises(Rejected):
        ShopifyAdapter.parse_event(delivery(), body)


def test_a_message_without_identity_is_refused():
    with pytest.raises(Rejected):
        ShopifyAdapter.parse_event(delivery(**{"X-Shopify-Webhook-Id": ""}), BODY)


@pytest.mark.parametrize(
    ("address", "good"),
    [
        ("https://mugs.myshopify.com", True),
        ("https://MUGS.myshopify.com/", True),
        ("https://pens.myshopify.com", False),
        ("https://mugs.myshopify.com.evil.example", False),
        ("", False),
        ("http://127.0.0.1:8082", True),
    ],
)
def test_messages_of_another_shop_of_the_same_app_are_not_ours(address, good):
    assert ShopifyAdapter.comes_from(delivery(), address) is good


@pytest.mark.parametrize("topic", ["orders/updated", "inventory_levels/update", "app/uninstalled"])
def test_topics_have_the_same_name_whoever_writes_them(topic):
    assert header_topic(schema_topic(topic)) == topic


@node
def test_subscribing_twice_subscribes_once(store, adapter):
    for _again in range(2):
        adapter.subscribe("orders/updated", f"{store.url}/hook")
    (found,) = adapter.subscriptions()
    assert (found["topic"], found["uri"]) == ("orders/updated", f"{store.url}/hook")
    adapter.unsubscribe(found["id"])
    adapter.unsubscribe(found["id"])
    assert adapter.subscriptions() == []


@node
def test_the_stores_own_deliveries_are_verified_and_understood(store, adapter, wire):
    receiver = wire(answer(b""))
    adapter.subscribe("orders/create", f"{receiver.url}/hook")
    placed = store.place_order()
    store.wait_for_webhooks()
    (message,) = receiver.asked
    headers = Headers(message.headers)
    # the wire lowers whole header lines, and a signature is not to be lowered
    headers["x-shopify-hmac-sha256"] = webhooks.signature(message.body, store.client_secret)
    assert adapter.verify(headers, message.body, [store.client_secret])
    event = adapter.parse_event(headers, message.body)
    assert (event.kind, event.external_id) == ("order", str(placed["id"]))
    assert event.topic == "orders/create"

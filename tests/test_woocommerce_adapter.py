"""The WooCommerce adapter against the store on loopback; and, for what that one does not do,
against a server that answers exactly what the test says."""

import json
import os
import re
import subprocess
import sys
from contextlib import ExitStack
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from ..adapters import woocommerce_catalog
from ..adapters.base import ADAPTERS, SendKey, Settings
from ..adapters.documents import InventoryLevel, Invoice, LocationQuantity
from ..adapters.errors import (
    AuthenticationFailed,
    Misconfigured,
    Missing,
    RateLimited,
    Rejected,
    SyncError,
    Temporary,
    ValidationFailed,
)
from ..adapters.http import HttpClient
from ..adapters.woocommerce import WooCommerceAdapter
from ..adapters.woocommerce_catalog import is_sold, kind_of
from ..adapters.woocommerce_errors import interpret, item_error
from ..adapters.woocommerce_invoice import comparable
from ..adapters.woocommerce_values import gmt, number, utc
from ..sandbox.woocommerce import WooCommerceStore
from .wire import Wire, answer, page

ROOT = Path(__file__).resolve().parent.parent
API = "/wp-json/wc/v3"


def utc_now():
    return datetime.now(timezone.utc).replace(tzinfo=None)


@pytest.fixture
def store():
    with WooCommerceStore() as store:
        yield store


@pytest.fixture
def wire():
    with ExitStack() as servers:
        yield lambda reply: servers.enter_context(Wire(reply))


def adapter_of(url, key="ck_1", secret="cs_2", **options):
    credentials = {"consumer_key": key, "consumer_secret": secret}
    client = HttpClient(url, timeouts=(1, 0.5))
    return WooCommerceAdapter(Settings(url, credentials, options), client)


def adapter_for(store, key=None, **options):
    key = key or store
    return adapter_of(store.url, key.key, key.secret, **options)


@pytest.fixture
def adapter(store):
    return adapter_for(store)


def check_failure(adapter):
    with pytest.raises(SyncError) as caught:
        adapter.check()
    return caught.value


# === THE MODULE === #


def test_the_adapters_need_no_odoo():
    code = "import adapters.woocommerce, sys; assert 'odoo' not in sys.modules, 'odoo'"
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environ, check=True)


def test_importing_the_package_registers_the_platform():
    assert ADAPTERS["woocommerce"] is WooCommerceAdapter


def test_the_settings_show_no_credentials():
    assert "cs_2" not in repr(adapter_of("http://shop.example").settings)


@pytest.mark.parametrize(
    ("address", "option", "signed"),
    [
        ("https://shop.example", "auto", False),
        ("http://shop.example", "auto", True),
        ("http://shop.example", "basic", False),
        ("https://shop.example", "oauth1", True),
    ],
)
def test_the_key_travels_in_clear_only_where_nobody_reads_along(address, option, signed):
    auth = adapter_of(address, auth=option).client.auth
    assert (auth != ("ck_1", "cs_2")) is signed


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("variant", "7"), "https://shop.example/wp-admin/post.php?post=7&action=edit"),
        (("variant", "8", "7"), "https://shop.example/wp-admin/post.php?post=7&action=edit"),
        (("order", "9"), "https://shop.example/wp-admin/admin.php?page=wc-orders&action=edit&id=9"),
        (
            ("invoice", "9:INV/2026/1"),
            "https://shop.example/wp-admin/admin.php?page=wc-orders&action=edit&id=9",
        ),
        (("order", ""), ""),
    ],
)
def test_records_are_linked_to_wordpress(arguments, expected):
    assert adapter_of("https://shop.example").record_url(*arguments) == expected


# === WHO IS THERE === #


@pytest.mark.parametrize("auth", ["auto", "basic"])
def test_a_good_connection_tells_who_answers(store, auth):
    store.change_settings({"require_oauth": auth == "auto", "currency": "EUR"})
    identity = adapter_for(store, auth=auth).check()
    assert identity.name == "Sandbox Store"
    assert identity.version == f"WooCommerce {store.version}"
    assert identity.currency == "EUR"
    assert identity.address == store.url
    assert [warning for warning in identity.warnings if "not encrypted" not in warning] == []


def test_checking_changes_nothing(store, adapter):
    adapter.check()
    totals = store.journal.totals()
    assert (totals["items_written"], totals["creations"]) == (0, 0)


def test_a_store_that_is_down_is_named(store, adapter):
    store.stop()
    error = check_failure(adapter)
    assert (type(error), error.code) == (Temporary, "connection_refused")
    assert store.url.removeprefix("http://") in error.message


@pytest.mark.parametrize(
    "reply",
    [
        page("Not found", status="404 Not Found"),
        page("Welcome"),
        answer({"hello": "world"}),
        answer([1, 2]),
        answer({"error": "nope"}, status="404 Not Found"),
    ],
)
def test_what_is_no_wordpress_is_said_to_be_none(wire, reply):
    error = check_failure(adapter_of(wire(reply).url))
    assert (type(error), error.code) == (Misconfigured, "not_wordpress")
    assert "front page" in error.hint


def test_a_wordpress_without_woocommerce_is_recognised(wire):
    index = {"name": "Blog", "namespaces": ["wp/v2"]}
    error = check_failure(adapter_of(wire(answer(index)).url))
    assert (type(error), error.code) == (Misconfigured, "no_woocommerce")


@pytest.mark.parametrize("status", ["401 Unauthorized", "403 Forbidden"])
def test_an_api_that_is_switched_off_is_recognised(wire, status):
    body = {"code": "rest_cannot_access", "message": "Only for members.", "data": {"status": 401}}
    error = check_failure(adapter_of(wire(answer(body, status=status)).url))
    assert (type(error), error.code) == (Misconfigured, "api_switched_off")


def test_the_open_index_is_asked_without_the_key(wire):
    """WordPress would take the key for a user's name and refuse it."""
    server = wire(answer({"name": "Blog", "namespaces": []}))
    check_failure(adapter_of(server.url, auth="basic"))
    assert "authorization" not in server.asked[0].headers


@pytest.mark.parametrize(
    ("key", "secret", "words"),
    [
        ("ck_0000000000000000000000000000000000000000", None, "key"),
        (None, "cs_0000000000000000000000000000000000000000", "secret|signature"),
    ],
)
@pytest.mark.parametrize("auth", ["auto", "basic"])
def test_a_wrong_key_is_the_keys_fault(store, key, secret, words, auth):
    store.change_settings({"require_oauth": auth == "auto"})
    error = check_failure(
        adapter_of(store.url, key or store.key, secret or store.secret, auth=auth)
    )
    assert type(error) is AuthenticationFailed
    assert re.search(words, error.message + error.hint)
    assert "REST API" in error.hint
    for text in (error.message, error.hint):
        assert "ck_0" not in text
        assert "cs_0" not in text


def test_clocks_that_differ_are_the_reason_given(store, adapter):
    set_clock(store, datetime.now(timezone.utc) + timedelta(hours=1))
    error = check_failure(adapter)
    assert type(error) is AuthenticationFailed
    assert "clocks" in error.hint


def test_a_key_that_may_only_read_is_found_out_without_writing(store):
    error = check_failure(adapter_for(store, store.add_key("read")))
    assert (type(error), error.code) == (AuthenticationFailed, "read_only_key")
    assert "Read/Write" in error.hint
    assert store.journal.totals()["items_written"] == 0


def test_a_key_that_may_only_write_is_refused_in_the_stores_words(store):
    error = check_failure(adapter_for(store, store.add_key("write")))
    assert type(error) is AuthenticationFailed
    assert "read permissions" in error.message


def test_a_key_of_a_mere_customer_needs_another_role(store):
    error = check_failure(adapter_for(store, store.add_key(role="customer")))
    assert type(error) is AuthenticationFailed
    assert "Shop manager" in error.hint


def test_maintenance_is_temporary(store, adapter):
    store.fault("maintenance", retry_after=600)
    error = check_failure(adapter)
    assert (type(error), error.retry_after) == (Temporary, 600)
    assert "maintenance" in error.message


@pytest.mark.parametrize("permalinks", ["auto", "plain"])
def test_plain_permalinks_are_found_and_used(store, permalinks):
    store.change_settings({"permalinks": "plain"})
    adapter = adapter_for(store, permalinks=permalinks)
    assert adapter.check().name == "Sandbox Store"
    assert adapter.fetch("order").documents == ()


def test_a_push_finds_plain_permalinks_too(store):
    ids = seed(store, {"sku": "A", "manage_stock": True})
    store.change_settings({"permalinks": "plain"})
    (result,) = push(adapter_for(store), level(ids["A"], 5))
    assert result.seen == {"default": 5}


def test_plain_permalinks_are_not_used_against_the_setting(store):
    store.change_settings({"permalinks": "plain"})
    error = check_failure(adapter_for(store, permalinks="pretty"))
    assert type(error) is Misconfigured
    assert "Permalinks" in error.hint


def test_an_old_store_takes_no_key_with_plain_permalinks(wire):
    def reply(asked, connection):
        if asked.path != "/index.php":
            return page(status="404 Not Found")
        if "wc%2Fv3" in asked.target:
            body = {"code": "woocommerce_rest_cannot_view", "message": "Sorry, you cannot."}
            return answer(body, status="401 Unauthorized")
        return answer({"name": "Shop", "namespaces": ["wc/v3"]})

    error = check_failure(adapter_of(wire(reply).url))
    assert (type(error), error.code) == (Misconfigured, "plain_permalinks")


def test_a_store_that_moved_tells_its_address(wire):
    moved = page(status="301 Moved", location="https://www.shop.example/wp-json/")
    error = check_failure(adapter_of(wire(moved).url))
    assert type(error) is Misconfigured
    assert "https://www.shop.example." in error.hint


def test_what_will_be_trouble_is_warned_of(wire):
    answers = {
        "/wp-json/": {"name": "Shop", "namespaces": ["wc/v3"]},
        f"{API}/system_status": {
            "environment": {"version": "5.2.0", "home_url": "https://www.shop.example"},
            "settings": {"currency": "EUR"},
        },
        f"{API}/products/batch": {},
        f"{API}/settings/products/woocommerce_manage_stock": {"value": "no"},
    }
    refused = answer({"code": "woocommerce_rest_cannot_batch", "message": "No"}, status="403 No")
    server = wire(
        lambda asked, _: answer(answers[asked.path]) if asked.path in answers else refused
    )
    identity = adapter_of(server.url).check()
    text = " ".join(identity.warnings)
    for words in ("https://www.shop.example", "not encrypted", "too old", "Stock management"):
        assert words in text
    assert "may not change orders" in text


# === STOCK === #


def seed(store, *products):
    """:return: ``{sku: id}``, variations included"""
    filled = [{"name": item.get("sku", "x"), "regular_price": "5", **item} for item in products]
    loaded = store.seed({"products": filled})["products"]
    rows = loaded + [child for item in loaded for child in item["variations"]]
    return {row["sku"]: row["id"] for row in rows}


def level(product, quantity, parent="", **values):
    place = LocationQuantity(location_id="default", quantity=Decimal(quantity))
    return InventoryLevel(
        **{
            "label": f"[{product}]",
            "external_id": str(product),
            "parent_id": str(parent),
            "levels": (place,),
            **values,
        }
    )


def push(adapter, *documents, kind="inventory", keys=None):
    return adapter.push(kind, list(documents), keys or [SendKey("k")] * len(documents))


def push_failure(adapter, *documents):
    with pytest.raises(SyncError) as caught:
        push(adapter, *documents)
    return caught.value


def stock(store, product):
    return store.store.get("product", product)["stock_quantity"]


def test_a_hundred_products_are_one_request(store, adapter):
    ids = seed(store, *({"sku": f"S{number}"} for number in range(100)))
    results = push(adapter, *(level(product, 7) for product in ids.values()))
    assert [(entry.path, entry.items["update"]) for entry in store.requests] == [
        (f"{API}/products/batch", 100)
    ]
    assert {result.outcome for result in results} == {"updated"}
    assert all(result.seen == {"default": Decimal(7)} for result in results)
    assert results[0].external_id == str(ids["S0"])
    assert abs(results[0].updated_at - utc_now()) < timedelta(minutes=5)
    assert stock(store, ids["S99"]) == 7


def test_a_product_that_was_not_counted_is_from_now_on(store, adapter):
    ids = seed(store, {"sku": "A", "manage_stock": False})
    push(adapter, level(ids["A"], 3))
    assert stock(store, ids["A"]) == 3


def test_variations_go_through_their_product(store, adapter):
    ids = seed(store, {"sku": "T", "variations": [{"sku": "T-S"}, {"sku": "T-M"}]})
    results = push(adapter, level(ids["T-S"], 1, ids["T"]), level(ids["T-M"], 2, ids["T"]))
    assert [entry.path for entry in store.requests] == [
        f"{API}/products/{ids['T']}/variations/batch"
    ]
    assert [result.seen["default"] for result in results] == [1, 2]
    assert results[0].parent_id == str(ids["T"])
    assert [stock(store, ids[sku]) for sku in ("T-S", "T-M")] == [1, 2]


def test_parcels_hold_what_one_request_can_carry():
    documents = [level(number, 1) for number in range(150)]
    documents += [level(number, 1, parent=9) for number in range(200, 320)]
    documents += [level(400, 1, parent=10)]
    parcels = adapter_of("http://shop.example").parcels("inventory", documents)
    assert [len(parcel) for parcel in parcels] == [100, 50, 100, 20, 1]
    assert sorted(place for parcel in parcels for place in parcel) == list(range(len(documents)))
    assert all(len({documents[place].parent_id for place in parcel}) == 1 for parcel in parcels)


def test_other_kinds_are_parcelled_as_they_are_supported():
    adapter = adapter_of("http://shop.example")
    assert adapter.parcels("invoice", [None] * 3) == [[0], [1], [2]]


def test_one_bad_product_fails_alone(store, adapter):
    ids = seed(store, {"sku": "A"}, {"sku": "B"}, {"sku": "C"})
    store.fault("bad_item", sku="B", code="product_invalid_sku", message="Duplicate <b>SKU</b>.")
    good, bad, other = push(adapter, *(level(product, 4) for product in ids.values()))
    assert (good.outcome, other.outcome) == ("updated", "updated")
    assert (type(bad.error), bad.error.code) == (Rejected, "product_invalid_sku")
    assert bad.error.message == f"[{ids['B']}]: the store refuses it: Duplicate SKU."


def test_a_deleted_product_is_missing(store, adapter):
    ids = seed(store, {"sku": "A"})
    gone, kept = push(adapter, level(987654, 1), level(ids["A"], 1))
    assert type(gone.error) is Missing
    assert "no longer exists in the store" in gone.error.message
    assert "Match it again" in gone.error.hint
    assert kept.outcome == "updated"


def test_a_deleted_variation_is_missing(store, adapter):
    ids = seed(store, {"sku": "T", "variations": [{"sku": "T-S"}]})
    (gone,) = push(adapter, level(987654, 1, ids["T"]))
    assert type(gone.error) is Missing


def test_a_variation_taken_for_a_product_is_missing(store, adapter):
    ids = seed(store, {"sku": "T", "variations": [{"sku": "T-S"}]})
    (wrong,) = push(adapter, level(ids["T-S"], 1))
    assert type(wrong.error) is Missing
    assert "variation" in wrong.error.hint


@pytest.mark.parametrize(
    "document",
    [
        level("x7", 1),
        level("", 1),
        level("7", 1, parent="a"),
        level("7", "1.5"),
        level("7", "NaN"),
        level("7", 1, levels=()),
        level(
            "7",
            1,
            levels=(
                LocationQuantity(location_id="default", quantity=Decimal(1)),
                LocationQuantity(location_id="two", quantity=Decimal(1)),
            ),
        ),
    ],
)
def test_what_cannot_be_sent_fails_without_a_request(store, adapter, document):
    (result,) = push(adapter, document)
    assert type(result.error) is ValidationFailed
    assert result.error.hint
    assert store.requests == []


def test_an_unsendable_document_does_not_hold_back_the_others(store, adapter):
    ids = seed(store, {"sku": "A"})
    bad, good = push(adapter, level(ids["A"], "0.5"), level(ids["A"], 2))
    assert type(bad.error) is ValidationFailed
    assert good.outcome == "updated"


@pytest.mark.parametrize("fault", ["http_500_after", "reset", "timeout", "malformed"])
def test_a_repetition_after_an_uncertain_end_is_harmless(store, adapter, fault):
    ids = seed(store, {"sku": "A"})
    store.fault(fault, times=1)
    error = push_failure(adapter, level(ids["A"], 6))
    assert (type(error), error.uncertain) == (Temporary, True)
    (result,) = push(adapter, level(ids["A"], 6))
    assert result.outcome == "updated"
    assert stock(store, ids["A"]) == 6


@pytest.mark.parametrize("style", ["truncated", "notice", "html", "empty"])
def test_nonsense_is_temporary(store, adapter, style):
    ids = seed(store, {"sku": "A"})
    store.fault("malformed", style=style)
    error = push_failure(adapter, level(ids["A"], 6))
    assert (type(error), error.uncertain) == (Temporary, True)


def test_a_store_that_closes_the_line_is_temporary(store, adapter):
    ids = seed(store, {"sku": "A"})
    store.fault("down")
    assert type(push_failure(adapter, level(ids["A"], 6))) is Temporary


@pytest.mark.parametrize("http_date", [False, True])
def test_throttling_says_when_to_come_back(store, adapter, http_date):
    ids = seed(store, {"sku": "A"})
    store.fault("rate_limit", retry_after=20, http_date=http_date)
    error = push_failure(adapter, level(ids["A"], 6))
    assert type(error) is RateLimited
    assert 15 < error.retry_after <= 21


def test_a_refused_key_fails_the_whole_parcel(store, adapter):
    ids = seed(store, {"sku": "A"})
    store.fault("unauthorized")
    assert type(push_failure(adapter, level(ids["A"], 6))) is AuthenticationFailed


def test_a_user_who_lost_his_role_fails_the_whole_parcel(store):
    ids = seed(store, {"sku": "A"})
    adapter = adapter_for(store, store.add_key(role="customer"))
    assert type(push_failure(adapter, level(ids["A"], 6))) is AuthenticationFailed


def batch_reply(change):
    """A store that answers a batch as it should, but for ``change(items)``."""

    def reply(asked, connection):
        items = [
            {
                "id": item["id"],
                "manage_stock": True,
                "stock_quantity": item["stock_quantity"],
                "date_modified_gmt": "2026-03-01T09:30:00",
            }
            for item in asked.json()["update"]
        ]
        return answer({"update": change(items)})

    return reply


def test_items_are_told_apart_by_id_not_by_place(wire):
    adapter = adapter_of(wire(batch_reply(lambda items: items[::-1])).url)
    results = push(adapter, level(1, 10), level(2, 20))
    assert [result.seen["default"] for result in results] == [10, 20]
    assert results[0].updated_at == datetime(2026, 3, 1, 9, 30)


def test_an_item_the_answer_leaves_out_is_uncertain(wire):
    adapter = adapter_of(wire(batch_reply(lambda items: items[:1])).url)
    told, untold = push(adapter, level(1, 10), level(2, 20))
    assert told.outcome == "updated"
    assert (type(untold.error), untold.error.uncertain) == (Temporary, True)


@pytest.mark.parametrize("body", [{}, [], {"update": None}, {"update": [None, {"x": 1}]}])
def test_an_answer_without_items_leaves_all_uncertain(wire, body):
    (result,) = push(adapter_of(wire(answer(body)).url), level(1, 10))
    assert (type(result.error), result.error.code) == (Temporary, "item_not_answered")


@pytest.mark.parametrize(
    ("item", "note"),
    [
        ({"stock_quantity": 4}, "The store says it now holds 4, not the 10 sent."),
        (
            {"manage_stock": "parent"},
            "The store counts this variation together with its product: 10.",
        ),
        ({"stock_quantity": "10"}, ""),
        ({"stock_quantity": 10.0}, ""),
    ],
)
def test_what_the_store_made_of_it_is_noted(wire, item, note):
    adapter = adapter_of(wire(batch_reply(lambda items: [{**items[0], **item}])).url)
    (result,) = push(adapter, level(1, 10))
    assert result.note == note
    assert result.outcome == "updated"


@pytest.mark.parametrize("item", [{"manage_stock": False}, {"stock_quantity": None}])
def test_a_quantity_the_store_dropped_is_not_a_success(wire, item):
    """WooCommerce answers 200 where stock management is switched off."""
    adapter = adapter_of(wire(batch_reply(lambda items: [{**items[0], **item}])).url)
    (result,) = push(adapter, level(1, 10))
    assert (type(result.error), result.error.code) == (Rejected, "stock_not_managed")
    assert "Inventory" in result.error.hint


def test_a_store_that_takes_smaller_batches_gets_them(wire):
    def reply(asked, connection):
        if len(asked.json()["update"]) > 3:
            code = "woocommerce_rest_request_entity_too_large"
            body = {"code": code, "message": "Too many.", "data": {"status": 413}}
            return answer(body, status="413 Too large")
        return batch_reply(list)(asked, connection)

    server = wire(reply)
    results = push(adapter_of(server.url), *(level(number, number) for number in range(1, 11)))
    assert [result.seen["default"] for result in results] == list(range(1, 11))
    assert max(len(asked.json()["update"]) for asked in server.asked[2:]) <= 5


def test_stock_messages_name_the_document_and_no_secret(store, adapter):
    store.fault("bad_item", id=5, message=f"key {store.secret} of ann@mail.example")
    (result,) = push(adapter, level(5, 1))
    assert result.error.message.startswith("[5]: ")
    assert store.secret not in result.error.message
    assert "ann@" not in result.error.message


# === INVOICES === #

LINK = "https://odoo.example/my/invoices/42?access_token=0af1-22"


def invoice(order, **values):
    return Invoice(
        **{
            "label": "INV/2026/0042",
            "external_id": str(order),
            "number": "INV/2026/0042",
            "date": date(2026, 3, 1),
            "due_date": date(2026, 3, 31),
            "currency": "EUR",
            "untaxed": Decimal("100.00"),
            "tax": Decimal("19.00"),
            "total": Decimal("119.00"),
            "residual": Decimal("119.00"),
            "state": "posted",
            "payment_state": "not_paid",
            "url": LINK,
            "carriers": ("meta", "private_note", "customer_note"),
            **values,
        }
    )


@pytest.fixture
def order(store):
    return store.place_order()["id"]


def send(adapter, document, **key):
    (result,) = push(adapter, document, kind="invoice", keys=[SendKey("k", **key)])
    return result


def notes(store, order):
    """What we wrote: ``[(text, to the customer)]``, oldest first."""
    found = store.store.find("note", [("parent_id = ?", [order])])
    own = [note for note in found if "nvoice" in note["note"]]
    return [(note["note"], note["customer_note"]) for note in own]


def fields(store, order):
    found = store.store.get("order", order)["meta_data"]
    return {meta["key"]: meta["value"] for meta in found if "commerce_sync" in meta["key"]}


def test_an_invoice_arrives_as_field_and_notes(store, adapter, order):
    result = send(adapter, invoice(order))
    assert (result.outcome, result.error) == ("created", None)
    assert (result.external_id, result.parent_id) == (f"{order}:INV/2026/0042", str(order))
    assert result.external_ref == str(order)
    assert fields(store, order) == {
        "_commerce_sync_invoice:INV/2026/0042": {
            "number": "INV/2026/0042",
            "date": "2026-03-01",
            "due_date": "2026-03-31",
            "currency": "EUR",
            "untaxed": "100.00",
            "tax": "19.00",
            "total": "119.00",
            "residual": "119.00",
            "payment_state": "not_paid",
            "state": "posted",
            "url": LINK,
        }
    }
    assert notes(store, order) == [
        (f"Invoice INV/2026/0042 of 2026-03-01: 119.00 EUR. {LINK}", False),
        (f"Your invoice INV/2026/0042 of 2026-03-01, 119.00 EUR: {LINK}", True),
    ]
    assert set(result.progress) == {"meta", "private_note", "customer_note"}


def test_sending_it_again_changes_nothing(store, adapter, order):
    send(adapter, invoice(order))
    before = store.journal.totals()
    result = send(adapter, invoice(order))
    assert result.outcome == "unchanged"
    assert store.journal.totals()["creations"] == before["creations"]
    assert len(notes(store, order)) == 2
    assert [entry.method for entry in store.requests[-2:]] == ["GET", "GET"]


def test_a_payment_updates_the_field_and_writes_no_note(store, adapter, order):
    send(adapter, invoice(order))
    paid = invoice(order, payment_state="paid", residual=Decimal("0.00"))
    assert send(adapter, paid).outcome == "updated"
    (field,) = fields(store, order).values()
    assert (field["payment_state"], field["residual"]) == ("paid", "0.00")
    assert len(notes(store, order)) == 2


def test_two_invoices_of_one_order_stand_side_by_side(store, adapter, order):
    send(adapter, invoice(order))
    other = send(adapter, invoice(order, number="INV/2026/0043"))
    assert other.outcome == "created"
    assert other.external_id == f"{order}:INV/2026/0043"
    assert len(fields(store, order)) == 2
    assert len(notes(store, order)) == 4


def test_a_cancelled_invoice_is_announced_once(store, adapter, order):
    document = invoice(order, state="cancelled", carriers=("private_note",))
    send(adapter, document)
    send(adapter, document)
    assert notes(store, order) == [
        ("Invoice INV/2026/0042 of 2026-03-01 has been cancelled.", False)
    ]


def test_only_the_chosen_ways_are_used(store, adapter, order):
    send(adapter, invoice(order, carriers=("customer_note",)))
    assert fields(store, order) == {}
    assert [to_customer for _text, to_customer in notes(store, order)] == [True]


def test_notes_can_be_worded_by_the_store(store, order):
    adapter = adapter_for(store, customer_note_text="Sua invoice $number: $total $currency $other")
    send(adapter, invoice(order, carriers=("customer_note",)))
    assert notes(store, order) == [("Sua invoice INV/2026/0042: 119.00 EUR $other", True)]


def test_the_same_words_to_staff_and_customer_are_two_notes(store, order):
    wording = {"private_note_text": "Invoice $number", "customer_note_text": "Invoice $number"}
    send(adapter_for(store, **wording), invoice(order))
    assert len(notes(store, order)) == 2


@pytest.mark.parametrize("fault", ["http_500_after", "reset", "timeout", "malformed"])
@pytest.mark.parametrize("carrier", ["private_note", "customer_note"])
def test_a_note_is_never_written_twice(store, adapter, order, fault, carrier):
    store.fault(fault, times=1, path="/notes", method="POST")
    first = send(adapter, invoice(order, carriers=("meta", carrier)))
    assert (type(first.error), first.error.uncertain) == (Temporary, True)
    assert first.progress == {"meta": "done"}
    second = send(
        adapter, invoice(order, carriers=("meta", carrier)), uncertain=True, progress=first.progress
    )
    assert second.outcome == "created"
    assert len(notes(store, order)) == 1


def test_a_note_a_plugin_added_to_is_recognised_after_an_uncertain_try(store, adapter, order):
    document = invoice(order, carriers=("private_note",))
    store.fault("http_500_after", times=1, path="/notes", method="POST")
    send(adapter, document)
    (note,) = store.store.find("note", [("parent_id = ?", [order])])[-1:]
    store.store.put("note", {**note, "note": f"[Robot] {note['note']}"})
    assert send(adapter, document, uncertain=True).error is None
    assert len(notes(store, order)) == 1


def test_a_retry_goes_on_where_the_last_try_stopped(store, adapter, order):
    store.fault("http_500_before", times=1, path="/notes", method="POST")
    first = send(adapter, invoice(order))
    assert first.progress == {"meta": "done"}
    store.journal.clear()
    second = send(adapter, invoice(order), uncertain=True, progress=first.progress)
    assert second.error is None
    assert [entry.method for entry in store.requests] == ["GET", "GET", "POST", "POST"]
    assert len(notes(store, order)) == 2


def test_a_retry_after_the_last_step_is_still_a_creation(store, adapter, order):
    result = send(adapter, invoice(order), progress={"meta": "done", "private_note": 1})
    assert result.outcome == "created"
    assert result.progress["private_note"] == 1


@pytest.mark.parametrize(
    ("fault", "kind"),
    [("rate_limit", RateLimited), ("unauthorized", AuthenticationFailed), ("down", Temporary)],
)
def test_what_is_done_is_kept_whatever_fails(store, adapter, order, fault, kind):
    store.fault(fault, path="/notes")
    result = send(adapter, invoice(order))
    assert type(result.error) is kind
    assert result.progress == {"meta": "done"}


def test_a_deleted_order_is_missing(adapter):
    result = send(adapter, invoice(987654))
    assert type(result.error) is Missing
    assert result.error.message == (
        "Invoice INV/2026/0042: its order 987654 no longer exists in the store."
    )
    assert result.error.hint


def test_an_order_in_the_trash_is_missing_and_left_alone(store, adapter, order):
    adapter._api("DELETE", f"orders/{order}")
    result = send(adapter, invoice(order))
    assert (type(result.error), result.error.code) == (Missing, "order_in_trash")
    assert "Trash" in result.error.hint
    assert fields(store, order) == {}


def test_an_order_that_may_not_be_changed_is_refused_alone(wire):
    body = {"code": "woocommerce_rest_cannot_view", "message": "Sorry.", "data": {"status": 403}}
    server = wire(answer(body, status="403 Forbidden"))
    result = send(adapter_of(server.url), invoice(7))
    assert type(result.error) is Rejected


@pytest.mark.parametrize(
    "document", [invoice("x"), invoice(""), invoice(7, carriers=()), invoice(7, carriers=("fax",))]
)
def test_an_unsendable_invoice_makes_no_request(store, adapter, document):
    result = send(adapter, document)
    assert type(result.error) is ValidationFailed
    assert result.error.message.startswith("Invoice INV/2026/0042: ")
    assert store.requests == []


@pytest.mark.parametrize(
    ("stored", "sent"),
    [
        ("A &amp; B", "A & B"),
        ("see <a href='https://x.example'>https://x.example</a>", "see https://x.example"),
        ("<p>one</p>\n two ", "one two"),
        ("back\\slash", "back\\\\slash"),
        ("smile &#x1f600;", "smile 😀"),
        (None, ""),
    ],
)
def test_a_note_is_recognised_as_wordpress_keeps_it(stored, sent):
    assert comparable(stored) == comparable(sent)


def test_different_notes_are_told_apart():
    assert comparable("Invoice 1") != comparable("Invoice 2")


# === READING === #


def read_all(adapter, kind, since=None):
    """All documents, with a fresh adapter for each page: the cursor alone must be enough."""
    documents, cursor, pages = [], "", 0
    while True:
        fresh = WooCommerceAdapter(adapter.settings, adapter.client)
        found = fresh.fetch(kind, since, cursor)
        documents += found.documents
        cursor, pages = found.cursor, pages + 1
        assert pages < 200
        if not cursor:
            return documents


def test_products_and_variations_are_read(store, adapter):
    ids = seed(
        store,
        {
            "sku": "MUG",
            "name": "Blue mug",
            "manage_stock": True,
            "stock_quantity": 5,
            "global_unique_id": "4006381333931",
        },
        {"sku": "", "name": "No SKU"},
        {
            "sku": "T",
            "name": "Tee",
            "attributes": [{"name": "Size", "options": ["S", "M"], "variation": True}],
            "variations": [
                {
                    "sku": "T-S",
                    "attributes": [{"name": "Size", "option": "S"}],
                    "manage_stock": True,
                    "stock_quantity": 3,
                },
                {"sku": "T-M", "attributes": [{"name": "Size", "option": "M"}]},
            ],
        },
        {"sku": "G", "type": "grouped"},
        {"sku": "E", "type": "external"},
    )
    found = {item.name: item for item in read_all(adapter, "variant")}
    assert sorted(found) == ["Blue mug", "No SKU", "Tee - M", "Tee - S"]
    mug, tee = found["Blue mug"], found["Tee - S"]
    assert (mug.external_id, mug.parent_id, mug.kind) == (str(ids["MUG"]), "", "simple")
    assert (mug.label, mug.barcode) == ("[MUG] Blue mug", "4006381333931")
    assert (mug.tracked, mug.quantity) == (True, 5)
    assert (tee.external_id, tee.parent_id) == (str(ids["T-S"]), str(ids["T"]))
    assert (tee.kind, tee.sku, tee.quantity) == ("variation", "T-S", 3)
    assert (found["Tee - M"].tracked, found["Tee - M"].quantity) == (False, None)
    assert abs(mug.updated_at - utc_now()) < timedelta(minutes=5)


@pytest.fixture
def small_pages(monkeypatch):
    monkeypatch.setattr(woocommerce_catalog, "PER_PAGE", 3)
    monkeypatch.setattr(woocommerce_catalog, "PARENTS_AT_ONCE", 2)


def test_every_page_is_read_once(store, adapter, small_pages):
    """All are of the same second: the cursor cannot go by the moment of change alone."""
    ids = seed(
        store,
        *({"sku": f"S{number}"} for number in range(11)),
        *(
            {"sku": f"T{number}", "variations": [{"sku": f"T{number}-{child}"} for child in "abcd"]}
            for number in range(7)
        ),
    )
    found = [item.external_id for item in read_all(adapter, "variant")]
    sold = [str(product) for sku, product in ids.items() if "-" in sku or sku.startswith("S")]
    assert sorted(found) == sorted(sold)


def test_the_number_of_all_is_told(store, adapter, small_pages):
    seed(store, *({"sku": f"S{number}"} for number in range(7)))
    first = adapter.fetch("variant")
    second = adapter.fetch("variant", cursor=first.cursor)
    assert (first.total, second.total) == (7, 7)


def set_clock(store, moment):
    """For what the store writes from now on; a signature would be out of date, so use Basic."""
    store.clock = lambda: moment


@pytest.fixture
def basic(store):
    return adapter_for(store, auth="basic")


def moments(count):
    start = datetime.fromisoformat("2026-03-01T09:00:00+00:00")
    return [start + timedelta(minutes=number) for number in range(count)]


def place_orders(store, count):
    seed(store, {"sku": "A"})
    ids = []
    for moment in moments(count):
        set_clock(store, moment)
        ids.append(store.place_order({"line_items": [{"sku": "A", "quantity": 1}]})["id"])
    set_clock(store, moments(count + 1)[-1])
    return ids


def test_orders_are_read_oldest_change_first(store, basic, small_pages):
    ids = place_orders(store, 8)
    basic._api("PUT", f"orders/{ids[0]}", json={"status": "completed"})
    found = read_all(basic, "order")
    assert [int(head.external_id) for head in found] == [*ids[1:], ids[0]]
    assert found[-1].status == "completed"
    assert found[0].number == str(ids[1])
    assert found[0].total > 0
    assert found[0].created_at == datetime(2026, 3, 1, 9, 1)
    assert found[0].url.endswith(f"page=wc-orders&action=edit&id={ids[1]}")


def test_only_what_changed_since_is_read(store, basic, small_pages):
    ids = place_orders(store, 8)
    found = read_all(basic, "order", since=datetime(2026, 3, 1, 9, 5))
    assert [int(head.external_id) for head in found] == ids[5:]


def test_an_order_changed_between_two_pages_makes_none_be_missed(store, basic, small_pages):
    ids = place_orders(store, 8)
    first = basic.fetch("order")
    basic._api("PUT", f"orders/{ids[0]}", json={"status": "completed"})
    rest, cursor = [], first.cursor
    while cursor:
        found = basic.fetch("order", cursor=cursor)
        rest += found.documents
        cursor = found.cursor
    seen = {int(head.external_id) for head in [*first.documents, *rest]}
    assert seen == set(ids)


def test_only_products_changed_since_are_read(store, basic, small_pages):
    for index, moment in enumerate(moments(6)):
        set_clock(store, moment)
        variations = [{"sku": f"T{index}-a"}]
        seed(store, {"sku": f"S{index}"}, {"sku": f"T{index}", "variations": variations})
    found = read_all(basic, "variant", since=datetime(2026, 3, 1, 9, 4))
    assert sorted(item.sku for item in found) == ["S4", "S5", "T4-a", "T5-a"]


def test_a_product_deleted_in_between_does_no_harm(store, adapter, small_pages):
    seed(store, *({"sku": f"T{n}", "variations": [{"sku": f"T{n}-a"}]} for n in range(4)))
    found = adapter.fetch("variant")
    while '"children"' not in found.cursor:
        found = adapter.fetch("variant", cursor=found.cursor)
    first = json.loads(found.cursor)["ids"][0]
    adapter._api("DELETE", f"products/{first}?force=true")
    rest = []
    while found.cursor:
        found = adapter.fetch("variant", cursor=found.cursor)
        rest += found.documents
    assert [item.sku for item in rest] == ["T3-a"]


@pytest.mark.parametrize("cursor", ["x", "7", "[]", '"a"'])
def test_a_broken_cursor_is_told(adapter, cursor):
    with pytest.raises(ValidationFailed):
        adapter.fetch("variant", cursor=cursor)


def test_newer_stores_tell_all_variations_at_once(wire, small_pages):
    rows = [
        {
            "id": 100 + number,
            "parent_id": number % 2 + 1,
            "sku": f"V{number}",
            "manage_stock": True,
            "stock_quantity": number,
            "date_modified": f"2026-03-01T10:00:0{number}",
            "date_modified_gmt": f"2026-03-01T09:00:0{number}",
            "attributes": [{"option": "Red"}, {"option": "S"}],
        }
        for number in range(5)
    ]

    def reply(asked, connection):
        query = parse_qs(asked.target.partition("?")[2])
        if asked.path == f"{API}/products":
            names = [{"id": 1, "name": "Tee"}, {"id": 2, "name": "Cap"}]
            return answer(names if "include" in query else [])
        after, seen = query.get("modified_after", [""])[0], query.get("exclude", [""])[0]
        found = [row for row in rows if row["date_modified"] > after]
        found = [row for row in found if str(row["id"]) not in seen.split(",")]
        return answer(found[:3], X_WP_Total=str(len(found)))

    server = wire(reply)
    found = read_all(adapter_of(server.url), "variant")
    assert [item.sku for item in found] == ["V0", "V1", "V2", "V3", "V4"]
    assert found[0].name == "Tee - Red, S"
    assert (found[1].name, found[1].parent_id) == ("Cap - Red, S", "2")
    assert len([asked for asked in server.asked if asked.path == f"{API}/variations"]) == 2


@pytest.mark.parametrize(
    ("kind", "sold", "expected"),
    [
        ("simple", True, "simple"),
        ("subscription", True, "simple"),
        ("bundle", True, "bundle"),
        ("yith_bundle", True, "bundle"),
        ("composite", True, "bundle"),
        ("variable", False, "simple"),
        ("variable-subscription", False, "simple"),
        ("grouped", False, "simple"),
        ("external", False, "simple"),
    ],
)
def test_kinds_of_products_are_sorted(kind, sold, expected):
    assert is_sold({"type": kind}) is sold
    assert kind_of({"type": kind}) == expected


# === VALUES AND ERRORS === #


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-01T09:30:00", datetime(2026, 3, 1, 9, 30)),
        ("2026-03-01T09:30:00Z", datetime(2026, 3, 1, 9, 30)),
        ("", None),
        (None, None),
        ("soon", None),
    ],
)
def test_dates_are_read_as_utc(text, expected):
    assert utc(text) == expected


def test_dates_are_written_in_utc_without_zone():
    assert gmt(datetime.fromisoformat("2026-03-01T09:30:00.500000+02:00")) == "2026-03-01T07:30:00"
    assert gmt(datetime(2026, 3, 1, 9, 30)) == "2026-03-01T09:30:00"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (7, 7),
        ("7.50", Decimal("7.5")),
        (0.1, Decimal("0.1")),
        ("", None),
        (None, None),
        ("x", None),
        (True, None),
        ("NaN", None),
    ],
)
def test_numbers_are_read_exactly(value, expected):
    assert number(value) == expected


class Refusal:
    headers = {}

    def __init__(self, status, code):
        self.status = status
        self.data = (
            {"code": code, "message": "Words.", "data": {"status": status}} if code else None
        )


@pytest.mark.parametrize(
    ("status", "code", "single", "kind"),
    [
        (401, "woocommerce_rest_authentication_error", True, AuthenticationFailed),
        (401, "woocommerce_rest_cannot_view", True, AuthenticationFailed),
        (401, "invalid_username", False, AuthenticationFailed),
        (403, "woocommerce_rest_cannot_batch", False, AuthenticationFailed),
        (403, "woocommerce_rest_cannot_edit", True, Rejected),
        (404, "woocommerce_rest_shop_order_invalid_id", True, Missing),
        (400, "woocommerce_rest_shop_order_invalid_id", True, Missing),
        (404, "woocommerce_rest_order_invalid_id", False, Missing),
        (410, "woocommerce_rest_already_trashed", True, Missing),
        (404, "rest_no_route", False, Temporary),
        (400, "rest_invalid_param", False, Rejected),
        (400, "product_invalid_sku", True, Rejected),
    ],
)
def test_every_code_has_its_class(status, code, single, kind):
    error = interpret(Refusal(status, code), "shop.example", single)
    assert type(error) is kind
    assert error.code == code
    assert "Words." in error.message


@pytest.mark.parametrize(
    ("status", "code"), [(500, "internal_server_error"), (429, "slow_down"), (400, "")]
)
def test_the_rest_is_left_to_the_general_rules(status, code):
    assert interpret(Refusal(status, code), "shop.example", False) is None


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"code": "woocommerce_rest_product_invalid_id", "data": {"status": 400}}, Missing),
        ({"code": "woocommerce_rest_product_variation_invalid_id", "data": {}}, Missing),
        ({"code": "woocommerce_rest_invalid_product_id", "data": {"status": 404}}, Missing),
        ({"code": "product_invalid_sku", "data": {"status": 400}}, Rejected),
        ({"code": "woocommerce_rest_cannot_edit", "data": {"status": 403}}, Rejected),
        ({"code": "db_insert_error", "data": {"status": 500}}, Temporary),
        ({"code": "odd", "data": "text"}, Rejected),
        ("nonsense", Rejected),
        (None, Rejected),
    ],
)
def test_an_items_error_never_concerns_the_others(error, kind):
    found = item_error(error, "[MUG-B] Blue mug")
    assert type(found) is kind
    assert found.message.startswith("[MUG-B] Blue mug: ")
    assert found.hint

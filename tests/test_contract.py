"""The contract of adapters: the same scenarios, with the same expectations, on every platform."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ..adapters.base import SendKey
from ..adapters.documents import (
    PRODUCT_FIELDS,
    InventoryLevel,
    LocationQuantity,
    Price,
    Product,
    ProductOption,
    ProductVariant,
)
from ..adapters.errors import AuthenticationFailed, SyncError
from .platforms import PLATFORMS

AMOUNTS = st.decimals(min_value=0, max_value=99999, places=2)
OWNED = tuple(name for name in PRODUCT_FIELDS if name != "price")


@pytest.fixture(params=PLATFORMS, ids=lambda platform: platform.name)
def platform(request):
    platform = request.param()
    yield platform
    platform.close()


@pytest.fixture
def adapter(platform):
    return platform.adapter()


def push(adapter, kind, *documents, **key):
    """Results; a failure all share is that of each."""
    keys = [SendKey(f"job-{place}", **key) for place, _one in enumerate(documents)]
    try:
        return adapter.push(kind, list(documents), keys)
    except SyncError as error:
        raise AssertionError(f"{error.kind}: {error.message}") from error


def failure(adapter, kind, *documents):
    """The error a request ends in, whether it is the parcel's or the item's."""
    keys = [SendKey(f"job-{place}") for place, _one in enumerate(documents)]
    try:
        return adapter.push(kind, list(documents), keys)[0].error
    except SyncError as error:
        return error


def level(platform, item, quantity):
    number, parent, handles = item
    held = LocationQuantity(location_id=platform.location, quantity=Decimal(quantity))
    return InventoryLevel(
        label=number, external_id=number, parent_id=parent, handles=handles, levels=(held,)
    )


def price(item, amount, before=None):
    number, parent, _handles = item
    values = {"price": Decimal(amount), "compare_at": before, "currency": "USD"}
    return Price(label=number, external_id=number, parent_id=parent, **values)


def shirt(**more):
    sizes = ("S", "M")
    values = {
        "label": "Shirt",
        "name": "Shirt",
        "handle": "shirt-7",
        "reference": "db:product.template:7",
        "options": (ProductOption(name="Size", values=sizes),),
        "variants": tuple(
            ProductVariant(
                sku=f"SHIRT-{size}",
                record_id=place,
                values=(size,),
                price=Decimal("12.50"),
                weight=Decimal("0.25"),
            )
            for place, size in enumerate(sizes, 1)
        ),
        "category": ("Shirts",),
        "owned": PRODUCT_FIELDS,
    }
    return Product(**(values | more))


def bound(product, result, **more):
    """The product as it is sent the next time."""
    numbers = {link.record_id: link.external_id for link in result.links}
    variants = tuple(replace(one, external_id=numbers[one.record_id]) for one in product.variants)
    values = {"variants": variants, "seen": result.seen, "owned": OWNED}
    return replace(product, external_id=result.external_id, **(values | more))


# === THE LINE === #


def test_the_store_says_who_it_is(adapter):
    identity = adapter.check()
    assert identity.name
    assert identity.currency == "USD"


def test_wrong_credentials_are_the_connections_trouble_not_the_jobs(platform):
    adapter = platform.adapter(**platform.wrong_credentials())
    with pytest.raises(AuthenticationFailed):
        adapter.check()
    document = price(platform.add_item("A"), 1)
    assert failure(adapter, "price", document).kind == "authentication"


@pytest.mark.parametrize("kind", ["inventory", "price", "product"])
def test_a_store_that_asks_for_patience_says_how_long(platform, adapter, kind):
    item = platform.add_item("A")
    documents = {"inventory": level(platform, item, 1), "price": price(item, 1), "product": shirt()}
    platform.store.fault("rate_limit", retry_after=7)
    error = failure(adapter, kind, documents[kind])
    assert (error.kind, error.retry_after) == ("rate_limit", 7)


@pytest.mark.parametrize("kind", ["inventory", "price", "product"])
def test_a_request_that_was_not_answered_is_uncertain_and_its_repetition_doubles_nothing(
    platform, adapter, kind
):
    item = platform.add_item("A")
    documents = {"inventory": level(platform, item, 5), "price": price(item, 5), "product": shirt()}
    platform.break_down(kind, "timeout", seconds=2)
    error = failure(adapter, kind, documents[kind])
    assert (error.kind, error.uncertain) == ("temporary", True)
    (result,) = push(platform.adapter(), kind, documents[kind], uncertain=True)
    assert result.error is None
    assert len(platform.products()) == (2 if kind == "product" else 1)


# === STOCK AND PRICES === #


def test_one_bad_item_of_a_batch_fails_alone(platform, adapter):
    items = [platform.add_item(sku) for sku in "ABC"]
    platform.delete(*items[1][:2])
    results = push(adapter, "inventory", *[level(platform, item, 4) for item in items])
    assert [result.error and result.error.kind for result in results] == [None, "missing", None]
    assert [platform.stock(item[0]) for item in (items[0], items[2])] == [4, 4]


def test_prices_arrive_and_a_deleted_product_is_missing_alone(platform, adapter):
    items = [platform.add_item(sku) for sku in "ABC"]
    platform.delete(*items[1][:2])
    results = push(adapter, "price", *[price(item, "9.95") for item in items])
    assert [result.error and result.error.kind for result in results] == [None, "missing", None]
    assert platform.price(items[2][0]) == Decimal("9.95")


def test_what_is_bound_to_nonsense_makes_no_request(platform, adapter):
    before = len(platform.store.requests)
    item = ("no-id", "", {})
    for kind, document in (
        ("price", price(item, 1)),
        ("inventory", level(platform, item, 1)),
        ("product", shirt(external_id="no-id")),
    ):
        assert failure(adapter, kind, document).kind == "validation"
    assert len(platform.store.requests) == before


@pytest.mark.parametrize("platform_class", PLATFORMS, ids=lambda platform: platform.name)
def test_an_amount_is_held_and_read_to_the_cent(platform_class):
    platform = platform_class()
    adapter, item = platform.adapter(), platform.add_item("A")

    @settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
    @given(amount=AMOUNTS, reduction=AMOUNTS)
    def holds(amount, reduction):
        before = amount + reduction if reduction else None
        (result,) = push(adapter, "price", price(item, amount, before))
        assert result.error is None
        assert platform.price(item[0]) == amount
        (read,) = adapter.fetch("price").documents
        assert (read.price, read.compare_at, read.currency) == (amount, before, "USD")

    try:
        holds()
    finally:
        platform.close()


# === PRODUCTS === #


def test_a_product_is_created_bound_changed_and_taken_off_sale(platform, adapter):
    product = shirt()
    (made,) = push(adapter, "product", product)
    assert (made.error, made.outcome, len(made.links)) == (None, "created", 2)
    assert platform.products()[made.external_id] == ("Shirt", True)
    (changed,) = push(adapter, "product", bound(product, made, name="Nice shirt"))
    assert (changed.error, changed.outcome) == (None, "updated")
    assert platform.products() == {made.external_id: ("Nice shirt", True)}
    push(adapter, "product", bound(product, changed, status="archived"))
    assert not platform.products()[made.external_id][1]


def test_a_deleted_product_is_missing_with_what_to_do(platform, adapter):
    product = shirt()
    (made,) = push(adapter, "product", product)
    for link in made.links:
        platform.delete(link.external_id, made.external_id)
    platform.delete(*([made.external_id] if platform.name == "woocommerce" else ["0"]), "0")
    (result,) = push(adapter, "product", bound(product, made))
    assert result.error.kind == "missing"
    assert "no longer exists" in result.error.message
    assert result.error.hint


def test_a_sku_that_is_there_already_is_for_a_person_to_match(platform, adapter):
    platform.add_item("SHIRT-M")
    (result,) = push(adapter, "product", shirt())
    assert result.error.kind == "conflict"
    assert "SHIRT-M" in result.error.message
    assert "Matching" in result.error.hint
    assert len(platform.products()) == 1


def test_what_was_sent_is_what_is_read(platform, adapter):
    product = shirt()
    (made,) = push(adapter, "product", product)
    (read,) = adapter.fetch("product").documents
    assert (read.external_id, read.name, read.status) == (made.external_id, "Shirt", "active")
    assert (read.category, read.options) == (product.category, product.options)
    shown = [(one.sku, one.values, one.price, one.weight) for one in read.variants]
    sent = [(one.sku, one.values, one.price, one.weight) for one in product.variants]
    assert shown == sent
    assert [one.external_id for one in read.variants] == [one.external_id for one in made.links]

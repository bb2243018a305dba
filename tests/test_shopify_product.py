"""Products to the Shopify sandbox, which executes on Shopify's own schema."""

from dataclasses import replace
from decimal import Decimal

import pytest

from ..adapters.base import SendKey, Settings
from ..adapters.documents import (
    PRODUCT_FIELDS,
    Product,
    ProductImage,
    ProductOption,
    ProductVariant,
)
from ..adapters.errors import Temporary
from ..adapters.http import HttpClient
from ..adapters.shopify import ShopifyAdapter
from ..sandbox.shopify import ShopifyStore

KEY = SendKey("job-1")
OWNED = tuple(name for name in PRODUCT_FIELDS if name != "price")


@pytest.fixture
def store():
    with ShopifyStore() as store:
        yield store


@pytest.fixture
def adapter(store):
    settings = Settings(store.url, {"access_token": store.token})
    return ShopifyAdapter(settings, HttpClient(store.url, timeouts=(1, 3)))


def variant(sku, number, *values, **more):
    price, weight = Decimal("12.50"), Decimal("0.3")
    more = {"sku": sku, "record_id": number, "values": values, "price": price} | more
    return ProductVariant(weight=weight, **more)


def shirt(*sizes, **more):
    values = {
        "label": "Shirt",
        "name": "Shirt",
        "handle": "shirt-7",
        "reference": "db:product.template:7",
        "options": (ProductOption(name="Size", values=sizes),),
        "variants": tuple(
            variant(f"SHIRT-{size}", place, size) for place, size in enumerate(sizes, 1)
        ),
        "category": ("Clothes", "Shirts"),
        "tags": ("new",),
        "owned": PRODUCT_FIELDS,
    }
    return Product(**(values | more))


def push(adapter, product, key=KEY):
    (result,) = adapter.push("product", [product], [key])
    return result


def bound(product, result, **more):
    """The product as it is sent the next time."""
    numbers = {link.record_id: link.external_id for link in result.links}
    variants = [
        replace(one, external_id=numbers.get(one.record_id, "")) for one in product.variants
    ]
    more = {"variants": tuple(variants), "seen": result.seen, "owned": OWNED} | more
    return replace(product, external_id=result.external_id, **more)


def variants_of(store, number):
    return store.store.find("variant", [("parent_id = ?", [int(number)])])


def test_a_product_is_created_with_its_variants_and_all_are_bound(store, adapter):
    result = push(adapter, shirt("S", "M"))
    assert (result.error, result.outcome) == (None, "created")
    held = store.store.get("product", int(result.external_id))
    assert (held["title"], held["status"], held["productType"]) == ("Shirt", "ACTIVE", "Shirts")
    rows = variants_of(store, result.external_id)
    assert [(row["sku"], row["price"], row["title"]) for row in rows] == [
        ("SHIRT-S", "12.50", "S"),
        ("SHIRT-M", "12.50", "M"),
    ]
    assert [link.external_id for link in result.links] == [str(row["id"]) for row in rows]
    assert all(link.handles["inventory_item_id"] for link in result.links)


def test_a_simple_product_has_the_one_variant_that_shopify_makes(store, adapter):
    product = shirt(options=(), variants=(variant("MUG", 1),))
    result = push(adapter, product)
    (row,) = variants_of(store, result.external_id)
    assert (row["title"], row["sku"]) == ("Default Title", "MUG")
    assert [link.external_id for link in result.links] == [str(row["id"])]


def test_a_change_leaves_alone_what_is_not_ours_and_variants_made_there(store, adapter):
    product = shirt("S", "M")
    first = push(adapter, product)
    row = variants_of(store, first.external_id)[0]
    store.store.put("variant", {**row, "price": "99.00"})
    changed = bound(product, first, name="Nice shirt", variants=product.variants[:1])
    one = replace(changed.variants[0], external_id=first.links[0].external_id)
    result = push(adapter, replace(changed, variants=(one,)))
    assert (result.error, result.outcome) == (None, "updated")
    rows = variants_of(store, first.external_id)
    assert [row["price"] for row in rows] == ["99.00", "12.50"]
    assert store.store.get("product", int(first.external_id))["title"] == "Nice shirt"


def test_a_new_variant_is_added_and_bound(store, adapter):
    product = shirt("S", "M")
    first = push(adapter, product)
    result = push(adapter, bound(shirt("S", "M", "L"), first))
    assert result.error is None
    assert [row["sku"] for row in variants_of(store, first.external_id)][-1] == "SHIRT-L"
    assert len(result.links) == 3


def test_a_sku_of_another_product_is_a_conflict_and_nothing_is_created(store, adapter):
    store.seed({"products": [{"title": "Old shirt", "sku": "SHIRT-M"}]})
    result = push(adapter, shirt("S", "M"))
    assert result.error.kind == "conflict"
    assert "'SHIRT-M' is in the store already: 'Old shirt'" in result.error.message
    assert store.store.count("product") == 1


def test_a_creation_that_was_not_answered_is_found_by_our_mark(store, adapter):
    store.fault("http_500_after", times=1, path="#productSet")
    first = push(adapter, shirt("S", "M"))
    assert first.error.uncertain
    result = push(adapter, shirt("S", "M"), SendKey("job-1", uncertain=True))
    assert result.error is None
    assert (store.store.count("product"), len(result.links)) == (1, 2)


def test_archived_is_archived_there(store, adapter):
    product = shirt("S", "M")
    first = push(adapter, product)
    push(adapter, bound(product, first, status="archived"))
    assert store.store.get("product", int(first.external_id))["status"] == "ARCHIVED"


def test_a_deleted_product_and_a_deleted_variant_are_missing(store, adapter):
    product = shirt("S", "M")
    first = push(adapter, product)
    store.store.delete("variant", int(first.links[0].external_id))
    error = push(adapter, bound(product, first)).error
    assert (error.kind, error.code) == ("missing", "variant_not_found")
    store.store.delete("product", int(first.external_id))
    assert push(adapter, bound(product, first)).error.code == "product_not_found"


def test_a_sku_changed_there_is_a_conflict_until_a_person_insists(store, adapter):
    product = shirt("S", "M")
    first = push(adapter, product)
    row = variants_of(store, first.external_id)[0]
    store.store.put("variant", {**row, "sku": "THEIRS"})
    again = bound(product, first)
    assert push(adapter, again).error.code == "sku_changed"
    assert push(adapter, again, SendKey("job-1", force=True)).error is None
    assert variants_of(store, first.external_id)[0]["sku"] == "SHIRT-S"


def test_images_are_named_only_when_they_changed(store, adapter):
    red = ProductImage(checksum="r", name="r.png", url="https://odoo.example/r.png")
    blue = ProductImage(checksum="b", name="b.png", url="https://odoo.example/b.png")
    product = shirt("S", images=(red,))
    first = push(adapter, product)
    number = int(first.external_id)
    held = store.store.get("product", number)
    assert held["files"][0]["originalSource"] == red.url
    store.store.put("product", {**held, "files": ["as it was"]})
    push(adapter, bound(product, first))
    assert store.store.get("product", number)["files"] == ["as it was"]
    push(adapter, bound(product, first, images=(blue,)))
    assert store.store.get("product", number)["files"][0]["originalSource"] == blue.url


# === A LARGE CATALOGUE === #


def read_all(adapter):
    """``(products, number of pages)``"""
    products, pages, cursor = [], 0, ""
    while True:
        page = adapter.fetch("product", cursor=cursor)
        products += page.documents
        pages, cursor = pages + 1, page.cursor
        if not cursor:
            return products, pages


def test_a_large_catalogue_is_read_from_one_file_in_slices(store, adapter):
    sizes = [{"name": "Size", "value": size} for size in "SML"]
    rows = [
        {
            "title": f"Shirt {number}",
            "variants": [{"sku": f"{number}-{one['value']}", "options": [one]} for one in sizes],
        }
        for number in range(40)
    ]
    store.seed({"products": rows})
    paged, _pages = read_all(adapter)
    adapter.bulk_from, adapter.bulk_poll_seconds, adapter.bulk_slice = 10, 0, 4096
    before = len(store.requests)
    found, pages = read_all(adapter)
    assert sorted(found, key=lambda one: int(one.external_id)) == sorted(
        paged, key=lambda one: int(one.external_id)
    )
    assert [len(one.variants) for one in found] == [3] * 40
    assert pages > 5
    asked = [entry.query.get("operation") for entry in store.requests[before:]]
    assert asked.count("bulkOperationRunQuery") == 1


def test_a_bulk_operation_that_fails_is_tried_again_later(store, adapter):
    store.seed({"products": [{"title": "Mug", "sku": "MUG"}]})
    adapter.bulk_from = 1
    page = adapter.fetch("product")
    (row,) = store.store.find("bulk")
    store.store.put("bulk", {**row, "status": "FAILED", "errorCode": "TIMEOUT"})
    with pytest.raises(Temporary, match="FAILED TIMEOUT"):
        adapter.fetch("product", cursor=page.cursor)

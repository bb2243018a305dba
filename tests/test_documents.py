import json
from dataclasses import FrozenInstanceError, replace
from datetime import date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ..adapters.documents import (
    CatalogItem,
    InventoryLevel,
    Invoice,
    InvoiceLine,
    LocationQuantity,
    plain,
)


def level(quantity="5", last_seen=None, **values):
    place = LocationQuantity(
        location_id="default",
        quantity=Decimal(quantity),
        last_seen=last_seen and Decimal(last_seen),
    )
    return InventoryLevel(external_id="7", levels=(place,), **values)


def invoice(**values):
    line = InvoiceLine(
        sku="MUG-B",
        name="Blue mug",
        quantity=Decimal(2),
        unit_price=Decimal("5.00"),
        subtotal=Decimal("10.00"),
        total=Decimal("11.50"),
    )
    return Invoice(
        **{
            "number": "INV/2026/0042",
            "date": date(2026, 3, 1),
            "due_date": None,
            "currency": "EUR",
            "untaxed": Decimal("10.00"),
            "tax": Decimal("1.50"),
            "total": Decimal("11.50"),
            "residual": Decimal("11.50"),
            "state": "posted",
            "payment_state": "not_paid",
            "lines": (line,),
            **values,
        }
    )


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Decimal("2.50"), "2.5"),
        (Decimal("2.5"), "2.5"),
        (Decimal("1E+3"), "1000"),
        (Decimal("-0.0"), "0"),
        (Decimal("100"), "100"),
        (date(2026, 3, 1), "2026-03-01"),
        (datetime(2026, 3, 1, 9, 30), "2026-03-01T09:30:00"),
        ({1: (Decimal("1.0"), None)}, {"1": ["1", None]}),
        (True, True),
        ("text", "text"),
    ],
)
def test_values_become_plain_json(value, expected):
    assert plain(value) == expected


def test_the_same_amount_written_otherwise_is_the_same_document():
    assert level("5").fingerprint() == level("5.000").fingerprint()


@pytest.mark.parametrize(
    "other",
    [
        level("6"),
        level("5", parent_id="3"),
        replace(level("5"), external_id="8"),
        replace(level("5"), levels=()),
    ],
)
def test_what_is_sent_makes_the_fingerprint(other):
    assert other.fingerprint() != level("5").fingerprint()


@pytest.mark.parametrize(
    "other",
    [
        level("5", label="[MUG-B] Blue mug"),
        level("5", sku="MUG-B"),
        level("5", last_seen="3"),
        level("5", handles={"inventory_item_id": "9"}),
    ],
)
def test_what_is_not_sent_does_not(other):
    assert other.fingerprint() == level("5").fingerprint()


@pytest.mark.parametrize(
    "change",
    [
        {"residual": Decimal(0)},
        {"payment_state": "paid"},
        {"state": "cancelled"},
        {"carriers": ("meta",)},
        {"due_date": date(2026, 4, 1)},
        {"lines": ()},
    ],
)
def test_every_change_of_an_invoice_is_a_change(change):
    assert invoice(**change).fingerprint() != invoice().fingerprint()


def test_content_is_json_and_survives_it():
    content = invoice().content()
    assert json.loads(json.dumps(content)) == content
    assert content["lines"][0]["total"] == "11.5"
    assert "label" not in content


def test_documents_do_not_change():
    with pytest.raises(FrozenInstanceError):
        level().external_id = "9"


def test_documents_compare_by_value():
    assert level() == level()
    assert CatalogItem(external_id="1", sku="A") != CatalogItem(external_id="1", sku="B")


@given(st.decimals(-(10**15), 10**15, places=6))
def test_an_amount_is_kept_exactly(amount):
    assert Decimal(plain(amount)) == amount


@given(st.integers(-(10**9), 10**9), st.integers(-(10**9), 10**9))
def test_fingerprints_are_equal_exactly_for_equal_quantities(one, other):
    same = level(str(one)).fingerprint() == level(str(other)).fingerprint()
    assert same is (one == other)

"""What of the Medusa adapter needs no store."""

from decimal import Decimal
from types import SimpleNamespace

import pytest

from ..adapters.documents import InventoryLevel, LocationQuantity
from ..adapters.errors import AuthenticationFailed, Missing, Rejected, Temporary
from ..adapters.medusa import MedusaAdapter
from ..adapters.medusa_errors import interpret
from ..adapters.medusa_inventory import InventoryMixin
from ..adapters.medusa_values import iso, rounded, utc
from ..adapters.standard_webhooks import sign

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY = b'{"type":"order.placed","data":{"id":"order_1","updated_at":"2026-11-25T11:10:39.016Z"}}'


@pytest.mark.parametrize(
    ("status", "data", "kind"),
    [
        (401, {"message": "Unauthorized"}, AuthenticationFailed),
        (404, {"type": "not_found", "message": "Order id not found: order_no"}, Missing),
        (400, {"type": "invalid_data", "message": "Invalid request"}, Rejected),
        (400, {"type": "not_allowed", "message": "Shipment has already been created"}, Rejected),
        (409, {"type": "conflict", "message": "The request conflicted"}, Temporary),
    ],
)
def test_errors_are_sorted_by_what_medusa_says(status, data, kind):
    error = interpret(SimpleNamespace(status=status, data=data), "shop.example")
    assert type(error) is kind
    assert data["message"] in error.message


@pytest.mark.parametrize("status", [429, 500, 503])
def test_general_rules_decide_where_medusa_itself_failed(status):
    response = SimpleNamespace(status=status, data={"type": "unknown_error", "message": "x"})
    assert interpret(response, "shop.example") is None


def signed(now, body=BODY, secret=SECRET):
    return {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(now),
        "webhook-signature": sign(secret, "msg_1", now, body),
    }


def test_a_message_of_the_subscriber_is_believed_by_its_signature(monkeypatch):
    monkeypatch.setattr("time.time", lambda: 1_800_000_100.0)
    headers = signed(1_800_000_000)
    assert MedusaAdapter.verify(headers, BODY, ["", SECRET])
    assert not MedusaAdapter.verify(headers, BODY + b" ", [SECRET])
    assert not MedusaAdapter.verify(headers, BODY, [])
    assert not MedusaAdapter.verify(signed(1_799_999_000), BODY, [SECRET])


def test_an_event_says_which_order_and_how_old():
    event = MedusaAdapter.parse_event({"webhook-id": "msg_1"}, BODY)
    assert (event.identity, event.kind, event.external_id) == ("msg_1", "order", "order_1")
    assert event.updated_at == utc("2026-11-25T11:10:39.016Z")
    assert iso(event.updated_at) == "2026-11-25T11:10:39.016Z"


def test_totals_are_rounded_to_the_currency():
    assert rounded(Decimal("11.8881"), "EUR") == Decimal("11.89")
    assert rounded(Decimal("11.5"), "JPY") == Decimal("12")
    assert rounded(Decimal("1.0005"), "KWD") == Decimal("1.001")


# === THE ATOMIC BATCH === #


class Shelf(InventoryMixin):
    """Keeps stock as Medusa does: all of a batch, or nothing and an error that names one."""

    def __init__(self, items, stocked, words=True):
        self.items, self.stock, self.words = items, dict.fromkeys(stocked, 0), words
        self.requests = 0

    def _locations(self):
        return {"sloc_1"}

    def _find_items(self, ids):
        return {}

    def _api(self, method, path, json):
        self.requests += 1
        for row in json["update"]:
            item = row["inventory_item_id"]
            if item not in self.stock:
                self._refuse(f"Item {item} is not stocked at location {row['location_id']}")
        for row in json["create"]:
            item = row["inventory_item_id"]
            if item not in self.items:
                self._refuse(
                    f"You tried to set relationship inventory_item_id: {item}, but such entity "
                    "does not exist"
                )
        rows = [*json["create"], *json["update"]]
        self.stock |= {row["inventory_item_id"]: row["stocked_quantity"] for row in rows}
        return SimpleNamespace(json=lambda: {"created": json["create"], "updated": json["update"]})

    def _refuse(self, said):
        error = Missing(said, code="not_found")
        error.said = said if self.words or "not stocked" in said else "No."
        raise error


def levels(count):
    return [
        InventoryLevel(
            label=f"Product {number}",
            external_id=f"variant_{number}",
            handles={"inventory_item_id": f"iitem_{number}"},
            levels=(LocationQuantity(location_id="sloc_1", quantity=Decimal(number)),),
        )
        for number in range(count)
    ]


@pytest.mark.parametrize("words", [True, False], ids=["named", "by halving"])
def test_a_refused_item_fails_alone_and_a_new_one_is_stocked_first(words):
    known = [f"iitem_{number}" for number in range(40) if number != 17]
    shelf = Shelf(known, known[:30], words)
    documents = levels(40)
    results = shelf._push_inventory(documents, [None] * 40)
    failed = [place for place, result in enumerate(results) if result.error]
    assert failed == [17]
    assert results[17].error.kind == "missing"
    assert results[17].error.message.startswith("Product 17: the store does not have it")
    assert shelf.stock == {item: int(item.partition("_")[2]) for item in known}
    assert results[39].seen == {"sloc_1": Decimal(39)}


def test_an_unknown_location_is_refused_by_us_for_medusa_would_take_it():
    shelf = Shelf(["iitem_0"], ["iitem_0"])
    nowhere = InventoryLevel(
        label="Mug",
        external_id="variant_0",
        handles={"inventory_item_id": "iitem_0"},
        levels=(LocationQuantity(location_id="sloc_gone", quantity=Decimal(1)),),
    )
    (result,) = shelf._push_inventory([nowhere], [None])
    assert result.error.code == "location_not_found"
    assert shelf.requests == 0

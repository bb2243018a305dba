"""The sandbox store breaks on demand, and remembers what it was asked."""

import contextlib
import sys
import threading
import time
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest
import requests

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from sandbox.testing import API, mug, seed_mug, seed_mugs, sign  # noqa: E402

pytest_plugins = ["sandbox.testing"]


# === FAULTS === #


def set_stock(api, quantity):
    return api.put("products/1", json={"stock_quantity": quantity})


def stock_of(store):
    return store.store.get("product", 1)["stock_quantity"]


REFUSALS = [
    ("rate_limit", 429, False),
    ("http_500_before", 500, False),
    ("http_500_after", 500, True),
    ("unauthorized", 401, False),
    ("maintenance", 503, False),
]


@pytest.mark.parametrize(("kind", "status", "done"), REFUSALS)
def test_a_refusal_comes_before_or_after_the_work(store, api, kind, status, done):
    seed_mug(store)
    store.fault(kind)
    assert set_stock(api, 77).status_code == status
    assert stock_of(store) == (77 if done else 5)


BREAKS = [("down", False), ("reset", True), ("timeout", True)]


@pytest.mark.parametrize(("kind", "done"), BREAKS)
def test_a_broken_connection_comes_before_or_after_the_work(store, api, kind, done):
    seed_mug(store)
    store.fault(kind, **({"seconds": 0.05} if kind == "timeout" else {}))
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        set_stock(api, 77)
    assert stock_of(store) == (77 if done else 5)
    assert store.requests[-1].status is None


def test_a_reset_comes_in_the_middle_of_the_answer(store, api):
    seed_mug(store)
    store.fault("reset")
    response = api.get("products/1", stream=True)
    assert response.status_code == 200
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        assert response.content


def test_a_timeout_outlasts_the_patience_of_the_client(store, api):
    seed_mug(store)
    store.fault("timeout", seconds=30)
    with pytest.raises(requests.ReadTimeout):
        api.put("products/1", json={"stock_quantity": 77}, timeout=0.3)
    assert stock_of(store) == 77


@pytest.mark.parametrize(("kind", "more"), [("slow", {"seconds": 0.2}), ("latency", {"ms": 200})])
def test_a_delay_comes_before_the_answer(store, api, kind, more):
    store.fault(kind, **more)
    start = time.monotonic()
    assert api.get("products").status_code == 200
    assert time.monotonic() - start >= 0.2


@pytest.mark.parametrize("style", ["truncated", "notice", "html", "empty"])
def test_a_malformed_answer_is_a_200_that_is_no_json(store, api, style):
    seed_mug(store)
    store.fault("malformed", style=style)
    response = set_stock(api, 77)
    assert response.status_code == 200
    with pytest.raises(ValueError, match=r"."):
        response.json()
    assert stock_of(store) == 77


def test_retry_after_is_seconds_or_a_date(store, api):
    store.fault("rate_limit", times=1, retry_after=7)
    assert api.get("products").headers["Retry-After"] == "7"
    store.fault("rate_limit", times=1, retry_after=7, http_date=True)
    at = parsedate_to_datetime(api.get("products").headers["Retry-After"])
    assert 5 <= (at - datetime.now(timezone.utc)).total_seconds() <= 8


def test_a_rate_limit_may_refuse_only_what_is_too_much(store, api):
    store.fault("rate_limit", per_second=3)
    statuses = [api.get("/wp-json/").status_code for _ in range(5)]
    assert statuses == [200, 200, 200, 429, 429]


def test_a_fault_goes_away_after_its_last_hit(store, api):
    store.fault("http_500_before", times=2)
    assert [api.get("products").status_code for _ in range(4)] == [500, 500, 200, 200]


def test_a_fault_without_times_stays_until_it_is_removed(store, api):
    store.fault("http_500_before")
    assert [api.get("products").status_code for _ in range(3)] == [500] * 3
    assert store.clear_faults() == 1
    assert api.get("products").status_code == 200


def test_a_fault_hits_the_requests_it_names(store, api):
    store.fault("http_500_before", path=r"/products/\d+", method="PUT,DELETE")
    seed_mug(store)
    assert api.get("products/1").status_code == 200
    assert api.put("products/1", json={}).status_code == 500
    assert api.put("orders/1", json={}).status_code == 400


def test_the_same_seed_picks_the_same_requests(store, api):
    picks = []
    for _ in range(2):
        store.fault("http_500_before", probability=0.5, seed=7)
        picks.append([api.get("products").status_code for _ in range(20)])
        store.clear_faults()
    assert picks[0] == picks[1]
    assert set(picks[0]) == {200, 500}


def test_one_bad_item_is_refused_and_the_others_are_not(store, api):
    ids = seed_mugs(store, 3)
    store.fault("bad_item", sku="M1", code="shop_says_no", message="No.", status=422)
    answer = api.batch(update=[{"id": number, "stock_quantity": 9} for number in ids])["update"]
    assert [item.get("stock_quantity") for item in answer] == [9, None, 9]
    expected = {"code": "shop_says_no", "message": "No.", "data": {"status": 422}}
    assert answer[1] == {"id": ids[1], "error": expected}


def test_a_bad_item_is_refused_alone_too_and_named_by_id_or_sku(store, api):
    ids = seed_mugs(store, 2)
    store.fault("bad_item", id=ids[0], times=1)
    store.fault("bad_item", sku="NEW")
    assert api.put(f"products/{ids[0]}", json={}).status_code == 400
    assert api.put(f"products/{ids[0]}", json={}).status_code == 200
    assert api.post("products", json=mug(sku="NEW")).status_code == 400


def test_faults_are_switched_over_http(store, api):
    rule = {"kind": "http_500_before", "times": 1, "path": "products"}
    listed = api.put("/_sandbox/faults", json=[rule]).json()["faults"]
    assert (listed[0]["kind"], listed[0]["hits"]) == ("http_500_before", 0)
    assert api.get("products").status_code == 500
    api.post("/_sandbox/faults", json={"kind": "slow", "seconds": 0})
    api.post("/_sandbox/faults", json={"kind": "latency", "ms": 0})
    rest = api.delete("/_sandbox/faults?kind=slow").json()["faults"]
    assert [rule["kind"] for rule in rest] == ["latency"]
    assert api.delete(f"/_sandbox/faults/{rest[0]['id']}").json()["faults"] == []


def test_a_listed_rule_can_be_put_back(store, api):
    store.fault("rate_limit", path="/orders", times=3, retry_after=9)
    listed = api.get("/_sandbox/faults").json()["faults"]
    again = api.put("/_sandbox/faults", json={"faults": listed}).json()["faults"]
    assert [{**rule, "id": 0} for rule in again] == [{**rule, "id": 0} for rule in listed]


BAD_RULES = [
    {},
    {"kind": "earthquake"},
    {"kind": "slow", "path": "("},
    {"kind": "slow", "path": 5},
    {"kind": "slow", "times": 0},
    {"kind": "slow", "times": "many"},
    {"kind": "slow", "probability": 2},
    {"kind": "slow", "seconds": "long"},
    {"kind": "slow", "seconds": -1},
    {"kind": "slow", "ms": 5},
    {"kind": "bad_item"},
    {"kind": "malformed", "style": "art"},
    "slow",
]


@pytest.mark.parametrize("rule", BAD_RULES)
def test_a_rule_that_cannot_be_meant_is_refused_and_the_old_ones_stay(store, api, rule):
    store.fault("latency", ms=0)
    response = api.put("/_sandbox/faults", json=[rule])
    assert response.status_code == 400
    assert response.json()["error"]
    assert [rule.kind for rule in store.faults.rules()] == ["latency"]


def test_faults_never_hit_the_sandbox_itself(store, api):
    store.fault("down")
    assert api.get("/_sandbox/state").status_code == 200
    assert api.get("/").status_code == 200


def test_a_stopped_store_refuses_connections_and_comes_back_with_its_data(store, api):
    seed_mug(store)
    url = store.url
    store.stop()
    with pytest.raises(requests.ConnectionError):
        api.get("products")
    store.start()
    assert store.url == url
    assert api.get("products/1").json()["sku"] == "MUG"


def test_stopping_does_not_wait_for_a_slow_answer(store, api):
    store.fault("slow", seconds=60)
    impatient = threading.Thread(target=_ignore_errors, args=(api.get, "products"))
    impatient.start()
    while not store.requests:
        time.sleep(0.01)
    start = time.monotonic()
    store.stop()
    impatient.join()
    assert time.monotonic() - start < 5


def _ignore_errors(call, *arguments):
    with contextlib.suppress(requests.RequestException):
        call(*arguments)


# === JOURNAL === #


def test_the_journal_tells_what_was_asked_and_how_it_went(store, api):
    ids = seed_mugs(store, 2)
    store.fault("bad_item", id=ids[0])
    store.fault("latency", ms=0)
    parts = {"update": [{"id": number} for number in ids], "create": [mug()]}
    api.post("products/batch?x=1", json=parts, headers={"Idempotency-Key": "k1"})
    entry = store.requests[-1]
    assert (entry.method, entry.path) == ("POST", API + "products/batch")
    assert (entry.query, entry.status) == ({"x": "1"}, 200)
    assert entry.items == {"create": 1, "update": 2, "delete": 0}
    assert (entry.written, entry.created, entry.refused) == (2, 1, 1)
    assert entry.headers["Idempotency-Key"] == "k1"
    assert entry.fault == "latency"


def test_the_counters_count_work_even_if_its_answer_was_lost(store, api):
    store.fault("http_500_after")
    api.post("products", json=mug())
    api.get("products")
    expected = {"requests": 2, "items_written": 1, "creations": 1}
    assert store.journal.totals() == expected
    assert api.get("/_sandbox/state").json().items() >= expected.items()


def test_no_credential_gets_into_the_journal(store):
    url = store.url + API + "products"
    query = {"consumer_key": store.key, "consumer_secret": store.secret}
    requests.get(url, params=query, timeout=10)
    requests.get(url, auth=(store.key, store.secret), timeout=10)
    requests.get(url, params=sign(store, "GET", url), timeout=10)
    told = requests.get(store.url + "/_sandbox/requests", timeout=10).text
    assert len(store.requests) == 3
    for credential in (store.key, store.secret, "oauth", "Authorization"):
        assert credential not in told


def test_the_journal_is_cleared_over_http(store, api):
    api.get("products")
    assert len(api.get("/_sandbox/requests").json()["requests"]) == 1
    cleared = api.delete("/_sandbox/requests").json()
    assert cleared["totals"] == {"requests": 0, "items_written": 0, "creations": 0}
    assert store.requests == []


def test_the_journal_is_bounded(store):
    for number in range(5100):
        store.journal.open("", "GET", f"/{number}", {}, {})
    assert len(store.requests) == 5000
    assert store.journal.totals()["requests"] == 5100

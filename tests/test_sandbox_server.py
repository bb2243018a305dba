"""The sandbox store as a program: data, settings, page, bad requests, a sudden end."""

import contextlib
import json
import re
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from sandbox.testing import API, Client, mug, seed_mug, seed_mugs, subscribe  # noqa: E402
from sandbox.woocommerce import WooCommerceStore  # noqa: E402

pytest_plugins = ["sandbox.testing"]


# === DATA, SETTINGS, PAGE === #


def test_seeding_announces_nothing_and_is_no_request_of_the_api(store, api, receiver):
    subscribe(api, receiver, "product.created")
    store.journal.clear()
    loaded = api.post("/_sandbox/seed", json={"invent": 3, "products": [mug()]}).json()
    store.wait_for_webhooks()
    assert [row["sku"] for row in loaded["products"]] == ["SB-00001", "SB-00002", "SB-00003", "MUG"]
    assert (receiver.deliveries, store.requests) == ([], [])


def test_a_seed_that_fails_loads_nothing(store, api):
    response = api.post("/_sandbox/seed", json={"products": [mug(), mug()]})
    assert response.status_code == 400
    assert store.state()["products"] == 0


def test_ten_thousand_products_are_seeded_at_once(store, api):
    loaded = api.post("/_sandbox/seed", json={"invent": 10_000}, timeout=120).json()
    assert len({row["sku"] for row in loaded["products"]}) == 10_000


def test_an_invented_order_is_paid_and_of_nobody_real(store, api):
    order = api.post("/_sandbox/orders").json()
    assert (order["status"], order["created_via"]) == ("processing", "checkout")
    assert order["billing"]["email"].endswith("@example.com")
    assert order["line_items"] and float(order["total"]) > 0
    assert api.get(f"orders/{order['id']}").json()["total"] == order["total"]


def test_a_placed_order_takes_what_it_is_told(store):
    seed_mug(store)
    order = store.place_order({"line_items": [{"sku": "MUG", "quantity": 4}], "currency": "EUR"})
    assert order["line_items"][0]["quantity"] == 4
    assert order["currency"] == "EUR"


def test_a_reset_forgets_the_data_and_the_faults_but_not_the_keys(store, api):
    seed_mug(store)
    store.fault("down")
    assert api.post("/_sandbox/reset").json()["products"] == 0
    assert api.post("products", json=mug()).json()["id"] == 1


def test_settings_are_changed_over_http_and_checked(store, api):
    changed = api.put("/_sandbox/settings", json={"currency": "EUR", "permalinks": "plain"}).json()
    assert changed["currency"] == "EUR"
    assert api.get("products").status_code == 404
    for bad in ({"colour": "red"}, {"currency": 5}, {"require_oauth": 1}):
        assert api.put("/_sandbox/settings", json=bad).status_code == 400


CONTROL_ERRORS = [
    ("GET", "/_sandbox/unknown", None, 404),
    ("PUT", "/_sandbox/faults", "no json", 400),
    ("PUT", "/_sandbox/faults", "5", 400),
    ("DELETE", "/_sandbox/faults/x", None, 400),
    ("POST", "/_sandbox/seed", '{"products": 5}', 400),
    ("POST", "/_sandbox/seed", '{"invent": "x"}', 400),
    ("POST", "/_sandbox/form/unknown", "", 400),
]


@pytest.mark.parametrize(("method", "path", "body", "status"), CONTROL_ERRORS)
def test_a_wrong_control_request_is_refused_with_a_reason(api, method, path, body, status):
    response = api.request(method, path, data=body)
    assert response.status_code == status
    assert response.json()["error"]


def test_the_page_shows_stock_orders_notes_invoice_and_tracking(store, api):
    mug_id = seed_mug(store, stock_quantity=4321)
    order = store.place_order({"line_items": [{"product_id": mug_id}]})
    meta = [
        {"key": "_commerce_sync_invoice_number", "value": "INV/2026/00042"},
        {"key": "_commerce_sync_invoice_url", "value": "https://example.com/invoice?a=1&b=2"},
        {"key": "_commerce_sync_tracking", "value": {"number": "TRACK-7"}},
    ]
    api.put(f"orders/{order['id']}", json={"meta_data": meta})
    api.post(f"orders/{order['id']}/notes", json={"note": "Invoice issued"})
    page = api.get("/").text
    for text in ("4320", "INV/2026/00042", "TRACK-7", "Invoice issued", f"Order {order['id']}"):
        assert text in page
    assert 'href="https://example.com/invoice?a=1&amp;b=2"' in page


HOSTILE = "<script>alert('x')</script>\" onmouseover=\"y"


def test_the_page_escapes_everything(store, api):
    seed_mug(store, name=HOSTILE, sku=HOSTILE)
    line = [{"sku": HOSTILE}]
    order = store.place_order({"line_items": line, "billing": {"first_name": HOSTILE}})
    meta = [
        {"key": HOSTILE, "value": HOSTILE},
        {"key": "link", "value": "http://x/" + HOSTILE},
        {"key": "nested", "value": json.dumps({HOSTILE: [HOSTILE]})},
    ]
    api.put(f"orders/{order['id']}", json={"meta_data": meta})
    api.post(f"orders/{order['id']}/notes", json={"note": HOSTILE})
    store.fault("bad_item", sku=HOSTILE, path="never")
    api.get("/wp-json/" + HOSTILE)
    page = api.get("/", params={"q": HOSTILE}).text + api.get("/").text
    assert "&lt;script&gt;" in page
    assert "<script" not in page
    assert '" onmouseover' not in page


def test_a_link_that_is_no_web_address_stays_text(store, api):
    order = store.place_order()
    meta = [{"key": "invoice_url", "value": "javascript:alert(1)"}]
    api.put(f"orders/{order['id']}", json={"meta_data": meta})
    assert 'href="javascript' not in api.get("/").text


def test_the_page_loads_nothing_from_elsewhere(store, api):
    store.place_order()
    page = api.get("/").text
    assert not re.search(r'(src|href)="(?!/|data:,)', page)
    assert "url(" not in page and "@import" not in page


def test_the_buttons_of_the_page_work(store, api):
    page = api.post("/_sandbox/form/order")
    assert (page.url, page.history[0].status_code) == (store.url + "/", 303)
    assert store.state()["orders"] == 1
    api.post("/_sandbox/form/fault", data={"kind": "slow", "on": "1", "seconds": "1.5"})
    api.post("/_sandbox/form/fault", data={"kind": "bad_item", "on": "1", "sku": "007"})
    assert [rule.parameters.get("seconds") for rule in store.faults.rules()] == [1.5, None]
    assert store.faults.rules()[1]["sku"] == "007"
    api.post("/_sandbox/form/fault", data={"kind": "slow"})
    assert [rule.kind for rule in store.faults.rules()] == ["bad_item"]
    api.post("/_sandbox/form/clear-faults")
    assert store.faults.rules() == []


@pytest.mark.parametrize(
    "headers", [{"Origin": "https://evil.example"}, {"Host": "evil.example"}, {"Origin": "null"}]
)
def test_a_page_of_another_site_steers_nothing(store, api, headers):
    response = api.post("/_sandbox/form/order", headers=headers)
    assert response.status_code == 403
    assert store.state()["orders"] == 0


# === ROBUST AND LASTING === #


def raw(store, data):
    """What comes back on a connection of its own; at most its first part."""
    address = urlsplit(store.url)
    with socket.create_connection((address.hostname, address.port), timeout=10) as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        return connection.recv(65536)


POST = b"POST /wp-json/wc/v3/products HTTP/1.1\r\nHost: x\r\n"
RAW = [
    (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"200"),
    (b"nonsense\r\n\r\n", b"400"),
    (b"BREW / HTTP/1.1\r\nHost: x\r\n\r\n", b"501"),
    (POST + b"Content-Length: 99999999999\r\n\r\n", b"413"),
    (POST + b"Content-Length: 9" + b"9" * 5000 + b"\r\n\r\n", b"413"),
    (POST + b"Content-Length: -5\r\n\r\n", b"400"),
    (POST + b"Content-Length: many\r\n\r\n", b"400"),
    (POST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b"411"),
    (b"GET /?" + b"a&" * 2000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", b"400"),
    (b"GET /wp-json/%ff%00 HTTP/1.1\r\nHost: x\r\n\r\n", b"404"),
]


@pytest.mark.parametrize(("data", "status"), RAW)
def test_bad_requests_are_answered_not_suffered(store, data, status):
    answer = raw(store, data)
    # Python's own parser answers what is no HTTP at all without a status line
    assert answer.startswith(b"HTTP/1.1 " + status) or b"Error code: " + status in answer


def test_half_a_body_is_no_request(store):
    assert raw(store, POST + b"Content-Length: 50\r\n\r\n{") == b""
    assert store.requests == []


def test_a_connection_is_kept_for_further_requests(store):
    get = b"GET /wp-json/ HTTP/1.1\r\nHost: x\r\n"
    answer = raw(store, get + b"\r\n" + get + b"Connection: close\r\n\r\n")
    assert answer.count(b"HTTP/1.1 200") >= 1
    address = urlsplit(store.url)
    with socket.create_connection((address.hostname, address.port)) as connection:
        for _ in range(3):
            connection.sendall(get + b"\r\n")
            assert connection.recv(65536).startswith(b"HTTP/1.1 200")


def test_head_answers_as_get_does_without_the_body(store, api):
    seed_mug(store)
    response = api.head("products")
    assert (response.status_code, response.content) == (200, b"")
    assert response.headers["X-WP-Total"] == "1"


ODD_ITEMS = [
    {"name": None, "meta_data": None},
    {"meta_data": [{"value": 1}, {"key": "k"}, {"key": "k", "value": [1, {"a": None}]}]},
    {"attributes": [{}, {"name": "Size"}, {"id": 3, "options": "S|M"}]},
    {"categories": [{}, {"id": 7}], "tags": [], "images": [{}], "dimensions": {"odd": 1}},
    {"low_stock_amount": None, "date_on_sale_from": "2026-01-01T00:00:00+05:30"},
    {"name": "\U0001f600 \u0000 <b>", "slug": "ÄÖÜ !"},
    {"stock_quantity": 10**30, "manage_stock": True},
    {"meta_data": [{"key": "deep", "value": json.loads("[" * 300 + "]" * 300)}]},
]


@pytest.mark.parametrize("item", ODD_ITEMS)
def test_odd_items_never_crash_the_store(api, item):
    for response in (
        api.post("products", json=item),
        api.post("products/batch", json={"create": [item]}),
        api.get("/"),
    ):
        assert response.status_code < 500, response.text


def test_many_clients_at_once_lose_nothing(store):
    ids = seed_mugs(store, 8)

    def work(number):
        with Client(store) as client:
            for quantity in range(20):
                client.batch(update=[{"id": n, "stock_quantity": quantity} for n in ids])
                client.post("products", json=mug(sku=f"T{number}-{quantity}"))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.state()["products"] == 8 + 6 * 20
    assert store.journal.totals()["items_written"] == 6 * 20 * 9


def test_data_keys_and_settings_outlive_the_process(tmp_path):
    path = tmp_path / "store.sqlite"
    with WooCommerceStore(path, title="Kept") as store:
        seed_mug(store)
        key, secret = store.key, store.secret
    with WooCommerceStore(path) as store, Client(store) as client:
        assert (store.key, store.secret, store.title) == (key, secret, "Kept")
        assert client.get("products/1").json()["sku"] == "MUG"
        assert client.post("products", json=mug(sku="NEXT")).json()["id"] == 2


@contextlib.contextmanager
def process(data, *arguments):
    """The store as a program: (process, first lines of its output)"""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    command = [sys.executable, "-m", "sandbox.woocommerce", "--port", str(port)]
    command += ["--data", str(data), *arguments]
    running = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        yield running, [running.stdout.readline().strip() for _ in range(3)]
    finally:
        running.kill()
        running.wait()
        running.stdout.close()


GIVEN = ("--key", "ck_given", "--secret", "cs_given")


def test_the_program_tells_its_address_and_key_and_stops_at_sigterm(tmp_path):
    with process(tmp_path / "store.sqlite", *GIVEN) as (running, lines):
        url = lines[0].split()[-1]
        assert (lines[1].split()[-1], lines[2].split()[-1]) == ("ck_given", "cs_given")
        auth = ("ck_given", "cs_given")
        assert requests.get(url + API + "products", auth=auth, timeout=10).json() == []
        running.send_signal(signal.SIGTERM)
        assert running.wait(timeout=10) == 0


def test_what_was_answered_survives_a_kill(tmp_path):
    path = tmp_path / "store.sqlite"
    auth = ("ck_given", "cs_given")
    with process(path, *GIVEN) as (running, lines):
        url = lines[0].split()[-1] + API + "products"
        for number in range(20):
            requests.post(url, json=mug(sku=f"K{number}"), auth=auth, timeout=10)
        running.send_signal(signal.SIGKILL)
        running.wait()
    with WooCommerceStore(path) as store:
        assert store.state()["products"] == 20
        assert store.key == "ck_given"

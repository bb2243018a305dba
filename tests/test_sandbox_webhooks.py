"""The sandbox store announces what happens as WooCommerce does."""

import base64
import hashlib
import hmac
import json
import socket
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from sandbox.testing import error_of, mug, seed_mug, subscribe  # noqa: E402

pytest_plugins = ["sandbox.testing"]


def test_a_new_webhook_sends_an_unsigned_ping(store, api, receiver):
    fields = {"topic": "order.created", "delivery_url": receiver.url}
    webhook = api.post("webhooks", json=fields).json()
    store.wait_for_webhooks()
    [(headers, body)] = receiver.deliveries
    assert body == f"webhook_id={webhook['id']}".encode()
    assert headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert "X-WC-Webhook-Signature" not in headers


def test_a_delivery_is_signed_over_its_raw_body(store, api, receiver):
    webhook = subscribe(api, receiver, "order.created")
    order = store.place_order({"customer_note": "Grüße / bye"})
    store.wait_for_webhooks()
    [(headers, body)] = receiver.deliveries
    expected = base64.b64encode(hmac.new(b"hush", body, hashlib.sha256).digest()).decode()
    assert headers["X-WC-Webhook-Signature"] == expected
    assert headers["X-WC-Webhook-Source"] == store.url + "/"
    assert headers["X-WC-Webhook-Topic"] == "order.created"
    assert headers["X-WC-Webhook-Resource"] == "order"
    assert headers["X-WC-Webhook-Event"] == "created"
    assert headers["X-WC-Webhook-ID"] == str(webhook["id"])
    assert headers["X-WC-Webhook-Delivery-ID"]
    assert headers["Content-Type"] == "application/json"
    assert headers["User-Agent"].startswith("WooCommerce/")
    assert json.loads(body)["id"] == order["id"]
    assert json.loads(body)["customer_note"] == "Grüße / bye"
    assert rb"\/" in body and b"\\u00fc" in body  # as PHP writes JSON, not as Python does


EVENTS = [
    ("product.created", "POST", "products", {"name": "Cup"}),
    ("product.updated", "PUT", "products/1", {"name": "Cup"}),
    ("product.deleted", "DELETE", "products/1", None),
    ("order.created", "POST", "orders", {"line_items": [{"product_id": 1}]}),
    ("order.updated", "PUT", "orders/2", {"status": "completed"}),
    ("order.updated", "POST", "orders/2/refunds", {"amount": "1"}),
    ("order.deleted", "DELETE", "orders/2", None),
    ("customer.created", "POST", "customers", {"email": "eda@example.com"}),
    ("customer.updated", "PUT", "customers/1", {"first_name": "Ada"}),
    ("customer.deleted", "DELETE", "customers/1?force=true", None),
]


@pytest.mark.parametrize(("topic", "method", "path", "body"), EVENTS)
def test_what_happens_is_announced(store, api, receiver, topic, method, path, body):
    store.seed(
        {
            "products": [mug()],
            "customers": [{"email": "ada@example.com"}],
            "orders": [{"line_items": [{"sku": "MUG"}]}],
        }
    )
    subscribe(api, receiver, topic)
    changed = api.request(method, path, json=body).json()
    store.wait_for_webhooks()
    [delivered] = receiver.bodies(topic)
    if topic.endswith("deleted"):
        assert delivered == {"id": changed["id"]}
    elif "refunds" in path:
        assert delivered["refunds"][0]["total"] == "-1.00"
    else:
        assert delivered["id"] == changed["id"]


def test_deleting_for_good_is_not_announced(store, api, receiver):
    seed_mug(store)
    subscribe(api, receiver, "product.deleted")
    api.delete("products/1?force=true")
    store.wait_for_webhooks()
    assert receiver.deliveries == []


def test_a_sale_announces_the_product_whose_stock_it_takes(store, api, receiver):
    mug_id = seed_mug(store)
    subscribe(api, receiver, "product.updated")
    store.place_order({"line_items": [{"product_id": mug_id, "quantity": 2}]})
    store.wait_for_webhooks()
    [delivered] = receiver.bodies("product.updated")
    assert delivered["stock_quantity"] == 3


def test_a_request_announces_a_resource_once(store, api, receiver):
    mug_id = seed_mug(store)
    subscribe(api, receiver, "product.updated")
    api.batch(update=[{"id": mug_id, "stock_quantity": 1}, {"id": mug_id, "stock_quantity": 2}])
    store.wait_for_webhooks()
    assert [body["stock_quantity"] for body in receiver.bodies("product.updated")] == [2]


def test_two_deliveries_in_one_second_share_their_id(store, api, receiver, clock):
    subscribe(api, receiver, "order.created")
    store.place_order()
    store.place_order()
    store.wait_for_webhooks()
    clock(seconds=1)
    store.place_order()
    store.wait_for_webhooks()
    ids = [headers["X-WC-Webhook-Delivery-ID"] for headers, _body in receiver.deliveries]
    assert ids[0] == ids[1] != ids[2]


def test_a_webhook_is_disabled_after_more_than_five_failures_in_a_row(store, api, receiver):
    webhook = subscribe(api, receiver, "order.created")
    path = f"webhooks/{webhook['id']}"
    receiver.status = 500
    for _ in range(6):
        store.place_order()
    store.wait_for_webhooks()
    assert api.get(path).json()["status"] == "active"
    store.place_order()
    store.wait_for_webhooks()
    assert api.get(path).json()["status"] == "disabled"
    store.place_order()
    store.wait_for_webhooks()
    assert len(receiver.deliveries) == 7


def test_a_success_forgets_the_failures_before_it(store, api, receiver):
    webhook = subscribe(api, receiver, "order.created")
    for status in [500] * 6 + [204] + [500] * 6:
        receiver.status = status
        store.place_order()
        store.wait_for_webhooks()
    assert api.get(f"webhooks/{webhook['id']}").json()["status"] == "active"


def test_a_paused_webhook_sends_nothing(store, api, receiver):
    webhook = subscribe(api, receiver, "order.created")
    api.put(f"webhooks/{webhook['id']}", json={"status": "paused"})
    store.place_order()
    store.wait_for_webhooks()
    assert receiver.deliveries == []


def test_a_webhook_that_nobody_answers_counts_as_failed(store, api):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    url = f"http://127.0.0.1:{port}/"
    webhook = api.post("webhooks", json={"topic": "order.created", "delivery_url": url}).json()
    store.place_order()
    store.wait_for_webhooks()
    assert store.store.get("webhook", webhook["id"])["failure_count"] == 1


BAD_WEBHOOKS = [
    ({"topic": "order.eaten"}, "woocommerce_rest_shop_webhook_invalid_topic"),
    ({"topic": "ORDERS_CREATE"}, "woocommerce_rest_shop_webhook_invalid_topic"),
    ({"delivery_url": "ftp://x/"}, "woocommerce_rest_shop_webhook_invalid_delivery_url"),
    ({"delivery_url": "http://x:port/"}, "woocommerce_rest_shop_webhook_invalid_delivery_url"),
]


@pytest.mark.parametrize(("fields", "code"), BAD_WEBHOOKS)
def test_a_webhook_needs_a_topic_and_an_address(api, fields, code):
    fields = {"topic": "order.created", "delivery_url": "http://127.0.0.1:1/", **fields}
    assert error_of(api.post("webhooks", json=fields)) == (400, code)


def test_the_secret_of_a_webhook_is_never_told(api, receiver):
    webhook = subscribe(api, receiver, "order.created")
    assert "secret" not in webhook
    assert "secret" not in api.get(f"webhooks/{webhook['id']}").json()

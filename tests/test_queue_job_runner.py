"""The queue run by OCA's queue_job: the real package, in real Odoo processes."""

import time

import pytest
import scenario
from devenv import queue_job
from devenv.environment import environment

from ..sandbox.woocommerce import WooCommerceStore

pytestmark = pytest.mark.slow

#: Seconds until everything must have arrived.
PATIENCE = 60


@pytest.fixture(scope="module")
def odoo():
    """Odoo with queue_job and without scheduled actions, signed in over RPC."""
    with environment() as env, env.temporary_database("queue_job") as database:
        queue_job.install(env, database)
        with queue_job.running(env, database) as service:
            yield scenario.Odoo(service.url, database, "admin", "admin")


@pytest.fixture
def store():
    with WooCommerceStore() as store:
        yield store


def connect(odoo, store):
    """A live connection worked on by queue_job, with one bound product: the ids of both."""
    connection = odoo(
        "commerce.connection",
        "create",
        {
            "name": "Demo Store",
            "platform": "woocommerce",
            "address": store.url,
            "woo_auth": "basic",
            "dry_run": False,
            "runner": "queue_job",
            "flow_ids": [[0, 0, {"kind": "inventory"}]],
        },
    )
    secrets = {"consumer_key": store.key, "consumer_secret": store.secret}
    odoo("commerce.connection", "set_credentials", [connection], secrets)
    product = odoo(
        "product.product",
        "create",
        {"name": "Blue mug", "default_code": "MUG-B", "is_storable": True},
    )
    [seeded] = store.seed(
        {"products": [{"name": "Blue mug", "sku": "MUG-B", "manage_stock": True}]}
    )["products"]
    odoo(
        "commerce.binding",
        "create",
        {
            "connection_id": connection,
            "resource": "variant",
            "model": "product.product",
            "res_id": product,
            "external_id": str(seeded["id"]),
        },
    )
    odoo("commerce.connection", "action_go_live", [connection])
    return connection, product


def set_stock(odoo, product, quantity):
    [location] = odoo("stock.warehouse", "search_read", [], ["lot_stock_id"], limit=1)
    values = {"product_id": product, "location_id": location["lot_stock_id"][0]}
    quant = odoo("stock.quant", "create", values | {"inventory_quantity": quantity})
    odoo("stock.quant", "action_apply_inventory", [quant])


def arrives(store, quantity):
    """Whether the store holds that many before the patience ends."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        [product] = store.store.find("product")
        if product["stock_quantity"] == quantity:
            return True
        time.sleep(0.2)
    return False


def test_a_change_is_sent_by_a_job_in_the_connections_own_channel(odoo, store):
    connection, product = connect(odoo, store)
    set_stock(odoo, product, 7)
    assert arrives(store, 7)
    jobs = odoo("queue.job", "search_read", [], ["channel", "state", "model_name"])
    assert {job["channel"] for job in jobs} == {f"root.commerce_sync.{connection}"}
    assert {job["model_name"] for job in jobs} == {"commerce.job"}


def test_a_store_that_was_down_is_tried_again_by_queue_job(odoo, store):
    connection, product = connect(odoo, store)
    [flow] = odoo("commerce.flow", "search", [["connection_id", "=", connection]])
    odoo("commerce.flow", "write", [flow], {"retry_first_delay": 1, "retry_max_delay": 1})
    store.fault("http_500_before", times=1)
    set_stock(odoo, product, 9)
    assert arrives(store, 9)

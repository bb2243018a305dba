"""What most tests need: a store on loopback, a connection to it, products on both sides."""

import os
from contextlib import nullcontext
from unittest.mock import patch
from urllib.parse import urlsplit

import requests
from odoo.tests import HttpCase, TransactionCase
from odoo.tests.common import _super_send, release_test_lock

from ..engine.worker import Worker
from ..models.commerce_connection import ALLOWED_VARIABLE
from ..sandbox.woocommerce import WooCommerceStore


class StoreCase(TransactionCase):
    """A WooCommerce sandbox, and a live connection of the test's company to it."""

    @classmethod
    def _request_handler(cls, s, r, /, **kw):
        # Odoo's own handler compares the timeout with a number; ours is a pair (connect, read)
        if isinstance(kw.get("timeout"), tuple) and urlsplit(r.url).hostname == "127.0.0.1":
            return _super_send(s, r, **kw)
        return super()._request_handler(s, r, **kw)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        allowed = patch.dict(os.environ, {ALLOWED_VARIABLE: "127.0.0.1 ::1"})
        allowed.start()
        cls.addClassCleanup(allowed.stop)
        cls.env = cls.env(context=dict(cls.env.context, tracking_disable=True))
        cls.warehouse = cls.env["stock.warehouse"].search(
            [("company_id", "=", cls.env.company.id)], limit=1
        )
        cls.connection = cls.env["commerce.connection"].create(
            {
                "name": "Demo Store",
                "platform": "woocommerce",
                "address": "http://127.0.0.1:1",
                "user_id": cls.env.ref("base.user_admin").id,
                "woo_auth": "basic",
                "dry_run": False,
                "timeout": 5,
            }
        )
        cls.inventory_flow = cls.env["commerce.flow"].create(
            {"connection_id": cls.connection.id, "kind": "inventory", "stock_basis": "on_hand"}
        )
        cls.connection.action_go_live()

    def setUp(self):
        super().setUp()
        self.store = WooCommerceStore()
        self.store.start()
        self.addCleanup(self.store.stop)
        self.connect(self.connection)

    def connect(self, connection):
        """Point a connection to the sandbox."""
        connection.address = self.store.url
        connection.set_credentials(
            {"consumer_key": self.store.key, "consumer_secret": self.store.secret}
        )

    # === PRODUCTS === #

    def make_product(self, sku, quantity=0.0, **vals):
        """A storable product of Odoo with stock."""
        product = self.env["product.product"].create(
            {"name": f"Product {sku}", "default_code": sku, "is_storable": True, **vals}
        )
        if quantity:
            self.set_stock(product, quantity)
        return product

    def set_stock(self, product, quantity, location=None):
        """Have exactly ``quantity`` pieces on hand at one place."""
        location = location or self.warehouse.lot_stock_id
        quants = self.env["stock.quant"]
        have = sum(quants._gather(product, location).mapped("quantity"))
        if have != quantity:
            quants._update_available_quantity(product, location, quantity - have)

    def publish(self, products, connection=None):
        """Have these products in the store (no stock yet), and bind them.

        :return: ``{product: external id}``
        """
        connection = connection or self.connection
        seeded = [
            {"name": p.name, "sku": p.default_code, "manage_stock": True, "stock_quantity": 0}
            for p in products
        ]
        made = self.store.seed({"products": seeded})["products"]
        self.env["commerce.binding"].create(
            [
                {
                    "connection_id": connection.id,
                    "resource": "variant",
                    "model": "product.product",
                    "res_id": product.id,
                    "external_id": str(item["id"]),
                    "external_ref": product.default_code,
                }
                for product, item in zip(products, made, strict=True)
            ]
        )
        return {product: str(item["id"]) for product, item in zip(products, made, strict=True)}

    def store_stock(self):
        """``{sku: quantity}`` as the store holds it, asked over HTTP."""
        return {item["sku"]: item["stock_quantity"] for item in self.store_get("products")}

    def store_get(self, path, **params):
        """Ask the store itself."""
        answer = requests.get(
            f"{self.store.url}/wp-json/wc/v3/{path}",
            params={"per_page": 100, **params},
            auth=(self.store.key, self.store.secret),
            timeout=10,
        )
        answer.raise_for_status()
        return answer.json()

    # === THE QUEUE === #

    def flush(self):
        """What a commit would do: write, and enqueue what changed."""
        self.env.cr.flush()

    def drain(self, **kwargs):
        """One round of the scheduled action."""
        self.flush()
        # a HttpCase is in that mode all the time
        mode = nullcontext() if isinstance(self, HttpCase) else self.enter_registry_test_mode()
        # the test's own thread lets the worker's threads have their cursors
        with mode, release_test_lock():
            return Worker(self.env, "test", **kwargs).drain()

    def jobs(self, *domain):
        return self.env["commerce.job"].search(list(domain), order="id")

    def attempts(self, *domain):
        return self.env["commerce.attempt"].search(list(domain), order="id")

    def be_due(self):
        """Let time pass: every waiting job is due, no line is blocked."""
        self.env.cr.execute(
            "UPDATE commerce_job SET run_after = now() at time zone 'UTC' - interval '1 hour'"
            " WHERE state = 'pending'"
        )
        self.env.cr.execute(
            "UPDATE commerce_traffic SET blocked_until = NULL,"
            " probe_at = probe_at - interval '1 day'"
        )
        self.env.invalidate_all()

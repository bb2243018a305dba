"""Tests whose transactions really commit: on a database of their own, which is dropped afterwards.

In Odoo's ``TransactionCase`` everything happens on one database connection. What two of them do to
each other (locks, snapshots, a worker beside a business transaction) shows only here.
"""

import os
import threading
import unittest
from contextlib import contextmanager
from pathlib import Path

import odoo.sql_db
from odoo import SUPERUSER_ID, api
from odoo.modules.registry import Registry
from odoo.tools import config

from ..engine.worker import Worker
from ..sandbox.woocommerce import WooCommerceStore
from .common import StoreCase


@contextmanager
def cloned(label):
    """The name of a new database with the addon.

    It is made from the template that the run's own database was made from, so it takes less than a
    second. ``devenv`` is there where ``script/test`` runs the tests.
    """
    from devenv import workspace
    from devenv.files import locked

    databases = server()
    name = f"cs_{workspace.KEY}_run_{label}_{os.getpid()}"
    with locked():
        template = newest(databases, f"cs_{workspace.KEY}_test_")
        databases.drop(name)
        databases.clone(template, name)
    try:
        yield name
    finally:
        Registry.delete(name)
        odoo.sql_db.close_db(name)
        databases.drop(name)


def server():
    """The databases of the server that Odoo is configured for."""
    from devenv.database import Databases
    from devenv.postgres import Connection

    connection = Connection(
        config["db_host"],
        str(config["db_port"] or "5432"),
        config["db_user"],
        config["db_password"] or "",
    )
    return Databases(connection, Path(config.filestore("any")).parent)


def newest(databases, prefix):
    return next(name for name in databases.names(prefix) if not name.endswith("_partial"))


def loaded(database):
    """The registry of a database; Odoo's own tests are not run with it."""
    before = config["test_enable"]
    config["test_enable"] = False
    try:
        return Registry(database)
    finally:
        config["test_enable"] = before


class CloneCase(unittest.TestCase):
    """A database of the class's own, and for each test a store and a live connection to it."""

    connection_values = {}

    make_product = StoreCase.make_product
    set_stock = StoreCase.set_stock
    publish = StoreCase.publish
    store_get = StoreCase.store_get
    store_stock = StoreCase.store_stock

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        clone = cloned(cls.__name__.lower())
        cls.database = clone.__enter__()
        cls.addClassCleanup(clone.__exit__, None, None, None)
        cls.registry = loaded(cls.database)

    def setUp(self):
        super().setUp()
        self.store = WooCommerceStore()
        self.store.start()
        self.addCleanup(self.store.stop)
        self.connection_id, self.flow_id = self.make_connection(self.store)

    def make_connection(self, store, **values):
        """A live connection with a flow for stock; it is deleted after the test.

        :return: the ids of both
        """
        with self.committed() as env:
            connection = env["commerce.connection"].create(
                {
                    "name": "Demo Store",
                    "platform": "woocommerce",
                    "address": store.url,
                    "user_id": env.ref("base.user_admin").id,
                    "woo_auth": "basic",
                    "dry_run": False,
                    "timeout": 5,
                    **self.connection_values,
                    **values,
                }
            )
            connection.set_credentials({"consumer_key": store.key, "consumer_secret": store.secret})
            flow = env["commerce.flow"].create(
                {"connection_id": connection.id, "kind": "inventory", "stock_basis": "on_hand"}
            )
            connection.action_go_live()
        self.addCleanup(self.delete, connection.id)
        return connection.id, flow.id

    def delete(self, connection_id):
        with self.committed() as env:
            env["commerce.connection"].browse(connection_id).unlink()

    @contextmanager
    def committed(self):
        """A transaction of its own; also as ``self.env``, for the helpers."""
        with self.registry.cursor() as cr:
            self.env = api.Environment(cr, SUPERUSER_ID, {"tracking_disable": True})
            self.connection = self.env["commerce.connection"].browse(
                getattr(self, "connection_id", 0)
            )
            self.warehouse = self.env["stock.warehouse"].search([], limit=1)
            yield self.env

    def have_products(self, prefix, quantities):
        """Products with stock, known to the store, which does not know the stock yet; each with a
        waiting job. One transaction.

        :return: ``{sku: quantity}``
        """
        with self.committed() as env:
            products = env["product.product"]
            for number, quantity in enumerate(quantities):
                products |= self.make_product(f"{prefix}-{number}", quantity)
            self.publish(products)
            cr = env.cr
            cr.flush()
            self.connection.flow_ids._enqueue_due()
        return {f"{prefix}-{number}": quantity for number, quantity in enumerate(quantities)}

    def drain(self, **kwargs):
        with self.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
        return Worker(env, "test", **kwargs).drain()

    def query(self, statement, *values):
        """Rows, read in a transaction of its own."""
        with self.registry.cursor() as cr:
            cr.execute(statement, values)
            return cr.fetchall() if cr.description else []

    def jobs(self, *columns, connection_id=None):
        return self.query(
            f"SELECT {', '.join(columns)} FROM commerce_job WHERE connection_id = %s ORDER BY id",
            connection_id or self.connection_id,
        )

    def states(self):
        return [state for (state,) in self.jobs("state")]

    def be_due(self):
        """Let time pass: every waiting job is due, no line is blocked."""
        self.query(
            "UPDATE commerce_job SET run_after = (now() at time zone 'UTC') - interval '1 hour'"
            " WHERE state = 'pending'"
        )
        self.query(
            "UPDATE commerce_traffic SET blocked_until = NULL,"
            " probe_at = probe_at - interval '1 day'"
        )


class Background(threading.Thread):
    """A function on a thread of its own; :meth:`result` waits for what it returns or raises."""

    def __init__(self, function, *arguments):
        super().__init__(daemon=True)
        self.function = function
        self.arguments = arguments
        self.returned = self.raised = None
        self.start()

    def run(self):
        try:
            self.returned = self.function(*self.arguments)
        except BaseException as error:
            self.raised = error

    def result(self, timeout=30):
        self.join(timeout)
        if self.is_alive():
            raise TimeoutError(f"{self.function} does not end")
        if self.raised:
            raise self.raised
        return self.returned

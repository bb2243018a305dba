"""Ours: Odoo with the addon in this process, a connection to the store, its flows."""

import contextlib
import sys
import time

from . import data
from .store import KEY, SECRET


class Odoo:
    """Odoo in this process, on one database. One for each process, and only in a child."""

    def __init__(self, environment, database, options=None, path=()):
        sys.path[:0] = [str(environment.odoo.root), *map(str, path)]
        from odoo.tools import config

        file = environment.write_config(options)
        config.parse_config(
            ["--config", str(file), "--database", database, "--log-level=warn"], setup_logging=True
        )
        from odoo.modules.registry import Registry

        self.registry = Registry(database)

    @contextlib.contextmanager
    def env(self):
        """Yield a superuser's environment; what is done in it is committed."""
        from odoo import SUPERUSER_ID, api

        with self.registry.cursor() as cr:
            yield api.Environment(cr, SUPERUSER_ID, {})


def fill(environment, database):
    with Odoo(environment, database).env() as env:
        data.fill(env)


class Ours(Odoo):
    """Odoo with the addon."""

    def connect(self, store, connections):
        """A live connection to ``store`` that sends so many requests at once."""
        with self.env() as env:
            connection = env["commerce.connection"].create(
                {
                    "name": "Store",
                    "platform": "woocommerce",
                    "address": store.url,
                    "user_id": env.ref("base.user_admin").id,
                    "woo_auth": "basic",
                    "dry_run": False,
                    "parallel_requests": connections,
                }
            )
            connection.set_credentials({"consumer_key": KEY, "consumer_secret": SECRET})
            connection.action_go_live()
            self.connection_id = connection.id

    def add_flow(self, kind, **values):
        """A flow of this kind of data, and the bindings it needs."""
        with self.env() as env:
            flow = env["commerce.flow"].create(
                {"connection_id": self.connection_id, "kind": kind, **values}
            )
            self.flow_id = flow.id
            if kind == "inventory":
                self._bind(env, "variant", data.products(env))
            else:
                self._bind(env, "order", data.invoices(env).line_ids.sale_line_ids.order_id)
        self.analyze()

    def _bind(self, env, resource, records):
        """The record's own id is its number in the store."""
        self.bound = records.ids
        env["commerce.binding"].create(
            [
                {
                    "connection_id": self.connection_id,
                    "resource": resource,
                    "model": records._name,
                    "res_id": record.id,
                    "external_id": str(record.id),
                }
                for record in records
            ]
        )

    def analyze(self):
        with self.env() as env:
            env.cr.execute("ANALYZE")

    def enqueue(self, force=False):
        """Have everything the flow is concerned with waiting; return how many jobs that are."""
        with self.env() as env:
            flow = env["commerce.flow"].browse(self.flow_id)
            return len(flow._enqueue_due(force=force))

    def drain(self):
        """One lane works until nothing is due; return the seconds it took."""
        from odoo.addons.commerce_sync.engine.worker import Worker

        with self.env() as env:
            worker = Worker(env, "benchmark", seconds=600.0)
        started = time.perf_counter()
        worker.drain()
        return time.perf_counter() - started

    def count(self, **values):
        """How many jobs there are with these values."""
        with self.env() as env:
            domain = [(name, "=", value) for name, value in values.items()]
            return env["commerce.job"].search_count(domain)

"""Several real processes on one queue, beside business transactions that change the stock."""

import tempfile
import time
import unittest
from pathlib import Path

from odoo.tools import config

from ..sandbox.woocommerce import WooCommerceStore
from .clone import cloned

LANES = 4
PRODUCTS = 40
TIMES = 6


class TestProcesses(unittest.TestCase):
    """Four processes drain one queue."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        from benchmarks.nursery import Nursery

        cls.store = cls.entered(WooCommerceStore())
        database = cls.entered(cloned("processes"))
        folder = cls.entered(tempfile.TemporaryDirectory())
        cls.log = Path(folder) / "log"
        cls.nursery = cls.entered(Nursery(config["config"], database, cls.log))
        seeded = [
            {"name": f"P-{number}", "sku": f"P-{number}", "manage_stock": True}
            for number in range(PRODUCTS)
        ]
        cls.remote = cls.store.seed({"products": seeded})["products"]
        cls.connection = cls.nursery.call(
            "connect",
            address=cls.store.url,
            key=cls.store.key,
            secret=cls.store.secret,
            connection={"parallel_requests": 2},
            flow={},
        )
        cls.nursery.call("make_products", connection=cls.connection, remote=cls.remote)

    @classmethod
    def entered(cls, context):
        value = context.__enter__()
        cls.addClassCleanup(context.__exit__, None, None, None)
        return value

    def query(self, statement):
        return self.nursery.call("query", statement=statement)

    def drain_by_processes(self):
        pids = [
            self.nursery.fork("lane", name=f"lane {number}", lease=60.0, seconds=2.0)
            for number in range(LANES)
        ]
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            time.sleep(0.3)
            [[left]] = self.query(
                "SELECT count(*) FROM commerce_job WHERE state IN ('pending', 'running')"
            )
            if not left and not self.trading():
                break
        for pid in pids:
            self.nursery.kill(pid)
        self.assertEqual(left, 0)

    trader = None

    def trading(self):
        return self.trader and not self.nursery.ended(self.trader)

    def test_every_job_is_done_once_and_in_order_and_nobody_deadlocks(self):
        enqueued = self.nursery.call("enqueue", connection=self.connection, times=TIMES)
        self.assertEqual(enqueued, PRODUCTS * TIMES)
        self.trader = self.nursery.fork("trade", seed=1, changes=200, portion=10, pause=0.05)
        self.drain_by_processes()
        self.assertEqual(self.query("SELECT DISTINCT state FROM commerce_job"), [["done"]])
        # all four had a part in it
        lanes = self.query("SELECT DISTINCT split_part(worker, '/', 1) FROM commerce_attempt")
        self.assertEqual(len(lanes), LANES)
        # a job of this test is sent in any case, but only once
        tries = self.query(
            """SELECT count(*), count(DISTINCT job_id) FROM commerce_attempt
                WHERE job_id IN (SELECT id FROM commerce_job WHERE NOT "coalesce")"""
        )
        self.assertEqual(tries, [[enqueued, enqueued]])
        self.assertEqual(self.out_of_order(), [])
        self.assertEqual(self.at_the_same_time(), [])
        self.assertEqual(self.deadlocks(), 0)
        self.assertEqual(self.log.read_text().count("Traceback"), 0, self.log.read_text()[-3000:])
        theirs = {item["sku"]: item["stock_quantity"] for item in self.store.store.find("product")}
        self.assertEqual(theirs, self.nursery.call("stock"))

    def out_of_order(self):
        """Attempts of one product that began after one of a later job of its own."""
        return self.query(
            """SELECT * FROM (
                   SELECT job_id, lag(job_id) OVER (PARTITION BY res_id ORDER BY id) AS before
                     FROM commerce_attempt
                    WHERE job_id IN (SELECT id FROM commerce_job WHERE NOT "coalesce")) AS turn
                WHERE job_id < before"""
        )

    def at_the_same_time(self):
        """Attempts of one product that began before the one before had ended."""
        return self.query(
            """SELECT * FROM (
                   SELECT id, started_at,
                          lag(finished_at) OVER (PARTITION BY res_id ORDER BY id) AS before
                     FROM commerce_attempt) AS turn
                WHERE started_at < before"""
        )

    def deadlocks(self):
        self.query("SELECT pg_stat_force_next_flush()")
        return self.query(
            "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
        )[0][0]

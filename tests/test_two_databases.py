"""Two databases of ours, joined by the platform for any system, with a bad line between them."""

import random
import sys
import tempfile
import unittest
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
from odoo import SUPERUSER_ID, Command, api
from odoo.tools import config

from ..adapters.standard_webhooks import ID_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER
from ..engine.worker import Worker
from .clone import cloned, loaded
from .wire import Wire, answer

SECRET = "whsec_aW52ZW50ZWQgc2VjcmV0IGZvciB0ZXN0cw=="
LEADS, CHANGED, INVOICES = 900, 200, 100
EMAIL = "ada@two.example.com"


class BadLine(Wire):
    """Hands requests on; one in five meets an accident, before it arrives or after."""

    def __init__(self):
        super().__init__(self._pass_on)
        self.there = ""
        self.accidents = 0
        self._dice = random.Random(7)

    def _pass_on(self, asked, _connection):
        dice = self._dice.random()
        self.accidents += dice < 0.2
        if dice < 0.1:
            return None if dice < 0.05 else answer({}, "500 Internal Server Error")
        names = [ID_HEADER, TIMESTAMP_HEADER, SIGNATURE_HEADER, "Content-Type"]
        headers = {name: asked.headers_as_sent[name] for name in names}
        got = requests.post(self.there + asked.path, asked.body, headers=headers, timeout=30)
        if dice < 0.2:
            return None if dice < 0.15 else answer({}, "503 Service Unavailable")
        return answer({}, f"{got.status_code} As It Was")


class Side:
    """One of the databases."""

    def __init__(self, database):
        self.database = database
        self.registry = loaded(database)

    @contextmanager
    def committed(self):
        with self.registry.cursor() as cr:
            yield api.Environment(cr, SUPERUSER_ID, {"tracking_disable": True})

    def connect(self, address, credentials, **values):
        """:return: the id of a live connection, and its webhook key"""
        with self.committed() as env:
            connection = env["commerce.connection"].create(
                {
                    "name": "The other one",
                    "platform": "http",
                    "address": address,
                    "user_id": env.ref("base.user_admin").id,
                    "dry_run": False,
                    "timeout": 30,
                    **values,
                }
            )
            connection.set_credentials(credentials)
            connection.action_go_live()
            return connection.id, connection.webhook_key

    def add_flow(self, connection_id, model, lines, **values):
        with self.committed() as env:
            env["commerce.flow"].create(
                {
                    "connection_id": connection_id,
                    "kind": "record",
                    "record_model_id": env["ir.model"]._get(model).id,
                    "retry_first_delay": 1,
                    "max_attempts": 50,
                    "mapping_line_ids": [Command.create(line) for line in lines],
                    **values,
                }
            )

    def work(self):
        """A round of the worker; time passes.

        :return: the number of jobs that are still open
        """
        with self.committed() as env:
            worker = Worker(env, "test")
        worker.drain()
        with self.committed() as env:
            env.cr.execute(
                "UPDATE commerce_job SET run_after = now() at time zone 'UTC' - interval '1 hour'"
                " WHERE state = 'pending'"
            )
            env.cr.execute(
                "UPDATE commerce_traffic SET blocked_until = NULL,"
                " probe_at = probe_at - interval '1 day'"
            )
            return env["commerce.job"].search_count([("state", "in", ("pending", "running"))])

    def holdings(self):
        """What both should agree about."""
        with self.committed() as env:
            leads = env["crm.lead"].search([("email_from", "like", "%@two.example.com")])
            moves = env["account.move"].search([("partner_id.email", "=", EMAIL)])
            return (
                sorted(leads.mapped(lambda lead: (lead.email_from, lead.name))),
                sorted(moves.mapped(lambda move: (move.ref, move.amount_untaxed))),
            )

    def failures(self):
        with self.committed() as env:
            return env["commerce.job"].search([("state", "=", "failed")]).mapped("error_message")


def target(key, source, **values):
    return {"target": key, "source": source, **values}


@pytest.mark.slow
class TestTwoDatabases(unittest.TestCase):
    def setUp(self):
        super().setUp()
        self.sender = Side(self.enterContext(cloned("two_from")))
        self.receiver = Side(self.enterContext(cloned("two_to")))
        if "crm.lead" not in self.sender.registry:
            self.skipTest("crm is not installed")
        self.line = self.enterContext(BadLine())
        for side in (self.sender, self.receiver):
            with side.committed() as env:
                env["res.partner"].create({"name": "Ada", "email": EMAIL})
        key = self.have_a_receiver()
        self.have_a_sender(f"/commerce_sync/webhook/{key}")
        self.line.there = self.enterContext(self.serve(self.receiver.database)).url

    def serve(self, database):
        from devenv.process import Service, free_port
        from devenv.settings import CHECKOUT

        port = free_port()
        odoo_bin = CHECKOUT / "script" / "devenv" / "bin" / "odoo-bin"
        command = [
            *(sys.executable, odoo_bin, "server", "--config", config["config"]),
            *("--database", database, f"--http-port={port}", f"--gevent-port={free_port()}"),
            *("--workers=0", "--max-cron-threads=0"),
        ]
        folder = self.enterContext(tempfile.TemporaryDirectory())
        log = Path(folder) / "log"
        return Service("Odoo", command, port, log, "/web/health").wait_until_ready()

    def have_a_receiver(self):
        connection_id, key = self.receiver.connect(
            "http://127.0.0.1:1",
            {"webhook_secret": SECRET},
            http_writable="crm.lead: name, email_from\n"
            "account.move: move_type, ref, partner_id, invoice_line_ids\n"
            "account.move.line: name, quantity, price_unit, tax_ids",
        )
        common = {"direction": "in", "record_answer_id": "body.data.id"}
        self.receiver.add_flow(
            connection_id,
            "crm.lead",
            [target("name", "body.data.name"), target("email_from", "body.data.email")],
            record_event="lead",
            **common,
        )
        columns = (("name", "name"), ("quantity", "quantity"), ("price_unit", "price"))
        lines = [target(*column) for column in columns]
        self.receiver.add_flow(
            connection_id,
            "account.move",
            [
                target("move_type", "out_invoice", source_type="constant"),
                target("ref", "body.data.ref"),
                target("partner_id", "body.data.email", lookup="email", required=True),
                target(
                    "invoice_line_ids",
                    "body.data.lines",
                    child_ids=[Command.create(line) for line in lines],
                ),
            ],
            record_event="invoice",
            **common,
        )
        return key

    def have_a_sender(self, path):
        connection_id, _key = self.sender.connect(
            self.line.url,
            {"signing_secret": SECRET},
            http_auth="standard_webhooks",
            parallel_requests=4,
        )
        common = {"record_path": path, "record_answer_id": ""}
        self.sender.add_flow(
            connection_id,
            "crm.lead",
            [target("id", "id"), target("name", "name"), target("email", "email_from")],
            record_event="lead",
            domain="[('email_from', 'like', '@two.example.com')]",
            **common,
        )
        columns = (("name", "name"), ("quantity", "quantity"), ("price", "price_unit"))
        lines = [target(*column) for column in columns]
        self.sender.add_flow(
            connection_id,
            "account.move",
            [
                target("id", "id"),
                target("ref", "ref"),
                target("email", "partner_id.email"),
                target(
                    "lines",
                    "invoice_line_ids",
                    child_ids=[Command.create(line) for line in lines],
                ),
            ],
            record_event="invoice",
            domain=f"[('state', '=', 'posted'), ('partner_id.email', '=', '{EMAIL}')]",
            **common,
        )

    def have_leads(self):
        with self.sender.committed() as env:
            env["crm.lead"].create(
                [
                    {"name": f"Lead {number}", "email_from": f"{number}@two.example.com"}
                    for number in range(LEADS)
                ]
            )

    def have_invoices(self):
        with self.sender.committed() as env:
            partner = env["res.partner"].search([("email", "=", EMAIL)])
            line = {"name": "Mug", "tax_ids": False}
            env["account.move"].create(
                [
                    {
                        "move_type": "out_invoice",
                        "ref": f"I-{number}",
                        "partner_id": partner.id,
                        "invoice_line_ids": [Command.create({**line, "price_unit": number + 1})],
                    }
                    for number in range(INVOICES)
                ]
            ).action_post()

    def change_leads(self):
        with self.sender.committed() as env:
            leads = env["crm.lead"].search(
                [("email_from", "like", "@two.example.com")], limit=CHANGED
            )
            for lead in leads:
                lead.name += " (changed)"

    def test_a_thousand_records_arrive_once_and_equal_whatever_the_line_does(self):
        self.have_leads()
        self.have_invoices()
        self.sender.work()
        self.receiver.work()
        self.change_leads()
        for _round in range(60):
            if not self.sender.work() + self.receiver.work():
                break
        self.assertEqual(self.sender.failures() + self.receiver.failures(), [])
        leads, invoices = self.sender.holdings()
        self.assertEqual((len(leads), len(invoices)), (LEADS, INVOICES))
        self.assertEqual(self.receiver.holdings(), (leads, invoices))
        self.assertGreater(self.line.accidents, 100)

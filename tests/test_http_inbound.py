"""Messages from any system: signed, kept once, and written within what the connection permits."""

import json

from odoo import Command
from odoo.exceptions import ValidationError
from odoo.tests import HttpCase

from ..adapters import standard_webhooks
from .common import StoreCase

SECRET = "whsec_aW52ZW50ZWQgc2VjcmV0IGZvciB0ZXN0cw=="


class TestInbound(StoreCase, HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.system = cls.env["commerce.connection"].create(
            {
                "name": "Help Desk",
                "platform": "http",
                "address": "http://127.0.0.1:1",
                "user_id": cls.env.ref("base.user_admin").id,
                "dry_run": False,
                "http_writable": "res.partner: name, email, country_id, child_ids, parent_id",
            }
        )
        cls.system.set_credentials({"webhook_secret": SECRET})
        cls.system.action_go_live()
        cls.flow = cls.make_flow()

    @classmethod
    def make_flow(cls, *lines):
        return cls.env["commerce.flow"].create(
            {
                "connection_id": cls.system.id,
                "kind": "record",
                "direction": "in",
                "record_label": "People",
                "record_model_id": cls.env["ir.model"]._get("res.partner").id,
                "record_event": "person.changed",
                "mapping_line_ids": [
                    Command.create(line)
                    for line in (
                        {"target": "name", "source": "body.data.name", "required": True},
                        {"target": "email", "source": "body.data.mail || body.data.email"},
                        {"target": "country_id", "source": "body.data.country", "lookup": "code"},
                        *lines,
                    )
                ],
            }
        )

    def post(self, data, identity="msg_1", kind="person.changed"):
        body = json.dumps({"type": kind, "data": data}).encode()
        answer = self.url_open(
            f"/commerce_sync/webhook/{self.system.webhook_key}",
            data=body,
            headers=standard_webhooks.headers([SECRET], identity, body),
        )
        self.drain()
        self.env.invalidate_all()
        return answer.status_code

    def job(self):
        return self.jobs(("connection_id", "=", self.system.id))[-1]

    def people(self, external_id="P-1"):
        bindings = self.env["commerce.binding"].search(
            [("connection_id", "=", self.system.id), ("external_id", "=", external_id)]
        )
        return self.env["res.partner"].browse(bindings.mapped("res_id"))

    def test_a_message_makes_a_record_and_a_later_one_changes_it(self):
        self.assertEqual(self.post({"id": "P-1", "name": "Ada", "country": "FR"}), 200)
        partner = self.people()
        self.assertEqual((partner.name, partner.country_id.code), ("Ada", "FR"))
        self.post({"id": "P-1", "name": "Ada L.", "mail": "ada@example.com"}, "msg_2")
        self.assertEqual(self.people(), partner)
        self.assertEqual((partner.name, partner.email), ("Ada L.", "ada@example.com"))

    def test_the_same_message_twice_is_worked_off_once(self):
        for _time in range(2):
            self.assertEqual(self.post({"id": "P-1", "name": "Ada"}), 200)
        self.assertEqual(len(self.jobs(("connection_id", "=", self.system.id))), 1)

    def test_what_is_missing_is_said_in_words(self):
        self.post({"id": "P-1", "country": "Atlantis"})
        self.assertEqual((self.job().state, self.job().error_kind), ("failed", "validation"))
        self.assertEqual(
            self.job().error_message,
            "Cannot import People P-1 from Help Desk (flow 'People'): line 1 'name': is empty, but "
            "required; line 3 'country_id': no records have 'Atlantis'.",
        )
        self.assertFalse(self.people())

    def test_a_message_of_another_type_is_left_alone(self):
        self.assertEqual(self.post({"id": "P-1", "name": "Ada"}, kind="other"), 200)
        self.assertFalse(self.jobs(("connection_id", "=", self.system.id)))

    def test_a_message_that_is_not_signed_is_refused(self):
        path = f"/commerce_sync/webhook/{self.system.webhook_key}"
        self.assertEqual(self.url_open(path, data=b"{}").status_code, 401)

    def test_only_what_the_connection_lists_can_be_mapped(self):
        with self.assertRaisesRegex(ValidationError, "What Messages May Write"):
            self.make_flow({"target": "credit_limit", "source": "body.data.limit"})

    def test_what_is_taken_off_the_list_later_is_not_written(self):
        self.system.http_writable = "res.partner: name"
        self.post({"id": "P-1", "name": "Ada"})
        self.assertIn("may not write res.partner.email", self.job().error_message)
        self.assertFalse(self.people())

    def test_models_that_decide_what_runs_are_never_written(self):
        self.system.http_writable = "ir.actions.server: name, code"
        with self.assertRaisesRegex(ValidationError, "What Messages May Write"):
            self.env["commerce.flow"].create(
                {
                    "connection_id": self.system.id,
                    "kind": "record",
                    "direction": "in",
                    "record_model_id": self.env["ir.model"]._get("ir.actions.server").id,
                    "mapping_line_ids": [Command.create({"target": "code", "source": "body.x"})],
                }
            )

    def test_the_rights_of_the_connections_user_apply(self):
        user = self.env["res.users"].create(
            {
                "name": "Robot",
                "login": "robot",
                "group_ids": [Command.set([self.env.ref("base.group_user").id])],
            }
        )
        self.system.user_id = user
        self.post({"id": "P-1", "name": "Ada"})
        self.assertEqual(self.job().state, "failed")
        self.assertFalse(self.people())

    def test_lines_of_lines_and_links_by_binding(self):
        self.flow.mapping_line_ids.unlink()
        children = [Command.create({"target": "name", "source": "who"})]
        self.flow.mapping_line_ids = [
            Command.create({"target": "name", "source": "body.data.name"}),
            Command.create(
                {"target": "child_ids", "source": "body.data.people", "child_ids": children}
            ),
            Command.create({"target": "parent_id", "source": "body.data.of", "lookup": "binding"}),
        ]
        self.post({"id": "C-1", "name": "Acme", "people": [{"who": "Ada"}, {"who": "Bob"}]})
        acme = self.people("C-1")
        self.assertEqual(set(acme.child_ids.mapped("name")), {"Ada", "Bob"})
        self.post({"id": "P-9", "name": "Cyd", "of": "C-1"}, "msg_2")
        self.assertEqual(self.people("P-9").parent_id, acme)

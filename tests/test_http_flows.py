"""Any record to any system: real requests to a receiver on loopback."""

import json

from odoo import Command
from odoo.exceptions import ValidationError
from odoo.tests import new_test_user

from ..adapters import standard_webhooks
from .common import StoreCase
from .wire import Wire

SECRET = "whsec_aW52ZW50ZWQgc2VjcmV0IGZvciB0ZXN0cw=="


def answer(data, status="200 OK"):
    body = json.dumps(data).encode()
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


class HttpCase(StoreCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.system = cls.env["commerce.connection"].create(
            {
                "name": "Newsletter",
                "platform": "http",
                "address": "http://127.0.0.1:1",
                "user_id": cls.env.ref("base.user_admin").id,
                "dry_run": False,
                "timeout": 5,
            }
        )
        cls.system.action_go_live()

    def setUp(self):
        super().setUp()
        self.replies = []
        self.wire = Wire(lambda *_: self.replies.pop(0) if self.replies else answer({"id": 7}))
        self.enterContext(self.wire)
        self.system.address = self.wire.url

    def make_flow(self, lines, **values):
        return self.env["commerce.flow"].create(
            {
                "connection_id": self.system.id,
                "kind": "record",
                "record_label": "Contacts",
                "record_model_id": self.env["ir.model"]._get("res.partner").id,
                "record_path": "/contacts",
                "record_answer_id": "body.id",
                "domain": "[('comment', 'ilike', 'in the test')]",
                "mapping_line_ids": [Command.create(line) for line in lines],
                **values,
            }
        )

    def make_partner(self, name, **values):
        return self.env["res.partner"].create(
            {"name": name, "comment": "in the test", "email": f"{name}@example.com", **values}
        )

    def bodies(self):
        return [asked.json() for asked in self.wire.asked]


NAME = {"target": "name", "source": "name", "required": True}
EMAIL = {"target": "contact.email", "source": "email", "required": True}


class TestOutbound(HttpCase):
    def test_a_change_is_sent_and_the_external_id_is_kept(self):
        self.make_flow(
            [NAME, EMAIL],
            record_update_method="PATCH",
            record_update_path="/contacts/{external_id}",
        )
        partner = self.make_partner("ada")
        self.drain()
        self.assertEqual(self.bodies(), [{"name": "ada", "contact": {"email": "ada@example.com"}}])
        self.assertEqual(self.system._bindings("record", partner)[partner.id].external_id, "7")
        partner.function = "not mapped"
        self.drain()
        self.assertEqual(len(self.wire.asked), 1)
        partner.name = "lovelace"
        self.drain()
        last = self.wire.asked[-1]
        self.assertEqual((last.method, last.path), ("PATCH", "/contacts/7"))

    def test_a_stored_computed_field_is_a_change_too(self):
        self.make_flow([{"target": "full", "source": "complete_name"}])
        partner = self.make_partner("ada")
        self.drain()
        partner.name = "lovelace"
        self.drain()
        self.assertEqual([body["full"] for body in self.bodies()], ["ada", "lovelace"])

    def test_a_mapping_error_names_flow_line_record_and_field(self):
        flow = self.make_flow([NAME, EMAIL])
        partner = self.make_partner("ada", email=False)
        self.drain()
        job = self.jobs(("flow_id", "=", flow.id))
        self.assertEqual((job.state, job.error_kind), ("failed", "validation"))
        self.assertEqual(
            job.error_message,
            "Cannot send Contact 'ada' to Newsletter (flow 'Contacts'): line 2 'contact.email' "
            "(email): is empty, but required.",
        )
        self.assertFalse(self.wire.asked)
        partner.email = "ada@example.com"
        self.drain()
        self.assertEqual(len(self.wire.asked), 1)

    def test_an_answer_of_200_with_an_error_in_it_is_no_success(self):
        flow = self.make_flow(
            [NAME], record_success="body.ok", record_answer_message="body.error.text"
        )
        self.replies = [answer({"ok": False, "error": {"text": "The list is full"}})]
        self.make_partner("ada")
        self.drain()
        job = self.jobs(("flow_id", "=", flow.id))
        self.assertEqual((job.state, job.error_kind), ("failed", "rejected"))
        self.assertIn("The list is full", job.error_message)

    def test_a_batch_is_one_request_and_one_bad_record_fails_alone(self):
        flow = self.make_flow([NAME], record_batch=10, record_batch_key="rows", record_answer_id="")
        self.wire.reply = lambda asked, _connection: (
            answer({"message": "no bob"}, "422 Unprocessable")
            if any(row["name"] == "bob" for row in asked.json()["rows"])
            else answer({})
        )
        for name in ("ada", "bob", "cyd", "dan"):
            self.make_partner(name)
        self.drain()
        jobs = self.jobs(("flow_id", "=", flow.id))
        states = {job.document.split("'")[1]: job.state for job in jobs}
        self.assertEqual(states, {"ada": "done", "bob": "failed", "cyd": "done", "dan": "done"})
        self.assertEqual(len(self.bodies()[0]["rows"]), 4)

    def test_lines_of_records_types_formats_defaults_and_expressions(self):
        company = self.make_partner("acme", is_company=True)
        self.make_partner("ada", parent_id=company.id, comment=False)
        flow = self.make_flow(
            [
                NAME,
                {"target": "made", "source": "create_date", "value_type": "date", "format": "%Y"},
                {"target": "lang", "source": "ref", "default_value": "none"},
                {
                    "target": "kind",
                    "source_type": "constant",
                    "source": "3",
                    "value_type": "integer",
                },
                {
                    "target": "greeting",
                    "source_type": "expression",
                    "source": "join(' ', ['Dear', name])",
                },
                {
                    "target": "people",
                    "source": "child_ids",
                    "child_ids": [Command.create({"target": "who", "source": "name"})],
                },
            ]
        )
        flow._enqueue_due(company.ids)
        self.drain()
        [body] = self.bodies()
        self.assertEqual(body["greeting"], "Dear acme")
        self.assertEqual(body["people"], [{"who": "ada"}])
        self.assertEqual((body["lang"], body["kind"]), ("none", 3))
        self.assertEqual(body["made"], str(company.create_date.year))

    def test_each_event_is_sent_where_it_is_asked_for(self):
        self.make_flow([NAME], record_each=True, trigger="change")
        partner = self.make_partner("ada")
        self.flush()
        partner.name = "b"
        self.flush()
        partner.name = "c"
        self.drain()
        self.drain()
        self.drain()
        self.assertEqual([body["name"] for body in self.bodies()], ["ada", "b", "c"])
        self.assertEqual(set(self.jobs().mapped("event")), {False})

    def test_an_event_is_sent_as_it_was_also_when_its_record_has_gone_wrong_since(self):
        self.make_flow([NAME, EMAIL], record_each=True, trigger="change")
        partner = self.make_partner("ada")
        self.flush()
        partner.email = False
        self.drain()
        self.assertEqual(self.bodies(), [{"name": "ada", "contact": {"email": "ada@example.com"}}])
        self.drain()
        self.assertEqual(self.jobs()[-1].state, "failed")

    def test_an_event_that_cannot_be_read_leaves_the_business_alone(self):
        self.system.user_id = new_test_user(self.env, "nobody", "base.group_portal")
        flow = self.make_flow([NAME], record_each=True, trigger="change")
        partner = self.make_partner("ada")
        self.flush()
        self.assertTrue(partner.exists())
        self.drain()
        self.assertEqual(self.jobs(("flow_id", "=", flow.id)).state, "failed")

    def test_a_field_that_is_not_there_is_refused_when_it_is_typed(self):
        with self.assertRaisesRegex(ValidationError, "no field 'emial'"):
            self.make_flow([{"target": "x", "source": "emial"}])
        with self.assertRaisesRegex(ValidationError, "no JMESPath"):
            self.make_flow([{"target": "x", "source_type": "expression", "source": "a[["}])

    def test_the_preview_shows_what_would_travel(self):
        flow = self.make_flow([NAME])
        partner = self.make_partner("ada")
        flow.record_preview_id = partner.id
        self.assertEqual(json.loads(flow.record_preview), {"name": "ada"})

    def test_a_schedule_sends_all_whether_or_not_they_changed(self):
        flow = self.make_flow([NAME], trigger="schedule")
        self.make_partner("ada")
        self.drain()
        self.assertFalse(self.wire.asked)
        for _day in range(2):
            flow.last_sweep = False
            self.env["commerce.flow"]._cron_sweep()
            self.drain()
        self.assertEqual(len(self.wire.asked), 2)


class TestSignedEvents(HttpCase):
    def setUp(self):
        super().setUp()
        self.system.http_auth = "standard_webhooks"
        self.system.set_credentials({"signing_secret": SECRET})

    def test_an_event_is_signed_and_a_rotated_secret_signs_beside_the_old_one(self):
        self.make_flow([NAME], record_event="contact.made", trigger="created")
        self.make_partner("ada")
        self.drain()
        asked = self.wire.asked[0]
        self.assertTrue(standard_webhooks.verify(asked.headers_as_sent, asked.body, [SECRET]))
        self.assertEqual(asked.json()["type"], "contact.made")
        self.system.action_rotate_signing_secret()
        self.make_partner("bob")
        self.drain()
        asked = self.wire.asked[1]
        self.assertEqual(len(asked.headers_as_sent["webhook-signature"].split()), 2)
        self.assertTrue(standard_webhooks.verify(asked.headers_as_sent, asked.body, [SECRET]))

    def test_another_try_is_the_same_message_unless_the_record_changed_since(self):
        self.make_flow([NAME], record_event="contact.made")
        partner = self.make_partner("ada")
        self.replies = [answer({}, "503 Service Unavailable")] * 2
        for name in ("ada", "ada", "lovelace"):
            partner.name = name
            self.be_due()
            self.drain()
        first, again, newer = (asked.headers_as_sent["webhook-id"] for asked in self.wire.asked)
        self.assertEqual(first, again)
        self.assertNotEqual(first, newer)

    def test_410_switches_the_flow_off_with_a_notice(self):
        flow = self.make_flow([NAME], record_event="contact.made")
        self.replies = [answer({}, "410 Gone")]
        self.make_partner("ada")
        self.drain()
        self.env.invalidate_all()
        self.assertFalse(flow.active)
        self.assertIn("wants no more messages", self.system.message_ids[0].body)


class TestServerAction(HttpCase):
    def test_a_server_action_sends_its_records(self):
        flow = self.make_flow([NAME], trigger="action")
        partner = self.make_partner("ada")
        self.drain()
        self.assertFalse(self.wire.asked)
        action = self.env["ir.actions.server"].create(
            {
                "name": "Send to the newsletter",
                "model_id": flow.record_model_id.id,
                "state": "commerce_sync",
                "commerce_flow_id": flow.id,
            }
        )
        action.with_context(active_model="res.partner", active_ids=partner.ids).run()
        self.drain()
        self.assertEqual(self.bodies(), [{"name": "ada"}])

    def test_developers_enqueue_records(self):
        flow = self.make_flow([NAME], trigger="manual")
        partner = self.make_partner("ada")
        self.assertEqual(len(flow.enqueue(partner.ids)), 1)
        self.drain()
        self.assertEqual(self.bodies(), [{"name": "ada"}])

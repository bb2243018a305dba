"""What sets a flow of any record off, and what it costs those that have none."""

import json
from datetime import timedelta

from odoo import Command, fields
from odoo.tests import tagged

from .test_http_flows import NAME, HttpCase
from .test_rpc import PASSWORD, OutsideCase


class TestTriggers(HttpCase):
    def setUp(self):
        super().setUp()
        self.flow = self.make_flow([NAME], trigger="action")

    def action_values(self):
        return {
            "name": "Send",
            "model_id": self.flow.record_model_id.id,
            "state": "commerce_sync",
            "commerce_flow_id": self.flow.id,
        }

    def test_an_automation_rule_sends_what_it_is_about(self):
        if "base.automation" not in self.env:
            self.skipTest("base_automation is not installed")
        self.env["base.automation"].create(
            {
                "name": "Send people",
                "model_id": self.flow.record_model_id.id,
                "trigger": "on_create_or_write",
                "filter_domain": "[('function', '=', 'Poet')]",
                "action_server_ids": [Command.create(self.action_values())],
            }
        )
        self.make_partner("bob")
        partner = self.make_partner("ada")
        self.drain()
        self.assertFalse(self.wire.asked)
        partner.function = "Poet"
        self.drain()
        self.assertEqual(self.bodies(), [{"name": "ada"}])

    def test_the_action_menu_sends_what_is_chosen(self):
        action = self.env["ir.actions.server"].create(self.action_values())
        action.create_action()
        bound = self.env["ir.actions.actions"].get_bindings("res.partner")["action"]
        self.assertIn(action.id, [one["id"] for one in bound])
        chosen = self.make_partner("ada") + self.make_partner("bob")
        self.make_partner("cyd")
        action.with_context(
            active_model="res.partner", active_ids=chosen.ids, active_id=chosen[0].id
        ).run()
        self.drain()
        self.assertEqual({body["name"] for body in self.bodies()}, {"ada", "bob"})

    def test_a_scheduled_action_sends_all_of_the_filter(self):
        self.make_partner("ada")
        self.make_partner("bob", comment=False)
        cron = self.env["ir.cron"].create(
            {**self.action_values(), "interval_number": 1, "interval_type": "days"}
        )
        self.drain()
        for _day in range(2):
            cron.ir_actions_server_id.run()
            self.drain()
        self.assertEqual(self.bodies(), [{"name": "ada"}] * 2)

    def test_the_set_up_asks_for_what_this_platform_has(self):
        self.system.http_auth = "bearer"
        steps = {step["key"]: step["done"] for step in self.system._get_steps()}
        self.assertEqual(list(steps), ["credentials", "test", "flows", "live"])
        self.assertFalse(steps["credentials"])
        self.system.set_credentials({"token": "invented"})
        self.assertTrue(self.system._get_steps()[0]["done"])
        offered = self.system.action_step("flows")
        self.assertEqual(offered["res_model"], "commerce.flow.template")

    def test_a_model_that_no_flow_watches_costs_no_query(self):
        tag = self.env["res.partner.category"].create({"name": "Before"})
        self.env["commerce.flow"]._watched()
        counts = []
        for trigger in ("action", "change"):  # the flow watches contacts, then too
            self.flow.trigger = trigger
            self.flush()
            self.env["commerce.flow"]._watched()
            before = self.env.cr.sql_log_count
            tag.name = trigger
            self.env.flush_all()
            self.env["res.partner.category"].create({"name": f"new {trigger}"})
            self.env.flush_all()
            counts.append(self.env.cr.sql_log_count - before)
        self.assertEqual(counts[0], counts[1])
        self.assertFalse(self.env.cr.precommit.data.get("commerce_sync.records"))


@tagged("post_install", "-at_install")
class TestEnqueueFromOutside(HttpCase, OutsideCase):
    def test_records_are_enqueued_over_xml_rpc_and_json_2(self):
        flow = self.make_flow([NAME], trigger="manual")
        ada, bob = self.make_partner("ada"), self.make_partner("bob")
        self.flush()
        user = self.users["outside_user"]
        first = self.xmlrpc_object.execute_kw(
            self.env.cr.dbname,
            user.id,
            PASSWORD,
            "commerce.flow",
            "enqueue",
            [[flow.id], ada.ids],
        )
        key = (
            user.env["res.users.apikeys"]
            .with_user(user)
            ._generate("rpc", "of the tests", fields.Datetime.now() + timedelta(days=1))
        )
        second = self.url_open(
            "/json/2/commerce.flow/enqueue",
            data=json.dumps({"ids": flow.ids, "record_ids": bob.ids}),
            headers={"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
        ).json()
        self.env.invalidate_all()
        self.assertEqual(self.jobs(("flow_id", "=", flow.id)).ids, first + second)
        self.drain()
        self.assertEqual({body["name"] for body in self.bodies()}, {"ada", "bob"})

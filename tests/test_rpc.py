"""The installed addon, driven from outside: XML-RPC and JSON-2 with a bearer key."""

import json
from datetime import timedelta
from xmlrpc.client import Fault

from odoo.tests import HttpCase, new_test_user, tagged
from odoo.tools import mute_logger

from .common import StoreCase

PASSWORD = "invented-password"


class OutsideCase(StoreCase, HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.users = {
            login: new_test_user(cls.env, login, groups, password=PASSWORD)
            for login, groups in {
                "outside_user": "commerce_sync.group_user",
                "outside_manager": "commerce_sync.group_manager",
                "outside_plain": "base.group_user",
                "outside_portal": "base.group_portal",
            }.items()
        }

    def drain(self, **kwargs):
        drained = super().drain(**kwargs)
        self.env.invalidate_all()  # a HttpCase does not, after working with other cursors
        return drained

    def fail_a_job(self):
        """A product without SKU, whose stock could not be sent."""
        product = self.make_product("MUG-B")
        self.publish(product)
        product.default_code = False
        self.set_stock(product, 7)
        self.drain()
        self.assertEqual(self.jobs().state, "failed")
        return product, self.jobs()

    def assertPlain(self, value):
        """What every RPC can carry."""
        if isinstance(value, dict):
            self.assertTrue(all(isinstance(key, str) for key in value))
            value = list(value.values())
        if isinstance(value, list):
            for item in value:
                self.assertPlain(item)
        else:
            self.assertIsInstance(value, (str, int, float, bool))


@tagged("post_install", "-at_install")
class TestXmlRpc(OutsideCase):
    def call(self, login, model, method, *args, **kwargs):
        uid = self.users[login].id
        database = self.env.cr.dbname
        try:
            return self.xmlrpc_object.execute_kw(
                database, uid, PASSWORD, model, method, args, kwargs
            )
        finally:
            self.env.invalidate_all()

    def test_a_failed_job_is_found_and_sent_again(self):
        product, job = self.fail_a_job()
        (found,) = self.call(
            "outside_user",
            "commerce.job",
            "search_read",
            [("state", "=", "failed")],
            ["name", "error_kind", "error_message", "error_hint", "connection_id"],
        )
        self.assertEqual(found["id"], job.id)
        self.assertEqual(found["error_kind"], "validation")
        self.assertIn("has no SKU", found["error_message"])
        self.assertEqual(
            found["error_hint"], "Set the product's Internal Reference, then press Resend."
        )
        self.assertEqual(found["connection_id"], [self.connection.id, "Demo Store"])
        product.default_code = "MUG-B"
        self.assertEqual(self.call("outside_user", "commerce.job", "action_resend", [job.id]), 1)
        self.drain()
        self.assertEqual(job.state, "done")
        self.assertEqual(self.store_stock(), {"MUG-B": 7})

    def test_stock_is_enqueued(self):
        product = self.make_product("MUG-B")
        self.publish(product)
        flow_id = self.inventory_flow.id
        job_ids = self.call("outside_user", "commerce.flow", "enqueue", [flow_id], [product.id])
        self.assertEqual(job_ids, self.jobs().ids)
        unbound = self.make_product("MUG-C")
        again = self.call(
            "outside_user",
            "commerce.flow",
            "enqueue",
            [flow_id],
            record_ids=[product.id, unbound.id],
            operation="push",
            force=True,
        )
        self.assertEqual(again, job_ids)

    def test_the_health_of_the_connections_is_told(self):
        self.fail_a_job()
        for state in ("live", "paused"):
            with self.subTest(state=state):
                (status,) = self.call(
                    "outside_user", "commerce.connection", "sync_status", self.connection.ids
                )
                self.assertPlain(status)
                self.assertEqual(status["id"], self.connection.id)
                self.assertEqual(status["failed"], 1)
            self.connection.action_pause()
        self.assertEqual(status["health"], "paused")

    def test_every_public_result_can_be_carried(self):
        _product, job = self.fail_a_job()
        for model, method, ids, *args in (
            ("commerce.job", "action_open_record", job.ids),
            ("commerce.job", "action_resend", job.ids),
            ("commerce.job", "action_cancel", job.ids),
            ("commerce.attempt", "action_open_record", self.attempts().ids),
            ("commerce.connection", "set_credentials", self.connection.ids, {"consumer_key": "x"}),
            ("commerce.connection", "action_test", self.connection.ids),
            ("commerce.connection", "action_pause", self.connection.ids),
            ("commerce.connection", "action_resume", self.connection.ids),
            ("commerce.connection", "action_go_live", self.connection.ids),
            ("commerce.connection", "action_view_failed", self.connection.ids),
            ("commerce.connection", "action_view_jobs", self.connection.ids),
            ("commerce.connection", "sync_status", self.connection.ids),
            ("commerce.flow", "action_sync_now", self.inventory_flow.ids),
            ("commerce.flow", "action_view_jobs", self.inventory_flow.ids),
            ("product.product", "action_commerce_push_inventory", [job.res_id]),
        ):
            with self.subTest(method=method):
                result = self.call("outside_manager", model, method, ids, *args)
                self.assertIsNotNone(result)

    def test_every_record_can_be_carried_with_all_its_fields(self):
        self.fail_a_job()
        self.make_bound_and_send()
        names = [name for name in self.env if name.startswith("commerce.")]
        for model in (name for name in names if not self.env[name]._abstract):
            with self.subTest(model=model):
                ids = self.env[model].search([]).ids
                self.assertEqual(len(self.call("outside_manager", model, "read", ids)), len(ids))

    def make_bound_and_send(self):
        product = self.make_product("MUG-C")
        self.publish(product)
        self.set_stock(product, 3)
        self.drain()

    def test_no_secret_comes_out(self):
        for method, args in (
            ("read", [self.connection.credential_ids.ids]),
            ("search_read", [[]]),
            ("web_read", [self.connection.credential_ids.ids, {"value": {}, "storage": {}}]),
        ):
            got = self.call("outside_manager", "commerce.credential", method, *args)
            self.assertNotIn(self.store.secret, repr(got))
            self.assertNotIn(self.store.key, repr(got))
            self.assertEqual({one["storage"] for one in got}, {"plain", "none"})

    @mute_logger("odoo.http", "odoo.addons.base.models.ir_rule", "odoo.models")
    def test_who_may_not_cannot(self):
        _product, job = self.fail_a_job()
        credentials = self.connection.credential_ids.ids
        everybody = tuple(self.users)
        outsiders = ("outside_plain", "outside_portal")
        for logins, model, method, *args in (
            (outsiders, "commerce.job", "search_read", []),
            (outsiders, "commerce.job", "action_resend", job.ids),
            (outsiders, "commerce.job", "action_cancel", job.ids),
            (outsiders, "commerce.flow", "enqueue", self.inventory_flow.ids, [job.res_id]),
            (outsiders, "commerce.connection", "sync_status", self.connection.ids),
            (outsiders, "commerce.connection", "action_test", self.connection.ids),
            (outsiders, "product.product", "action_commerce_push_inventory", [job.res_id]),
            (("outside_user",), "commerce.job", "action_cancel", job.ids),
            (("outside_user",), "commerce.credential", "search_read", []),
            (("outside_user",), "commerce.connection", "write", self.connection.ids, {"name": "x"}),
            (("outside_user",), "commerce.connection", "set_credentials", self.connection.ids, {}),
            (("outside_user",), "commerce.attempt", "read", self.attempts().ids, ["traceback"]),
            (everybody, "commerce.credential", "_reveal", credentials),
            (everybody, "commerce.credential", "_keep", credentials, "x"),
            (everybody, "commerce.connection", "_get_adapter", self.connection.ids),
            (everybody, "commerce.connection", "_pause", self.connection.ids, "person", "x"),
            (everybody, "commerce.job", "_wake"),
            (everybody, "commerce.job", "write", job.ids, {"state": "done"}),
            (everybody, "commerce.job", "create", {}),
            (everybody, "commerce.attempt", "unlink", self.attempts().ids),
        ):
            for login in logins:
                with self.subTest(user=login, method=f"{model}.{method}"):
                    with self.assertRaises(Fault) as caught:
                        self.call(login, model, method, *args)
                    self.assertNotIn("Traceback", caught.exception.faultString)
        self.assertEqual(job.state, "failed")


@tagged("post_install", "-at_install")
class TestJson2(OutsideCase):
    """``POST /json/2/<model>/<method>`` with an API key."""

    def setUp(self):
        super().setUp()
        self.keys = {
            login: user.env["res.users.apikeys"]
            .with_user(user)
            ._generate("rpc", "of the tests", self.env.cr.now() + timedelta(days=1))
            for login, user in self.users.items()
            if login != "outside_portal"
        }

    def call(self, login, path, **body):
        headers = {
            "Authorization": f"Bearer {self.keys[login]}",
            "Content-Type": "application/json",
        }
        answer = self.url_open(f"/json/2/{path}", data=json.dumps(body), headers=headers)
        self.env.invalidate_all()
        return answer

    def test_a_failed_job_is_found_and_sent_again(self):
        product, job = self.fail_a_job()
        answer = self.call(
            "outside_user",
            "commerce.job/search_read",
            domain=[["state", "=", "failed"]],
            fields=["name", "error_message", "error_hint"],
        )
        self.assertEqual(answer.status_code, 200, answer.text)
        (found,) = answer.json()
        self.assertEqual(found["id"], job.id)
        self.assertIn("has no SKU", found["error_message"])
        product.default_code = "MUG-B"
        answer = self.call("outside_user", "commerce.job/action_resend", ids=job.ids)
        self.assertEqual((answer.status_code, answer.json()), (200, 1))
        self.drain()
        self.assertEqual(job.state, "done")

    def test_stock_is_enqueued(self):
        product = self.make_product("MUG-B")
        self.publish(product)
        answer = self.call(
            "outside_user",
            "commerce.flow/enqueue",
            ids=self.inventory_flow.ids,
            record_ids=product.ids,
            force=True,
        )
        self.assertEqual((answer.status_code, answer.json()), (200, self.jobs().ids))

    def test_the_health_of_the_connections_is_told(self):
        answer = self.call(
            "outside_user", "commerce.connection/sync_status", ids=self.connection.ids
        )
        (status,) = answer.json()
        self.assertPlain(status)
        self.assertEqual(status["health"], "healthy")

    def test_no_secret_comes_out(self):
        ids = self.connection.credential_ids.ids
        fields = ["label", "value", "storage"]
        for path, body in (
            ("commerce.credential/read", {"ids": ids}),
            ("commerce.credential/search_read", {"domain": [], "fields": fields}),
            ("commerce.credential/export_data", {"ids": ids, "fields_to_export": fields}),
        ):
            with self.subTest(path=path):
                self.env.ref("base.group_allow_export").user_ids |= self.users["outside_manager"]
                answer = self.call("outside_manager", path, **body)
                self.assertEqual(answer.status_code, 200, answer.text)
                self.assertIn("Consumer Secret", answer.text)
                self.assertNotIn(self.store.secret, answer.text)

    def test_a_manager_cancels(self):
        _product, job = self.fail_a_job()
        answer = self.call("outside_manager", "commerce.job/action_cancel", ids=job.ids)
        self.assertEqual((answer.status_code, answer.json()), (200, 1))
        self.assertEqual(job.state, "cancelled")

    @mute_logger("odoo.http", "odoo.addons.base.models.ir_rule")
    def test_who_may_not_cannot(self):
        _product, job = self.fail_a_job()
        for login, path, ids in (
            ("outside_plain", "commerce.job/search_read", ()),
            ("outside_plain", "commerce.job/action_resend", job.ids),
            ("outside_user", "commerce.job/action_cancel", job.ids),
            ("outside_user", "commerce.connection/action_test", self.connection.ids),
            ("outside_manager", "commerce.credential/_reveal", ()),
            ("outside_manager", "commerce.job/unknown_method", ()),
        ):
            with self.subTest(user=login, path=path):
                answer = self.call(login, path, **({"ids": ids} if ids else {}))
                self.assertIn(answer.status_code, (403, 404))
        self.assertEqual(job.state, "failed")

    @mute_logger("odoo.http")
    def test_without_a_key_nothing_is_told(self):
        self.keys["outside_user"] = "0" * 40
        answer = self.call("outside_user", "commerce.job/search_read")
        self.assertEqual(answer.status_code, 401)

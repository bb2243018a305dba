"""Who may not, cannot: groups, companies, and what can be called from outside."""

import inspect

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.models import BaseModel
from odoo.service.model import call_kw, get_public_method
from odoo.tests import Form, new_test_user
from odoo.tools import mute_logger

from .common import StoreCase

ADDON = __name__.partition(".tests")[0]
#: Seen by managers only.
MANAGERS_ONLY = (
    "commerce.credential",
    "commerce.matching",
    "commerce.matching.line",
    "commerce.reconciliation.seen",
)
#: What only managers may read of a model that users see.
MANAGERS_FIELDS = {
    "commerce.attempt": ("request_summary", "response_summary", "traceback"),
    "commerce.connection": ("webhook_key", "webhook_url", "credential_ids"),
    "commerce.sync.state": ("content",),
    "commerce.webhook.event": ("body",),
}
#: model -> the methods of ours that RPC may call. A new one is added here on purpose or not at all.
PUBLIC = {
    "commerce.connection": {
        "action_check_subscriptions",
        "action_rotate_webhook_secret",
        "action_subscribe",
        "action_forget_previous_secret",
        "action_forget_refusals",
        "action_renew_webhook_key",
        "action_go_live",
        "action_pause",
        "action_preview",
        "action_reconcile",
        "action_resume",
        "action_step",
        "action_rotate_signing_secret",
        "action_sync_now",
        "action_test",
        "action_view_failed",
        "action_view_jobs",
        "action_view_problems",
        "action_view_reconciliations",
        "import_flow",
        "set_credentials",
        "sync_status",
    },
    "commerce.flow": {
        "action_poll",
        "action_preview",
        "action_preview_documents",
        "action_reconcile",
        "action_sync_now",
        "action_view_jobs",
        "enqueue",
        "action_export_config",
        "export_config",
    },
    "commerce.reconciliation": {
        "action_again",
        "action_repair_all",
        "action_stop",
        "action_view_lines",
    },
    "commerce.reconciliation.line": {
        "action_bind",
        "action_ignore",
        "action_open_record",
        "action_preview_repair",
        "action_pull",
        "action_push",
        "action_reopen",
        "action_repair",
        "action_unbind",
    },
    "commerce.job": {
        "action_cancel",
        "action_correct",
        "action_decide",
        "action_match_again",
        "action_open_record",
        "action_resend",
        "action_resend_now",
        "action_unbind",
        "action_view_attempts",
        "action_view_event",
    },
    "commerce.problem": {
        "action_cancel",
        "action_open_document",
        "action_resend",
        "action_resend_all",
        "action_take_on",
        "action_view_jobs",
    },
    "commerce.attempt": {"action_open_record"},
    "commerce.binding": {"action_open_record"},
    "commerce.run": {"action_stop", "action_view_jobs"},
    "commerce.webhook.event": {"action_replay", "action_view_jobs"},
    "commerce.matching": {"action_confirm", "action_read"},
    "commerce.mapping": {"action_read"},
    "product.product": {"action_commerce_push_inventory", "action_commerce_push_prices"},
    "product.template": {"action_commerce_push_inventory", "action_commerce_push_products"},
    "sale.order": {"action_commerce_send"},
    "stock.picking": {"action_commerce_send"},
    "account.move": {"action_commerce_send"},
}
#: Positional arguments of those that need some.
ARGUMENTS = {
    "set_credentials": [{"consumer_key": "ck_x"}],
    "enqueue": [[1]],
    "action_step": ["test"],
    "action_preview_documents": ["product.product", []],
    "import_flow": [{"model": "res.partner", "direction": "out"}],
}
#: What a Commerce User may call of ours.
FOR_USERS = {
    "action_export_config",
    "export_config",
    "action_commerce_push_prices",
    "action_commerce_push_products",
    "action_commerce_push_inventory",
    "action_commerce_send",
    "action_open_record",
    "action_replay",
    "action_open_document",
    "action_resend",
    "action_resend_all",
    "action_resend_now",
    "action_take_on",
    "action_view_attempts",
    "action_view_event",
    "action_view_failed",
    "action_view_jobs",
    "action_view_lines",
    "action_view_problems",
    "action_view_reconciliations",
    "enqueue",
    "sync_status",
}
#: Of a document: for whoever may see it (test_problems).
OF_DOCUMENTS = {
    "get_document_history",
    "get_document_status",
    "open_document_history",
    "resend_document",
}


class SecurityCase(StoreCase):
    """One record of every model in the company of the tests, and users of each kind."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.plain = new_test_user(cls.env, "plain", "base.group_user")
        cls.user = new_test_user(cls.env, "commerce user", "commerce_sync.group_user")
        cls.manager = new_test_user(cls.env, "commerce manager", "commerce_sync.group_manager")
        cls.portal = new_test_user(cls.env, "portal", "base.group_portal")
        cls.public = cls.env.ref("base.public_user")
        cls.records = cls.make_everything(cls.connection, cls.inventory_flow, "MUG-B")

    @classmethod
    def make_everything(cls, connection, flow, sku):
        """A record of each model of ours; ``{model: record}``"""
        product = cls.env["product.product"].create({"name": f"Product {sku}", "default_code": sku})
        binding = cls.env["commerce.binding"].create(
            {
                "connection_id": connection.id,
                "resource": "variant",
                "model": "product.product",
                "res_id": product.id,
                "external_id": "7",
            }
        )
        run = flow._start_run()
        job = cls.env["commerce.job"].search([("run_id", "=", run.id)])
        attempt = cls.env["commerce.attempt"].create(
            {
                "job_id": job.id,
                "flow_id": flow.id,
                "connection_id": connection.id,
                "company_id": connection.company_id.id,
                "state": "failed",
                "request_summary": "what was sent",
                "response_summary": "what came back",
                "traceback": "where it broke",
            }
        )
        state = cls.env["commerce.sync.state"].create(
            {
                "flow_id": flow.id,
                "model": "product.product",
                "res_id": product.id,
                "content": {"levels": [3]},
            }
        )
        matching = cls.env["commerce.matching"].create({"connection_id": connection.id})
        line = cls.env["commerce.matching.line"].create(
            {"matching_id": matching.id, "status": "missing_here", "external_id": "8"}
        )
        event = cls.env["commerce.webhook.event"].create(
            {
                "connection_id": connection.id,
                "company_id": connection.company_id.id,
                "identity": "one",
                "source": "webhook",
                "body": b"an invented order",
            }
        )
        problem = cls.env["commerce.problem"].create(
            {"connection_id": connection.id, "key": "validation:1", "name": "No SKU"}
        )
        reconciliation = cls.env["commerce.reconciliation"].create({"flow_id": flow.id})
        difference = cls.env["commerce.reconciliation.line"].create(
            {
                "reconciliation_id": reconciliation.id,
                "status": "different",
                "model": product._name,
                "res_id": product.id,
                "owner": "odoo",
                "repair": "push",
            }
        )
        seen = cls.env["commerce.reconciliation.seen"].create(
            {"reconciliation_id": reconciliation.id, "external_id": "7"}
        )
        made = (reconciliation, difference, seen)
        made += (
            problem,
            connection,
            flow,
            binding,
            run,
            job,
            attempt,
            state,
            matching,
            line,
            event,
        )
        made += (connection.credential_ids[0], connection.traffic_ids)
        made += (cls.env["commerce.mapping.line"].create({"flow_id": flow.id, "target": "name"}),)
        made += (
            cls.env["commerce.mapping"].create(
                {
                    "connection_id": connection.id,
                    "resource": "tax",
                    "name": "VAT 20%",
                    "external_id": "1",
                }
            ),
        )
        made += (
            cls.env["commerce.webhook.refusal"].create(
                {"connection_id": connection.id, "reason": "signature", "count": 1}
            ),
        )
        return {record._name: record for record in made}

    def models_of_ours(self):
        # wizards are their maker's own
        return {
            name
            for name, model in self.env.items()
            if name.startswith("commerce.") and not model._transient and not model._abstract
        }


class TestAccess(SecurityCase):
    def test_every_model_is_examined_here(self):
        self.assertEqual(set(self.records), self.models_of_ours())

    def test_a_user_without_group_sees_nothing(self):
        for outsider in (self.plain, self.portal, self.public):
            for name, record in self.records.items():
                with self.subTest(user=outsider.login, model=name):
                    self.assertCannot(outsider, record, "read", "write", "create", "unlink")

    def assertCannot(self, user, record, *operations):
        record = record.with_user(user)
        for operation in operations:
            self.assertFalse(record.has_access(operation), operation)
        if "read" in operations:
            with self.assertRaises(AccessError):
                record.browse().search_read([], ["id"])
            with self.assertRaises(AccessError):
                record.read(["id"])
        with self.assertRaises(AccessError):
            record.browse().create({})

    def test_a_commerce_user_sees_everything_but_what_is_for_managers(self):
        for name, record in self.records.items():
            with self.subTest(model=name):
                seen = record.with_user(self.user).has_access("read")
                self.assertEqual(seen, name not in MANAGERS_ONLY)

    def test_a_commerce_user_reads_all_fields_that_a_list_or_form_may_ask_for(self):
        for name in set(self.records) - set(MANAGERS_ONLY):
            with self.subTest(model=name):
                record = self.records[name].with_user(self.user)
                self.env.invalidate_all()
                (values,) = record.read()
                self.assertFalse(values.keys() & MANAGERS_FIELDS.get(name, ()))

    def test_a_commerce_user_configures_nothing(self):
        for name, record in self.records.items():
            with self.subTest(model=name):
                # of a problem they choose who mends it, and no more (test_problems)
                operations = ("write",) if name != "commerce.problem" else ()
                self.assertCannot(self.user, record, *operations, "create", "unlink")

    def test_a_manager_configures(self):
        for name in ("commerce.connection", "commerce.flow", "commerce.binding"):
            record = self.records[name].with_user(self.manager)
            for operation in ("read", "write", "create", "unlink"):
                self.assertTrue(record.has_access(operation), (name, operation))

    def test_nobody_changes_the_queue_or_the_log_by_hand(self):
        for name in (
            "commerce.attempt",
            "commerce.job",
            "commerce.sync.state",
            "commerce.traffic",
            "commerce.webhook.event",
            "commerce.webhook.refusal",
        ):
            with self.subTest(model=name):
                self.assertCannot(self.manager, self.records[name], "write", "create")
        with self.assertRaisesRegex(UserError, "never changed"):
            self.records["commerce.attempt"].write({"state": "done"})
        self.assertCannot(self.manager, self.records["commerce.attempt"], "unlink")

    def test_payloads_are_for_managers(self):
        for name, names in MANAGERS_FIELDS.items():
            for field in names:
                with self.subTest(field=field):
                    record = self.records[name]
                    self.assertTrue(record.with_user(self.manager).read([field])[0][field])
                    self.assertUnreadable(record.with_user(self.user), field)

    def assertUnreadable(self, record, field):
        exporters = self.env.ref("base.group_allow_export")
        exporters.user_ids = [Command.link(record.env.uid)]
        self.env.invalidate_all()
        for ask in (
            lambda: record.read([field]),
            lambda: record.web_read({field: {}}),
            lambda: record[field],
            lambda: record.export_data([field]),
            lambda: record.search([(field, "!=", False)]),
            lambda: record.search([], order=field),
            lambda: record.formatted_read_group([], [field]),
        ):
            with self.assertRaises(AccessError):
                ask()
        self.assertNotIn(field, record.fields_get())

    def test_the_views_open_for_those_who_may_see_them(self):
        for name, record in self.records.items():
            for user in (self.user, self.manager):
                if user == self.user and name in MANAGERS_ONLY:
                    continue
                with self.subTest(model=name, user=user.login):
                    self.env.invalidate_all()
                    self.open_list_and_form(record.with_user(user))

    def open_list_and_form(self, record):
        if not self.env["ir.ui.view"].search_count([("model", "=", record._name)]):
            return
        views = record.browse().get_views([(False, "list"), (False, "search")])
        fields = views["models"][record._name]["fields"]
        record.browse().web_search_read([], {name: {} for name in fields})
        Form(record)

    def bind(self, record, resource, external_id, **vals):
        return self.env["commerce.binding"].create(
            {
                "connection_id": self.connection.id,
                "resource": resource,
                "model": record._name,
                "res_id": record.id,
                "external_id": external_id,
                **vals,
            }
        )

    def test_the_list_of_bindings_opens_for_who_may_not_see_all_the_records(self):
        order = self.env["sale.order"].create(
            {"partner_id": self.env["res.partner"].create({"name": "Invented Person"}).id}
        )
        binding = self.bind(order, "order", "1042", external_ref="1042")
        self.env.invalidate_all()
        self.assertFalse(order.with_user(self.user).has_access("read"))
        bindings = binding.browse().with_user(self.user)
        shown = bindings.web_search_read([], {"record_name": {}, "external_ref": {}})["records"]
        names = {row["id"]: row["record_name"] for row in shown}
        self.assertEqual(names[binding.id], False)
        self.assertTrue(names[self.records["commerce.binding"].id])

    def test_a_binding_made_by_hand_tells_nothing_its_maker_may_not_see(self):
        company = self.env["res.company"].create({"name": "Company B"})
        secret = self.env["product.product"].create(
            {"name": "Next year's mug", "company_id": company.id}
        )
        for record in (secret, self.env["ir.config_parameter"].search([], limit=1)):
            with self.subTest(model=record._name):
                binding = self.bind(record, "variant", f"9-{record._name}")
                self.env.invalidate_all()
                self.assertFalse(binding.with_user(self.manager).record_name)


class TestCalls(SecurityCase):
    """What RPC may call, and who."""

    maxDiff = None

    def own_methods(self, model):
        """Names of the methods that this addon's classes define on a model."""
        own = {}
        for part in self.env.registry[model].mro():
            if part.__module__.startswith(ADDON + "."):
                own |= {name: None for name, value in vars(part).items() if callable(value)}
        inherited = {name for name, _value in inspect.getmembers(BaseModel)}
        return [name for name in own if name not in inherited]

    def public_methods(self, model):
        found = set()
        for name in self.own_methods(model):
            try:
                get_public_method(self.env[model], name)
            except AccessError:
                continue
            found.add(name)
        return found

    def test_only_documented_methods_are_public(self):
        models = self.models_of_ours() | {
            "account.move",
            "product.product",
            "product.template",
            "res.company",
            "sale.order",
            "stock.move",
            "stock.picking",
            "stock.quant",
        }
        found = {model: self.public_methods(model) for model in models}
        found["commerce.flow"] -= OF_DOCUMENTS
        self.assertEqual({model: names for model, names in found.items() if names}, PUBLIC)

    def test_what_touches_secrets_cannot_be_called(self):
        for model, names in {
            "commerce.credential": ("_reveal", "_keep", "_seal", "_open"),
            "commerce.connection": ("_get_adapter", "_get_settings", "_pause", "_line_changed"),
            "commerce.binding": ("_store",),
            "commerce.sync.state": ("_store",),
        }.items():
            record = self.records[model].with_user(self.env.ref("base.user_admin"))
            for name in names:
                with self.subTest(model=model, method=name), self.assertRaises(AccessError):
                    call_kw(record, name, [record.ids], {})

    def record_of(self, model):
        return self.records.get(model) or self.env[model].search([], limit=1)

    def call(self, user, model, name):
        record = self.record_of(model).with_user(user)
        self.env.invalidate_all()
        with mute_logger("odoo.addons.base.models.ir_access", "odoo.http"):
            return call_kw(record, name, [record.ids, *ARGUMENTS.get(name, [])], {})

    def test_a_user_without_group_can_call_nothing(self):
        for outsider in (self.plain, self.portal, self.public):
            for model, names in PUBLIC.items():
                for name in names:
                    shown = {"user": outsider.login, "model": model, "method": name}
                    with self.subTest(**shown), self.assertRaises(AccessError):
                        self.call(outsider, model, name)
        self.assertEqual(self.records["commerce.job"].state, "pending")

    def test_a_commerce_user_can_call_what_sends_again_but_nothing_that_configures(self):
        for model, names in PUBLIC.items():
            for name in names - FOR_USERS:
                with self.subTest(model=model, method=name), self.assertRaises(AccessError):
                    self.call(self.user, model, name)
        self.assertEqual(self.connection.state, "live")
        self.assertEqual(self.records["commerce.job"].state, "pending")

    def test_a_commerce_user_resends_and_enqueues(self):
        job = self.records["commerce.job"].with_user(self.user)
        self.assertEqual(job.action_resend(), 0)  # waits already
        enqueued = self.inventory_flow.with_user(self.user).enqueue([job.res_id], force=True)
        self.assertEqual(enqueued, job.ids)
        self.assertTrue(job.force)

    def test_a_commerce_user_does_not_enqueue_what_he_cannot_read(self):
        flow = self.env["commerce.flow"].create(
            {"connection_id": self.connection.id, "kind": "invoice"}
        )
        move = self.env["account.move"].create({"move_type": "entry"})
        with self.assertRaises(AccessError):
            flow.with_user(self.user).enqueue(move.ids)

    def test_a_manager_cancels(self):
        job = self.records["commerce.job"]
        self.assertEqual(job.with_user(self.manager).action_cancel(), 1)
        self.assertEqual(job.state, "cancelled")

    def test_a_server_action_is_refused_to_those_without_group(self):
        product = self.env["product.product"].search([], limit=1)
        action = self.env.ref("commerce_sync.action_push_inventory_product")
        context = {
            "active_model": product._name,
            "active_id": product.id,
            "active_ids": product.ids,
        }
        with self.assertRaises(AccessError):
            action.with_user(self.plain).with_context(**context).run()
        action.with_user(self.user).with_context(**context).run()


class TestCompanies(SecurityCase):
    """What belongs to one company is not there for the users of another."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company_b = cls.env["res.company"].create({"name": "Company B"})
        cls.connection_b = cls.env["commerce.connection"].create(
            {
                "name": "Store of B",
                "platform": "woocommerce",
                "address": "http://127.0.0.1:1",
                "company_id": cls.company_b.id,
            }
        )
        cls.flow_b = cls.env["commerce.flow"].create(
            {"connection_id": cls.connection_b.id, "kind": "inventory"}
        )
        cls.connection_b.action_go_live()
        cls.records_b = cls.make_everything(cls.connection_b, cls.flow_b, "MUG-C")

    def test_records_of_another_company_are_invisible(self):
        for user in (self.user, self.manager):
            for name, record in self.records_b.items():
                if user == self.user and name in MANAGERS_ONLY:
                    continue
                with self.subTest(user=user.login, model=name):
                    self.assertNotIn(record, record.browse().with_user(user).search([]))
                    self.assertIn(self.records[name], record.browse().with_user(user).search([]))

    def test_records_of_another_company_cannot_be_reached_by_id(self):
        self.env.invalidate_all()
        for name, made in self.records_b.items():
            with self.subTest(model=name):
                record = made.with_user(self.manager)
                for operation in ("read", "write", "unlink"):
                    self.assertFalse(record.has_access(operation), operation)
                with self.assertRaises(AccessError):
                    record.read(["create_date"])
                with self.assertRaises(AccessError):
                    record.web_read({"create_date": {}})

    def test_nothing_of_another_company_can_be_called(self):
        for model, names in PUBLIC.items():
            if model not in self.records_b:
                continue
            for name in names:
                with self.subTest(model=model, method=name):
                    record = self.records_b[model].with_user(self.manager)
                    self.env.invalidate_all()
                    with self.assertRaises(AccessError):
                        call_kw(record, name, [record.ids, *ARGUMENTS.get(name, [])], {})
        self.assertEqual(self.records_b["commerce.job"].state, "pending")

    def test_nothing_can_be_made_in_another_company(self):
        for name, vals in {
            "commerce.connection": {
                "name": "Mine",
                "platform": "woocommerce",
                "address": "http://127.0.0.1:1",
                "company_id": self.company_b.id,
                "user_id": self.env.ref("base.user_root").id,
            },
            "commerce.flow": {"connection_id": self.connection_b.id, "kind": "invoice"},
            "commerce.matching": {"connection_id": self.connection_b.id},
            "commerce.binding": {
                "connection_id": self.connection_b.id,
                "resource": "variant",
                "model": "product.product",
                "res_id": 1,
                "external_id": "9",
            },
        }.items():
            with self.subTest(model=name), self.assertRaises(AccessError):
                self.env[name].with_user(self.manager).create(vals)

    def test_a_connection_is_not_moved_to_a_company_one_does_not_belong_to(self):
        self.connection.user_id = self.env.ref("base.user_root")  # belongs to both
        with self.assertRaises(AccessError):
            self.connection.with_user(self.manager).company_id = self.company_b

    def test_nothing_is_moved_to_the_connection_of_another_company(self):
        self.records_b["commerce.binding"].unlink()
        self.flow_b.unlink()
        for name in ("commerce.flow", "commerce.binding", "commerce.matching"):
            record = self.records[name].with_user(self.manager)
            with self.subTest(model=name), self.assertRaises(AccessError):
                record.connection_id = self.connection_b

    def test_the_user_of_both_companies_sees_both(self):
        self.manager.company_ids = [Command.link(self.company_b.id)]
        both = self.env["commerce.connection"].with_user(self.manager)
        both = both.with_context(allowed_company_ids=(self.env.company | self.company_b).ids)
        self.assertLessEqual(self.connection | self.connection_b, both.search([]))

"""Credentials are written, never read: not by the ORM, not in a copy, not in a log."""

import logging
import os
from unittest.mock import patch

from cryptography.fernet import Fernet
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.service.model import call_kw
from odoo.tests import Form, new_test_user
from odoo.tools import config, mute_logger

from .common import StoreCase

SECRET = "cs_invented_secret_0123456789abcdef"
KEY = Fernet.generate_key().decode()
OTHER_KEY = Fernet.generate_key().decode()


class CredentialCase(StoreCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.manager = new_test_user(cls.env, "commerce manager", "commerce_sync.group_manager")
        cls.exporters = cls.env.ref("base.group_allow_export")
        cls.exporters.user_ids = [Command.link(cls.manager.id)]

    def setUp(self):
        super().setUp()
        self.set_environment(COMMERCE_SYNC_KEY=None)

    def set_environment(self, **values):
        """Variables of the server's environment, for this test; ``None``: not set."""
        self.startPatcher(patch.dict(os.environ))
        for name, value in values.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value

    def credential(self, name="consumer_secret", connection=None):
        connection = connection or self.connection
        return connection.credential_ids.filtered(lambda one: one.name == name)

    def column(self, name="consumer_secret"):
        """What the database holds."""
        self.env.flush_all()
        self.env.cr.execute(
            "SELECT secret FROM commerce_credential WHERE id = %s", [self.credential(name).id]
        )
        return self.env.cr.fetchone()[0]

    def push(self, sku="MUG-B"):
        product = self.make_product(sku)
        self.publish(product)
        self.set_stock(product, 7)
        self.drain()
        return self.jobs(("res_id", "=", product.id))


class TestStorage(CredentialCase):
    def test_without_a_key_the_connection_warns(self):
        self.connection.set_credentials({"consumer_secret": SECRET})
        self.assertEqual(self.credential().storage, "plain")
        self.assertEqual(self.column(), SECRET)
        self.assertTrue(self.connection.unencrypted)

    def test_with_a_key_of_the_environment_the_column_is_encrypted(self):
        self.set_environment(COMMERCE_SYNC_KEY=KEY)
        self.connect(self.connection)
        self.assertNotIn(self.store.secret, self.column())
        self.assertEqual(Fernet(KEY).decrypt(self.column().encode()).decode(), self.store.secret)
        self.assertEqual(self.credential().storage, "encrypted")
        self.assertFalse(self.connection.unencrypted)
        self.assertEqual(self.push().state, "done")

    def test_with_a_key_of_odoo_conf_the_column_is_encrypted(self):
        self.addCleanup(config.options.pop, "commerce_sync_key", None)
        config["commerce_sync_key"] = KEY
        self.connect(self.connection)
        self.assertEqual(Fernet(KEY).decrypt(self.column().encode()).decode(), self.store.secret)
        self.assertFalse(self.connection.unencrypted)
        self.assertEqual(self.push().state, "done")

    def test_a_key_that_is_none_is_refused_in_words(self):
        self.set_environment(COMMERCE_SYNC_KEY="not a key")
        with self.assertRaisesRegex(UserError, "not a Fernet key"):
            self.connection.set_credentials({"consumer_secret": SECRET})

    def test_a_credential_may_stay_in_the_servers_environment(self):
        self.set_environment(COMMERCE_SYNC_DEMO=self.store.secret)
        self.connection.set_credentials({"consumer_secret": "env:COMMERCE_SYNC_DEMO"})
        self.assertEqual(self.credential().storage, "environment")
        self.assertEqual(self.column(), "COMMERCE_SYNC_DEMO")
        self.assertEqual(self.push().state, "done")

    def test_only_variables_meant_for_it_can_be_named(self):
        self.connection.set_credentials({"consumer_secret": SECRET})
        for name in ("HOME", "PGPASSWORD", "COMMERCE_SYNC_KEY"):
            with self.subTest(variable=name), self.assertRaises(UserError):
                self.connection.set_credentials({"consumer_secret": f"env:{name}"})
        self.assertEqual(self.column(), SECRET)

    def test_a_variable_that_is_not_set_pauses_the_connection(self):
        self.set_environment(COMMERCE_SYNC_DEMO=None)
        self.connection.set_credentials({"consumer_secret": "env:COMMERCE_SYNC_DEMO"})
        job = self.push()
        self.assertEqual(self.connection.state, "paused")
        self.assertEqual(
            self.connection.pause_message, "Consumer Secret: COMMERCE_SYNC_DEMO is not set."
        )
        self.assertEqual((job.state, job.attempts), ("pending", 0))

    def test_the_wrong_key_pauses_the_connection_and_loses_nothing(self):
        self.set_environment(COMMERCE_SYNC_KEY=KEY)
        self.connect(self.connection)
        for key in (OTHER_KEY, None, "not a key"):
            with self.subTest(key=key):
                self.set_environment(COMMERCE_SYNC_KEY=key)
                job = self.push(f"MUG-{key}")
                self.assertEqual(self.connection.state, "paused")
                self.assertEqual(self.connection.pause_kind, "authentication")
                self.assertRegex(self.connection.pause_message, "cannot be decrypted|not a Fernet")
                self.assertEqual((job.state, job.attempts), ("pending", 0))
                self.assertFalse(self.store.requests)
                self.set_environment(COMMERCE_SYNC_KEY=KEY)
                self.connection.action_resume()
                self.drain()
                self.assertEqual(job.state, "done")
                self.store.journal.clear()

    def test_a_missing_credential_is_named(self):
        self.connection.set_credentials({"consumer_key": ""})
        self.assertEqual(self.credential("consumer_key").storage, "none")
        message = self.connection.action_test()["params"]["message"]
        self.assertEqual(message, "Not set: Consumer Key. Type it under Credentials.")
        self.push()
        self.assertEqual(self.connection.pause_message, "Not set: Consumer Key.")

    def test_spaces_around_a_pasted_credential_do_not_count(self):
        self.connection.set_credentials({"consumer_secret": f" {SECRET}\n"})
        self.assertEqual(self.column(), SECRET)

    def test_only_credentials_of_the_platform_are_taken(self):
        with self.assertRaisesRegex(UserError, "no credential of this platform"):
            self.connection.set_credentials({"password": "x"})

    def test_only_text_is_taken(self):
        for value in (None, False, 7, ["x"]):
            with self.subTest(value=value), self.assertRaises(UserError):
                self.connection.set_credentials({"consumer_secret": value})


class TestReading(CredentialCase):
    """Each way to read, tried by those who may most."""

    def setUp(self):
        super().setUp()
        self.connection.set_credentials({"consumer_key": SECRET, "consumer_secret": SECRET})
        self.store.journal.clear()

    def readers(self):
        """The credentials as a manager, the administrator and the ORM with all rights see them."""
        credentials = self.connection.credential_ids
        admin = self.env.ref("base.user_admin")
        self.exporters.user_ids = [Command.link(admin.id)]
        return (
            credentials.with_user(self.manager),
            credentials.with_user(admin),
            credentials.sudo(),
        )

    def assertNoSecretIn(self, value):
        self.assertNotIn(SECRET, repr(value))
        self.assertNotIn("invented_secret", repr(value))

    def test_read_gives_no_secret(self):
        for credentials in self.readers():
            self.assertNoSecretIn(credentials.read())
            self.assertNoSecretIn(credentials.read(["value"]))
            self.assertNoSecretIn(credentials.search_read([]))
            self.assertNoSecretIn([one[name] for one in credentials for name in one._fields])
            self.assertNoSecretIn(credentials.copy_data())

    def test_export_gives_no_secret(self):
        for credentials in self.readers():
            names = [name for name in credentials._fields if name != "connection_id"]
            self.assertNoSecretIn(credentials.export_data(names))
            connection = self.connection.with_env(credentials.env)
            paths = [f"credential_ids/{name}" for name in names]
            self.assertNoSecretIn(connection.export_data(paths))

    def test_the_form_gives_no_secret(self):
        shown = {name: {} for name in self.env["commerce.credential"]._fields}
        for credentials in self.readers():
            self.assertNoSecretIn(credentials.web_read(shown))
            connection = self.connection.with_env(credentials.env)
            self.assertNoSecretIn(connection.web_read({"credential_ids": {"fields": shown}}))
            form = Form(connection)
            for position in range(len(form.credential_ids)):
                with form.credential_ids.edit(position) as line:
                    self.assertFalse(line.value)

    def test_what_was_typed_is_not_given_back_by_the_save(self):
        for typed in (SECRET, SECRET + "2"):  # the first value, and its replacement
            credential = self.credential().with_user(self.manager)
            saved = credential.web_save({"value": typed}, {"value": {}, "storage": {}})
            self.assertEqual(saved[0]["value"], False)
            self.assertEqual(self.column(), typed)
            self.assertEqual(credential.value, False)
            connection = self.connection.with_user(self.manager)
            saved = connection.web_save(
                {"credential_ids": [Command.update(credential.id, {"value": typed})]},
                {"credential_ids": {"fields": {"value": {}}}},
            )
            self.assertNoSecretIn(saved)

    def test_the_column_is_no_field(self):
        for credentials in self.readers():
            self.assertNotIn("secret", credentials._fields)
            for ask in (
                lambda rows: rows.read(["secret"]),
                lambda rows: rows.search([("secret", "=like", "cs%")]),
                lambda rows: rows.search([], order="secret"),
                lambda rows: rows.formatted_read_group([], ["secret"]),
                lambda rows: rows.filtered_domain([("secret", "!=", False)]),
            ):
                with self.assertRaises(ValueError):
                    ask(credentials)

    def test_no_one_finds_a_credential_by_its_value(self):
        for credentials in self.readers():
            with self.assertRaises(ValueError), mute_logger("odoo.fields"):
                credentials.search([("value", "=", SECRET)])
            with self.assertRaises(ValueError):
                credentials.search([], order="value")
            self.assertFalse(credentials.filtered_domain([("value", "=", SECRET)]))

    def test_the_engines_way_is_closed_to_calls(self):
        for credentials in self.readers()[:2]:
            for method in ("_reveal", "_keep", "_open", "_seal"):
                with self.assertRaises(AccessError):
                    call_kw(credentials, method, [credentials.ids], {})

    def test_a_copy_of_a_connection_has_no_secret(self):
        copy = self.connection.copy()
        self.assertEqual(set(copy.credential_ids.mapped("storage")), {"none"})
        self.assertEqual(len(copy.credential_ids), len(self.connection.credential_ids))
        self.env.cr.execute(
            "SELECT count(secret) FROM commerce_credential WHERE connection_id = %s", [copy.id]
        )
        self.assertEqual(self.env.cr.fetchone(), (0,))
        self.assertEqual(copy.state, "draft")
        self.assertNotEqual(copy.webhook_key, self.connection.webhook_key)

    def test_pointing_the_connection_elsewhere_does_not_send_the_secret_there(self):
        self.connect(self.connection)
        connection = self.connection.with_user(self.manager)
        connection.address = self.store.url + "/"  # the same place
        self.assertEqual(connection.action_test()["params"]["type"], "warning")
        connection.address = self.store.url.replace("127.0.0.1", "localhost")
        self.store.journal.clear()
        self.assertIn("Not set: Consumer Key", connection.action_test()["params"]["message"])
        self.assertFalse(self.store.requests)
        self.assertFalse(self.column())
        note = self.connection.message_ids[:1].body
        self.assertIn("credentials", note)

    def test_address_and_new_credentials_are_changed_in_one_go(self):
        connection = self.connection.with_user(self.manager)
        key, secret = self.credential("consumer_key"), self.credential()
        connection.write(
            {
                "address": self.store.url.replace("127.0.0.1", "localhost"),
                "credential_ids": [
                    Command.update(key.id, {"value": self.store.key}),
                    Command.update(secret.id, {"value": self.store.secret}),
                ],
            }
        )
        self.assertEqual(self.column(), self.store.secret)


class TestTraces(CredentialCase):
    """Secrets and signatures leave no trace."""

    def everything_written(self):
        """All texts the addon and the chatter wrote into the database."""
        self.env.flush_all()
        texts = []
        for table in (
            "mail_message",
            "mail_tracking_value",
            "mail_activity",
            "commerce_job",
            "commerce_attempt",
            "commerce_sync_state",
            "commerce_binding",
            "commerce_connection",
            "commerce_traffic",
        ):
            self.env.cr.execute(f"SELECT {table}::text FROM {table}")
            texts += [text for (text,) in self.env.cr.fetchall()]
        return "\n".join(texts)

    def assertLeavesNoTrace(self, work):
        with self.assertLogs("odoo.addons.commerce_sync", logging.DEBUG) as logged:
            logging.getLogger("odoo.addons.commerce_sync").debug("there is a log")
            work()
        written = "\n".join(logged.output) + self.everything_written()
        for secret in (self.store.key, self.store.secret, SECRET):
            self.assertNotIn(secret, written)

    def test_nothing_is_written_when_a_credential_is_typed(self):
        connection = self.connection.with_user(self.manager).with_context(tracking_disable=False)
        self.assertLeavesNoTrace(lambda: connection.set_credentials({"consumer_secret": SECRET}))
        self.assertIn("A credential was changed.", self.connection.message_ids[:1].body)

    def test_nothing_is_written_when_the_connection_is_tested_and_used(self):
        for sign_in in ("basic", "oauth1"):
            with self.subTest(sign_in=sign_in):
                self.connection.woo_auth = sign_in
                self.assertLeavesNoTrace(self.connection.action_test)
                self.assertLeavesNoTrace(lambda: self.push(self.connection.woo_auth))
        self.assertEqual(self.jobs().mapped("state"), ["done"] * 2)

    def test_nothing_is_written_when_the_store_fails(self):
        for sign_in in ("basic", "oauth1"):
            for fault in ("unauthorized", "reset", "http_500_before", "malformed", "down"):
                with self.subTest(sign_in=sign_in, fault=fault):
                    self.connection.woo_auth = sign_in
                    self.store.fault(fault)
                    self.assertLeavesNoTrace(self.connection.action_test)
                    self.assertLeavesNoTrace(lambda: self.push(f"{fault} {sign_in}"))  # noqa: B023
                    self.store.clear_faults()
                    self.connection.action_resume()

    def test_the_settings_show_no_secret_when_they_are_printed(self):
        settings = self.connection._get_settings()
        self.assertEqual(settings.credentials["consumer_secret"], self.store.secret)
        self.assertNotIn(self.store.secret, repr(settings))

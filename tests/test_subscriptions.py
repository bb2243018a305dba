"""What the store was asked to tell Odoo: made, checked, repaired."""

from .test_order_import import SECRET, OrderCase

WANTED = {"order.created", "order.updated", "order.deleted", "order.restored"}


class TestSubscriptions(OrderCase):
    def setUp(self):
        super().setUp()
        # the store greets each new webhook at once; nobody must answer beside the test's own thread
        self.env["ir.config_parameter"].set_param("web.base.url", "http://127.0.0.1:9")
        for row in self.store_get("webhooks"):
            self.store_send("DELETE", f"webhooks/{row['id']}?force=true", {})

    def press(self, name, connection=None):
        with self.allow_requests(all_requests=True):
            return getattr(connection or self.connection, name)()

    def secrets(self):
        """What the store signs with."""
        return {row["secret"] for row in self.store.store.find("webhook")}

    def webhooks(self, connection=None):
        url = (connection or self.connection).webhook_url
        rows = self.store_get("webhooks")
        return {row["topic"]: row for row in rows if row["delivery_url"] == url}

    def test_the_topics_of_the_active_flows_are_subscribed_to(self):
        self.press("action_subscribe")
        self.assertEqual(set(self.webhooks()), WANTED)
        self.assertEqual(self.connection.subscription_state, "ok")
        self.assertEqual(self.secrets(), {SECRET})

    def test_twice_makes_nothing_twice(self):
        self.press("action_subscribe")
        self.press("action_subscribe")
        self.assertEqual(len(self.store_get("webhooks")), len(WANTED))

    def test_a_disabled_webhook_is_noticed_told_once_and_switched_on_again(self):
        self.press("action_subscribe")
        row = self.webhooks()["order.created"]
        self.store_send("PUT", f"webhooks/{row['id']}", {"status": "disabled"})
        self.env.flush_all()
        for _again in range(2):
            self.env["commerce.connection"]._check_one(self.connection.id)
        self.env.invalidate_all()
        self.assertEqual(self.connection.subscription_state, "broken")
        self.assertIn("disabled order.created", self.connection.subscription_message)
        self.assertEqual(len(self.connection.activity_ids), 1)
        self.press("action_subscribe")
        self.assertEqual(self.webhooks()["order.created"]["status"], "active")
        self.assertFalse(self.connection.activity_ids)

    def test_a_removed_webhook_is_made_again(self):
        self.press("action_subscribe")
        row = self.webhooks()["order.updated"]
        self.store_send("DELETE", f"webhooks/{row['id']}?force=true", {})
        self.press("action_check_subscriptions")
        self.assertIn("does not have order.updated", self.connection.subscription_message)
        self.press("action_subscribe")
        self.assertEqual(set(self.webhooks()), WANTED)

    def test_two_connections_on_one_shop_leave_each_others_addresses_alone(self):
        other = self.connection.copy({"name": "The other one"})
        self.connect(other)
        self.env["commerce.flow"].create({"connection_id": other.id, "kind": "order"})
        self.press("action_subscribe")
        self.press("action_subscribe", other)
        self.press("action_subscribe")
        for connection in (self.connection, other):
            self.assertEqual(set(self.webhooks(connection)), WANTED)

    def test_a_flow_that_is_switched_off_is_no_longer_told(self):
        self.press("action_subscribe")
        self.order_flow.active = False
        self.press("action_subscribe")
        self.assertFalse(self.webhooks())

    def test_a_new_address_replaces_the_one_before(self):
        self.press("action_subscribe")
        self.connection.action_renew_webhook_key()
        self.press("action_subscribe")
        self.assertEqual(set(self.webhooks()), WANTED)
        self.assertEqual(len(self.store_get("webhooks")), len(WANTED))

    def test_a_new_secret_is_told_to_the_store(self):
        self.press("action_subscribe")
        self.press("action_rotate_webhook_secret")
        self.assertTrue(self.connection.previous_secret_until)
        (told,) = self.secrets()
        self.assertNotEqual(told, SECRET)
        for secret in (told, SECRET):
            answer = self.post(b"{}", **self.signed(b"{}", secret))
            self.assertEqual(answer.status_code, 200)

"""A copy of the database never talks to the live store."""

from odoo.modules.neutralize import neutralize_database

from .common import StoreCase


class TestNeutralize(StoreCase):
    def neutralize(self):
        """What ``odoo-bin neutralize`` does to a copy."""
        self.env.flush_all()
        neutralize_database(self.env.cr)
        self.env.invalidate_all()
        self.env.registry.clear_all_caches()

    def test_nothing_is_sent(self):
        product = self.make_product("MUG-B")
        self.publish(product)
        self.set_stock(product, 7)
        self.flush()
        self.neutralize()
        self.drain()
        self.set_stock(product, 8)
        self.inventory_flow.action_sync_now()
        self.drain()
        self.assertFalse(self.store.requests)
        self.assertEqual(self.jobs().mapped("state"), ["pending"])

    def test_a_person_reads_why(self):
        self.neutralize()
        self.assertEqual(self.connection.state, "paused")
        self.assertEqual(self.connection.health, "paused")
        self.assertEqual(self.connection.pause_kind, "neutralized")
        self.assertTrue(self.connection.paused_at)
        self.assertEqual(
            self.connection.sync_status()[0]["message"],
            "This database is a copy. The connection is cut off from the store.",
        )

    def test_no_secret_is_left(self):
        self.env["commerce.connection"].create(
            {
                "name": "Archived",
                "platform": "woocommerce",
                "address": "http://127.0.0.1:1",
                "active": False,
            }
        ).set_credentials({"consumer_key": "ck_invented"})
        self.neutralize()
        self.env.cr.execute("SELECT count(*), count(secret) FROM commerce_credential")
        every, with_secret = self.env.cr.fetchone()
        self.assertGreaterEqual(every, 6)
        self.assertEqual(with_secret, 0)
        storages = self.env["commerce.credential"].search([]).mapped("storage")
        self.assertEqual(set(storages), {"none"})

    def test_webhooks_meant_for_the_original_are_not_taken(self):
        key = self.connection.webhook_key
        self.neutralize()
        self.assertTrue(key)
        self.assertFalse(self.connection.webhook_key)

    def test_resuming_by_mistake_sends_nothing_either(self):
        product = self.make_product("MUG-B")
        self.publish(product)
        self.neutralize()
        self.connection.action_resume()
        self.set_stock(product, 7)
        self.drain()
        self.assertFalse(self.store.requests)
        self.assertEqual(self.jobs().outcome, "dry_run")
        self.connection.dry_run = False
        self.set_stock(product, 8)
        self.drain()
        self.assertFalse(self.store.requests)
        self.assertEqual(self.connection.pause_kind, "authentication")

    def test_the_store_is_not_even_read(self):
        self.neutralize()
        message = self.connection.action_test()["params"]["message"]
        self.assertIn("Not set", message)
        self.assertFalse(self.store.requests)

    def test_it_can_be_run_twice(self):
        self.neutralize()
        self.neutralize()
        self.assertEqual(self.connection.pause_kind, "neutralized")

"""What Shopify posts to us: whose it is, under which secret, once."""

from odoo.tests import HttpCase, TransactionCase

from ..sandbox.shop.webhooks import signature


class TestShopifyIntake(HttpCase, TransactionCase):
    def setUp(self):
        super().setUp()
        self.connection = self.env["commerce.connection"].create(
            {
                "name": "Mugs",
                "platform": "shopify",
                "address": "https://mugs.myshopify.com",
                "user_id": self.env.ref("base.user_admin").id,
            }
        )
        self.connection.set_credentials(
            {"client_secret": "of the app", "webhook_secret": "by hand"}
        )
        self.env["commerce.flow"].create({"connection_id": self.connection.id, "kind": "order"})

    def post(self, body=b'{"id": 7}', secret="of the app", **changes):
        headers = {
            "X-Shopify-Topic": "orders/updated",
            "X-Shopify-Shop-Domain": "mugs.myshopify.com",
            "X-Shopify-Hmac-SHA256": signature(body, secret),
            "X-Shopify-Webhook-Id": "one",
        } | {f"X-Shopify-{name.replace('_', '-')}": value for name, value in changes.items()}
        path = f"/commerce_sync/webhook/{self.connection.webhook_key}"
        return self.url_open(path, data=body, headers=headers).status_code

    def events(self):
        return self.env["commerce.webhook.event"].search(
            [("connection_id", "=", self.connection.id)]
        )

    def test_the_app_and_hooks_made_by_hand_sign_with_secrets_of_their_own(self):
        self.assertEqual(self.post(Webhook_Id="one"), 200)
        self.assertEqual(self.post(secret="by hand", Webhook_Id="two"), 200)
        self.assertEqual(self.post(secret="of nobody", Webhook_Id="three"), 401)
        self.assertEqual(len(self.events()), 2)

    def test_another_shop_of_the_same_app_is_refused_and_said(self):
        self.assertEqual(self.post(Shop_Domain="other.myshopify.com"), 401)
        self.connection.invalidate_recordset()
        self.assertIn("from another shop", self.connection.refused_message)
        self.assertFalse(self.events())

    def test_a_repeated_delivery_is_kept_once(self):
        for _again in range(3):
            self.assertEqual(self.post(), 200)
        self.assertEqual(len(self.events()), 1)

    def test_a_request_for_data_becomes_an_activity(self):
        body = b'{"customer": {"id": 1, "email": "nobody@example.com"}, "orders_requested": []}'
        self.assertEqual(self.post(body, Topic="customers/data_request"), 200)
        self.assertIn("wants to know", self.connection.activity_ids.summary)

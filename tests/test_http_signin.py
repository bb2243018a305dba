"""Every way to sign in, as the receiver sees it."""

import base64
import hashlib
import hmac

from .test_http_flows import NAME, HttpCase, answer

KEY = "invented key"


def signed(body):
    return hmac.new(KEY.encode(), body, hashlib.sha256)


class TestSignIn(HttpCase):
    def sent(self, **options):
        """The one request of a change, sent with this way to sign in."""
        secrets = options.pop("secrets", {})
        self.system.write(options)
        self.system.set_credentials(secrets)
        self.wire.asked.clear()
        self.make_partner("ada")
        self.drain()
        return self.wire.asked[-1]

    def test_each_way_says_who_sends(self):
        self.make_flow([NAME])
        pair = base64.b64encode(f"ada:{KEY}".encode()).decode()
        token, signing = {"token": KEY}, {"signing_secret": KEY}
        hexadecimal = {"http_hmac_encoding": "hex", "http_hmac_prefix": "sha256="}
        ways = {
            "none": ({}, {}, "authorization", lambda _body: None),
            "header": ({"http_auth_header": "X-Key"}, token, "x-key", lambda _body: KEY),
            "basic": (
                {},
                {"username": "ada", "password": KEY},
                "authorization",
                lambda _body: f"Basic {pair}",
            ),
            "bearer": ({}, token, "authorization", lambda _body: f"Bearer {KEY}"),
            "hmac": (
                {"http_auth_header": "X-Sign", **hexadecimal},
                signing,
                "x-sign",
                lambda body: "sha256=" + signed(body).hexdigest(),
            ),
        }
        for way, (options, secrets, header, expected) in ways.items():
            with self.subTest(way=way):
                asked = self.sent(http_auth=way, secrets=secrets, **options)
                self.assertEqual(asked.headers_as_sent.get(header), expected(asked.body))

    def test_a_signature_can_be_written_as_base64(self):
        self.make_flow([NAME])
        asked = self.sent(
            http_auth="hmac",
            http_auth_header="X-Sign",
            http_hmac_encoding="base64",
            http_hmac_prefix=False,
            secrets={"signing_secret": KEY},
        )
        expected = base64.b64encode(signed(asked.body).digest()).decode()
        self.assertEqual(asked.headers_as_sent["x-sign"], expected)

    def test_a_token_is_fetched_once_and_anew_when_it_is_refused(self):
        self.make_flow([NAME])
        tokens = iter(("one", "two"))
        refused = set()

        def reply(asked, _connection):
            if asked.path == "/token":
                return answer({"access_token": next(tokens), "expires_in": 3600})
            if asked.headers_as_sent["authorization"] in refused:
                return answer({}, "401 Unauthorized")
            return answer({"id": len(self.wire.asked)})

        self.wire.reply = reply
        self.sent(
            http_auth="oauth2",
            http_token_url=f"{self.wire.url}/token",
            http_scope="write",
            secrets={"client_id": "odoo", "client_secret": KEY},
        )
        fetched, sent = self.wire.asked
        self.assertEqual(fetched.body, b"grant_type=client_credentials&scope=write")
        pair = base64.b64encode(f"odoo:{KEY}".encode()).decode()
        self.assertEqual(fetched.headers_as_sent["authorization"], f"Basic {pair}")
        self.assertEqual(sent.headers_as_sent["authorization"], "Bearer one")
        refused.add("Bearer one")
        self.make_partner("bob")
        self.drain()
        self.assertEqual(self.wire.asked[-1].headers_as_sent["authorization"], "Bearer two")
        self.assertEqual(self.wire.asked[-1].json(), {"name": "bob"})

    def test_a_secret_that_is_missing_is_named(self):
        self.system.http_auth = "bearer"
        flow = self.make_flow([NAME])
        self.make_partner("ada")
        self.drain()
        job = self.jobs(("flow_id", "=", flow.id))
        self.assertIn("Not set: token", job.error_message)
        self.assertFalse(self.wire.asked)

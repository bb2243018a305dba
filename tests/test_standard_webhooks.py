"""Standard Webhooks, both ways. The vector is the specification's own."""

import base64
import unittest

from ..adapters import standard_webhooks
from ..adapters.errors import Rejected

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER = "whsec_" + base64.b64encode(b"another secret for tests").decode()
ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
TIMESTAMP = 1614265330
BODY = b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def headers(**changes):
    plain = {"webhook_id": ID, "webhook_timestamp": str(TIMESTAMP), "webhook_signature": SIGNATURE}
    return {name.replace("_", "-"): value for name, value in {**plain, **changes}.items()}


class TestVerify(unittest.TestCase):
    def accepts(self, given, body=BODY, secrets=(SECRET,), now=TIMESTAMP):
        return standard_webhooks.verify(given, body, list(secrets), now=now)

    def test_the_vector_of_the_specification_is_accepted(self):
        self.assertTrue(self.accepts(headers()))

    def test_the_prefix_of_the_secret_may_be_missing(self):
        self.assertTrue(self.accepts(headers(), secrets=[SECRET.removeprefix("whsec_")]))

    def test_what_was_changed_on_the_way_is_refused(self):
        self.assertFalse(self.accepts(headers(), body=BODY + b" "))
        self.assertFalse(self.accepts(headers(webhook_id="msg_other")))
        self.assertFalse(self.accepts(headers(webhook_timestamp=str(TIMESTAMP + 1))))

    def test_five_minutes_are_tolerated_both_ways_and_no_more(self):
        for seconds, accepted in ((-301, False), (-300, True), (300, True), (301, False)):
            with self.subTest(seconds=seconds):
                self.assertEqual(self.accepts(headers(), now=TIMESTAMP + seconds), accepted)

    def test_any_one_of_several_signatures_will_do(self):
        several = f"v1,bm9uZQ== v2,bm9uZQ== {SIGNATURE}"
        self.assertTrue(self.accepts(headers(webhook_signature=several)))

    def test_any_one_of_several_secrets_will_do(self):
        self.assertTrue(self.accepts(headers(), secrets=[OTHER, SECRET]))
        self.assertFalse(self.accepts(headers(), secrets=[OTHER]))

    def test_an_empty_or_broken_secret_refuses_everything(self):
        for secret in ("", "whsec_", None, "not base64!"):
            with self.subTest(secret=secret):
                self.assertFalse(self.accepts(headers(), secrets=[secret]))

    def test_a_missing_or_odd_header_is_refused(self):
        for name in ("webhook_id", "webhook_timestamp", "webhook_signature"):
            for value in ("", "v1,", "\u0663" * 10, "9" * 5000, "-1", "1e9", "\ud800"):
                with self.subTest(name=name, value=value[:5]):
                    self.assertFalse(self.accepts(headers(**{name: value})))


class TestSign(unittest.TestCase):
    def test_the_vector_of_the_specification_is_made(self):
        self.assertEqual(standard_webhooks.sign(SECRET, ID, TIMESTAMP, BODY), SIGNATURE)

    def test_during_rotation_a_message_is_signed_twice(self):
        given = standard_webhooks.headers([OTHER, SECRET], ID, BODY, now=TIMESTAMP)
        for secret in (OTHER, SECRET):
            self.assertTrue(standard_webhooks.verify(given, BODY, [secret], now=TIMESTAMP))

    def test_nothing_is_signed_with_an_empty_secret(self):
        with self.assertRaises(ValueError):
            standard_webhooks.sign("", ID, TIMESTAMP, BODY)

    def test_a_new_secret_is_one(self):
        secret = standard_webhooks.new_secret()
        self.assertNotEqual(secret, standard_webhooks.new_secret())
        given = standard_webhooks.headers([secret], ID, BODY, now=TIMESTAMP)
        self.assertTrue(standard_webhooks.verify(given, BODY, [secret], now=TIMESTAMP))


class TestParse(unittest.TestCase):
    def parse(self, body):
        return standard_webhooks.StandardWebhookMixin.parse_event(headers(), body)

    def test_the_identity_is_the_message_id(self):
        event = self.parse(b'{"type": "order.updated"}')
        self.assertEqual((event.identity, event.topic), (ID, "order.updated"))

    def test_what_is_no_object_is_refused(self):
        for body in (b"", b"[]", b"\xff", b"[" * 100_000, b"9" * 10_000):
            with self.subTest(body=body[:5]), self.assertRaises(Rejected):
                self.parse(body)

"""Whatever is posted: no traceback outside, no acknowledged event lost."""

import json

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .test_order_import import OrderCase

LATIN = st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
ORDERS = st.fixed_dictionaries(
    {}, optional={"id": VALUES, "date_modified_gmt": VALUES, "line_items": VALUES}
).map(lambda value: json.dumps(value).encode())
DEEP = st.sampled_from([b"[" * 50_000, b'{"a":' * 50_000, b"9" * 20_000, b"\xef\xbb\xbf{}"])
BODIES = st.binary(min_size=1, max_size=200) | ORDERS | DEEP
TYPES = ("application/json", "application/x-www-form-urlencoded", "multipart/form-data", "x")


class TestFuzz(OrderCase):
    @settings(
        max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
    )
    @given(BODIES, LATIN, st.sampled_from(TYPES), st.booleans())
    def test_nothing_breaks_and_nothing_that_was_acknowledged_is_lost(
        self, body, topic, content_type, signs
    ):
        before = {event.identity for event in self.events()}
        headers = self.signed(body) if signs else {"X-WC-Webhook-Signature": topic.strip()}
        headers |= {"X-WC-Webhook-Topic": topic.strip(), "Content-Type": content_type}
        encoded = {name: value.encode("latin-1") for name, value in headers.items()}
        answer = self.post(body, **encoded)
        self.assertEqual(answer.content, b"")
        self.assertIn(answer.status_code, (200,) if signs else (401, 429))
        self.env.invalidate_all()
        if signs:
            again = self.post(body, **encoded)
            self.assertEqual(again.status_code, 200)
            self.assertGreaterEqual(len(self.events()), max(len(before), 1))

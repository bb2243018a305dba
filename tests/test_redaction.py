import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ..adapters.redaction import (
    MASK,
    SUMMARY_LIMIT,
    redact,
    redact_headers,
    redact_text,
    redact_url,
    summarize,
)

KEY = "ck_0f1e2d3c4b5a69788796a5b4c3d2e1f001234567"
SECRET = "cs_76543210fedcba98765432100123456789abcdef"

# === TEXT === #


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"key {KEY} and {SECRET}.", "key *** and ***."),
        ("token shpat_0123456789abcdef0123456789abcdef!", "token ***!"),
        ("sk_live_51Habcdefghijkl", "***"),
        ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "***"),
        ("Authorization: Basic Y2tfMTpjc18yMzQ1Njc4OQ==", "Authorization: *** ***"),
        ("sent Basic Y2tfMTpjc18yMzQ1Njc4OQ== along", "sent Basic *** along"),
        ("Bearer abc123.def456-ghi", "Bearer ***"),
        ('OAuth oauth_consumer_key="x", oauth_signature="y"', "OAuth ***"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.dBjftJeZ4CVP", "***"),
        ("https://ann:hunter2@shop.example/x", "https://***@shop.example/x"),
        ("https://odoo.example/my/invoices/7?access_token=1f0e-22", None),
        ('{"consumer_secret": "abc def", "n": 1}', '{"consumer_secret": ***, "n": 1}'),
        ("password=hunter2&user=7", "password=***&user=7"),
        ("https://shop.example/pay/7/?key=wc_order_aB3", "https://shop.example/pay/7/?key=***"),
        ("-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----", "***"),
    ],
)
def test_credentials_in_a_text_are_masked(text, expected):
    expected = expected or "https://odoo.example/my/invoices/7?access_token=***"
    assert redact_text(text, personal=False) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("write to ann.example@mail.example.org now", "write to *** now"),
        ("call +49 151 2345678 today", "call *** today"),
        ("call (555) 123-4567", "call ***"),
        ('broken {"first_name":"Ann","city":"Lisb', 'broken {"first_name":"***","city":"***"'),
    ],
)
def test_personal_data_in_a_text_is_masked_unless_it_may_stay(text, expected):
    assert redact_text(text) == expected
    assert redact_text(text, personal=False) == text


@pytest.mark.parametrize(
    "text",
    [
        "[MUG-B] Blue mug, 350 ml",
        "Basic Sweatshirt",
        "Invalid signature - provided signature does not match.",
        "Consumer secret is invalid.",
        "barcode 00012345600012, EAN 4006381333931, 0049 151",
        "cs_CZ",
        "2026-11-02T09:30:00+00:00",
        "price 12.50, stock 7, order 1042",
        "SKU 100-200-3000",
        "",
    ],
)
def test_what_is_no_secret_stays_readable(text):
    assert redact_text(text) == text


# === KEYS === #


@pytest.mark.parametrize(
    "key",
    [
        "password",
        "Password",
        "user_password",
        "token",
        "access_token",
        "accessToken",
        "X-Shopify-Access-Token",
        "secret",
        "consumer_key",
        "consumer_secret",
        "client_secret",
        "api_key",
        "apiKey",
        "Authorization",
        "Cookie",
        "Set-Cookie",
        "signature",
        "X-WC-Webhook-Signature",
        "oauth_nonce",
        "order_key",
        "session_id",
        "card_number",
        "private_key",
        "credentials",
    ],
)
def test_what_stands_under_a_credential_key_never_shows(key):
    assert redact({key: "plain words"}, personal=False) == {key: MASK}
    assert redact({key: {"inner": ["plain words"]}}, personal=False) == {key: MASK}


@pytest.mark.parametrize(
    "key",
    [
        "first_name",
        "last_name",
        "display_name",
        "username",
        "address_1",
        "address2",
        "address_line_1",
        "postcode",
        "zip",
        "postal_code",
        "city",
        "phone",
        "billing_phone",
        "email",
        "customer_email",
        "customer_ip_address",
        "customer_note",
        "vat_number",
    ],
)
def test_personal_keys_are_masked_unless_they_may_stay(key):
    assert redact({key: "Somebody 12"}) == {key: MASK}
    assert redact({key: "Somebody 12"}, personal=False) == {key: "Somebody 12"}


def test_an_order_keeps_what_is_no_persons():
    order = {
        "id": 7,
        "number": "1042",
        "currency": "EUR",
        "billing": {"first_name": "Ann", "company": "Ann & Co", "country": "PT", "email": ""},
        "shipping": {"name": "Ann Other", "address": "Some street 1"},
        "shipping_lines": [{"method_title": "Flat rate", "total": "4.00"}],
        "line_items": [{"name": "Blue mug", "sku": "MUG-B", "quantity": 2}],
        "meta_data": [
            {"key": "_billing_vat", "value": "PT123"},
            {"key": "gift", "value": "yes"},
            {"key": "_api_token", "value": "t"},
        ],
        "total": 12.5,
        "paid": None,
    }
    assert redact(order) == {
        **order,
        "billing": {"first_name": MASK, "company": MASK, "country": "PT", "email": ""},
        "shipping": {"name": MASK, "address": MASK},
        "meta_data": [
            {"key": "_billing_vat", "value": MASK},
            {"key": "gift", "value": "yes"},
            {"key": "_api_token", "value": MASK},
        ],
    }


def test_whether_a_customer_note_is_one_is_not_personal():
    assert redact({"note": "Sent.", "customer_note": True}) == {
        "note": "Sent.",
        "customer_note": True,
    }


def test_headers_lose_their_credentials_only():
    headers = {"Authorization": "Basic x", "Cookie": "a=b", "Content-Type": "application/json"}
    assert redact_headers(headers) == {
        "Authorization": MASK,
        "Cookie": MASK,
        "Content-Type": "application/json",
    }


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (
            "https://shop.example/x?page=2&per_page=100",
            "https://shop.example/x?page=2&per_page=100",
        ),
        (
            "https://shop.example/x?consumer_key=a&page=2",
            "https://shop.example/x?consumer_key=***&page=2",
        ),
        ("https://shop.example/x?email=ann%40mail.example", "https://shop.example/x?email=***"),
        ("https://shop.example/x?search=ann%40mail.example", "https://shop.example/x?search=***"),
        ("https://a:b@shop.example/x", "https://***@shop.example/x"),
        ("http://shop.example/x?oauth_nonce=1&a=2&oauth_signature=3", "http://shop.example/x?a=2"),
        ("http://shop.example/x?oauth_nonce=1", "http://shop.example/x"),
        ("http://[broken?token=1#part", "http://[broken?token=***"),
    ],
)
def test_an_address_loses_its_secrets_only(url, expected):
    assert redact_url(url) == expected


# === SUMMARIES === #


def test_a_summary_is_bounded_and_says_how_much_was_left_out():
    text = summarize({"update": [{"id": number, "sku": f"MUG-{number}"} for number in range(5000)]})
    assert len(text) <= SUMMARY_LIMIT + 1
    assert text.startswith('{"update": [{"id": 0, "sku": "MUG-0"}, ')
    assert "more" in text[-200:] or text.endswith("…")


def test_a_small_value_is_summarized_whole():
    assert json.loads(summarize({"a": [1, None, True, "x"]})) == {"a": [1, None, True, "x"]}


def test_nothing_to_summarize_gives_an_empty_text():
    assert summarize(None) == ""


@pytest.mark.parametrize("before", [0, SUMMARY_LIMIT - 20, SUMMARY_LIMIT + 380, 5000])
def test_a_cut_never_leaves_the_head_of_a_secret(before):
    text = summarize("x " * (before // 2) + SECRET + " y" * 5000)
    assert SECRET[:8] not in text
    assert len(text) <= SUMMARY_LIMIT + 1


def test_bytes_are_summarized_as_text():
    assert summarize(b"caf\xc3\xa9 \xff") == "café \ufffd"


# === WHATEVER COMES === #

#: Unicode's tables are built with the first text, which takes seconds on a busy machine.
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
json_values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)
secrets = st.builds(
    lambda prefix, digits: prefix + digits,
    st.sampled_from(["ck_", "cs_", "sk_", "shpat_", "whsec_"]),
    st.text("0123456789abcdef", min_size=32, max_size=40),
)
around = st.text(" \n.,;:!?&=+-/|<>{}[]()'\"\\#@%é…", max_size=8)


@st.composite
def values_with_a_secret(draw):
    """A nested value with a secret somewhere: in a text, as a value, or in a key."""
    secret = draw(secrets)
    value = draw(around) + secret + draw(around)
    for _level in range(draw(st.integers(0, 5))):
        others = draw(st.lists(json_values, max_size=2))
        value = draw(
            st.sampled_from(
                [[*others, value], {draw(st.text()): value, "other": others}, {str(value): others}]
            )
        )
    return secret, value


@unhurried
@given(values_with_a_secret(), st.booleans())
def test_a_secret_planted_anywhere_never_survives(planted, personal):
    secret, value = planted
    assert secret not in json.dumps(redact(value, personal), ensure_ascii=False, default=str)
    assert secret not in summarize(value, personal=personal)


@unhurried
@given(st.sampled_from(["password", "api_key", "client_secret"]), st.text(min_size=1), json_values)
def test_a_value_under_a_credential_key_never_survives(key, value, other):
    assert redact([{"a": {key: value, "b": other}}])[0]["a"][key] == MASK


@unhurried
@given(json_values, st.booleans())
def test_redacting_twice_changes_nothing(value, personal):
    once = redact(value, personal)
    assert redact(once, personal) == once


@unhurried
@given(st.text(), st.booleans())
def test_any_text_can_be_redacted(text, personal):
    once = redact_text(text, personal)
    assert redact_text(once, personal) == once
    redact_url(text, personal)


@unhurried
@given(st.recursive(scalars | st.binary() | st.dates(), st.lists))
def test_no_value_makes_it_fail(value):
    redact(value)
    summarize(value)


def test_depth_makes_it_neither_fail_nor_leak():
    value = SECRET
    for _level in range(5000):
        value = [value]
    assert SECRET not in str(redact(value))
    assert SECRET not in summarize(value)

"""The signature of RFC 5849, checked against the RFC's own text."""

import base64
import hashlib
import hmac
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests

from ..adapters.oauth1 import OAuth1, base_string, base_uri, encode, normalize, sign

# RFC 5849, section 3.4.1.3.1
RFC_PARAMETERS = [
    ("b5", "=%3D"),
    ("a3", "a"),
    ("c@", ""),
    ("a2", "r b"),
    ("oauth_consumer_key", "9djdj82h48djs9d2"),
    ("oauth_token", "kkk9d7dh3k39sjv7"),
    ("oauth_signature_method", "HMAC-SHA1"),
    ("oauth_timestamp", "137131201"),
    ("oauth_nonce", "7d8f3e4a"),
    ("c2", ""),
    ("a3", "2 q"),
]
# Section 3.4.1.3.2
RFC_NORMALIZED = (
    "a2=r%20b&a3=2%20q&a3=a&b5=%3D%253D&c%40=&c2=&oauth_consumer_key=9djdj82h48djs9d2"
    "&oauth_nonce=7d8f3e4a&oauth_signature_method=HMAC-SHA1&oauth_timestamp=137131201"
    "&oauth_token=kkk9d7dh3k39sjv7"
)
# Section 3.4.1.1
RFC_BASE_STRING = (
    "POST&http%3A%2F%2Fexample.com%2Frequest&a2%3Dr%2520b%26a3%3D2%2520q%26a3%3Da%26b5%3D%253D"
    "%25253D%26c%2540%3D%26c2%3D%26oauth_consumer_key%3D9djdj82h48djs9d2%26oauth_nonce%3D7d8f3e4a"
    "%26oauth_signature_method%3DHMAC-SHA1%26oauth_timestamp%3D137131201%26oauth_token"
    "%3Dkkk9d7dh3k39sjv7"
)


def test_parameters_are_normalized_as_the_rfc_shows():
    assert normalize(RFC_PARAMETERS) == RFC_NORMALIZED


def test_the_base_string_is_the_rfcs():
    url = "http://EXAMPLE.COM:80/request?b5=%3D%253D&a3=a&c%40=&a2=r%20b"
    assert base_string("post", url, RFC_PARAMETERS) == RFC_BASE_STRING


# Section 3.4.1.2
@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://EXAMPLE.COM:80/r%20v/X?id=123", "http://example.com/r%20v/X"),
        ("https://www.example.net:8080/?q=1", "https://www.example.net:8080/"),
        ("https://example.com:443", "https://example.com/"),
        ("http://user:pass@example.com/x", "http://example.com/x"),
        ("http://[::1]:8069/x", "http://[::1]:8069/x"),
    ],
)
def test_the_address_is_signed_without_query_and_default_port(url, expected):
    assert base_uri(url) == expected


# Section 3.6
@pytest.mark.parametrize(
    ("text", "expected"),
    [("abcABC123", "abcABC123"), ("-._~", "-._~"), ("%", "%25"), ("+", "%2B"), (" ", "%20"),
     ("&=*", "%26%3D%2A"), ("é", "%C3%A9"), ("☃", "%E2%98%83"), (7, "7")],
)  # fmt: skip
def test_only_unreserved_characters_stay(text, expected):
    assert encode(text) == expected


def test_the_key_is_the_secret_and_an_ampersand():
    expected = base64.b64encode(hmac.new(b"cs_1%262&", b"text", hashlib.sha256).digest()).decode()
    assert sign("text", "cs_1&2") == expected


def prepared(method="GET", url="http://shop.example/wp-json/wc/v3/products", **kwargs):
    auth = OAuth1("ck_1", "cs_2", clock=lambda: 1700000000.9, nonce=lambda: "once")
    return requests.Request(method, url, auth=auth, **kwargs).prepare()


def test_a_request_carries_its_signature_in_the_query():
    request = prepared(params={"per_page": 100, "search": "a b&c"})
    query = dict(parse_qsl(urlsplit(request.url).query))
    signature = query.pop("oauth_signature")
    assert query == {
        "per_page": "100",
        "search": "a b&c",
        "oauth_consumer_key": "ck_1",
        "oauth_nonce": "once",
        "oauth_signature_method": "HMAC-SHA256",
        "oauth_timestamp": "1700000000",
    }
    text = base_string("GET", "http://shop.example/wp-json/wc/v3/products", query.items())
    assert signature == sign(text, "cs_2")
    assert "Authorization" not in request.headers
    assert "cs_2" not in request.url


def test_json_in_the_body_is_not_signed():
    assert prepared("POST", json={"a": 1}).url == prepared("POST", json={"b": 2}).url


def test_form_fields_are_signed():
    assert prepared("POST", data={"a": 1}).url != prepared("POST", data={"a": 2}).url


@pytest.mark.parametrize("other", [{"method": "PUT"}, {"params": {"a": "1"}}])
def test_method_and_parameters_are_signed(other):
    def signature(request):
        return dict(parse_qsl(urlsplit(request.url).query))["oauth_signature"]

    assert signature(prepared()) != signature(prepared(**other))


def test_no_nonce_is_used_twice():
    auth = OAuth1("ck_1", "cs_2")
    urls = {
        requests.Request("GET", "http://shop.example/", auth=auth).prepare().url
        for _request in range(50)
    }
    assert len(urls) == 50

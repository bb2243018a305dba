"""Who may speak to the sandbox store: keys, HTTP Basic, OAuth 1.0a."""

import sys
from pathlib import Path

import pytest
import requests

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from sandbox.testing import API, Client, error_of, mug, rfc3986, sign  # noqa: E402
from sandbox.woocommerce import WooCommerceStore  # noqa: E402

pytest_plugins = ["sandbox.testing"]


# === WHO MAY === #


def test_key_and_secret_by_basic_auth_open_the_store(api):
    assert api.get("products").status_code == 200


def test_key_and_secret_in_the_query_open_the_store(store, api):
    api.auth = None
    query = {"consumer_key": store.key, "consumer_secret": store.secret}
    assert api.get("products", params=query).status_code == 200


WRONG_CREDENTIALS = [
    (None, 401, "woocommerce_rest_cannot_view"),
    (("ck_unknown", "cs_unknown"), 401, "woocommerce_rest_cannot_view"),
    (("KEY", "cs_wrong"), 401, "woocommerce_rest_authentication_error"),
    (("KEY", "cs_wröng"), 401, "woocommerce_rest_authentication_error"),
    (("KEY", ""), 401, "woocommerce_rest_cannot_view"),
]


@pytest.mark.parametrize(("auth", "status", "code"), WRONG_CREDENTIALS)
def test_wrong_credentials_are_refused(store, api, auth, status, code):
    api.auth = auth and tuple(
        part.replace("KEY", store.key).encode() if part else part for part in auth
    )
    assert error_of(api.get("products")) == (status, code)


@pytest.mark.parametrize("header", ["Basic", "Basic ü", "Basic eA==", "Basic /w==", "Bearer x"])
def test_a_sign_in_that_cannot_be_read_is_none(store, header):
    url = store.url + API + "products"
    response = requests.get(url, headers={"Authorization": header.encode("latin-1")}, timeout=10)
    assert error_of(response) == (401, "woocommerce_rest_cannot_view")


KEY_PERMISSIONS = [
    ("read", "GET", 200),
    ("read", "POST", 401),
    ("write", "GET", 401),
    ("write", "POST", 201),
    ("read_write", "POST", 201),
]


@pytest.mark.parametrize(("permissions", "method", "status"), KEY_PERMISSIONS)
def test_a_key_does_what_it_permits_only(store, permissions, method, status):
    client = Client(store, store.add_key(permissions))
    response = client.request(method, "products", json={"name": "Mug"})
    assert response.status_code == status
    if status == 401:
        need = "read" if method == "GET" else "write"
        assert error_of(response) == (401, "woocommerce_rest_authentication_error")
        assert f"does not have {need} permissions" in response.json()["message"]


FORBIDDEN = [
    ("GET", "products", "woocommerce_rest_cannot_view"),
    ("GET", "orders/1", "woocommerce_rest_cannot_view"),
    ("POST", "orders", "woocommerce_rest_cannot_create"),
    ("PUT", "products/1", "woocommerce_rest_cannot_edit"),
    ("DELETE", "products/1", "woocommerce_rest_cannot_delete"),
    ("POST", "products/batch", "woocommerce_rest_cannot_batch"),
]


@pytest.mark.parametrize(("method", "path", "code"), FORBIDDEN)
def test_a_stranger_gets_401_and_a_user_without_the_right_403(store, method, path, code):
    stranger, customer = Client(store), Client(store, store.add_key(role="customer"))
    stranger.auth = None
    assert error_of(stranger.request(method, path)) == (401, code)
    assert error_of(customer.request(method, path)) == (403, code)


def test_parameters_are_checked_before_the_right(store):
    stranger = Client(store)
    stranger.auth = None
    assert error_of(stranger.get("products?per_page=500")) == (400, "rest_invalid_param")


def test_the_index_needs_no_key(store):
    data = requests.get(store.url + "/wp-json/", timeout=10).json()
    assert data["name"] == "Sandbox Store"
    assert data["url"] == store.url
    assert "wc/v3" in data["namespaces"]


# === OAUTH 1.0A === #


QUERIES = [
    [],
    [("sku", "A B+C/Ü,~"), ("per_page", "5")],
    [("status[0]", "pending"), ("status[1]", "completed")],
]


@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.parametrize("digest", ["sha1", "sha256"])
@pytest.mark.parametrize("place", ["query", "header"])
def test_a_signed_request_opens_the_store_over_plain_http(place, digest, query):
    with WooCommerceStore(require_oauth=True) as store:
        url = store.url + API + ("orders" if "status[0]" in dict(query) else "products")
        oauth = sign(store, "GET", url, query, digest)
        headers, params = {}, list(query)
        if place == "query":
            params += oauth.items()
        else:
            fields = ", ".join(f'{name}="{rfc3986(value)}"' for name, value in oauth.items())
            headers["Authorization"] = f"OAuth {fields}"
        assert requests.get(url, params=params, headers=headers, timeout=10).status_code == 200


def test_a_signed_body_request_needs_no_signature_of_its_json():
    with WooCommerceStore(require_oauth=True) as store:
        url = store.url + API + "products"
        oauth = sign(store, "POST", url)
        assert requests.post(url, params=oauth, json=mug(), timeout=10).status_code == 201


def test_basic_auth_over_plain_http_is_no_sign_in_where_oauth_is_required():
    with WooCommerceStore(require_oauth=True) as store, Client(store) as client:
        assert error_of(client.get("products")) == (401, "woocommerce_rest_cannot_view")


BAD_SIGNATURES = [
    ({"secret": "cs_wrong"}, "signature does not match"),
    ({"oauth_consumer_key": "ck_unknown"}, "Consumer key is invalid"),
    ({"oauth_timestamp": "1000000000"}, "Invalid timestamp"),
    ({"oauth_signature_method": "PLAINTEXT"}, "signature method is invalid"),
    ({"oauth_nonce": ""}, "Missing OAuth parameter oauth_nonce"),
]


@pytest.mark.parametrize(("changes", "message"), BAD_SIGNATURES)
def test_a_bad_signature_is_refused_with_its_reason(store, changes, message):
    url = store.url + API + "products"
    response = requests.get(url, params=sign(store, "GET", url, **changes), timeout=10)
    assert response.status_code == 401
    assert message in response.json()["message"]


def test_a_nonce_is_good_for_one_request(store):
    url = store.url + API + "products"
    params = sign(store, "GET", url)
    assert requests.get(url, params=params, timeout=10).status_code == 200
    again = requests.get(url, params=params, timeout=10)
    assert "nonce has already been used" in again.json()["message"]

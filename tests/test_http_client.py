"""The HTTP client against real sockets: what goes wrong on the wire, and what it becomes."""

import contextlib
import gzip
import logging
import socket
import ssl
import threading
import time
from datetime import datetime, timedelta, timezone
from urllib.parse import parse_qs

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from ..adapters import http
from ..adapters.errors import (
    AuthenticationFailed,
    Misconfigured,
    Missing,
    RateLimited,
    Rejected,
    SyncError,
    Temporary,
)
from ..adapters.failures import (
    certificate_error,
    explain_redirect,
    parse_rate_limit,
    parse_retry_after,
    plain_words,
    right_address,
)
from ..adapters.http import ANONYMOUS, HttpClient
from ..adapters.oauth1 import OAuth1
from .wire import Wire, answer, page

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=timezone.utc)


@pytest.fixture
def wire():
    """``wire(reply)`` starts a server."""
    with contextlib.ExitStack() as servers:
        yield lambda reply, tls=None: servers.enter_context(Wire(reply, tls))


def client_of(server, **kwargs):
    return HttpClient(server.url, **{"timeouts": (2, 2), **kwargs})


def failure(client, method="GET", path="/x", **kwargs):
    with pytest.raises(SyncError) as caught:
        client.request(method, path, **kwargs)
    return caught.value


# === WHAT WORKS === #


def test_json_goes_out_and_comes_back(wire):
    server = wire(answer({"id": 7, "name": "Café"}, x_request_id="r-1"))
    response = client_of(server).request(
        "POST", "/items", params={"page": 2}, json={"name": "Café", "n": [1, 2]}
    )
    asked = server.asked[0]
    assert (asked.method, asked.target) == ("POST", "/items?page=2")
    assert asked.headers["content-type"] == "application/json"
    assert asked.body == '{"name":"Café","n":[1,2]}'.encode()
    assert response.status == 200
    assert response.json() == {"id": 7, "name": "Café"}
    assert response.headers["X-Request-Id"] == "r-1"


def test_compressed_answers_are_read(wire):
    server = wire(answer(gzip.compress(b'{"a": 1}'), content_encoding="gzip"))
    assert client_of(server).request("GET", "/x").json() == {"a": 1}


def test_a_byte_order_mark_does_no_harm(wire):
    server = wire(answer(b'\xef\xbb\xbf{"a": 1}'))
    assert client_of(server).request("GET", "/x").json() == {"a": 1}


def test_no_content_is_an_answer(wire):
    server = wire(b"HTTP/1.1 204 No Content\r\n\r\n")
    assert client_of(server).request("DELETE", "/x").status == 204


def test_one_connection_serves_many_requests(wire):
    server = wire(answer())
    client = client_of(server)
    for _time in range(5):
        client.request("GET", "/x")
    assert server.connections == 1


def test_threads_share_the_pool(wire):
    server = wire(answer())
    client = client_of(server, pool_size=4)

    def work():
        for _time in range(10):
            client.request("POST", "/x", json={})

    threads = [threading.Thread(target=work) for _number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(server.asked) == 40
    assert server.connections <= 4


def test_cookies_are_not_kept(wire):
    server = wire(answer(set_cookie="session=1; Path=/"))
    client = client_of(server)
    client.request("GET", "/x")
    client.request("GET", "/x")
    assert "cookie" not in server.asked[1].headers


def test_proxies_and_netrc_of_the_environment_are_ignored(wire, monkeypatch, tmp_path):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    server = wire(answer())
    client_of(server).request("GET", "/x")
    assert "authorization" not in server.asked[0].headers


def test_credentials_can_be_left_out_of_a_request(wire):
    server = wire(answer())
    client = client_of(server, auth=("user", "password"))
    client.request("GET", "/x")
    client.request("GET", "/x", auth=ANONYMOUS)
    assert "authorization" in server.asked[0].headers
    assert "authorization" not in server.asked[1].headers


# === NO CONNECTION === #


def test_a_refused_connection_changed_nothing():
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    error = failure(HttpClient(f"http://127.0.0.1:{port}"), "POST", json={})
    assert isinstance(error, Temporary)
    assert error.code == "connection_refused"
    assert not error.uncertain
    assert f"127.0.0.1:{port} refuses connections" in error.message


def test_an_unknown_host_is_named(monkeypatch):
    def no_such_name(*_args, **_kwargs):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", no_such_name)
    error = failure(HttpClient("https://shop.example.invalid"), "POST", json={})
    assert isinstance(error, Temporary)
    assert (error.code, error.uncertain) == ("host_not_found", False)
    assert error.message == "No server named shop.example.invalid was found."


@pytest.mark.parametrize(
    ("problem", "code"),
    [
        (TimeoutError("timed out"), "connect_timeout"),
        (OSError(101, "Network is unreachable"), "unreachable"),
    ],
)
def test_what_was_never_sent_is_certain(monkeypatch, problem, code):
    def connect(*_args, **_kwargs):
        raise problem

    monkeypatch.setattr("urllib3.util.connection.create_connection", connect)
    error = failure(HttpClient("http://shop.example", timeouts=(3, 5)), "POST", json={})
    assert isinstance(error, Temporary)
    assert (error.code, error.uncertain) == (code, False)
    if code == "connect_timeout":
        assert "within 3 seconds" in error.message


@pytest.mark.parametrize(
    "address", ["shop.example", "http://", "ftp://shop.example", "http://[::1"]
)
def test_what_is_no_address_needs_a_person(address):
    error = failure(HttpClient(address), "GET", "x")
    assert isinstance(error, Misconfigured)
    assert error.code == "invalid_address"


def test_requests_blocked_in_tests_fail_like_a_broken_line(monkeypatch):
    def blocked(*_args, **_kwargs):
        raise requests.exceptions.ConnectionError("External requests verboten")

    monkeypatch.setattr(requests.Session, "send", blocked)
    error = failure(HttpClient("https://shop.example"), "GET")
    assert isinstance(error, Temporary)
    assert "verboten" in error.message


# === HALF AN ANSWER === #


@pytest.mark.parametrize(("method", "uncertain"), [("GET", False), ("POST", True), ("PUT", True)])
def test_silence_leaves_only_writing_uncertain(wire, method, uncertain):
    def silent(asked, connection):
        time.sleep(1)

    error = failure(client_of(wire(silent), timeouts=(1, 0.1)), method)
    assert isinstance(error, Temporary)
    assert (error.code, error.uncertain) == ("timeout", uncertain)
    assert "did not answer within 0.1 seconds" in error.message


def reset(asked, connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")


def close(asked, connection):
    return None


def half(asked, connection):
    connection.sendall(answer(b'{"id": 1, "na', length=100))


def half_chunk(asked, connection):
    connection.sendall(b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"a"')


@pytest.mark.parametrize("reply", [reset, close, half, half_chunk])
@pytest.mark.parametrize(("method", "uncertain"), [("GET", False), ("POST", True)])
def test_a_broken_connection_leaves_only_writing_uncertain(wire, reply, method, uncertain):
    error = failure(client_of(wire(reply)), method)
    assert isinstance(error, Temporary)
    assert (error.code, error.uncertain) == ("connection_broken", uncertain)
    assert "before it had answered completely" in error.message


def test_a_failure_while_another_is_handled_is_told_by_itself(wire):
    """Python chains the two; the first, which was certain, must not speak for the second."""
    client = client_of(wire(close))
    try:
        HttpClient("http://127.0.0.1:9").request("POST", "/x")
    except Temporary as first:
        assert not first.uncertain
        error = failure(client, "POST")
    assert (error.code, error.uncertain) == ("connection_broken", True)


def trickled_body(asked, connection):
    connection.sendall(answer(b"", length=10_000))
    for _byte in range(100):
        connection.sendall(b" ")
        time.sleep(0.02)


def trickled_head(asked, connection):
    for _byte in range(100):
        connection.sendall(b"H")
        time.sleep(0.02)


def trickled_without_length(asked, connection):
    connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
    for _byte in range(100):
        connection.sendall(b" ")
        time.sleep(0.02)


@pytest.mark.parametrize("reply", [trickled_body, trickled_head, trickled_without_length])
def test_an_answer_that_trickles_in_is_cut_off(wire, reply):
    started = time.monotonic()
    error = failure(client_of(wire(reply), total_timeout=0.3), "POST")
    assert (error.code, error.uncertain) == ("timeout", True)
    assert time.monotonic() - started < 1.5


def test_an_endless_answer_is_not_read_to_the_end(wire):
    sent = []

    def endless(asked, connection):
        connection.sendall(answer(b"", length=10**9))
        for _block in range(1000):
            connection.sendall(b"x" * 100_000)
            sent.append(1)

    error = failure(client_of(wire(endless), max_response_bytes=1_000_000), "POST")
    assert isinstance(error, Temporary)
    assert (error.code, error.uncertain) == ("oversized_answer", True)
    assert len(sent) < 500


def test_after_a_failure_the_next_request_gets_a_fresh_connection(wire):
    answers = iter([None, answer({"ok": 1})])
    client = client_of(wire(lambda *_: next(answers)))
    failure(client)
    assert client.request("GET", "/x").json() == {"ok": 1}


# === ANSWERS THAT ARE NO USE === #


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (answer(b'{"id": 1, "na'), "malformed_answer"),
        (answer(b""), "malformed_answer"),
        (answer(b'<b>Warning</b>: in plugin.php<br />\n{"id": 1}'), "malformed_answer"),
        (page("It works!"), "web_page"),
        (page("It works!").replace(b"text/html", b"application/json"), "web_page"),
    ],
)
@pytest.mark.parametrize(("method", "uncertain"), [("GET", False), ("POST", True)])
def test_what_is_no_json_may_still_have_been_done(wire, reply, code, method, uncertain):
    error = failure(client_of(wire(reply)), method)
    assert isinstance(error, Temporary)
    assert (error.code, error.uncertain) == (code, uncertain)


def test_a_page_is_fine_where_one_is_expected(wire):
    response = client_of(wire(page("Hello"))).request("GET", "/", expect_json=False)
    assert response.is_page
    assert "Hello" in response.text


@pytest.mark.parametrize(
    ("reply", "kind", "code"),
    [
        (answer(status="429 Too Many Requests"), RateLimited, "429"),
        (answer(status="500 Oops"), Temporary, "500"),
        (page(status="502 Bad Gateway"), Temporary, "502"),
        (page(status="520 Unknown"), Temporary, "520"),
        (answer(status="408 Request Timeout"), Temporary, "408"),
        (answer({"message": "no"}, status="401 Unauthorized"), AuthenticationFailed, "401"),
        (page(status="401 Unauthorized"), Temporary, "blocked"),
        (page(status="403 Forbidden"), Temporary, "blocked"),
        (answer(status="403 Forbidden"), Rejected, "403"),
        (answer(status="404 Not Found"), Missing, "404"),
        (page(status="404 Not Found"), Temporary, "page_not_found"),
        (answer(status="422 Unprocessable"), Rejected, "422"),
    ],
)
def test_every_status_has_its_class(wire, reply, kind, code):
    error = failure(client_of(wire(reply)))
    assert type(error) is kind
    assert error.code == code


@pytest.mark.parametrize(("method", "uncertain"), [("GET", False), ("POST", True)])
def test_a_server_error_leaves_only_writing_uncertain(wire, method, uncertain):
    error = failure(client_of(wire(page(status="500 Oops"))), method)
    assert error.uncertain is uncertain


def test_retry_after_is_passed_on(wire):
    error = failure(client_of(wire(answer(status="429 Slow", retry_after="7"))))
    assert (type(error), error.retry_after) == (RateLimited, 7)
    error = failure(client_of(wire(page(status="503 Maintenance", retry_after="600"))))
    assert (type(error), error.retry_after) == (Temporary, 600)


def test_the_platform_is_asked_first_what_a_refusal_means(wire):
    server = wire(answer({"code": "special"}, status="400 Bad"))

    def interpret(response):
        return Missing("gone", code=response.data["code"])

    assert failure(client_of(server), interpret=interpret).code == "special"
    assert type(failure(client_of(server), interpret=lambda response: None)) is Rejected


def test_the_stores_words_come_without_markup_and_secrets():
    text = plain_words(
        "<p>Sorry,\n you &amp; <b>ck_0123456789abcdef0123456789abcdef</b> may not</p>"
    )
    assert text == "Sorry, you & *** may not"
    assert len(plain_words("word " * 1000)) <= 301


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("120", 120),
        (" 1.5 ", 1.5),
        ("0", 0),
        ("999999999", 86400),
        ("-5", None),
        ("soon", None),
        ("", None),
        (None, None),
        ("Sun, 01 Mar 2026 12:00:30 GMT", 30),
        ("Sunday, 01-Mar-26 12:00:30 GMT", 30),
        ("Sun, 01 Mar 2026 11:00:00 GMT", 0),
        ("Sun, 01 Mar 2099 11:00:00 GMT", 86400),
        ("Sun, 99 Mar 2026 11:00:00 GMT", None),
    ],
)
def test_retry_after_is_read_as_seconds_or_date(value, expected):
    assert parse_retry_after(value, NOW) == expected


@given(st.text() | st.integers().map(str))
def test_no_retry_after_makes_it_fail(value):
    seconds = parse_retry_after(value, NOW)
    assert seconds is None or 0 <= seconds <= 86400


@given(st.integers(0, 86000))
def test_retry_after_dates_are_read_exactly(seconds):
    when = (NOW + timedelta(seconds=seconds)).strftime("%a, %d %b %Y %H:%M:%S GMT")
    assert parse_retry_after(when, NOW) == seconds


# === REDIRECTS === #


def moved(location, status="301 Moved Permanently"):
    return page(status=status, location=location)


def test_reading_follows_within_the_same_server(wire):
    def reply(asked, connection):
        return answer({"at": asked.target}) if asked.target == "/x/" else moved("/x/")

    server = wire(reply)
    client = client_of(server, auth=("user", "password"))
    assert client.request("GET", "/x").json() == {"at": "/x/"}
    assert all("authorization" in asked.headers for asked in server.asked)


def test_a_followed_request_is_signed_anew(wire):
    def reply(asked, connection):
        return answer() if asked.path == "/x/" else moved(asked.target.replace("/x?", "/x/?"))

    server = wire(reply)
    client_of(server, auth=OAuth1("ck_1", "cs_2")).request("GET", "/x", params={"page": 2})
    first, second = (parse_qs(asked.target.partition("?")[2]) for asked in server.asked)
    assert first["oauth_nonce"] != second["oauth_nonce"]
    assert first["page"] == second["page"] == ["2"]
    assert all(len(values) == 1 for values in second.values())


def test_a_circle_of_redirects_ends(wire):
    server = wire(moved("/x"))
    failure(client_of(server))
    assert len(server.asked) == 4


def test_credentials_never_go_to_another_host(wire):
    elsewhere = wire(answer())
    server = wire(moved(f"{elsewhere.url}/shop/wp-json/x"))
    error = failure(client_of(server, auth=("user", "password")), path="/wp-json/x")
    assert isinstance(error, Misconfigured)
    assert f"Set the connection's address to {elsewhere.url}/shop." in error.hint
    assert elsewhere.asked == []


def test_writing_is_never_redirected(wire):
    server = wire(moved("/x/"))
    error = failure(client_of(server), "POST", json={})
    assert isinstance(error, Misconfigured)
    assert [asked.method for asked in server.asked] == ["POST"]


@pytest.mark.parametrize(
    ("status", "location", "kind"),
    [
        (301, "https://shop.example/wp-json/x", Misconfigured),
        (302, "https://shop.example/wp-json/x", Misconfigured),
        (308, "https://www.shop.example/wp-json/x", Misconfigured),
        (302, "/maintenance", Temporary),
        (303, "https://login.example/?next=x", Temporary),
        (302, None, Temporary),
    ],
)
def test_a_redirect_says_where_the_store_is(status, location, kind):
    error = explain_redirect("POST", "http://shop.example/wp-json/x", status, location)
    assert type(error) is kind
    assert error.code == "redirected"
    if kind is Misconfigured:
        assert f"address to {location.removesuffix('/wp-json/x')}." in error.hint


@pytest.mark.parametrize(
    ("url", "target", "expected"),
    [
        ("http://a.example/wp-json/x", "https://a.example/wp-json/x", "https://a.example"),
        ("http://a.example/s/wp-json/x", "http://b.example/t/wp-json/x", "http://b.example/t"),
        ("http://a.example/api/x", "https://a.example/api/x", "https://a.example"),
        ("http://a.example/wp-json/x", "https://u:p@a.example/login", "https://a.example"),
    ],
)
def test_the_right_address_is_told(url, target, expected):
    assert right_address(url, target) == expected


# === ENCRYPTION === #


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("tls"))


def key_usage(is_authority):
    from cryptography import x509

    names = "digital_signature content_commitment key_encipherment data_encipherment key_agreement"
    names += " key_cert_sign crl_sign encipher_only decipher_only"
    used = {"key_cert_sign", "crl_sign"} if is_authority else {"digital_signature"}
    return x509.KeyUsage(**{name: name in used for name in names.split()})


class Authority:
    """A certificate authority of our own, and certificates with one thing wrong."""

    def __init__(self, folder):
        self.folder = folder
        self.key, self.certificate = self._issue("Test authority", is_authority=True)
        self.file = folder / "authority.pem"
        self.file.write_bytes(self._pem(self.certificate))

    def context(self, name="127.0.0.1", self_signed=False, days=(-1, 1), chain_of=None):
        key, certificate = self._issue(name, days=days, self_signed=self_signed)
        path = self.folder / f"{time.monotonic_ns()}.pem"
        path.write_bytes(self._pem(key) + self._pem(certificate))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context

    @staticmethod
    def _pem(thing):
        from cryptography.hazmat.primitives import serialization as form

        if hasattr(thing, "private_bytes"):
            return thing.private_bytes(
                form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption()
            )
        return thing.public_bytes(form.Encoding.PEM)

    def _issue(self, name, is_authority=False, days=(-1, 1), self_signed=False):
        import ipaddress

        from cryptography import x509
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import ec

        key = ec.generate_private_key(ec.SECP256R1())
        own = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        alone = is_authority or self_signed
        now = datetime.now(timezone.utc)
        builder = (
            x509.CertificateBuilder()
            .subject_name(own)
            .issuer_name(own if alone else self.certificate.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + timedelta(days=days[0]))
            .not_valid_after(now + timedelta(days=days[1]))
            .add_extension(x509.BasicConstraints(is_authority, None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
            .add_extension(key_usage(is_authority), critical=True)
        )
        if not alone:
            issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
            builder = builder.add_extension(issuer, critical=False)
        if not is_authority:
            is_ip = name[0].isdigit()
            spoken = x509.IPAddress(ipaddress.ip_address(name)) if is_ip else x509.DNSName(name)
            names = x509.SubjectAlternativeName([spoken])
            builder = builder.add_extension(names, critical=False)
        return key, builder.sign(key if alone else self.key, hashes.SHA256())


def test_a_good_certificate_is_accepted(wire, authority):
    server = wire(answer({"ok": 1}), tls=authority.context())
    assert client_of(server, verify=str(authority.file)).request("GET", "/x").json() == {"ok": 1}


def test_authorities_of_the_environment_are_trusted(wire, authority, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.file))
    server = wire(answer({"ok": 1}), tls=authority.context())
    assert client_of(server).request("GET", "/x").json() == {"ok": 1}


def test_verification_can_be_switched_off(wire, authority):
    server = wire(answer({"ok": 1}), tls=authority.context(self_signed=True))
    with pytest.warns(match="Unverified HTTPS"):
        assert client_of(server, verify=False).request("GET", "/x").json() == {"ok": 1}


@pytest.mark.parametrize(
    ("flaw", "trusted", "kind", "code"),
    [
        ({"days": (-3, -1)}, True, Temporary, "tls_certificate_expired"),
        ({"days": (1, 3)}, True, Temporary, "tls_certificate_not_yet_valid"),
        ({"name": "other.example"}, True, Misconfigured, "tls_certificate_other_name"),
        ({"self_signed": True}, True, Misconfigured, "tls_certificate_self_signed"),
        ({}, False, Misconfigured, "tls_certificate_unknown_issuer"),
    ],
)
def test_each_flaw_of_a_certificate_has_its_words(wire, authority, flaw, trusted, kind, code):
    server = wire(answer(), tls=authority.context(**flaw))
    verify = str(authority.file) if trusted else True
    error = failure(client_of(server, verify=verify), "POST", json={})
    assert type(error) is kind
    assert (error.code, error.uncertain) == (code, False)
    assert server.url.removeprefix("https://") in error.message
    assert server.asked == []


def test_other_flaws_are_told_in_openssls_words():
    error = certificate_error(85, "shop.example", "Missing Authority Key Identifier")
    assert isinstance(error, Misconfigured)
    assert "Missing Authority Key Identifier" in error.message


def test_https_where_http_is_spoken_is_recognised(wire):
    server = wire(answer())
    error = failure(HttpClient(server.url.replace("http:", "https:"), timeouts=(2, 2)))
    assert isinstance(error, Misconfigured)
    assert error.code == "tls_not_spoken"


def test_an_encrypted_answer_that_trickles_in_is_cut_off(wire, authority):
    server = wire(trickled_body, tls=authority.context())
    client = client_of(server, verify=str(authority.file), total_timeout=0.3)
    assert failure(client).code == "timeout"


# === RECORDS === #

SECRET = "cs_0123456789abcdef0123456789abcdef01234567"


def test_every_request_is_on_record(wire):
    server = wire(answer({"id": 7, "email": "ann@mail.example"}, cf_ray="ray-1"))
    client = client_of(server)
    with client.recording() as exchanges:
        client.request(
            "POST", "/orders?consumer_secret=abc&page=1", json={"billing": {"phone": "1"}}
        )
    (exchange,) = exchanges
    assert (exchange.method, exchange.status, exchange.error) == ("POST", 200, "")
    assert exchange.url == f"{server.url}/orders?consumer_secret=***&page=1"
    assert exchange.remote_request_id == "ray-1"
    assert exchange.request_summary == '{"billing": {"phone": "***"}}'
    assert exchange.response_summary == '{"id": 7, "email": "***"}'
    assert exchange.started_at.tzinfo is None
    assert abs(datetime.now(timezone.utc).replace(tzinfo=None) - exchange.started_at) < timedelta(
        minutes=1
    )
    assert 0 < exchange.duration < 10


def test_a_failed_request_is_on_record_with_its_error(wire):
    client = client_of(wire(page("<b>Oops</b>", status="500 Oops")))
    with client.recording() as exchanges:
        error = failure(client, "POST")
    (exchange,) = exchanges
    assert (exchange.status, exchange.error) == (500, error.message)
    assert "Oops" in exchange.response_summary


def test_a_request_without_answer_is_on_record():
    client = HttpClient("http://127.0.0.1:9")
    with client.recording() as exchanges:
        failure(client)
    assert exchanges[0].status is None
    assert exchanges[0].error


def test_records_belong_to_the_thread_that_asked(wire):
    client = client_of(wire(answer()))
    with client.recording() as exchanges:
        other = threading.Thread(target=client.request, args=("GET", "/other"))
        other.start()
        other.join()
        client.request("GET", "/own")
    assert [exchange.target.rpartition("/")[2] for exchange in exchanges] == ["own"]


def test_records_nest_and_end(wire):
    client = client_of(wire(answer()))
    with client.recording() as outer:
        client.request("GET", "/1")
        with client.recording() as inner:
            client.request("GET", "/2")
    client.request("GET", "/3")
    assert (len(outer), len(inner)) == (2, 1)


def test_known_secrets_show_nowhere(wire, caplog):
    """Even where no pattern would know them."""
    plain = "correct horse"
    server = wire(answer({"message": f"no {plain}, {SECRET}"}, status="400 Bad"))
    client = client_of(server, auth=("user", SECRET))
    client.hide(plain)
    with caplog.at_level(logging.DEBUG, http.__name__), client.recording() as exchanges:
        error = failure(client, "POST", json={"note": plain})
    shown = repr(
        [
            error.message,
            str(error),
            exchanges,
            exchanges[0].request_summary,
            exchanges[0].response_summary,
            exchanges[0].error,
            exchanges[0].url,
        ]
    )
    own_log = "".join(
        record.getMessage() for record in caplog.records if record.name == http.__name__
    )
    assert own_log.startswith("POST /x: 400 in ")
    for secret in (plain, SECRET):
        assert secret not in shown
        assert secret not in own_log


def test_a_large_exchange_is_summarized_in_bounds(wire):
    items = [{"id": number, "name": "Mug " * 50} for number in range(500)]
    client = client_of(wire(answer({"update": items})))
    with client.recording() as exchanges:
        client.request("POST", "/batch", json={"update": items})
    assert len(exchanges[0].request_summary) <= 2001
    assert len(exchanges[0].response_summary) <= 2001


# === THE RATE LIMIT === #


def test_the_rate_limit_is_asked_before_each_request(wire):
    costs = []
    server = wire(answer())
    client = client_of(server, before_request=lambda cost: costs.append((cost, len(server.asked))))
    client.request("GET", "/1")
    client.request("GET", "/2")
    assert costs == [(1, 0), (1, 1)]


def test_a_refusing_rate_limit_stops_the_request(wire):
    def refuse(cost):
        raise RateLimited("later", retry_after=3)

    server = wire(answer())
    error = failure(client_of(server, before_request=refuse))
    assert (type(error), error.retry_after) == (RateLimited, 3)
    assert server.asked == []


# === THE OTHER SIDE'S OWN LIMIT === #


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"RateLimit-Remaining": "0", "RateLimit-Reset": "30"}, 30.0),
        ({"RateLimit-Remaining": "1", "RateLimit-Reset": "30"}, 0.0),
        ({"RateLimit-Remaining": "0"}, 0.0),
        ({"RateLimit-Reset": "30"}, 0.0),
        ({"RateLimit-Remaining": "0", "RateLimit-Reset": "soon"}, 0.0),
        ({"RateLimit-Remaining": "0", "RateLimit-Reset": "999999999"}, 24 * 3600.0),
        ({}, 0.0),
    ],
)
def test_a_limit_told_beside_an_answer_is_read(headers, expected):
    assert parse_rate_limit(headers) == expected


def test_a_used_up_limit_is_passed_on_and_the_answer_still_counts(wire):
    server = wire(lambda *_: answer({"id": 1}, RateLimit_Remaining=0, RateLimit_Reset=7))
    heard = []
    client = client_of(server, put_off=heard.append)
    assert client.request("GET", "/x").json() == {"id": 1}
    assert heard == [7.0]

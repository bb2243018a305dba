"""The one sender of HTTP requests: bounded in time and size, typed in its errors, on record.

Nothing else in the addon calls ``requests``. A client belongs to one connection and is shared by
the threads of a worker; its network connections are kept alive between requests.
"""

import json as jsonlib
import logging
import os
import socket
import sys
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timezone
from http.cookiejar import DefaultCookiePolicy
from urllib.parse import urljoin, urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import NewConnectionError

from . import failures
from .address_guard import ForbiddenAddress
from .errors import SyncError
from .redaction import MASK, redact_url, summarize

_logger = logging.getLogger(__name__)

USER_AGENT = "Commerce-Sync/1.0 (Odoo)"
#: Seconds to connect, and seconds of silence while an answer is awaited.
DEFAULT_TIMEOUTS = (10.0, 60.0)
#: Seconds from the first to the last byte of an answer, whatever trickles in.
DEFAULT_TOTAL = 180.0
MAX_RESPONSE_BYTES = 64 * 1024 * 1024
MAX_REDIRECTS = 3
CHUNK = 64 * 1024
#: How the other side names a request in its own logs.
REQUEST_ID_HEADERS = (
    "X-Request-Id",
    "Request-Id",
    "X-Correlation-Id",
    "X-Amzn-RequestId",
    "CF-Ray",
)
#: Where administrators tell programs of their own certificate authority.
CA_BUNDLE_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
#: ``auth=`` of a request that must not carry the connection's credentials.
ANONYMOUS = object()


# === WHAT COMES BACK === #


@dataclass
class Exchange:
    """One request and what came of it, for the log. Address and summaries are redacted, and made
    only when they are read.

    ``started_at`` is UTC without a time zone; ``duration`` is in seconds; ``status`` is ``None``
    where no answer came; ``error`` is the message of the error, where there was one.
    """

    method: str
    target: str = field(repr=False)
    sent: object = field(default=None, repr=False)
    started_at: datetime | None = None
    duration: float = 0.0
    status: int | None = None
    remote_request_id: str = ""
    error: str = ""
    received: object = field(default=None, repr=False)
    scrub: object = field(default=str, repr=False)

    @property
    def url(self):
        return self.scrub(redact_url(self.target))

    @property
    def request_summary(self):
        return self.scrub(summarize(self.sent))

    @property
    def response_summary(self):
        return self.scrub(summarize(self.received))


@dataclass
class Response:
    """An answer, read completely. ``data`` is its JSON, ``None`` where it has none."""

    status: int
    headers: dict
    body: bytes = field(repr=False)
    url: str = ""
    method: str = "GET"
    data: object = field(default=None, repr=False)
    is_json: bool = False
    exchange: Exchange | None = field(default=None, repr=False)

    @property
    def text(self):
        return self.body.decode("utf-8", "replace")

    @property
    def is_page(self):
        """Whether this is a web page, whatever its header claims."""
        kind = (self.headers.get("Content-Type") or "").lower()
        head = self.body[:200].lstrip().lower()
        return not self.is_json and ("html" in kind or head.startswith((b"<!doctype", b"<html")))

    def json(self):
        """The parsed JSON.

        :raise Temporary: the answer is no JSON
        """
        if not self.is_json:
            raise failures.malformed_error(self.method, self.url, self.is_page)
        return self.data


# === CUTTING OFF IN TIME === #


class _Watchdog:
    """Ends a request whose time is up, even while bytes trickle in: a read timeout only bounds the
    silence between two of them."""

    def __init__(self, seconds):
        self.expired = False
        self._socket = None
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True

    def __enter__(self):
        _sending.watchdog = self
        self._timer.start()
        return self

    def __exit__(self, *_exc):
        _sending.watchdog = None
        self._timer.cancel()
        self._socket = None

    def watch(self, sock):
        self._socket = sock
        if self.expired:
            self._cut()

    def _cut(self):
        self.expired = True
        # A plain socket's shutdown wakes the reader and leaves the TLS object alone, which the
        # reader is using. No socket yet: the connect timeout applies.
        with suppress(OSError, TypeError):
            socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


class _Sending(threading.local):
    """The watchdog of the request this thread is sending, and who says where it may go."""

    watchdog = None
    guard = None


_sending = _Sending()


def _watched(connection_class):
    class WatchedConnection(connection_class):
        def _new_conn(self):
            guard = _sending.guard
            if not guard:
                return connection_class._new_conn(self)
            asked = self._dns_host
            *others, last = guard.resolve(asked, self.port)
            try:
                # connect to the address that was judged, whatever DNS says the next time
                for self._dns_host in others:
                    with suppress(NewConnectionError):
                        return connection_class._new_conn(self)
                self._dns_host = last
                return connection_class._new_conn(self)
            finally:
                self._dns_host = asked

        def getresponse(self, *args, **kwargs):
            if _sending.watchdog:
                _sending.watchdog.watch(self.sock)
            return super().getresponse(*args, **kwargs)

    return WatchedConnection


class _HTTPPool(HTTPConnectionPool):
    ConnectionCls = _watched(HTTPConnectionPool.ConnectionCls)


class _HTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _watched(HTTPSConnectionPool.ConnectionCls)


class _PooledAdapter(HTTPAdapter):
    def init_poolmanager(self, *args, **kwargs):
        result = super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _HTTPPool, "https": _HTTPSPool}
        return result


# === THE CLIENT === #


class HttpClient:
    """Sends requests to one store.

    An adapter completes it when it takes it over: ``auth``, ``verify`` and the secrets that must
    never show (:meth:`hide`).
    """

    def __init__(
        self,
        base_url,
        auth=None,
        headers=None,
        timeouts=DEFAULT_TIMEOUTS,
        pool_size=8,
        before_request=None,
        put_off=None,
        verify=True,
        max_response_bytes=MAX_RESPONSE_BYTES,
        total_timeout=DEFAULT_TOTAL,
        guard=None,
    ):
        """
        :param auth: anything ``requests`` takes: ``(user, password)`` or an ``AuthBase``
        :param timeouts: seconds to connect, seconds of silence
        :param before_request: called with ``cost=1`` before each request; may wait or raise
            :class:`RateLimited`
        :param put_off: called with the seconds for which the other side says, beside an answer,
            that it takes nothing more
        :param verify: whether certificates are verified, or the path of a CA bundle
        :param total_timeout: seconds an answer may take in all
        :param guard: the :class:`address_guard.AddressGuard`; ``None``: any address will do
        """
        self.guard = guard
        self.base_url = base_url.rstrip("/")
        self.auth = auth
        self.timeouts = timeouts
        self.before_request = before_request
        self.put_off = put_off
        self.verify = verify
        self.max_response_bytes = max_response_bytes
        self.total_timeout = total_timeout
        self._secrets = ()
        self._recorders = threading.local()
        self._session = self._prepare_session(headers, pool_size)

    @staticmethod
    def _prepare_session(headers, pool_size):
        session = requests.Session()
        # No proxy, no .netrc from the environment: credentials go where the connection says.
        session.trust_env = False
        session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        session.headers.update({"User-Agent": USER_AGENT, "Accept": "application/json"})
        session.headers.update(headers or {})
        adapter = _PooledAdapter(pool_connections=4, pool_maxsize=pool_size, max_retries=0)
        session.mount("https://", adapter)
        session.mount("http://", adapter)
        return session

    def hide(self, *secrets):
        """Texts that are masked in every record, wherever they show up."""
        self._secrets += tuple(secret for secret in secrets if secret and len(secret) > 3)

    def close(self):
        self._session.close()

    def url(self, path_or_url):
        if path_or_url.startswith(("http://", "https://")):
            return path_or_url
        return f"{self.base_url}/{path_or_url.lstrip('/')}"

    # === RECORDS === #

    @contextmanager
    def recording(self):
        """Collect the requests this thread makes.

        :return: a list that grows by an :class:`Exchange` for each
        """
        exchanges = []
        stack = self._recorders.__dict__.setdefault("stack", [])
        stack.append(exchanges)
        try:
            yield exchanges
        finally:
            stack.remove(exchanges)

    def _record(self, exchange):
        for exchanges in getattr(self._recorders, "stack", ()):
            exchanges.append(exchange)
        _logger.debug(
            "%s %s: %s in %.0f ms",
            exchange.method,
            urlsplit(exchange.target).path,
            exchange.status or exchange.error,
            exchange.duration * 1000,
        )

    def _scrub(self, text):
        for secret in self._secrets:
            text = text.replace(secret, MASK)
        return text

    # === SENDING === #

    def request(
        self,
        method,
        path_or_url,
        *,
        params=None,
        json=None,
        data=None,
        headers=None,
        timeouts=None,
        auth=None,
        interpret=None,
        expect_json=True,
    ):
        """Send one request and read its answer.

        :param path_or_url: relative to the base address, or a whole address
        :param json: the body, as JSON values
        :param data: the body, as bytes, text or form fields
        :param auth: in the place of the client's own; :data:`ANONYMOUS` for none
        :param interpret: ``interpret(response)`` is asked first what a status of 400 and above
            means; it gives a :class:`SyncError`, or ``None`` to leave it to the general rules
        :param expect_json: whether an answer that is no JSON is an error
        :return: :class:`Response` with a status below 300
        :raise SyncError: every failure, typed
        """
        if self.before_request:
            self.before_request(cost=1)
        method, url = method.upper(), self.url(path_or_url)
        auth = self.auth if auth is None else None if auth is ANONYMOUS else auth
        prepared = self._prepare(method, url, params, json, data, headers, auth)
        exchange = Exchange(
            method,
            prepared.url,
            sent=data if json is None else json,
            started_at=datetime.now(timezone.utc).replace(tzinfo=None),
            scrub=self._scrub,
        )
        started = time.monotonic()
        try:
            response = self._send(prepared, exchange, timeouts or self.timeouts, auth)
            return self._accept(response, interpret, expect_json)
        except SyncError as error:
            error.message = exchange.error = self._scrub(error.message)
            error.args = (error.message,)
            raise
        finally:
            exchange.duration = time.monotonic() - started
            self._record(exchange)

    def _prepare(self, method, url, params, json, data, headers, auth):
        headers = dict(headers or {})
        if json is not None:
            headers.setdefault("Content-Type", "application/json")
            text = jsonlib.dumps(json, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
            data = text.encode()
        request = requests.Request(
            method, url, params=params, data=data, headers=headers, auth=auth
        )
        try:
            return self._session.prepare_request(request)
        except (requests.RequestException, UnicodeError) as error:
            raise failures.explain_exception(error, method, url) from error

    def _send(self, prepared, exchange, timeouts, auth):
        for _hop in range(MAX_REDIRECTS + 1):
            response = self._exchange(prepared, timeouts)
            exchange.status = response.status
            exchange.received = response.data if response.is_json else response.body
            exchange.remote_request_id = self._request_id(response)
            response.exchange = exchange
            self._heed(response)
            location = response.headers.get("Location")
            if not 300 <= response.status < 400 or response.status == 304:
                return response
            if not self._may_follow(prepared, location):
                break
            prepared = self._prepare_hop(prepared, urljoin(prepared.url, location), auth)
        raise failures.explain_redirect(prepared.method, prepared.url, response.status, location)

    def _heed(self, response):
        """Believe what the other side says of its own limit."""
        wait = failures.parse_rate_limit(response.headers)
        if wait and self.put_off:
            self.put_off(wait)

    @staticmethod
    def _may_follow(prepared, location):
        """Only what changes nothing, and only within the same server."""
        if not location or not failures.is_safe(prepared.method):
            return False
        here, there = urlsplit(prepared.url), urlsplit(urljoin(prepared.url, location))
        return (here.scheme, here.netloc) == (there.scheme, there.netloc)

    @staticmethod
    def _prepare_hop(prepared, url, auth):
        hop = prepared.copy()
        hop.prepare_url(url, None)
        hop.prepare_auth(auth, hop.url)  # a signature covers the address
        return hop

    @staticmethod
    def _request_id(response):
        found = (response.headers.get(name) for name in REQUEST_ID_HEADERS)
        return next((value for value in found if value), "")[:100]

    def _exchange(self, prepared, timeouts):
        """One request on the wire, its answer read to the end."""
        outer = sys.exc_info()[1]
        _sending.guard = self.guard
        with _Watchdog(self.total_timeout) as watchdog:
            try:
                raw = self._session.send(
                    prepared,
                    stream=True,
                    timeout=timeouts,
                    allow_redirects=False,
                    verify=self._verification(),
                )
                with raw:
                    body = self._read(raw, prepared)
            except ForbiddenAddress as error:
                raise error.as_error() from error
            except (requests.RequestException, OSError) as error:
                raise self._explain(error, prepared, timeouts, watchdog, outer) from error
            if watchdog.expired:
                raise failures.timeout_error(prepared.method, prepared.url, self.total_timeout)
        return self._parse(raw, prepared, body)

    def _verification(self):
        if self.verify is not True:
            return self.verify
        paths = (os.environ.get(name) for name in CA_BUNDLE_VARIABLES)
        return next((path for path in paths if path), True)

    def _explain(self, error, prepared, timeouts, watchdog, outer):
        method, url = prepared.method, prepared.url
        if watchdog.expired:
            return failures.timeout_error(method, url, self.total_timeout)
        connecting = isinstance(error, requests.exceptions.ConnectTimeout)
        seconds = timeouts[0] if connecting else timeouts[1]
        return failures.explain_exception(error, method, url, f"{seconds:g}", outer)

    def _read(self, raw, prepared):
        chunks, size = [], 0
        for chunk in raw.iter_content(CHUNK):
            chunks.append(chunk)
            size += len(chunk)
            if size > self.max_response_bytes:
                raise failures.oversized_error(
                    prepared.method, prepared.url, self.max_response_bytes
                )
        promised = raw.headers.get("Content-Length", "")
        # Older urllib3 takes a short body for a whole one.
        if promised.isdigit() and prepared.method != "HEAD" and raw.raw.tell() < int(promised):
            raise requests.exceptions.ChunkedEncodingError("the answer ended early")
        return b"".join(chunks)

    @staticmethod
    def _parse(raw, prepared, body):
        response = Response(
            raw.status_code, raw.headers, body, url=prepared.url, method=prepared.method
        )
        # utf-8-sig: some plugins let a byte order mark slip in front of every answer.
        with suppress(ValueError, RecursionError):
            response.data = jsonlib.loads(body.decode("utf-8-sig"))
            response.is_json = True
        return response

    def _accept(self, response, interpret, expect_json):
        if response.status >= 400:
            raise self._refused(response, interpret)
        if expect_json and not response.is_json and response.status not in (204, 304):
            response.json()
        return response

    @staticmethod
    def _refused(response, interpret):
        error = interpret(response) if interpret else None
        if error:
            return error
        data = response.data if isinstance(response.data, dict) else {}
        words = failures.plain_words(data.get("message"))
        now = datetime.now(timezone.utc)
        return failures.explain_status(response, response.method, response.url, now, words)

"""What went wrong on the wire, said in plain words and sorted into the typed errors.

Pure functions: exceptions, statuses and redirects of HTTP in, one error out. Platforms refine them
through ``interpret`` of :meth:`adapters.http.HttpClient.request`.
"""

import html
import re
import socket
import ssl
from datetime import timezone
from email.utils import parsedate_to_datetime
from urllib.parse import urljoin, urlsplit

import requests
from urllib3 import exceptions as urllib3_errors

from .errors import AuthenticationFailed, Misconfigured, Missing, RateLimited, Rejected, Temporary
from .redaction import cut, redact_text

#: Methods that change nothing: repeating them is harmless, so they are never uncertain.
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
#: The longest we let a store put us off.
LONGEST_WAIT = 24 * 3600.0
TAGS = re.S | re.I
#: How much of the store's own words goes into a message.
WORDS_LIMIT = 300

CHECK_ADDRESS = "Check the connection's address for typing errors, and open it in a browser."
RETRIED = "It is tried again by itself."

OTHER_NAME = 62
#: Flaws of certificates: numbers of OpenSSL, class, code, message, hint. An expired one is usually
#: renewed within hours, over there, so waiting helps; one that is not the store's, or that nobody
#: vouches for, needs a person.
#: https://docs.openssl.org/master/man3/X509_STORE_CTX_get_error/
CERTIFICATE_FLAWS = (
    (
        (10,),
        Temporary,
        "tls_certificate_expired",
        "The certificate of {host} has expired, so the connection is not safe.",
        f"The store's hosting provider must renew it. {RETRIED}",
    ),
    (
        (9,),
        Temporary,
        "tls_certificate_not_yet_valid",
        "The certificate of {host} is not valid yet.",
        f"Check the clock of the Odoo server and of the store. {RETRIED}",
    ),
    (
        (OTHER_NAME, 64),
        Misconfigured,
        "tls_certificate_other_name",
        "The certificate {host} shows is made out to another name.",
        "Use the address the certificate is made out to (with or without www).",
    ),
    (
        (18, 19),
        Misconfigured,
        "tls_certificate_self_signed",
        "The certificate of {host} is signed by itself: nobody vouches for it.",
        "Install a certificate of a public authority in the store, or make the store's own "
        "authority known to the Odoo server (REQUESTS_CA_BUNDLE).",
    ),
    (
        (2, 20, 21),
        Misconfigured,
        "tls_certificate_unknown_issuer",
        "The certificate of {host} cannot be verified: its issuer is not known.",
        "Often the store's server does not send the intermediate certificate; its hosting provider "
        "can mend that.",
    ),
)
OTHER_FLAW = (
    Misconfigured,
    "tls_certificate_invalid",
    "The certificate of {host} cannot be verified: {words}.",
    "The store's hosting provider can mend that.",
)


def host_of(url):
    """``shop.example:8080`` of an address, never its user and password."""
    return urlsplit(url).netloc.rpartition("@")[2] or url


def is_safe(method):
    return method.upper() in SAFE_METHODS


def parse_retry_after(value, now):
    """Seconds to wait.

    :param str value: the header: seconds, or an HTTP date
    :param datetime now: the current time, with its time zone
    :return: seconds from 0 to one day; ``None`` where the header is missing or makes no sense
    """
    value = (value or "").strip()
    if re.fullmatch(r"\d{1,12}(\.\d+)?", value):
        return min(float(value), LONGEST_WAIT)
    try:
        when = parsedate_to_datetime(value)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
    if when.tzinfo is None:
        when = when.replace(tzinfo=timezone.utc)
    return min(max((when - now).total_seconds(), 0.0), LONGEST_WAIT)


def parse_rate_limit(headers):
    """How long the other side takes nothing more, from what it says of its limit beside an answer
    (``RateLimit-Remaining: 0``, ``RateLimit-Reset: 30``).

    https://datatracker.ietf.org/doc/html/draft-ietf-httpapi-ratelimit-headers-06 (WooCommerce's
    Store API and many hosts send these)

    :return: seconds; ``0.0`` where there is room, or nothing is said
    """
    remaining = (headers.get("RateLimit-Remaining") or "").strip()
    reset = (headers.get("RateLimit-Reset") or "").strip()
    if remaining != "0" or not re.fullmatch(r"\d{1,9}", reset):
        return 0.0
    return min(float(reset), LONGEST_WAIT)


def plain_words(text):
    """The store's own words, fit for a message: no markup, no secrets, not too long."""
    text = str(text or "")[: 10 * WORDS_LIMIT]
    text = re.sub(r"<(script|style)\b.*?</\1>|</?(p|br|div|li|h\d)\b[^>]*>", " ", text, flags=TAGS)
    text = re.sub(r"<[^>]*>", "", text)
    return cut(redact_text(" ".join(html.unescape(text).split())), WORDS_LIMIT)


# === NO ANSWER, OR HALF OF ONE === #


def explain_exception(error, method, url, seconds="", outer=None):
    """The typed error for an exception of ``requests``.

    :param seconds: the time limit that applied, for the message
    :param outer: the exception that was being handled when the request was made, if any: Python
        chains it, but it tells nothing of this request
    """
    causes = list(_causes(error, outer))
    for explain in (_explain_address, _explain_tls, _explain_unsent, _explain_silence):
        found = explain(causes, method, url, seconds)
        if found:
            return found
    return _explain_broken(causes, method, url)


def _causes(error, outer):
    """The exception and everything it wraps."""
    seen, waiting = {id(outer)}, [error]
    while waiting:
        current = waiting.pop(0)
        if not isinstance(current, BaseException) or id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        waiting += [current.__cause__, current.__context__, getattr(current, "reason", None)]
        waiting += current.args


def _first(causes, *kinds):
    return next((cause for cause in causes if isinstance(cause, kinds)), None)


def _explain_address(causes, method, url, seconds):
    wrong = _first(
        causes,
        requests.exceptions.InvalidURL,
        requests.exceptions.MissingSchema,
        requests.exceptions.InvalidSchema,
        urllib3_errors.LocationParseError,
    )
    if wrong:
        return Misconfigured(
            f"'{redact_text(url)}' is not an address a request can be sent to.",
            hint="Set the connection's address, for example https://www.example.com.",
            code="invalid_address",
        )
    return None


def _explain_tls(causes, method, url, seconds):
    certificate = _first(causes, ssl.SSLCertVerificationError)
    if certificate:
        number = getattr(certificate, "verify_code", OTHER_NAME)
        words = getattr(certificate, "verify_message", "")
        return certificate_error(number, host_of(url), words)
    # Older urllib3 compares the names itself.
    if any(type(cause).__name__ == "CertificateError" for cause in causes):
        return certificate_error(OTHER_NAME, host_of(url))
    if not _first(causes, ssl.SSLError, requests.exceptions.SSLError):
        return None
    words = " ".join(str(cause) for cause in causes).upper()
    if "WRONG_VERSION_NUMBER" in words or "HTTP_REQUEST" in words or "RECORD_LAYER" in words:
        return Misconfigured(
            f"{host_of(url)} does not answer with an encrypted connection (https) at this address.",
            hint="Check the address: http or https, and the port number.",
            code="tls_not_spoken",
        )
    return Temporary(
        f"The encrypted connection (TLS) to {host_of(url)} failed.",
        hint=f"{RETRIED} If it stays so, ask the store's hosting provider.",
        code="tls_failed",
        uncertain=not is_safe(method),
    )


def certificate_error(verify_code, host, words=""):
    """
    :param int verify_code: OpenSSL's number for what is wrong
    :param str words: and its words
    """
    found = (flaw[1:] for flaw in CERTIFICATE_FLAWS if verify_code in flaw[0])
    error_class, code, message, hint = next(found, OTHER_FLAW)
    return error_class(message.format(host=host, words=words), hint=hint, code=code)


def _explain_unsent(causes, method, url, seconds):
    """Failures before anything was sent: nothing can have happened over there."""
    host = host_of(url)
    if _first(causes, socket.gaierror):
        return Temporary(
            f"No server named {host} was found.", hint=CHECK_ADDRESS, code="host_not_found"
        )
    if _first(causes, ConnectionRefusedError):
        return Temporary(
            f"{host} refuses connections: no web server is listening there.",
            hint=f"The store's server is down, or the address is wrong. {RETRIED}",
            code="connection_refused",
        )
    # urllib3 counts every failure to connect as a kind of ConnectTimeoutError.
    if _first(causes, urllib3_errors.NewConnectionError):
        return Temporary(
            f"{host} cannot be reached from the Odoo server.",
            hint=f"Check the network of the Odoo server. {RETRIED}",
            code="unreachable",
        )
    if _first(causes, requests.exceptions.ConnectTimeout, urllib3_errors.ConnectTimeoutError):
        return Temporary(
            f"{host} did not accept a connection within {seconds} seconds.",
            hint=f"The store's server is down or a firewall is in between. {RETRIED}",
            code="connect_timeout",
        )
    return None


def _explain_silence(causes, method, url, seconds):
    if not _first(causes, requests.exceptions.Timeout, urllib3_errors.TimeoutError, TimeoutError):
        return None
    return timeout_error(method, url, seconds)


def timeout_error(method, url, seconds):
    return Temporary(
        f"{host_of(url)} did not answer within {seconds} seconds.",
        hint=f"The store is slow or overloaded. {RETRIED}",
        code="timeout",
        uncertain=not is_safe(method),
    )


def _explain_broken(causes, method, url):
    words = plain_words(str(causes[0]))
    broken = _first(
        causes,
        ConnectionError,
        urllib3_errors.ProtocolError,
        requests.exceptions.ChunkedEncodingError,
    )
    host = host_of(url)
    return Temporary(
        f"{host} broke the connection off before it had answered completely."
        if broken
        else f"The connection to {host} failed: {words}",
        hint=RETRIED,
        code="connection_broken",
        uncertain=not is_safe(method),
    )


# === ANSWERS THAT ARE NO USE === #


def malformed_error(method, url, is_page):
    what = (
        "answered with a web page instead of data"
        if is_page
        else "sent an answer that cannot be read"
    )
    return Temporary(
        f"{host_of(url)} {what}.",
        hint="Often a plugin, a firewall or a maintenance page of the store is in the way. "
        f"{RETRIED}",
        code="web_page" if is_page else "malformed_answer",
        uncertain=not is_safe(method),
    )


def oversized_error(method, url, limit):
    return Temporary(
        f"{host_of(url)} sent more than {limit // 1_000_000} MB in one answer; the rest was not "
        "read.",
        hint="Check that the connection's address is that of the store.",
        code="oversized_answer",
        uncertain=not is_safe(method),
    )


def explain_redirect(method, url, status, location):
    """The store sends us elsewhere. Followed, a POST would silently become a GET, and another host
    would be shown our credentials; so we say where the store really is."""
    target = urljoin(url, location or "")
    if not location or (_path(target) != _path(url) and status not in (301, 307, 308)):
        return Temporary(
            f"{host_of(url)} sends us to another page ({redact_text(_path(target))}) instead of "
            "answering.",
            hint="Often a maintenance or a sign-in page. Open the store in a browser.",
            code="redirected",
            uncertain=not is_safe(method),
        )
    return Misconfigured(
        f"{host_of(url)} says the store has moved to {_origin(target)}.",
        hint=f"Set the connection's address to {right_address(url, target)}.",
        code="redirected",
    )


def _origin(url):
    parts = urlsplit(url)
    return f"{parts.scheme}://{host_of(url)}"


def _path(url):
    return urlsplit(url).path.rstrip("/")


def right_address(url, target):
    """The address that, put in the place of the connection's, gives ``target``.

    >>> right_address("http://a.example/shop/wp-json/x", "https://www.a.example/shop/wp-json/x")
    'https://www.a.example/shop'
    """
    marker = _path(url).find("/wp-json")
    suffix = _path(url)[marker:] if marker >= 0 else _path(url)
    path = _path(target)
    return _origin(target) + (path[: -len(suffix)] if suffix and path.endswith(suffix) else "")


# === STATUSES === #


def explain_status(response, method, url, now, words=""):
    """The typed error for a status of 400 and above, where the platform has no rule of its own.

    :param response: with ``status``, ``headers`` and ``is_page``
    :param str words: what the store itself says, already fit for a message
    """
    host, status = host_of(url), response.status
    retry_after = parse_retry_after(response.headers.get("Retry-After"), now)
    said = f": {words}" if words else "."
    if status == 429:
        return RateLimited(
            f"{host} asks us to send fewer requests{said}",
            code="429",
            retry_after=retry_after,
            hint="Nothing to do: the request is sent again later. If this is frequent, lower the "
            "connection's rate limit.",
        )
    if status >= 500 or status in (408, 425):
        return _explain_server_error(response, method, url, retry_after, said)
    if response.is_page:
        return _explain_page(response, method, url)
    if status == 401:
        return AuthenticationFailed(f"{host} does not accept our credentials{said}", code="401")
    if status in (404, 410):
        return Missing(f"{host} does not know what was asked for{said}", code=str(status))
    return Rejected(f"{host} refuses the request (HTTP {status}){said}", code=str(status))


def _explain_server_error(response, method, url, retry_after, said):
    host, status = host_of(url), response.status
    if status == 503:
        message = f"{host} is not available at the moment (HTTP 503: maintenance or overload)"
    elif status == 408:
        message = f"{host} gave up waiting for our request (HTTP 408)"
    else:
        message = f"{host} has an error of its own (HTTP {status})"
    return Temporary(
        message + ("." if response.is_page else said),
        hint=f"{RETRIED} If it stays so, look into the store's error log.",
        code=str(status),
        retry_after=retry_after,
        uncertain=not is_safe(method),
    )


def _explain_page(response, method, url):
    if response.status in (401, 403):
        return Temporary(
            f"{host_of(url)} refuses us with a web page (HTTP {response.status}): a firewall or a "
            "password in front of the store.",
            hint="Let the address of the Odoo server through the store's firewall or security "
            f"plugin. {RETRIED}",
            code="blocked",
        )
    if response.status in (404, 410):
        return Temporary(
            f"{host_of(url)} has no page at the address of its API (HTTP {response.status}).",
            hint="Check the connection's address, and in the store that the permalinks are not "
            f"Plain and the plugin is active. {RETRIED}",
            code="page_not_found",
        )
    return malformed_error(method, url, is_page=True)

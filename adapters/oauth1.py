"""OAuth 1.0a without a token ("one-legged"), as WooCommerce wants it over plain HTTP.

https://www.rfc-editor.org/rfc/rfc5849 section 3; the parameters travel in the query, since PHP does
not always see the Authorization header:
https://woocommerce.github.io/woocommerce-rest-api-docs/#authentication-over-http
"""

import base64
import hashlib
import hmac
import secrets
import time
from urllib.parse import parse_qsl, quote, urlsplit, urlunsplit

from requests.auth import AuthBase

DEFAULT_PORTS = {"http": 80, "https": 443}
METHOD = "HMAC-SHA256"
FORM = "application/x-www-form-urlencoded"


def encode(text):
    """Percent encoding of RFC 5849 section 3.6: only letters, digits and ``-._~`` stay."""
    return quote(str(text), safe="-._~")


def base_uri(url):
    """The address as it is signed: section 3.4.1.2, without query and default port."""
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    host = f"[{host}]" if ":" in host else host
    port = parts.port
    if port and port != DEFAULT_PORTS.get(parts.scheme.lower()):
        host = f"{host}:{port}"
    return f"{parts.scheme.lower()}://{host}{parts.path or '/'}"


def normalize(parameters):
    """Section 3.4.1.3.2: encoded, sorted, joined.

    :param parameters: pairs of name and value, not encoded
    """
    pairs = sorted((encode(name), encode(value)) for name, value in parameters)
    return "&".join(f"{name}={value}" for name, value in pairs)


def base_string(method, url, parameters):
    """The text that is signed: section 3.4.1.1."""
    return "&".join((method.upper(), encode(base_uri(url)), encode(normalize(parameters))))


def sign(text, consumer_secret, digest=hashlib.sha256):
    """Section 3.4.2; the token secret is empty."""
    key = f"{encode(consumer_secret)}&".encode()
    return base64.b64encode(hmac.new(key, text.encode(), digest).digest()).decode()


class OAuth1(AuthBase):
    """Signs requests of the ``requests`` library."""

    def __init__(self, consumer_key, consumer_secret, clock=time.time, nonce=None):
        self._key = consumer_key
        self._secret = consumer_secret
        self._clock = clock
        self._nonce = nonce or (lambda: secrets.token_hex(16))

    def __call__(self, request):
        parts = urlsplit(request.url)
        # A redirect repeats the old signature.
        kept = "&".join(pair for pair in parts.query.split("&") if not pair.startswith("oauth_"))
        query = parse_qsl(kept, keep_blank_values=True)
        own = [
            ("oauth_consumer_key", self._key),
            ("oauth_nonce", self._nonce()),
            ("oauth_signature_method", METHOD),
            ("oauth_timestamp", str(int(self._clock()))),
        ]
        signed = query + own + self._form_fields(request)
        signature = sign(base_string(request.method, request.url, signed), self._secret)
        added = normalize([*own, ("oauth_signature", signature)])
        request.url = urlunsplit(parts._replace(query="&".join(filter(None, (kept, added)))))
        return request

    @staticmethod
    def _form_fields(request):
        """Only form fields of the body are signed; JSON is not (section 3.4.1.3.1)."""
        if FORM not in (request.headers.get("Content-Type") or ""):
            return []
        body = request.body or b""
        body = body.decode() if isinstance(body, bytes) else body
        return parse_qsl(body, keep_blank_values=True)

"""The ways to sign in to any system that speaks HTTP."""

import base64
import hashlib
import hmac
import threading
import time

from requests.auth import AuthBase

from . import standard_webhooks
from .errors import AuthenticationFailed
from .http import ANONYMOUS

#: Seconds before its end that a token is no longer used.
MARGIN = 60.0
DEFAULT_LIFE = 3600.0


class HeaderAuth(AuthBase):
    """A header with a secret in it."""

    def __init__(self, name, value):
        self.name, self.value = name, value

    def __call__(self, request):
        request.headers[self.name] = self.value
        return request


class HmacAuth(AuthBase):
    """A header with the HMAC-SHA256 of the body, as hexadecimal digits or base64."""

    def __init__(self, header, secret, encoding="hex", prefix=""):
        self.header, self.secret = header, secret
        self.encoding, self.prefix = encoding, prefix

    def __call__(self, request):
        digest = hmac.new(self.secret.encode(), body_of(request), hashlib.sha256).digest()
        text = digest.hex() if self.encoding == "hex" else base64.b64encode(digest).decode()
        request.headers[self.header] = self.prefix + text
        return request


class StandardWebhooksAuth(AuthBase):
    """Signs what carries a ``webhook-id``, with the current secret and the one before it."""

    def __init__(self, secrets):
        self.secrets = secrets

    def __call__(self, request):
        identity = request.headers.get(standard_webhooks.ID_HEADER)
        if identity:
            try:
                signed = standard_webhooks.headers(self.secrets, identity, body_of(request))
            except ValueError as error:
                raise AuthenticationFailed(
                    str(error), hint="Type the signing secret again: whsec_ and base64."
                ) from error
            request.headers.update(signed)
        return request


class ClientCredentials:
    """OAuth 2 client credentials (RFC 6749, 4.4). Shared by threads: one fetches, others wait."""

    def __init__(self, client, token_url, client_id, secret, scope="", clock=time.monotonic):
        self._client, self._url, self._scope = client, token_url, scope
        self._pair = client_id, secret
        self._clock = clock
        self._token, self._until = "", 0.0
        self._lock = threading.Lock()

    def auth(self, refused=None):
        """
        :param refused: the authentication that was not accepted
        :raise SyncError: no token can be had
        """
        with self._lock:
            stale = refused and refused.value == f"Bearer {self._token}"
            if not self._token or stale or self._clock() >= self._until:
                self._fetch()
            return HeaderAuth("Authorization", f"Bearer {self._token}")

    def _fetch(self):
        form = {"grant_type": "client_credentials"}
        form |= {"scope": self._scope} if self._scope else {}
        answer = self._client.request(
            "POST", self._url, data=form, auth=self._pair or ANONYMOUS, interpret=self._interpret
        ).json()
        token = answer.get("access_token") if isinstance(answer, dict) else None
        if not isinstance(token, str) or not token:
            raise AuthenticationFailed("The token address gives no access token.")
        life = answer.get("expires_in")
        life = float(life) if isinstance(life, (int, float)) else DEFAULT_LIFE
        self._client.hide(token)
        self._token, self._until = token, self._clock() + max(0.0, life - MARGIN)

    @staticmethod
    def _interpret(response):
        if response.status in (400, 401, 403):
            return AuthenticationFailed(
                f"The token address refuses client ID and secret (HTTP {response.status}).",
                hint="Type them again.",
            )
        return None


def body_of(request):
    """The body of a prepared request as bytes."""
    body = request.body or b""
    return body.encode() if isinstance(body, str) else body

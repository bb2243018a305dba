"""Signing in: a token that was pasted, or one that is fetched for the app's id and secret.

https://shopify.dev/docs/apps/build/authentication-authorization/access-tokens/client-credentials-grant
"""

import threading
import time

from requests.auth import AuthBase

from .errors import AuthenticationFailed, Misconfigured, SyncError
from .failures import plain_words
from .http import ANONYMOUS
from .shopify_errors import HINT_ADDRESS, HINT_TOKEN

TOKEN_PATH = "admin/oauth/access_token"
HEADER = "X-Shopify-Access-Token"
#: Seconds before its end that a token is no longer used.
MARGIN = 300.0
DEFAULT_LIFE = 24 * 3600.0


class TokenAuth(AuthBase):
    """Puts the token of the moment on every request."""

    def __init__(self, token):
        self.token = token

    def __call__(self, request):
        request.headers[HEADER] = self.token
        return request


class SignIn:
    """The token in use. Shared by threads: one of them fetches, the others wait for it."""

    def __init__(self, client, credentials, host, clock=time.monotonic):
        self._client = client
        self._host = host
        self._clock = clock
        self._pasted = credentials.get("access_token", "").strip()
        self._id = credentials.get("client_id", "").strip()
        self._secret = credentials.get("client_secret", "").strip()
        self._token, self._until = "", 0.0
        self._lock = threading.Lock()

    @property
    def renewable(self):
        """Whether a token can be fetched: only where none was pasted."""
        return bool(self._id and self._secret and not self._pasted)

    def auth(self, refused=None):
        """The authentication for a request.

        :param refused: the token that was used last and was not accepted
        :raise SyncError: no token can be had
        """
        if self._pasted:
            return TokenAuth(self._pasted)
        with self._lock:
            if not self._token or self._clock() >= self._until or refused == self._token:
                self._fetch()
            return TokenAuth(self._token)

    def _fetch(self):
        if not self.renewable:
            raise AuthenticationFailed(
                f"There is nothing to sign in to {self._host} with.",
                hint="Type client ID and client secret of the app, or an access token.",
                code="no_credentials",
            )
        form = {
            "grant_type": "client_credentials",
            "client_id": self._id,
            "client_secret": self._secret,
        }
        try:
            response = self._client.request(
                "POST", TOKEN_PATH, data=form, auth=ANONYMOUS, interpret=self._interpret
            )
        except SyncError as error:
            error.uncertain = False  # signing in changes nothing
            raise
        self._keep(response.json())

    def _keep(self, data):
        token = data.get("access_token") if isinstance(data, dict) else None
        if not isinstance(token, str) or not token:
            raise Misconfigured(
                f"{self._host} does not answer like a Shopify shop.",
                hint=HINT_ADDRESS,
                code="not_shopify",
            )
        life = data.get("expires_in")
        life = float(life) if isinstance(life, (int, float)) else DEFAULT_LIFE
        self._client.hide(token)
        self._token, self._until = token, self._clock() + max(0.0, life - MARGIN)

    def _interpret(self, response):
        """What a refused sign-in means: ``{error, error_description}``."""
        data = response.data if isinstance(response.data, dict) else {}
        code = str(data.get("error") or "")
        if response.status == 404:
            return Misconfigured(
                f"There is no Shopify shop at {self._host}.", hint=HINT_ADDRESS, code="no_shop"
            )
        if response.status >= 429 or not code:
            return None
        words = plain_words(data.get("error_description")) or code
        hint = HINTS.get(code, HINT_TOKEN)
        return AuthenticationFailed(
            f"{self._host} does not let the app sign in: {words}", hint=hint, code=code
        )


HINTS = {
    "shop_not_permitted": "Client ID and secret only work where app and shop belong to the same "
    "organization. Else paste an access token.",
    "app_not_installed": "Install the app in the shop, then press Resume.",
}

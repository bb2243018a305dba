"""Access tokens: one that lasts, and those an app gets for its id and secret.

https://shopify.dev/docs/apps/build/authentication-authorization/access-tokens/client-credentials-grant
"""

import json
import secrets
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import parse_qsl

from ..messages import json_response

ADDRESS = "/admin/oauth/access_token"
LIFETIME = timedelta(hours=24)


@dataclass
class Token:
    value: str
    scopes: tuple
    expires: object = None  # a moment, or None: it lasts


class Tokens:
    """The tokens in force. None is kept beyond the process: a token is only asked for anew."""

    def __init__(self, site):
        self._site = site
        self._issued = {}

    def find(self, value):
        """The token, or ``None`` where it is unknown, revoked or too old."""
        site = self._site
        if value and secrets.compare_digest(value.encode(), site.token.encode()):
            return Token(value, tuple(site.setting("scopes")))
        token = self._issued.get(value)
        return token if token and token.expires > site.clock() else None

    def revoke(self):
        """As when the app is installed anew, or its secret was rotated."""
        self._issued.clear()

    def issue(self):
        value = f"shpat_{secrets.token_hex(16)}"
        scopes = tuple(self._site.setting("scopes"))
        self._issued[value] = Token(value, scopes, self._site.clock() + LIFETIME)
        return self._issued[value]

    def respond(self, request):
        given = _fields(request)
        if given.get("grant_type") != "client_credentials":
            return _refuse("unsupported_grant_type", "The grant type is not supported.")
        if given.get("client_id") != self._site.client_id:
            return _refuse("application_cannot_be_found", "Could not find the app.")
        if given.get("client_secret") != self._site.client_secret:
            return _refuse("invalid_client", "Client authentication failed.")
        token = self.issue()
        seconds = int(LIFETIME.total_seconds()) - 1
        return json_response(
            {"access_token": token.value, "scope": ",".join(token.scopes), "expires_in": seconds}
        )


def _fields(request):
    """The form, or JSON: Shopify takes both."""
    try:
        data = json.loads(request.body)
        return data if isinstance(data, dict) else {}
    except ValueError:
        return dict(parse_qsl(request.body.decode("utf-8", "replace"), max_num_fields=20))


def _refuse(code, text):
    return json_response({"error": code, "error_description": text}, 400)

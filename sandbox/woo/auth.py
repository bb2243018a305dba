"""Who asks: keys, HTTP Basic and OAuth 1.0a.

includes/class-wc-rest-authentication.php. WooCommerce takes Basic over HTTPS only, and over plain
HTTP the one-legged OAuth of RFC 5849 (no token; the parameters in the query or in the header).
"""

import base64
import hashlib
import hmac
import re
import secrets
import threading
from dataclasses import asdict, dataclass
from urllib.parse import parse_qsl, quote, unquote

from .rest import ApiError, php_int, php_query

OAUTH_WINDOW = 15 * 60  # seconds a timestamp may be off, and a nonce is remembered
OAUTH_DIGESTS = {"HMAC-SHA1": hashlib.sha1, "HMAC-SHA256": hashlib.sha256}
OAUTH_REQUIRED = (
    "oauth_consumer_key",
    "oauth_timestamp",
    "oauth_nonce",
    "oauth_signature",
    "oauth_signature_method",
)
CREDENTIALS = ("consumer_key", "consumer_secret", *OAUTH_REQUIRED)
READING = ("GET", "HEAD")
PERMISSIONS = ("read", "write", "read_write")
REALM = (
    "WooCommerce API. Use a consumer key in the username field"
    " and a consumer secret in the password field."
)
_OAUTH_HEADER = re.compile(r'(oauth_[a-z_-]*)=(?:"([^"]*)"|([^,]*))')

# Of a user who may manage the shop, and of one who may not (the key of a mere customer).
ROLES = ("administrator", "shop_manager", "customer")


@dataclass
class Key:
    key: str
    secret: str
    permissions: str = "read_write"
    role: str = "administrator"

    def as_dict(self):
        return asdict(self)

    def check_method(self, method):
        """:raises ApiError: 401 where the key is only for the other kind of request"""
        if method == "OPTIONS":
            return
        need = "read" if method in READING else "write"
        if self.permissions not in (need, "read_write"):
            raise denied(f"The API key provided does not have {need} permissions.")


def new_key(permissions="read_write", role="administrator"):
    return Key(f"ck_{secrets.token_hex(20)}", f"cs_{secrets.token_hex(20)}", permissions, role)


def denied(message):
    return ApiError(401, "woocommerce_rest_authentication_error", message)


def forbidden(user, action):
    """The refusal of a route: 401 for a stranger, 403 for one who is known and may not.

    :param action: "list", "view", "create", "edit", "delete" or "batch"
    """
    messages = {
        "list": ("view", "Sorry, you cannot list resources."),
        "view": ("view", "Sorry, you cannot view this resource."),
        "create": ("create", "Sorry, you are not allowed to create resources."),
        "edit": ("edit", "Sorry, you are not allowed to edit this resource."),
        "delete": ("delete", "Sorry, you are not allowed to delete this resource."),
        "batch": ("batch", "Sorry, you are not allowed to batch manipulate this resource."),
    }
    verb, message = messages[action]
    return ApiError(403 if user else 401, f"woocommerce_rest_cannot_{verb}", message)


class Authenticator:
    def __init__(self):
        self._nonces = {}  # (key, nonce) -> when it was used
        self._lock = threading.Lock()

    def user(self, request, keys, require_oauth, now):
        """The key that made the request, or None for a stranger.

        :param keys: ``{consumer key: Key}``
        :param now: Unix seconds
        :raises ApiError: for credentials that are there, and wrong
        """
        if not require_oauth:
            given = _basic_credentials(request)
            key = keys.get(given[0]) if given else None
            if key:
                if not hmac.compare_digest(key.secret.encode(), given[1].encode()):
                    raise denied("Consumer secret is invalid.")
                return key
        return self._oauth_user(request, keys, now)

    def _oauth_user(self, request, keys, now):
        params = _oauth_params(request)
        given = [name for name in OAUTH_REQUIRED if params.get(name)]
        if not given:
            return None
        missing = [name for name in OAUTH_REQUIRED if name not in given]
        if missing:
            word = "parameter" if len(missing) == 1 else "parameters"
            raise ApiError(
                401,
                "woocommerce_rest_authentication_missing_parameter",
                f"Missing OAuth {word} {', '.join(missing)}",
            )
        key = keys.get(params["oauth_consumer_key"])
        if key is None:
            raise denied("Consumer key is invalid.")
        _check_signature(request, params, key)
        self._check_once(key, params, now)
        return key

    def _check_once(self, key, params, now):
        if abs(php_int(params["oauth_timestamp"]) - now) > OAUTH_WINDOW:
            raise denied("Invalid timestamp.")
        with self._lock:
            known = {used: at for used, at in self._nonces.items() if at > now - OAUTH_WINDOW}
            if (key.key, params["oauth_nonce"]) in known:
                raise denied("Invalid nonce - nonce has already been used.")
            self._nonces = {**known, (key.key, params["oauth_nonce"]): now}


def _basic_credentials(request):
    """(key, secret) from the query or the Authorization header, or None."""
    query = dict(request.query)
    if query.get("consumer_key") and query.get("consumer_secret"):
        return query["consumer_key"], query["consumer_secret"]
    scheme, _, value = (request.headers.get("Authorization") or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, _, password = base64.b64decode(value).decode().partition(":")
    except ValueError:
        return None
    return (name, password) if name and password else None


def _oauth_params(request):
    """Everything that is signed: query, form body and Authorization header."""
    pairs = list(request.query)
    if (request.headers.get("Content-Type") or "").startswith("application/x-www-form-urlencoded"):
        pairs += parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True)
    params = php_query(pairs)
    header = (request.headers.get("Authorization") or "").strip()
    if header.startswith("OAuth "):
        for name, quoted, bare in _OAUTH_HEADER.findall(header):
            params[name] = unquote(quoted or bare)
    return params


def _check_signature(request, params, key):
    digest = OAUTH_DIGESTS.get(params["oauth_signature_method"])
    if digest is None:
        raise denied("Invalid signature - signature method is invalid.")
    given = unquote(params["oauth_signature"].replace(" ", "+"))
    signed = {name: value for name, value in params.items() if name != "oauth_signature"}
    for url in _signed_urls(request):
        text = "&".join([request.method, _quote(url), _quote("&".join(_signed_pairs(signed)))])
        own = hmac.new(f"{key.secret}&".encode(), text.encode(), digest).digest()
        if hmac.compare_digest(base64.b64encode(own), given.encode()):
            return
    raise denied("Invalid signature - provided signature does not match.")


def _signed_urls(request):
    """WordPress drops the path "/" that RFC 5849 wants; a sandbox takes both."""
    url = f"http://{request.headers.get('Host')}{request.target.partition('?')[0]}"
    return (url, url.rstrip("/")) if request.path == "/" else (url,)


def _signed_pairs(params):
    pairs = []
    for name in sorted(params):
        value = params[name]
        if isinstance(value, list):  # PHP numbers what came as "status[]"
            pairs += [f"{_quote(f'{name}[{i}]')}={_quote(item)}" for i, item in enumerate(value)]
        elif isinstance(value, dict):
            pairs += [f"{_quote(f'{name}[{key}]')}={_quote(value[key])}" for key in value]
        else:
            pairs.append(f"{_quote(name)}={_quote(value)}")
    return pairs


def _quote(text):
    return quote(str(text), safe="-._~")

"""From an HTTP request to an answer of the WordPress REST server.

The order of the checks is WordPress's: credentials, the key's permission, the address, the
parameters, and only then whether the user may. So a stranger's request for 500 products is a bad
parameter (400) before it is a missing sign-in (401).
"""

from html import escape

from .. import messages
from . import auth, batch, info, routes
from .calls import Answer, Call
from .rest import ApiError, body_params, field_names, only_fields, php_query, validate

PREFIX = "/wp-json"
NAMESPACE = "wc/v3"
NO_ROUTE = "No route was found matching the URL and request method."
HEADERS = [
    ("X-Robots-Tag", "noindex"),
    ("X-Content-Type-Options", "nosniff"),
    ("Access-Control-Expose-Headers", "X-WP-Total, X-WP-TotalPages, Link"),
]
NOT_FOUND_PAGE = (
    "<!DOCTYPE html><html><head><title>Page not found &#8211; {title}</title></head>"
    '<body class="error404"><h1>Page not found</h1>'
    "<p>This page could not be found. Maybe try a search?</p></body></html>"
)


def route_of(request, plain_permalinks):
    """The REST route, e.g. "wc/v3/products"; None for a page that is no part of the API."""
    query = dict(request.query)
    if request.path in ("/", "/index.php") and "rest_route" in query:
        return query["rest_route"].strip("/")
    if plain_permalinks:
        return None
    path = request.path.removeprefix("/index.php")
    if path == PREFIX or path.startswith(PREFIX + "/"):
        return path[len(PREFIX) :].strip("/")
    return None


def respond(site, request):
    """The response of an API request: every error in WordPress's form."""
    route = route_of(request, site.plain_permalinks)
    if route is None:
        page = NOT_FOUND_PAGE.format(title=escape(site.title))
        return messages.html_response(page, 404)
    try:
        answer = _answer(site, request, route)
    except ApiError as error:
        answer = Answer(error.body, error.status)
        if error.body["code"] == "woocommerce_rest_authentication_error":
            answer.headers = [("WWW-Authenticate", f'Basic realm="{auth.REALM}"')]
    headers = [*HEADERS, *answer.headers]
    if not any(name == "Link" for name, _value in headers):
        headers.append(("Link", f'<{site.api_index}>; rel="https://api.w.org/"'))
    return messages.json_response(answer.data, answer.status, headers)


def _answer(site, request, route):
    method = _method(request)
    if not (route.startswith(("wc/", "wc-"))):
        if route == "" and method in routes.READ:
            return Answer(info.index(site, {}))
        raise ApiError(404, "rest_no_route", NO_ROUTE)
    user = site.authenticate(request)
    if user:
        user.check_method(method)
    found = _find(method, route)
    call = _call(site, request, found, route)
    _check_user(user, found[0].action)
    with site.unit_of_work():
        answer = found[0].handler(call)
    if not isinstance(answer, Answer):
        answer = Answer(answer)
    if method not in routes.READ:
        _count(site, request, call, answer)
    _cut_fields(call, answer)
    return answer


def _method(request):
    """WordPress lets a POST stand for another method, for clients that know no other."""
    other = dict(request.query).get("_method") or request.headers.get("X-HTTP-Method-Override")
    return other.upper() if other and request.method == "POST" else request.method


def _find(method, route):
    version, _, path = route.removeprefix("wc/").partition("/")
    found = routes.find(method, path) if route.startswith("wc/") and version == "v3" else None
    if found is None:
        raise ApiError(404, "rest_no_route", NO_ROUTE)
    return found


def _call(site, request, found, route):
    route_found, ids = found
    params = {**php_query(request.query), **body_params(request.headers, request.body)}
    params.pop("rest_route", None)
    for name in ids:
        params.pop(name, None)
    path = route[len(NAMESPACE) :].strip("/")
    query = [pair for pair in request.query if pair[0] not in ("rest_route", *auth.CREDENTIALS)]
    params = validate(params, route_found.schema)
    return Call(site, params, ids, path, query, request.rules)


def _check_user(user, action):
    if user is None or user.role == "customer":
        raise auth.forbidden(user, action)


def _count(site, request, call, answer):
    site.journal.count(request.entry, call.written, call.created)
    if call.path.endswith("batch"):
        request.entry.items = batch.sizes(call.params)
        items = [item for part in answer.data.values() for item in part]
        request.entry.refused = sum("error" in item for item in items)


def _cut_fields(call, answer):
    names = field_names(call.params)
    if names and isinstance(answer.data, list):
        answer.data = [only_fields(item, names) for item in answer.data]
    elif names and isinstance(answer.data, dict):
        answer.data = only_fields(answer.data, names)

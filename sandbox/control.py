"""The sandbox's own API under ``/_sandbox``: faults, journal, data. No platform has it."""

import json
from urllib.parse import parse_qsl

from . import faults
from .messages import CONTROL, Response, json_response

OWN_HOSTS = ("127.0.0.1", "localhost")


def handle(sandbox, request):
    """Answer a control request. Pages of other sites may not steer a sandbox."""
    if not _is_own(sandbox, request):
        return _error(403, "Only this machine's own pages and programs may do this.")
    path = request.path[len(CONTROL) :].strip("/")
    name, _, rest = path.partition("/")
    answer = ROUTES.get((request.method, name))
    if answer is None:
        known = sorted({f"{method} {CONTROL}/{route}" for method, route in ROUTES})
        return _error(404, "No such address. Known: " + ", ".join(known))
    try:
        return answer(sandbox, request, rest)
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
        return _error(400, str(error) or type(error).__name__)


def _is_own(sandbox, request):
    host = (request.headers.get("Host") or "").rpartition(":")[0] or request.headers.get("Host", "")
    origin = request.headers.get("Origin")
    return host in OWN_HOSTS and (not origin or origin.split("//")[-1] == request.headers["Host"])


def _error(status, message):
    return json_response({"error": message}, status)


def _json(request):
    data = json.loads(request.body or b"{}")
    if not isinstance(data, (dict, list)):
        raise TypeError("The body must be an object or a list.")
    return data


# === FAULTS === #


def _list_faults(sandbox, request, rest):
    return json_response(
        {"faults": [rule.as_dict() for rule in sandbox.faults.rules()], "kinds": faults.KINDS}
    )


def _replace_faults(sandbox, request, rest):
    data = _json(request)
    rules = [faults.rule_from(item) for item in _rules_in(data)]
    sandbox.faults.replace(rules)
    return _list_faults(sandbox, request, rest)


def _add_faults(sandbox, request, rest):
    for rule in [faults.rule_from(item) for item in _rules_in(_json(request))]:
        sandbox.faults.add(rule)
    return _list_faults(sandbox, request, rest)


def _rules_in(data):
    """One rule, a list of rules, or ``{"faults": [...]}``."""
    if isinstance(data, list):
        return data
    return data.get("faults", [data])


def _remove_faults(sandbox, request, rest):
    kind = dict(request.query).get("kind")
    sandbox.faults.clear(rule_id=int(rest) if rest else None, kind=kind)
    return _list_faults(sandbox, request, rest)


# === JOURNAL AND DATA === #


def _list_requests(sandbox, request, rest):
    entries = sandbox.journal.entries()
    limit = dict(request.query).get("limit")
    if limit:
        entries = entries[-int(limit) :]
    return json_response(
        {"totals": sandbox.journal.totals(), "requests": [entry.as_dict() for entry in entries]}
    )


def _clear_requests(sandbox, request, rest):
    sandbox.journal.clear()
    return json_response({"totals": sandbox.journal.totals(), "requests": []})


def _state(sandbox, request, rest):
    return json_response({**sandbox.state(), **sandbox.journal.totals()})


def _settings(sandbox, request, rest):
    return json_response(sandbox.settings())


def _change_settings(sandbox, request, rest):
    sandbox.change_settings(_json(request))
    return _settings(sandbox, request, rest)


def _seed(sandbox, request, rest):
    return json_response(sandbox.seed(_json(request)), 201)


def _place_order(sandbox, request, rest):
    return json_response(sandbox.place_order(_json(request)), 201)


def _reset(sandbox, request, rest):
    sandbox.faults.clear()
    sandbox.reset()
    sandbox.journal.clear()
    return _state(sandbox, request, rest)


# === BUTTONS OF THE PAGE === #


def _press(sandbox, request, rest):
    values = dict(parse_qsl(request.body.decode("utf-8", "replace"), max_num_fields=20))
    BUTTONS[rest](sandbox, values)
    return Response(303, headers=[("Location", "/")])


def _press_order(sandbox, values):
    sandbox.place_order()


def _press_fault(sandbox, values):
    """On: the kind with its defaults and what the form says. Off: every rule of the kind."""
    kind = values.pop("kind")
    if values.pop("on", "") != "1":
        sandbox.faults.clear(kind=kind)
        return
    defaults = faults.PARAMETERS.get(kind, {})
    more = {
        name: float(value) if isinstance(defaults.get(name), float) else value
        for name, value in values.items()
        if value
    }
    sandbox.faults.add(faults.rule_from({"kind": kind, **more}))


def _press_clear(sandbox, values):
    sandbox.faults.clear()


BUTTONS = {"order": _press_order, "fault": _press_fault, "clear-faults": _press_clear}

ROUTES = {
    ("GET", "faults"): _list_faults,
    ("PUT", "faults"): _replace_faults,
    ("POST", "faults"): _add_faults,
    ("DELETE", "faults"): _remove_faults,
    ("GET", "requests"): _list_requests,
    ("DELETE", "requests"): _clear_requests,
    ("GET", "state"): _state,
    ("GET", "settings"): _settings,
    ("PUT", "settings"): _change_settings,
    ("POST", "seed"): _seed,
    ("POST", "orders"): _place_order,
    ("POST", "reset"): _reset,
    ("POST", "form"): _press,
}

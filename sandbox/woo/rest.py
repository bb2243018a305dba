"""How WordPress's REST server reads parameters, words errors and cuts answers into pages.

https://developer.wordpress.org/rest-api/ and wp-includes/rest-api.php
"""

import json
import re
from datetime import datetime
from urllib.parse import parse_qsl, urlencode

MAX_PER_PAGE = 100
MAX_PAGE = 10**9
JSON_DEPTH_ERROR, JSON_SYNTAX_ERROR, JSON_UTF8_ERROR, JSON_UTF16_ERROR = 1, 4, 5, 10
JSON_ERRORS = {
    JSON_DEPTH_ERROR: "Maximum stack depth exceeded",
    JSON_SYNTAX_ERROR: "Syntax error",
    JSON_UTF8_ERROR: "Malformed UTF-8 characters, possibly incorrectly encoded",
    JSON_UTF16_ERROR: "Single unpaired high surrogate in Unicode escape",
}

_DATE = re.compile(
    r"^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}(?::\d{2})?)?$"
)
_NUMBER = re.compile(r"^\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*$")
_LEADING_INT = re.compile(r"^\s*([+-]?\d{1,18})")


class ApiError(Exception):
    """What WordPress calls a WP_Error: ``{"code", "message", "data": {"status", ...}}``."""

    def __init__(self, status, code, message, **data):
        super().__init__(message)
        self.status = status
        self.body = {"code": code, "message": message, "data": {"status": status, **data}}


# === READING === #


def php_int(value):
    """As PHP's intval(): never fails. E.g. "12abc" -> 12, "abc" -> 0, 3.9 -> 3, None -> 0"""
    if isinstance(value, (bool, int)):
        return int(value)
    if isinstance(value, float):
        return int(value) if abs(value) < 2**63 else 0
    if isinstance(value, str):
        if _NUMBER.match(value):
            number = float(value)
            return int(number) if abs(number) < 2**63 else 0
        found = _LEADING_INT.match(value)
        return int(found.group(1)) if found else 0
    return 1 if value else 0


def php_bool(value):
    """As wc_string_to_bool(): "yes", "true", "1", 1 and True are true."""
    if isinstance(value, str):
        return value.lower() in ("yes", "true", "1")
    return bool(value)


def php_text(value):
    if isinstance(value, bool):
        return "1" if value else ""
    if value is None or isinstance(value, (list, dict)):
        return ""
    return str(value)


def read_json(body):
    """:raises ApiError: rest_invalid_json, as WP_REST_Request::parse_json_params() does"""
    if not body:
        return {}
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise _invalid_json(JSON_UTF8_ERROR) from None
    try:
        data = json.loads(text, parse_constant=_no_constant)
        if "\\ud" in text or "\\uD" in text:
            json.dumps(data, ensure_ascii=False).encode()
    except RecursionError:
        raise _invalid_json(JSON_DEPTH_ERROR) from None
    except UnicodeEncodeError:
        raise _invalid_json(JSON_UTF16_ERROR) from None
    except ValueError:
        raise _invalid_json(JSON_SYNTAX_ERROR) from None
    return data if isinstance(data, dict) else {}


def _no_constant(name):
    raise ValueError(name)  # NaN and Infinity are Python's, not JSON's


def _invalid_json(number):
    return ApiError(
        400,
        "rest_invalid_json",
        "Invalid JSON body passed.",
        json_error_code=number,
        json_error_message=JSON_ERRORS[number],
    )


def php_query(pairs):
    """As $_GET: ``a[]=1&a[]=2`` and ``a[0]=1&a[1]=2`` become lists, a repeated name: the last."""
    params = {}
    for name, value in pairs:
        base, bracket, rest = name.partition("[")
        if not bracket or not base:
            params[name] = value
        elif rest.rstrip("]").isdigit() or rest == "]":
            _listed(params, base).append(value)
        else:
            _mapped(params, base)[rest.rstrip("]")] = value
    return params


def _listed(params, name):
    if not isinstance(params.get(name), list):
        params[name] = []
    return params[name]


def _mapped(params, name):
    if not isinstance(params.get(name), dict):
        params[name] = {}
    return params[name]


def body_params(headers, body):
    """JSON or a form, by Content-Type; anything else carries no parameters."""
    kind = (headers.get("Content-Type") or "").partition(";")[0].strip().lower()
    if kind == "application/json" or kind.endswith("+json"):
        return read_json(body)
    if kind == "application/x-www-form-urlencoded":
        text = body.decode("utf-8", "replace")
        return php_query(parse_qsl(text, keep_blank_values=True))
    return {}


# === VALIDATION === #

# A schema: parameter -> {"type", "enum", "min", "max", "date", "items", "required", "default"}
STRING = {"type": "string"}
INTEGER = {"type": "integer"}
BOOLEAN = {"type": "boolean"}
OBJECT = {"type": "object"}
OBJECTS = {"type": "array", "items": OBJECT}
INTEGERS = {"type": "array", "items": INTEGER}
DATE = {"type": "string", "date": True}
META = {"type": "array", "items": {"type": "object", "properties": {"key": STRING}}}


def enum(*values):
    return {"type": "string", "enum": values}


def validate(params, schema):
    """The parameters with defaults and in their types.

    A null is never checked, and an unknown parameter is kept: both as WordPress does.
    :raises ApiError: rest_missing_callback_param, rest_invalid_param
    """
    missing = [name for name, rule in schema.items() if rule.get("required") and name not in params]
    if missing:
        raise ApiError(
            400,
            "rest_missing_callback_param",
            f"Missing parameter(s): {', '.join(missing)}",
            params=missing,
        )
    clean, problems = dict(params), {}
    for name, rule in schema.items():
        value = params.get(name)
        if value is None:
            if "default" in rule:
                clean.setdefault(name, rule["default"])
            continue
        problem = _problem(name, value, rule)
        if problem:
            problems[name] = problem
        else:
            clean[name] = _sanitize(value, rule)
    if problems:
        raise _invalid_params(problems)
    return clean


def _invalid_params(problems):
    return ApiError(
        400,
        "rest_invalid_param",
        f"Invalid parameter(s): {', '.join(problems)}",
        params={name: message for name, (_code, message) in problems.items()},
        details={
            name: {"code": code, "message": message, "data": None}
            for name, (code, message) in problems.items()
        },
    )


def _problem(name, value, rule):
    """(code, message), or None."""
    kind = rule["type"]
    if not TYPE_CHECKS[kind](value):
        return "rest_invalid_type", f"{name} is not of type {kind}."
    if "enum" in rule and value not in rule["enum"]:
        return "rest_not_in_enum", f"{name} is not one of {_listing(rule['enum'])}."
    if "min" in rule and not rule["min"] <= php_int(value) <= rule["max"]:
        bounds = f"{rule['min']} (inclusive) and {rule['max']} (inclusive)"
        return "rest_out_of_bounds", f"{name} must be between {bounds}"
    if rule.get("date") and not _is_date(value):
        return "rest_invalid_date", "Invalid date."
    if kind == "array" and "items" in rule:
        items = enumerate(_as_list(value))
        found = (_problem(f"{name}[{i}]", item, rule["items"]) for i, item in items)
        return next((problem for problem in found if problem), None)
    if "properties" in rule:
        inner = rule["properties"].items()
        found = (_problem(f"{name}[{key}]", value[key], r) for key, r in inner if key in value)
        return next((problem for problem in found if problem), None)
    return None


def _listing(values):
    """WordPress's %l: "a, b, and c"."""
    if len(values) < 3:
        return " and ".join(values)
    return ", ".join(values[:-1]) + ", and " + values[-1]


def _is_integer(value):
    if isinstance(value, bool):
        return False
    if isinstance(value, (int, float)):
        return float(value).is_integer() if abs(value) < 2**63 else False
    return isinstance(value, str) and bool(_NUMBER.match(value)) and float(value).is_integer()


def _is_date(value):
    try:
        datetime.fromisoformat(value[:19].upper().replace(" ", "T"))
    except ValueError:
        return False
    return bool(_DATE.match(value))


def _is_boolean(value):
    if isinstance(value, str):
        return value.lower() in ("true", "false", "0", "1", "")
    return isinstance(value, bool) or value in (0, 1)


TYPE_CHECKS = {
    "string": lambda value: isinstance(value, str),
    "integer": _is_integer,
    "number": lambda value: _is_integer(value) or bool(_NUMBER.match(str(value))),
    "boolean": lambda value: not isinstance(value, (list, dict)) and _is_boolean(value),
    "array": lambda value: isinstance(value, (list, str)),
    "object": lambda value: isinstance(value, dict) or value in ("", []),
}


def _as_list(value):
    """As wp_parse_list(): a text is split at commas and blanks."""
    if isinstance(value, list):
        return value
    return [part for part in re.split(r"[\s,]+", value) if part]


def _sanitize(value, rule):
    kind = rule["type"]
    if kind == "integer":
        return php_int(value)
    if kind == "boolean":
        return value.lower() in ("true", "1") if isinstance(value, str) else bool(value)
    if kind == "array":
        return [_sanitize(item, rule["items"]) for item in _as_list(value)]
    if kind == "object" and not value:
        return {}
    return value


def expect_objects(params, *names):
    """Of a batch: WooCommerce checks its items no further than this."""
    for name in names:
        problem = _problem(name, params.get(name) or [], OBJECTS)
        if problem:
            raise _invalid_params({name: problem})


# === PAGES AND FIELDS === #

PAGING = {
    "page": {**INTEGER, "default": 1, "min": 1, "max": MAX_PAGE},
    "per_page": {**INTEGER, "default": 10, "min": 1, "max": MAX_PER_PAGE},
    "offset": {**INTEGER, "min": 0, "max": MAX_PAGE},
    "order": {**enum("asc", "desc"), "default": "desc"},
    "search": STRING,
    "include": {**INTEGERS, "default": []},
    "exclude": {**INTEGERS, "default": []},
    "after": DATE,
    "before": DATE,
    "modified_after": DATE,
    "modified_before": DATE,
    "dates_are_gmt": {**BOOLEAN, "default": False},
}


def page_slice(params):
    """(limit, offset) of a request for one page."""
    limit = params["per_page"]
    return limit, params.get("offset") or (params["page"] - 1) * limit


def page_headers(url, query, params, total):
    """X-WP-Total, X-WP-TotalPages, and Link to the pages beside this one.

    :param query: the request's own pairs, which the links repeat
    """
    pages = -(-total // params["per_page"])
    headers = [("X-WP-Total", str(total)), ("X-WP-TotalPages", str(pages))]
    page, links = params["page"], []
    if page > 1:
        links.append(_page_link(url, query, min(page - 1, pages), "prev"))
    if pages > page:
        links.append(_page_link(url, query, page + 1, "next"))
    return [*headers, ("Link", ", ".join(links))] if links else headers


def _page_link(url, query, page, rel):
    pairs = [(name, value) for name, value in query if name != "page"] + [("page", page)]
    return f'<{url}{"&" if "?" in url else "?"}{urlencode(pairs)}>; rel="{rel}"'


def field_names(params):
    """The names in ``_fields``, or None for all. The id is always among them."""
    names = params.get("_fields")
    if not names:
        return None
    return {*_as_list(names if isinstance(names, (list, str)) else ""), "id"}


def only_fields(document, names):
    """The document cut to ``_fields``; "billing.email" keeps that one key of billing."""
    if names is None:
        return document
    if not any("." in name for name in names):
        return {name: value for name, value in document.items() if name in names}
    cut = {}
    for name, value in document.items():
        if name in names:
            cut[name] = value
            continue
        inner = {key[len(name) + 1 :] for key in names if key.startswith(f"{name}.")}
        if inner and isinstance(value, dict):
            cut[name] = {key: value[key] for key in value if key in inner}
    return cut

"""What goes in and out of a sandbox: requests and responses, free of sockets."""

import json
from dataclasses import dataclass, field

CONTROL = "/_sandbox"
JSON_TYPE = "application/json; charset=UTF-8"
HTML_TYPE = "text/html; charset=UTF-8"


@dataclass(slots=True)
class Request:
    method: str
    target: str  # as on the request line: path and query, still quoted
    path: str
    query: list  # pairs (name, value), in order, repeated names included
    headers: object  # mapping, names in any case
    body: bytes
    rules: list = field(default_factory=list)  # faults that struck this request
    entry: object = None  # of the journal


@dataclass(slots=True)
class Response:
    status: int = 200
    body: bytes = b""
    headers: list = field(default_factory=list)  # pairs; a name may repeat
    content_type: str = JSON_TYPE
    cut: str = ""  # "drop": closed without an answer; "half": reset in the middle of it


def json_response(data, status=200, headers=()):
    return Response(status, json.dumps(data).encode(), list(headers))


def html_response(text, status=200, headers=()):
    return Response(status, text.encode(), list(headers), HTML_TYPE)

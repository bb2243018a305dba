"""Bulk operations: a query without pages, its result as one file of JSON lines.

Done at once here, and called COMPLETED when it is asked for the second time.
https://shopify.dev/docs/api/usage/bulk-operations/queries
"""

import json
import re

from graphql import GraphQLError, execute_sync, parse, validate

from .. import shopify_schema
from ..messages import Response
from . import graphql
from .ids import now
from .paging import MAX_PAGE, find
from .registry import Call, resolves, user_error

KIND = "bulk"
RESULTS = "/bulk/"


@resolves("Mutation", "bulkOperationRunQuery")
def _run(call, _source, arguments):
    query = arguments["query"]
    try:
        problems = validate(shopify_schema.load(call.version), parse(query))
    except GraphQLError as error:
        problems = [error]
    if problems:
        message = f"Invalid bulk query: {problems[0].message}"
        return {"bulkOperation": None, "userErrors": [user_error(message, "query", code="INVALID")]}
    lines = list(_lines(call, query))
    document = {
        "id": call.store.next_id(KIND),
        "status": "CREATED",
        "type": "QUERY",
        "query": query,
        "body": "".join(json.dumps(line) + "\n" for line in lines),
        "objects": len(lines),
        "createdAt": now(call.site),
        "updatedAt": now(call.site),
    }
    call.store.put(KIND, document)
    return {"bulkOperation": document, "userErrors": []}


def _lines(call, query):
    """Each node of the outer connection is a line, each of an inner one too, after its parent."""
    after = None
    while True:
        page = _page(call, query, after)
        for node in page["nodes"]:
            yield from _flat(node, None)
        if not page["pageInfo"]["hasNextPage"]:
            return
        after = page["pageInfo"]["endCursor"]


def _page(call, query, after):
    """One page of the outer connection: the query with paging put into it."""
    mark = f', after: "{after}"' if after else ""
    name = re.search(r"\{\s*(\w+)", query).group(1)
    head, rest = re.split(rf"\b{name}\b", query, maxsplit=1)
    given = re.match(r"\s*\((.*?)\)", rest, re.S)
    inside = f"first: {MAX_PAGE}{mark}" + (f", {given.group(1)}" if given else "")
    rest = rest[given.end() :] if given else rest
    rest = re.sub(r"edges\s*\{", "pageInfo { hasNextPage endCursor } edges {", rest, count=1)
    rest = _sized(rest)
    inner = Call(call.site, call.version, [])
    result = execute_sync(
        shopify_schema.load(call.version),
        parse(f"{head}{name}({inside}){rest}"),
        context_value=inner,
        field_resolver=graphql._resolve,
    )
    if result.errors:
        raise result.errors[0]
    found = result.data[name]
    nodes = found.get("nodes") or [edge["node"] for edge in found.get("edges") or ()]
    return {"nodes": nodes, "pageInfo": found["pageInfo"]}


def _sized(text):
    """Inner connections need no size in a bulk query; here they do."""
    return re.sub(r"\b(\w+)(\s*\{\s*(?:edges|nodes)\b)", rf"\1(first: {MAX_PAGE})\2", text)


def _flat(node, parent):
    own, inner = {}, []
    for name, value in node.items():
        if isinstance(value, dict) and ("edges" in value or "nodes" in value):
            inner += value.get("nodes") or [edge["node"] for edge in value["edges"]]
        else:
            own[name] = value
    yield own if parent is None else {**own, "__parentId": parent}
    for child in inner:
        yield from _flat(child, own.get("id"))


@resolves("QueryRoot", "currentBulkOperation")
def _current(call, _source, _arguments):
    rows = call.store.find(KIND, order="id DESC", limit=1)
    return progress(call, rows[0]) if rows else None


@resolves("QueryRoot", "bulkOperation")
def _operation(call, _source, arguments):
    found = find(call, KIND, "BulkOperation", arguments["id"])
    return progress(call, found) if found else None


def progress(call, document):
    """CREATED, then RUNNING, then COMPLETED: each look brings it on."""
    steps = {"CREATED": "RUNNING", "RUNNING": "COMPLETED"}
    document.pop("__typename", None)
    document["status"] = steps.get(document["status"], document["status"])
    call.store.put(KIND, document)
    return {**document, "__typename": "BulkOperation"}


@resolves("BulkOperation", "url")
def _url(call, document, _arguments):
    done = document["status"] == "COMPLETED" and document["objects"]
    return f"{call.site.url}{RESULTS}{document['id']}.jsonl" if done else None


@resolves("BulkOperation", "objectCount", "rootObjectCount")
def _objects(_call, document, _arguments):
    return str(document["objects"])


def serve(site, request):
    number = request.path.removeprefix(RESULTS).removesuffix(".jsonl")
    document = site.store.get(KIND, int(number)) if number.isdigit() else None
    if not document:
        return Response(404, b"Not Found", content_type="text/plain")
    body, span = document["body"].encode(), request.headers.get("Range")
    if span:
        first, last = map(int, span.removeprefix("bytes=").split("-"))
        headers = [("Content-Range", f"bytes {first}-{min(last, len(body) - 1)}/{len(body)}")]
        body = body[first : last + 1]
        return Response(206, body, headers, content_type="application/jsonl")
    return Response(200, body, content_type="application/jsonl")

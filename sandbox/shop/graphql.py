"""From an HTTP request to a GraphQL answer, on the schema of the version in the address."""

import json
import logging
import re
from functools import lru_cache

from graphql import (
    GraphQLError,
    OperationType,
    execute_sync,
    get_directive_values,
    get_operation_ast,
    parse,
    validate,
)

from .. import shopify_schema
from ..messages import json_response
from . import costs, idempotency
from .ids import gid
from .registry import RESOLVERS, Call

ADDRESS = re.compile(r"/admin/api/([^/]+)/graphql\.json")
BAD_TOKEN = "[API] Invalid API key or access token (unrecognized login or wrong password)"
INTERNAL = "Internal error. Looks like something went wrong on our end."
ROOTS = ("QueryRoot", "Mutation")

_logger = logging.getLogger(__name__)


def respond(site, request, version):
    """The response of one request; what is wrong with a query is said with HTTP 200."""
    if version not in shopify_schema.versions():
        return json_response({"errors": "Not Found"}, 404)
    token = site.tokens.find(request.headers.get("X-Shopify-Access-Token"))
    if token is None:
        return json_response({"errors": BAD_TOKEN}, 401)
    try:
        asked = json.loads(request.body)
        query, variables = asked["query"], asked.get("variables") or {}
    except (ValueError, KeyError, TypeError):
        message = "Required parameter missing or invalid: query"
        return json_response({"errors": {"query": message}}, 400)
    return _answer(site, request, version, query, variables, token)


def operations(body):
    """The root fields a request asks for, e.g. ``inventorySetQuantities``: for the journal."""
    try:
        document = _parse(json.loads(body)["query"])
    except (ValueError, KeyError, TypeError, GraphQLError):
        return []
    return [
        field.name.value
        for definition in document.definitions
        if getattr(definition, "operation", None)
        for field in definition.selection_set.selections
        if hasattr(field, "name")
    ]


@lru_cache(maxsize=500)
def _parse(query):
    return parse(query)


@lru_cache(maxsize=500)
def _problems(version, query):
    """What is wrong with a query before it is run."""
    return tuple(validate(shopify_schema.load(version), _parse(query)))


def _answer(site, request, version, query, variables, token):
    try:
        problems = _problems(version, query)
    except GraphQLError as error:
        problems = (error,)
    if problems:
        return json_response({"errors": [_shown(problem) for problem in problems]})
    document = _parse(query)
    operation = get_operation_ast(document)
    cost = _cost(version, document, operation, variables)
    if cost > costs.MAX_SINGLE:
        return json_response({"errors": [_too_expensive(cost)]})
    if not site.bucket.take(cost):
        throttled = GraphQLError("Throttled", extensions={"code": "THROTTLED"})
        return json_response({"errors": [_shown(throttled)], **_extensions(site, cost, None)})
    call = Call(site, version, request.rules)
    body = _run(call, document, operation, variables, token)
    spent = min(cost, _spent(operation, body.get("data")))
    site.bucket.give_back(cost - spent)
    site.journal.count(request.entry, call.written, call.created)
    return json_response({**body, **_extensions(site, cost, spent)})


def _run(call, document, operation, variables, token):
    refused = _refused_scopes(operation, token)
    if refused:
        return {"errors": refused}
    try:
        with call.site.unit_of_work():
            result = execute_sync(
                shopify_schema.load(call.version),
                document,
                context_value=call,
                variable_values=variables,
                field_resolver=_resolve,
            )
            if result.errors and operation.operation == OperationType.MUTATION:
                raise _Failed(result)
    except _Failed as failed:
        result = failed.result
    body = {} if result.data is None and result.errors else {"data": result.data}
    if result.errors:
        body["errors"] = [_shown(error) for error in result.errors]
    return body


class _Failed(Exception):
    """Nothing of a request that failed as a whole is kept."""

    def __init__(self, result):
        super().__init__()
        self.result = result


def _cost(version, document, operation, variables):
    fragments = {
        definition.name.value: definition
        for definition in document.definitions
        if definition is not operation
    }
    return costs.Estimate(shopify_schema.load(version), fragments, variables).operation(operation)


def _spent(operation, data):
    if operation.operation == OperationType.MUTATION:
        return costs.MUTATION
    return max(1, costs.actual(data) - 1)


def _extensions(site, cost, spent):
    status = site.bucket.status()
    shown = {"requestedQueryCost": cost, "actualQueryCost": spent, "throttleStatus": status}
    return {"extensions": {"cost": shown}}


def _too_expensive(cost):
    message = f"Query cost is {cost}, which exceeds the single query max cost limit (1000)."
    more = {"code": "MAX_COST_EXCEEDED", "cost": cost, "maxCost": costs.MAX_SINGLE}
    return {"message": message, "extensions": more}


#: Root field -> the scope an app needs for it; what is not here needs none.
SCOPES = {
    "inventorySetQuantities": "write_inventory",
    "inventoryActivate": "write_inventory",
    "productVariants": "read_products",
    "products": "read_products",
    "productSet": "write_products",
    "productVariantsBulkCreate": "write_products",
    "productVariantsBulkUpdate": "write_products",
    "locations": "read_locations",
    "orders": "read_orders",
    "order": "read_orders",
    "orderUpdate": "write_orders",
    "refundCreate": "write_orders",
    "stagedUploadsCreate": "write_files",
    "fileCreate": "write_files",
    "fulfillmentCreate": "write_merchant_managed_fulfillment_orders",
}


def _refused_scopes(operation, token):
    names = [node.name.value for node in operation.selection_set.selections]
    missing = [(name, SCOPES[name]) for name in names if name in SCOPES]
    return [
        _shown(
            GraphQLError(
                f"Access denied for {name} field. Required access: `{scope}` access scope.",
                extensions={"code": "ACCESS_DENIED"},
            )
        )
        for name, scope in missing
        if scope not in token.scopes
    ]


def _shown(error):
    bug = getattr(error, "original_error", None)
    if bug and not isinstance(bug, GraphQLError):
        _logger.error("%s", error.path, exc_info=bug)
        return {"message": INTERNAL, "extensions": {"code": "INTERNAL_SERVER_ERROR"}}
    shown = dict(error.formatted)
    shown.setdefault("extensions", {"code": "undefinedField"})
    return shown


# === FIELDS === #


def _resolve(source, info, **arguments):
    call, kind, name = info.context, info.parent_type.name, info.field_name
    function = RESOLVERS.get((kind, name))
    if kind == "Mutation" and name in idempotency.MUTATIONS:
        return idempotency.guarded(
            call, name, _key(info), arguments, lambda: function(call, source, arguments)
        )
    if function:
        return function(call, source, arguments)
    if kind in ROOTS:
        raise GraphQLError(f"The sandbox has no {name}.", extensions={"code": "NOT_IN_SANDBOX"})
    value = source.get(name)
    if name == "id" and isinstance(value, int):
        return gid(kind, value)
    if name == "legacyResourceId":
        return str(source["id"])
    return value


def _key(info):
    directive = info.schema.get_directive("idempotent")
    values = get_directive_values(directive, info.field_nodes[0], info.variable_values)
    return (values or {}).get("key")

"""Batch requests: up to a hundred items, each with an outcome of its own.

WC_REST_Controller::batch_items(). An item is not checked against the schema as a single request
is: where that answers 400 for ``"stock_quantity": "abc"``, a batch stores 0.
"""

from .rest import ApiError, expect_objects, php_int

LIMIT = 100
PARTS = ("create", "update", "delete")


def check(params):
    """:raises ApiError: 413 for too many, 400 for items that are no objects"""
    if sum(sizes(params).values()) > LIMIT:
        raise ApiError(
            413,
            "woocommerce_rest_request_entity_too_large",
            f"Unable to accept more than {LIMIT} items for this request.",
        )
    expect_objects(params, "create", "update")


def sizes(params):
    """e.g. ``{"create": 0, "update": 100, "delete": 0}``"""
    parts = {name: params.get(name) for name in PARTS}
    return {name: len(part) if isinstance(part, list) else 0 for name, part in parts.items()}


def update_ids(params):
    return [php_int(item.get("id")) for item in params.get("update") or []]


def run(params, create, update, delete):
    """``{"create": [...], "update": [...], "delete": [...]}``: only the parts that were asked for.

    :param create: item -> document
    :param update: (id, item) -> document
    :param delete: id -> document
    """
    answer = {}
    if params.get("create"):
        answer["create"] = [_outcome(0, create, item) for item in params["create"]]
    if params.get("update"):
        answer["update"] = [
            _outcome(item.get("id"), update, php_int(item.get("id")), item)
            for item in params["update"]
        ]
    if isinstance(params.get("delete"), list):
        numbers = [php_int(item) for item in params["delete"]]
        answer["delete"] = [_outcome(number, delete, number) for number in numbers if number]
    return answer


def _outcome(shown_id, do, *arguments):
    try:
        return do(*arguments)
    except ApiError as error:
        return {"id": shown_id, "error": error.body}


def counts(answer):
    """(written, created, refused) of an answer."""
    refused = sum("error" in item for part in answer.values() for item in part)
    created = sum("error" not in item for item in answer.get("create", []))
    return sum(map(len, answer.values())) - refused, created, refused

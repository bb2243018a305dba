"""One understood request, and what the handlers of all resources share.

A handler takes a ``Call`` and returns the data, or an ``Answer`` where status or headers matter.
"""

from dataclasses import dataclass, field

from . import batch
from .rest import ApiError, page_headers, page_slice


@dataclass
class Call:
    """One API request, understood: parameters are valid and in their types."""

    site: object
    params: dict
    ids: dict  # from the address, e.g. {"product_id": 7, "id": 9}
    path: str  # below wc/v3, e.g. "products/7/variations"
    query: list  # the request's own pairs
    rules: list  # faults that may hit single items
    written: int = 1  # what a request that writes counts for; a batch says more
    created: int = 0

    @property
    def id(self):
        return self.ids["id"]


@dataclass
class Answer:
    data: object
    status: int = 200
    headers: list = field(default_factory=list)


def created(call, data):
    call.created = 1
    return Answer(data, 201, [("Location", call.site.api_url(f"{call.path}/{data['id']}"))])


def listing(call, kind, conditions, order, show):
    """One page of the documents, with its headers. ``show`` takes and returns a list."""
    conditions, store = list(conditions), call.site.store
    limit, offset = page_slice(call.params)
    data = show(store.find(kind, conditions, order, limit, offset))
    total = store.count(kind, conditions)
    url = call.site.api_url(call.path)
    return Answer(data, headers=page_headers(url, call.query, call.params, total))


def refuse_bad_item(call, item):
    """Where a fault of kind ``bad_item`` is meant for this one."""
    rule = call.site.faults.strike_item(call.rules, item)
    if rule:
        code = rule["code"] or "woocommerce_rest_sandbox_refused"
        message = rule["message"] or "The store refuses this item."
        raise ApiError(int(rule["status"]), code, message)


def check_force(call, what):
    if not call.params.get("force"):
        message = f"{what} do not support trashing."
        raise ApiError(501, "woocommerce_rest_trash_not_supported", message)


def already_trashed(kind):
    message = f"The {kind} has already been deleted."
    return ApiError(410, "woocommerce_rest_already_trashed", message)


def refuse_own_id(params, kind):
    if params.get("id"):
        raise ApiError(400, f"woocommerce_rest_{kind}_exists", f"Cannot create existing {kind}.")


def run_batch(call, kind, create, update, delete):
    batch.check(call.params)
    call.site.store.fetch(kind, batch.update_ids(call.params))
    answer = batch.run(
        call.params,
        lambda item: create(call, item),
        lambda number, item: update(call, number, item),
        lambda number: delete(call, number),
    )
    call.written, call.created, _refused = batch.counts(answer)
    return answer

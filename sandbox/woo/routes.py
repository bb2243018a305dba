"""The table of addresses below ``/wc/v3``."""

import re
from dataclasses import dataclass

from . import (
    customers,
    info,
    order_calls,
    orders,
    other_calls,
    product_calls,
    product_fields,
    refunds,
    terms,
    webhooks,
)
from .rest import BOOLEAN

READ, CREATE, EDIT, DELETE = ("GET", "HEAD"), ("POST",), ("POST", "PUT", "PATCH"), ("DELETE",)

FORCE = {"force": {**BOOLEAN, "default": False}}
FORCE_TRUE = {"force": {**BOOLEAN, "default": True}}
NOTES, REFUNDS = "orders/{order_id}/notes", "orders/{order_id}/refunds"


@dataclass
class Route:
    """``action`` is what the caller must be allowed to: see auth.forbidden()."""

    methods: tuple
    pattern: re.Pattern
    action: str
    handler: object
    schema: dict


def _route(methods, address, action, handler, schema=None):
    """:param address: e.g. "products/{product_id}/variations"; ``{...id}`` is a number"""
    pattern = re.sub(r"\{(\w*id)\}", r"(?P<\1>[0-9]{1,19})", address)
    pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[\\w-]+)", pattern)
    # the batch address is tried before numbers are: "[0-9]+" never matches it
    return Route(methods, re.compile(pattern + "/?"), action, handler, schema or {})


def _resource(calls, address, name, listed, create, update):
    """The six addresses every resource has."""
    one, plural, own = address + "/{id}", f"{name}s", vars(calls)
    return [
        _route(READ, address, "list", own[f"list_{plural}"], listed),
        _route(CREATE, address, "create", own[f"create_{name}"], create),
        _route(READ, one, "view", own[f"get_{name}"]),
        _route(EDIT, one, "edit", own[f"update_{name}"], update),
        _route(DELETE, one, "delete", own[f"delete_{name}"], FORCE),
        _route(EDIT, address + "/batch", "batch", own[f"batch_{plural}"]),
    ]


def _told(address, describe):
    return _route(READ, address, "view", other_calls.told(describe))


def _taxonomy(name):
    address, (listed, create, get) = f"products/{name}", terms.handlers(name)
    return [
        _route(READ, address, "list", listed, terms.LIST_PARAMS),
        _route(CREATE, address, "create", create, terms.PARAMS),
        _route(READ, address + "/{id}", "view", get),
    ]


ROUTES = [
    *_taxonomy("categories"),
    *_taxonomy("tags"),
    *_resource(
        product_calls,
        "products",
        "product",
        product_fields.LIST_PARAMS,
        product_fields.PRODUCT_PARAMS,
        product_fields.PRODUCT_PARAMS,
    ),
    *_resource(
        product_calls,
        "products/{product_id}/variations",
        "variation",
        product_fields.LIST_PARAMS,
        product_fields.VARIATION_PARAMS,
        product_fields.VARIATION_PARAMS,
    ),
    *_resource(order_calls, "orders", "order", orders.LIST_PARAMS, orders.PARAMS, orders.PARAMS),
    *_resource(
        other_calls,
        "customers",
        "customer",
        customers.LIST_PARAMS,
        customers.CREATE_PARAMS,
        customers.PARAMS,
    ),
    *_resource(
        other_calls,
        "webhooks",
        "webhook",
        webhooks.LIST_PARAMS,
        webhooks.CREATE_PARAMS,
        webhooks.PARAMS,
    ),
    _route(READ, NOTES, "list", order_calls.list_notes, orders.NOTE_LIST_PARAMS),
    _route(CREATE, NOTES, "create", order_calls.create_note, orders.NOTE_PARAMS),
    _route(READ, NOTES + "/{id}", "view", order_calls.get_note),
    _route(DELETE, NOTES + "/{id}", "delete", order_calls.delete_note, FORCE),
    _route(READ, REFUNDS, "list", order_calls.list_refunds, orders.LIST_PARAMS),
    _route(CREATE, REFUNDS, "create", order_calls.create_refund, refunds.PARAMS),
    _route(READ, REFUNDS + "/{id}", "view", order_calls.get_refund),
    _route(DELETE, REFUNDS + "/{id}", "delete", order_calls.delete_refund, FORCE_TRUE),
    _told("", info.namespace_index),
    _told("system_status", info.system_status),
    _told("data/currencies/current", info.current_currency),
    _route(READ, "data/currencies/{code}", "view", other_calls.get_currency),
    _told("settings/general", info.general_settings),
    _told("settings/products", info.product_settings),
    _told("settings/tax", info.tax_settings),
    _told("taxes", info.taxes),
    _told("payment_gateways", info.payment_gateways),
    _told("shipping/zones", info.shipping_zones),
    _told("shipping_methods", info.shipping_methods),
    _told("reports/orders/totals", info.orders_totals),
]


def find(method, path):
    """(route, the ids in the address), or None.

    :param path: below wc/v3, e.g. "orders/12/notes"
    """
    for route in ROUTES:
        found = route.pattern.fullmatch(path) if method in route.methods else None
        if found:
            numbers = found.groupdict()
            return route, {
                key: int(value) if value.isdigit() else value for key, value in numbers.items()
            }
    return None


def methods_of(path):
    """Of the Allow header: e.g. ["GET", "POST"]"""
    found = {m for route in ROUTES if route.pattern.fullmatch(path) for m in route.methods}
    return sorted(found - {"HEAD"})

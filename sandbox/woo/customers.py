"""Customers: class-wc-rest-customers-controller.php."""

import re

from . import dates, meta, orders
from .products import like
from .rest import META, OBJECT, PAGING, STRING, ApiError, enum, php_text

KIND = orders.CUSTOMER

LIST_PARAMS = {
    **PAGING,
    "order": {**enum("asc", "desc"), "default": "asc"},
    "orderby": {**enum("id", "include", "name", "registered_date"), "default": "name"},
    "email": STRING,
    "role": {**STRING, "default": "customer"},
}
PARAMS = {
    "email": STRING,
    "first_name": STRING,
    "last_name": STRING,
    "username": STRING,
    "password": STRING,
    "billing": OBJECT,
    "shipping": OBJECT,
    "meta_data": META,
}
CREATE_PARAMS = {**PARAMS, "email": {**STRING, "required": True}}
ORDER_BY = {"name": "title {0}, id", "registered_date": "created {0}, id", "id": "id {0}"}
_EMAIL = re.compile(r"^[^@\s]+@[^@\s]+\.[^@\s.]+$")


def list_conditions(site, params):
    if params.get("email"):
        yield "email = ?", [params["email"]]
    elif params.get("search"):
        pattern = like(params["search"])
        yield "title LIKE ? ESCAPE '\\' OR email LIKE ? ESCAPE '\\'", [pattern, pattern]
    for name, operator in (("include", "IN"), ("exclude", "NOT IN")):
        if params.get(name):
            yield f"id {operator} ({','.join(str(number) for number in params[name])})", []


def order_by(params):
    template = ORDER_BY.get(params["orderby"], ORDER_BY["id"])
    return template.format("ASC" if params["order"] == "asc" else "DESC")


def get(site, customer_id, status=404):
    customer = site.store.get(KIND, customer_id)
    if customer is None:
        raise ApiError(status, "woocommerce_rest_invalid_id", "Invalid resource ID.")
    return customer


def create(site, params):
    customer = {
        "id": 0,
        "date_created_gmt": dates.now(site),
        "email": "",
        "first_name": "",
        "last_name": "",
        "username": "",
        "billing": dict.fromkeys(orders.ADDRESSES["billing"], ""),
        "shipping": dict.fromkeys(orders.ADDRESSES["shipping"], ""),
        "meta_data": [],
    }
    assign(site, customer, {"email": "", **params})
    local = customer["email"].partition("@")[0]
    customer["username"] = php_text(params.get("username")) or local
    customer["id"] = site.store.next_id("user")
    save(site, customer)
    site.emit("customer.created", customer["id"])
    return customer


def update(site, customer, params):
    assign(site, customer, params)
    save(site, customer)
    site.emit("customer.updated", customer["id"])
    return customer


def save(site, customer):
    customer["date_modified_gmt"] = dates.now(site)
    customer["name"] = f"{customer['first_name']} {customer['last_name']}".strip()
    site.store.put(KIND, customer)


def assign(site, customer, params):
    if params.get("email") is not None:
        customer["email"] = _checked_email(site, customer, php_text(params["email"]).strip())
    for name in ("first_name", "last_name"):
        if params.get(name) is not None:
            customer[name] = php_text(params[name])
    for name, fields in orders.ADDRESSES.items():
        given = params.get(name)
        if isinstance(given, dict):
            customer[name] |= {key: php_text(given[key]) for key in fields if key in given}
    if params.get("meta_data") is not None:
        customer["meta_data"] = meta.merge(site.store, customer["meta_data"], params["meta_data"])


def _checked_email(site, customer, email):
    """wc_create_new_customer(): an address is one customer's only."""
    if not _EMAIL.match(email):
        message = "Please provide a valid email address."
        raise ApiError(400, "registration-error-invalid-email", message)
    if site.store.count(KIND, [("email = ? AND id <> ?", [email, customer["id"]])]):
        raise ApiError(
            400,
            "registration-error-email-exists",
            f"An account is already registered with {email}. Please log in or use a different"
            " email address.",
        )
    return email


def show(site, customer):
    paid = ("json_extract(body, '$.customer_id') = ?", [customer["id"]])
    return {
        "id": customer["id"],
        **dates.shown(site, customer, "date_created", "date_modified"),
        "email": customer["email"],
        "first_name": customer["first_name"],
        "last_name": customer["last_name"],
        "role": "customer",
        "username": customer["username"],
        "billing": customer["billing"],
        "shipping": customer["shipping"],
        "is_paying_customer": bool(site.store.count(orders.KIND, [paid])),
        "avatar_url": "",
        "meta_data": customer["meta_data"],
        "_links": {
            "self": [{"href": site.api_url(f"customers/{customer['id']}")}],
            "collection": [{"href": site.api_url("customers")}],
        },
    }

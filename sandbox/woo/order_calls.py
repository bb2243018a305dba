"""What the addresses of orders, their notes and their refunds do."""

from . import orders, products, refunds
from .calls import (
    already_trashed,
    check_force,
    created,
    listing,
    refuse_bad_item,
    refuse_own_id,
    run_batch,
)
from .rest import ApiError


def list_orders(call):
    def show(documents):
        return [orders.show(call.site, document) for document in documents]

    conditions = orders.list_conditions(call.site, call.params)
    return listing(call, orders.KIND, conditions, products.order_by(call.params), show)


def get_order(call):
    return orders.show(call.site, orders.get(call.site, call.id))


def create_order(call):
    return created(call, _create_order(call, call.params))


def _create_order(call, item):
    refuse_own_id(item, "shop_order")
    refuse_bad_item(call, item)
    return orders.show(call.site, orders.create(call.site, item))


def update_order(call):
    return _update_order(call, call.id, call.params)


def _update_order(call, order_id, item):
    order = orders.get(call.site, order_id, 400)
    refuse_bad_item(call, order)
    return orders.show(call.site, orders.update(call.site, order, item))


def delete_order(call):
    return _delete_order(call, call.id, call.params["force"])


def _delete_order(call, order_id, force=True):
    order = orders.get(call.site, order_id)
    refuse_bad_item(call, order)
    if not force and order["status"] == "trash":
        raise already_trashed("shop_order")
    shown = orders.show(call.site, order)
    orders.remove(call.site, order, force)
    return shown


def batch_orders(call):
    return run_batch(call, orders.KIND, _create_order, _update_order, _delete_order)


def _order_of_note(call, code="woocommerce_rest_order_invalid_id"):
    order = call.site.store.get(orders.KIND, call.ids["order_id"])
    if order is None:
        raise ApiError(404, code, "Invalid order ID.")
    return order


def list_notes(call):
    order = _order_of_note(call, "woocommerce_rest_shop_order_invalid_id")
    found = orders.notes(call.site, order["id"], call.params["type"])
    return [orders.show_note(call.site, note) for note in found]


def create_note(call):
    order, params = _order_of_note(call), call.params
    author = "sandbox" if params["added_by_user"] else "system"
    note = orders.add_note(call.site, order, params["note"], params["customer_note"], author)
    return created(call, orders.show_note(call.site, note))


def _note(call):
    order = _order_of_note(call)
    note = call.site.store.get(orders.NOTE, call.id)
    if note is None or note["parent_id"] != order["id"]:
        raise ApiError(404, "woocommerce_rest_invalid_id", "Invalid resource ID.")
    return note


def get_note(call):
    return orders.show_note(call.site, _note(call))


def delete_note(call):
    check_force(call, "Webhooks")  # WooCommerce's own slip, in its words
    note = _note(call)
    call.site.store.delete(orders.NOTE, note["id"])
    return orders.show_note(call.site, note)


def _order_of_refund(call):
    order = call.site.store.get(orders.KIND, call.ids["order_id"])
    if order is None:
        raise ApiError(404, "woocommerce_rest_invalid_order_id", "Invalid order ID.")
    return order


def list_refunds(call):
    def show(documents):
        return [refunds.show(call.site, document) for document in documents]

    own = ("parent_id = ?", [_order_of_refund(call)["id"]])
    return listing(call, refunds.KIND, [own], "id DESC", show)


def create_refund(call):
    refund = refunds.create(call.site, _order_of_refund(call), call.params)
    return created(call, refunds.show(call.site, refund))


def _refund(call):
    order = _order_of_refund(call)
    refund = call.site.store.get(refunds.KIND, call.id)
    if refund is None or refund["parent_id"] != order["id"]:
        code = "woocommerce_rest_invalid_order_refund_id"
        raise ApiError(404, code, "Invalid order refund ID.")
    return order, refund


def get_refund(call):
    return refunds.show(call.site, _refund(call)[1])


def delete_refund(call):
    order, refund = _refund(call)
    if not call.params["force"]:
        message = "The shop_order_refund does not support trashing."
        raise ApiError(501, "woocommerce_rest_trash_not_supported", message)
    refunds.delete(call.site, order, refund)
    return refunds.show(call.site, refund)

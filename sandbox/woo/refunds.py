"""Refunds of an order: class-wc-rest-order-refunds-controller.php."""

from . import dates, lines, meta, money, orders
from .rest import BOOLEAN, INTEGER, META, STRING, ApiError, php_int, php_text

KIND = orders.REFUND

PARAMS = {
    "amount": STRING,
    "reason": STRING,
    "refunded_by": INTEGER,
    "meta_data": META,
    "api_refund": {**BOOLEAN, "default": True},
    "api_restock": {**BOOLEAN, "default": True},
}


def create(site, order, params):
    """wc_create(): the sum of the lines where no amount is given; never beyond the order."""
    refunded = lines.refund_lines(site, order, params.get("line_items"))
    total = money.amount(params["amount"]) if params.get("amount") else refunded.total
    if total < 0:
        message = "Refund amount must be greater than zero."
        raise ApiError(400, "woocommerce_rest_invalid_order_refund", message)
    left = money.amount(order["total"]) - _refunded(order)
    if total > left or total <= 0:
        code = "woocommerce_rest_cannot_create_order_refund"
        raise ApiError(500, code, "Invalid refund amount.")
    refund = _refund(site, order, params, money.text(total), refunded.line_items)
    site.store.put(KIND, refund)
    order["refunds"].append(
        {"id": refund["id"], "reason": refund["reason"], "total": f"-{refund['amount']}"}
    )
    if params["api_restock"]:
        for line in refund["line_items"]:
            orders.adjust_stock(site, line["variation_id"] or line["product_id"], -line["quantity"])
    if total == left:
        orders.set_status(site, order, "refunded")
    orders.save(site, order)
    site.emit("order.updated", order["id"])
    return refund


def _refunded(order):
    return -sum(money.amount(refund["total"]) for refund in order["refunds"])


def _refund(site, order, params, amount, line_items):
    return {
        "id": site.store.next_id("post"),
        "parent_id": order["id"],
        "date_created_gmt": dates.now(site),
        "amount": amount,
        "reason": php_text(params.get("reason")),
        "refunded_by": php_int(params.get("refunded_by")) or 1,
        "refunded_payment": bool(params["api_refund"]),
        "meta_data": meta.merge(site.store, [], params.get("meta_data")),
        "line_items": line_items,
    }


def delete(site, order, refund):
    site.store.delete(KIND, refund["id"])
    order["refunds"] = [entry for entry in order["refunds"] if entry["id"] != refund["id"]]
    orders.save(site, order)
    site.emit("order.updated", order["id"])


def show(site, refund):
    base = f"orders/{refund['parent_id']}/refunds"
    hidden = {name: value for name, value in refund.items() if name != "date_created_gmt"}
    return {
        **hidden,
        **dates.shown(site, refund, "date_created"),
        "shipping_lines": [],
        "tax_lines": [],
        "fee_lines": [],
        "_links": {
            "self": [{"href": site.api_url(f"{base}/{refund['id']}")}],
            "collection": [{"href": site.api_url(base)}],
            "up": [{"href": site.api_url(f"orders/{refund['parent_id']}")}],
        },
    }

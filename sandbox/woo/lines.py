"""The lines of an order: products, shipping, fees, coupons.

WC_REST_Orders_V2_Controller::set_item() and prepare_line_items(), prepare_shipping_lines(), ...
"""

from dataclasses import dataclass, field
from decimal import Decimal

from . import meta, money, products
from .rest import ApiError, php_int, php_text

# A line with one of these set to null is removed: WC_REST_Orders_V2_Controller::item_is_null()
NULL_REMOVES = ("product_id", "method_id", "method_title", "name", "code")


def assign(site, order, params):
    for group in money.GROUPS:
        for given in params.get(group) or []:
            if isinstance(given, dict):
                _assign_line(site, order, group, given)


def _assign_line(site, order, group, given):
    line_id = php_int(given.get("id"))
    line = next((line for line in order[group] if line["id"] == line_id), None)
    if line_id and line is None:
        raise ApiError(
            400,
            "woocommerce_rest_invalid_item_id",
            "Order item ID provided is not associated with order.",
        )
    if line and (_is_null(given) or given.get("quantity") == 0):
        order[group].remove(line)
        return
    if line is None:
        line = {"id": site.store.next_id("item"), **MAKERS[group](site, given)}
        order[group].append(line)
    else:
        CHANGERS[group](site, line, given)
    line["meta_data"] = meta.merge(site.store, line["meta_data"], given.get("meta_data"))


def _is_null(given):
    return any(name in given and given[name] is None for name in NULL_REMOVES)


# === PRODUCTS === #


def _make_item(site, given):
    product = _product(site, given)
    parent_id = product["parent_id"] if product and products.is_variation(product) else 0
    line = {
        "name": _product_name(site, product),
        "product_id": parent_id or (product["id"] if product else 0),
        "variation_id": product["id"] if parent_id else 0,
        "quantity": php_int(given.get("quantity", 1)),
        "tax_class": product["tax_class"] if product else "",
        "subtotal": "0.00",
        "total": "0.00",
        "sku": product["sku"] if product else None,
        "parent_name": _parent_name(site, product),
        "meta_data": _attribute_meta(site, product),
    }
    shop_price = money.amount(_shop_price(product)) if product else money.ZERO
    total = money.untaxed(site, shop_price, line["tax_class"]) * line["quantity"]
    line["subtotal"] = line["total"] = money.text(total)
    _change_item(site, line, given)
    return line


def _change_item(site, line, given):
    if given.get("name") is not None:
        line["name"] = php_text(given["name"])
    if given.get("quantity") is not None:
        line["quantity"] = php_int(given["quantity"])
    if given.get("tax_class") is not None:
        line["tax_class"] = php_text(given["tax_class"])
    for name in ("subtotal", "total"):
        if given.get(name) is not None:
            line[name] = money.text(money.amount(given[name]))
    if money.amount(line["subtotal"]) < money.amount(line["total"]):
        line["subtotal"] = line["total"]


def _product(site, given):
    """By SKU, else by variation, else by product: WC_REST_Orders_V2_Controller::get_product_id()"""
    if given.get("sku"):
        return products.by_sku(site, php_text(given["sku"]))
    number = php_int(given.get("variation_id")) or php_int(given.get("product_id"))
    if not number:
        raise ApiError(
            400, "woocommerce_rest_required_product_reference", "Product ID or SKU is required."
        )
    return site.store.get(products.KIND, number)


def _shop_price(product):
    return product["sale_price"] or product["regular_price"]


def _parent_name(site, product):
    if not product or not products.is_variation(product):
        return None
    parent = site.store.get(products.KIND, product["parent_id"])
    return parent["name"] if parent else None


def _product_name(site, product):
    if not product:
        return ""
    options = ", ".join(item["option"] for item in product["attributes"] if "option" in item)
    name = _parent_name(site, product) or product["name"]
    return f"{name} - {options}" if products.is_variation(product) and options else name


def _attribute_meta(site, product):
    if not product or not products.is_variation(product):
        return []
    return [
        {"id": site.store.next_id("meta"), "key": item["name"].lower(), "value": item["option"]}
        for item in product["attributes"]
    ]


def show_item(line):
    quantity = Decimal(line["quantity"] or 1)
    extra = [
        {**entry, "display_key": entry["key"], "display_value": entry["value"]}
        for entry in line["meta_data"]
    ]
    return {
        **line,
        "global_unique_id": "",
        "price": float(money.amount(line["total"]) / quantity),
        "image": {"id": 0, "src": ""},
        "meta_data": extra,
    }


# === SHIPPING AND FEES === #


def _make_shipping(site, given):
    if not given.get("method_id"):
        raise ApiError(
            400, "woocommerce_rest_invalid_shipping_item", "Shipping method ID is required."
        )
    line = {"method_id": "", "method_title": "", "instance_id": "", "total": "0.00"}
    line.update(tax_status="taxable", meta_data=[])
    _change_shipping(site, line, given)
    return line


def _change_shipping(site, line, given):
    for name in ("method_id", "method_title", "instance_id"):
        if given.get(name) is not None:
            line[name] = php_text(given[name])
    _change_total(line, given)


def _make_fee(site, given):
    if not given.get("name"):
        raise ApiError(400, "woocommerce_rest_invalid_fee_item", "Fee name is required.")
    line = {"name": "", "tax_class": "", "tax_status": "taxable", "amount": "", "total": "0.00"}
    line["meta_data"] = []
    _change_fee(site, line, given)
    return line


def _change_fee(site, line, given):
    for name in ("name", "tax_class", "tax_status"):
        if given.get(name) is not None:
            line[name] = php_text(given[name])
    _change_total(line, given)


def _change_total(line, given):
    if given.get("total") is not None:
        line["total"] = money.text(money.amount(given["total"]))


MAKERS = {"line_items": _make_item, "shipping_lines": _make_shipping, "fee_lines": _make_fee}
CHANGERS = {
    "line_items": _change_item,
    "shipping_lines": _change_shipping,
    "fee_lines": _change_fee,
}


# === COUPONS === #


def apply_coupons(site, order, given):
    """Replace the coupons of an order and discount its products.

    The sandbox keeps no coupons of its own: a code says what it does, e.g. "save10" takes ten per
    cent off, and a code without a number is not valid.
    """
    if given is None:
        return
    coupons = [_coupon(site, item) for item in given if isinstance(item, dict)]
    order["coupon_lines"] = coupons
    share = 1 - sum((Decimal(str(c["nominal_amount"])) for c in coupons), money.ZERO) / 100
    for line in order["line_items"]:
        line["total"] = money.text(money.amount(line["subtotal"]) * max(share, money.ZERO))
    money.set_totals(site, order)
    _share_discount(order)


def _coupon(site, given):
    if given.get("id"):
        code, message = "woocommerce_rest_coupon_item_id_readonly", "Coupon item ID is readonly."
        raise ApiError(400, code, message)
    code = php_text(given.get("code")).strip().lower()
    if not code:
        raise ApiError(400, "woocommerce_rest_invalid_coupon", "Coupon code is required.")
    percent = int("".join(filter(str.isdecimal, code))[-3:] or 0)
    if not 0 < percent <= 100:
        message = f'Coupon "{code}" does not exist!'
        raise ApiError(400, "woocommerce_rest_invalid_coupon", message)
    return {
        "id": site.store.next_id("item"),
        "code": code,
        "discount": "0.00",
        "discount_tax": "0.00",
        "meta_data": [],
        "discount_type": "percent",
        "nominal_amount": percent,
        "free_shipping": False,
    }


def _share_discount(order):
    whole = sum(coupon["nominal_amount"] for coupon in order["coupon_lines"])
    for coupon in order["coupon_lines"]:
        part = Decimal(coupon["nominal_amount"]) / whole
        coupon["discount"] = money.text(money.amount(order["discount_total"]) * part)
        coupon["discount_tax"] = money.text(money.amount(order["discount_tax"]) * part)


# === REFUNDS === #


@dataclass
class Refunded:
    total: Decimal = money.ZERO
    line_items: list = field(default_factory=list)


def refund_lines(site, order, given):
    """The lines a refund takes back: quantities and totals are negative.

    :param given: ``[{"id", "quantity", "refund_total", "refund_tax": [{"id", "refund_total"}]}]``
    """
    refunded = Refunded()
    known = {line["id"]: line for line in order["line_items"]}
    for item in given if isinstance(given, list) else []:
        line = known.get(php_int(item.get("id"))) if isinstance(item, dict) else None
        if line is None:
            continue
        taxes = item.get("refund_tax") or []
        tax = sum((money.amount(entry.get("refund_total")) for entry in taxes), money.ZERO)
        net = money.amount(item.get("refund_total"))
        refunded.total += net + tax
        quantity = php_int(item.get("quantity"))
        refunded.line_items.append(_refund_line(site, line, quantity, net, tax))
    return refunded


def _refund_line(site, line, quantity, net, tax):
    net, tax = money.text(-net), money.text(-tax)
    taxes = [{"id": entry["id"], "total": tax, "subtotal": ""} for entry in line["taxes"]]
    source = {"id": site.store.next_id("meta"), "key": "_refunded_item_id", "value": line["id"]}
    return {
        **line,
        "id": site.store.next_id("item"),
        "quantity": -quantity,
        "subtotal": net,
        "subtotal_tax": tax,
        "total": net,
        "total_tax": tax,
        "taxes": taxes,
        "meta_data": [source],
    }

"""Stock of a product: kept only where the product manages it.

WC_REST_Products_Controller::prepare_object_for_database() and WC_Product::validate_props().
"""

from .rest import php_bool, php_int, php_text

STATUSES = ("instock", "outofstock", "onbackorder")
PRECEDENCE = ("instock", "onbackorder", "outofstock")


def assign(product, params):
    """Put the stock fields of a request into a product.

    A quantity for a product that does not manage its stock is dropped without a word.
    """
    for name, convert in (("manage_stock", php_bool), ("backorders", php_text)):
        if params.get(name) is not None:
            product[name] = convert(params[name])
    if params.get("stock_status") in STATUSES:
        product["stock_status"] = params["stock_status"]
    if not product["manage_stock"]:
        product.update(stock_quantity=None, backorders="no", low_stock_amount=None)
        return
    if params.get("stock_quantity") is not None:
        product["stock_quantity"] = php_int(params["stock_quantity"])
    elif params.get("inventory_delta") is not None:
        delta = php_int(params["inventory_delta"])
        product["stock_quantity"] = (product["stock_quantity"] or 0) + delta
    if "low_stock_amount" in params:
        low = params["low_stock_amount"]
        product["low_stock_amount"] = None if low is None else php_int(low)
    set_status(product)


def set_status(product):
    """Of a product that manages its stock, the quantity decides."""
    if (product["stock_quantity"] or 0) > 0:
        product["stock_status"] = "instock"
    else:
        allowed = product["backorders"] != "no"
        product["stock_status"] = "onbackorder" if allowed else "outofstock"


def shown(product, parent, child_statuses):
    """The stock fields of an answer.

    A variation that does not manage its stock shows its parent's, and says ``"parent"``. A
    variable product that does not manage it is in stock if one variation is.
    """
    manages, source = product["manage_stock"], product
    if not manages and parent and parent["manage_stock"]:
        manages, source = "parent", parent
    status = source["stock_status"]
    if product["type"] == "variable" and not manages and child_statuses:
        status = next(name for name in PRECEDENCE if name in child_statuses)
    return {
        "manage_stock": manages,
        "stock_quantity": source["stock_quantity"] if manages else None,
        "backorders": source["backorders"],
        "backorders_allowed": source["backorders"] != "no",
        "backordered": status == "onbackorder",
        "low_stock_amount": product["low_stock_amount"],
        "stock_status": status,
    }

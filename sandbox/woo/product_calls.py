"""What the addresses of products and variations do."""

from . import products
from .calls import already_trashed, created, listing, refuse_bad_item, refuse_own_id, run_batch
from .product_view import View
from .rest import ApiError

VARIATION_ELSEWHERE = (
    "To manipulate product variations you should use the"
    " /products/&lt;product_id&gt;/variations/&lt;id&gt; endpoint."
)


def show_product(site, product):
    return View(site, [product]).product(product)


def list_products(call):
    site = call.site

    def show(documents):
        view = View(site, documents)
        return [view.product(document) for document in documents]

    conditions = products.list_conditions(site, call.params)
    return listing(call, products.KIND, conditions, products.order_by(call.params), show)


def _product(site, product_id, status):
    product = site.store.get(products.KIND, product_id)
    if product is None:
        raise ApiError(status, "woocommerce_rest_product_invalid_id", "Invalid ID.")
    return product


def _product_to_write(site, product_id, status=400):
    """:raises ApiError: for a variation too; reading one here works, changing it does not"""
    product = _product(site, product_id, status)
    if products.is_variation(product):
        raise ApiError(404, "woocommerce_rest_invalid_product_id", VARIATION_ELSEWHERE)
    return product


def get_product(call):
    return show_product(call.site, _product(call.site, call.id, 404))


def create_product(call):
    return created(call, _create_product(call, call.params))


def _create_product(call, item):
    refuse_own_id(item, "product")
    refuse_bad_item(call, item)
    product = products.create(call.site, item)
    call.site.emit("product.created", product["id"])
    return show_product(call.site, product)


def update_product(call):
    return _update_product(call, call.id, call.params)


def _update_product(call, product_id, item):
    product = _product_to_write(call.site, product_id)
    refuse_bad_item(call, product)
    products.update(call.site, product, item)
    call.site.emit("product.updated", product_id)
    return show_product(call.site, product)


def delete_product(call):
    return _delete_product(call, call.id, call.params["force"])


def _delete_product(call, product_id, force=True):
    site, product = call.site, _product_to_write(call.site, product_id, 404)
    refuse_bad_item(call, product)
    shown = show_product(site, product)
    if not force and product["status"] == "trash":
        raise already_trashed("product")
    children = site.store.children(products.KIND, [product_id]).get(product_id, [])
    for (child_id,) in children:
        remove_product(site, site.store.get(products.KIND, child_id), force)
    remove_product(site, product, force)
    return shown


def remove_product(site, product, force):
    """Into the trash, which is announced, or away for good, which is not."""
    if force:
        site.store.delete(products.KIND, product["id"])
        return
    product["status"] = "trash"
    products.save(site, product)
    site.emit("product.deleted", product["id"])


def batch_products(call):
    return run_batch(call, products.KIND, _create_product, _update_product, _delete_product)


# === VARIATIONS === #


def list_variations(call):
    site, parent_id = call.site, call.ids["product_id"]

    def show(documents):
        view = View(site, documents)
        return [view.variation(document) for document in documents]

    own = ("type = 'variation' AND parent_id = ?", [parent_id])
    conditions = [own, *products.variation_conditions(site, call.params)]
    return listing(call, products.KIND, conditions, products.order_by(call.params), show)


def show_variation(site, variation):
    return View(site, [variation]).variation(variation)


def _variation(site, variation_id, status):
    variation = site.store.get(products.KIND, variation_id)
    if variation is None or not products.is_variation(variation):
        raise ApiError(status, "woocommerce_rest_product_variation_invalid_id", "Invalid ID.")
    return variation


def _parent(call):
    parent = call.site.store.get(products.KIND, call.ids["product_id"])
    if parent is None:
        raise ApiError(
            404,
            "woocommerce_rest_product_variation_invalid_parent",
            "Cannot set attributes due to invalid parent product.",
        )
    return parent


def get_variation(call):
    return show_variation(call.site, _variation(call.site, call.id, 404))


def create_variation(call):
    return created(call, _create_variation(call, call.params))


def _create_variation(call, item):
    refuse_own_id(item, "product_variation")
    refuse_bad_item(call, item)
    variation = products.create(call.site, item, _parent(call))
    call.site.emit("product.created", variation["id"])
    return show_variation(call.site, variation)


def update_variation(call):
    variation = call.site.store.get(products.KIND, call.id)
    if variation and variation["parent_id"] not in (0, call.ids["product_id"]):
        message = "Parent product does not match current variation."
        raise ApiError(403, "woocommerce_rest_cannot_edit", message)
    return _update_variation(call, call.id, call.params)


def _update_variation(call, variation_id, item):
    """In a batch nobody compares the parent: a variation of another product moves to this one."""
    variation = _variation(call.site, variation_id, 400)
    refuse_bad_item(call, variation)
    parent = _parent(call)
    variation["parent_id"] = parent["id"]
    products.update(call.site, variation, item, parent)
    call.site.emit("product.updated", variation_id)
    return show_variation(call.site, variation)


def delete_variation(call):
    return _delete_variation(call, call.id, call.params["force"])


def _delete_variation(call, variation_id, force=True):
    variation = _variation(call.site, variation_id, 404)
    refuse_bad_item(call, variation)
    if not force and variation["status"] == "trash":
        raise already_trashed("product_variation")
    shown = show_variation(call.site, variation)
    remove_product(call.site, variation, force)
    return shown


def batch_variations(call):
    return run_batch(call, products.KIND, _create_variation, _update_variation, _delete_variation)

"""Stock to WooCommerce: absolute quantities, so that a repetition is harmless.

Products go in batches of 100. A variation is only reachable through its product, so there is one
request for each product with variations: that is what WooCommerce offers, and why parcels are made
by product (the engine sends several at a time).
"""

from .base import Result
from .documents import InventoryLevel
from .errors import Rejected, Temporary, ValidationFailed
from .woocommerce_errors import TOO_LARGE, item_error
from .woocommerce_values import number, utc

#: https://woocommerce.github.io/woocommerce-rest-api-docs/#batch-update-products
PRODUCTS_BATCH = "products/batch"
#: https://woocommerce.github.io/woocommerce-rest-api-docs/#batch-update-product-variations
VARIATIONS_BATCH = "products/{parent}/variations/batch"
BATCH_SIZE = 100
#: WooCommerce keeps one stock for each product.
LOCATION = "default"
#: Spares the store to put the whole product together for each item (descriptions, related
#: products, prices): https://developer.wordpress.org/rest-api/using-the-rest-api/global-parameters/
ANSWER_FIELDS = "id,manage_stock,stock_quantity,date_modified_gmt"


class InventoryMixin:
    """Needs ``_api(method, path, json=...)``."""

    def parcels(self, kind, documents):
        if kind not in ("inventory", "price"):
            return super().parcels(kind, documents)
        by_parent = {}
        for position, document in enumerate(documents):
            by_parent.setdefault(document.parent_id, []).append(position)
        return [
            positions[start : start + BATCH_SIZE]
            for positions in by_parent.values()
            for start in range(0, len(positions), BATCH_SIZE)
        ]

    def _push_inventory(self, documents, keys):
        results = {}
        for positions in self.parcels("inventory", documents):
            part = [documents[position] for position in positions]
            results.update(zip(positions, self._push_levels(part), strict=True))
        return [results[position] for position in range(len(documents))]

    def _push_levels(self, documents):
        """Write the stock of products, or of variations of one product."""
        problems = [stock_problem(document) for document in documents]
        items = [
            prepare_item(document)
            for document, problem in zip(documents, problems, strict=True)
            if not problem
        ]
        answers = self._write_batch(documents[0].parent_id, items) if items else {}
        return [
            Result(error=problem)
            if problem
            else read_item(document, answers.get(item_id(document)))
            for document, problem in zip(documents, problems, strict=True)
        ]

    def _write_batch(self, parent, items):
        """:return: ``{id: item of the answer}``"""
        path = VARIATIONS_BATCH.format(parent=parent) if parent else PRODUCTS_BATCH
        try:
            response = self._api("POST", path, json={"update": items})
        except Rejected as error:
            # A store may allow fewer than 100 (filter woocommerce_rest_batch_items_limit).
            if error.code != TOO_LARGE or len(items) == 1:
                raise
            half = len(items) // 2
            return self._write_batch(parent, items[:half]) | self._write_batch(parent, items[half:])
        answer = response.json()
        updated = answer.get("update") if isinstance(answer, dict) else None
        return {
            item["id"]: item for item in updated or () if isinstance(item, dict) and "id" in item
        }


def item_id(document: InventoryLevel):
    return int(document.external_id)


def stock_problem(document):
    """Why this stock cannot be sent, or ``None``."""
    if not document.external_id.isdigit() or (
        not document.parent_id.isdigit() and document.parent_id
    ):
        return ValidationFailed(
            f"{document.label}: '{document.external_id or document.parent_id}' is not the ID of a "
            "product in WooCommerce.",
            hint="Match the product again (Configuration > Matching), then press Resend.",
        )
    if len(document.levels) != 1 or document.levels[0].location_id != LOCATION:
        return ValidationFailed(
            f"{document.label}: WooCommerce keeps one stock for each product, but "
            f"{len(document.levels)} locations were given.",
            hint=f"Map the warehouses to the one location '{LOCATION}'.",
        )
    quantity = document.levels[0].quantity
    if not quantity.is_finite() or quantity != quantity.to_integral_value():
        return ValidationFailed(
            f"{document.label}: WooCommerce only takes whole pieces, not {quantity}.",
            hint="Correct the product's unit of measure or its quantity, then press Resend.",
        )
    return None


def prepare_item(document):
    return {
        "id": item_id(document),
        "manage_stock": True,
        "stock_quantity": int(document.levels[0].quantity),
        "_fields": ANSWER_FIELDS,
    }


def read_item(document, item):
    """The result of one document from its item of the answer (``None``: not in there)."""
    if item is None:
        return Result(error=unanswered(document))
    if "error" in item:
        return Result(error=item_error(item["error"], document.label))
    seen = number(item.get("stock_quantity"))
    if not item.get("manage_stock") or seen is None:
        return Result(error=uncounted(document))
    return Result(
        outcome="updated",
        external_id=document.external_id,
        parent_id=document.parent_id,
        updated_at=utc(item.get("date_modified_gmt")),
        seen={LOCATION: seen},
        note=remark(item, seen, document.levels[0].quantity),
    )


def unanswered(document):
    return Temporary(
        f"{document.label}: the store's answer says nothing about this product.",
        hint="It is sent again by itself.",
        code="item_not_answered",
        uncertain=True,
    )


def uncounted(document):
    """WooCommerce answers 200 and drops the quantity."""
    return Rejected(
        f"{document.label}: the store took the request but does not count this product's stock.",
        hint="Switch on stock management in WooCommerce > Settings > Products > Inventory. Grouped "
        "and external products have no stock of their own: unmatch them.",
        code="stock_not_managed",
    )


def remark(item, seen, quantity):
    if item.get("manage_stock") == "parent":
        return f"The store counts this variation together with its product: {seen}."
    if seen != quantity:
        return f"The store says it now holds {seen}, not the {quantity} sent."
    return ""

"""Prices to WooCommerce: absolute amounts, so that a repetition is harmless.

Products go in batches of 100; variations, which are only reachable through their product, in one
request for each product. ``regular_price`` is the price before a reduction, ``sale_price`` the one
to pay: https://woocommerce.github.io/woocommerce-rest-api-docs/#product-properties
"""

from .base import Result
from .documents import Price
from .errors import Missing, Rejected, ValidationFailed
from .woocommerce_errors import item_error
from .woocommerce_inventory import item_id, unanswered
from .woocommerce_values import number, utc

PRICE_FIELDS = "id,regular_price,sale_price,date_modified_gmt"


class PriceMixin:
    """Needs ``_write_batch(parent, items)`` and ``parcels``."""

    def _push_price(self, documents, keys):
        results = {}
        for positions in self.parcels("price", documents):
            part = [documents[position] for position in positions]
            results.update(zip(positions, self._push_prices(part), strict=True))
        return [results[position] for position in range(len(documents))]

    def _push_prices(self, documents):
        """Write the prices of products, or of variations of one product."""
        problems = [price_problem(document) for document in documents]
        pairs = list(zip(documents, problems, strict=True))
        items = [price_item(document) for document, problem in pairs if not problem]
        answers, gone = {}, None
        try:
            answers = self._write_batch(documents[0].parent_id, items) if items else {}
        except Missing as error:  # the product whose variations these are
            gone = error
        return [
            Result(error=problem or gone)
            if problem or gone
            else read_price(document, answers.get(item_id(document)))
            for document, problem in pairs
        ]


def price_problem(document: Price):
    """Why this price cannot be sent, or ``None``."""
    ids = [document.external_id, document.parent_id or "0"]
    if not all(text.isdigit() for text in ids):
        return ValidationFailed(
            f"{document.label}: '{document.external_id or document.parent_id}' is not the ID of a "
            "product in WooCommerce.",
            hint="Match the product again (Configuration > Matching), then press Resend.",
        )
    return None


def price_item(document):
    reduced = document.compare_at is not None and document.compare_at > document.price
    return {
        "id": item_id(document),
        "regular_price": format(document.compare_at if reduced else document.price, "f"),
        "sale_price": format(document.price, "f") if reduced else "",
        "_fields": PRICE_FIELDS,
    }


def read_price(document, item):
    """The result of one document from its item of the answer (``None``: not in there)."""
    if item is None:
        return Result(error=unanswered(document))
    if "error" in item:
        return Result(error=item_error(item["error"], document.label))
    sale, regular = number(item.get("sale_price")), number(item.get("regular_price"))
    held = regular if sale is None else sale
    if held != document.price:
        return Result(error=_not_taken(document, held))
    return Result(
        outcome="updated",
        external_id=document.external_id,
        parent_id=document.parent_id,
        updated_at=utc(item.get("date_modified_gmt")),
    )


def _not_taken(document, held):
    """WooCommerce answers 200 and drops the price of a product that is sold by its variations."""
    says = "no price" if held is None else f"{held:f}"
    return Rejected(
        f"{document.label}: the store took the request but holds {says}, not {document.price:f}.",
        hint="A product with variations has no price of its own: match the variations "
        "(Configuration > Matching), then press Resend.",
        code="price_not_taken",
    )

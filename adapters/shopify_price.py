"""Prices to Shopify: the variants of one product in one request.

Absolute amounts, so that a repetition is harmless. With ``allowPartialUpdates`` a variant that is
refused holds up no other one of its product:
https://shopify.dev/docs/api/admin-graphql/latest/mutations/productVariantsBulkUpdate
"""

from .base import Result
from .errors import SyncError, ValidationFailed
from .shopify_errors import element_error, place_in
from .shopify_queries import SET_PRICES
from .shopify_values import gid, is_id, utc

#: Variants in one request: https://shopify.dev/docs/api/usage/limits#input-limits
PRICE_BATCH = 250
#: A field of a user error -> the variant it concerns.
PRICE_PATH = ("variants",)


class PriceMixin:
    """Needs ``_mutate(document, **variables)``."""

    def parcels(self, kind, documents):
        if kind != "price":
            return super().parcels(kind, documents)
        products = {}
        for position, document in enumerate(documents):
            products.setdefault(document.parent_id, []).append(position)
        return [
            positions[start : start + PRICE_BATCH]
            for positions in products.values()
            for start in range(0, len(positions), PRICE_BATCH)
        ]

    def _push_price(self, documents, keys):
        results = {}
        for positions in self.parcels("price", documents):
            part = [documents[position] for position in positions]
            results.update(zip(positions, self._push_prices(part), strict=True))
        return [results[position] for position in range(len(documents))]

    def _push_prices(self, documents):
        """Write the prices of variants of one product."""
        problems = [price_problem(document) for document in documents]
        sent = [place for place, problem in enumerate(problems) if not problem]
        refused, updated_at = {}, None
        if sent:
            rows = [price_row(documents[place]) for place in sent]
            refused, updated_at = self._set_prices(documents[0].parent_id, rows)
        errors = {sent[place]: error for place, error in refused.items()}
        return [
            _result(document, problem, errors.get(place), updated_at)
            for place, (document, problem) in enumerate(zip(documents, problems, strict=True))
        ]

    def _set_prices(self, product, rows):
        """:return: ``{place of a row: user error}``, when the product changed"""
        payload, errors = self._mutate(SET_PRICES, id=gid("Product", product), variants=rows)
        refused = {}
        for error in errors:
            place = place_in(error, *PRICE_PATH)
            places = range(len(rows)) if place is None else [place]
            refused |= dict.fromkeys(places, error)
        return refused, utc((payload.get("product") or {}).get("updatedAt"))


def price_problem(document) -> SyncError | None:
    """Why this price cannot be sent, or ``None``."""
    for text, what in ((document.external_id, "variant"), (document.parent_id, "product")):
        if not is_id(text):
            return ValidationFailed(
                f"{document.label}: '{text}' is not the ID of a {what} in Shopify.",
                hint="Match the product again (Configuration > Matching), then press Resend.",
            )
    return None


def price_row(document):
    before = document.compare_at
    return {
        "id": gid("ProductVariant", document.external_id),
        "price": format(document.price, "f"),
        "compareAtPrice": None if before is None else format(before, "f"),
    }


def _result(document, problem, refused, updated_at):
    if problem:
        return Result(error=problem)
    if refused:
        return Result(error=element_error(refused, document.label))
    return Result(
        outcome="updated",
        external_id=document.external_id,
        parent_id=document.parent_id,
        updated_at=updated_at,
    )

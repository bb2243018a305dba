"""Prices to Medusa: the variant's own price in one currency; its other prices stay as they are."""

from .base import Result
from .errors import Missing, Rejected, SyncError, ValidationFailed
from .medusa_errors import about
from .medusa_values import amount, is_id, json_number

#: https://docs.medusajs.com/api/admin#products_postproductsidvariantsbatch
VARIANTS_BATCH = "admin/products/{product}/variants/batch"
#: https://docs.medusajs.com/api/admin#products_getproductsidvariants
VARIANTS_OF = "admin/products/{product}/variants"
PRICE_BATCH = 50
PRICES = "id,*prices"


class PriceMixin:
    """Needs ``_api`` and, of the base, ``parcels``."""

    def parcels(self, kind, documents):
        """Prices are written product by product."""
        if kind != "price":
            return super().parcels(kind, documents)
        by_product = {}
        for position, document in enumerate(documents):
            by_product.setdefault(document.parent_id, []).append(position)
        return [
            positions[start : start + PRICE_BATCH]
            for positions in by_product.values()
            for start in range(0, len(positions), PRICE_BATCH)
        ]

    def _push_price(self, documents, keys):
        results = {}
        for positions in self.parcels("price", documents):
            part = [documents[position] for position in positions]
            results.update(zip(positions, self._push_prices(part), strict=True))
        return [results[position] for position in range(len(documents))]

    def _push_prices(self, documents):
        """Prices of the variants of one product. A batch is atomic: what is refused is written
        again one by one, so that it fails alone."""
        product = documents[0].parent_id
        if not is_id(product):
            return [Result(error=_no_product(document)) for document in documents]
        try:
            variants = self._read_prices(product)
        except Missing as error:
            return [Result(error=about(error, document.label)) for document in documents]
        known = [document for document in documents if document.external_id in variants]
        written = self._write_prices(product, known, variants)
        return [
            written.get(document.external_id) or Result(error=_gone(document))
            for document in documents
        ]

    def _read_prices(self, product):
        """``{variant id: its prices}``"""
        path, params = VARIANTS_OF.format(product=product), {"fields": PRICES, "limit": 500}
        rows = self._api("GET", path, params=params).json().get("variants") or ()
        if not rows:  # Medusa answers with an empty list for a product it does not have
            self._api("GET", f"admin/products/{product}", params={"fields": "id"})
        return {row["id"]: row.get("prices") or [] for row in rows}

    def _write_prices(self, product, documents, variants):
        """:return: ``{variant id: result}``"""
        changed = [one for one in documents if _differs(one, variants[one.external_id])]
        results = {one.external_id: _done(one, "unchanged") for one in documents}
        if not changed:
            return results
        rows = [_with_price(one, variants[one.external_id]) for one in changed]
        try:
            path = VARIANTS_BATCH.format(product=product)
            self._api("POST", path, params={"fields": "id"}, json={"update": rows})
        except (Missing, Rejected) as error:
            if len(changed) == 1:
                return results | {
                    changed[0].external_id: Result(error=about(error, changed[0].label))
                }
            for one in changed:
                results |= self._write_prices(product, [one], variants)
            return results
        except SyncError:
            raise
        return results | {one.external_id: _done(one, "updated") for one in changed}


def _differs(document, prices):
    have = _own(document, prices)
    return have is None or amount(have, "amount") != document.price


def _own(document, prices):
    """The variant's price in that currency that holds for everybody."""
    currency = document.currency.lower()
    fitting = [
        price
        for price in prices
        if price.get("currency_code") == currency
        and not price.get("rules")
        and not price.get("min_quantity")
        and not price.get("max_quantity")
    ]
    return fitting[0] if fitting else None


def _with_price(document, prices):
    """All prices of the variant: what is left out would be deleted."""
    own = _own(document, prices)
    kept = [
        {
            name: price[name]
            for name in ("id", "amount", "currency_code", "min_quantity", "max_quantity", "rules")
            if price.get(name) not in (None, {})
        }
        for price in prices
        if price is not own
    ]
    ours = {"amount": json_number(document.price), "currency_code": document.currency.lower()}
    if own:
        ours["id"] = own["id"]
    return {"id": document.external_id, "prices": [*kept, ours]}


def _done(document, outcome):
    note = ""
    if document.compare_at:
        note = "Medusa has no price before a reduction: make a price list of type Sale there."
    return Result(
        outcome=outcome,
        external_id=document.external_id,
        parent_id=document.parent_id,
        seen={"price": document.price},
        note=note,
    )


def _no_product(document):
    return ValidationFailed(
        f"{document.label}: '{document.parent_id}' is not the ID of a product in Medusa.",
        hint="Match the product again (Configuration > Matching), then press Resend.",
    )


def _gone(document):
    return Missing(
        f"{document.label}: the store does not have this variant any more.",
        hint="Match it again (Configuration > Matching), then press Resend.",
        code="variant_not_found",
    )

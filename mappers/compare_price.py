"""Prices of the store and of Odoo."""

from .compare_stock import VariantComparer
from .comparing import register


@register
class PriceComparer(VariantComparer):
    kind = "price"
    fetches = "price"

    def fields(self, ours, theirs):
        if ours.price != theirs.price:
            yield "price", self.env._("Price"), ours.price, theirs.price
        if ours.compare_at != theirs.compare_at:
            label = self.env._("Price before a reduction")
            yield "compare_at", label, ours.compare_at, theirs.compare_at

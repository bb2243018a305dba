"""Stock of the store and of Odoo."""

from odoo.fields import Domain

from ..adapters.documents import plain
from .comparing import DUPLICATE, Comparer, register
from .inventory import SINGLE_LOCATION


class VariantComparer(Comparer):
    """Kinds of data that are told of variants. Unknown ones of the store are for matching; here
    only those count that bear the SKU of one of ours."""

    def unknown(self, rows, twins):
        by_sku = self._by_sku([row.reference for row in rows if row.reference])
        bound = self.connection._bindings(self.resource, self._union(by_sku))
        found = []
        for row in rows:
            products = by_sku.get(row.reference or "", self.env[self.model])
            difference = self._unknown_variant(row, products, bound, twins)
            if difference:
                found.append(difference)
        return found

    def _unknown_variant(self, row, products, bound, twins):
        taken = products.filtered(lambda product: product.id in bound)
        if taken:
            binding = bound[taken[0].id]
            note = self.env._(
                "%(product)s is bound to %(bound)s in the store, which has this SKU once more.",
                product=taken[0].sudo().display_name,
                bound=binding.external_id,
            )
            return self._unknown(row, status=DUPLICATE, res_id=taken[0].id, note=note)
        if len(products) != 1 or row.reference in twins:
            return None
        note = self.env._("Not bound yet: Odoo has a product with this SKU.")
        return self._unknown(row, res_id=products.id, note=note)

    def _by_sku(self, skus):
        """``{SKU: products}``"""
        company = self.connection.company_id
        products = self.env[self.model].search(
            Domain("default_code", "in", skus) & Domain("company_id", "in", (company.id, False))
        )
        return products.grouped("default_code")

    def _union(self, by_sku):
        ids = {product_id for products in by_sku.values() for product_id in products.ids}
        return self.env[self.model].browse(ids)


@register
class InventoryComparer(VariantComparer):
    kind = "inventory"
    fetches = "inventory"

    def fields(self, ours, theirs):
        held = {level.location_id: level.quantity for level in theirs.levels}
        for level in ours.levels:
            place = level.location_id
            if place in held and held[place] != level.quantity:
                yield f"quantity@{place}", self._label(place), level.quantity, held[place]
            elif not held:
                uncounted = self.env._("not counted")
                yield f"quantity@{place}", self._label(place), level.quantity, uncounted

    def _label(self, place):
        if place == SINGLE_LOCATION:
            return self.env._("Quantity")
        return self.env._("Quantity at location %s", place)

    def seen(self, theirs):
        return plain({level.location_id: level.quantity for level in theirs.levels})

    def covered(self, documents):
        """Some stores are read place by place."""
        return {
            document.external_id: {f"quantity@{level.location_id}" for level in document.levels}
            or None
            for document in documents
        }

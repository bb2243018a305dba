"""Prices of variants, from a pricelist."""

from odoo.fields import Domain

from ..adapters.documents import Price
from .base import Mapper, Problem, Problems, Skip, register
from .money import money


@register
class PriceMapper(Mapper):
    kind = "price"
    model = "product.product"
    resource = "variant"
    scope = "price"
    personal = False

    def due(self, record_ids=None):
        """Bound variants that match the flow's domain."""
        bound = self.connection._bound_ids(self.resource, self.model, record_ids)
        domain = self.flow._get_domain()
        if domain.is_true() or not bound:
            return bound
        products_sudo = self.env[self.model].sudo().with_context(active_test=False)
        return products_sudo.search(domain & Domain("id", "in", bound)).ids

    def prepare(self, records):
        bindings = self.connection._bindings(self.resource, records)
        bound = records.filtered(lambda record: record.id in bindings)
        prepared = {record.id: self._unbound(record) for record in records - bound}
        refusal = self._refusal()
        prices = {} if refusal else self.prices(bound)
        for record in bound:
            problems = list(filter(None, [refusal, self._problem(prices.get(record.id))]))
            prepared[record.id] = (
                Problems(record.display_name, tuple(problems))
                if problems
                else self._document(record, bindings[record.id], prices[record.id])
            )
        return prepared

    def intro(self, label):
        return self.env._(
            "Cannot send the price of %(product)s to %(store)s",
            product=label,
            store=self.connection.name,
        )

    def prices(self, products):
        """What each product costs in the store, exactly.

        :return: ``{product id: (price, price before reduction or None)}``
        """
        flow, currency = self.flow, self.flow._price_currency()
        now = self._amounts(products, flow.price_pricelist_id, currency)
        before = {}
        if flow.price_compare == "list":
            before = self._amounts(products, flow.env["product.pricelist"], currency)
        elif flow.price_compare == "pricelist":
            before = self._amounts(products, flow.price_compare_pricelist_id, currency)
        # a price that is not higher is no price before a reduction
        return {
            product_id: (
                price,
                before[product_id] if before.get(product_id, price) > price else None,
            )
            for product_id, price in now.items()
        }

    def _amounts(self, products, pricelist, currency):
        """``{product id: amount in currency}``, with or without taxes as the store wants it."""
        products = products.with_context(lang=None)
        if pricelist:
            found = pricelist.with_env(self.env)._get_products_price(
                products, 1.0, currency=currency
            )
        else:
            found = products._price_compute("list_price")
            abroad = products.filtered(lambda product: product.currency_id != currency)
            # a conversion rounds, also from a currency to itself
            found |= abroad._price_compute("list_price", currency=currency)
        return {
            product.id: money(self._taxed(product, found[product.id], currency), currency)
            for product in products
        }

    def _taxed(self, product, price, currency):
        # a tax rounded by itself would take a cent from a price that needs no change
        company = self.connection.company_id
        taxes = product.sudo().taxes_id._filter_taxes_by_company(company)
        included = self.flow.price_taxes == "included"
        if all(tax.price_include == included for tax in taxes):
            return price
        totals = taxes.compute_all(price, currency, 1.0, product=product)
        return totals["total_included" if included else "total_excluded"]

    def _refusal(self):
        """What is wrong with all of these prices alike, or ``None``."""
        words = self.flow._price_currency_problem()
        if not words:
            return None
        if self.connection.store_currency:
            hint = self.env._("Choose a pricelist in the store's currency, then press Resend.")
        else:
            hint = self.env._("Press Test Connection on the connection, then press Resend.")
        return Problem(words, hint)

    def _problem(self, prices):
        if not prices or prices[0] >= 0:
            return None
        return Problem(
            self.env._("its price is negative (%s)", prices[0]),
            self.env._("Correct the price or the pricelist's rule, then press Resend."),
        )

    def _document(self, record, binding, prices):
        return Price(
            label=record.display_name,
            external_id=binding.external_id,
            parent_id=binding.parent_id or "",
            sku=record.default_code or "",
            price=prices[0],
            compare_at=prices[1],
            currency=self.flow._price_currency().name,
            taxes_included=self.flow.price_taxes == "included",
        )

    def _unbound(self, record):
        return Skip(
            self.env._("The product is not matched with one of the store."), record.display_name
        )

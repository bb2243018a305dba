"""Lines of the store's orders -> lines of a sales order."""

from decimal import ROUND_HALF_UP, Decimal

from odoo import Command
from odoo.fields import Domain

from .base import Problem
from .links import Links


def line_key(line):
    """Under which external id a line is bound: Shopify counts the lines of goods and those of
    shipping each by itself, so only goods go by their plain id."""
    return line.external_id if line.kind == "product" else f"{line.kind}:{line.external_id}"


class OrderLines:
    """Prepares the lines of one order and collects what stands in the way."""

    def __init__(self, mapper, order):
        self.env = mapper.env
        self.flow = mapper.flow
        self.connection = mapper.connection
        self.order = order
        self.currency = mapper._get_currency(order)
        self.problems = []
        self.bound = {}
        self.by_sku = {}
        self.known_taxes = {}

    def prepare(self):
        """``Command`` s for ``order_line``; look at :attr:`problems` before they are used."""
        self._find_products()
        return [
            Command.create(self._prepare_line(number, line))
            for number, line in enumerate(self.order.lines, start=1)
        ]

    def _prepare_line(self, number, line):
        product = self._get_product(number, line)
        taxes = self._get_taxes(number, line)
        price, discount = self._get_price(line, taxes)
        values = {
            "product_id": product.id,
            "name": line.name or product.display_name,
            "product_uom_qty": float(line.quantity),
            "price_unit": float(price),
            "discount": float(discount),
            "tax_ids": [Command.set([tax.id for tax in taxes])],
        }
        return values | pinned(line, taxes, values, self.currency)

    # === PRODUCTS === #

    def _find_products(self):
        """All products of the order by two queries: variant bindings, then SKUs."""
        lines = [line for line in self.order.lines if line.kind == "product"]
        bound = Links(self.connection).find_ids("variant", [line.product_id for line in lines])
        products = self.env["product.product"].browse(bound.values()).exists()
        alive = set(products.ids)
        self.bound = {key: res_id for key, res_id in bound.items() if res_id in alive}
        skus = {line.sku for line in lines if line.sku and line.product_id not in self.bound}
        self.by_sku = self._find_skus(skus)

    def _find_skus(self, skus):
        """``{sku: products}``"""
        if not skus:
            return {}
        found = self.env["product.product"].search(
            Domain("default_code", "in", list(skus))
            & Domain("company_id", "in", [False, self.connection.company_id.id])
        )
        return found.grouped("default_code")

    def _get_product(self, number, line):
        products = self.env["product.product"]
        if line.kind != "product":
            return self.flow._get_charge_product(line.kind)
        if line.product_id in self.bound:
            return products.browse(self.bound[line.product_id])
        found = self.by_sku.get(line.sku, products)
        if len(found) == 1:
            return found
        if self.flow.order_unknown == "create" and line.sku and not found:
            return self._create_product(line)
        if self.flow.order_unknown != "fail":
            return self.flow._get_charge_product("placeholder")
        self.problems.append(self._several(number, line) if found else self._unknown(number, line))
        return products

    def _create_product(self, line):
        """The store sells what Odoo does not know yet: it gets a product, bound to the store's."""
        price = line.subtotal / (line.quantity or Decimal(1))
        product = self.env["product.product"].create(
            {"name": line.name, "default_code": line.sku, "lst_price": float(price)}
        )
        self.by_sku[line.sku] = product
        if line.product_id:
            Links(self.connection).bind("variant", [(product, line.product_id, line.sku)])
            self.bound[line.product_id] = product.id
        return product

    def _several(self, number, line):
        message = self.env._(
            "line %(number)s '%(name)s' has SKU %(sku)s, which several products in Odoo have",
            number=number,
            name=line.name,
            sku=line.sku,
        )
        hint = self.env._(
            "Match the product with one of them (Configuration > Bindings), then press Resend."
        )
        return Problem(message, hint)

    def _unknown(self, number, line):
        if not line.sku:
            return Problem(
                self.env._("line %(number)s '%(name)s' has no SKU", number=number, name=line.name),
                self.env._("Match the product, then press Resend."),
            )
        message = self.env._(
            "line %(number)s '%(name)s' has SKU %(sku)s, which no product in Odoo has",
            number=number,
            name=line.name,
            sku=line.sku,
        )
        hint = self.env._("Create the product or set its Internal Reference, then press Resend.")
        return Problem(message, hint)

    # === TAXES === #

    def _get_taxes(self, number, line):
        """``{tax of Odoo: what the store charged of it on this line}``"""
        taxes = {}
        for amount in line.taxes:
            tax = self._find_tax(amount)
            if tax:
                taxes[tax] = taxes.get(tax, Decimal(0)) + amount.amount
            else:
                self.problems.append(self._unmapped(number, amount))
        return taxes

    def _find_tax(self, amount):
        if amount.tax_id not in self.known_taxes:
            tax = self._mapped_tax(amount) or self._tax_by_percent(amount)
            self.known_taxes[amount.tax_id] = tax
        return self.known_taxes[amount.tax_id]

    def _mapped_tax(self, amount):
        found = Links(self.connection).find_ids("tax", [amount.tax_id])
        return self.env["account.tax"].browse(found.values()).exists() if found else None

    def _tax_by_percent(self, amount):
        """The company's only sales tax of this percentage: there is nothing to choose."""
        if amount.percent is None:
            return None
        found = self.env["account.tax"].search(
            [
                ("company_id", "=", self.connection.company_id.id),
                ("type_tax_use", "=", "sale"),
                ("amount_type", "=", "percent"),
                ("amount", "=", float(amount.percent)),
            ]
        )
        if len(found) > 1:
            included = self.order.taxes_included
            found = found.filtered(lambda tax: tax.price_include == included)
        return found if len(found) == 1 else None

    def _unmapped(self, number, amount):
        message = self.env._(
            "the tax '%(tax)s' of line %(number)s has no counterpart in Odoo",
            tax=amount.name or amount.tax_id,
            number=number,
        )
        hint = self.env._("Map it under Configuration > Bindings, then press Resend.")
        return Problem(message, hint)

    # === PRICES === #

    def _get_price(self, line, taxes):
        """``(unit price, discount in percent)``, so that the line costs what it cost in the store.

        The discount is shown as such where a percentage of two digits gives exactly the amount.
        """
        before, after = line.subtotal, line.total
        within = sum((one for tax, one in taxes.items() if tax.price_include), Decimal(0))
        if within:
            before = before * (after + within) / after if after else before
            after += within
        quantity = line.quantity or Decimal(1)
        if before > after >= 0:
            discount = _round(100 * (1 - after / before), "0.01")
            # exactly: Odoo adds up lines before it rounds them
            if before * (100 - discount) / 100 == after:
                return before / quantity, discount
        return after / quantity, Decimal(0)


def pinned(line, taxes, values, currency):
    """What makes Odoo keep the store's own tax amounts of a line, to the cent: each store rounds in
    its own way (each line, each piece, each tax), and Odoo in another.

    Odoo gives them up by itself as soon as somebody changes price, quantity or taxes. Amounts that
    rounding cannot explain are not kept: then the total differs, and the order says so.
    """
    if not taxes or not all(_explained(line, *item) for item in taxes.items()):
        return {}
    net = float(line.total)
    amounts = {
        str(tax.id): {"tax_amount_currency": float(amount), "base_amount_currency": net}
        for tax, amount in taxes.items()
    }
    return {
        "extra_tax_data": {
            "currency_id": currency.id,
            "price_unit": values["price_unit"],
            "discount": values["discount"],
            "quantity": values["product_uom_qty"],
            "manual_total_excluded_currency": net,
            "manual_tax_amounts": amounts,
        }
    }


def _explained(line, tax, amount):
    """Whether the tax is what its percentage gives, but for rounding: half a cent each piece."""
    if tax.amount_type != "percent":
        return False
    allowed = Decimal("0.01") + Decimal("0.005") * abs(line.quantity)
    return abs(line.total * Decimal(str(tax.amount)) / 100 - amount) <= allowed


def _round(value, digits):
    return value.quantize(Decimal(digits), ROUND_HALF_UP)

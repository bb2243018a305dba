"""Lines of the store's orders -> lines of a sales order."""

from decimal import ROUND_HALF_UP, Decimal

from odoo import Command
from odoo.fields import Domain

from .base import Problem


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
        self.problems = []

    def prepare(self):
        """``Command`` s for ``order_line``; look at :attr:`problems` before they are used."""
        return [
            Command.create(self._prepare_line(number, line))
            for number, line in enumerate(self.order.lines, start=1)
        ]

    def _prepare_line(self, number, line):
        product = self._get_product(number, line)
        taxes = self._get_taxes(number, line)
        price, discount = self._get_price(line, taxes)
        return {
            "product_id": product.id,
            "name": line.name or product.display_name,
            "product_uom_qty": float(line.quantity),
            "price_unit": float(price),
            "discount": float(discount),
            "tax_ids": [Command.set(taxes.ids)],
        }

    # === PRODUCTS === #

    def _get_product(self, number, line):
        if line.kind != "product":
            return self.flow._get_charge_product(line.kind)
        product = self._bound(line) or self._by_sku(line)
        if product:
            return product
        if self.flow.order_unknown == "placeholder":
            return self.flow._get_charge_product("placeholder")
        self.problems.append(self._unknown(number, line))
        return self.env["product.product"]

    def _bound(self, line):
        if not line.product_id:
            return None
        binding = self.connection.env["commerce.binding"].search(
            [
                ("connection_id", "=", self.connection.id),
                ("resource", "=", "variant"),
                ("external_id", "=", line.product_id),
            ],
            limit=1,
        )
        return self.env["product.product"].browse(binding.res_id).exists() if binding else None

    def _by_sku(self, line):
        if not line.sku:
            return None
        found = self.env["product.product"].search(
            Domain("default_code", "=", line.sku)
            & Domain("company_id", "in", [False, self.connection.company_id.id])
        )
        return found if len(found) == 1 else None

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
        taxes = self.env["account.tax"]
        for amount in line.taxes:
            tax = self._mapped_tax(amount) or self._tax_by_percent(amount)
            if tax:
                taxes |= tax
            else:
                self.problems.append(self._unmapped(number, amount))
        return taxes

    def _mapped_tax(self, amount):
        binding = self.connection.env["commerce.binding"].search(
            [
                ("connection_id", "=", self.connection.id),
                ("resource", "=", "tax"),
                ("external_id", "=", amount.tax_id),
            ],
            limit=1,
        )
        return self.env["account.tax"].browse(binding.res_id).exists() if binding else None

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

        The discount is shown as such where a percentage of two digits gives the exact amount.
        """
        before, after = line.subtotal, line.total
        if taxes.filtered("price_include"):
            share = (after + line.tax) / after if after else Decimal(1)
            before, after = before * share, after * share
        quantity = line.quantity or Decimal(1)
        if before > after >= 0:
            discount = _round(100 * (1 - after / before), "0.01")
            if _round(before * (100 - discount) / 100, "0.01") == _round(after, "0.01"):
                return before / quantity, discount
        return after / quantity, Decimal(0)


def _round(value, digits):
    return value.quantize(Decimal(digits), ROUND_HALF_UP)

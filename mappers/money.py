"""Amounts without floating point."""

from decimal import Decimal


def money(amount, currency):
    """An amount of Odoo (a float) as the exact decimal it stands for, in the currency's digits."""
    return Decimal(f"{currency.round(amount):.{currency.decimal_places}f}")


def quantity(value, digits=6):
    """A quantity or unit price of Odoo as a decimal without the float's noise."""
    return Decimal(f"{value:.{digits}f}").normalize() + 0

"""Amounts and taxes of an order: texts outside, decimals inside.

WC_Abstract_Order::calculate_totals(). WooCommerce keeps line totals without tax, whether the shop
shows its prices with tax or without.
"""

from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

CENT = Decimal("0.01")
ZERO = Decimal(0)
GROUPS = ("line_items", "shipping_lines", "fee_lines")


def amount(value):
    """A decimal of whatever a client sent; 0 for what is no number."""
    try:
        number = Decimal(str(value).strip().replace(",", "."))
    except InvalidOperation:
        return ZERO
    return number if number.is_finite() and abs(number) < Decimal(10) ** 15 else ZERO


def text(number):
    """e.g. "12.50" """
    return str(number.quantize(CENT, ROUND_HALF_UP))


def rate_for(site, tax_class, shipping=False):
    """The tax rate of the class, or None where none applies."""
    for rate in site.tax_rates:
        if rate["class"] == (tax_class or "standard") and (rate["shipping"] or not shipping):
            return rate
    return None


def untaxed(site, price, tax_class):
    """A shop price without its tax."""
    rate = rate_for(site, tax_class)
    if not site.prices_include_tax or rate is None:
        return price
    return (price / (1 + Decimal(rate["rate"]) / 100)).quantize(Decimal("0.000001"))


def tax_line(site, line, shipping=False):
    """Write the taxes of one line: ``total_tax``, ``subtotal_tax``, ``taxes``."""
    rate = rate_for(site, line.get("tax_class", ""), shipping)
    if rate is None or line.get("tax_status") == "none":
        line.update(total_tax="0.00", taxes=[])
        if "subtotal" in line:
            line["subtotal_tax"] = "0.00"
        return
    share = Decimal(rate["rate"]) / 100
    line["total_tax"] = text(amount(line["total"]) * share)
    entry = {"id": rate["id"], "total": line["total_tax"], "subtotal": ""}
    if "subtotal" in line:
        line["subtotal_tax"] = entry["subtotal"] = text(amount(line["subtotal"]) * share)
    line["taxes"] = [entry]


def set_totals(site, order):
    """Write the totals and the tax lines of an order from its lines."""
    for group in GROUPS:
        for line in order[group]:
            tax_line(site, line, group == "shipping_lines")
    items, fees, shipping = order["line_items"], order["fee_lines"], order["shipping_lines"]
    cart_tax = _sum(items, "total_tax") + _sum(fees, "total_tax")
    shipping_tax = _sum(shipping, "total_tax")
    net = _sum(items, "total") + _sum(fees, "total") + _sum(shipping, "total")
    order.update(
        discount_total=text(_sum(items, "subtotal") - _sum(items, "total")),
        discount_tax=text(_sum(items, "subtotal_tax") - _sum(items, "total_tax")),
        shipping_total=text(_sum(shipping, "total")),
        shipping_tax=text(shipping_tax),
        cart_tax=text(cart_tax),
        total_tax=text(cart_tax + shipping_tax),
        total=text(net + cart_tax + shipping_tax),
    )
    order["tax_lines"] = _tax_lines(site, order)


def _sum(lines, name):
    return sum((amount(line.get(name)) for line in lines), ZERO)


def _tax_lines(site, order):
    kept = {line["rate_id"]: line["id"] for line in order["tax_lines"]}
    lines = []
    for rate in site.tax_rates:
        cart, shipping = (_rate_sum(order, rate, groups) for groups in (GROUPS[::2], GROUPS[1:2]))
        if not any(_carries(line, rate) for group in GROUPS for line in order[group]):
            continue
        lines.append(
            {
                "id": kept.get(rate["id"]) or site.store.next_id("item"),
                "rate_code": f"{rate['country']}-{rate['name'].upper()}-{rate['priority']}",
                "rate_id": rate["id"],
                "label": rate["name"],
                "compound": rate["compound"],
                "tax_total": text(cart),
                "shipping_tax_total": text(shipping),
                "rate_percent": float(rate["rate"]),
                "meta_data": [],
            }
        )
    return lines


def _carries(line, rate):
    return any(tax["id"] == rate["id"] for tax in line["taxes"])


def _rate_sum(order, rate, groups):
    lines = [line for group in groups for line in order[group] if _carries(line, rate)]
    return _sum(lines, "total_tax")

"""Orders of WooCommerce -> documents.

https://woocommerce.github.io/woocommerce-rest-api-docs/#order-properties
"""

from decimal import Decimal

from .documents import Address, Order, OrderLine, TaxAmount
from .errors import Rejected
from .woocommerce_values import number, utc
from .woocommerce_webhooks import parse_body

#: Statuses of orders that were paid, and of those that are not to be delivered any more.
PAID = frozenset({"processing", "completed", "refunded"})
CANCELLED = frozenset({"cancelled", "failed", "trash"})
#: The three lists of an order that cost money -> kind of line, key of the name.
CHARGES = {
    "line_items": ("product", "name"),
    "shipping_lines": ("shipping", "method_title"),
    "fee_lines": ("fee", "name"),
}


class OrderMixin:
    """Needs ``record_url``."""

    def _read_order(self, body):
        """:raise Rejected: it is no order, or one that was deleted (``{"id": 15}``)"""
        row = parse_body(body)
        if not {"id", "number", "line_items", "total", "currency"} <= row.keys():
            raise Rejected(
                "The message holds no order; perhaps the order was deleted in the store.",
                code="no_order",
            )
        try:
            return self._order(row)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise Rejected(
                f"Order {row['number']} cannot be read: {type(error).__name__}.",
                code="malformed_order",
            ) from error

    def _order(self, row):
        taxes = {str(tax.get("rate_id")): tax for tax in row.get("tax_lines") or ()}
        return Order(
            label=f"#{row['number']}",
            external_id=str(row["id"]),
            number=str(row["number"]),
            status=row.get("status") or "",
            currency=row["currency"],
            total=_amount(row["total"]),
            total_tax=_amount(row.get("total_tax")),
            paid=bool(row.get("date_paid_gmt")) or row.get("status") in PAID,
            cancelled=row.get("status") in CANCELLED,
            created_at=utc(row.get("date_created_gmt")),
            updated_at=utc(row.get("date_modified_gmt")),
            customer_id=str(row.get("customer_id") or ""),
            billing=_address(row.get("billing")),
            shipping=_address(row.get("shipping")) if _is_address(row.get("shipping")) else None,
            lines=tuple(
                _line(item, kind, name, taxes)
                for group, (kind, name) in CHARGES.items()
                for item in row.get(group) or ()
            ),
            note=row.get("customer_note") or "",
            payment_method=row.get("payment_method") or "",
            payment_title=row.get("payment_method_title") or "",
            transaction_id=row.get("transaction_id") or "",
            url=self.record_url("order", str(row["id"])),
        )


def _line(item, kind, name, taxes):
    total = _amount(item.get("total"))
    subtotal = number(item.get("subtotal"))
    product_id = item.get("variation_id") or item.get("product_id") or ""
    return OrderLine(
        external_id=str(item["id"]),
        kind=kind,
        product_id=str(product_id) if kind == "product" else "",
        sku=item.get("sku") or "",
        name=item.get(name) or "",
        quantity=number(item.get("quantity", 1)) or Decimal(0),
        subtotal=total if subtotal is None else subtotal,
        total=total,
        taxes=tuple(_tax(tax, taxes) for tax in item.get("taxes") or () if number(tax["total"])),
    )


def _tax(row, known):
    tax = known.get(str(row["id"]), {})
    return TaxAmount(
        tax_id=str(row["id"]),
        name=tax.get("label") or tax.get("rate_code") or "",
        amount=_amount(row["total"]),
        percent=number(tax.get("rate_percent")),
    )


def _amount(value):
    return number(value) or Decimal(0)


def _is_address(row):
    return bool(row) and any(row.get(key) for key in ("address_1", "city", "postcode"))


def _address(row):
    row = row or {}
    name = f"{row.get('first_name') or ''} {row.get('last_name') or ''}".strip()
    return Address(
        name=name,
        company=row.get("company") or "",
        street=row.get("address_1") or "",
        street2=row.get("address_2") or "",
        city=row.get("city") or "",
        zip=row.get("postcode") or "",
        state=row.get("state") or "",
        country=row.get("country") or "",
        email=(row.get("email") or "").strip(),
        phone=row.get("phone") or "",
    )

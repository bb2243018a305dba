"""Orders of WooCommerce -> documents.

https://woocommerce.github.io/woocommerce-rest-api-docs/#order-properties
"""

from decimal import Decimal

from .documents import (
    Address,
    Order,
    OrderLine,
    OrderRefund,
    Payment,
    RefundLine,
    Shipment,
    ShipmentLine,
    TaxAmount,
)
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
#: https://woocommerce.github.io/woocommerce-rest-api-docs/#list-all-refunds
REFUNDS = "orders/{order}/refunds"
#: Where a line of a refund says which line of the order it takes back:
#: WC_REST_Order_Refunds_V2_Controller, wc_create_refund()
REFUNDED_ITEM = "_refunded_item_id"
#: WooCommerce has no field for a VAT number. Extensions keep it in these, the commonest first.
VAT_KEYS = (
    "_billing_vat_number",
    "_vat_number",
    "vat_number",
    "_billing_vat",
    "billing_vat",
    "_billing_eu_vat_number",
    "_eu_vat_number",
)
#: Nor one for the language of an order: those of WPML, Polylang and Weglot.
LANGUAGE_KEYS = ("wpml_language", "lang", "_lang", "weglot_language")
#: Of the "Shipment Tracking" extension: a list of {tracking_number, tracking_provider, ...}.
TRACKING_KEY = "_wc_shipment_tracking_items"
#: This status says that everything has left the house.
SHIPPED = "completed"


class OrderMixin:
    """Needs ``_api`` and ``record_url``."""

    def _read_order(self, body):
        """:raise Rejected: it is no order, or one that was deleted (``{"id": 15}``)"""
        row = parse_body(body)
        if row.keys() == {"id"} and str(row["id"]).isdigit():
            row = self._api("GET", f"orders/{row['id']}").json()  # found by looking, or deleted
        if not {"id", "number", "line_items", "total", "currency"} <= row.keys():
            raise Rejected(
                "The message holds no order; perhaps the order was deleted in the store.",
                code="no_order",
            )
        refunds = self._read_order_refunds(row["id"]) if row.get("refunds") else ()
        try:
            return self._order(row, refunds)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise Rejected(
                f"Order {row['number']} cannot be read: {type(error).__name__}.",
                code="malformed_order",
            ) from error

    def _read_order_refunds(self, order_id):
        """The order itself only says how much each refund was, not what for."""
        answer = self._api("GET", REFUNDS.format(order=order_id), params={"per_page": 100})
        rows = answer.json()
        return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else ()

    def _order(self, row, refunds=()):
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
            taxes_included=bool(row.get("prices_include_tax")),
            payments=_payments(row),
            refunds=tuple(_refund(item) for item in refunds),
            shipments=_shipments(row),
            vat=_meta(row, VAT_KEYS),
            language=_meta(row, LANGUAGE_KEYS),
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


def _payments(row):
    """WooCommerce knows one payment of an order: all of it, on the day it was paid."""
    paid_at = utc(row.get("date_paid_gmt"))
    if not paid_at or not _amount(row["total"]):
        return ()
    return (
        Payment(
            external_id=f"{row['id']}:{row.get('transaction_id') or 'paid'}",
            method=row.get("payment_method") or "",
            title=row.get("payment_method_title") or "",
            transaction_id=row.get("transaction_id") or "",
            amount=_amount(row["total"]),
            currency=row["currency"],
            at=paid_at,
        ),
    )


def _refund(row):
    """Amounts of a refund's lines are negative; its own amount is not."""
    shipping = row.get("shipping_lines") or ()
    return OrderRefund(
        external_id=str(row["id"]),
        amount=abs(_amount(row.get("amount"))),
        lines=tuple(
            _refund_line(line, kind)
            for group, (kind, _name) in CHARGES.items()
            if kind != "shipping"
            for line in row.get(group) or ()
        ),
        shipping=sum((abs(_amount(line.get("total"))) for line in shipping), Decimal(0)),
        shipping_tax=sum((abs(_amount(line.get("total_tax"))) for line in shipping), Decimal(0)),
        reason=row.get("reason") or "",
        created_at=utc(row.get("date_created_gmt")),
    )


def _refund_line(line, kind):
    source = _meta(line, (REFUNDED_ITEM,))
    return RefundLine(
        line_id=source if kind == "product" or not source else f"{kind}:{source}",
        sku=line.get("sku") or "",
        quantity=abs(number(line.get("quantity")) or Decimal(0)),
        amount=abs(_amount(line.get("total"))),
        tax=abs(_amount(line.get("total_tax"))),
    )


def _shipments(row):
    """A completed order is one that was shipped, all of it."""
    if row.get("status") != SHIPPED:
        return ()
    tracking = [item for item in _meta_value(row, TRACKING_KEY) or () if isinstance(item, dict)]
    return (
        Shipment(
            label=f"#{row['number']}",
            external_id=f"{row['id']}:{SHIPPED}",
            parent_id=str(row["id"]),
            number=str(row["number"]),
            carrier=str(next((i.get("tracking_provider") or "" for i in tracking), "")),
            tracking_numbers=tuple(
                str(item["tracking_number"]) for item in tracking if item.get("tracking_number")
            ),
            lines=tuple(
                ShipmentLine(
                    quantity=number(item.get("quantity", 1)) or Decimal(0),
                    line_id=str(item["id"]),
                    sku=item.get("sku") or "",
                )
                for item in row.get("line_items") or ()
            ),
        ),
    )


def _meta_value(row, key):
    for entry in row.get("meta_data") or ():
        if isinstance(entry, dict) and entry.get("key") == key:
            return entry.get("value")
    return None


def _meta(row, keys):
    """The first of these custom fields that says something, as text."""
    for key in keys:
        value = _meta_value(row, key)
        if isinstance(value, (str, int)) and not isinstance(value, bool) and value != "":
            return str(value).strip()
    return ""


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

"""Orders of Medusa -> documents.

A message of our subscriber only tells which order; it is read as it is now. Medusa reckons on with
all digits, so the order's totals are rounded to the currency here, as its admin shows them.
"""

from .documents import (
    Address,
    Order,
    OrderLine,
    OrderRefund,
    Payment,
    Shipment,
    ShipmentLine,
    TaxAmount,
)
from .errors import Rejected
from .medusa_values import amount, is_id, number, rounded, utc
from .medusa_webhooks import parse_body

#: https://docs.medusajs.com/api/admin#orders_getordersid
ORDER = "admin/orders/{order}"
DETAIL_FIELDS = (
    "id,display_id,status,email,currency_code,locale,total,tax_total,metadata,canceled_at,"
    "created_at,updated_at,payment_status,customer_id,customer.company_name,credit_line_total,"
    "*items,*items.tax_lines,*shipping_methods,*shipping_methods.tax_lines,*shipping_address,"
    "*billing_address,*payment_collections.payments,*payment_collections.payments.captures,"
    "*payment_collections.payments.refunds,*fulfillments,*fulfillments.items,*fulfillments.labels"
)
#: https://docs.medusajs.com/resources/references/types/CommonTypes/types/types.CommonTypes.PaymentStatus
PAID = frozenset({"captured", "partially_refunded", "refunded"})
CANCELLED = "canceled"


class OrderMixin:
    """Needs ``_api`` and ``record_url``."""

    def _read_order(self, body):
        """The order a message is about, or one whose id is given as ``{"id": "order_..."}``.

        :raise Rejected: the message names no order
        :raise Missing: the order is gone
        """
        message = parse_body(body)
        data = message.get("data") if isinstance(message.get("data"), dict) else message
        order_id = str(data.get("id") or "")
        if not is_id(order_id):
            raise Rejected("The message names no order.", code="no_order")
        row = self._read_order_row(order_id, DETAIL_FIELDS)
        try:
            return self._order(row)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise Rejected(
                f"Order {row.get('display_id')} cannot be read: {type(error).__name__}.",
                code="malformed_order",
            ) from error

    def _read_order_row(self, order_id, fields):
        path = ORDER.format(order=order_id)
        return self._api("GET", path, params={"fields": fields}).json()["order"]

    def _order(self, row):
        currency = row["currency_code"].upper()
        payments = [
            payment
            for collection in row.get("payment_collections") or ()
            for payment in collection.get("payments") or ()
        ]
        method = payments[0].get("provider_id") or "" if payments else ""
        company = (row.get("customer") or {}).get("company_name") or ""
        billing = row.get("billing_address") or row.get("shipping_address")
        shipping = row.get("shipping_address")
        return Order(
            label=f"#{row['display_id']}",
            external_id=row["id"],
            number=str(row["display_id"]),
            status=row.get("status") or "",
            currency=currency,
            total=rounded(amount(row, "total"), currency),
            total_tax=rounded(amount(row, "tax_total"), currency),
            paid=row.get("payment_status") in PAID,
            cancelled=row.get("status") == CANCELLED or bool(row.get("canceled_at")),
            created_at=utc(row.get("created_at")),
            updated_at=utc(row.get("updated_at")),
            customer_id=row.get("customer_id") or "",
            billing=_address(billing, row, company),
            shipping=_address(shipping, row) if shipping else None,
            lines=tuple(_lines(row)),
            payment_method=method,
            payment_title=method.removeprefix("pp_").replace("_", " ").capitalize(),
            transaction_id=payments[0]["id"] if payments else "",
            payments=tuple(_payments(payments)),
            refunds=tuple(_refunds(payments)),
            shipments=tuple(_shipments(row)),
            language=(row.get("locale") or "")[:2].lower(),
            url=self.record_url("order", row["id"]),
        )


def _lines(row):
    for item in row.get("items") or ():
        title, variant = item.get("product_title") or item.get("title"), item.get("variant_title")
        shown = [title, variant if variant and not variant.startswith("Default") else ""]
        yield OrderLine(
            external_id=item["id"],
            product_id=item.get("variant_id") or "",
            sku=item.get("variant_sku") or "",
            name=" - ".join(part for part in shown if part),
            quantity=amount(item, "quantity"),
            **_money(item),
        )
    for method in row.get("shipping_methods") or ():
        yield OrderLine(
            external_id=method["id"],
            kind="shipping",
            name=method.get("name") or "",
            **_money(method),
        )
    credit = amount(row, "credit_line_total")
    if credit:
        yield OrderLine(
            external_id=f"{row['id']}:credit",
            kind="fee",
            name="Credit",
            subtotal=-credit,
            total=-credit,
        )


def _money(item):
    """``subtotal`` and ``total`` without tax, and the taxes."""
    before = amount(item, "subtotal")
    after = before - amount(item, "discount_subtotal")
    taxes = tuple(_tax(tax) for tax in item.get("tax_lines") or () if amount(tax, "total"))
    return {"subtotal": before, "total": after, "taxes": taxes}


def _tax(row):
    return TaxAmount(
        tax_id=row.get("tax_rate_id") or row.get("code") or "",
        name=row.get("description") or row.get("code") or "",
        amount=amount(row, "total"),
        percent=number(row.get("rate")),
    )


def _address(row, order, company=""):
    row = row or {}
    return Address(
        name=f"{row.get('first_name') or ''} {row.get('last_name') or ''}".strip(),
        company=row.get("company") or company,
        street=row.get("address_1") or "",
        street2=row.get("address_2") or "",
        city=row.get("city") or "",
        zip=row.get("postal_code") or "",
        # "us-ny" or "ny"
        state=(row.get("province") or "").rpartition("-")[2].upper(),
        country=(row.get("country_code") or "").upper(),
        email=(order.get("email") or "").strip(),
        phone=row.get("phone") or "",
    )


def _payments(payments):
    for payment in payments:
        rows = [("payment", one) for one in payment.get("captures") or ()]
        rows += [("refund", one) for one in payment.get("refunds") or ()]
        if not rows and not payment.get("canceled_at"):
            rows = [("authorization", payment)]
        for kind, row in rows:
            yield Payment(
                external_id=row["id"],
                kind=kind,
                method=payment.get("provider_id") or "",
                transaction_id=payment["id"],
                amount=amount(row, "amount"),
                currency=(payment.get("currency_code") or "").upper(),
                at=utc(row.get("created_at")),
            )


def _refunds(payments):
    """Medusa gives money back by payment; for which lines, it does not say."""
    for payment in payments:
        for row in payment.get("refunds") or ():
            yield OrderRefund(
                external_id=row["id"],
                amount=amount(row, "amount"),
                reason=row.get("note") or "",
                created_at=utc(row.get("created_at")),
            )


def _shipments(row):
    for one in row.get("fulfillments") or ():
        labels = one.get("labels") or ()
        yield Shipment(
            label=one["id"],
            external_id=one["id"],
            parent_id=row["id"],
            number=one["id"],
            tracking_numbers=tuple(label["tracking_number"] for label in labels),
            tracking_urls=tuple(label["tracking_url"] for label in labels if label["tracking_url"]),
            lines=tuple(
                ShipmentLine(
                    quantity=amount(item, "quantity"),
                    line_id=item.get("line_item_id") or "",
                    sku=item.get("sku") or "",
                )
                for item in one.get("items") or ()
            ),
            location_id=one.get("location_id") or "",
            state="cancelled" if one.get("canceled_at") else "done",
        )

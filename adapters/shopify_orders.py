"""Orders of Shopify -> documents.

A webhook only tells which order; what it says of it may be hours old (Shopify repeats the first
payload), so the order is read as it is now. Amounts are the shop's (``shopMoney``), never those the
customer saw in another currency.
"""

from decimal import ROUND_HALF_UP, Decimal

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
from .errors import Missing, Rejected
from .shopify_configuration import tax_name
from .shopify_queries import ORDER_DETAIL, ORDER_REFUNDS, ORDER_SHIPMENTS
from .shopify_values import decimal, gid, is_id, plain_id, utc
from .shopify_webhooks import parse_body

#: https://shopify.dev/docs/api/admin-graphql/latest/enums/OrderDisplayFinancialStatus
PAID = frozenset({"PAID", "PARTIALLY_REFUNDED", "REFUNDED"})
#: Something of it came back: then the refunds are read.
REFUNDED = frozenset({"PARTIALLY_REFUNDED", "REFUNDED"})
#: Nothing of it has left the house.
UNSHIPPED = frozenset({"", "UNFULFILLED", "ON_HOLD", "SCHEDULED", "OPEN", "IN_PROGRESS"})
#: https://shopify.dev/docs/api/admin-graphql/latest/enums/OrderTransactionKind
PAYMENTS = {"SALE": "payment", "CAPTURE": "payment", "AUTHORIZATION": "authorization"}
#: Shopify has a VAT number for companies only; shops ask others for it in a field of the cart.
VAT_ATTRIBUTES = frozenset({"vat", "vat number", "vat_number", "vat id", "tax id", "tax_id"})
#: The smallest amount the shop reckons with, for splitting an amount that includes tax.
CENT = Decimal("0.01")


class OrderMixin:
    """Needs ``_query`` and ``record_url``."""

    def _read_order(self, body):
        """The order a message is about, or one whose id is given as ``{"id": 7}``.

        :raise Rejected: the message names no order
        :raise Missing: the order is gone
        """
        number = str(parse_body(body).get("id") or "")
        if not is_id(number):
            raise Rejected("The message names no order.", code="no_order")
        order, lines = self._read_detail(number)
        refunds = self._read_order_refunds(number) if _is_refunded(order) else ()
        shipments = self._read_shipments(number) if _is_shipped(order) else ()
        return self._order(order, lines, refunds, shipments)

    def _read_order_refunds(self, number):
        found = self._query(ORDER_REFUNDS, id=gid("Order", number)).get("order") or {}
        return found.get("refunds") or ()

    def _read_shipments(self, number):
        found = self._query(ORDER_SHIPMENTS, id=gid("Order", number)).get("order") or {}
        return found.get("fulfillments") or ()

    def _read_detail(self, number):
        """:return: the order, all its lines"""
        lines, after = [], None
        while True:
            order = self._query(ORDER_DETAIL, id=gid("Order", number), after=after).get("order")
            if not order:
                raise Missing(
                    f"Order {number} no longer exists in the store.",
                    hint="Nothing to do, if it was deleted there on purpose.",
                    code="order_not_found",
                )
            lines += order["lineItems"]["nodes"]
            info = order["lineItems"]["pageInfo"]
            if not info["hasNextPage"]:
                return order, lines
            after = info["endCursor"]

    def _order(self, row, lines, refunds=(), shipments=()):
        number = plain_id(row["id"])
        included = bool(row.get("taxesIncluded"))
        status = row.get("displayFinancialStatus") or ""
        gateway = next(iter(row.get("paymentGatewayNames") or ()), "")
        shipping = row["shippingLines"]["nodes"]
        return Order(
            label=row["name"],
            external_id=number,
            number=row["name"].removeprefix("#"),
            status=status.lower(),
            currency=row["totalPriceSet"]["shopMoney"]["currencyCode"],
            total=amount(row["totalPriceSet"]),
            total_tax=amount(row.get("totalTaxSet")),
            paid=status in PAID,
            cancelled=bool(row.get("cancelledAt")),
            created_at=utc(row.get("createdAt")),
            updated_at=utc(row.get("updatedAt")),
            customer_id=plain_id((row.get("customer") or {}).get("id")),
            billing=_address(row.get("billingAddress") or row.get("shippingAddress"), row),
            shipping=_address(row["shippingAddress"], row) if row.get("shippingAddress") else None,
            lines=(
                *(_product_line(item, included) for item in lines),
                *(_shipping_line(item, included) for item in shipping),
                *(_fee_line(item, included) for item in row.get("additionalFees") or ()),
                *_tip_lines(row),
            ),
            note=row.get("note") or "",
            payment_method=gateway,
            payment_title=gateway.replace("_", " ").capitalize(),
            transaction_id=_payment(row.get("transactions") or ()),
            taxes_included=included,
            payments=tuple(_payments(row.get("transactions") or ())),
            refunds=tuple(_refund(item) for item in refunds),
            shipments=tuple(_shipment(item, number) for item in shipments),
            vat=_vat(row.get("customAttributes") or ()),
            language=row.get("customerLocale") or "",
            location_id=plain_id((row.get("retailLocation") or {}).get("id")),
            tags=tuple(row.get("tags") or ()),
            url=self.record_url("order", number),
        )


def amount(bag):
    """The shop's amount of a ``MoneyBag``, exactly."""
    return decimal(((bag or {}).get("shopMoney") or {}).get("amount")) or Decimal(0)


def _product_line(item, included):
    return OrderLine(
        external_id=plain_id(item["id"]),
        product_id=plain_id((item.get("variant") or {}).get("id")),
        sku=item.get("sku") or "",
        name=item.get("name") or "",
        quantity=Decimal(item["quantity"]),
        **_money(item, item["originalTotalSet"], included),
    )


def _shipping_line(item, included):
    return OrderLine(
        external_id=plain_id(item["id"]),
        kind="shipping",
        name=item.get("title") or "",
        **_money(item, item["originalPriceSet"], included),
    )


def _fee_line(item, included):
    return OrderLine(
        external_id=plain_id(item["id"]),
        kind="fee",
        name=item.get("name") or "",
        **_money(item, item["price"], included),
    )


def _tip_lines(row):
    """A tip bears no tax, and is no line of the order."""
    tip = amount(row.get("totalTipReceivedSet"))
    if tip:
        yield OrderLine(
            external_id=plain_id(row["id"]), kind="tip", name="Tip", subtotal=tip, total=tip
        )


def _is_refunded(order):
    return order.get("displayFinancialStatus") in REFUNDED


def _is_shipped(order):
    return (order.get("displayFulfillmentStatus") or "") not in UNSHIPPED


def _payments(transactions):
    for row in transactions:
        if row.get("kind") in PAYMENTS and row.get("status") == "SUCCESS":
            gateway = row.get("gateway") or ""
            yield Payment(
                external_id=plain_id(row["id"]),
                kind=PAYMENTS[row["kind"]],
                method=gateway,
                title=row.get("formattedGateway") or gateway.replace("_", " ").capitalize(),
                transaction_id=row.get("paymentId") or "",
                amount=amount(row.get("amountSet")),
                currency=_currency(row.get("amountSet")),
                at=utc(row.get("processedAt")),
            )


def _currency(bag):
    return ((bag or {}).get("shopMoney") or {}).get("currencyCode") or ""


def _refund(row):
    lines = (row.get("refundLineItems") or {}).get("nodes") or ()
    shipping = (row.get("refundShippingLines") or {}).get("nodes") or ()
    return OrderRefund(
        external_id=plain_id(row["id"]),
        amount=amount(row.get("totalRefundedSet")),
        lines=tuple(
            RefundLine(
                line_id=plain_id(item["lineItem"]["id"]),
                sku=item["lineItem"].get("sku") or "",
                quantity=Decimal(item["quantity"]),
                amount=amount(item.get("subtotalSet")),
                tax=amount(item.get("totalTaxSet")),
                restock=item.get("restockType") in ("RETURN", "CANCEL"),
            )
            for item in lines
        ),
        shipping=sum((amount(item.get("subtotalAmountSet")) for item in shipping), Decimal(0)),
        shipping_tax=sum((amount(item.get("taxAmountSet")) for item in shipping), Decimal(0)),
        reason=row.get("note") or "",
        created_at=utc(row.get("createdAt")),
    )


def _shipment(row, order):
    tracking = row.get("trackingInfo") or ()
    items = (row.get("fulfillmentLineItems") or {}).get("nodes") or ()
    return Shipment(
        label=row.get("name") or "",
        external_id=plain_id(row["id"]),
        parent_id=order,
        number=row.get("name") or plain_id(row["id"]),
        carrier=next((item.get("company") or "" for item in tracking), ""),
        tracking_numbers=tuple(item["number"] for item in tracking if item.get("number")),
        tracking_urls=tuple(item["url"] for item in tracking if item.get("url")),
        lines=tuple(
            ShipmentLine(
                quantity=Decimal(item["quantity"]),
                line_id=plain_id(item["lineItem"]["id"]),
                sku=item["lineItem"].get("sku") or "",
            )
            for item in items
        ),
        location_id=plain_id((row.get("location") or {}).get("id")),
        state="cancelled" if row.get("status") == "CANCELLED" else "done",
    )


def _vat(attributes):
    for item in attributes:
        if (item.get("key") or "").strip().lower() in VAT_ATTRIBUTES:
            return (item.get("value") or "").strip()
    return ""


def _money(item, original, included):
    """``subtotal``, ``total`` and ``taxes`` of a line, without tax.

    Discounts of the whole order are allocated to its lines by Shopify.
    """
    before = amount(original)
    off = sum(
        (amount(row["allocatedAmountSet"]) for row in item.get("discountAllocations") or ()),
        Decimal(0),
    )
    after = before - off
    taxes = tuple(_tax(row) for row in item.get("taxLines") or () if amount(row["priceSet"]))
    if included:
        tax = sum((one.amount for one in taxes), Decimal(0))
        net = after - tax
        share = net / after if after else Decimal(1)
        before, after = (before * share).quantize(CENT, ROUND_HALF_UP), net
    return {"subtotal": before, "total": after, "taxes": taxes}


def _tax(row):
    return TaxAmount(
        tax_id=tax_name(row),
        name=row.get("title") or "",
        amount=amount(row["priceSet"]),
        percent=decimal(row.get("ratePercentage")),
    )


def _address(row, order):
    row = row or {}
    return Address(
        name=(row.get("name") or "").strip(),
        company=row.get("company") or "",
        street=row.get("address1") or "",
        street2=row.get("address2") or "",
        city=row.get("city") or "",
        zip=row.get("zip") or "",
        state=row.get("provinceCode") or "",
        country=row.get("countryCodeV2") or "",
        email=(order.get("email") or "").strip(),
        phone=row.get("phone") or order.get("phone") or "",
    )


def _payment(transactions):
    """What the payment provider calls the payment."""
    for row in transactions:
        if row.get("kind") in PAYMENTS and row.get("status") == "SUCCESS" and row.get("paymentId"):
            return row["paymentId"]
    return ""

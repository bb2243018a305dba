"""The platform-neutral form of what travels.

A document is made by a mapper (from Odoo) or by an adapter (from the other system) and is the only
thing both know. It is immutable, compares by value, and knows its fingerprint.
"""

import hashlib
import json
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import ClassVar

#: Marks a field that says nothing about the content (labels, what we saw last): it takes no part
#: in the fingerprint.
BESIDE_CONTENT = {"fingerprint": False}


def beside_content(**kwargs):
    """A dataclass field that is left out of the fingerprint."""
    return field(metadata=BESIDE_CONTENT, **kwargs)


def plain(value):
    """``value`` as JSON can carry it: dataclasses as dicts, decimals as exact strings.

    ``Decimal("2.50")`` and ``Decimal("2.5")`` are the same amount and give the same text.
    """
    if value is None or type(value) in (str, int, bool):
        return value
    if is_dataclass(value):
        return {name: plain(getattr(value, name)) for name in _content_fields(type(value))}
    if isinstance(value, Decimal):
        return format(value.normalize() if value else Decimal(0), "f")
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value


@cache
def _content_fields(document_class):
    """The names of the fields that take part in the fingerprint."""
    specs = fields(document_class)
    return tuple(spec.name for spec in specs if spec.metadata.get("fingerprint", True))


@dataclass(frozen=True, kw_only=True)
class Document:
    """What every document has.

    ``label`` is what staff call it (``INV/2026/0042``, ``[MUG-B] Blue mug``); ``external_id`` is
    empty for what is not yet known to the other system; ``parent_id`` is the remote parent where
    the platform addresses a child through it (a WooCommerce variation's product).
    """

    label: str = beside_content(default="")
    external_id: str = ""
    parent_id: str = ""

    def content(self):
        """The content as plain JSON values: what is compared, kept as last sent, and shown."""
        return plain(self)

    def text(self):
        """The content as canonical JSON: equal contents give equal texts."""
        return json.dumps(self.content(), sort_keys=True, separators=(",", ":"), ensure_ascii=False)

    def fingerprint(self):
        """A short stable hash of the content."""
        return fingerprint_of(self.text())


def fingerprint_of(text):
    """The fingerprint of a document whose :meth:`Document.text` is known."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


# === STOCK === #


@dataclass(frozen=True, kw_only=True)
class LocationQuantity:
    """How many pieces are at one place of the store. ``last_seen`` is the quantity the store held
    when we last wrote or read it (for compare-and-set); ``None`` where that is unknown."""

    location_id: str
    quantity: Decimal
    last_seen: Decimal | None = beside_content(default=None)  # noqa: RUF009


@dataclass(frozen=True, kw_only=True)
class InventoryLevel(Document):
    """The stock of one variant, at every mapped place of the store.

    ``handles`` carries further remote ids the platform needs (Shopify: ``inventory_item_id``).
    """

    sku: str = beside_content(default="")
    levels: tuple[LocationQuantity, ...] = ()
    handles: dict = beside_content(default_factory=dict)  # noqa: RUF009
    updated_at: datetime | None = beside_content(default=None)  # noqa: RUF009


# === CATALOGUE === #


@dataclass(frozen=True, kw_only=True)
class ProductOption:
    """What the variants of a product differ in (``Colour``), with its values in their order."""

    name: str
    values: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ProductImage:
    """A picture. ``checksum`` tells whether it changed; ``data`` is the file itself, read only when
    it has to be sent; ``url`` is where it can be fetched; ``external_id`` names the other system's
    copy, where it has one."""

    checksum: str = ""
    name: str = ""
    mimetype: str = ""
    url: str = beside_content(default="")
    external_id: str = beside_content(default="")
    data: bytes = field(default=b"", repr=False, metadata=BESIDE_CONTENT)


@dataclass(frozen=True, kw_only=True)
class ProductVariant:
    """One sellable item of a product. ``values`` are those of the product's options, in their
    order; ``weight`` is in kilograms; ``price`` is in the shop's currency, ``None``: not ours to
    say. ``record_id`` is the variant's id in Odoo, by which a result names it."""

    external_id: str = ""
    sku: str = ""
    barcode: str = ""
    values: tuple[str, ...] = ()
    weight: Decimal | None = None
    price: Decimal | None = None
    tracked: bool = True
    active: bool = True
    image: ProductImage | None = None
    handles: dict = beside_content(default_factory=dict)  # noqa: RUF009
    record_id: int = beside_content(default=0)


@dataclass(frozen=True, kw_only=True)
class Product(Document):
    """A product with all its variants; ``external_id`` is the product's own.

    ``status`` is ``active``, ``draft`` or ``archived``; ``description`` is HTML; ``category`` names
    from the root to the leaf. ``owned`` names the fields that are Odoo's to say (see
    :data:`PRODUCT_FIELDS`): all others are left as the store has them, and say nothing here.
    ``handle`` is the last part of its address there, proposed once; by ``reference``, our own mark
    on it, what an earlier try made is recognised. ``seen`` is what the store last said it holds
    (:attr:`adapters.base.Result.seen`).
    """

    name: str = ""
    description: str = ""
    status: str = "active"
    category: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    vendor: str = ""
    options: tuple[ProductOption, ...] = ()
    variants: tuple[ProductVariant, ...] = ()
    images: tuple[ProductImage, ...] = ()
    owned: tuple[str, ...] = ()
    handle: str = beside_content(default="")
    reference: str = beside_content(default="")
    seen: dict = beside_content(default_factory=dict)  # noqa: RUF009
    updated_at: datetime | None = beside_content(default=None)  # noqa: RUF009
    url: str = beside_content(default="")


#: What of a product can be owned field by field.
PRODUCT_FIELDS = (
    "name",
    "description",
    "status",
    "category",
    "tags",
    "images",
    "sku",
    "barcode",
    "weight",
    "price",
)


@dataclass(frozen=True, kw_only=True)
class Price(Document):
    """The price of one variant, in ``currency``. ``compare_at`` is the price before a reduction,
    ``None`` without one. Whether taxes are included is the store's setting; ``taxes_included`` says
    what these amounts are."""

    sku: str = beside_content(default="")
    price: Decimal
    compare_at: Decimal | None = None
    currency: str
    taxes_included: bool = False
    updated_at: datetime | None = beside_content(default=None)  # noqa: RUF009


# === ACCOUNTING === #


@dataclass(frozen=True, kw_only=True)
class InvoiceLine:
    """One line of an invoice; amounts in the invoice's currency, ``total`` with taxes."""

    sku: str
    name: str
    quantity: Decimal
    unit_price: Decimal
    subtotal: Decimal
    total: Decimal


@dataclass(frozen=True, kw_only=True)
class InvoiceTax:
    """One tax of an invoice with its base and amount, as Odoo totals it."""

    name: str
    base: Decimal
    amount: Decimal


@dataclass(frozen=True, kw_only=True)
class Invoice(Document):
    """A posted (or cancelled) customer invoice; ``external_id`` is the order's id in the store.

    ``state`` is ``posted`` or ``cancelled``; ``payment_state`` is ``not_paid``, ``in_payment``,
    ``partial``, ``paid`` or ``reversed``. ``url`` is a link with an access token to the PDF.
    """

    #: How it is called in messages, and in the names of fields.
    noun: ClassVar[str] = "Invoice"
    slug: ClassVar[str] = "invoice"
    number: str
    date: date | None
    due_date: date | None
    currency: str
    untaxed: Decimal
    tax: Decimal
    total: Decimal
    residual: Decimal
    state: str
    payment_state: str
    lines: tuple[InvoiceLine, ...] = ()
    taxes: tuple[InvoiceTax, ...] = ()
    url: str = ""
    carriers: tuple[str, ...] = ()
    #: The PDF itself, for carriers that deliver it. The fingerprint is of what it says, above.
    pdf: bytes = field(default=b"", repr=False, metadata=BESIDE_CONTENT)

    def texts(self):
        """What an order is told of the invoice: texts only, amounts exactly."""
        return {
            "number": self.number,
            "date": self.date.isoformat() if self.date else "",
            "due_date": self.due_date.isoformat() if self.due_date else "",
            "currency": self.currency,
            "untaxed": format(self.untaxed, "f"),
            "tax": format(self.tax, "f"),
            "total": format(self.total, "f"),
            "residual": format(self.residual, "f"),
            "payment_state": self.payment_state,
            "state": self.state,
            "url": self.url,
        }


@dataclass(frozen=True, kw_only=True)
class RefundLine:
    """How much of one line of an order is given back. ``line_id`` is the store's id of that line;
    ``amount`` is without tax; ``restock``: the pieces come back to the store's stock."""

    line_id: str = ""
    sku: str = ""
    quantity: Decimal = Decimal(0)
    amount: Decimal = Decimal(0)
    tax: Decimal = Decimal(0)
    restock: bool = False


@dataclass(frozen=True, kw_only=True)
class CreditNote(Invoice):
    """A posted credit note: amounts are positive. ``refunds``: the store pays the money back;
    then ``refund_lines`` and ``refund_shipping`` (with tax) say for what, and ``total`` how much.
    """

    noun: ClassVar[str] = "Credit note"
    slug: ClassVar[str] = "credit_note"
    invoice_number: str = ""
    reason: str = ""
    refunds: bool = False
    refund_lines: tuple[RefundLine, ...] = ()
    refund_shipping: Decimal = Decimal(0)
    notify: bool = beside_content(default=False)
    #: The store has the payment provider give the money back; else it only records the refund.
    pays_back: bool = False
    #: Of the credit note in Odoo, which the refund is bound to.
    record_id: int = beside_content(default=0)


# === WHAT IS READ FOR MATCHING === #


@dataclass(frozen=True, kw_only=True)
class CatalogItem(Document):
    """A sellable item of the store (a simple product, or one variation) as matching needs it.

    ``kind`` is ``simple``, ``variation`` or ``bundle``; ``tracked`` says whether the store counts
    its stock at all; ``quantity`` is ``None`` where it does not.
    """

    sku: str = ""
    barcode: str = ""
    name: str = ""
    kind: str = "simple"
    tracked: bool = True
    quantity: Decimal | None = None
    updated_at: datetime | None = None
    url: str = ""
    handles: dict = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class OrderHead(Document):
    """An order of the store as matching needs it. ``number`` is what people call it (``1042``)."""

    number: str
    currency: str = ""
    total: Decimal = Decimal(0)
    status: str = ""
    created_at: datetime | None = None
    updated_at: datetime | None = None
    url: str = ""


# === WHAT COMES FROM STORES === #


@dataclass(frozen=True, kw_only=True)
class Address:
    """A postal address with who lives there. ``country`` and ``state`` are ISO 3166 codes."""

    name: str = ""
    company: str = ""
    street: str = ""
    street2: str = ""
    city: str = ""
    zip: str = ""
    state: str = ""
    country: str = ""
    email: str = ""
    phone: str = ""


@dataclass(frozen=True, kw_only=True)
class TaxAmount:
    """What one tax of the store adds to a line. ``tax_id`` is the store's id of the tax."""

    tax_id: str
    name: str
    amount: Decimal
    percent: Decimal | None = None


@dataclass(frozen=True, kw_only=True)
class OrderLine:
    """One line of an order, amounts without tax: ``subtotal`` before discounts, ``total`` after.

    ``kind`` is ``product``, ``shipping``, ``fee`` or ``tip``. ``product_id`` is the store's id of
    the variant, empty where the store no longer knows it.
    """

    external_id: str
    kind: str = "product"
    product_id: str = ""
    sku: str = ""
    name: str = ""
    quantity: Decimal = Decimal(1)
    subtotal: Decimal = Decimal(0)
    total: Decimal = Decimal(0)
    taxes: tuple[TaxAmount, ...] = ()

    @property
    def tax(self):
        """The sum of the line's taxes."""
        return sum((tax.amount for tax in self.taxes), Decimal(0))


@dataclass(frozen=True, kw_only=True)
class Payment:
    """Money that moved for an order. ``kind`` is ``payment``, ``authorization`` or ``refund``;
    ``method`` is the store's technical name of the way of paying, ``transaction_id`` what the
    payment provider calls it."""

    external_id: str = ""
    kind: str = "payment"
    method: str = ""
    title: str = ""
    transaction_id: str = ""
    amount: Decimal = Decimal(0)
    currency: str = ""
    at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class OrderRefund:
    """What the store gave back of an order; ``amount`` with tax, ``shipping`` without."""

    external_id: str
    amount: Decimal
    lines: tuple[RefundLine, ...] = ()
    shipping: Decimal = Decimal(0)
    shipping_tax: Decimal = Decimal(0)
    reason: str = ""
    created_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Customer(Document):
    """A customer of the store. ``addresses``: places to deliver to, beside the ``billing`` one."""

    name: str = ""
    company: str = ""
    email: str = ""
    phone: str = ""
    vat: str = ""
    language: str = ""
    note: str = ""
    billing: Address | None = None
    addresses: tuple[Address, ...] = ()
    active: bool = True
    updated_at: datetime | None = beside_content(default=None)  # noqa: RUF009
    url: str = beside_content(default="")


@dataclass(frozen=True, kw_only=True)
class Order(Document):
    """An order of a store.

    ``customer_id`` is the store's id of the customer, empty for a guest. ``status`` is the store's
    own word; ``paid`` and ``cancelled`` say what it means. ``total`` includes taxes. All amounts
    are in ``currency``, the shop's, never what the customer saw. ``taxes_included``: the store's
    prices include them. ``shipments`` are those the store itself made. ``language`` is an ISO code.
    """

    number: str
    status: str
    currency: str
    total: Decimal
    total_tax: Decimal
    paid: bool = False
    cancelled: bool = False
    created_at: datetime | None = None
    updated_at: datetime | None = beside_content(default=None)  # noqa: RUF009
    customer_id: str = ""
    billing: Address = Address()
    shipping: Address | None = None
    lines: tuple[OrderLine, ...] = ()
    note: str = ""
    payment_method: str = ""
    payment_title: str = ""
    transaction_id: str = ""
    taxes_included: bool = False
    payments: tuple[Payment, ...] = ()
    refunds: tuple[OrderRefund, ...] = ()
    shipments: tuple["Shipment", ...] = ()
    vat: str = ""
    language: str = ""
    location_id: str = ""
    tags: tuple[str, ...] = ()
    url: str = beside_content(default="")


@dataclass(frozen=True, kw_only=True)
class OrderStatus(Document):
    """What Odoo has the store say of one of its orders; ``external_id`` is the order's.

    ``cancelled``: the order is to be cancelled there, because of ``reason``; ``tags`` and ``note``
    are for the store's staff.
    """

    cancelled: bool = False
    completed: bool = False
    reason: str = ""
    tags: tuple[str, ...] = ()
    note: str = ""
    notify: bool = beside_content(default=False)


# === ANY RECORD === #


@dataclass(frozen=True, kw_only=True)
class Call:
    """How the records of one flow travel.

    ``path`` may hold ``{external_id}`` and ``{key}`` of the mapped values; ``update_*`` are for
    records the other side knows, empty: as for new ones. ``batch`` records a request, as a list,
    under ``batch_key`` where there is one. ``success``, ``external_id``, ``message`` and ``items``
    are JMESPath over the answer (``{status, body}``); ``items`` gives the list of answers, one for
    each record of a batch, each then ``body`` in its turn. ``event``: wrapped as an event of this
    type.
    """

    flow: str = ""
    method: str = "POST"
    path: str = ""
    update_method: str = ""
    update_path: str = ""
    batch: int = 1
    batch_key: str = ""
    key_header: str = ""
    event: str = ""
    success: str = ""
    external_id: str = ""
    message: str = ""
    items: str = ""


@dataclass(frozen=True, kw_only=True)
class Record(Document):
    """Any record of Odoo, as the flow's mapping says: ``values`` is the JSON that travels."""

    model: str = beside_content(default="")
    values: dict = field(default_factory=dict)
    event: str = beside_content(default="")
    call: Call = beside_content(default=Call())  # noqa: RUF009


# === PLACES AND SHIPMENTS === #


@dataclass(frozen=True, kw_only=True)
class Choice(Document):
    """A thing of the store's configuration that has a counterpart in Odoo: a tax, a way of
    shipping, a way of paying. ``detail`` is what else tells it from others, for staff."""

    name: str
    active: bool = True
    detail: str = ""


@dataclass(frozen=True, kw_only=True)
class Location(Choice):
    """A place of the store that keeps stock."""


@dataclass(frozen=True, kw_only=True)
class ShipmentLine:
    """How much of one line of an order was shipped. ``line_id`` is the store's id of that line;
    where it is not known the ``sku`` tells."""

    quantity: Decimal
    line_id: str = ""
    sku: str = ""


@dataclass(frozen=True, kw_only=True)
class Shipment(Document):
    """What left the house for one order; ``parent_id`` is the order's id in the store.

    ``external_id`` is empty until the store knows the shipment. ``state`` is ``done`` or
    ``cancelled``. ``location_id`` is the store's place it ships from, empty for any. ``complete``:
    with it nothing is left to ship, and the order is to say so. ``notify``: the store tells the
    customer.
    """

    number: str
    carrier: str = ""
    tracking_numbers: tuple[str, ...] = ()
    tracking_urls: tuple[str, ...] = ()
    lines: tuple[ShipmentLine, ...] = ()
    location_id: str = ""
    state: str = "done"
    complete: bool = False
    notify: bool = beside_content(default=False)

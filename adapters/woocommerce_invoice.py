"""Invoices to WooCommerce, which has no such object: custom fields and notes of the order.

A field is written again without harm. A note is not: the customer would get a second e-mail. So the
notes that are there are read before one is added, in every try.
"""

import html
import re
from string import Template

from .base import Result
from .errors import Missing, SyncError, ValidationFailed
from .woocommerce_values import utc

#: https://woocommerce.github.io/woocommerce-rest-api-docs/#retrieve-an-order
ORDER = "orders/{order}"
#: https://woocommerce.github.io/woocommerce-rest-api-docs/#order-notes
NOTES = "orders/{order}/notes"
ORDER_FIELDS = "id,number,status,meta_data,date_modified_gmt"
WRITTEN_FIELDS = "id,number,status,date_modified_gmt"
NOTE_FIELDS = "id,note,customer_note"
TRASH = "trash"
#: The leading underscore keeps a field out of WordPress's "Custom fields" box, where it could be
#: edited by hand. One field for each invoice: two of one order never overwrite each other.
META_KEY = "_commerce_sync_{slug}:{number}"
CARRIERS = {
    "meta": "Custom field of the order",
    "private_note": "Private note of the order",
    "customer_note": "Note to the customer, e-mailed by the store",
}
#: Says nothing that changes later (what is still to pay), or each change would be a new note.
PRIVATE_TEXT = "$noun $number of $date: $total $currency. $url"
CUSTOMER_TEXT = "Your $lower $number of $date, $total $currency: $url"
CANCELLED_TEXT = "$noun $number of $date has been cancelled."


class InvoiceMixin:
    """Needs ``_api(method, path, json=...)`` and ``settings``.

    ``options``: ``private_note_text``, ``customer_note_text``, ``cancelled_note_text``: the store's
    own wording, with ``$number``, ``$date``, ``$due_date``, ``$total``, ``$currency``, ``$url``.
    """

    def _push_invoice(self, documents, keys):
        return [self._deliver(*pair) for pair in zip(documents, keys, strict=True)]

    def _deliver(self, invoice, key):
        """One invoice. Even a failure of the line is its result, for what is done must be kept."""
        delivery = _Delivery(invoice, key)
        try:
            delivery.check()
            if delivery.reads_first():
                self._ask_order(delivery, "GET", ORDER_FIELDS)
            for carrier in delivery.open_carriers():
                step = self._write_meta if carrier == "meta" else self._write_note
                delivery.progress[carrier] = step(delivery, carrier)
        except SyncError as error:
            return delivery.result(error=error)
        return delivery.result()

    def _ask_order(self, delivery, method, fields, json=None):
        """Read or write the order.

        :raise Missing: it is gone, or in the trash
        """
        path = ORDER.format(order=delivery.order_id)
        try:
            answer = self._api(method, path, params={"_fields": fields}, json=json)
            delivery.order.update(answer.json())
        except Missing as error:
            raise delivery.missing(
                "no longer exists in the store",
                "Find out in the store why it was deleted; then cancel this job, or match the "
                "order again and press Resend.",
                error.code,
            ) from error
        if delivery.order.get("status") == TRASH:
            raise delivery.missing(
                "is in the store's trash",
                "Restore it in WooCommerce > Orders > Trash and press Resend, or cancel this job.",
                "order_in_trash",
            )

    def _write_meta(self, delivery, carrier):
        key = META_KEY.format(slug=delivery.invoice.slug, number=delivery.invoice.number)
        value = delivery.invoice.texts()
        found = [meta for meta in delivery.order.get("meta_data") or () if meta.get("key") == key]
        if len(found) == 1 and found[0].get("value") == value:
            return "done"
        # Without the field's id, WooCommerce replaces the field of this key.
        body = {"meta_data": [{"key": key, "value": value}]}
        self._ask_order(delivery, "PUT", WRITTEN_FIELDS, body)
        delivery.changes.add("created" if delivery.reads_first() and not found else "updated")
        return "done"

    def _write_note(self, delivery, carrier):
        """:return: the note's id"""
        to_customer = carrier == "customer_note"
        text = self._note_text(delivery.invoice, to_customer)
        path = NOTES.format(order=delivery.order_id)
        if delivery.notes is None:
            delivery.notes = self._api("GET", path, params={"_fields": NOTE_FIELDS}).json()
        for note in delivery.notes:
            if bool(note.get("customer_note")) == to_customer and delivery.wrote(note, text):
                return note["id"]
        body = {"note": text, "customer_note": to_customer}
        note = self._api("POST", path, params={"_fields": NOTE_FIELDS}, json=body).json()
        delivery.changes.add("created")
        return note["id"]

    def _note_text(self, invoice, to_customer):
        options = self.settings.options
        if invoice.state == "cancelled":
            wording = options.get("cancelled_note_text") or CANCELLED_TEXT
        elif to_customer:
            wording = options.get("customer_note_text") or CUSTOMER_TEXT
        else:
            wording = options.get("private_note_text") or PRIVATE_TEXT
        return " ".join(
            Template(wording)
            .safe_substitute(invoice.texts(), noun=invoice.noun, lower=invoice.noun.lower())
            .split()
        )


class _Delivery:
    """One invoice on its way: what is done, and what this try changed."""

    def __init__(self, invoice, key):
        self.invoice = invoice
        self.order_id = invoice.external_id
        self.order = {}
        self.notes = None  # not read yet
        self.changes = set()
        self.progress = dict(key.progress)
        self._resumed = bool(key.progress)
        self._uncertain = key.uncertain

    def check(self):
        """:raise ValidationFailed: it cannot be sent"""
        if not self.order_id.isdigit():
            raise ValidationFailed(
                f"{self._name}: '{self.order_id}' is not the ID of an order in WooCommerce.",
                hint="Match its order again (Configuration > Matching), then press Resend.",
            )
        unknown = [carrier for carrier in self.invoice.carriers if carrier not in CARRIERS]
        if unknown or not self.invoice.carriers:
            raise ValidationFailed(
                f"{self._name}: WooCommerce has no way to carry it ({', '.join(unknown) or 'none'}"
                " chosen).",
                hint=f"Choose of: {', '.join(CARRIERS.values())}.",
            )

    def open_carriers(self):
        return [carrier for carrier in self.invoice.carriers if carrier not in self.progress]

    def reads_first(self):
        """Whether the order is read before anything is written: a field alone is written over
        whatever is there, in one request."""
        return tuple(self.invoice.carriers) != ("meta",)

    @property
    def _name(self):
        return f"{self.invoice.noun} {self.invoice.number}"

    def wrote(self, note, text):
        """Whether the order's note is the one we are about to write. After an uncertain try it is
        also recognised with something added, as a plugin may do."""
        theirs, ours = comparable(note.get("note")), comparable(text)
        return theirs == ours or (self._uncertain and ours in theirs)

    def missing(self, what, hint, code):
        return Missing(f"{self._name}: its order {self.order_id} {what}.", hint=hint, code=code)

    def result(self, error=None):
        if error:
            return Result(error=error, progress=self.progress)
        outcome = "unchanged"
        if self.changes or self._resumed:
            outcome = "updated" if "updated" in self.changes else "created"
        return Result(
            outcome=outcome,
            external_id=f"{self.order_id}:{self.invoice.number}",
            parent_id=self.order_id,
            external_ref=str(self.order.get("number") or ""),
            updated_at=utc(self.order.get("date_modified_gmt")),
            progress=self.progress,
        )


def comparable(note):
    """A note's text as it can be found again: WordPress strips backslashes, and may turn
    characters into entities and addresses into links."""
    text = html.unescape(re.sub(r"<[^>]*>", "", str(note or "")))
    return " ".join(text.replace("\\", "").split())

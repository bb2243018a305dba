"""Invoices to Shopify, which has no such object for an ordinary order: metafields, a file, tags and
the note of the order.

Everything here can be written twice without harm, except the file: its id is remembered as soon as
it is known, and a retry goes on from there.
"""

import hashlib
import json
import re
import time
from string import Template

from urllib3.filepost import encode_multipart_formdata

from .base import Result
from .errors import Missing, Rejected, SyncError, Temporary, ValidationFailed
from .failures import RETRIED, plain_words
from .http import ANONYMOUS
from .shopify_errors import element_error
from .shopify_queries import (
    ADD_TAGS,
    CREATE_FILE,
    FILE,
    ORDER,
    REMOVE_TAGS,
    SET_METAFIELDS,
    STAGE_UPLOAD,
    UPDATE_ORDER,
)
from .shopify_values import gid, is_id, plain_id, utc

CARRIERS = {
    "metafield": "Metafield of the order",
    "file": "PDF file, linked to the order by a metafield",
    "tag": "Tag of the order",
    "note": "Note of the order, seen by staff",
}
NAMESPACE = "commerce_sync"
#: https://shopify.dev/docs/apps/build/custom-data/metafields/metafield-limits
KEY_LIMIT = 64
VALUE_LIMIT = 65_536
#: https://help.shopify.com/en/manual/shopify-admin/productivity-tools/creating-and-removing-tags
TAG_LIMIT = 40
NOTE_LIMIT = 5000
PDF_LIMIT = 20 * 1024 * 1024
PDF_TYPE = "application/pdf"

TAG_TEXT = "$noun $number"
NOTE_TEXT = "$noun $number of $date: $total $currency. $url"
CANCELLED_TEXT = "$noun $number of $date has been cancelled."
#: A file is ready some seconds after it was handed over.
POLLS = 6
POLL_SECONDS = 1.0
LATER = 10.0


class InvoiceMixin:
    """Needs ``_query``, ``_mutate``, ``client``, ``host`` and ``settings``.

    ``options``: ``tag_text``, ``note_text``, ``cancelled_note_text`` with ``$number``, ``$date``,
    ``$due_date``, ``$total``, ``$currency``, ``$url``; ``metafield_namespace``.
    """

    poll_seconds = POLL_SECONDS

    def _push_invoice(self, documents, keys):
        return [self._deliver(*pair) for pair in zip(documents, keys, strict=True)]

    def _deliver(self, invoice, key):
        """One invoice. Even a failure of the line is its result, for what is done must be kept."""
        delivery = _Delivery(invoice, key)
        steps = {
            "metafield": self._write_metafield,
            "file": self._write_file,
            "tag": self._write_tag,
            "note": self._write_note,
        }
        try:
            delivery.check()
            self._read_annotations(delivery)
            for carrier in delivery.open_carriers():
                steps[carrier](delivery)
                delivery.progress[carrier] = "done"
        except SyncError as error:
            return delivery.result(error)
        return delivery.result()

    @property
    def _namespace(self):
        return self.settings.options.get("metafield_namespace") or NAMESPACE

    def _read_annotations(self, delivery):
        order = self._query(
            ORDER,
            id=delivery.order_gid,
            namespace=self._namespace,
            data=delivery.data_key,
            file=delivery.file_key,
        ).get("order")
        if not order:
            raise Missing(
                f"{delivery.name}: its order {delivery.order_id} no longer exists in the store.",
                hint="Find out in the store why it was deleted; then cancel this job, or match the "
                "order again and press Resend.",
                code="order_not_found",
            )
        delivery.order = order

    # === METAFIELD === #

    def _write_metafield(self, delivery):
        value = json.dumps(field_value(delivery.invoice), ensure_ascii=False, sort_keys=True)
        if len(value.encode()) > VALUE_LIMIT:
            raise ValidationFailed(
                f"{delivery.name}: with its lines it is too long for a metafield of Shopify "
                f"({VALUE_LIMIT} bytes).",
                hint="Take the metafield off the flow's carriers.",
                code="metafield_too_long",
            )
        found = delivery.order.get("data")
        if not found or _differs(found.get("value"), value):
            self._set_metafield(delivery, delivery.data_key, "json", value)
            delivery.note_change(found)

    def _set_metafield(self, delivery, key, kind, value):
        row = {
            "ownerId": delivery.order_gid,
            "namespace": self._namespace,
            "key": key,
            "type": kind,
            "value": value,
        }
        _payload, errors = self._mutate(SET_METAFIELDS, metafields=[row])
        _raise_first(errors, delivery)

    # === FILE === #

    def _write_file(self, delivery):
        """Upload, have a file made of it, wait until it is ready, attach it to the order."""
        if delivery.invoice.state == "cancelled" and not delivery.invoice.pdf:
            return
        if not delivery.progress.get("file_id"):
            delivery.progress["file_id"] = self._create_file(delivery, self._upload(delivery))
        self._await_file(delivery)
        self._set_metafield(
            delivery, delivery.file_key, "file_reference", delivery.progress["file_id"]
        )
        delivery.note_change(delivery.order.get("file"))

    def _upload(self, delivery):
        """:return: the address Shopify knows the upload by"""
        pdf = delivery.pdf()
        row = {
            "filename": delivery.file_name,
            "mimeType": PDF_TYPE,
            "resource": "FILE",
            "fileSize": str(len(pdf)),
            "httpMethod": "POST",
        }
        payload, errors = self._mutate(STAGE_UPLOAD, input=[row])
        _raise_first(errors, delivery)
        target = payload["stagedTargets"][0]
        fields = [(pair["name"], pair["value"]) for pair in target["parameters"]]
        fields.append(("file", (delivery.file_name, pdf, PDF_TYPE)))
        body, content_type = encode_multipart_formdata(fields)
        # The place is another company's: our token must not go there.
        self.client.request(
            "POST",
            target["url"],
            data=body,
            headers={"Content-Type": content_type},
            auth=ANONYMOUS,
            interpret=lambda response: self._refused_upload(response, delivery),
            expect_json=False,
        )
        return target["resourceUrl"]

    def _refused_upload(self, response, delivery):
        """An upload's place lives for minutes; whatever is wrong with it, a new one may work."""
        return Temporary(
            f"{delivery.name}: Shopify's file storage refuses the PDF (HTTP {response.status}).",
            hint=RETRIED,
            code="upload_refused",
        )

    def _create_file(self, delivery, source):
        row = {
            "originalSource": source,
            "contentType": "FILE",
            "filename": delivery.file_name,
            "alt": delivery.name,
        }
        payload, errors = self._mutate(CREATE_FILE, files=[row])
        _raise_first(errors, delivery)
        return payload["files"][0]["id"]

    def _await_file(self, delivery):
        file_id = delivery.progress["file_id"]
        for attempt in range(POLLS):
            if attempt:
                time.sleep(self.poll_seconds)
            node = self._query(FILE, id=file_id).get("node")
            status = (node or {}).get("fileStatus")
            if status == "READY":
                return
            if status in (None, "FAILED"):
                del delivery.progress["file_id"]
                raise _failed_file(delivery, node)
        raise Temporary(
            f"{delivery.name}: the store is still working on its PDF.",
            hint="Nothing to do: it is looked at again by itself.",
            code="file_processing",
            retry_after=LATER,
        )

    # === TAG AND NOTE === #

    def _write_tag(self, delivery):
        text = self._wording(delivery.invoice, "tag_text", TAG_TEXT).replace(",", " ")
        tag = " ".join(text.split())[:TAG_LIMIT]
        there = tag.lower() in {found.lower() for found in delivery.order.get("tags") or ()}
        wanted = delivery.invoice.state != "cancelled"
        if there == wanted:
            return
        document = ADD_TAGS if wanted else REMOVE_TAGS
        _payload, errors = self._mutate(document, id=delivery.order_gid, tags=[tag])
        _raise_first(errors, delivery)
        delivery.note_change(not wanted)

    def _write_note(self, delivery):
        """One more line below what staff wrote."""
        cancelled = delivery.invoice.state == "cancelled"
        name, default = (
            ("cancelled_note_text", CANCELLED_TEXT) if cancelled else ("note_text", NOTE_TEXT)
        )
        line = " ".join(self._wording(delivery.invoice, name, default).split())
        note = delivery.order.get("note") or ""
        if line in (" ".join(found.split()) for found in note.splitlines()):
            return
        text = f"{note.rstrip()}\n{line}".strip()
        if len(text) > NOTE_LIMIT:
            raise Rejected(
                f"{delivery.name}: the order's note in the store is full "
                f"({NOTE_LIMIT} characters).",
                hint="Shorten the note in Shopify, then press Resend.",
                code="note_full",
            )
        update = {"id": delivery.order_gid, "note": text}
        payload, errors = self._mutate(UPDATE_ORDER, input=update)
        _raise_first(errors, delivery)
        delivery.order["updatedAt"] = payload["order"]["updatedAt"]
        delivery.note_change(note)

    def _wording(self, invoice, option, default):
        wording = self.settings.options.get(option) or default
        return Template(wording).safe_substitute(invoice.texts(), noun=invoice.noun)


class _Delivery:
    """One invoice on its way: what is done, and what this try changed."""

    def __init__(self, invoice, key):
        self.invoice = invoice
        self.order_id = invoice.external_id
        self.order = {}
        self.changes = set()
        self.progress = dict(key.progress)
        self._resumed = bool(key.progress)

    @property
    def name(self):
        return f"{self.invoice.noun} {self.invoice.number}"

    @property
    def order_gid(self):
        return gid("Order", self.order_id)

    @property
    def data_key(self):
        return metafield_key(self.invoice.slug, self.invoice.number)

    @property
    def file_key(self):
        return metafield_key(f"{self.invoice.slug}_pdf", self.invoice.number)

    @property
    def file_name(self):
        return re.sub(r"[^A-Za-z0-9._-]+", "_", self.invoice.number) + ".pdf"

    def check(self):
        """:raise ValidationFailed: it cannot be sent"""
        if not is_id(self.order_id):
            raise ValidationFailed(
                f"{self.name}: '{self.order_id}' is not the ID of an order in Shopify.",
                hint="Match its order again (Mappings), then press Resend.",
            )
        unknown = [carrier for carrier in self.invoice.carriers if carrier not in CARRIERS]
        if unknown or not self.invoice.carriers:
            raise ValidationFailed(
                f"{self.name}: Shopify has no way to carry it ({', '.join(unknown) or 'none'}"
                " chosen).",
                hint=f"Choose of: {', '.join(CARRIERS.values())}.",
            )
        if "file" in self.open_carriers() and not self.progress.get("file_id"):
            self.pdf()

    def pdf(self):
        """:raise ValidationFailed: there is none, or it is too large"""
        pdf = self.invoice.pdf
        if not pdf and self.invoice.state != "cancelled":
            raise ValidationFailed(
                f"{self.name}: there is no PDF of it to deliver.",
                hint="Print the invoice in Odoo, or install wkhtmltopdf on the server; then press "
                "Resend. Or take the PDF file off the flow's carriers.",
                code="no_pdf",
            )
        if len(pdf) > PDF_LIMIT:
            raise ValidationFailed(
                f"{self.name}: its PDF is larger than Shopify takes ({PDF_LIMIT // 2**20} MB).",
                hint="Use smaller images in the report's layout, then press Resend.",
                code="pdf_too_large",
            )
        return pdf

    def open_carriers(self):
        return [carrier for carrier in self.invoice.carriers if carrier not in self.progress]

    def note_change(self, before):
        self.changes.add("updated" if before else "created")

    def result(self, error=None):
        if error:
            return Result(error=error, progress=self.progress)
        outcome = "unchanged"
        if self.changes or self._resumed:
            outcome = "updated" if self.changes == {"updated"} else "created"
        return Result(
            outcome=outcome,
            external_id=f"{plain_id(self.order_gid)}:{self.invoice.number}",
            parent_id=plain_id(self.order_gid),
            external_ref=(self.order.get("name") or "").removeprefix("#"),
            updated_at=utc(self.order.get("updatedAt")),
            progress=self.progress,
        )


def metafield_key(prefix, number):
    """The key of a number: ``invoice_INV_2026_0042``. One for each invoice: two of one order never
    overwrite each other. A hash tells those apart that would look the same."""
    plain = re.sub(r"[^A-Za-z0-9-]", "_", number)
    key = f"{prefix}_{plain}"
    if plain == number.replace("/", "_") and "_" not in number and len(key) <= KEY_LIMIT:
        return key
    digest = hashlib.sha256(number.encode()).hexdigest()[:8]
    return f"{key[: KEY_LIMIT - 9]}_{digest}"


def field_value(invoice):
    """:meth:`Invoice.texts` with lines and taxes: what stands in the metafield."""
    lines = [
        {
            "sku": line.sku,
            "name": line.name,
            "quantity": format(line.quantity, "f"),
            "unit_price": format(line.unit_price, "f"),
            "subtotal": format(line.subtotal, "f"),
            "total": format(line.total, "f"),
        }
        for line in invoice.lines
    ]
    taxes = [
        {"name": tax.name, "base": format(tax.base, "f"), "amount": format(tax.amount, "f")}
        for tax in invoice.taxes
    ]
    return {**invoice.texts(), "lines": lines, "taxes": taxes}


def _differs(stored, value):
    """Shopify may write the same JSON in another way."""
    try:
        return json.loads(stored) != json.loads(value)
    except (TypeError, ValueError):
        return True


def _raise_first(errors, delivery):
    if errors:
        raise element_error(errors[0], delivery.name)


def _failed_file(delivery, node):
    errors = (node or {}).get("fileErrors") or ({},)
    words = plain_words(errors[0].get("message")) or "no reason is given"
    return Temporary(
        f"{delivery.name}: the store could not take in its PDF: {words}",
        hint=f"{RETRIED} It is uploaded anew.",
        code="file_failed",
    )

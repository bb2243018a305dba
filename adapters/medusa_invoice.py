"""Invoices, credit notes and marks on orders of Medusa, which has no object for invoices.

They are kept in the order's ``metadata``, which is merged key by key (an empty text deletes its
key). So a repetition is harmless.
"""

from .base import Result
from .errors import Missing, Rejected, SyncError, ValidationFailed
from .medusa_errors import about
from .medusa_orders import CANCELLED, ORDER
from .medusa_values import amount, is_id, json_number, utc

CARRIERS = {"meta": "Metadata of the order"}
META_KEY = "odoo_invoice_{number}"
STATUS_KEY = "odoo_status"
#: https://docs.medusajs.com/api/admin#orders_postordersidcancel
CANCEL = "admin/orders/{order}/cancel"
#: https://docs.medusajs.com/api/admin#payments_postpaymentsidrefund
REFUND = "admin/payments/{payment}/refund"
HEAD_FIELDS = "id,display_id,updated_at,status,metadata"
PAYMENT_FIELDS = (
    "id,display_id,updated_at,status,metadata,currency_code,*payment_collections.payments,"
    "*payment_collections.payments.captures,*payment_collections.payments.refunds"
)


class InvoiceMixin:
    """Needs ``_api`` and ``_read_order_row``."""

    # === INVOICES === #

    def _push_invoice(self, documents, keys):
        return [self._one(self._write_invoice, *pair) for pair in zip(documents, keys, strict=True)]

    def _write_invoice(self, invoice, key):
        if not set(invoice.carriers) <= CARRIERS.keys():
            raise ValidationFailed(
                f"Invoice {invoice.number}: Medusa can only carry it as metadata of the order.",
                hint="In the flow choose 'As Data of the Order' and no note, then press Resend.",
            )
        name = META_KEY.format(number=invoice.number)
        return self._mark(invoice.external_id, name, invoice.texts(), invoice.number)

    def _mark(self, order_id, name, value, number):
        """Have ``value`` under ``name`` in the order's metadata."""
        _check_order(order_id, number)
        row = self._read_order_row(order_id, HEAD_FIELDS)
        have = (row.get("metadata") or {}).get(name)
        outcome = "unchanged"
        if have != value:
            outcome = "updated" if have else "created"
            body, params = {"metadata": {name: value}}, {"fields": HEAD_FIELDS}
            path = ORDER.format(order=order_id)
            row = self._api("POST", path, params=params, json=body).json()["order"]
        return _result(row, outcome, number)

    def _one(self, work, document, key):
        """One document. Even a failure of the line is its result: what is done must be kept."""
        progress = dict(key.progress)
        try:
            return work(document, key)
        except Missing as error:
            return Result(error=_missing(document, error), progress=progress)
        except (Rejected, ValidationFailed) as error:
            said = getattr(error, "said", "")
            error = about(error, document.label or "The order") if said else error
            return Result(error=error, progress=progress)
        except SyncError as error:
            return Result(error=error, progress=progress)

    # === CREDIT NOTES === #

    def _push_credit_note(self, documents, keys):
        return [self._one(self._write_credit, *pair) for pair in zip(documents, keys, strict=True)]

    def _write_credit(self, note, key):
        """The money first, then the mark on the order.

        A refund has no idempotency key, so each try looks for one with this note's number.
        """
        _check_order(note.external_id, note.number)
        progress, outcome = dict(key.progress), ""
        if note.refunds and "refund" not in progress:
            progress["refund"], outcome = self._refund(note)
        name = META_KEY.format(number=note.number)
        value = {**note.texts(), "credits": note.invoice_number, "reason": note.reason}
        try:
            result = self._mark(note.external_id, name, value, note.number)
        except SyncError as error:
            return Result(error=error, progress=progress)
        return Result(
            outcome=outcome or result.outcome,
            external_id=result.external_id,
            parent_id=result.parent_id,
            external_ref=result.external_ref,
            updated_at=result.updated_at,
            progress=progress,
        )

    def _refund(self, note):
        """:return: the refund's id, ``created`` or nothing"""
        row = self._read_order_row(note.external_id, PAYMENT_FIELDS)
        payments = [
            payment
            for collection in row.get("payment_collections") or ()
            for payment in collection.get("payments") or ()
        ]
        text = f"Odoo {note.number}"
        for payment in payments:
            for refund in payment.get("refunds") or ():
                if refund.get("note") == text:
                    return refund["id"], ""
        fitting = [payment for payment in payments if _left(payment) >= note.total]
        if not fitting:
            raise Rejected(
                f"Credit note {note.number}: no payment of order {row.get('display_id')} has "
                f"{note.total} {note.currency} left to give back.",
                hint="Refund it in Medusa by hand, then press Cancel Job here; or correct the "
                "credit note's amount.",
                code="nothing_left_to_refund",
            )
        body = {"amount": json_number(note.total), "note": text}
        answer = self._api("POST", REFUND.format(payment=fitting[0]["id"]), json=body).json()
        made = [one for one in answer["payment"].get("refunds") or () if one.get("note") == text]
        return (made[-1]["id"] if made else ""), "created"

    # === STATUS === #

    def _push_order_status(self, documents, keys):
        return [self._one(self._write_status, *pair) for pair in zip(documents, keys, strict=True)]

    def _write_status(self, status, key):
        _check_order(status.external_id, status.label)
        row = self._read_order_row(status.external_id, HEAD_FIELDS)
        if row.get("status") == CANCELLED:  # Medusa changes nothing any more of it
            return Result(outcome="unchanged", external_id=status.external_id)
        outcome = "unchanged"
        value = {"tags": list(status.tags), "note": status.note, "reason": status.reason}
        value = {name: one for name, one in value.items() if one}
        if value or not status.cancelled:
            outcome = self._mark(status.external_id, STATUS_KEY, value or "", status.label).outcome
        if status.cancelled:
            self._api("POST", CANCEL.format(order=status.external_id), json={})
            outcome = "updated"
        return Result(outcome=outcome, external_id=status.external_id)


def _check_order(order_id, name):
    if not is_id(order_id):
        raise ValidationFailed(
            f"{name}: '{order_id}' is not the ID of an order in Medusa.",
            hint="Match its order again (Configuration > Matching), then press Resend.",
        )


def _missing(document, error):
    return Missing(
        f"{document.label}: its order {document.external_id} no longer exists in the store.",
        hint="Find out in the store why it was deleted; then cancel this job, or match the order "
        "again and press Resend.",
        code=error.code,
    )


def _left(payment):
    captured = sum(amount(one, "amount") for one in payment.get("captures") or ())
    return captured - sum(amount(one, "amount") for one in payment.get("refunds") or ())


def _result(row, outcome, number):
    return Result(
        outcome=outcome,
        external_id=f"{row['id']}:{number}",
        parent_id=row["id"],
        external_ref=str(row.get("display_id") or ""),
        updated_at=utc(row.get("updated_at")),
    )

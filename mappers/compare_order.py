"""Orders of the store, and the sales orders that should have come of them."""

from datetime import timedelta

from odoo import fields

from .comparing import MISSING_HERE, Comparer, Difference, register

#: Orders are looked at so many days back: older ones are history.
DAYS = 30
#: An order is on its way for so long, by webhook or poll.
ON_ITS_WAY = timedelta(minutes=15)
#: The store's words for orders nobody has to deliver: they are not imported.
NOT_WANTED = frozenset(
    {"cancelled", "failed", "trash", "checkout-draft", "draft", "voided", "expired", "canceled"}
)


@register
class OrderComparer(Comparer):
    kind = "order"
    fetches = "order"
    lists_unknown = True

    def since(self):
        """Not from before the flow was there, and some weeks back."""
        return max(self.flow.create_date, fields.Datetime.now() - timedelta(days=DAYS))

    def compare(self, documents):
        bindings = self._bound_to([document.external_id for document in documents])
        ids = [binding.res_id for binding in bindings.values()]
        alive = set(self.env[self.model].sudo().browse(ids).exists().ids)
        now = fields.Datetime.now()
        # not to be imported, or not yet to be missed
        settled = {
            document.external_id
            for document in documents
            if document.status in NOT_WANTED
            or (document.created_at or self.flow.create_date) < self.flow.create_date
            or now - (document.updated_at or now - 2 * ON_ITS_WAY) < ON_ITS_WAY
        }
        deleted = [
            self._gone_here(document)
            for document in documents
            if document.external_id in bindings
            and bindings[document.external_id].res_id not in alive
        ]
        return deleted, set(bindings) | settled

    def _gone_here(self, order):
        note = self.env._("Its sales order was deleted in Odoo.")
        return self._difference(MISSING_HERE, order, note=note)

    def fields(self, ours, theirs):
        return ()


class ToldComparer(Comparer):
    """Documents of Odoo that the store keeps no list of: whether it was told of each."""

    def compare(self, documents):
        return [], set()

    def fields(self, ours, theirs):
        return ()

    def unsent(self, after, limit):
        due = sorted(record_id for record_id in self.mapper.due() if record_id > after)
        ids = due[:limit]
        told = self.connection.env["commerce.sync.state"].search_fetch(
            [("flow_id", "=", self.flow.id), ("res_id", "in", ids)], ["res_id"]
        )
        missing = sorted(set(ids) - set(told.mapped("res_id")))
        names = dict(self._names(missing))
        found = [
            Difference(
                status="not_told",
                res_id=record_id,
                label=names[record_id],
                note=self._why(record_id),
            )
            for record_id in missing
            if record_id in names
        ]
        return found, ids[-1] if len(due) > limit else 0

    def _why(self, record_id):
        """What the last failed job for it said."""
        failed = self.connection.env["commerce.job"].search(
            [
                ("flow_id", "=", self.flow.id),
                ("model", "=", self.model),
                ("res_id", "=", record_id),
                ("state", "=", "failed"),
            ],
            order="id desc",
            limit=1,
        )
        return failed.error_message or ""


@register
class InvoiceComparer(ToldComparer):
    kind = "invoice"


@register
class CreditNoteComparer(ToldComparer):
    kind = "credit_note"


@register
class ShipmentComparer(ToldComparer):
    kind = "shipment"

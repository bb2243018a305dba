"""Sales orders that were cancelled in Odoo -> what the store's order is to say."""

from odoo.fields import Domain
from odoo.tools import SQL

from ..adapters.documents import OrderStatus
from .base import Mapper, Skip, register

#: In the memory of an order that the store itself cancelled: it need not be told.
CANCELLED_THERE = "cancelled"


@register
class OrderStatusMapper(Mapper):
    kind = "order_status"
    model = "sale.order"
    resource = "order"

    def due(self, record_ids=None):
        """Cancelled orders of the store, but not those the store had cancelled itself."""
        if record_ids is not None and not record_ids:
            return []
        chosen = SQL("sold.id IN %s", tuple(record_ids)) if record_ids else SQL("TRUE")
        self.env[self.model].flush_model(["state"])
        self.env["commerce.binding"].flush_model(["handles"])
        self.env.cr.execute(
            SQL(
                """SELECT sold.id
                     FROM sale_order AS sold
                     JOIN commerce_binding AS binding
                          ON binding.res_id = sold.id AND binding.model = 'sale.order'
                         AND binding.resource = 'order' AND binding.connection_id = %s
                    WHERE sold.state = 'cancel' AND %s
                      AND (binding.handles ->> %s) IS NULL
                    ORDER BY sold.id""",
                self.connection.id,
                chosen,
                CANCELLED_THERE,
            )
        )
        found = [order_id for (order_id,) in self.env.cr.fetchall()]
        domain = self.flow._get_domain()
        if domain.is_true() or not found:
            return found
        return self.env[self.model].sudo().search(domain & Domain("id", "in", found)).ids

    def prepare(self, records):
        bindings = self.connection._bindings("order", records)
        return {record.id: self._prepare(record, bindings) for record in records}

    def intro(self, label):
        return self.env._(
            "Cannot send the cancellation of order %(order)s to %(store)s",
            order=label,
            store=self.connection.name,
        )

    def _prepare(self, order, bindings):
        flow, label = self.flow, order.name
        if order.id not in bindings:
            return Skip(self.env._("It is no order of the store."), label)
        if order.state != "cancel":
            return Skip(self.env._("The order is not cancelled."), label)
        if (bindings[order.id].handles or {}).get(CANCELLED_THERE):
            return Skip(self.env._("The store itself has cancelled it."), label)
        tags = filter(None, map(str.strip, (flow.order_status_tags or "").split(",")))
        note = self.env._("Order %s was cancelled in Odoo.", label)
        return OrderStatus(
            label=label,
            external_id=bindings[order.id].external_id,
            cancelled=flow.order_status_cancel,
            reason=flow.order_status_reason,
            tags=tuple(dict.fromkeys(tags)),
            note=note if flow.order_status_note else "",
            notify=flow.order_status_notify,
        )

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..mappers.base import MAPPERS

#: What a job of a kind of data finds its record in the store by -> what Matching can match anew.
MATCHED = {"inventory": "variant", "price": "variant", "product": "variant"}
#: A document -> the orders of the store it belongs to.
ORDERS = {
    "sale.order": lambda order: order,
    "stock.picking": lambda picking: picking.sale_id,
    "account.move": lambda move: move.line_ids.sale_line_ids.order_id,
}
#: The order is there; what the document itself became over there is gone.
ITSELF_GONE = {"fulfillment_not_found"}


class CommerceJob(models.Model):
    """What a person can do about a failed job, beside sending it again and giving it up."""

    _inherit = "commerce.job"

    can_match = fields.Boolean(compute="_compute_remedies")
    can_unbind = fields.Boolean(compute="_compute_remedies")

    @api.depends("state", "error_kind", "error_code")
    def _compute_remedies(self):
        for job in self:
            remedies = job._get_remedies()
            job.can_match = "match" in remedies
            job.can_unbind = "unbind" in remedies

    @api.private
    def _get_remedies(self):
        """Names of what can be done about this job. Extended for further kinds of errors.

        :return: list of ``resend``, ``cancel``, ``open``, ``match``, ``unbind``
        """
        self.ensure_one()
        if self.state != "failed":
            return []
        remedies = ["resend", "cancel"]
        if self.error_kind == "validation":
            return [*remedies, "open"]
        if self.direction == "in" or self.error_kind not in ("missing", "conflict"):
            return remedies
        bound = bool(self._own_bindings())
        if self._can_be_matched(bound):
            remedies.append("match")
        if bound:
            remedies.append("unbind")
        return remedies

    def _can_be_matched(self, bound):
        """Whether the store may have the record under another id. A conflict is about one that is
        bound, or about one that may be the same and is not."""
        if self.error_kind == "conflict":
            return not bound and self.kind in MATCHED
        return self.error_code not in ITSELF_GONE

    def _own_bindings(self):
        """What binds the job's own record, not the order it belongs to."""
        resource = MAPPERS[self.kind].resource if self.kind in MAPPERS else ""
        return self._bindings_of((resource,), self.model, [self.res_id])

    def _bindings_of(self, resources, model, record_ids):
        return self.env["commerce.binding"].search(
            [
                ("connection_id", "=", self.connection_id.id),
                ("resource", "in", resources),
                ("model", "=", model),
                ("res_id", "in", record_ids),
            ]
        )

    def action_unbind(self):
        """Forget what the record was in the store. Press Resend, and it is sent as a new one; what
        needs a counterpart over there (stock, prices, a cancellation) is sent no more.

        :return: a notification
        """
        self.ensure_one()
        self.check_access("unlink")  # managers: what is no longer linked may be made anew
        if not self.can_unbind:
            raise UserError(self.env._("This document is not linked to the store."))
        self._own_bindings().unlink()
        return self._notify(
            "success", self.env._("%s is no longer linked to the store.", self.name)
        )

    def action_match_again(self):
        """Forget what the record was in the store, and open a new matching.

        :return: the form of the matching
        """
        self.ensure_one()
        self.check_access("read")
        self.env["commerce.matching"].check_access("create")
        if not self.can_match:
            raise UserError(self.env._("This job does not fail for a record the store has lost."))
        resource = MATCHED.get(self.kind, "order")
        if resource == "variant":
            self._own_bindings().unlink()
        else:
            self._forget_orders()
        matching = self.env["commerce.matching"].create(
            {"connection_id": self.connection_id.id, "resource": resource}
        )
        return {
            "type": "ir.actions.act_window",
            "res_model": "commerce.matching",
            "res_id": matching.id,
            "views": [(False, "form")],
        }

    def _forget_orders(self):
        """The ids of an order's lines are worth nothing without the order's."""
        if self.model not in ORDERS:
            return
        orders = ORDERS[self.model](self.env[self.model].browse(self.res_id).sudo())
        lines = orders.order_line
        forgotten = self._bindings_of(("order",), "sale.order", orders.ids)
        forgotten |= self._bindings_of(("order_line",), "sale.order.line", lines.ids)
        forgotten.unlink()

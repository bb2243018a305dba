from datetime import datetime, time, timedelta

import pytz
from odoo import api, fields, models
from odoo.exceptions import UserError

from ..mappers.comparing import COMPARERS


class CommerceFlow(models.Model):
    """When a flow is compared with the store, and what came out."""

    _inherit = "commerce.flow"

    reconcile_nightly = fields.Boolean(
        string="Compare Every Night",
        default=True,
        help="Both sides are compared, and each difference is listed. Nothing is changed by it.",
    )
    reconcile_hour = fields.Float(
        string="Compare At", default=2.0, help="In the time zone of the connection's user."
    )
    reconciliation_ids = fields.One2many("commerce.reconciliation", "flow_id")
    can_reconcile = fields.Boolean(compute="_compute_can_reconcile")
    last_reconciliation_id = fields.Many2one(
        "commerce.reconciliation", compute="_compute_last_reconciliation"
    )
    agreement_summary = fields.Char(string="In Agreement", compute="_compute_last_reconciliation")

    _reconcile_hour = models.Constraint(
        "CHECK(reconcile_hour >= 0 AND reconcile_hour < 24)", "An hour is from 0:00 to 23:59."
    )

    @api.depends("kind", "direction", "connection_id.platform")
    def _compute_can_reconcile(self):
        for flow in self:
            comparer = COMPARERS.get(flow.kind)
            flow.can_reconcile = bool(
                comparer
                and flow.connection_id.platform
                and (
                    not comparer.fetches
                    or flow.connection_id._adapter_class().reads(comparer.fetches)
                )
            )

    def _compute_last_reconciliation(self):
        groups = self.env["commerce.reconciliation"]._read_group(
            [("flow_id", "in", self.ids), ("state", "=", "done")], ["flow_id"], ["id:max"]
        )
        latest = {flow.id: last for flow, last in groups}
        for flow in self:
            last = self.env["commerce.reconciliation"].browse(latest.get(flow.id, ()))
            flow.last_reconciliation_id = last
            flow.agreement_summary = last.summary or ""

    def action_reconcile(self):
        """Compare both sides now, in the background.

        :return: the form of the reconciliation, to watch it
        """
        self.ensure_one()
        self.check_access("write")
        return {
            "type": "ir.actions.act_window",
            "res_model": "commerce.reconciliation",
            "res_id": self._start_reconciliation().id,
            "views": [(False, "form")],
        }

    def _start_reconciliation(self):
        """The reconciliation that is under way, or a new one."""
        if not self.can_reconcile:
            raise UserError(self.env._("%s cannot be compared with this store.", self.name))
        reconciliations_sudo = self.env["commerce.reconciliation"].sudo()
        running = reconciliations_sudo.search(
            [("flow_id", "=", self.id), ("state", "in", ("waiting", "reading", "checking"))]
        )
        record_sudo = running or reconciliations_sudo.create({"flow_id": self.id})
        reconciliations_sudo._wake()
        return record_sudo.sudo(False)

    @api.model
    def _cron_reconcile(self):
        """Begin the nightly comparisons whose hour has come."""
        flows = self.search(
            [("reconcile_nightly", "=", True), ("connection_id.state", "=", "live")]
        )
        for flow in flows.filtered("can_reconcile"):
            if flow._is_reconciliation_due():
                flow._start_reconciliation()

    def _is_reconciliation_due(self):
        """Whether none was begun since this flow's hour last came."""
        zone = pytz.timezone(self.connection_id.user_id.sudo().tz or "UTC")
        now = datetime.now(zone)
        hours, minutes = divmod(round(self.reconcile_hour * 60), 60)
        moment = zone.localize(datetime.combine(now.date(), time(hours % 24, minutes)))
        if moment > now:
            moment -= timedelta(days=1)
        moment = moment.astimezone(pytz.utc).replace(tzinfo=None)
        latest = self.env["commerce.reconciliation"].search(
            [("flow_id", "=", self.id)], order="id desc", limit=1
        )
        # a flow that is new tonight waits for tomorrow
        begun = latest.create_date or self.create_date
        return begun < moment

    # === WHOSE VALUE COUNTS === #

    def _owner_of(self, difference):
        """``odoo``, ``external``, or ``person``: whose value counts."""
        if not self._is_two_way():
            return self.owner if self.direction == "out" else "external"
        match self.conflict_rule:
            case "odoo_wins":
                return "odoo"
            case "external_wins":
                return "external"
            case "newest_wins":
                return self._newest(difference)
        return "person"

    def _newest(self, difference):
        record = self.env[self.model_name].sudo().browse(difference.res_id).exists()
        if not record or not difference.updated_at:
            return self.owner
        return "external" if difference.updated_at > record.write_date else "odoo"

    def _is_two_way(self):
        """Whether another flow moves the same data the other way."""
        return any(
            other.kind == self.kind and other.direction != self.direction and other.active
            for other in self.connection_id.flow_ids
        )

    def _rule_for(self, difference, owner):
        """How the owner's rule ends a difference: a value of ``repair`` of the line."""
        inbound = self.direction == "in" or self._is_two_way()
        match difference.status:
            case "deleted_there":
                return "unbind"
            case "replaced":
                return "bind"
            case "missing_here" if difference.res_id:
                return "bind"
            case "missing_here":
                return "pull" if inbound else "none"
            case "not_told" | "missing_there":
                return "push" if owner == "odoo" else "none"
            case "different" if owner == "odoo" and self.direction == "out":
                return "push"
            case "different" if owner == "external" and inbound:
                return "pull"
        return "none"

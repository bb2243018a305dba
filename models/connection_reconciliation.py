from odoo import fields, models


class CommerceConnection(models.Model):
    """How far both sides agree, over all flows."""

    _inherit = "commerce.connection"

    agreement_summary = fields.Char(string="In Agreement", compute="_compute_agreement_summary")
    can_reconcile = fields.Boolean(compute="_compute_can_reconcile")
    drift_count = fields.Integer(string="Differences", compute="_compute_agreement_summary")

    def _compute_agreement_summary(self):
        for connection in self:
            latest = connection.flow_ids.filtered("active").last_reconciliation_id
            latest = latest.sorted("finished_at")
            connection.drift_count = sum(latest.mapped("open_count"))
            connection.agreement_summary = connection._summarise_agreement(latest)

    def _summarise_agreement(self, latest):
        """``99.97% in agreement, 3 differences, checked 02:10``, of the latest of each flow."""
        if not latest:
            return ""
        if len(latest) == 1:
            return latest.summary
        compared = sum(latest.mapped("compared_count"))
        wrong = sum(latest.mapped("difference_count"))
        return latest[-1]._words(compared, wrong, latest[0].finished_at)

    def _get_options(self):
        options = super()._get_options()
        if self._get_capabilities().locations:
            bindings = self.binding_ids.filtered(lambda one: one.resource == "location")
            options["stock_locations"] = sorted(set(bindings.mapped("external_id")))
        return options

    def _compute_can_reconcile(self):
        for connection in self:
            connection.can_reconcile = bool(connection._comparable())

    def _comparable(self):
        return self.flow_ids.filtered(lambda flow: flow.active and flow.can_reconcile)

    def action_reconcile(self):
        """Compare both sides now, in the background, in all flows that can be compared.

        :return: the list of the comparisons, to watch them
        """
        self.ensure_one()
        self.check_access("write")
        for flow in self._comparable():
            flow._start_reconciliation()
        return self.action_view_reconciliations()

    def action_view_reconciliations(self):
        """The comparisons of this connection."""
        self.ensure_one()
        self.check_access("read")
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "commerce_sync.commerce_reconciliation_action"
        )
        return action | {"domain": [("connection_id", "=", self.id)], "context": {}}

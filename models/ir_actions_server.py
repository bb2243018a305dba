from odoo import fields, models


class IrActionsServer(models.Model):
    """An action that sends records; for automation rules, schedules and the Action menu."""

    _inherit = "ir.actions.server"

    state = fields.Selection(
        selection_add=[("commerce_sync", "Send through Commerce Sync"), ("followers",)],
        ondelete={"commerce_sync": "cascade"},
    )
    commerce_flow_id = fields.Many2one(
        "commerce.flow",
        string="Flow",
        ondelete="cascade",
        domain="[('kind', '=', 'record'), ('direction', '=', 'out'),"
        " ('record_model_id', '=', model_id)]",
    )

    def _name_depends(self):
        return [*super()._name_depends(), "commerce_flow_id"]

    def _generate_action_name(self):
        self.ensure_one()
        if self.state == "commerce_sync" and self.commerce_flow_id:
            return self.env._("Send: %s", self.commerce_flow_id.sudo().name)
        return super()._generate_action_name()

    def _warning_depends(self):
        return [*super()._warning_depends(), "commerce_flow_id"]

    def _get_warning_messages(self):
        warnings = super()._get_warning_messages()
        flow_sudo = self.commerce_flow_id.sudo()
        if self.state == "commerce_sync" and flow_sudo.record_model != self.model_name:
            warnings.append(self.env._("Choose a flow of the same model."))
        return warnings

    def _run_action_commerce_sync_multi(self, eval_context=None):
        """Enqueue the records, or all of the flow where there are none (a scheduled action); who
        may run the action was checked, who may see flows is another matter."""
        records = eval_context.get("records")
        if records is None:
            records = eval_context.get("record")
        flow_sudo = self.commerce_flow_id.sudo()
        if flow_sudo.active and flow_sudo.record_model == self.model_name:
            ids = None if records is None else records.ids
            flow_sudo._enqueue_due(ids, force=True)
        return False

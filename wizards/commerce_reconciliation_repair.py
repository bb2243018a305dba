from collections import Counter

from odoo import api, fields, models


class CommerceReconciliationRepair(models.TransientModel):
    """What repairing differences by the owner's rule would do, before it is done."""

    _name = "commerce.reconciliation.repair"
    _description = "Repair Differences"

    line_ids = fields.Many2many("commerce.reconciliation.line", readonly=True)
    push_count = fields.Integer(string="Sent from Odoo", compute="_compute_counts")
    pull_count = fields.Integer(string="Fetched from the store", compute="_compute_counts")
    bind_count = fields.Integer(string="Bound", compute="_compute_counts")
    unbind_count = fields.Integer(string="Unbound", compute="_compute_counts")
    none_count = fields.Integer(string="Left to a person", compute="_compute_counts")

    @api.depends("line_ids")
    def _compute_counts(self):
        for wizard in self:
            counts = Counter(wizard.line_ids.mapped("repair"))
            for repair in ("push", "pull", "bind", "unbind", "none"):
                wizard[f"{repair}_count"] = counts[repair]

    def action_repair(self):
        """Do it.

        :return: close the window
        """
        self.ensure_one()
        self.line_ids.action_repair()
        return {"type": "ir.actions.act_window_close"}

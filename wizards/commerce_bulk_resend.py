from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL

from ..engine import queue
from ..models.commerce_attempt import ERROR_LABELS

#: Jobs that are put back at once.
MOST = 20_000


class CommerceBulkResend(models.TransientModel):
    """Many jobs sent again: chosen by flow, time, kind of document and error, counted first."""

    _name = "commerce.bulk.resend"
    _description = "Resend Many"

    connection_id = fields.Many2one("commerce.connection", help="Empty: all.")
    flow_ids = fields.Many2many(
        "commerce.flow", string="Flows", help="Empty: all.", context={"active_test": False}
    )
    state = fields.Selection(
        [("failed", "Failed"), ("done", "Done"), ("cancelled", "Cancelled")],
        string="Which",
        default="failed",
        required=True,
        help="Done ones are sent once more, whatever the store has by now.",
    )
    date_from = fields.Datetime(string="Finished From")
    date_to = fields.Datetime(string="Finished Until")
    error_kind = fields.Selection(ERROR_LABELS, string="Kind of Error", help="Empty: any.")
    error_text = fields.Char(string="Error Says", help="A part of the message.")
    count = fields.Integer(string="Jobs to Resend", compute="_compute_count")

    @api.depends(
        "connection_id", "flow_ids", "state", "date_from", "date_to", "error_kind", "error_text"
    )
    def _compute_count(self):
        for wizard in self:
            wizard.count = self.env["commerce.job"].search_count(wizard._get_domain(), limit=MOST)

    def _get_domain(self):
        domain = Domain("state", "=", self.state)
        for field, operator, value in (
            ("connection_id", "=", self.connection_id.id),
            ("flow_id", "in", self.flow_ids.ids),
            ("finished_at", ">=", self.date_from),
            ("finished_at", "<=", self.date_to),
            ("error_kind", "=", self.error_kind),
            ("error_message", "ilike", self.error_text),
        ):
            if value:
                domain &= Domain(field, operator, value)
        return domain

    def action_resend(self):
        """Send them again, as a run for each flow.

        :return: the runs, to watch them
        """
        self.ensure_one()
        jobs = self.env["commerce.job"].search(self._get_domain(), limit=MOST)
        if not jobs:
            raise UserError(self.env._("No job is like that."))
        jobs._check_person()
        runs_sudo = self.env["commerce.run"].sudo()
        for flow, of_flow in jobs.grouped("flow_id").items():
            runs_sudo |= self._resend_as_run(flow, of_flow)
        jobs.connection_id._wake()
        self.env["commerce.problem"].sudo()._refresh(jobs.connection_id.ids)
        action = self.env["ir.actions.act_window"]._for_xml_id("commerce_sync.commerce_run_action")
        return action | {"domain": [("id", "in", runs_sudo.ids)], "context": {}}

    def _resend_as_run(self, flow, jobs):
        run_sudo = self.env["commerce.run"].sudo().create({"flow_id": flow.id})
        job_ids = queue.resend(self.env.cr, jobs.ids, self.env.uid)
        if job_ids:
            self.env.cr.execute(
                SQL(
                    "UPDATE commerce_job SET run_id = %s WHERE id IN %s",
                    run_sudo.id,
                    tuple(job_ids),
                )
            )
        self.env["commerce.job"].invalidate_model()
        run_sudo.total = len(job_ids)
        return run_sudo

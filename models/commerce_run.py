from odoo import api, fields, models

from ..engine import states


class CommerceRun(models.Model):
    """Many jobs that a person (or the nightly round) asked for at once, to watch and to stop."""

    _name = "commerce.run"
    _description = "Sync Run"
    _rec_names_search = ("connection_id.name",)
    _order = "id desc"

    flow_id = fields.Many2one("commerce.flow", required=True, readonly=True, ondelete="cascade")
    connection_id = fields.Many2one(related="flow_id.connection_id", store=True, index=True)
    company_id = fields.Many2one(related="flow_id.company_id", store=True, index=True)
    name = fields.Char(compute="_compute_name")
    total = fields.Integer(string="Jobs", readonly=True)
    done_count = fields.Integer(string="Done", compute="_compute_progress")
    failed_count = fields.Integer(string="Failed", compute="_compute_progress")
    open_count = fields.Integer(string="Waiting", compute="_compute_progress")
    progress = fields.Float(compute="_compute_progress")
    rate = fields.Float(string="Per Second", compute="_compute_progress", digits=(10, 1))
    time_left = fields.Char(compute="_compute_progress")
    job_ids = fields.One2many("commerce.job", "run_id", string="Jobs of the Run")

    @api.depends("flow_id", "create_date")
    def _compute_name(self):
        for run in self:
            moment = fields.Datetime.context_timestamp(
                run, run.create_date or fields.Datetime.now()
            )
            run.name = f"{run.flow_id.display_name} {moment:%Y-%m-%d %H:%M}"

    def _compute_progress(self):
        counts = self._count_by_state()
        for run in self:
            of_run = counts.get(run.id, {})
            waiting = of_run.get(states.PENDING, 0) + of_run.get(states.RUNNING, 0)
            finished = max(run.total - waiting, 0)
            run.open_count = waiting
            run.failed_count = of_run.get(states.FAILED, 0)
            run.done_count = finished - run.failed_count
            run.progress = 100.0 * finished / run.total if run.total else 100.0
            run.rate, run.time_left = run._speed(finished, waiting)

    def _count_by_state(self):
        groups = self.env["commerce.job"]._read_group(
            [("run_id", "in", self.ids)], ["run_id", "state"], ["__count"]
        )
        counts = {}
        for run, state, count in groups:
            counts.setdefault(run.id, {})[state] = count
        return counts

    def _speed(self, finished, waiting):
        """``(jobs per second, time left in words)`` so far."""
        seconds = (fields.Datetime.now() - self.create_date).total_seconds()
        if not finished or not waiting or seconds <= 0:
            return 0.0, ""
        rate = finished / seconds
        minutes, seconds = divmod(round(waiting / rate), 60)
        return rate, self.env._("%(minutes)s min %(seconds)s s", minutes=minutes, seconds=seconds)

    def action_stop(self):
        """Cancel what of this run still waits.

        :return: number of jobs that were stopped
        """
        waiting = self.job_ids.filtered(lambda job: job.state == states.PENDING)
        return waiting.action_cancel()

    def action_view_jobs(self):
        """The jobs of this run."""
        self.ensure_one()
        self.check_access("read")
        action = self.env["ir.actions.act_window"]._for_xml_id("commerce_sync.commerce_job_action")
        return action | {"domain": [("run_id", "=", self.id)], "context": {}}

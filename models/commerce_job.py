from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ..engine import queue, states
from ..engine.worker import Worker
from .commerce_attempt import ERROR_LABELS, selection, vacuum
from .commerce_lookup import CommerceLookup

#: Seconds one scheduled action works before it hands back to Odoo's scheduler.
DRAIN_SECONDS = 45


class CommerceJob(models.Model):
    """One piece of work in the queue: this flow, this record, this operation.

    Rows are written and moved by ``engine/queue.py`` alone.
    """

    _name = "commerce.job"
    _inherit = [CommerceLookup._name]
    _description = "Job"
    _order = "id desc"
    _rec_names_search = ("document", "external_id")

    flow_id = fields.Many2one("commerce.flow", required=True, readonly=True, ondelete="cascade")
    connection_id = fields.Many2one(
        "commerce.connection", required=True, readonly=True, ondelete="cascade"
    )
    company_id = fields.Many2one("res.company", required=True, readonly=True)
    direction = fields.Selection([("out", "To the store"), ("in", "From the store")], readonly=True)
    kind = fields.Char(string="Kind of Data", required=True, readonly=True)
    operation = fields.Char(required=True, readonly=True)
    model = fields.Char(required=True, readonly=True)
    res_id = fields.Many2oneReference(string="Record", model_field="model", readonly=True)
    document = fields.Char(readonly=True, help="What staff call it: invoice number, product.")
    name = fields.Char(compute="_compute_name")
    external_id = fields.Char(string="External ID", readonly=True)
    state = fields.Selection(
        [
            (states.PENDING, "Waiting"),
            (states.RUNNING, "Running"),
            (states.DONE, "Done"),
            (states.FAILED, "Failed"),
            (states.CANCELLED, "Cancelled"),
        ],
        required=True,
        readonly=True,
    )
    outcome = fields.Selection(selection(states.OUTCOMES), readonly=True)
    error_kind = fields.Selection(ERROR_LABELS, string="What Is Wrong", readonly=True)
    error_code = fields.Char(readonly=True)
    error_message = fields.Text(string="Error", readonly=True)
    error_hint = fields.Text(string="What To Do", readonly=True)
    priority = fields.Integer(readonly=True, aggregator=None)
    run_after = fields.Datetime(string="Not Before", readonly=True)
    queued_at = fields.Datetime(readonly=True, help="Made, or resent: its age counts from here.")
    started_at = fields.Datetime(readonly=True)
    finished_at = fields.Datetime(readonly=True)
    lease_until = fields.Datetime(readonly=True, help="The worker's claim ends then.")
    worker = fields.Char(readonly=True)
    attempts = fields.Integer(string="Tries Spent", readonly=True, aggregator=None)
    tries = fields.Integer(readonly=True, aggregator=None)
    identity_key = fields.Char(readonly=True, help="One waiting job for each.")
    sequence_key = fields.Char(readonly=True, help="Jobs that share it run one after another.")
    idempotency_key = fields.Char(readonly=True)
    coalesce = fields.Boolean(
        readonly=True, help="The job brings something up to date: the newest one is enough."
    )
    force = fields.Boolean(string="Send in Any Case", readonly=True)
    uncertain = fields.Boolean(
        readonly=True, help="An earlier try may have arrived: the next one looks first."
    )
    problem_key = fields.Char(
        readonly=True, help="The same for all failures that have the same cause."
    )
    correction = fields.Json(
        readonly=True,
        groups="commerce_sync.group_manager",
        help="What a manager had sent in the place of what Odoo says.",
    )
    event = fields.Json(
        readonly=True,
        groups="commerce_sync.group_manager",
        help="What the record said when this happened, where each event is sent once.",
    )
    progress = fields.Json(readonly=True, help="The steps that earlier tries completed.")
    run_id = fields.Many2one("commerce.run", readonly=True, ondelete="set null")
    superseded_by_id = fields.Many2one("commerce.job", readonly=True, ondelete="set null")
    attempt_ids = fields.One2many("commerce.attempt", "job_id", readonly=True)
    waits_for_id = fields.Many2one("commerce.job", compute="_compute_waiting")
    waiting = fields.Char(compute="_compute_waiting", help="Why the job does not run yet.")

    _identity_uniq = models.UniqueIndex("(identity_key) WHERE state = 'pending'")
    _running_uniq = models.UniqueIndex("(sequence_key) WHERE state = 'running'")
    _due = models.Index("(flow_id, priority, run_after, id) WHERE state = 'pending'")
    _sequence = models.Index("(sequence_key, state)")
    _open_by_connection = models.Index(
        "(connection_id, state) WHERE state IN ('pending', 'running', 'failed')"
    )
    _finished = models.Index("(connection_id, finished_at) WHERE state IN ('done', 'cancelled')")
    _record = models.Index("(model, res_id)")
    _problem = models.Index("(connection_id, problem_key) WHERE state = 'failed'")
    _external = models.Index("(external_id) WHERE external_id IS NOT NULL")
    _document = models.Index("(document text_pattern_ops) WHERE document IS NOT NULL")
    _run = models.Index("(run_id) WHERE run_id IS NOT NULL")
    _superseded = models.Index("(superseded_by_id) WHERE superseded_by_id IS NOT NULL")

    def init(self):
        # thousands of rows come and change in seconds, and then nothing for hours: keep the dead
        # ones few and the statistics fresh
        self.env.cr.execute(
            """ALTER TABLE commerce_job SET (
                   autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 2000,
                   autovacuum_analyze_scale_factor = 0.02)"""
        )

    @api.depends("document", "model", "res_id")
    def _compute_name(self):
        unnamed = self.filtered(lambda job: not job.document)
        names = {}
        for model in set(unnamed.mapped("model")) & set(self.env):
            ids = unnamed.filtered(lambda job, model=model: job.model == model).mapped("res_id")
            # a name for the list: whoever may see the job may know what it is about
            for record in self.env[model].sudo().browse(ids).exists():
                names[model, record.id] = record.display_name
        for job in self:
            name = job.document or names.get((job.model, job.res_id))
            job.name = name or f"{job.model},{job.res_id}"

    @api.depends("name")
    def _compute_display_name(self):
        for job in self:
            job.display_name = self.env._("Job %(id)s: %(name)s", id=job.id, name=job.name)

    @api.depends("state", "run_after", "connection_id.state")
    def _compute_waiting(self):
        earlier = self._earlier_jobs()
        for job in self:
            job.waits_for_id = earlier.get(job.id, False)
            job.waiting = job._why_waiting() if job.state == states.PENDING else ""

    def _earlier_jobs(self):
        """``{job id: id of the job it waits for}`` (an earlier one of the same document)."""
        pending = tuple(self.filtered(lambda job: job.state == states.PENDING)._ids)
        if not pending:
            return {}
        self.flush_model()
        self.env.cr.execute(
            SQL(
                """SELECT job.id, min(earlier.id)
                     FROM commerce_job AS job
                     JOIN commerce_job AS earlier ON earlier.sequence_key = job.sequence_key
                          AND earlier.state IN ('pending', 'running', 'failed')
                          AND earlier.id <> job.id
                          AND (earlier.state = 'running' OR earlier.id < job.id)
                          AND NOT (earlier.state = 'failed' AND job."coalesce"
                                   AND earlier.flow_id = job.flow_id
                                   AND earlier.operation = job.operation)
                    WHERE job.id IN %s
                    GROUP BY job.id""",
                pending,
            )
        )
        return dict(self.env.cr.fetchall())

    def _why_waiting(self):
        connection = self.connection_id
        if connection.state == "paused":
            return self.env._("%s is paused.", connection.name)
        if connection.state != "live":
            return self.env._("%s is not live.", connection.name)
        if not self.flow_id.active:
            return self.env._("The flow is switched off.")
        if self.waits_for_id:
            return self.env._("Waits for job %s.", self.waits_for_id.id)
        if connection.health == "down":
            return self.env._("%s does not answer.", connection.name)
        # the database's clock counts in microseconds, this one in seconds
        if self.run_after > fields.Datetime.now() + timedelta(seconds=1):
            return self.env._("Will be tried again later.")
        return self.env._("Is next.")

    # === WHAT PEOPLE DO === #

    def action_resend(self):
        """Send again, whatever was sent before. Failed, done and cancelled jobs.

        :return: number of jobs that will be sent
        """
        self._check_person()
        sent = queue.resend(self.env.cr, self.ids, self.env.uid) if self else []
        self.invalidate_model()
        self.connection_id._wake()
        return len(sent)

    def action_cancel(self):
        """Stop waiting and failed jobs. One that is being sent right now cannot be stopped.

        :return: number of jobs that were stopped
        """
        self._check_person()
        self.check_access("unlink")  # managers: what is cancelled does not arrive
        stopped = queue.cancel(self.env.cr, self.ids, self.env.uid) if self else []
        self.invalidate_model()
        return len(stopped)

    def _check_person(self):
        self.check_access("read")
        if not self.env.user.has_group("commerce_sync.group_user"):
            raise UserError(self.env._("Only Commerce Users can do this."))
        self.env.flush_all()

    def action_open_record(self):
        """Open the Odoo record this job is about."""
        self.ensure_one()
        return self._open_record(self.model, self.res_id)

    @api.model
    def _open_record(self, model, res_id):
        if not self.env[model].browse(res_id).exists():
            raise UserError(self.env._("The record no longer exists in Odoo."))
        return {
            "type": "ir.actions.act_window",
            "res_model": model,
            "res_id": res_id,
            "views": [(False, "form")],
        }

    # === RUNNING === #

    @api.model
    def _cron_drain(self, lane="lane"):
        """Work on the queue for a while. Called by the scheduled actions, one for each lane."""
        # the scheduler's transaction must not stay open while we wait for the store
        self.env["ir.cron"]._commit_progress()
        drained = Worker(self.env, lane, DRAIN_SECONDS).drain()
        self._wake_due(drained.next_at)
        self.env["ir.cron"]._commit_progress(drained.done, remaining=drained.remaining)

    @api.model
    def _wake_due(self, next_at):
        """Come back when the next job is due, and see that no connection is forgotten whose hint
        to ``queue_job`` was lost."""
        if next_at:
            self.env["commerce.connection"]._wake_lane(1, next_at)
        for flow in self.env["commerce.flow"].search([("connection_id.runner", "=", "queue_job")]):
            if flow._is_due():
                flow.connection_id._wake()

    @api.model
    def _queue_job_drain(self, connection_id):
        """What :meth:`_cron_drain` does, for one connection, as a job of OCA's ``queue_job``.

        :return: what was done, in words, for the list of its jobs
        """
        lane = f"queue_job {connection_id}"
        drained = Worker(self.env, lane, DRAIN_SECONDS, connection_id=connection_id).drain()
        connection = self.env["commerce.connection"].browse(connection_id)
        if drained.remaining or drained.next_at:
            connection._wake(None if drained.remaining else drained.next_at)
        return self.env._("%s jobs done", drained.done)

    @api.autovacuum
    def _gc_jobs(self):
        """Delete settled jobs that are older than their connection keeps them."""
        return vacuum(
            self.env, "commerce_job", SQL("finished_at"), SQL("state IN ('done', 'cancelled')")
        )

from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.fields import Domain
from odoo.tools import SQL

from ..engine import states
from ..engine.database import NOW
from ..engine.problems import headline
from .commerce_attempt import ERROR_LABELS

#: Documents that a problem names; the list of its jobs has them all.
SAMPLE = 8
#: What Commerce Users may change of a problem themselves.
OPEN_TO_USERS = {"user_id"}


class CommerceProblem(models.Model):
    """Failed jobs that have one cause, to be mended in one go.

    Made from the failed jobs and never older than a few minutes: workers tell when something
    failed, people when they resend or cancel, and a scheduled action looks after both.
    """

    _name = "commerce.problem"
    _description = "Problem"
    _inherit = ["mail.thread", "mail.activity.mixin"]
    _order = "count desc, last_at desc, id desc"

    name = fields.Char(string="What Is Wrong", readonly=True)
    active = fields.Boolean(default=True, readonly=True, help="Off: it is gone.")
    connection_id = fields.Many2one(
        "commerce.connection", required=True, readonly=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="connection_id.company_id", store=True, index=True)
    key = fields.Char(required=True, readonly=True)
    flow_id = fields.Many2one("commerce.flow", readonly=True, ondelete="cascade")
    error_kind = fields.Selection(ERROR_LABELS, string="Kind of Error", readonly=True)
    hint = fields.Text(string="What To Do", readonly=True)
    count = fields.Integer(string="Documents", readonly=True)
    first_at = fields.Datetime(string="Since", readonly=True)
    last_at = fields.Datetime(string="Last Seen", readonly=True)
    user_id = fields.Many2one(
        "res.users",
        string="Taken On By",
        domain="[('share', '=', False)]",
        help="Who mends it. He or she gets an activity.",
    )
    documents = fields.Char(
        string="Which", compute="_compute_documents", help="Some of the documents."
    )
    job_ids = fields.One2many(
        "commerce.job", compute="_compute_documents", string="Jobs", help="The latest ones."
    )

    _key_uniq = models.UniqueIndex("(connection_id, key)", "A problem is listed once.")

    def _compute_documents(self):
        for problem in self:
            jobs = self.env["commerce.job"].search(problem._jobs_domain(), limit=SAMPLE * 10)
            problem.job_ids = jobs
            names = [job.name for job in jobs[:SAMPLE]]
            if problem.count > len(names):
                names.append(self.env._("and %s more", problem.count - len(names)))
            problem.documents = ", ".join(names)

    def _jobs_domain(self):
        self.ensure_one()
        return (
            Domain("state", "=", states.FAILED)
            & Domain("connection_id", "=", self.connection_id.id)
            & Domain("problem_key", "=", self.key)
        )

    def _get_jobs(self):
        """All failed jobs of these problems."""
        self.check_access("read")
        domain = Domain.OR(problem._jobs_domain() for problem in self)
        return self.env["commerce.job"].search(domain)

    # === WHAT PEOPLE DO === #

    def write(self, vals):
        if not self.env.su and not OPEN_TO_USERS.issuperset(vals):
            raise AccessError(self.env._("Problems are made from failed jobs."))
        result = super().write(vals)
        if "user_id" in vals:
            self.sudo()._assign()
        return result

    def _assign(self):
        """The colleague who takes it on has an activity; the one before has it no more."""
        self.activity_unlink(["mail.mail_activity_data_todo"])
        for problem in self.filtered("user_id"):
            problem.activity_schedule(
                "mail.mail_activity_data_todo",
                summary=problem.name,
                note=problem.hint or "",
                user_id=problem.user_id.id,
            )

    def action_take_on(self):
        """I mend it."""
        self.check_access("write")
        self.user_id = self.env.user
        return True

    def action_resend(self):
        """Resend all jobs of these problems and, where the queue is free, say what came of it."""
        return self._get_jobs().action_resend_now()

    def action_resend_all(self):
        """Resend whatever failed, on all connections the user sees."""
        self.check_access("read")
        jobs = self.env["commerce.job"].search([("state", "=", states.FAILED)])
        return jobs.action_resend_now()

    def action_cancel(self):
        """Give up on all documents of these problems."""
        stopped = self._get_jobs().action_cancel()
        self.sudo()._refresh(self.connection_id.ids)
        return self.env["commerce.job"]._notify(
            "success", self.env._("%s will not be sent.", stopped)
        )

    def action_view_jobs(self):
        """The failed jobs of this problem."""
        self.ensure_one()
        self.check_access("read")
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "commerce_sync.commerce_job_action_failed"
        )
        return action | {"domain": list(self._jobs_domain()), "context": {}, "name": self.name}

    def action_open_document(self):
        """The document in Odoo, where there is only one; else the jobs."""
        self.ensure_one()
        jobs = self._get_jobs()
        return jobs.action_open_record() if len(jobs) == 1 else self.action_view_jobs()

    # === MADE FROM FAILED JOBS === #

    @api.model
    def _refresh(self, connection_ids=None):
        """Count anew what failed; what is gone closes, and its activities with it.

        One statement over the index of failed jobs.
        """
        self.env.flush_all()
        # one at a time: of two the second would tell of the same problem again
        self.env.cr.execute("SELECT pg_advisory_xact_lock(hashtext('commerce_sync.problems'))")
        chosen = (
            SQL("TRUE")
            if connection_ids is None
            else SQL("connection_id = ANY(%s)", list(connection_ids))
        )
        self.env.cr.execute(
            SQL(
                """INSERT INTO commerce_problem AS known
                          (connection_id, company_id, key, flow_id, error_kind, hint, name, active,
                           count, first_at, last_at, create_date, write_date)
                   SELECT failed.connection_id, failed.company_id, failed.key, job.flow_id,
                          job.error_kind, job.error_hint, NULL, true, failed.count,
                          failed.first_at, failed.last_at, %(now)s, %(now)s
                     FROM (SELECT connection_id, company_id,
                                  COALESCE(problem_key, error_kind, '') AS key, max(id) AS job_id,
                                  count(*) AS count, min(finished_at) AS first_at,
                                  max(finished_at) AS last_at
                             FROM commerce_job WHERE state = 'failed' AND %(chosen)s
                            GROUP BY 1, 2, 3) AS failed
                     JOIN commerce_job AS job ON job.id = failed.job_id
                    ORDER BY failed.connection_id, failed.key
                   ON CONFLICT (connection_id, key) DO UPDATE
                      SET count = EXCLUDED.count, first_at = EXCLUDED.first_at,
                          last_at = EXCLUDED.last_at, hint = EXCLUDED.hint, active = true,
                          user_id = CASE WHEN known.active THEN known.user_id END
                    WHERE (known.count, known.last_at, known.active, known.first_at)
                          IS DISTINCT FROM
                          (EXCLUDED.count, EXCLUDED.last_at, true, EXCLUDED.first_at)""",
                now=NOW,
                chosen=chosen,
            )
        )
        self.invalidate_model()
        self._close_gone(chosen)
        self._name_new()
        self._tell_of_problems(connection_ids)

    def _close_gone(self, chosen):
        self.env.cr.execute(
            SQL(
                """SELECT id FROM commerce_problem AS problem
                    WHERE active AND %s AND NOT EXISTS (
                          SELECT 1 FROM commerce_job AS job
                           WHERE job.state = 'failed' AND job.connection_id = problem.connection_id
                             AND COALESCE(job.problem_key, job.error_kind, '') = problem.key)""",
                chosen,
            )
        )
        gone = self.browse([problem_id for (problem_id,) in self.env.cr.fetchall()])
        if gone:
            gone.activity_unlink(["mail.mail_activity_data_todo"])
            gone.write({"active": False, "count": 0, "user_id": False})

    def _name_new(self):
        """A problem is called what its last job says, without the document."""
        for problem in self.search([("name", "=", False)]):
            job = self.env["commerce.job"].search(
                Domain("connection_id", "=", problem.connection_id.id)
                & Domain("state", "=", states.FAILED)
                & Domain("problem_key", "=", problem.key),
                limit=1,
            )
            problem.name = (
                headline(job.error_message, job.document, job.external_id)
                or dict(ERROR_LABELS).get(problem.error_kind)
                or self.env._("Unexpected")
            )

    def _tell_of_problems(self, connection_ids):
        connections = self.env["commerce.connection"].browse(connection_ids or ())
        if connection_ids is None:
            connections = connections.search([("active", "=", True)])
        connections.exists()._tell_of_problems()

    @api.model
    def _cron_refresh(self):
        self._refresh()

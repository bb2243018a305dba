from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ..engine import states
from .commerce_lookup import CommerceLookup

#: Error kinds (``adapters.errors.ERROR_KINDS``) as staff read them.
ERROR_LABELS = [
    ("validation", "Incomplete in Odoo"),
    ("rejected", "Refused by the store"),
    ("missing", "Gone from the store"),
    ("conflict", "Changed on both sides"),
    ("rate_limit", "Slowed down by the store"),
    ("temporary", "The store did not answer"),
    ("authentication", "Credentials refused"),
    ("unexpected", "Unexpected"),
]


def selection(values):
    """Technical names as a selection whose labels read like words."""
    return [(value, value.replace("_", " ").capitalize()) for value in values]


class CommerceAttempt(models.Model):
    """One try of a job: the sync log. Written by the engine; nobody changes it afterwards."""

    _name = "commerce.attempt"
    _inherit = [CommerceLookup._name]
    _description = "Attempt"
    _order = "id desc"
    _rec_name = "document"

    job_id = fields.Many2one("commerce.job", readonly=True, ondelete="set null")
    flow_id = fields.Many2one("commerce.flow", readonly=True, ondelete="cascade", index=True)
    connection_id = fields.Many2one(
        "commerce.connection", required=True, readonly=True, ondelete="cascade"
    )
    company_id = fields.Many2one("res.company", readonly=True)
    direction = fields.Selection([("out", "To the store"), ("in", "From the store")], readonly=True)
    kind = fields.Char(string="Kind of Data", readonly=True)
    operation = fields.Char(readonly=True)
    model = fields.Char(readonly=True)
    res_id = fields.Many2oneReference(string="Record", model_field="model", readonly=True)
    document = fields.Char(readonly=True, help="What staff call it: invoice number, product.")
    external_id = fields.Char(string="External ID", readonly=True)
    number = fields.Integer(string="Try", readonly=True)
    state = fields.Selection(
        [
            ("sending", "Under way"),
            ("done", "Done"),
            ("failed", "Failed"),
            ("retry", "Will be tried again"),
            ("not_sent", "Not sent"),
            ("dry_run", "Dry run"),
            ("unknown", "Unknown: the worker died"),
        ],
        required=True,
        readonly=True,
    )
    outcome = fields.Selection(selection(states.OUTCOMES), readonly=True)
    started_at = fields.Datetime(string="Time", readonly=True)
    finished_at = fields.Datetime(readonly=True)
    duration_ms = fields.Integer(string="Duration (ms)", readonly=True, aggregator="avg")
    request_line = fields.Char(readonly=True)
    http_status = fields.Integer(string="HTTP Status", readonly=True, aggregator=None)
    error_kind = fields.Selection(ERROR_LABELS, string="What Is Wrong", readonly=True)
    error_code = fields.Char(readonly=True)
    error_message = fields.Text(string="Error", readonly=True)
    error_hint = fields.Text(string="What To Do", readonly=True)
    remote_request_id = fields.Char(string="Remote Request ID", readonly=True)
    idempotency_key = fields.Char(readonly=True)
    worker = fields.Char(readonly=True)
    request_summary = fields.Text(
        string="Sent", readonly=True, groups="commerce_sync.group_manager"
    )
    response_summary = fields.Text(
        string="Answer", readonly=True, groups="commerce_sync.group_manager"
    )
    correction = fields.Text(
        string="Corrected By Hand",
        readonly=True,
        groups="commerce_sync.group_manager",
        help="The values that a manager had replaced; what was sent stands above.",
    )
    traceback = fields.Text(readonly=True, groups="commerce_sync.group_manager")

    _job = models.Index("(job_id, number)")
    _external = models.Index("(external_id) WHERE external_id IS NOT NULL")
    _document = models.Index("(document text_pattern_ops) WHERE document IS NOT NULL")
    _flow_done = models.Index("(flow_id, started_at DESC) WHERE state = 'done'")
    _connection_time = models.Index("(connection_id, started_at DESC)")
    _record = models.Index("(model, res_id)")
    _sending = models.Index("(job_id) WHERE state = 'sending'")

    def init(self):
        # as for jobs: many rows in seconds, each changed once
        self.env.cr.execute(
            """ALTER TABLE commerce_attempt SET (
                   autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 2000,
                   autovacuum_analyze_scale_factor = 0.02)"""
        )

    def write(self, vals):  # pylint: disable=method-required-super
        """Refused: the log is append-only."""
        raise UserError(self.env._("The sync log is never changed."))

    def action_open_record(self):
        """Open the Odoo record this attempt was about."""
        self.ensure_one()
        return self.job_id._open_record(self.model, self.res_id)

    @api.autovacuum
    def _gc_attempts(self):
        """Delete what is older than its connection keeps it, in bounded batches."""
        return vacuum(self.env, "commerce_attempt", SQL("started_at"), SQL("state <> 'sending'"))


#: Rows one run of the vacuum deletes at most for each connection; it is called again for more.
VACUUM_BATCH = 10_000


def vacuum(env, table, moment, condition):
    """Delete the rows of a log that are older than ``keep_days`` of their connection.

    :param str table: has a column ``connection_id``
    :param SQL moment: the column that says how old a row is
    :param SQL condition: which rows may go
    :return: ``(rows deleted, 1 if there may be more else 0)``, as ``@api.autovacuum`` wants it
    """
    deleted, full = 0, False
    connections = env["commerce.connection"].with_context(active_test=False).search([])
    for connection in connections:
        env.cr.execute(
            SQL(
                """DELETE FROM %(table)s WHERE id IN (
                       SELECT id FROM %(table)s
                        WHERE connection_id = %(connection)s AND %(condition)s
                          AND %(moment)s < (now() AT TIME ZONE 'UTC') - %(days)s * interval '1 day'
                        LIMIT %(limit)s)""",
                table=SQL.identifier(table),
                connection=connection.id,
                condition=condition,
                moment=moment,
                days=connection.keep_days,
                limit=VACUUM_BATCH,
            )
        )
        deleted += env.cr.rowcount
        full = full or env.cr.rowcount == VACUUM_BATCH
    return deleted, int(full)

from odoo import api, fields, models

from ..engine import states

#: The type of activity that says "somebody must look".
NOTICE = "mail.mail_activity_data_warning"


class CommerceConnection(models.Model):
    """Live, paused, down: how a connection is, and who is told."""

    _inherit = "commerce.connection"

    pause_kind = fields.Selection(
        [
            ("person", "By a person"),
            ("authentication", "The store refuses our credentials"),
            ("neutralized", "This is a copy of the database"),
        ],
        readonly=True,
        copy=False,
    )
    pause_message = fields.Char(readonly=True, copy=False)
    paused_at = fields.Datetime(readonly=True, copy=False)
    traffic_ids = fields.One2many("commerce.traffic", "connection_id")
    health = fields.Selection(
        [
            ("draft", "Set-up"),
            ("healthy", "Healthy"),
            ("degraded", "Degraded"),
            ("down", "Down"),
            ("paused", "Paused"),
        ],
        compute="_compute_health",
    )
    health_message = fields.Char(compute="_compute_health")
    last_success = fields.Datetime(compute="_compute_health")
    pending_count = fields.Integer(string="Waiting", compute="_compute_job_counts")
    running_count = fields.Integer(string="Running", compute="_compute_job_counts")
    failed_count = fields.Integer(string="Failed", compute="_compute_job_counts")

    @api.depends("state", "pause_message", "traffic_ids.open_since", "traffic_ids.failures")
    def _compute_health(self):
        for connection in self:
            line = connection.sudo().traffic_ids[:1]
            connection.last_success = line.last_success
            connection.health, connection.health_message = connection._judge(line)

    def _judge(self, line):
        """``(health, a sentence)`` from the state of the connection and its line."""
        if self.state == "draft":
            return "draft", self.env._("Not live yet: nothing is sent.")
        if self.state == "paused":
            return "paused", self.pause_message
        if line.open_since:
            since = fields.Datetime.context_timestamp(self, line.open_since)
            return "down", self.env._(
                "Does not answer since %(since)s: %(error)s Jobs wait and go on by themselves.",
                since=f"{since:%Y-%m-%d %H:%M}",
                error=line.last_error or "",
            )
        if line.failures or self.failed_count:
            return "degraded", line.last_error if line.failures else self.env._(
                "%s jobs need a person.", self.failed_count
            )
        return "healthy", ""

    def _compute_job_counts(self):
        open_states = list(states.OPEN_STATES)
        groups = self.env["commerce.job"]._read_group(
            [("connection_id", "in", self.ids), ("state", "in", open_states)],
            ["connection_id", "state"],
            ["__count"],
        )
        counts = {(connection.id, state): count for connection, state, count in groups}
        for connection in self:
            for state in open_states:
                connection[f"{state}_count"] = counts.get((connection.id, state), 0)

    # === PAUSE AND RESUME === #

    def action_go_live(self):
        """Begin to send."""
        self.check_access("write")
        self.filtered(lambda connection: connection.state == "draft")._resume()
        return True

    def action_pause(self):
        """Stop sending; what is due waits. Pressed by a person."""
        self.check_access("write")
        for connection in self:
            connection._pause("person", self.env._("Paused by %s.", self.env.user.name))
        return True

    def action_resume(self):
        """Go on sending."""
        self.check_access("write")
        self._resume()
        return True

    @api.private
    def _pause(self, kind, message):
        """Stop a live connection, once, and tell its responsible user if no person did it."""
        self.ensure_one()
        if self.state != "live":
            return
        self.write(
            {
                "state": "paused",
                "pause_kind": kind,
                "pause_message": message,
                "paused_at": fields.Datetime.now(),
            }
        )
        if kind != "person":
            self._tell(self.env._("%s is paused", self.name), message)

    def _resume(self):
        self.write(
            {"state": "live", "pause_kind": False, "pause_message": False, "paused_at": False}
        )
        self._untell()
        self.env["commerce.traffic"].sudo().search([("connection_id", "in", self.ids)]).write(
            {"failures": 0, "open_since": False, "probe_at": False, "blocked_until": False}
        )
        self._wake()

    # === NOTICES === #

    def _tell(self, summary, note):
        """One notice for the responsible user; one that is there already says the new thing."""
        for connection in self:
            told = connection.activity_search([NOTICE])
            if told:
                told.write({"summary": summary, "note": note})
                continue
            connection.activity_schedule(
                NOTICE,
                summary=summary,
                note=note,
                user_id=(connection.responsible_id or connection.user_id).id,
            )

    def _untell(self):
        self.activity_unlink([NOTICE])

    @api.private
    def _line_changed(self, change, error):
        """The breaker opened or closed.

        :param str change: ``opened`` or ``closed``
        :param str error: what the last failure said
        """
        self.ensure_one()
        if change == "opened":
            self._tell(self.env._("%s does not answer", self.name), error)
        else:
            self._untell()

    def sync_status(self):
        """How the connections are, for monitoring.

        :return: list of dicts: ``id, name, health, message, pending, running, failed,
            last_success`` (ISO 8601 in UTC, or ``""``)
        """
        self.check_access("read")
        return [
            {
                "id": connection.id,
                "name": connection.name,
                "health": connection.health,
                "message": connection.health_message or "",
                "pending": connection.pending_count,
                "running": connection.running_count,
                "failed": connection.failed_count,
                "last_success": connection.last_success.isoformat()
                if connection.last_success
                else "",
            }
            for connection in self
        ]

    def action_view_failed(self):
        """The failed jobs of this connection."""
        return self._view_jobs([("state", "=", states.FAILED)])

    def action_view_jobs(self):
        """The jobs of this connection that are not settled."""
        return self._view_jobs([("state", "in", list(states.OPEN_STATES))])

    def _view_jobs(self, domain):
        self.ensure_one()
        self.check_access("read")
        action = self.env["ir.actions.act_window"]._for_xml_id("commerce_sync.commerce_job_action")
        return action | {"domain": [("connection_id", "=", self.id), *domain], "context": {}}

import json
from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL

from ..engine import states

#: Hours that the chart shows.
HOURS = 24


class CommerceConnection(models.Model):
    """What the overview shows of a connection beside its health."""

    _inherit = "commerce.connection"

    health_since = fields.Datetime(
        string="Since", compute="_compute_health_since", help="Paused or down since then."
    )
    oldest_waiting = fields.Datetime(
        compute="_compute_oldest_waiting", help="Since when the oldest waiting job waits."
    )
    last_by_flow = fields.Json(string="Last Success of Each Flow", compute="_compute_last_by_flow")
    today_count = fields.Integer(
        string="Today", compute="_compute_volume", help="Tries in the last 24 hours."
    )
    volume = fields.Text(
        compute="_compute_volume", help="Tries in the last 24 hours, hour by hour."
    )

    @api.depends("paused_at", "state", "traffic_ids.open_since", "traffic_ids.last_failure")
    def _compute_health_since(self):
        for connection in self:
            line = connection.sudo().traffic_ids[:1]
            since = {
                "paused": connection.paused_at,
                "down": line.open_since,
                "degraded": line.last_failure if line.failures else False,
            }
            connection.health_since = since.get(connection.health, False)

    def _compute_oldest_waiting(self):
        groups = self.env["commerce.job"]._read_group(
            [("connection_id", "in", self.ids), ("state", "=", states.PENDING)],
            ["connection_id"],
            ["queued_at:min"],
        )
        oldest = {connection.id: moment for connection, moment in groups}
        for connection in self:
            connection.oldest_waiting = oldest.get(connection.id)

    def _compute_last_by_flow(self):
        """``[{"flow": "Stock", "at": "2026-01-31 10:42"}]``: one look into an index each."""
        self.flow_ids.flush_recordset()
        self.env.cr.execute(
            SQL(
                """SELECT flow.id, (SELECT attempt.started_at FROM commerce_attempt AS attempt
                                     WHERE attempt.flow_id = flow.id AND attempt.state = 'done'
                                     ORDER BY attempt.started_at DESC LIMIT 1)
                     FROM commerce_flow AS flow
                    WHERE flow.active AND flow.connection_id = ANY(%s)""",
                self.ids,
            )
        )
        last = dict(self.env.cr.fetchall())
        kinds = dict(self.env["commerce.flow"]._fields["kind"]._description_selection(self.env))
        for connection in self:
            connection.last_by_flow = [
                {
                    "flow": kinds.get(flow.kind, flow.kind),
                    "at": fields.Datetime.to_string(last[flow.id]) if last[flow.id] else "",
                }
                for flow in connection.flow_ids
                if flow.id in last
            ]

    def _compute_volume(self):
        hour = fields.Datetime.now().replace(minute=0, second=0, microsecond=0)
        first = hour - timedelta(hours=HOURS - 1)
        counts = self._count_by_hour(first)
        for connection in self:
            values = [
                (first + timedelta(hours=number), counts.get((connection.id, number), 0))
                for number in range(HOURS)
            ]
            connection.today_count = sum(count for _moment, count in values)
            connection.volume = json.dumps([self._draw_hours(values)])

    def _count_by_hour(self, first):
        """``{(connection id, hours after first): tries}``, over the index of time."""
        self.env.cr.execute(
            SQL(
                """SELECT connection_id,
                          (extract(epoch FROM started_at - %(first)s) / 3600)::int AS hour,
                          count(*)
                     FROM (SELECT connection_id, date_trunc('hour', started_at) AS started_at
                             FROM commerce_attempt
                            WHERE connection_id = ANY(%(ids)s) AND started_at >= %(first)s) AS tries
                    GROUP BY 1, 2""",
                ids=self.ids,
                first=first,
            )
        )
        return {
            (connection_id, hour): count for connection_id, hour, count in self.env.cr.fetchall()
        }

    def _draw_hours(self, values):
        """As the web client's ``dashboard_graph`` takes it."""
        return {
            "key": self.env._("Tries per hour"),
            "values": [
                {
                    "label": f"{fields.Datetime.context_timestamp(self, moment):%H}",
                    "value": count,
                    "type": "past",
                }
                for moment, count in values
            ],
        }

    # === BUTTONS === #

    def action_sync_now(self):
        """Compare and send everything that the connection's flows send.

        :return: the list of the runs, to watch them
        """
        self.ensure_one()
        self.check_access("write")
        flows = self.flow_ids.filtered(lambda flow: flow.active and flow.direction == "out")
        runs = self.env["commerce.run"]
        for flow in flows:
            runs |= flow._start_run()
        action = self.env["ir.actions.act_window"]._for_xml_id("commerce_sync.commerce_run_action")
        return action | {"domain": [("id", "in", runs.ids)], "context": {}}

    def action_view_problems(self):
        """What is wrong with this connection's documents."""
        self.ensure_one()
        self.check_access("read")
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "commerce_sync.commerce_problem_action"
        )
        return action | {"domain": [("connection_id", "=", self.id)], "context": {}}

import logging
from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL

from ..adapters.errors import SyncError
from ..engine.database import transact

_logger = logging.getLogger(__name__)

#: A change that was being written while the last poll read is found by the next one.
OVERLAP = timedelta(minutes=10)


class CommerceFlow(models.Model):
    """Looking for what webhooks missed: what changed in the store since the last look, page by
    page. A crash loses one page at most."""

    _inherit = "commerce.flow"

    poll_minutes = fields.Integer(
        string="Look for Missed Events Every (Minutes)",
        default=15,
        help="Webhooks get lost: the store is asked what changed since the last look. 0: never.",
    )
    poll_since = fields.Datetime(
        string="Looked Up To", readonly=True, copy=False, help="The last complete look began then."
    )
    poll_started = fields.Datetime(readonly=True, copy=False)
    poll_cursor = fields.Char(readonly=True, copy=False)
    polled_at = fields.Datetime(string="Last Look", readonly=True, copy=False)
    poll_found = fields.Integer(
        string="Missed by Webhooks", readonly=True, copy=False, help="Found by looking, in all."
    )
    poll_error = fields.Char(readonly=True, copy=False)

    _poll = models.Constraint(
        "CHECK(poll_minutes >= 0)", "The minutes between two looks cannot be negative."
    )

    def action_poll(self):
        """Ask the store now what changed since the last look.

        :return: a notification that says how much webhooks had missed
        """
        self.ensure_one()
        self.check_access("write")
        found = self.sudo()._poll_all(self.env.cr.commit)
        self.invalidate_recordset()
        if self.poll_error:
            return self.connection_id._notification("danger", self.poll_error)
        message = self.env._("%s events that webhooks had missed were found.", found)
        return self.connection_id._notification("success", message)

    @api.model
    def _cron_poll(self):
        """Look where it is time."""
        now = fields.Datetime.now()
        flows = self.search(
            [
                ("direction", "=", "in"),
                ("poll_minutes", ">", 0),
                ("connection_id.state", "=", "live"),
            ]
        )
        due = [
            flow.id
            for flow in flows
            if flow.poll_cursor
            or not flow.polled_at
            or flow.polled_at + timedelta(minutes=flow.poll_minutes) <= now
        ]
        # requests are made below: no transaction stays open meanwhile
        for flow_id in due:
            self.browse(flow_id)._poll_all(self.env["ir.cron"]._commit_progress)

    def _poll_all(self, commit):
        """Read page after page, each taken in by a transaction of its own.

        :param commit: ends the caller's transaction
        :return: how many events webhooks had missed
        """
        cursor_of, flow_id = self.env.registry.cursor, self.id
        commit()

        def in_transaction(work):
            return transact(cursor_of, lambda cr: work(self.with_env(self.env(cr=cr))))

        found, more = 0, True
        try:
            adapter, kind, since, cursor = in_transaction(lambda flow: flow._begin_poll())
            while more:
                page = adapter.poll(kind, since, cursor)
                found += in_transaction(lambda flow, p=page: flow._take_in_page(p))
                more, cursor = bool(page.cursor), page.cursor
        except SyncError as error:
            _logger.info("flow %s: not polled: %s", flow_id, error.message)
            words = " ".join(filter(None, (error.message, error.hint)))
            restart = error.code == "bad_cursor"
            in_transaction(lambda flow: flow._stop_poll(words, restart))
        return found

    def _begin_poll(self):
        """``(adapter, kind, since, cursor)``; an unfinished look is gone on with."""
        if not self.poll_cursor:
            self.poll_started = fields.Datetime.now()
        since = (self.poll_since or self.create_date) - OVERLAP
        return self.connection_id._get_adapter(), self.kind, since, self.poll_cursor or ""

    def _take_in_page(self, page):
        """Take in what nobody told us.

        :return: how many that were
        """
        known = self._known_versions([event.external_id for event, _body in page.events])
        found = 0
        for event, body in page.events:
            seen = known.get(event.external_id)
            if seen and event.updated_at and event.updated_at <= seen:
                continue
            found += bool(
                self.env["commerce.webhook.event"]._take_in(
                    self.connection_id, event, body, source="poll"
                )
            )
        values = {"poll_cursor": page.cursor, "poll_found": self.poll_found + found}
        if not page.cursor:
            values |= {
                "poll_since": self.poll_started,
                "polled_at": fields.Datetime.now(),
                "poll_error": False,
            }
        self.write(values)
        return found

    def _stop_poll(self, words, restart):
        """The store did not answer: the next look goes on from the same place."""
        values = {"poll_error": words, "polled_at": fields.Datetime.now()}
        self.write(values | ({"poll_cursor": False} if restart else {}))

    def _known_versions(self, external_ids):
        """``{external id: newest change we know of}``, from what was applied and what waits."""
        if not external_ids:
            return {}
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                """SELECT external_id, max(moment) FROM (
                       SELECT external_id, external_updated_at AS moment FROM commerce_binding
                        WHERE connection_id = %(connection)s AND resource = %(kind)s
                          AND external_id = ANY(%(ids)s)
                        UNION ALL
                       SELECT external_id, external_updated_at FROM commerce_webhook_event
                        WHERE connection_id = %(connection)s AND kind = %(kind)s
                          AND external_id = ANY(%(ids)s)) AS known
                    WHERE moment IS NOT NULL GROUP BY external_id""",
                connection=self.connection_id.id,
                kind=self.kind,
                ids=list(external_ids),
            )
        )
        return dict(self.env.cr.fetchall())

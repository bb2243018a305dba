from dataclasses import replace

from odoo import SUPERUSER_ID, api, fields, models
from odoo.tools import SQL

from ..adapters.base import Event
from ..engine.database import NOW


class CommerceWebhookEvent(models.Model):
    """One message received from outside, kept before anything is done with it."""

    _name = "commerce.webhook.event"
    _description = "Webhook Event"
    _order = "id desc"
    _rec_name = "topic"

    connection_id = fields.Many2one(
        "commerce.connection", required=True, readonly=True, ondelete="cascade"
    )
    company_id = fields.Many2one("res.company", readonly=True)
    identity = fields.Char(required=True, readonly=True, help="One event, however often it came.")
    source = fields.Selection(
        [("webhook", "Webhook"), ("poll", "Found by looking")], required=True, readonly=True
    )
    topic = fields.Char(readonly=True)
    kind = fields.Char(string="Kind of Data", readonly=True)
    external_id = fields.Char(string="External ID", readonly=True)
    external_updated_at = fields.Datetime(string="Changed There", readonly=True)
    received_at = fields.Datetime(readonly=True)
    body = fields.Binary(attachment=False, readonly=True, groups="commerce_sync.group_manager")
    wiped_at = fields.Datetime(readonly=True, help="The message itself was deleted then.")

    problem = fields.Char(readonly=True, help="Why nothing could be made of it.")
    deleted = fields.Boolean(readonly=True, help="The record is no more in the store.")

    _identity_uniq = models.UniqueIndex(
        "(connection_id, identity)", "This event was received already."
    )
    _external = models.Index("(connection_id, external_id)")
    _received = models.Index("(connection_id, received_at)")

    @api.private
    def _take_in(self, connection, event, body, source="webhook", problem="", run_id=None):
        """Keep an event, once, and have it processed.

        :param connection: whose it is
        :param Event event: what it says of itself
        :param bytes body: as received
        :param str problem: why nothing can be made of it
        :param int run_id: the run it belongs to
        :return: its id, or ``None`` where it was received before
        """
        self.env.cr.execute(
            SQL(
                """INSERT INTO commerce_webhook_event
                          (connection_id, company_id, identity, source, topic, kind, external_id,
                           external_updated_at, received_at, body, create_date,
                           problem, deleted)
                   VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
                   ON CONFLICT (connection_id, identity) DO NOTHING
                   RETURNING id""",
                connection.id,
                connection.company_id.id,
                storable(event.identity, 256),
                source,
                storable(event.topic, 64),
                event.kind,
                storable(event.external_id, 128),
                event.updated_at,
                NOW,
                body,
                NOW,
                problem or None,
                event.deleted,
            ),
            # a failing statement would be logged with the body, which is personal
            log_exceptions=False,
        )
        row = self.env.cr.fetchone()
        if row and event.topic in connection._adapter_class().privacy_topics:
            connection.with_user(SUPERUSER_ID)._heed_privacy(event.topic, body)
        if row and not problem:
            clean = replace(event, external_id=storable(event.external_id, 128))
            connection._enqueue_event(row[0], clean, run_id)
        return row and row[0]

    def action_view_jobs(self):
        """The jobs that these messages led to."""
        self.check_access("read")
        action = self.env["ir.actions.act_window"]._for_xml_id("commerce_sync.commerce_job_action")
        domain = [("model", "=", self._name), ("res_id", "in", self.ids)]
        return action | {"domain": domain, "context": {}}

    def action_replay(self):
        """Process these events again.

        :return: number of events that will be
        """
        self.check_access("read")
        jobs = self.env["commerce.job"].search(
            [("model", "=", self._name), ("res_id", "in", self.ids)]
        )
        count = jobs.action_resend() if jobs else 0
        # no flow wanted these when they came
        for event in self.sudo().filtered(lambda one: one.id not in jobs.mapped("res_id")):
            if not event.problem:
                said = Event(
                    identity=event.identity,
                    topic=event.topic or "",
                    kind=event.kind or "",
                    external_id=event.external_id or "",
                )
                count += bool(event.connection_id._enqueue_event(event.id, said))
        return count


def storable(text, length):
    """What a platform said of itself, as the database takes it."""
    return text[:length].replace("\0", "").encode("utf-8", "replace").decode()

import uuid

from odoo import api, fields, models, tools
from odoo.tools import SQL

from ..engine import queue
from ..engine.database import NOW


class CommerceConnection(models.Model):
    """Where a store sends its events, and who is believed."""

    _inherit = "commerce.connection"

    webhook_key = fields.Char(
        copy=False,
        readonly=True,
        default=lambda self: uuid.uuid4().hex,
        groups="commerce_sync.group_manager",
    )
    webhook_url = fields.Char(
        string="Webhook Address",
        compute="_compute_webhook_url",
        groups="commerce_sync.group_manager",
        help="Type this address, and the webhook secret, into the store's settings.",
    )
    last_event = fields.Datetime(compute="_compute_events", string="Last Webhook")
    refused_count = fields.Integer(compute="_compute_events", string="Webhooks Refused")
    refused_since = fields.Datetime(compute="_compute_events")

    _webhook_key_uniq = models.UniqueIndex("(webhook_key)", "Each connection has its own key.")

    @api.depends("webhook_key")
    def _compute_webhook_url(self):
        for connection in self:
            key = connection.webhook_key
            path = f"/commerce_sync/webhook/{key}"
            connection.webhook_url = connection.get_base_url() + path if key else False

    def _compute_events(self):
        latest = self.env["commerce.webhook.event"]._read_group(
            [("connection_id", "in", self.ids), ("source", "=", "webhook")],
            ["connection_id"],
            ["received_at:max"],
        )
        latest = {connection.id: received_at for connection, received_at in latest}
        for connection in self:
            line = connection.sudo().traffic_ids[:1]
            connection.last_event = latest.get(connection.id)
            connection.refused_count = line.refused_count
            connection.refused_since = line.refused_since

    # === INTAKE === #

    @api.model
    @tools.ormcache("key")
    def _find_by_webhook_key(self, key):
        """The id of the connection with this key, or ``False``; cheap to ask."""
        return self.sudo().search([("webhook_key", "=", key)], limit=1).id

    @api.private
    def _receive(self, headers, body):
        """Verify a message, keep it, have it processed.

        :param headers: case-insensitive mapping
        :param bytes body: exactly as received
        :return: HTTP status
        :raise Rejected: a verified message that says nothing
        """
        adapter_class = self._adapter_class()
        if adapter_class.is_ping(headers, body):
            return 200
        names = adapter_class.webhook_secret_names
        known = self.credential_ids.filtered(lambda one: one.name in names)
        if not adapter_class.verify(headers, body, list(known._reveal().values())):
            self._count_refused()
            return 401
        event = adapter_class.parse_event(headers, body)
        self.env["commerce.webhook.event"]._take_in(self, event, body)
        return 200

    def _count_refused(self):
        """One more message that was not signed as it should be. No trace of what it said."""
        self.env.cr.execute(
            SQL(
                """UPDATE commerce_traffic
                      SET refused_count = COALESCE(refused_count, 0) + 1,
                          refused_since = COALESCE(refused_since, %s)
                    WHERE connection_id = %s""",
                NOW,
                self.id,
            )
        )

    def _enqueue_event(self, event_id, event):
        """A job for an event that one of the connection's flows wants."""
        flow = self.env["commerce.flow"].search(
            [
                ("connection_id", "=", self.id),
                ("direction", "=", "in"),
                ("kind", "=", event.kind),
            ],
            limit=1,
        )
        if not flow:
            return
        order = queue.Order(
            flow_id=flow.id,
            connection_id=self.id,
            company_id=self.company_id.id,
            direction="in",
            kind=flow.kind,
            model="commerce.webhook.event",
            record_ids=(event_id,),
            operation="import",
            priority=flow.priority,
            sequence=f"{self.id}:{event.kind}:{event.external_id}",
            external_id=event.external_id or None,
        )
        queue.enqueue(self.env.cr, order)
        self._wake()

import logging
import uuid

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..adapters.errors import SyncError
from ..engine.database import transact

_logger = logging.getLogger(__name__)

ACTIVITY = "commerce_sync.activity_type_webhooks"


class CommerceConnection(models.Model):
    """What the store was asked to tell Odoo: made, checked and repaired from here."""

    _inherit = "commerce.connection"

    subscription_state = fields.Selection(
        [("ok", "In order"), ("broken", "Incomplete"), ("unknown", "Not readable")],
        string="Webhooks",
        readonly=True,
        copy=False,
    )
    subscription_message = fields.Char(readonly=True, copy=False)
    subscription_checked_at = fields.Datetime(string="Webhooks Checked", readonly=True, copy=False)
    subscription_urls = fields.Json(
        readonly=True, copy=False, help="Addresses of ours the store was told, the present one too."
    )
    can_subscribe = fields.Boolean(compute="_compute_can_subscribe")

    @api.depends("platform")
    def _compute_can_subscribe(self):
        for connection in self:
            adapter_class = connection.platform and connection._adapter_class()
            connection.can_subscribe = bool(adapter_class and adapter_class.webhook_topics)

    def action_subscribe(self):
        """Have the store send what the active flows want to hear of: missing webhooks are made,
        disabled ones switched on, superfluous ones of ours removed. Other addresses are left alone.

        :return: a notification
        """
        self.ensure_one()
        self.check_access("write")
        self._check_subscribable()
        secret = self._get_webhook_secret()
        url = self.sudo().webhook_url
        ours = {url, *(self.subscription_urls or ())}
        adapter = self._get_adapter()
        try:
            wanted = self._wanted_topics()
            for row in adapter.subscriptions():
                if row["uri"] in ours and (row["uri"] != url or row["topic"] not in wanted):
                    adapter.unsubscribe(row["id"])
            for topic in wanted:
                adapter.subscribe(topic, url, secret)
            self.sudo().subscription_urls = [url]
            self._compare_subscriptions(adapter.subscriptions())
        except SyncError as error:
            return self._notification("danger", error.message, error.hint)
        return self._notification("success", self.subscription_message)

    def action_check_subscriptions(self):
        """Look whether the store still sends what it was asked to.

        :return: a notification
        """
        self.ensure_one()
        self.check_access("write")
        self._check_subscribable()
        try:
            self._compare_subscriptions(self._get_adapter().subscriptions())
        except SyncError as error:
            return self._notification("danger", error.message, error.hint)
        kind = "success" if self.subscription_state == "ok" else "warning"
        return self._notification(kind, self.subscription_message)

    def action_rotate_webhook_secret(self):
        """A new secret, told to the store at once; the one before is believed for a while.

        :return: a notification
        """
        self.ensure_one()
        self.check_access("write")
        if not self._adapter_class().chooses_webhook_secret:
            raise UserError(
                self.env._("The platform chooses the secret: type the new one under Credentials.")
            )
        self.set_credentials({"webhook_secret": uuid.uuid4().hex + uuid.uuid4().hex})
        return self.action_subscribe()

    def _check_subscribable(self):
        if not self.can_subscribe:
            raise UserError(
                self.env._(
                    "%s cannot be asked to send webhooks: see its page of the documentation for "
                    "what to install there.",
                    self._adapter_class().label,
                )
            )
        if self.pause_kind == "neutralized" or not self.sudo().webhook_key:
            raise UserError(
                self.env._("This is a copy of the database: the store must not be told of it.")
            )

    def _get_webhook_secret(self):
        """The secret to sign with, where it is ours to choose; made, if there is none yet."""
        if not self._adapter_class().chooses_webhook_secret:
            return ""
        known = self.sudo().credential_ids._reveal()
        if not known.get("webhook_secret"):
            self.set_credentials({"webhook_secret": uuid.uuid4().hex + uuid.uuid4().hex})
            known = self.sudo().credential_ids._reveal()
        return known["webhook_secret"]

    def _wanted_topics(self):
        """Topics of the active inbound flows."""
        topics = self._adapter_class().webhook_topics
        flows = self.flow_ids.filtered(lambda flow: flow.active and flow.direction == "in")
        return [topic for kind in flows.mapped("kind") for topic in topics.get(kind, ())]

    def _compare_subscriptions(self, rows):
        """Write down whether what the store has is what is wanted."""
        url = self.sudo().webhook_url
        active = {row["topic"] for row in rows if row["uri"] == url and row["active"]}
        present = {row["topic"] for row in rows if row["uri"] == url}
        wanted = self._wanted_topics()
        missing = [topic for topic in wanted if topic not in present]
        disabled = [topic for topic in wanted if topic in present - active]
        self.sudo().write(
            {
                "subscription_state": "broken" if missing or disabled else "ok",
                "subscription_message": self._word_subscriptions(wanted, missing, disabled),
                "subscription_checked_at": fields.Datetime.now(),
            }
        )
        self._tell_of_subscriptions()

    def _word_subscriptions(self, wanted, missing, disabled):
        if not wanted:
            return self.env._("No active flow wants to hear of anything.")
        parts = []
        if disabled:
            parts.append(self.env._("The store has disabled %s.", ", ".join(disabled)))
        if missing:
            parts.append(self.env._("The store does not have %s.", ", ".join(missing)))
        if parts:
            return " ".join([*parts, self.env._("Press Repair Webhooks.")])
        return self.env._("The store sends %s.", ", ".join(wanted))

    def _tell_of_subscriptions(self):
        """One activity while something is wrong that was in order before."""
        for connection in self:
            told = connection.activity_search([ACTIVITY])
            if connection.subscription_state == "ok" or not connection.subscription_urls:
                told.unlink()
            elif told:
                told.write({"note": connection.subscription_message})
            else:
                connection.activity_schedule(
                    ACTIVITY,
                    summary=self.env._("%s does not send all webhooks", connection.name),
                    note=connection.subscription_message,
                    user_id=(connection.responsible_id or connection.user_id).id,
                )

    @api.model
    def _cron_check_subscriptions(self):
        """Notice what stores have disabled or removed."""
        connections = self.search([("state", "=", "live")])
        ids = [one.id for one in connections if one.can_subscribe and one.subscription_urls]
        # requests are made below: no transaction stays open meanwhile
        self.env["ir.cron"]._commit_progress(remaining=len(ids))
        for connection_id in ids:
            self._check_one(connection_id)
            self.env["ir.cron"]._commit_progress(1)

    def _check_one(self, connection_id):
        def in_transaction(work):
            return transact(
                self.env.registry.cursor,
                lambda cr: work(self.with_env(self.env(cr=cr)).browse(connection_id)),
            )

        try:
            rows = in_transaction(lambda connection: connection._get_adapter()).subscriptions()
            in_transaction(lambda connection: connection._compare_subscriptions(rows))
        except SyncError as error:
            _logger.info("connection %s: webhooks not checked: %s", connection_id, error.message)
            words = error.message
            in_transaction(
                lambda connection: connection.write(
                    {"subscription_state": "unknown", "subscription_message": words}
                )
            )

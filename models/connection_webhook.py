import logging
import threading
import uuid
from collections import Counter
from dataclasses import dataclass

from odoo import SUPERUSER_ID, api, fields, models, modules, tools
from odoo.exceptions import UserError

from ..adapters.base import ADAPTERS, Event
from ..adapters.errors import SyncError
from ..engine import queue
from ..engine.gate import Gate
from ..engine.rate_limit import RateLimit

_logger = logging.getLogger(__name__)

#: Refusals that are counted one by one; beyond these the sender is asked to wait, and they are
#: added to the next one that is.
REFUSALS = RateLimit(1.0, 60)
#: Seconds within which a process wakes a worker once, and once more at their end.
WAKE_EVERY = 1.0

_gate = Gate()
_uncounted = Counter()


@dataclass(frozen=True)
class Intake:
    """What must be known of a connection to believe a message: asked for each one, so it is
    cached. ``secrets`` are as the database keeps them: ``(label, storage, secret, until)``;
    ``flows`` is ``{kind: (flow id, priority)}``."""

    connection_id: int
    company_id: int
    platform: str
    address: str
    limit: RateLimit | None
    secrets: tuple
    flows: dict


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
    webhook_rate = fields.Integer(
        string="Webhooks per Second",
        default=50,
        help="Beyond this the store is asked to send again later. 0: no limit.",
    )
    last_event = fields.Datetime(compute="_compute_events", string="Last Webhook")
    refused_count = fields.Integer(compute="_compute_refusals", string="Webhooks Refused")
    refused_since = fields.Datetime(compute="_compute_refusals")
    refused_message = fields.Char(compute="_compute_refusals")
    previous_secret_until = fields.Datetime(compute="_compute_previous", compute_sudo=True)

    _webhook_key_uniq = models.UniqueIndex("(webhook_key)", "Each connection has its own key.")
    _webhook_rate_positive = models.Constraint(
        "CHECK(webhook_rate >= 0)", "The number of webhooks per second cannot be negative."
    )

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
            connection.last_event = latest.get(connection.id)

    def _compute_refusals(self):
        rows = (
            self.env["commerce.webhook.refusal"]
            .sudo()
            ._read_group(
                [("connection_id", "in", self.ids)],
                ["connection_id", "reason"],
                ["count:sum", "refused_at:min"],
            )
        )
        found = {}
        for connection, reason, count, since in rows:
            found.setdefault(connection.id, []).append((count, reason, since))
        for connection in self:
            of_one = found.get(connection.id, [])
            connection.refused_count = sum(count for count, _reason, _since in of_one)
            connection.refused_since = min((since for *_, since in of_one), default=False)
            connection.refused_message = connection._word_refusals(of_one)

    def _word_refusals(self, refusals):
        if not refusals:
            return False
        _count, reason, _since = max(refusals)
        hints = {
            "signature": self.env._("Is the webhook secret right?"),
            "sender": self.env._("They come from another shop: is the address right?"),
            "too_large": self.env._("They are larger than 5 MB."),
        }
        since = fields.Datetime.context_timestamp(self, self.refused_since)
        return self.env._(
            "%(count)s webhooks refused since %(since)s. %(hint)s",
            count=self.refused_count,
            since=f"{since:%Y-%m-%d %H:%M}",
            hint=hints[reason],
        )

    @api.depends("credential_ids.previous_until")
    def _compute_previous(self):
        now = fields.Datetime.now()
        for connection in self:
            until = [
                moment for moment in connection.credential_ids.mapped("previous_until") if moment
            ]
            latest = max(until, default=False)
            connection.previous_secret_until = latest if latest and latest > now else False

    def write(self, vals):
        result = super().write(vals)
        if not {"address", "platform", "company_id", "webhook_key", "webhook_rate"}.isdisjoint(
            vals
        ):
            self.env.registry.clear_cache()
        return result

    @api.model_create_multi
    def create(self, vals_list):
        connections = super().create(vals_list)
        self.env.registry.clear_cache()  # of the keys
        return connections

    # === WHAT PEOPLE DO === #

    def action_forget_refusals(self):
        """The cause was found: count anew."""
        self.check_access("write")
        self.env["commerce.webhook.refusal"].sudo().search(
            [("connection_id", "in", self.ids)]
        ).unlink()
        return True

    def action_forget_previous_secret(self):
        """Believe the current secret alone, from now on."""
        self.check_access("write")
        self.sudo().credential_ids._forget_previous()
        return True

    def action_renew_webhook_key(self):
        """Another address: the one before was seen by somebody, or this is a copy that was cut off.
        The store has to be told."""
        self.check_access("write")
        for connection in self:
            connection.sudo().webhook_key = uuid.uuid4().hex
        return True

    # === INTAKE === #

    @api.private
    @api.model
    @tools.ormcache()
    def _get_intakes(self):
        """``{webhook key: Intake}`` of every connection that takes something in. Copies of the
        database (neutralized) and archived connections do not."""
        connections = self.sudo().search([("webhook_key", "!=", False)])
        return {
            connection.webhook_key: connection._get_intake()
            for connection in connections
            if connection.pause_kind != "neutralized" and connection.platform in ADAPTERS
        }

    def _get_intake(self):
        names = self._adapter_class().webhook_secret_names
        flows = (
            self.env["commerce.flow"]
            .sudo()
            .search([("connection_id", "=", self.id), ("direction", "=", "in")])
        )
        return Intake(
            connection_id=self.id,
            company_id=self.company_id.id,
            platform=self.platform,
            address=self.address or "",
            limit=RateLimit(float(self.webhook_rate), self.webhook_rate * 20)
            if self.webhook_rate
            else None,
            secrets=self.credential_ids.filtered(lambda one: one.name in names)._get_sealed(),
            flows={flow.kind: (flow.id, flow.priority) for flow in flows},
        )

    @api.private
    def _receive(self, intake, headers, body):
        """Verify a message, keep it, have it processed.

        :param Intake intake: of this connection
        :param headers: case-insensitive mapping
        :param bytes body: exactly as received
        :return: HTTP status
        """
        adapter_class = ADAPTERS[intake.platform]
        if adapter_class.is_ping(headers, body):
            return 200
        if intake.limit and _gate.wait((self.env.cr.dbname, self.id), intake.limit):
            return 429
        if not adapter_class.verify(headers, body, self._open_secrets(intake)):
            return self._refuse(intake, "signature")
        if not adapter_class.comes_from(headers, intake.address):
            return self._refuse(intake, "sender")
        event, problem = self._parse(adapter_class, headers, body)
        self.env["commerce.webhook.event"]._take_in(self, event, body, problem=problem)
        return 200

    def _open_secrets(self, intake):
        """The secrets that are valid now, in clear. One that cannot be read believes nobody."""
        now, secrets = fields.Datetime.now(), []
        for label, storage, secret, until in intake.secrets:
            if until and until < now:
                continue
            try:
                secrets.append(self.env["commerce.credential"]._open(label, storage, secret))
            except UserError as error:
                _logger.warning("connection %s: %s", self.id, error)
        return secrets

    def _parse(self, adapter_class, headers, body):
        """``(Event, what is wrong with it)``. What the store has signed is kept, also where it
        says nothing we understand: answered with an error it would be lost."""
        try:
            return adapter_class.parse_event(headers, body), ""
        except SyncError as error:
            return Event(identity=f"unreadable:{uuid.uuid4().hex}"), error.message

    def _refuse(self, intake, reason):
        """One more message that is not believed. No trace of what it said.

        :return: HTTP status
        """
        key = (self.env.cr.dbname, self.id, "refused")
        if _gate.wait(key, REFUSALS):
            _uncounted[key] += 1
            return 429
        count = 1 + _uncounted.pop(key, 0)
        self.env["commerce.webhook.refusal"]._note(intake.connection_id, reason, count)
        _logger.info("connection %s: webhook refused: %s", self.id, reason)
        return 401

    def _enqueue_event(self, event_id, event, run_id=None):
        """A job for an event that one of the connection's flows wants.

        :return: its id, or ``None``
        """
        intake = self._get_intake_cached()
        flow_id, priority = intake.flows.get(event.kind, (None, None))
        if not flow_id:
            return None
        order = queue.Order(
            flow_id=flow_id,
            connection_id=self.id,
            company_id=intake.company_id,
            direction="in",
            kind=event.kind,
            model="commerce.webhook.event",
            record_ids=(event_id,),
            operation="import",
            priority=priority,
            sequence=f"{self.id}:{event.kind}:{event.external_id}",
            external_id=event.external_id or None,
            run_id=run_id,
        )
        job_ids = queue.enqueue_new(self.env.cr, order)
        self._wake_soon()
        return job_ids[0]

    def _get_intake_cached(self):
        intakes = self.sudo()._get_intakes()
        key = self.sudo().webhook_key
        return intakes.get(key) or self.sudo()._get_intake()

    def _wake_soon(self):
        """Have somebody look, once a second at most for each process: a wake-up costs more than
        all the rest of an intake."""
        if modules.module.current_test:
            self._wake()
            return
        registry, connection_id = self.env.registry, self.id
        self.env.cr.postcommit.add(lambda: _hints.want(registry, connection_id))


class _Hints:
    """Wakes the workers after a commit: at once, and then once more for all that came within
    :data:`WAKE_EVERY` seconds. What is lost with the process costs a minute."""

    def __init__(self):
        self._pending = {}
        self._lock = threading.Lock()

    def want(self, registry, connection_id):
        key = registry.db_name, connection_id % 2
        with self._lock:
            if key in self._pending:
                self._pending[key] = True
                return
            self._pending[key] = False
        timer = threading.Timer(WAKE_EVERY, self._again, (key, registry, connection_id))
        timer.daemon = True
        timer.start()
        self._wake(registry, connection_id)

    def _again(self, key, registry, connection_id):
        with self._lock:
            more = self._pending.pop(key, False)
        if more:
            self._wake(registry, connection_id)

    @staticmethod
    def _wake(registry, connection_id):
        try:
            with registry.cursor() as cr:
                env = api.Environment(cr, SUPERUSER_ID, {})
                env["commerce.connection"].browse(connection_id).exists()._wake()
        except Exception:
            # a hint: the scheduled actions look once a minute anyway
            _logger.info("connection %s: nobody was woken", connection_id, exc_info=True)


_hints = _Hints()

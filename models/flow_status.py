from datetime import timedelta

from odoo import api, fields, models, tools
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL

from ..adapters.base import Settings
from ..engine import queue

#: A record's other half, which people see on the same screen.
COUNTERPARTS = {
    "product.template": "product_variant_ids",
    "product.product": "product_tmpl_id",
}
#: Lines of history that a document shows at once.
HISTORY_LINES = 10


class CommerceFlow(models.Model):
    """What a document in Odoo says of itself: where it is, and whether it is up to date.

    Whoever may see the document may know whether it arrived; he need not be a Commerce User.
    """

    _inherit = "commerce.flow"

    @api.model
    @tools.ormcache()
    def _document_models(self):
        """The models whose forms say whether they are in a store; cheap to ask."""
        flows = self.sudo().search([("connection_id.active", "=", True)])
        names = {flow.model_name for flow in flows if flow.model_name}
        # a product's stock is sent by variant, and seen on the template
        names |= {name for name in COUNTERPARTS if not names.isdisjoint(COUNTERPARTS)}
        return frozenset(names)

    @api.model
    def get_document_status(self, model, res_id):
        """Where a document is and whether it is up to date.

        :return: dict with ``stores`` (a list of dicts: ``connection_id, connection, state, text,
            problems, url``; ``state`` is ``ok``, ``waiting``, ``failed`` or ``off``), ``problems``
            (how many in all), ``can_resend``, ``can_open`` (the full log)
        :raise AccessError: the user may not see the document
        """
        record = self._seen_document(model, res_id)
        if not record:
            return {"stores": [], "problems": 0, "can_resend": False, "can_open": False}
        stores = self.sudo()._get_store_lines(record)
        is_user = self.env.user.has_group("commerce_sync.group_user")
        return {
            "stores": stores,
            "problems": sum(store["problems"] for store in stores),
            "can_resend": is_user,
            "can_open": is_user,
        }

    @api.model
    def get_document_history(self, model, res_id):
        """The last tries to send or receive a document.

        :return: list of dicts: ``time`` (UTC), ``store, flow, state, state_label, message, hint``
        :raise AccessError: the user may not see the document
        """
        record = self._seen_document(model, res_id)
        if not record:
            return []
        attempts_sudo = self.env["commerce.attempt"].sudo()
        domain = self.sudo()._document_domain(record)
        labels = dict(attempts_sudo._fields["state"]._description_selection(self.env))
        return [
            {
                "time": fields.Datetime.to_string(attempt.started_at),
                "store": attempt.connection_id.name,
                "flow": attempt.flow_id.name or "",
                "state": attempt.state,
                "state_label": labels[attempt.state],
                "message": attempt.error_message or "",
                "hint": attempt.error_hint or "",
            }
            for attempt in attempts_sudo.search(domain, limit=HISTORY_LINES)
        ]

    @api.model
    def open_document_history(self, model, res_id):
        """The sync log of one document, for Commerce Users."""
        record = self._seen_document(model, res_id)
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "commerce_sync.commerce_attempt_action"
        )
        domain = self.sudo()._document_domain(record)
        name = self.env._("Sync Log: %s", record.display_name)
        return action | {"domain": list(domain), "context": {}, "name": name}

    @api.model
    def resend_document(self, model, res_id, connection_id=0):
        """Send a document again, to one store or to all that have it.

        :return: a sentence that says what will happen, or what happened
        """
        record = self._seen_document(model, res_id)
        if not self.env.user.has_group("commerce_sync.group_user"):
            raise UserError(self.env._("Only Commerce Users can do this."))
        return self.env["commerce.job"]._send_at_once(
            lambda env: (
                record.env["commerce.flow"]
                .with_env(env(user=self.env.uid, su=True))
                ._put_in_queue(record.with_env(env(su=True)), connection_id)
            )
        )

    def _put_in_queue(self, record, connection_id):
        """Have a document sent, whatever was sent before; ids of its jobs."""
        failed = self._jobs_to_resend(record, connection_id).ids
        job_ids = set(queue.resend(self.env.cr, failed, self.env.uid) if failed else ())
        domain = Domain("direction", "=", "out") & Domain(
            "company_id", "in", self.env.user.company_ids.ids
        )
        if connection_id:
            domain &= Domain("connection_id", "=", connection_id)
        parts = {part._name: part.ids for part in halves(record)}
        for flow in self.search(domain):
            if flow.model_name in parts:
                job_ids.update(flow._enqueue_due(parts[flow.model_name], force=True))
        return sorted(job_ids)

    def _jobs_to_resend(self, record, connection_id):
        """Failed jobs of what comes from the store: nothing in Odoo could enqueue them anew."""
        domain = self._document_domain(record) & Domain(
            [("direction", "=", "in"), ("state", "=", "failed")]
        )
        if connection_id:
            domain &= Domain("connection_id", "=", connection_id)
        return self.env["commerce.job"].search(domain)

    def _seen_document(self, model, res_id):
        """The record, if there is one of a kind that is sent, and the user may read it."""
        if model not in self.env or model not in self._document_models():
            return self.env["commerce.flow"].browse()
        record = self.env[model].browse(res_id).exists()
        record.check_access("read")
        return record

    # === WHERE IT IS === #

    def _document_domain(self, record):
        """The jobs, or attempts, of a document: those about the record (and its other half), and
        those about the remote record it is bound to."""
        companies = self.env.user.company_ids.ids
        domain = Domain.OR(
            Domain("model", "=", part._name) & Domain("res_id", "in", part.ids)
            for part in halves(record)
        )
        for binding in self._document_bindings(record):
            domain |= (
                Domain("connection_id", "=", binding.connection_id.id)
                & Domain("external_id", "=", binding.external_id)
                & Domain("direction", "=", "in")
                & Domain("kind", "=", binding.resource)
            )
        return domain & Domain("company_id", "in", companies)

    def _document_bindings(self, record):
        domain = Domain.OR(
            Domain("model", "=", part._name) & Domain("res_id", "in", part.ids)
            for part in halves(record)
        )
        return self.env["commerce.binding"].search(domain)

    def _get_store_lines(self, record):
        """One line for each store that knows the document, or was to be told of it."""
        facts = self._get_document_facts(record)
        bindings = self._document_bindings(record).grouped("connection_id")
        synced = self._last_synced(record)
        connections = self.env["commerce.connection"].search(
            [
                ("company_id", "in", self.env.user.company_ids.ids),
                ("id", "in", list({*facts, *synced, *(one.id for one in bindings)})),
            ]
        )
        return [
            self._get_store_line(
                connection,
                facts.get(connection.id, {}),
                bindings.get(connection, self.env["commerce.binding"]),
                synced.get(connection.id),
            )
            for connection in connections
        ]

    def _get_document_facts(self, record):
        """``{connection id: {job state: count}}`` of the jobs that are not settled."""
        groups = self.env["commerce.job"]._read_group(
            self._document_domain(record) & Domain("state", "in", ("pending", "running", "failed")),
            ["connection_id", "state"],
            ["__count"],
        )
        facts = {}
        for connection, state, count in groups:
            facts.setdefault(connection.id, {})[state] = count
        return facts

    def _last_synced(self, record):
        """``{connection id: (when, direction)}`` a document last went or came."""
        synced = {}
        for part in halves(record):
            self.env.cr.execute(
                SQL(
                    """SELECT DISTINCT ON (flow.connection_id)
                              flow.connection_id, state.synced_at, state.direction
                         FROM commerce_sync_state AS state
                         JOIN commerce_flow AS flow ON flow.id = state.flow_id
                        WHERE state.model = %s AND state.res_id = ANY(%s)
                        ORDER BY flow.connection_id, state.synced_at DESC""",
                    part._name,
                    part.ids,
                )
            )
            for connection_id, moment, direction in self.env.cr.fetchall():
                known = synced.get(connection_id)
                if not known or moment > known[0]:
                    synced[connection_id] = (moment, direction)
        return synced

    def _get_store_line(self, connection, facts, bindings, synced):
        failed = facts.get("failed", 0)
        waiting = facts.get("pending", 0) + facts.get("running", 0)
        if failed:
            state, text = "failed", self._text_of_problems(failed, synced)
        elif waiting:
            state, text = "waiting", self._text_of_waiting(connection)
        elif synced:
            state, text = "ok", self._text_of_synced(*synced)
        else:
            state, text = "off", self.env._("linked, nothing sent yet")
        return {
            "connection_id": connection.id,
            "connection": connection.name,
            "state": state,
            "text": text,
            "problems": failed,
            "url": self._store_url(connection, bindings),
        }

    def _text_of_problems(self, failed, synced):
        if failed == 1:
            text = self.env._("not sent, 1 problem")
        else:
            text = self.env._("not sent, %s problems", failed)
        if synced:
            text += self.env._(" (what was sent %s still stands there)", self._moment(synced[0]))
        return text

    def _text_of_waiting(self, connection):
        if connection.state == "paused":
            return self.env._("waits, because the connection is paused")
        if connection.health == "down":
            return self.env._("waits, because the store does not answer")
        return self.env._("is about to be sent")

    def _text_of_synced(self, moment, direction):
        if direction == "in":
            return self.env._("up to date, received %s", self._moment(moment))
        return self.env._("up to date, sent %s", self._moment(moment))

    def _moment(self, moment):
        """A time as a clerk says it: ``10:42`` today, else with its day."""
        # the words are said to the person who looks, not to the connection's user
        local = fields.Datetime.context_timestamp(self, moment)
        now = fields.Datetime.context_timestamp(self, fields.Datetime.now())
        clock = f"{local:%H:%M}"
        if local.date() == now.date():
            return clock
        day = tools.format_date(self.env, local.date())
        if now.date() - local.date() == timedelta(days=1):
            day = self.env._("yesterday")
        return f"{day} {clock}"

    def _store_url(self, connection, bindings):
        """Where the store's own administration shows the document, or ``""``."""
        for binding in bindings:
            # an address needs neither a client nor credentials, which not everybody may see used
            adapter = object.__new__(connection._adapter_class())
            adapter.settings = Settings(connection.address.strip().rstrip("/"))
            url = adapter.record_url(binding.resource, binding.external_id, binding.parent_id or "")
            if url:
                return url
        return ""

    # === CACHES === #

    @api.model_create_multi
    def create(self, vals_list):
        flows = super().create(vals_list)
        self.env.registry.clear_cache("templates")  # forms say more from now on
        return flows

    def write(self, vals):
        result = super().write(vals)
        if not {"active", "kind"}.isdisjoint(vals):
            self.env.registry.clear_cache("templates")
        return result

    def unlink(self):
        self.env.registry.clear_cache("templates")
        return super().unlink()


def halves(record):
    """The record, and what of it people see on the same screen."""
    other = record[COUNTERPARTS[record._name]] if record._name in COUNTERPARTS else None
    return [record, other] if other else [record]

import ast
from datetime import timedelta

from odoo import api, fields, models, tools
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain

from ..engine import queue
from ..engine.retry import RetryPolicy
from ..mappers.base import MAPPERS

#: Default order between kinds of data: what customers wait for goes first.
PRIORITIES = {
    "order": 10,
    "order_status": 15,
    "shipment": 20,
    "invoice": 30,
    "credit_note": 30,
    "inventory": 40,
    "price": 45,
    "customer": 48,
    "product": 50,
}

#: Kinds of data that stores make, not Odoo.
INBOUND = {"order", "customer"}

#: Where a transaction collects what changed, until it commits.
NOTICES = "commerce_sync.notices"


class CommerceFlow(models.Model):
    """One kind of data, in one direction, over one connection."""

    _name = "commerce.flow"
    _description = "Flow"
    _rec_names_search = ("connection_id.name", "kind")
    _order = "connection_id, priority, id"
    _check_company_auto = True

    name = fields.Char(compute="_compute_name")
    active = fields.Boolean(default=True)
    connection_id = fields.Many2one(
        "commerce.connection", required=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one(related="connection_id.company_id", store=True, index=True)
    kind = fields.Selection(
        [("inventory", "Stock"), ("invoice", "Invoices")], string="Kind of Data", required=True
    )
    direction = fields.Selection(
        [("out", "To the store"), ("in", "From the store")],
        compute="_compute_direction",
        store=True,
        readonly=False,
        precompute=True,
        required=True,
    )
    owner = fields.Selection(
        [("odoo", "Odoo"), ("external", "The store")],
        string="Source of Truth",
        default="odoo",
        required=True,
        help="Whose value counts where the two disagree.",
    )
    conflict_rule = fields.Selection(
        [
            ("odoo_wins", "Odoo wins"),
            ("external_wins", "The store wins"),
            ("newest_wins", "The newest wins"),
            ("ask", "Ask a person"),
        ],
        default="odoo_wins",
        required=True,
    )
    trigger = fields.Selection(
        [("change", "On every change"), ("manual", "Only when asked")],
        default="change",
        required=True,
    )
    domain = fields.Char(
        string="Only Records", default="[]", help="Records outside of this are never sent."
    )
    model_name = fields.Char(compute="_compute_model_name")
    priority = fields.Integer(
        compute="_compute_priority",
        store=True,
        readonly=False,
        precompute=True,
        help="Lower goes first.",
    )
    sweep_hours = fields.Integer(
        string="Look for Missed Changes Every (Hours)",
        default=24,
        help="All records are compared with what was last sent; only differences are sent. "
        "0: never.",
    )
    last_sweep = fields.Datetime(readonly=True, copy=False)
    retry_first_delay = fields.Integer(string="First Retry After (s)", default=30, required=True)
    retry_max_delay = fields.Integer(string="Longest Pause (s)", default=3600, required=True)
    max_attempts = fields.Integer(string="Tries", default=8, required=True)
    retry_max_age = fields.Integer(
        string="Give Up After (Hours)", default=0, help="0: only the number of tries counts."
    )
    failed_count = fields.Integer(compute="_compute_counts", string="Failed")
    open_count = fields.Integer(compute="_compute_counts", string="Waiting")

    _once_uniq = models.UniqueIndex(
        "(connection_id, kind, direction) WHERE kind <> 'record'",
        "The connection already has this flow.",
    )
    _policy = models.Constraint(
        "CHECK(retry_first_delay >= 1 AND retry_max_delay >= retry_first_delay"
        " AND max_attempts >= 1 AND retry_max_age >= 0 AND sweep_hours >= 0)",
        "A retry policy needs at least one try, and pauses of at least a second.",
    )

    @api.depends("kind", "connection_id.name")
    def _compute_name(self):
        kinds = dict(self._fields["kind"]._description_selection(self.env))
        for flow in self:
            parts = (flow.connection_id.name, kinds.get(flow.kind))
            flow.name = ": ".join(filter(None, parts))

    @api.depends("kind")
    def _compute_model_name(self):
        for flow in self:
            flow.model_name = MAPPERS[flow.kind].model if flow.kind in MAPPERS else False

    @api.depends("kind")
    def _compute_direction(self):
        for flow in self:
            flow.direction = "in" if flow.kind in INBOUND else "out"

    @api.depends("kind")
    def _compute_priority(self):
        for flow in self:
            flow.priority = PRIORITIES.get(flow.kind, 60)

    def _compute_counts(self):
        groups = self.env["commerce.job"]._read_group(
            [("flow_id", "in", self.ids), ("state", "in", ("pending", "running", "failed"))],
            ["flow_id", "state"],
            ["__count"],
        )
        counts = {(flow.id, state): count for flow, state, count in groups}
        for flow in self:
            flow.failed_count = counts.get((flow.id, "failed"), 0)
            flow.open_count = sum(counts.get((flow.id, s), 0) for s in ("pending", "running"))

    @api.constrains("kind", "connection_id")
    def _check_supported(self):
        for flow in self:
            if flow.kind not in flow._get_supported():
                raise ValidationError(
                    self.env._(
                        "%(platform)s cannot take %(kind)s.",
                        platform=flow.connection_id.platform,
                        kind=flow.kind,
                    )
                )

    @api.constrains("domain")
    def _check_domain(self):
        for flow in self:
            try:
                Domain(flow._parse_domain()).validate(self.env[flow.model_name])
            except (ValueError, SyntaxError, TypeError) as error:
                raise ValidationError(
                    self.env._(
                        "%(domain)s is no filter: %(error)s", domain=flow.domain, error=error
                    )
                ) from error

    def _get_supported(self):
        capabilities = self.connection_id._get_capabilities()
        return capabilities.outbound if self.direction == "out" else capabilities.inbound

    # === WHAT THE ENGINE ASKS === #

    def _parse_domain(self):
        # literals only: a filter is data, it is never run
        return ast.literal_eval(self.domain or "[]")

    def _get_domain(self):
        """The flow's filter as a ``Domain``."""
        return Domain(self._parse_domain())

    def _get_policy(self):
        """The flow's :class:`engine.retry.RetryPolicy`."""
        return RetryPolicy(
            self.retry_first_delay,
            self.retry_max_delay,
            self.max_attempts,
            self.retry_max_age * 3600.0,
        )

    def _get_mapper(self):
        """The flow's mapper, working as the connection's user in the connection's company.

        The settings themselves are read with all rights: that user need not see connections.
        """
        self.ensure_one()
        connection_sudo = self.sudo().connection_id
        user = connection_sudo.user_id
        company = connection_sudo.company_id
        env = self.env(user=user, su=False, context={"lang": user.lang or "en_US", "tz": user.tz})
        flow_sudo = (
            self.with_env(env)
            .with_company(company)
            .with_context(allowed_company_ids=company.ids)
            .sudo()
        )
        return MAPPERS[self.kind](flow_sudo)

    def _seen(self, record_ids):
        """``{record id: what the store last said it holds}``."""
        states = self.env["commerce.sync.state"].search_fetch(
            [("flow_id", "=", self.id), ("res_id", "in", record_ids)], ["res_id", "seen"]
        )
        return {state.res_id: state.seen or {} for state in states}

    def _is_due(self):
        """Whether a job of this flow waits whose time has come."""
        due = [
            ("flow_id", "=", self.id),
            ("state", "=", "pending"),
            ("run_after", "<=", fields.Datetime.now()),
        ]
        return bool(self.env["commerce.job"].search_count(due, limit=1))

    # === ENQUEUE === #

    def enqueue(self, record_ids, operation="push", force=False):
        """Have records sent (or whatever ``operation`` names), in the caller's transaction.

        Records the flow is not concerned with (not bound, outside its filter) are left out.

        :param list record_ids: ids of records of the flow's model
        :param str operation: ``push``
        :param bool force: send even what did not change since it was last sent
        :return: ids of the jobs that wait now
        :raise AccessError: the caller may not read these records
        """
        self.ensure_one()
        self.check_access("read")
        if not self.env.user.has_group("commerce_sync.group_user"):
            raise UserError(self.env._("Only Commerce Users can do this."))
        if operation != "push":
            raise UserError(self.env._("Unknown operation: %s.", operation))
        self.env[self.model_name].browse(record_ids).check_access("read")
        return self.sudo()._enqueue_due(record_ids, force=force)

    def _enqueue_due(self, record_ids=None, force=False, run_id=None):
        """Enqueue those of these records (``None``: of all) the flow is concerned with."""
        self.env.flush_all()
        mapper = self._get_mapper()
        due = mapper.due(record_ids)
        if not due:
            return []
        job_ids = queue.enqueue(self.env.cr, self._get_order(mapper, due, force, run_id))
        self.env["commerce.job"].invalidate_model(flush=False)
        self.connection_id._wake()
        return job_ids

    def _get_order(self, mapper, record_ids, force, run_id):
        return queue.Order(
            flow_id=self.id,
            connection_id=self.connection_id.id,
            company_id=self.company_id.id,
            direction=self.direction,
            kind=self.kind,
            model=mapper.model,
            record_ids=tuple(record_ids),
            scope=mapper.scope,
            priority=self.priority,
            force=force,
            run_id=run_id,
            user_id=self.env.uid,
        )

    @api.model
    def _enqueue_by_hand(self, kind, records):
        """What the buttons and server actions on documents do: send to every store that takes it.

        :return: a notification
        """
        flows = self.search([("kind", "=", kind), ("direction", "=", "out")])
        count = sum(len(flow.enqueue(records.ids, force=True)) for flow in flows)
        if count:
            message = self.env._("%s will be sent.", count)
        else:
            message = self.env._("Nothing to send: no store is bound to these records.")
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {"type": "success" if count else "warning", "message": message},
        }

    def action_sync_now(self):
        """Bring everything up to date: all records of the flow are compared and sent.

        :return: the form of the run, to watch it
        """
        self.ensure_one()
        self.check_access("write")
        run = self._start_run()
        return {
            "type": "ir.actions.act_window",
            "res_model": "commerce.run",
            "res_id": run.id,
            "views": [(False, "form")],
        }

    def _start_run(self):
        run_sudo = self.env["commerce.run"].sudo().create({"flow_id": self.id})
        run_sudo.total = len(self.sudo()._enqueue_due(run_id=run_sudo.id))
        return run_sudo.sudo(False)

    @api.model
    def _cron_sweep(self):
        """Look for changes that no event told of (an import by SQL, a flow that was off)."""
        now = fields.Datetime.now()
        flows = self.search(
            [
                ("direction", "=", "out"),
                ("connection_id.state", "!=", "draft"),
                ("sweep_hours", ">", 0),
            ]
        )
        for flow in flows:
            due_at = flow.last_sweep and flow.last_sweep + timedelta(hours=flow.sweep_hours)
            if not due_at or due_at <= now:
                flow.last_sweep = now
                flow._start_run()

    # === WHAT CHANGED === #

    @tools.ormcache("kind")
    def _listening(self, kind):
        """Ids of the flows that want to hear of changes of this kind; cheap to ask."""
        flows = self.sudo().search(
            [
                ("kind", "=", kind),
                ("trigger", "=", "change"),
                ("direction", "=", "out"),
                ("connection_id.active", "=", True),
                ("connection_id.state", "!=", "draft"),
            ]
        )
        return tuple(flows.ids)

    @api.model
    def _notice(self, kind, record_ids):
        """Records changed. Called by the hooks in Odoo's models, as often as they like: what a
        transaction changed is enqueued once, when it commits."""
        if not record_ids or not self._listening(kind):
            return
        notices = self.env.cr.precommit.data.setdefault(NOTICES, {})
        if not notices:
            self.env.cr.precommit.add(self.sudo()._enqueue_noticed)
        notices.setdefault(kind, set()).update(record_ids)

    def _enqueue_noticed(self):
        notices = self.env.cr.precommit.data.pop(NOTICES, {})
        for kind, record_ids in notices.items():
            for flow in self.browse(self._listening(kind)).exists():
                flow._enqueue_due(record_ids)

    @api.model_create_multi
    def create(self, vals_list):
        flows = super().create(vals_list)
        self.env.registry.clear_cache()
        return flows

    def write(self, vals):
        result = super().write(vals)
        if "connection_id" in vals:
            self.check_access("write")  # also in the company it belongs to now
        self.env.registry.clear_cache()
        return result

    def unlink(self):
        self.env.registry.clear_cache()
        return super().unlink()

    def action_view_jobs(self):
        """The jobs of this flow."""
        self.ensure_one()
        self.check_access("read")
        action = self.env["ir.actions.act_window"]._for_xml_id("commerce_sync.commerce_job_action")
        return action | {"domain": [("flow_id", "=", self.id)], "context": {}}

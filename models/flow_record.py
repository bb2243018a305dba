import json
from dataclasses import replace

from odoo import api, fields, models, tools
from odoo.exceptions import UserError, ValidationError

from ..adapters.documents import Call
from ..adapters.expressions import compiled, evaluate
from ..engine import queue
from ..mappers.base import Problems

EXPRESSIONS = ("record_success", "record_answer_id", "record_answer_message", "record_items")
#: Triggers that changes of records set off.
WATCHING = ("created", "change")


class CommerceFlow(models.Model):
    """Any model to any system: which records, when, how they travel."""

    _inherit = "commerce.flow"

    kind = fields.Selection(
        selection_add=[("record", "Any record")], ondelete={"record": "cascade"}
    )
    trigger = fields.Selection(
        selection_add=[
            ("created", "When it is created"),
            ("schedule", "On a schedule"),
            ("action", "By automation rules and server actions"),
        ],
        ondelete={"created": "set default", "schedule": "set default", "action": "set default"},
    )
    record_label = fields.Char(string="Name", help="What staff call it: Leads to the newsletter.")
    record_model_id = fields.Many2one(
        "ir.model", string="Model", ondelete="cascade", domain="[('transient', '=', False)]"
    )
    record_model = fields.Char(related="record_model_id.model", string="Model Name")
    record_fields = fields.Char(
        string="Only When These Change",
        help="Names of fields, with commas: stage_id, email_from. Empty: all that are mapped or "
        "filtered by.",
    )
    record_each = fields.Boolean(
        string="Each Event Once",
        help="Every event is sent. Otherwise the newest state is: changes that follow each other "
        "are one message.",
    )
    record_hours = fields.Integer(string="Every (Hours)", default=24)
    record_method = fields.Selection(
        [("POST", "POST"), ("PUT", "PUT"), ("PATCH", "PATCH")],
        string="Method",
        default="POST",
        required=True,
    )
    record_path = fields.Char(string="Path", help="/contacts, /contacts/{email}")
    record_update_method = fields.Selection(
        [("POST", "POST"), ("PUT", "PUT"), ("PATCH", "PATCH")], string="Method of Updates"
    )
    record_update_path = fields.Char(string="Path of Updates", help="/contacts/{external_id}")
    record_batch = fields.Integer(string="Records per Request", default=1)
    record_batch_key = fields.Char(string="Key of the List")
    record_key_header = fields.Char(string="Idempotency Header", default="Idempotency-Key")
    record_event = fields.Char(
        string="Event Type", help="Sent as an event: {type, timestamp, data}."
    )
    record_success = fields.Char(string="Success When", help="JMESPath: body.status == 'ok'")
    record_answer_id = fields.Char(string="External ID In", help="JMESPath: body.id")
    record_answer_message = fields.Char(string="Error In", help="JMESPath: body.error.message")
    record_items = fields.Char(string="Answers of a Batch", help="JMESPath: body.results")
    mapping_line_ids = fields.One2many(
        "commerce.mapping.line", "flow_id", domain=[("parent_id", "=", False)], copy=True
    )
    record_preview_id = fields.Many2oneReference(string="Show With", model_field="record_model")
    record_preview = fields.Text(string="Preview", compute="_compute_record_preview")

    _record_batch = models.Constraint(
        "CHECK(record_batch BETWEEN 1 AND 100 AND record_hours >= 1)",
        "1 to 100 records a request, and at least an hour between two of a schedule.",
    )

    @api.depends("record_label")
    def _compute_name(self):
        result = super()._compute_name()
        for flow in self.filtered(lambda one: one.kind == "record" and one.record_label):
            flow.name = ": ".join(filter(None, (flow.connection_id.name, flow.record_label)))
        return result

    @api.depends("record_model_id")
    def _compute_model_name(self):
        result = super()._compute_model_name()
        for flow in self.filtered(lambda one: one.kind == "record"):
            flow.model_name = flow.record_model
        return result

    @api.constrains("kind", "record_model_id", "record_fields", *EXPRESSIONS)
    def _check_record(self):
        for flow in self.filtered(lambda one: one.kind == "record"):
            if not flow.record_model or flow.record_model not in self.env:
                raise ValidationError(self.env._("Choose the model whose records travel."))
            unknown = flow._watched_fields() - set(self.env[flow.record_model]._fields)
            if unknown and flow.record_fields:
                raise ValidationError(
                    self.env._(
                        "%(model)s has no field '%(fields)s'.",
                        model=flow.record_model,
                        fields=", ".join(sorted(unknown)),
                    )
                )
            for name in EXPRESSIONS:
                try:
                    compiled(flow[name] or "@")
                except ValueError as error:
                    raise ValidationError(
                        self.env._(
                            "%(field)s: %(error)s", field=flow._fields[name].string, error=error
                        )
                    ) from error

    @api.depends("mapping_line_ids", "record_preview_id", "record_model_id")
    def _compute_record_preview(self):
        for flow in self:
            flow.record_preview = flow._show_mapped() if flow.kind == "record" else False

    def _show_mapped(self):
        """What the record chosen for the preview would travel as; with this person's rights."""
        if not self.record_preview_id or self.record_model not in self.env:
            return False
        record = self.env[self.record_model].browse(self.record_preview_id).exists()
        try:
            record.check_access("read")
            prepared = self._get_mapper().prepare_as(record) if record else None
        except UserError as error:
            return str(error)
        if isinstance(prepared, Problems):
            return "\n".join(problem.message for problem in prepared.problems)
        return prepared and json.dumps(prepared.values, indent=2, ensure_ascii=False)

    def _get_call(self):
        """How the records travel (:class:`adapters.documents.Call`)."""
        return Call(
            flow=str(self.id),
            method=self.record_method,
            path=self.record_path or "",
            update_method=self.record_update_method or "",
            update_path=self.record_update_path or "",
            batch=self.record_batch,
            batch_key=self.record_batch_key or "",
            key_header=self.record_key_header or "",
            event=self.record_event or "",
            success=self.record_success or "",
            external_id=self.record_answer_id or "",
            message=self.record_answer_message or "",
            items=self.record_items or "",
        )

    def _get_order(self, mapper, record_ids, force, run_id):
        order = super()._get_order(mapper, record_ids, force, run_id)
        if self.kind == "record" and self.record_each:
            # an event that says the same as the one before is another event all the same
            return replace(order, coalesce=False, force=True)
        return order

    def _start_run(self):
        """What missed events there were cannot be told from what was not sent on purpose."""
        if self.kind == "record" and self.record_each and self.trigger != "schedule":
            return self.env["commerce.run"].sudo().create({"flow_id": self.id}).sudo(False)
        return super()._start_run()

    def _enqueue_message(self, event_id, message):
        """A job for a message that came in; those of one record are worked off in their order."""
        try:
            external_id = evaluate(self.record_answer_id or "body.data.id", message)
        except ValueError:
            external_id = None  # said when it is applied
        # one that names no record waits for no other
        about = f"message:{event_id}" if external_id is None else external_id
        queue.enqueue(
            self.env.cr,
            queue.Order(
                flow_id=self.id,
                connection_id=self.connection_id.id,
                company_id=self.company_id.id,
                direction="in",
                kind=self.kind,
                model="commerce.webhook.event",
                record_ids=(event_id,),
                operation="import",
                priority=self.priority,
                sequence=f"{self.connection_id.id}:flow{self.id}:{about}",
                external_id=None if external_id is None else str(external_id),
            ),
        )

    def _switch_off(self, reason):
        """The receiver wants no more: nothing is sent until a person switches the flow on."""
        self.active = False
        self.connection_id.message_post(
            body=self.env._("%(flow)s was switched off. %(reason)s", flow=self.name, reason=reason)
        )

    # === WHAT CHANGED === #

    @api.model
    @tools.ormcache()
    def _watched(self):
        """``{model: ((flow id, trigger, names of fields), ...)}``; cheap to ask."""
        flows = self.sudo().search(
            [
                ("kind", "=", "record"),
                ("direction", "=", "out"),
                ("trigger", "in", WATCHING),
                ("connection_id.active", "=", True),
                ("connection_id.state", "!=", "draft"),
            ]
        )
        watched = {}
        for flow in flows:
            entry = (flow.id, flow.trigger, frozenset(flow._watched_fields()))
            watched.setdefault(flow.record_model, []).append(entry)
        return watched

    def _watched_fields(self):
        chosen = (self.record_fields or "").replace(",", " ").split()
        if chosen:
            return set(chosen)
        lines = self.mapping_line_ids.filtered(lambda line: line.source_type == "field")
        mapped = {(line.source or "").partition(".")[0] for line in lines}
        return mapped | {
            condition.field_expr.partition(".")[0]
            for condition in self._get_domain().iter_conditions()
        }

    @api.model
    def _notice_records(self, entries, record_ids):
        """Records of flows changed (ids of flows in ``entries``): enqueued once, at commit."""
        data = self.env.cr.precommit.data
        if "commerce_sync.records" not in data:
            data["commerce_sync.records"] = {}
            self.env.cr.precommit.add(self.sudo()._enqueue_noticed_records)
        for flow_id in entries:
            data["commerce_sync.records"].setdefault(flow_id, set()).update(record_ids)

    def _enqueue_noticed_records(self):
        noticed = self.env.cr.precommit.data.pop("commerce_sync.records", {})
        for flow in self.browse(noticed).exists():
            flow._enqueue_due(sorted(noticed[flow.id]))

    @api.model
    def _cron_sweep(self):
        result = super()._cron_sweep()
        now = fields.Datetime.now()
        scheduled = self.search([("kind", "=", "record"), ("trigger", "=", "schedule")])
        for flow in scheduled.filtered(lambda one: one.connection_id.state != "draft"):
            last = flow.last_sweep
            if not last or fields.Datetime.add(last, hours=flow.record_hours) <= now:
                flow.last_sweep = now
                flow.sudo()._enqueue_due(force=True)
        return result

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            if vals.get("kind") == "record" and vals.get("trigger") == "schedule":
                vals.setdefault("sweep_hours", 0)
        return super().create(vals_list)

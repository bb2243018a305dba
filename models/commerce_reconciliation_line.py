import hashlib
import json

from odoo import api, fields, models
from odoo.exceptions import UserError

#: Differences that sending Odoo's value ends.
SENDABLE = ("different", "missing_there", "not_told", "unclear")


class CommerceReconciliationLine(models.Model):
    """One difference between Odoo and the store, whose value counts, and how to end it."""

    _name = "commerce.reconciliation.line"
    _description = "Difference"
    _order = "reconciliation_id desc, status, reference, id"
    _rec_name = "document"

    reconciliation_id = fields.Many2one(
        "commerce.reconciliation", required=True, readonly=True, ondelete="cascade"
    )
    flow_id = fields.Many2one(related="reconciliation_id.flow_id", store=True, index=True)
    connection_id = fields.Many2one(related="reconciliation_id.connection_id", store=True)
    company_id = fields.Many2one(related="reconciliation_id.company_id", store=True, index=True)
    status = fields.Selection(
        [
            ("different", "Different"),
            ("missing_there", "Missing in the store"),
            ("missing_here", "Missing in Odoo"),
            ("deleted_there", "Deleted in the store"),
            ("replaced", "Deleted and made again"),
            ("duplicate", "Twice in the store"),
            ("not_told", "The store was not told"),
            ("unclear", "Cannot be compared"),
        ],
        string="Difference",
        required=True,
        readonly=True,
    )
    model = fields.Char(readonly=True)
    res_id = fields.Many2oneReference(string="Record", model_field="model", readonly=True)
    external_id = fields.Char(string="External ID", readonly=True)
    parent_id = fields.Char(string="External Parent ID", readonly=True)
    reference = fields.Char(string="SKU / Number", readonly=True)
    document = fields.Char(readonly=True)
    field = fields.Char(string="Technical Field", readonly=True)
    field_label = fields.Char(string="Field", readonly=True)
    odoo_value = fields.Char(string="In Odoo", readonly=True)
    external_value = fields.Char(string="In the Store", readonly=True)
    external_updated_at = fields.Datetime(string="Changed There", readonly=True)
    note = fields.Char(readonly=True)
    handles = fields.Json(readonly=True)
    seen = fields.Json(readonly=True, help="What the store held, for compare-and-set.")
    signature = fields.Char(readonly=True, help="Equal for the same difference of the same record.")
    owner = fields.Selection(
        [("odoo", "Odoo"), ("external", "The store"), ("person", "A person decides")],
        string="Source of Truth",
        readonly=True,
        required=True,
    )
    repair = fields.Selection(
        [
            ("push", "Send Odoo's value"),
            ("pull", "Fetch the store's value"),
            ("bind", "Bind"),
            ("unbind", "Unbind"),
            ("none", "By hand"),
        ],
        string="By the Rule",
        readonly=True,
        required=True,
    )
    state = fields.Selection(
        [
            ("open", "Open"),
            ("repairing", "Under way"),
            ("repaired", "Repaired"),
            ("ignored", "Ignored"),
        ],
        default="open",
        required=True,
        readonly=True,
    )
    ignore_reason = fields.Char(readonly=True)
    can_push = fields.Boolean(compute="_compute_options")
    can_pull = fields.Boolean(compute="_compute_options")
    can_bind = fields.Boolean(compute="_compute_options")
    can_unbind = fields.Boolean(compute="_compute_options")

    _external = models.Index("(reconciliation_id, external_id)")
    _signature = models.Index("(flow_id, signature) WHERE state = 'ignored'")

    @api.depends("status", "res_id", "external_id", "flow_id", "state")
    def _compute_options(self):
        for line in self:
            is_open = line.state == "open"
            outward = line.flow_id.direction == "out"
            line.can_push = is_open and bool(line.res_id and outward and line.status in SENDABLE)
            line.can_pull = is_open and bool(line._get_inbound() and line.external_id)
            line.can_bind = is_open and bool(
                line.res_id
                and line.external_id
                and line.status in ("missing_here", "replaced", "duplicate")
            )
            line.can_unbind = is_open and line.status in ("deleted_there", "replaced")

    def _get_inbound(self):
        """The flow that brings the store's value of this line into Odoo, if there is one."""
        flow = self.flow_id
        peers = flow.connection_id.flow_ids.filtered(
            lambda one: one.kind == flow.kind and one.direction == "in" and one.active
        )
        return peers[:1]

    # === WRITTEN BY THE COMPARISON === #

    @api.model
    def _replace(self, reconciliation, covered, found):
        """The newer look at a record counts: what was found of it before is forgotten.

        :param covered: ``{external id: fields looked at, or None for all}``
        """
        older = self.search(
            [
                ("reconciliation_id", "=", reconciliation.id),
                ("external_id", "in", list(covered)),
            ]
        )
        older.filtered(
            lambda line: (
                covered[line.external_id] is None or line.field in covered[line.external_id]
            )
        ).unlink()
        self._add(reconciliation, found)

    @api.model
    def _add(self, reconciliation, found):
        if not found:
            return
        rows = [self._prepare(reconciliation, difference) for difference in found]
        ignored = self._ignored_before(reconciliation, [row["signature"] for row in rows])
        for row in rows:
            if row["signature"] in ignored:
                row |= {"state": "ignored", "ignore_reason": ignored[row["signature"]]}
        self.create(rows)

    def _prepare(self, reconciliation, difference):
        flow = reconciliation.flow_id
        owner = flow._owner_of(difference)
        values = {
            "reconciliation_id": reconciliation.id,
            "status": difference.status,
            "model": flow.model_name,
            "res_id": difference.res_id,
            "external_id": difference.external_id,
            "parent_id": difference.parent_id,
            "reference": difference.reference,
            "document": difference.label,
            "field": difference.field_name,
            "field_label": difference.field_label,
            "odoo_value": difference.ours,
            "external_value": difference.theirs,
            "external_updated_at": difference.updated_at,
            "note": difference.note,
            "handles": difference.handles,
            "seen": difference.seen,
            "owner": owner,
            "repair": flow._rule_for(difference, owner),
        }
        return values | {"signature": _signature(values)}

    def _ignored_before(self, reconciliation, signatures):
        """``{signature: reason}`` of what a person said to ignore, and that did not change."""
        ignored = self.search_fetch(
            [
                ("flow_id", "=", reconciliation.flow_id.id),
                ("state", "=", "ignored"),
                ("signature", "in", signatures),
            ],
            ["signature", "ignore_reason"],
        )
        return {line.signature: line.ignore_reason for line in ignored}

    # === REPAIRS === #

    def action_push(self):
        """Send Odoo's value to the store.

        :return: number of jobs
        """
        return self._repair("push")

    def action_pull(self):
        """Fetch the store's value.

        :return: number of records asked for
        """
        return self._repair("pull")

    def action_bind(self):
        """Bind Odoo's record to the one of the store.

        :return: number of bindings
        """
        return self._repair("bind")

    def action_unbind(self):
        """Forget the record that the store no longer has.

        :return: number of bindings
        """
        return self._repair("unbind")

    def action_repair(self):
        """End each of these differences by its owner's rule. Those a person has to decide stay.

        :return: number of records repaired
        """
        done = 0
        for repair, lines in self.grouped("repair").items():
            possible = lines.filtered(
                lambda line, name=repair: name != "none" and line[f"can_{name}"]
            )
            if possible:
                done += possible._repair(repair)
        return done

    def action_ignore(self, reason=""):
        """Leave these differences as they are, as long as they do not change.

        :param str reason: for whoever looks later
        :return: ``True``
        """
        self.check_access("write")
        reason = reason or self.env._("Ignored by %s.", self.env.user.name)
        self.filtered(lambda line: line.state == "open").write(
            {"state": "ignored", "ignore_reason": reason}
        )
        return True

    def action_reopen(self):
        """Ignore these differences no longer.

        :return: ``True``
        """
        self.check_access("write")
        self.filtered(lambda line: line.state == "ignored").write(
            {"state": "open", "ignore_reason": False}
        )
        return True

    def action_open_record(self):
        """Open the Odoo record."""
        self.ensure_one()
        self.check_access("read")
        return {
            "type": "ir.actions.act_window",
            "res_model": self.model,
            "res_id": self.res_id,
            "views": [(False, "form")],
        }

    def _repair(self, repair):
        self.check_access("write")
        possible = self.filtered(lambda line: line[f"can_{repair}"])
        if self and not possible:
            raise UserError(self.env._("None of these differences can be repaired like that."))
        count = 0
        for flow, lines in possible.grouped("flow_id").items():
            count += getattr(lines, f"_{repair}_of")(flow)
        return count

    def _push_of(self, flow):
        self._learn_seen(flow)
        job_ids = flow.enqueue(self.mapped("res_id"), force=True)
        self.state = "repairing"
        return len(job_ids)

    def _learn_seen(self, flow):
        """The write is compared with what this check saw, not with what was seen before."""
        held = {}
        for line in self.filtered("seen"):
            held.setdefault(line.res_id, {}).update(line.seen)
        if held:
            self.env["commerce.sync.state"].sudo()._learn(flow, held)

    def _pull_of(self, flow):
        external_ids = sorted(set(self.mapped("external_id")))
        self.state = "repairing"
        return flow.connection_id.sudo()._pull(flow.kind, external_ids)

    def _bind_of(self, flow):
        mapper_resource = flow.sudo()._get_mapper().resource
        bindings = self.env["commerce.binding"]
        for line in self:
            values = {
                "external_id": line.external_id,
                "parent_id": line.parent_id,
                "external_ref": line.reference,
                "handles": line.handles,
            }
            bound = line._get_binding(mapper_resource)
            if bound:
                bound.write(values)
            else:
                bindings.create(
                    {
                        "connection_id": flow.connection_id.id,
                        "resource": mapper_resource,
                        "model": line.model,
                        "res_id": line.res_id,
                    }
                    | values
                )
        self._forget_state(flow)
        flow.enqueue(self.mapped("res_id"), force=True)
        self.state = "repaired"
        return len(self)

    def _unbind_of(self, flow):
        resource = flow.sudo()._get_mapper().resource
        for line in self:
            line._get_binding(resource).unlink()
        self._forget_state(flow)
        self.state = "repaired"
        return len(self)

    def _get_binding(self, resource):
        return self.env["commerce.binding"].search(
            [
                ("connection_id", "=", self.connection_id.id),
                ("resource", "=", resource),
                ("model", "=", self.model),
                ("res_id", "=", self.res_id),
            ]
        )

    def _forget_state(self, flow):
        """What was told to another record of the store says nothing of this one."""
        self.env["commerce.sync.state"].sudo().search(
            [
                ("flow_id.connection_id", "=", flow.connection_id.id),
                ("model", "=", flow.model_name),
                ("res_id", "in", self.mapped("res_id")),
            ]
        ).unlink()

    def _preview_repair(self):
        """:return: the form that says what would be done, to confirm it"""
        wizard = self.env["commerce.reconciliation.repair"].create({"line_ids": self.ids})
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Repair"),
            "res_model": wizard._name,
            "res_id": wizard.id,
            "views": [(False, "form")],
            "target": "new",
        }

    def action_preview_repair(self):
        """Show what repairing these would do (a server action of the list).

        :return: the form to confirm it
        """
        self.check_access("write")
        return self.filtered(lambda line: line.state == "open")._preview_repair()


def _signature(values):
    names = ("status", "res_id", "external_id", "field", "odoo_value", "external_value")
    text = json.dumps([values[name] or "" for name in names])
    return hashlib.sha256(text.encode()).hexdigest()[:32]

import json

from odoo import Command, api, fields, models
from odoo.exceptions import UserError

from ..adapters.documents import Document, fingerprint_of
from ..adapters.redaction import redact_text
from ..mappers.base import Problems, Skip

#: Records that one preview looks at for each flow.
MOST = 100


class CommercePreview(models.TransientModel):
    """What would be sent, to whom, and how it differs from what was last sent. Sends nothing."""

    _name = "commerce.preview"
    _description = "What Would Be Sent"

    connection_id = fields.Many2one("commerce.connection", readonly=True)
    line_ids = fields.One2many("commerce.preview.line", "preview_id", readonly=True)
    looked_at = fields.Integer(string="Documents Looked At", readonly=True)
    changed_count = fields.Integer(string="Would Be Sent", compute="_compute_counts")
    problem_count = fields.Integer(string="Cannot Be Sent", compute="_compute_counts")
    more = fields.Boolean(readonly=True, help="There are more records than were looked at.")

    @api.depends("line_ids.state")
    def _compute_counts(self):
        for preview in self:
            states = preview.line_ids.mapped("state")
            preview.changed_count = states.count("send")
            preview.problem_count = states.count("problem")

    @api.model
    def _open(self, flows, records=None):
        """A preview of some flows, for some records or for all they are concerned with.

        :param records: ``{model: records}``; flows of other models are left out
        :return: an action that shows it
        """
        lines, more, looked_at = [], False, 0
        for flow in flows:
            mapper = flow.sudo()._get_mapper()
            if records is not None and mapper.model not in records:
                continue
            ids = mapper.due(records and records[mapper.model].ids)
            more = more or len(ids) > MOST
            looked_at += len(ids[:MOST])
            lines += flow._preview_lines(ids[:MOST])
        if not looked_at:
            raise UserError(
                self.env._("Nothing would be sent: no record is linked with a store yet.")
            )
        connection = flows.connection_id
        preview = self.create(
            {
                "connection_id": connection.id if len(connection) == 1 else False,
                "line_ids": [Command.create(line) for line in lines],
                "more": more,
                "looked_at": looked_at,
            }
        )
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("What Would Be Sent"),
            "res_model": self._name,
            "res_id": preview.id,
            "views": [(False, "form")],
            "target": "new",
        }


class CommercePreviewLine(models.TransientModel):
    _name = "commerce.preview.line"
    _description = "Document That Would Be Sent"

    preview_id = fields.Many2one("commerce.preview", required=True, ondelete="cascade")
    flow_id = fields.Many2one("commerce.flow", string="To", readonly=True)
    document = fields.Char(readonly=True)
    state = fields.Selection(
        [
            ("send", "Would be sent"),
            ("problem", "Cannot be sent"),
            ("skip", "Nothing to send"),
        ],
        readonly=True,
    )
    difference = fields.Text(readonly=True, help="Before and after, value by value.")


class CommerceFlow(models.Model):
    _inherit = "commerce.flow"

    def _preview_lines(self, record_ids):
        mapper = self.sudo()._get_mapper()
        records = mapper.env[mapper.model].browse(record_ids).exists()
        known = self._last_content(records.ids)
        # what is only looked at leaves no trace
        with mapper.env.cr.savepoint():
            prepared = mapper.prepare(records)
        return [
            {"flow_id": self.id, **line}
            for record in records
            if (line := self._preview_line(mapper, prepared[record.id], known.get(record.id)))
        ]

    def _last_content(self, record_ids):
        """``{record id: (fingerprint, content)}`` of what was last sent."""
        states_sudo = (
            self.env["commerce.sync.state"]
            .sudo()
            .search([("flow_id", "=", self.id), ("res_id", "in", record_ids)])
        )
        return {state.res_id: (state.fingerprint, state.content) for state in states_sudo}

    def _preview_line(self, mapper, prepared, known):
        """Values of a line, or ``None`` for what is up to date."""
        match prepared:
            case Skip(reason=reason, label=label):
                return {"document": label, "state": "skip", "difference": reason}
            case Problems(label=label):
                error = prepared.as_error(mapper.intro(label))
                words = f"{error.message} {error.hint}"
                return {"document": label, "state": "problem", "difference": words}
            case Document():
                text = prepared.text()
                fingerprint, content = known or (None, None)
                if fingerprint == fingerprint_of(text):
                    return None
                content = json.loads(content) if isinstance(content, str) else content
                words = "\n".join(differences(content or {}, json.loads(text)))
                return {"document": prepared.label, "state": "send", "difference": words}
        return None

    def action_preview(self):
        """What these flows would send now."""
        self.check_access("write")
        flows = self.filtered(lambda flow: flow.direction == "out")
        return self.env["commerce.preview"]._open(flows)

    def action_preview_documents(self, model, record_ids):
        """What would be sent of these records now, over all flows that send their like.

        :param model: e.g. ``account.move``; of ``product.template``, its variants as well
        :return: the form that shows it
        """
        self.check_access("write")
        records = self.env[model].browse(record_ids)
        records.check_access("read")
        chosen = {model: records}
        if model == "product.template":
            chosen["product.product"] = records.product_variant_ids
        flows = self.search([("direction", "=", "out"), ("connection_id.state", "!=", "draft")])
        return self.env["commerce.preview"]._open(flows, chosen)


class CommerceConnection(models.Model):
    _inherit = "commerce.connection"

    def action_preview(self):
        """What this connection would send now, over all its flows. Sends nothing."""
        self.ensure_one()
        self.check_access("write")
        flows = self.flow_ids.filtered(lambda flow: flow.active and flow.direction == "out")
        return self.env["commerce.preview"]._open(flows)


def differences(before, after, path=""):
    """``field: before → after`` of each value that differs."""
    if isinstance(before, dict) or isinstance(after, dict):
        before = before if isinstance(before, dict) else {}
        after = after if isinstance(after, dict) else {}
        for key in [*after, *(key for key in before if key not in after)]:
            yield from differences(before.get(key), after.get(key), f"{path} {key}".strip())
    elif isinstance(before, list) or isinstance(after, list):
        before = before if isinstance(before, list) else []
        after = after if isinstance(after, list) else []
        for number in range(max(len(before), len(after))):
            yield from differences(
                before[number] if number < len(before) else None,
                after[number] if number < len(after) else None,
                f"{path} {number + 1}",
            )
    elif before != after:
        old, new = (_shown(value) for value in (before, after))
        yield f"{path.replace('_', ' ')}: {old} → {new}"


def _shown(value):
    # a link may carry a token
    return "-" if value in (None, "") else redact_text(str(value), personal=False)

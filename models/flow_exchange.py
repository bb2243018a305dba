import base64
import json
from pathlib import Path
from urllib.parse import quote

from odoo import Command, api, fields, models
from odoo.exceptions import UserError

TEMPLATES = Path(__file__).parent.parent / "data" / "templates"
#: What of a flow is shipped, beside its model and its lines. No addresses, no secrets, no ids.
PLAIN = (
    "direction", "trigger", "domain", "record_label", "record_fields", "record_each",
    "record_hours", "record_method", "record_path", "record_update_method", "record_update_path",
    "record_batch", "record_batch_key", "record_key_header", "record_event", "record_success",
    "record_answer_id", "record_answer_message", "record_items",
)  # fmt: skip
OF_LINE = (
    "target", "source_type", "source", "value_type", "format", "default_value", "required",
    "lookup",
)  # fmt: skip


class CommerceFlow(models.Model):
    """Flows of any record as JSON, to be shipped from one database to another."""

    _inherit = "commerce.flow"

    record_config = fields.Binary(
        string="Flow as JSON", compute="_compute_record_config", attachment=False
    )

    def _compute_record_config(self):
        for flow in self:
            text = json.dumps(flow.export_config(), indent=2, ensure_ascii=False)
            flow.record_config = flow.kind == "record" and base64.b64encode(text.encode())

    def action_export_config(self):
        """Download the flow as a file that *New from Template* takes."""
        self.ensure_one()
        self.check_access("read")
        name = (self.record_label or self.record_model).replace("/", "-")
        path = f"/web/content/commerce.flow/{self.id}/record_config/{quote(name)}.json"
        return {"type": "ir.actions.act_url", "url": f"{path}?download=true", "target": "download"}

    def export_config(self):
        """The whole flow as plain data: ``{name, model, lines, ...}``; no credential, no id."""
        self.ensure_one()
        self.check_access("read")
        values = {name: self[name] for name in PLAIN if self[name] is not False}
        lines = self.mapping_line_ids._export_config()
        return {"name": self.name, "model": self.record_model, **values, "lines": lines}

    @api.model
    def _import_config(self, connection, config):
        """Make a flow of what :meth:`export_config` gave; it is switched off until it was seen.

        :return: its id
        :raise UserError: its app is not installed
        """
        model = config.get("model")
        if model not in self.env:
            raise UserError(self.env._("There is no %s here: install its app first.", model))
        values = {name: config[name] for name in PLAIN if name in config}
        flow = self.create(
            {
                **values,
                "connection_id": connection.id,
                "kind": "record",
                "active": False,
                "record_model_id": self.env["ir.model"]._get(model).id,
                "mapping_line_ids": [_line(line) for line in config.get("lines", ())],
            }
        )
        return flow.id

    @api.model
    def _get_templates(self):
        """``{technical name: config}`` of the templates whose app is installed."""
        found = {
            path.stem: json.loads(path.read_text()) for path in sorted(TEMPLATES.glob("*.json"))
        }
        return {name: config for name, config in found.items() if config["model"] in self.env}

    def _listening(self, kind):
        listening = super()._listening(kind)
        if kind != "inventory":
            return listening
        # a quantity is no stored field: what changes it tells of products, not of fields
        quantities = {"qty_available", "free_qty", "virtual_available"}
        of_products = self._watched().get("product.product", ())
        return listening + tuple(
            flow_id for flow_id, _trigger, names in of_products if names & quantities
        )


class CommerceMappingLine(models.Model):
    _inherit = "commerce.mapping.line"

    def _export_config(self):
        return [
            {name: line[name] for name in OF_LINE if line[name]}
            | ({"lines": line.child_ids._export_config()} if line.child_ids else {})
            for line in self
        ]


def _line(config):
    values = {name: config[name] for name in OF_LINE if name in config}
    return Command.create(values | {"child_ids": [_line(one) for one in config.get("lines", ())]})

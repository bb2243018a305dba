import base64
import binascii
import json

from odoo import api, fields, models
from odoo.exceptions import UserError


class CommerceFlowTemplate(models.TransientModel):
    """A new flow of a template, or of a file."""

    _name = "commerce.flow.template"
    _description = "New Flow from a Template"

    connection_id = fields.Many2one(
        "commerce.connection",
        required=True,
        domain="[('platform', '=', 'http')]",
        default=lambda self: self._default_connection(),
    )
    template = fields.Selection(selection="_select_template")
    file = fields.Binary(string="Or a File (JSON)", attachment=False)
    config = fields.Text(string="Or Paste It")

    @api.model
    def _default_connection(self):
        """The only one there is."""
        found = self.env["commerce.connection"].search([("platform", "=", "http")], limit=2)
        return found if len(found) == 1 else False

    def _select_template(self):
        templates = self.env["commerce.flow"]._get_templates()
        return [(name, config["name"]) for name, config in templates.items()]

    def action_make(self):
        """Make the flow and show it."""
        self.ensure_one()
        flows = self.env["commerce.flow"]
        config = flows._get_templates().get(self.template) or self._read_config()
        self._permit(config)
        return {
            "type": "ir.actions.act_window",
            "res_model": "commerce.flow",
            "res_id": flows._import_config(self.connection_id, config),
            "views": [(False, "form")],
        }

    def _read_config(self):
        """The flow that was uploaded or pasted.

        :raise UserError: it is none
        """
        try:
            config = json.loads(base64.b64decode(self.file) if self.file else self.config or "")
        except (ValueError, binascii.Error, RecursionError) as error:
            raise UserError(self.env._("Choose a template, or give a flow as JSON.")) from error
        if not isinstance(config, dict) or not isinstance(config.get("model"), str):
            raise UserError(self.env._("This is no exported flow: it names no model."))
        return config

    def _permit(self, config):
        """What a template of ours writes is listed on the connection; of a file, a person lists."""
        if not self.template or config["direction"] != "in":
            return
        model, known = config["model"], self.connection_id.http_writable or ""
        lines = [f"{model}: {', '.join(line['target'] for line in config['lines'])}"]
        for line in config["lines"]:
            if line.get("lines"):
                comodel = self.env[model]._fields[line["target"]].comodel_name
                lines.append(f"{comodel}: {', '.join(one['target'] for one in line['lines'])}")
        self.connection_id.http_writable = "\n".join(filter(None, [known, *lines]))

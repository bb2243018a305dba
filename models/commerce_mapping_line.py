from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..adapters.expressions import compiled
from ..mappers.record_in import may_write


class CommerceMappingLine(models.Model):
    """One value of what travels: where it comes from, and under which key it goes."""

    _name = "commerce.mapping.line"
    _description = "Mapping Line"
    _order = "sequence, id"
    _rec_name = "target"

    flow_id = fields.Many2one(
        "commerce.flow",
        compute="_compute_flow_id",
        recursive=True,
        store=True,
        readonly=False,
        precompute=True,
        ondelete="cascade",
        index=True,
    )
    parent_id = fields.Many2one("commerce.mapping.line", ondelete="cascade", index=True)
    child_ids = fields.One2many("commerce.mapping.line", "parent_id", string="Of Each Line")
    sequence = fields.Integer(default=10)
    target = fields.Char(
        string="Key", required=True, help="Dots make objects: contact.email is in contact."
    )
    source_type = fields.Selection(
        [("field", "Field"), ("constant", "Constant"), ("expression", "Expression")],
        default="field",
        required=True,
    )
    source = fields.Char(
        help="Field: partner_id.email. Constant: the text. Expression: JMESPath over the values "
        "of the keys above, join(' ', [first, last]).",
    )
    value_type = fields.Selection(
        [
            ("auto", "As it is"),
            ("text", "Text"),
            ("integer", "Whole number"),
            ("decimal", "Number"),
            ("boolean", "Yes or no"),
            ("date", "Date"),
            ("datetime", "Date and time"),
        ],
        string="Type",
        default="auto",
        required=True,
    )
    format = fields.Char(
        help="Dates: %d.%m.%Y. Numbers: how many digits after the point, 2.",
    )
    default_value = fields.Char(string="Default", help="Where the source is empty.")
    required = fields.Boolean()
    lookup = fields.Char(
        string="Found By",
        help="Of messages to Odoo, for a link to another record: the field of that record to "
        "search by (email), or binding: the external ID it is bound to.",
    )

    @api.depends("parent_id.flow_id")
    def _compute_flow_id(self):
        for line in self:
            line.flow_id = line.parent_id.flow_id or line.flow_id

    @api.constrains("source_type", "source", "target", "flow_id", "parent_id")
    def _check_source(self):
        for line in self:
            try:
                line._validate_source()
            except ValueError as error:
                raise ValidationError(
                    self.env._(
                        "Mapping of '%(target)s': %(error)s", target=line.target, error=error
                    )
                ) from error

    def _validate_source(self):
        if not all(self.target.split(".")):
            raise ValueError(self.env._("a key has no empty parts"))
        if self.flow_id.direction == "in":
            self._validate_writable()
        elif self.source_type == "expression":
            compiled(self.source or "")
        elif self.source_type == "field" and self.flow_id.record_model:
            fields_of_path(self.env, self._get_model(), self.source or "")

    def _validate_writable(self):
        if self.source_type != "constant":
            compiled(self.source or "")
        model = self._get_model()
        fields_of_path(self.env, model, self.target)
        forbidden = may_write(model, [self.target], self.flow_id.connection_id._get_writable())
        if forbidden:
            raise ValueError(self.env._("list it on the connection under What Messages May Write"))

    def _get_model(self):
        """The model whose fields this line names."""
        if not self.parent_id:
            return self.flow_id.record_model
        incoming = self.flow_id.direction == "in"
        name = self.parent_id.target if incoming else self.parent_id.source
        path = fields_of_path(self.env, self.parent_id._get_model(), name or "")
        if not path[-1].relational:
            raise ValueError(self.env._("'%s' holds no lines", self.parent_id.source))
        return path[-1].comodel_name


def fields_of_path(env, model, path):
    """The fields a path goes through.

    :raise ValueError: there is no such field
    """
    found = []
    for name in path.split("."):
        field = env[model]._fields.get(name) if model else None
        if field is None:
            raise ValueError(env._("%(model)s has no field '%(field)s'", model=model, field=name))
        found.append(field)
        model = field.comodel_name if field.relational else None
    return found

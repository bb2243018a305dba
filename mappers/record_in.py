"""JSON that came in -> records of any model, within what the connection lets be written."""

from odoo import Command

from ..adapters.expressions import evaluate
from .base import Problem, Problems
from .record_values import convert, is_empty

#: Lookup of a related record by the external id it is bound to.
BY_BINDING = "binding"
#: Beginnings of models no message may write: they decide what runs, and who may do what.
NEVER = ("ir.", "base.", "commerce.", "res.users", "res.groups", "res.config", "mail.template")


def may_write(model, names, permitted):
    """What of these fields must not be written.

    :param dict permitted: model -> names of fields, of the connection
    :return: list of ``model.field``
    """
    allowed = () if model.startswith(NEVER) else permitted.get(model, ())
    return [f"{model}.{name}" for name in names if name not in allowed]


class RecordWriter:
    """Makes or changes the record of one message."""

    def __init__(self, mapper):
        self.mapper = mapper
        self.env = mapper.env
        self.flow = mapper.flow
        self.connection = mapper.connection
        self.permitted = self.connection._get_writable()
        self.problems = []

    def external_id(self, document):
        found = evaluate(self.flow.record_answer_id or "body.data.id", document.values)
        return "" if is_empty(found) else str(found)

    def apply(self, document):
        """:return: ``(record, outcome, a sentence for the log)``"""
        external_id = self.external_id(document)
        label = f"{self.flow.record_label or self.mapper.model} {external_id}".strip()
        if not external_id:
            self._object("", self.env._("the message holds no external ID"))
        values = self._values(
            self.mapper.model, self.flow.mapping_line_ids, document.values, "", {}
        )
        if self.problems:
            raise Problems(label, tuple(self.problems)).as_error(self._intro(label))
        binding = self.mapper.find_binding(self.mapper.model, external_id)
        record = self.env[self.mapper.model].browse(binding.res_id).exists()
        if binding and not record:
            return record, "skipped", self.env._("The record was deleted in Odoo.")
        if record:
            record.write(self._renewed(record, values))
            return record, "updated", ""
        return self.env[self.mapper.model].create(values), "created", ""

    def _renewed(self, record, values):
        """Lines are written anew: what the message does not name is gone."""
        return {
            name: [Command.clear(), *value]
            if record._fields[name].type in ("one2many", "many2many")
            else value
            for name, value in values.items()
        }

    def _values(self, model, lines, source, prefix, values):
        for name in may_write(model, lines.mapped("target"), self.permitted):
            self._object("", self.env._("this connection may not write %s", name))
        for number, line in enumerate(lines, start=1):
            position = f"{prefix}{number}"
            field = self.env[model]._fields.get(line.target)
            try:
                if field is None:
                    raise ValueError(self.env._("%s has no such field", model))
                values[line.target] = self._value(field, line, source, position)
            except ValueError as error:
                self._object(f"{position} '{line.target}'", str(error))
        return values

    def _value(self, field, line, source, position):
        value = line.source
        if line.source_type != "constant":
            value = evaluate(line.source, source)
        if line.child_ids:
            items = value if isinstance(value, list) else []
            return [
                Command.create(
                    self._values(field.comodel_name, line.child_ids, item, f"{position}.", {})
                )
                for item in items
            ]
        if is_empty(value):
            value = line.default_value or None
        if is_empty(value):
            if line.required:
                raise ValueError(self.env._("is empty, but required"))
            return False
        if field.type == "many2one":
            return self._look_up(field, line, value)
        if field.relational or isinstance(value, (dict, list)):
            raise ValueError(self.env._("'%s' does not fit this field", line.source))
        return convert(value, line.value_type, line.format or "", self.env)

    def _look_up(self, field, line, value):
        records = self.env[field.comodel_name]
        if line.lookup == BY_BINDING:
            binding = self.mapper.find_binding(field.comodel_name, str(value))
            found = records.browse(binding.res_id).exists()
        else:
            found = records.search([(line.lookup or records._rec_name, "=", value)], limit=2)
        if len(found) != 1:
            raise ValueError(
                self.env._(
                    "%(count)s records have %(value)r", count=len(found) or "no", value=value
                )
            )
        found.check_access("read")
        return found.id

    def _object(self, where, words):
        line = self.env._("line %s: ", where) if where else ""
        self.problems.append(
            Problem(line + words, self.env._("Change the flow's mapping, then press Resend."))
        )

    def _intro(self, label):
        return self.env._(
            "Cannot import %(record)s from %(store)s (flow '%(flow)s')",
            record=label,
            store=self.connection.name,
            flow=self.flow.record_label or self.mapper.model,
        )

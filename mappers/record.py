"""Records of any model <-> JSON, as the lines of the flow's mapping say."""

from dataclasses import replace

from odoo.fields import Domain

from ..adapters.documents import Record
from ..adapters.expressions import evaluate
from ..adapters.http_platform import EXTERNAL_ID, placeholders
from .base import Mapper, Problem, Problems, register
from .record_in import RecordWriter
from .record_values import as_json, convert, is_empty, put, walk


@register
class RecordMapper(Mapper):
    kind = "record"
    resource = "record"
    binds = True

    def __init__(self, flow):
        super().__init__(flow)
        self.model = flow.record_model
        self.scope = f"flow{flow.id}"

    def due(self, record_ids=None):
        """Records of the connection's company (or of none) within the flow's filter."""
        if record_ids is not None and not record_ids:
            return []
        records_sudo = self.env[self.model].sudo().with_context(active_test=False)
        domain = self.flow._get_domain()
        if "company_id" in records_sudo._fields:
            domain &= Domain("company_id", "in", [False, self.connection.company_id.id])
        if record_ids is not None:
            domain &= Domain("id", "in", list(record_ids))
        return records_sudo.search(domain, order="id").ids

    def prepare(self, records):
        bindings = self.connection._bindings(self.resource, records)
        call = self.flow._get_call()
        lines = list(enumerate(self.flow.mapping_line_ids, start=1))
        self._read_ahead(records, [line for _number, line in lines])
        return {
            record.id: self._document(record, lines, call, bindings.get(record.id))
            for record in records
        }

    def at_event(self, record_id, prepared, values):
        """The event as it was kept: also where the record has become impossible to send since."""
        match prepared:
            case Record():
                return replace(prepared, values=values)
            case Problems(label=label):
                record = self.env[self.model].browse(record_id)
                binding = self.connection._bindings(self.resource, record).get(record_id)
                call = self.flow._get_call()
                return self._as_record(label, values, call, binding)
        return prepared

    def prepare_as(self, record):
        """The document of one record as the person at the screen may see it."""
        self.env = record.env
        lines = list(enumerate(self.flow.mapping_line_ids, start=1))
        return self._document(record, lines, self.flow._get_call(), None)

    def intro(self, label):
        return self.env._(
            "Cannot send %(record)s to %(store)s (flow '%(flow)s')",
            record=label,
            store=self.connection.name,
            flow=self.flow.record_label or self.model,
        )

    # === FROM OUTSIDE === #

    def apply(self, document):
        """Make or change the record. Idempotent by binding.

        :raise ValidationFailed: with all that stands in the way
        """
        return RecordWriter(self).apply(document)

    def remember(self, record, document):
        """Bind the record to the id the message gives it."""
        external_id = RecordWriter(self).external_id(document)
        if record and external_id and not self.find_binding(self.model, external_id):
            self.connection.env["commerce.binding"].create(
                {
                    "connection_id": self.connection.id,
                    "resource": self.resource,
                    "model": self.model,
                    "res_id": record.id,
                    "external_id": external_id,
                }
            )

    def find_binding(self, model, external_id):
        return self.connection.env["commerce.binding"].search(
            Domain("connection_id", "=", self.connection.id)
            & Domain("resource", "=", self.resource)
            & Domain("model", "=", model)
            & Domain("external_id", "=", external_id),
            limit=1,
        )

    # === TO OUTSIDE === #

    def _read_ahead(self, records, lines):
        """All fields of all records by a query for each model on the way."""
        paths = [line.source.split(".") for line in lines if line.source_type == "field"]
        records.fetch({path[0] for path in paths})
        for name in {path[0] for path in paths if len(path) > 1}:
            related = records[name] if name in records._fields else None
            if related is not None:
                following = {path[1] for path in paths if path[0] == name and len(path) > 1}
                related.fetch(following)

    def _document(self, record, lines, call, binding):
        problems = []
        values = self._values(record, lines, problems, "")
        label = f"{record._description} '{record.display_name}'"
        external_id = binding.external_id if binding else ""
        problems += self._path_problems(call, values, external_id)
        if problems:
            return Problems(label, tuple(problems))
        return self._as_record(label, values, call, binding)

    def _as_record(self, label, values, call, binding):
        return Record(
            label=label,
            external_id=binding.external_id if binding else "",
            model=self.model,
            values=values,
            event=call.event,
            call=call,
        )

    def _values(self, record, lines, problems, prefix):
        values = {}
        for number, line in lines:
            name = f"{prefix}{number}"
            try:
                put(values, line.target, self._value(record, line, values, problems, name))
            except ValueError as error:
                problems.append(self._problem(name, line, str(error)))
        return values

    def _value(self, record, line, values, problems, name):
        if line.child_ids:
            children = list(enumerate(line.child_ids, start=1))
            inner = [
                self._values(each, children, problems, f"{name}.")
                for each in walk(record, line.source, self.env)
            ]
            if line.required and not inner:
                raise ValueError(self.env._("is empty, but required"))
            return inner
        match line.source_type:
            case "constant":
                value = line.source
            case "expression":
                value = evaluate(line.source, values)
            case _:
                value = walk(record, line.source, self.env)
        if is_empty(value):
            value = line.default_value or None
        if is_empty(value):
            if line.required:
                raise ValueError(self.env._("is empty, but required"))
            return None
        return as_json(convert(value, line.value_type, line.format or "", self.env))

    def _problem(self, number, line, words):
        source = line.source if line.source_type == "field" else line.target
        return Problem(
            self.env._(
                "line %(number)s '%(key)s' (%(field)s): %(words)s",
                number=number,
                key=line.target,
                field=source,
                words=words,
            ),
            self.env._("Complete the record, or change the flow's mapping; then press Resend."),
        )

    def _path_problems(self, call, values, external_id):
        template = call.update_path if external_id and call.update_path else call.path
        for name in placeholders(template):
            value = external_id if name == EXTERNAL_ID else values
            for part in name.split(".") if name != EXTERNAL_ID else ():
                value = value.get(part) if isinstance(value, dict) else None
            if is_empty(value):
                yield Problem(
                    self.env._("the path needs '%s', which is empty", name),
                    self.env._("Map that key, or change the path; then press Resend."),
                )

"""Comparing what the other system holds with Odoo, page by page.

A comparer belongs to one kind of data. It uses the kind's mapper for Odoo's side, so that what is
compared is what would be sent.
"""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from odoo.fields import Domain

from ..adapters.documents import plain
from .base import Problems, Skip

#: What can be wrong, with a word for the lines.
DIFFERENT = "different"
MISSING_HERE = "missing_here"
MISSING_THERE = "missing_there"
DELETED_THERE = "deleted_there"
REPLACED = "replaced"
DUPLICATE = "duplicate"
NOT_TOLD = "not_told"
UNCLEAR = "unclear"


@dataclass(kw_only=True)
class Difference:
    """One thing in which the two sides disagree.

    ``field_name`` names the value (``quantity@default``), ``field_label`` is what staff call it;
    ``ours`` and ``theirs`` are both values as text. ``seen`` is what the store holds, for
    compare-and-set. ``updated_at`` is when the store's record changed.
    """

    status: str
    res_id: int = 0
    external_id: str = ""
    parent_id: str = ""
    reference: str = ""
    label: str = ""
    field_name: str = ""
    field_label: str = ""
    ours: str = ""
    theirs: str = ""
    note: str = ""
    handles: dict = field(default_factory=dict)
    seen: dict = field(default_factory=dict)
    updated_at: datetime | None = None


def shown(value):
    """A value as a line shows it."""
    if value is None or value == "":
        return ""
    if isinstance(value, Decimal | int | str | bool):
        return str(plain(value))
    if isinstance(value, (tuple, list)):
        return ", ".join(shown(item) for item in value)
    return str(plain(value))


class Comparer:
    """One kind of data. Subclasses set the class attributes and implement :meth:`fields`.

    :cvar kind: of the flow
    :cvar fetches: what :meth:`Adapter.fetch` is asked for; empty: only Odoo's side is looked at
    :cvar lists_unknown: records of the store that Odoo does not know are differences of their own
    :cvar creates: a push of this kind makes what the store does not have
    """

    kind = ""
    fetches = ""
    lists_unknown = False
    creates = False

    def __init__(self, mapper):
        self.mapper = mapper
        self.flow = mapper.flow
        self.env = mapper.env
        self.connection = mapper.connection

    @property
    def resource(self):
        return self.mapper.resource

    @property
    def model(self):
        return self.mapper.model

    def since(self):
        """From when on the store is read: ``None``, everything."""
        return None

    # === WHAT THE STORE HOLDS === #

    def compare(self, documents):
        """Compare one page.

        :param documents: of the store
        :return: ``(differences, external ids that are bound)``
        """
        bindings = self._bound_to([document.external_id for document in documents])
        ids = [binding.res_id for binding in bindings.values()]
        # what the flow does not concern itself with cannot be wrong
        records = self.env[self.model].browse(self.mapper.due(ids) if ids else ()).exists()
        prepared = self.prepare(records)
        found = []
        for document in documents:
            binding = bindings.get(document.external_id)
            if binding:
                found += self._judge(document, binding.res_id, prepared.get(binding.res_id))
        return found, set(bindings)

    def prepare(self, records):
        """Odoo's side: as :meth:`Mapper.prepare`."""
        return self.mapper.prepare(records) if records else {}

    def fields(self, ours, theirs):
        """What differs between two documents.

        :return: iterable of ``(field, label, our value, their value)``
        """
        raise NotImplementedError

    def seen(self, theirs):
        """What of the store's document a later write is compared with."""
        return {}

    def covered(self, documents):
        """What of these records was looked at: ``{external id: fields, or None for all}``."""
        return {document.external_id: None for document in documents}

    def _bound_to(self, external_ids):
        """``{external id: binding}``"""
        bindings = self.connection.env["commerce.binding"].search(
            Domain("connection_id", "=", self.connection.id)
            & Domain("resource", "=", self.resource)
            & Domain("model", "=", self.model)
            & Domain("external_id", "in", external_ids)
        )
        return {binding.external_id: binding for binding in bindings}

    def _judge(self, theirs, res_id, ours):
        match ours:
            case None | Skip():
                return []
            case Problems(problems=problems):
                note = "; ".join(problem.message for problem in problems)
                return [self._difference(UNCLEAR, theirs, res_id, label=ours.label, note=note)]
        return [
            self._difference(
                DIFFERENT,
                theirs,
                res_id,
                label=ours.label,
                field_name=name,
                field_label=label,
                ours=shown(our_value),
                theirs=shown(their_value),
            )
            for name, label, our_value, their_value in self.fields(ours, theirs)
        ]

    def _difference(self, status, document, res_id=0, **values):
        values = {"label": document.label} | values
        return Difference(
            status=status,
            res_id=res_id,
            external_id=document.external_id,
            parent_id=document.parent_id,
            reference=self.reference(document),
            seen=self.seen(document),
            updated_at=getattr(document, "updated_at", None),
            **values,
        )

    def reference(self, theirs):
        """What people call the store's record: SKU, order number."""
        return getattr(theirs, "sku", "") or getattr(theirs, "number", "") or ""

    # === WHAT ONLY SHOWS IN THE WHOLE === #

    def unknown(self, rows, twins):
        """Records of the store that are bound to nothing.

        :param rows: objects with external_id, parent_id, reference, label, handles
        :param set twins: references that the store has more than once
        :return: differences
        """
        if not self.lists_unknown:
            return []
        return [self._unknown(row) for row in rows]

    def _unknown(self, row, **values):
        values = {"status": MISSING_HERE} | values
        return Difference(
            external_id=row.external_id,
            parent_id=row.parent_id or "",
            reference=row.reference or "",
            label=row.label or row.reference or row.external_id,
            handles=row.handles or {},
            **values,
        )

    def gone(self, bindings):
        """Bound records that the store did not show.

        :return: differences
        """
        due = set(self.mapper.due(bindings.mapped("res_id")))
        names = dict(self._names(due))
        return [
            Difference(
                status=DELETED_THERE,
                res_id=binding.res_id,
                external_id=binding.external_id,
                parent_id=binding.parent_id or "",
                reference=binding.external_ref or "",
                label=names.get(binding.res_id, binding.external_id),
            )
            for binding in bindings
            if binding.res_id in due
        ]

    def unsent(self, after, limit):
        """Odoo's records the store should have and does not: the next ones behind id ``after``.

        :return: ``(differences, the last id looked at, or 0: there are no more)``
        """
        return [], 0

    def _names(self, record_ids):
        for record in self.env[self.model].sudo().browse(record_ids).exists():
            yield record.id, record.display_name


COMPARERS: dict[str, type[Comparer]] = {}


def register(comparer_class):
    """Make the comparer of a kind of data known; a decorator, usable from any addon."""
    COMPARERS[comparer_class.kind] = comparer_class
    return comparer_class

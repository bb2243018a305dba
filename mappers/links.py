"""Bindings of one connection, as inbound mappers need them: found in bulk, made in bulk."""

from dataclasses import dataclass

from odoo.fields import Domain


@dataclass(frozen=True)
class Link:
    """A row for ``commerce.binding``."""

    connection_id: int
    company_id: int
    resource: str
    model: str
    res_id: int
    external_id: str
    parent_id: str | None = None
    external_ref: str | None = None


class Links:
    """What of the store belongs to what of Odoo."""

    def __init__(self, connection):
        """:param connection: a ``commerce.connection``, with all rights"""
        self.connection = connection
        self.bindings = connection.env["commerce.binding"]

    def find(self, resource, external_ids):
        """``{external id: binding}`` of those that are bound; one query."""
        wanted = list(filter(None, set(external_ids)))
        if not wanted:
            return {}
        found = self.bindings.search(self._of(resource) & Domain("external_id", "in", wanted))
        return {binding.external_id: binding for binding in found}

    def find_ids(self, resource, external_ids):
        """``{external id: record id}`` of those that are bound; one query."""
        found = self.find(resource, external_ids)
        return {external_id: binding.res_id for external_id, binding in found.items()}

    def of_records(self, resource, records):
        """``{record id: external id}`` of those records that are bound; one query."""
        found = self.connection._bindings(resource, records)
        return {record_id: binding.external_id for record_id, binding in found.items()}

    def bind(self, resource, pairs, parent_id=None):
        """Bind records that are surely not bound yet, or bound the same way.

        :param pairs: ``(record, external id)`` or ``(record, external id, external reference)``
        """
        connection = self.connection
        rows = [
            Link(
                connection.id,
                connection.company_id.id,
                resource,
                record._name,
                record.id,
                external_id,
                parent_id,
                *rest,
            )
            for record, external_id, *rest in pairs
        ]
        self.bindings._store(connection.env.cr, rows)

    def claim(self, resource, record, external_id, **values):
        """Bind a record that was just made. Where another transaction bound the same at the same
        moment, this one fails with a ``UniqueViolation`` and is done again."""
        return self.bindings.create(
            {
                "connection_id": self.connection.id,
                "resource": resource,
                "model": record._name,
                "res_id": record.id,
                "external_id": external_id,
                **values,
            }
        )

    def _of(self, resource):
        return Domain("connection_id", "=", self.connection.id) & Domain("resource", "=", resource)

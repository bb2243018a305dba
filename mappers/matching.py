"""Finding the Odoo record for a record of the store, once, before they are bound.

By SKU, barcode or order number; never by name.
"""

from odoo.fields import Domain


class Matcher:
    """Compares one resource. Subclasses say where to look."""

    resource = ""
    model = ""
    field = ""  # of commerce.matching.line, for the Odoo record

    def __init__(self, connection):
        self.connection = connection
        self.env = connection.env
        self.company = connection.company_id

    def match(self, documents):
        """Values of ``commerce.matching.line`` for documents of the store."""
        bound = self._get_bound([document.external_id for document in documents])
        candidates = self._find(documents)
        taken = self.connection._bindings(self.resource, self._union(candidates))
        return [
            self._prepare_bound(document, bound[document.external_id])
            if document.external_id in bound
            else self._prepare_match(document, candidates[document.external_id], taken)
            for document in documents
        ]

    def missing_there(self, matched_ids):
        """Values for Odoo's records that nothing of the store matches."""
        bound = set(self.connection._bound_ids(self.resource, self.model))
        records = self.env[self.model].search(self._expected())
        return [
            {
                self.field: record.id,
                "status": "missing_there",
                "external_ref": self._reference(record),
                "reason": self.env._("The store has no such record."),
            }
            for record in records
            if record.id not in matched_ids and record.id not in bound
        ]

    def _union(self, candidates):
        ids = {record_id for records in candidates.values() for record_id in records.ids}
        return self.env[self.model].browse(ids)

    def _get_bound(self, external_ids):
        bindings = self.env["commerce.binding"].search(
            [
                ("connection_id", "=", self.connection.id),
                ("resource", "=", self.resource),
                ("external_id", "in", external_ids),
            ]
        )
        bindings -= bindings._orphans()
        return {binding.external_id: binding.res_id for binding in bindings}

    def _prepare_line(self, document, status, record=None, reason=""):
        return {
            "external_id": document.external_id,
            "parent_id": document.parent_id,
            "external_ref": self._external_reference(document),
            "external_name": document.label or self._external_reference(document),
            "status": status,
            "reason": reason,
            "accepted": status == "matched",
            self.field: record.id if record else False,
        }

    def _prepare_bound(self, document, res_id):
        return self._prepare_line(document, "bound", self.env[self.model].browse(res_id).exists())

    def _prepare_match(self, document, records, taken):
        if not records:
            return self._prepare_line(document, "missing_here", reason=self._why_missing(document))
        if len(records) > 1:
            names = ", ".join(records.mapped("display_name"))
            return self._prepare_line(
                document, "ambiguous", reason=self.env._("Several match in Odoo: %s", names)
            )
        if records.id in taken:
            reason = self.env._(
                "Bound to another record of the store: %s", taken[records.id].external_id
            )
            return self._prepare_line(document, "ambiguous", records, reason)
        return self._prepare_line(document, "matched", records)

    def _by_field(self, name, values):
        """``{value: records}`` of the company's (and shared) records with these values."""
        values = [value for value in set(values) if value]
        domain = Domain(name, "in", values) & Domain("company_id", "in", [False, self.company.id])
        found = {}
        for record in self.env[self.model].search(domain) if values else ():
            found[record[name]] = found.get(record[name], self.env[self.model]) | record
        return found


class VariantMatcher(Matcher):
    """Products: by SKU, else by barcode."""

    resource = "variant"
    model = "product.product"
    field = "product_id"

    def _find(self, documents):
        none = self.env[self.model]
        by_sku = self._by_field("default_code", [document.sku for document in documents])
        by_barcode = self._by_field("barcode", [document.barcode for document in documents])
        return {
            document.external_id: by_sku.get(document.sku)
            or by_barcode.get(document.barcode)
            or none
            for document in documents
        }

    def _prepare_line(self, document, status, record=None, reason=""):
        values = super()._prepare_line(document, status, record, reason)
        if status == "matched" and document.kind == "bundle":
            values["reason"] = self.env._("A bundle: the store counts its parts.")
        return values | {"barcode": document.barcode, "handles": document.handles}

    def _external_reference(self, document):
        return document.sku

    def _reference(self, record):
        return record.default_code

    def _why_missing(self, document):
        if not document.sku and not document.barcode:
            return self.env._("It has neither SKU nor barcode in the store.")
        return self.env._("No product in Odoo has this SKU or barcode.")

    def _expected(self):
        return Domain(
            [
                ("sale_ok", "=", True),
                ("is_storable", "=", True),
                ("company_id", "in", [False, self.company.id]),
            ]
        )


class OrderMatcher(Matcher):
    """Orders: by the store's number, as Odoo's order or its customer reference carries it."""

    resource = "order"
    model = "sale.order"
    field = "order_id"

    def _find(self, documents):
        none = self.env[self.model]
        numbers = [document.number for document in documents]
        by_reference = self._by_field("client_order_ref", numbers)
        by_name = self._by_field("name", numbers)
        return {
            document.external_id: by_reference.get(document.number)
            or by_name.get(document.number)
            or none
            for document in documents
        }

    def _external_reference(self, document):
        return document.number

    def _why_missing(self, _document):
        return self.env._("No order in Odoo has this number as its customer reference.")

    def missing_there(self, matched_ids):
        """Nothing: most orders of Odoo are not the store's."""
        return []


MATCHERS = {matcher.resource: matcher for matcher in (VariantMatcher, OrderMatcher)}

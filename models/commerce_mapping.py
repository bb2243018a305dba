from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from ..adapters.errors import SyncError

#: What of a store's configuration has a counterpart in Odoo -> the fields that can hold it.
COUNTERPARTS = {
    "location": ("warehouse_id", "location_id"),
    "tax": ("tax_id",),
    "carrier": ("carrier_id",),
    "payment_method": ("journal_id",),
}


class CommerceMapping(models.Model):
    """One thing of a store's configuration, and what it is in Odoo.

    The row is what the store says; the choice is kept as a binding, like every other link.
    """

    _name = "commerce.mapping"
    _description = "Mapping"
    _order = "connection_id, resource, name, id"
    _check_company_auto = True

    connection_id = fields.Many2one(
        "commerce.connection", required=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one(related="connection_id.company_id", store=True, index=True)
    resource = fields.Selection(
        [
            ("location", "Location"),
            ("tax", "Tax"),
            ("carrier", "Way of Shipping"),
            ("payment_method", "Way of Paying"),
        ],
        string="What",
        required=True,
    )
    name = fields.Char(required=True, help="What the store calls it.")
    external_id = fields.Char(string="External ID", required=True)
    detail = fields.Char(help="What else the store says of it.")
    there = fields.Boolean(
        string="In the Store", default=True, help="The store had it when it was last read."
    )
    warehouse_id = fields.Many2one(
        "stock.warehouse",
        compute="_compute_counterpart",
        inverse="_inverse_warehouse",
        check_company=True,
    )
    location_id = fields.Many2one(
        "stock.location",
        string="or a Single Location",
        compute="_compute_counterpart",
        inverse="_inverse_location",
        check_company=True,
        domain="[('usage', '=', 'internal'), ('company_id', 'in', (company_id, False))]",
    )
    tax_id = fields.Many2one(
        "account.tax",
        compute="_compute_counterpart",
        inverse="_inverse_tax",
        check_company=True,
        domain="[('type_tax_use', '=', 'sale'), ('company_id', 'parent_of', company_id)]",
    )
    carrier_id = fields.Many2one(
        "delivery.carrier",
        string="Delivery Method",
        compute="_compute_counterpart",
        inverse="_inverse_carrier",
        check_company=True,
    )
    journal_id = fields.Many2one(
        "account.journal",
        compute="_compute_counterpart",
        inverse="_inverse_journal",
        check_company=True,
        domain="[('type', 'in', ('bank', 'cash', 'credit')),"
        " ('company_id', 'parent_of', company_id)]",
    )
    counterpart = fields.Char(string="In Odoo", compute="_compute_counterpart")

    _external_uniq = models.UniqueIndex(
        "(connection_id, resource, external_id)", "The store has only one of this ID."
    )

    def _compute_counterpart(self):
        bindings = {
            (binding.connection_id, binding.resource, binding.external_id): binding
            for binding in self._find_bindings()
        }
        for mapping in self:
            key = (mapping.connection_id, mapping.resource, mapping.external_id)
            binding = bindings.get(key, self.env["commerce.binding"])
            for name in (name for names in COUNTERPARTS.values() for name in names):
                model = self._fields[name].comodel_name
                fits = binding.model == model and name in COUNTERPARTS.get(mapping.resource, ())
                mapping[name] = self.env[model].browse(binding.res_id if fits else ()).exists()
            mapping.counterpart = binding.record_name

    def _find_bindings(self):
        return self.env["commerce.binding"].search(
            [
                ("connection_id", "in", self.connection_id.ids),
                ("resource", "in", list(COUNTERPARTS)),
                ("external_id", "in", self.mapped("external_id")),
            ]
        )

    def _inverse_warehouse(self):
        self._choose("warehouse_id")

    def _inverse_location(self):
        self._choose("location_id")

    def _inverse_tax(self):
        self._choose("tax_id")

    def _inverse_carrier(self):
        self._choose("carrier_id")

    def _inverse_journal(self):
        self._choose("journal_id")

    def _choose(self, name):
        """Bind what stands in a field; emptied, unbind it if it was that."""
        chosen = [(mapping, mapping[name]) for mapping in self]
        for mapping, record in chosen:
            if record and name not in COUNTERPARTS[mapping.resource]:
                raise ValidationError(
                    self.env._("%s is something else in the store.", mapping.display_name)
                )
            binding = mapping._find_bindings().filtered(mapping._is_mine)
            if not record:
                binding.filtered(lambda one, of=record: one.model == of._name).unlink()
            else:
                mapping._bind(binding, record)
        self.invalidate_recordset()

    def _is_mine(self, binding):
        key = (binding.connection_id, binding.resource, binding.external_id)
        return key == (self.connection_id, self.resource, self.external_id)

    def _bind(self, binding, record):
        vals = {"model": record._name, "res_id": record.id, "external_ref": self.name}
        if binding:
            binding.write(vals)
            return
        binding.create(
            {
                "connection_id": self.connection_id.id,
                "resource": self.resource,
                "external_id": self.external_id,
                **vals,
            }
        )

    def unlink(self):
        for mapping in self:
            mapping._find_bindings().filtered(mapping._is_mine).unlink()
        return super().unlink()

    # === READING THE STORE === #

    @api.model
    def action_read(self, connection_ids=()):
        """Ask stores for what they have to map.

        :param list connection_ids: of these connections; without any, of all
        :return: a notification with how much there is
        """
        self.check_access("create")
        connections = self.env["commerce.connection"].browse(connection_ids)
        connections = connections or connections.search([("active", "=", True)])
        count, troubles = 0, []
        for connection in connections:
            try:
                count += self._read_store(connection)
            except SyncError as error:
                troubles.append(f"{connection.name}: {error.message} {error.hint}".strip())
        return self._told(count, troubles)

    def _read_store(self, connection):
        """:return: how many there are; a store that does not answer changes nothing"""
        inbound = connection._get_capabilities().inbound
        resources = [resource for resource in COUNTERPARTS if resource in inbound]
        if not resources:
            return 0
        adapter = connection._get_adapter()
        found = {resource: list(_read_all(adapter, resource)) for resource in resources}
        for resource, documents in found.items():
            self._keep(connection, resource, documents)
        return sum(map(len, found.values()))

    def _keep(self, connection, resource, documents):
        """What is new is added; what the store no longer has is marked, never deleted."""
        known = self.search(
            [("connection_id", "=", connection.id), ("resource", "=", resource)]
        ).grouped("external_id")
        for document in documents:
            vals = {
                "name": document.name or document.label or document.external_id,
                "detail": document.detail,
                "there": document.active,
            }
            if document.external_id in known:
                known.pop(document.external_id).write(vals)
            else:
                key = {"connection_id": connection.id, "resource": resource}
                self.create({**key, **vals, "external_id": document.external_id})
        self.browse(row.id for rows in known.values() for row in rows).write({"there": False})

    def _told(self, count, troubles):
        message = " ".join(troubles) or self.env._("%s found. Choose what they are in Odoo.", count)
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "danger" if troubles else "success",
                "message": message,
                "sticky": bool(troubles),
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }

    @api.constrains("resource", "connection_id", "external_id")
    def _check_external_id(self):
        if any(not (mapping.external_id or "").strip() for mapping in self):
            raise UserError(self.env._("Each mapping needs the store's ID."))


def _read_all(adapter, resource):
    cursor = ""
    while True:
        page = adapter.fetch(resource, cursor=cursor)
        yield from page.documents
        cursor = page.cursor
        if not cursor:
            return

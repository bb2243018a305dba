from odoo import api, fields, models
from odoo.tools import SQL

from ..engine.database import NOW, columns


class CommerceBinding(models.Model):
    """The stable link between an Odoo record and a record of the other system."""

    _name = "commerce.binding"
    _description = "Binding"
    _order = "connection_id, resource, id desc"
    _rec_name = "external_id"

    connection_id = fields.Many2one(
        "commerce.connection", required=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one(related="connection_id.company_id", store=True, index=True)
    resource = fields.Selection(
        [
            ("product", "Product"),
            ("variant", "Product Variant"),
            ("order", "Order"),
            ("order_line", "Order Line"),
            ("invoice", "Invoice"),
            ("credit_note", "Credit Note"),
            ("refund", "Refund"),
            ("shipment", "Shipment"),
            ("customer", "Customer"),
            ("customer_alias", "Customer, Also Known As"),
            ("address", "Address"),
            ("record", "Record"),
            ("location", "Location"),
            ("tax", "Tax"),
            ("carrier", "Carrier"),
            ("payment_method", "Payment Method"),
            ("payment", "Payment"),
        ],
        required=True,
    )
    model = fields.Char(required=True)
    res_id = fields.Many2oneReference(string="Record", model_field="model", required=True)
    external_id = fields.Char(string="External ID", required=True)
    parent_id = fields.Char(
        string="External Parent ID",
        help="The remote parent through which the store addresses this record.",
    )
    external_ref = fields.Char(
        string="External Reference", help="What people call it over there: SKU, order number."
    )
    handles = fields.Json(help="Further remote ids that the platform needs.")
    external_updated_at = fields.Datetime(string="Changed There")
    record_name = fields.Char(string="Document", compute="_compute_record_name")

    _external_uniq = models.UniqueIndex(
        "(connection_id, resource, external_id) WHERE resource <> 'record'",
        "This record of the store is already bound to another record.",
    )
    _any_record_uniq = models.UniqueIndex(
        "(connection_id, model, external_id) WHERE resource = 'record'",
        "This record of the other system is already bound to another record.",
    )
    # several taxes (or ways of paying) of a store may be one and the same in Odoo
    # and a contact has several e-mails and, once merged, several ids in the store
    _record_uniq = models.UniqueIndex(
        "(connection_id, resource, model, res_id)"
        " WHERE resource NOT IN ('tax', 'carrier', 'payment_method', 'customer_alias')",
        "This record is already bound to another record of the store.",
    )
    _document = models.Index("(model, res_id)")

    @api.depends("model", "res_id")
    def _compute_record_name(self):
        names = {}
        for model, records in self._records():
            # a binding can be made by hand, to anything: it must tell nobody what he may not see
            for record in records._filtered_access("read"):
                names[model, record.id] = record.display_name
        for binding in self:
            binding.record_name = names.get((binding.model, binding.res_id), False)

    def _records(self):
        """``(model, existing records)`` of these bindings, model by model."""
        for model, bindings in self.grouped("model").items():
            if model in self.env and not self.env[model]._abstract:
                yield model, self.env[model].browse(bindings.mapped("res_id")).exists()

    def _orphans(self):
        """Those of these bindings whose record was deleted in Odoo."""
        alive = {(model, res_id) for model, records in self._records() for res_id in records.ids}
        return self.filtered(lambda binding: (binding.model, binding.res_id) not in alive)

    def write(self, vals):
        result = super().write(vals)
        if "connection_id" in vals:
            self.check_access("write")  # also in the company it belongs to now
        return result

    def action_open_record(self):
        """Open the Odoo record."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": self.model,
            "res_id": self.res_id,
            "views": [(False, "form")],
        }

    @api.private
    def _store(self, cr, rows):
        """Bind many records at once; a record that is bound already keeps its binding.

        :param rows: objects with connection_id, company_id, resource, model, res_id,
            external_id, parent_id, external_ref, and handles (JSON text) where there are any
        """
        if not rows:
            return
        cr.execute(
            SQL(
                """INSERT INTO commerce_binding
                          (connection_id, company_id, resource, model, res_id, external_id,
                           parent_id, external_ref, handles, create_date, write_date)
                   SELECT binding.*, %s, %s
                     FROM unnest(%s::int[], %s::int[], %s::text[], %s::text[], %s::int[],
                                 %s::text[], %s::text[], %s::text[], %s::jsonb[]) AS binding
                   ON CONFLICT DO NOTHING""",
                NOW,
                NOW,
                *columns(
                    rows,
                    "connection_id",
                    "company_id",
                    "resource",
                    "model",
                    "res_id",
                    "external_id",
                    "parent_id",
                    "external_ref",
                ),
                [getattr(row, "handles", None) for row in rows],
            )
        )

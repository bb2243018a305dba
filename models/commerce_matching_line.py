from collections import Counter

from odoo import api, fields, models
from odoo.exceptions import UserError


class CommerceMatchingLine(models.Model):
    """One record of the store, or of Odoo, and its counterpart."""

    _name = "commerce.matching.line"
    _description = "Match"
    _order = "status, external_ref, id"
    _rec_name = "external_name"

    matching_id = fields.Many2one(
        "commerce.matching", required=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one(related="matching_id.company_id")
    resource = fields.Selection(related="matching_id.resource")
    matching_state = fields.Selection(related="matching_id.state", string="Matching State")
    external_id = fields.Char(string="External ID", readonly=True)
    parent_id = fields.Char(string="External Parent ID", readonly=True)
    external_ref = fields.Char(string="SKU / Number", readonly=True)
    external_name = fields.Char(string="In the Store", readonly=True)
    barcode = fields.Char(readonly=True)
    handles = fields.Json(readonly=True)
    status = fields.Selection(
        [
            ("ambiguous", "Ambiguous"),
            ("missing_here", "Missing in Odoo"),
            ("missing_there", "Missing in the store"),
            ("matched", "Matched"),
            ("bound", "Bound"),
        ],
        required=True,
        readonly=True,
    )
    reason = fields.Char(readonly=True)
    accepted = fields.Boolean(string="Bind")
    product_id = fields.Many2one("product.product", string="Product in Odoo", ondelete="cascade")
    order_id = fields.Many2one("sale.order", string="Order in Odoo", ondelete="cascade")
    res_id = fields.Integer(compute="_compute_res_id")

    @api.depends("product_id", "order_id")
    def _compute_res_id(self):
        for line in self:
            line.res_id = (line.product_id or line.order_id).id

    @api.depends("external_name", "product_id", "order_id")
    def _compute_display_name(self):
        for line in self:
            line.display_name = line.external_name or line._get_record().display_name

    def _get_record(self):
        return self.product_id or self.order_id

    def _check_bindable(self):
        """
        :raise UserError: a line has no counterpart, or one that is bound to another
        """
        incomplete = self.filtered(lambda line: not line.res_id or not line.external_id)
        if incomplete:
            raise UserError(
                self.env._(
                    "Choose the Odoo record, or untick: %s.",
                    ", ".join(incomplete.mapped("display_name")),
                )
            )
        taken = self._taken()
        if taken:
            raise UserError(
                self.env._(
                    "Chosen twice, or bound to another record of the store already. Choose another "
                    "Odoo record, or untick: %s.",
                    ", ".join(taken.mapped("display_name")),
                )
            )

    def _taken(self):
        """The lines of one matching whose record is bound already (on either side), or chosen for
        another line too."""
        bound = self._get_bindings()
        here, there = set(bound.mapped("res_id")), set(bound.mapped("external_id"))
        chosen = Counter(self.mapped("res_id"))
        return self.filtered(
            lambda line: line.res_id in here or line.external_id in there or chosen[line.res_id] > 1
        )

    def _get_bindings(self):
        """The bindings there are of the records of these lines, on either side."""
        connection, resource = self.matching_id.connection_id, self.matching_id.resource
        return self.env["commerce.binding"].search(
            [
                ("connection_id", "=", connection.id),
                ("resource", "=", resource),
                "|",
                ("res_id", "in", self.mapped("res_id")),
                ("external_id", "in", self.mapped("external_id")),
            ]
        )

    def _prepare_binding(self):
        record = self._get_record()
        return {
            "connection_id": self.matching_id.connection_id.id,
            "resource": self.resource,
            "model": record._name,
            "res_id": record.id,
            "external_id": self.external_id,
            "parent_id": self.parent_id,
            "external_ref": self.external_ref,
            "handles": self.handles,
        }

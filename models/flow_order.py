from odoo import api, fields, models, tools

from ..mappers.order_notices import Memory
from ..mappers.order_payment import OrderPayments


class CommerceFlow(models.Model):
    """How orders of the store become sales orders."""

    _inherit = "commerce.flow"

    kind = fields.Selection(selection_add=[("order", "Orders")], ondelete={"order": "cascade"})
    order_confirm = fields.Selection(
        [("paid", "When it is paid"), ("always", "Always"), ("never", "Never: a person does")],
        string="Confirm",
        default="paid",
        required=True,
    )
    order_unknown = fields.Selection(
        [
            ("fail", "Do not import; say which"),
            ("create", "Create the product"),
            ("placeholder", "Use a placeholder product"),
        ],
        string="Unknown Products",
        default="fail",
        required=True,
    )
    order_rounding = fields.Float(
        string="Rounding Line up to",
        digits=(8, 2),
        help="Where Odoo's total differs from the store's by no more than this, a rounding line "
        "makes them equal. 0: never; the order is not imported and says why.",
    )
    order_team_id = fields.Many2one("crm.team", string="Sales Team", check_company=True)
    order_warehouse_id = fields.Many2one("stock.warehouse", string="Ships From", check_company=True)
    order_user_id = fields.Many2one("res.users", string="Salesperson")
    order_payment_term_id = fields.Many2one(
        "account.payment.term", string="Payment Terms", check_company=True
    )
    order_payment = fields.Selection(
        [
            ("none", "Leave to accounting"),
            ("note", "Note it on the order"),
            ("invoice", "Register it on the posted invoice"),
        ],
        string="Payments",
        default="note",
        required=True,
        help="Where there is no posted invoice yet, the payment is noted on the order.",
    )
    order_fulfilment = fields.Selection(
        [
            ("none", "Ignore them"),
            ("note", "Note them on the order"),
            ("validate", "Validate the delivery"),
        ],
        string="Shipments of the Store",
        default="note",
        required=True,
    )
    order_refund = fields.Selection(
        [("note", "Note it on the order"), ("credit", "Make a draft credit note")],
        string="Refunds",
        default="credit",
        required=True,
    )

    _rounding = models.Constraint(
        "CHECK(order_rounding >= 0)", "The rounding limit cannot be negative."
    )

    def _get_charge_product(self, role):
        """The product of a line that is none of the catalogue's.

        :param str role: ``shipping``, ``fee``, ``tip``, ``rounding`` or ``placeholder``
        """
        # a database of an earlier version has no tips yet: its data is not loaded again
        product = self.env.ref(f"commerce_sync.product_{role}", raise_if_not_found=False)
        return product or self.env.ref("commerce_sync.product_fee")

    def _prepare_rounding_line(self, difference):
        product = self._get_charge_product("rounding")
        return {
            "product_id": product.id,
            "name": product.name,
            "product_uom_qty": 1,
            "price_unit": float(difference),
            "tax_ids": [],
        }

    def _prepare_order_defaults(self):
        """Values of a sales order that the flow decides."""
        values = {}
        if self.order_team_id:
            values["team_id"] = self.order_team_id.id
        if self.order_warehouse_id:
            values["warehouse_id"] = self.order_warehouse_id.id
        if self.order_user_id:
            values["user_id"] = self.order_user_id.id
        if self.order_payment_term_id:
            values["payment_term_id"] = self.order_payment_term_id.id
        return values

    @api.model
    @tools.ormcache()
    def _registers_payments(self):
        """Whether any flow registers the store's payments on invoices; cheap to ask."""
        flows = self.sudo().search([("kind", "=", "order"), ("order_payment", "=", "invoice")])
        return bool(flows)

    @api.private
    def _settle_payments(self, orders):
        """Register on posted invoices what the store's customers had paid before."""
        flows = self.search([("kind", "=", "order"), ("order_payment", "=", "invoice")])
        for flow in flows:
            mapper = flow._get_mapper()
            for order_id, binding in flow.connection_id._bindings("order", orders).items():
                record = mapper.env["sale.order"].browse(order_id)
                OrderPayments(mapper, Memory(binding)).settle(record)

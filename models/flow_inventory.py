from odoo import fields, models, tools

from ..mappers.inventory import SINGLE_LOCATION


class CommerceFlow(models.Model):
    """Which quantity of which places the store may sell."""

    _inherit = "commerce.flow"

    stock_basis = fields.Selection(
        [
            ("on_hand", "On hand"),
            ("free", "Free to use (on hand less reserved)"),
            ("forecast", "Forecast (with what is to come and to go)"),
        ],
        string="Quantity",
        default="free",
        required=True,
    )
    stock_buffer = fields.Float(
        string="Safety Buffer",
        help="So many pieces are kept back from the store.",
        digits="Product Unit",
    )
    warehouse_ids = fields.Many2many(
        "stock.warehouse",
        string="Warehouses",
        check_company=True,
        help="Whose stock the store sells. Empty: all of the company.",
    )
    location_ids = fields.Many2many(
        "stock.location",
        string="Locations",
        check_company=True,
        domain="[('usage', '=', 'internal'), ('company_id', 'in', (company_id, False))]",
        help="Single locations, in addition to the warehouses.",
    )

    _buffer = models.Constraint("CHECK(stock_buffer >= 0)", "The buffer cannot be negative.")

    def _stock_places(self):
        """The places of the store that get stock.

        :return: list of ``(external location id, context for the quantities of product.product)``
        """
        if self.connection_id._get_capabilities().locations:
            return self._mapped_places()
        locations = self.location_ids | self.warehouse_ids.view_location_id
        return [(SINGLE_LOCATION, {"location": locations.ids} if locations else {})]

    def _mapped_places(self):
        bindings = self.env["commerce.binding"].search(
            [("connection_id", "=", self.connection_id.id), ("resource", "=", "location")],
            order="external_id",
        )
        keys = {"stock.warehouse": "warehouse_id", "stock.location": "location"}
        return [
            (binding.external_id, {keys[binding.model]: [binding.res_id]}) for binding in bindings
        ]

    @tools.ormcache()
    def _forecasting(self):
        """Whether any flow that listens sends the forecast; cheap to ask."""
        flows = self.sudo().browse(self._listening("inventory"))
        return "forecast" in flows.mapped("stock_basis")

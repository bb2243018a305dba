from odoo import fields, models


class CommerceFlow(models.Model):
    """What the store is told of deliveries."""

    _inherit = "commerce.flow"

    kind = fields.Selection(
        selection_add=[("shipment", "Deliveries")], ondelete={"shipment": "cascade"}
    )
    shipment_notify = fields.Boolean(
        string="Tell the Customer",
        default=True,
        help="The store e-mails the customer that the goods are on their way, with the tracking "
        "number.",
    )
    shipment_complete = fields.Boolean(
        string="Complete the Order",
        default=True,
        help="Once nothing is left to ship, the order is set to completed in stores that do not do "
        "so by themselves (WooCommerce).",
    )
    shipment_returned = fields.Selection(
        [("keep", "Stays as it is in the store"), ("cancel", "Is cancelled in the store")],
        string="When All of It Is Returned",
        default="keep",
        required=True,
    )

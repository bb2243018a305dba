from odoo import fields, models


class CommerceFlow(models.Model):
    """What the store is told of orders that were cancelled in Odoo."""

    _inherit = "commerce.flow"

    kind = fields.Selection(
        selection_add=[("order_status", "Cancelled Orders")],
        ondelete={"order_status": "cascade"},
    )
    order_status_cancel = fields.Boolean(
        string="Cancel the Order",
        default=True,
        help="Its goods go back into the store's stock. No money is paid back: credit notes do "
        "that. Off: the order is only marked.",
    )
    order_status_reason = fields.Selection(
        [
            ("customer", "The customer wished it"),
            ("inventory", "Goods are not available"),
            ("declined", "The payment failed"),
            ("fraud", "Fraud"),
            ("staff", "A mistake of ours"),
            ("other", "Another reason"),
        ],
        string="Reason Given",
        default="other",
        required=True,
    )
    order_status_tags = fields.Char(
        string="Tags", help="Separated by commas. For the store's staff, to find these orders by."
    )
    order_status_note = fields.Boolean(
        string="Note on the Order", default=True, help="Says that it was cancelled in Odoo."
    )
    order_status_notify = fields.Boolean(
        string="Tell the Customer",
        help="Shopify e-mails the customer; in WooCommerce the note is one to the customer.",
    )

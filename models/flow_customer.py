from odoo import fields, models


class CommerceFlow(models.Model):
    """Customers of the store become contacts; what an existing contact says is the flow's owner's
    to decide."""

    _inherit = "commerce.flow"

    kind = fields.Selection(
        selection_add=[("customer", "Customers")], ondelete={"customer": "cascade"}
    )

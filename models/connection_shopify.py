from odoo import fields, models


class CommerceConnection(models.Model):
    """What a Shopify shop needs beside address and key."""

    _inherit = "commerce.connection"

    platform = fields.Selection(
        selection_add=[("shopify", "Shopify")], ondelete={"shopify": "cascade"}
    )

from odoo import fields, models


class CommerceConnection(models.Model):
    _inherit = "commerce.connection"

    platform = fields.Selection(selection_add=[("shelf", "Shelf")], ondelete={"shelf": "cascade"})

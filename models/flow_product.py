from odoo import api, fields, models

from ..adapters.documents import PRODUCT_FIELDS


class CommerceFlow(models.Model):
    """Which products the store sells, and what of them is Odoo's to say."""

    _inherit = "commerce.flow"

    kind = fields.Selection(
        selection_add=[("product", "Products")], ondelete={"product": "cascade"}
    )
    product_scope = fields.Selection(
        [
            ("bound", "Only those that are in the store already"),
            ("filter", "All that match the filter: what is not there yet is created"),
        ],
        string="Which Products",
        default="bound",
        required=True,
    )
    product_status = fields.Selection(
        [
            ("active", "On sale at once"),
            ("draft", "As a draft: the store's staff put it on sale"),
        ],
        string="New Products",
        default="active",
        required=True,
    )
    # What of a product is Odoo's to say. All else is left as the store has it, but for a new
    # product, which starts with all that Odoo knows.
    own_name = fields.Boolean("Name", default=True)
    own_description = fields.Boolean("Description", default=True)
    own_status = fields.Boolean(
        "On Sale or Not", default=True, help="An archived product is taken off sale."
    )
    own_category = fields.Boolean("Category", default=True)
    own_tags = fields.Boolean("Tags", default=True)
    own_images = fields.Boolean("Images", default=True)
    own_sku = fields.Boolean("SKU", default=True)
    own_barcode = fields.Boolean("Barcode", default=True)
    own_weight = fields.Boolean("Weight", default=True)
    own_price = fields.Boolean(
        "Price", default=False, help="Prices have a flow of their own; this is for those without."
    )

    @api.model
    def _ownable_fields(self):
        """``{name of a product's part: name of the field here}``"""
        return {name: f"own_{name}" for name in PRODUCT_FIELDS}

    def _owned_fields(self):
        """Names of :data:`PRODUCT_FIELDS` that are Odoo's to say, in their order."""
        return tuple(name for name, field in self._ownable_fields().items() if self[field])

import re

from odoo import api, fields, models
from odoo.exceptions import ValidationError

#: https://shopify.dev/docs/apps/build/custom-data/metafields/metafield-limits
NAMESPACE = re.compile(r"[A-Za-z0-9_-]{3,255}")


class CommerceConnection(models.Model):
    """What a Shopify shop needs beside address and key."""

    _inherit = "commerce.connection"

    platform = fields.Selection(
        selection_add=[("shopify", "Shopify")], ondelete={"shopify": "cascade"}
    )
    shopify_namespace = fields.Char(
        string="Namespace of Metafields",
        default="commerce_sync",
        help="Where the data of invoices is kept with an order. Themes and reports of the shop "
        "find it under this name; change it before the first invoice is sent.",
    )

    @api.constrains("shopify_namespace", "platform")
    def _check_shopify_namespace(self):
        for connection in self.filtered(lambda one: one.platform == "shopify"):
            if not NAMESPACE.fullmatch(connection.shopify_namespace or ""):
                raise ValidationError(
                    self.env._(
                        "A namespace of Shopify has at least 3 letters, digits, - and _, and no"
                        " spaces."
                    )
                )

    def _get_options(self):
        options = super()._get_options()
        if self.platform == "shopify":
            options |= {"metafield_namespace": self.shopify_namespace}
        return options

from odoo import fields, models


class CommerceConnection(models.Model):
    """What a WooCommerce store needs beside address and key."""

    _inherit = "commerce.connection"

    woo_permalinks = fields.Selection(
        [
            ("auto", "Find out"),
            ("pretty", "Pretty (/wp-json/...)"),
            ("plain", "Plain (?rest_route=)"),
        ],
        string="Permalinks",
        default="auto",
        required=True,
        help="How the store's addresses look: WordPress, Settings, Permalinks.",
    )
    woo_auth = fields.Selection(
        [
            ("auto", "By address (https: Basic, http: OAuth 1.0a)"),
            ("basic", "Basic"),
            ("oauth1", "OAuth 1.0a"),
        ],
        string="Sign-in",
        default="auto",
        required=True,
    )

    def _get_options(self):
        options = super()._get_options()
        if self.platform == "woocommerce":
            options |= {"permalinks": self.woo_permalinks, "auth": self.woo_auth}
        return options

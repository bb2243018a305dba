from odoo import api, fields, models
from odoo.exceptions import ValidationError


class CommerceFlow(models.Model):
    """Which price the store shows, in which currency, with taxes or without."""

    _inherit = "commerce.flow"

    kind = fields.Selection(selection_add=[("price", "Prices")], ondelete={"price": "cascade"})
    price_pricelist_id = fields.Many2one(
        "product.pricelist",
        string="Pricelist",
        check_company=True,
        help="Whose price for one piece is sent. Empty: the product's Sales Price.",
    )
    price_compare = fields.Selection(
        [
            ("none", "None"),
            ("list", "The product's Sales Price"),
            ("pricelist", "The price of another pricelist"),
        ],
        string="Price Before Reduction",
        default="none",
        required=True,
        help="Shown crossed out in the store, where it is higher than the price.",
    )
    price_compare_pricelist_id = fields.Many2one(
        "product.pricelist", string="Pricelist Before Reduction", check_company=True
    )
    price_taxes = fields.Selection(
        [("included", "With taxes"), ("excluded", "Without taxes")],
        string="Amounts",
        default=lambda self: self._default_price_taxes(),
        required=True,
        help="As the store expects its prices to be entered. The product's own customer taxes are "
        "added or taken out, where Odoo's price is the other way round.",
    )

    @api.model
    def _default_price_taxes(self):
        included = self.env.company.account_price_include == "tax_included"
        return "included" if included else "excluded"

    @api.constrains("kind", "price_compare", "price_compare_pricelist_id", "price_pricelist_id")
    def _check_price(self):
        for flow in self.filtered(lambda flow: flow.kind == "price"):
            if flow.price_compare == "pricelist" and not flow.price_compare_pricelist_id:
                raise ValidationError(
                    self.env._("Choose the pricelist of the price before reduction.")
                )
            problem = flow._price_currency_problem()
            if problem and flow.connection_id.store_currency:
                raise ValidationError(problem)

    def _price_currency(self):
        """The currency in which prices are sent: the pricelist's, else the company's."""
        company = self.connection_id.company_id
        return self.price_pricelist_id.currency_id or company.currency_id

    def _price_currency_problem(self):
        """Why these prices are not for this store, or an empty text. An amount in another currency
        would be taken for one in the store's."""
        store, currency = self.connection_id.store_currency, self._price_currency()
        if not store:
            return self.env._("the currency of the store is not known yet")
        if store == currency.name:
            return ""
        if self.price_pricelist_id:
            return self.env._(
                "pricelist %(pricelist)s is in %(currency)s, but the store's currency is %(store)s",
                pricelist=self.price_pricelist_id.name,
                currency=currency.name,
                store=store,
            )
        return self.env._(
            "the product's Sales Price is in %(currency)s, but the store's currency is %(store)s",
            currency=currency.name,
            store=store,
        )

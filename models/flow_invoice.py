from odoo import api, fields, models
from odoo.exceptions import ValidationError


class CommerceFlow(models.Model):
    """How an invoice gets to a store that has no object for invoices."""

    _inherit = "commerce.flow"

    invoice_meta = fields.Boolean(
        string="As Data of the Order",
        default=True,
        help="Number, dates, amounts, payment state and the link to the PDF are written to the "
        "order, for themes, plug-ins and reports of the store.",
    )
    invoice_note = fields.Selection(
        [
            ("none", "No note"),
            ("private", "Note for the store's staff"),
            ("customer", "Note to the customer (the store e-mails it)"),
        ],
        string="As a Note on the Order",
        default="private",
        required=True,
    )

    @api.constrains("invoice_meta", "invoice_note", "kind")
    def _check_invoice_carriers(self):
        for flow in self.filtered(lambda flow: flow.kind == "invoice"):
            if not flow._invoice_carriers():
                raise ValidationError(
                    self.env._("Choose at least one way for invoices to reach the store.")
                )

    def _invoice_carriers(self):
        """Technical names of the chosen carriers, as the adapter knows them."""
        carriers = ["meta"] if self.invoice_meta else []
        if self.invoice_note != "none":
            carriers.append(f"{self.invoice_note}_note")
        return carriers

from odoo import api, fields, models
from odoo.exceptions import ValidationError

#: A choice of the flow -> how the platforms call it; the first that is declared counts.
WAYS = {
    "data": ("meta", "metafield", "metadata"),
    "file": ("file",),
    "tag": ("tag",),
    "private": ("private_note", "note"),
    "customer": ("customer_note",),
    "none": (),
}


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

    invoice_tag = fields.Boolean(string="As a Tag of the Order")
    invoice_pdf = fields.Boolean(
        string="The PDF Itself",
        help="As a file of the store, where it keeps files. Odoo's own report, made once and kept. "
        "Without it, the link to the PDF is sent.",
    )
    has_invoice_file = fields.Boolean(compute="_compute_invoice_ways")
    has_invoice_tag = fields.Boolean(compute="_compute_invoice_ways")

    @api.depends("connection_id.platform", "kind")
    def _compute_invoice_ways(self):
        for flow in self:
            known = flow.connection_id.platform and flow._get_supported().get(flow.kind)
            declared = known.carriers if known else {}
            flow.has_invoice_file = "file" in declared
            flow.has_invoice_tag = "tag" in declared

    @api.constrains("invoice_meta", "invoice_note", "kind")
    def _check_invoice_carriers(self):
        for flow in self.filtered(lambda flow: flow.kind == "invoice"):
            if not flow._invoice_carriers():
                raise ValidationError(
                    self.env._("Choose at least one way for invoices to reach the store.")
                )

    def _invoice_carriers(self):
        """Technical names of the chosen carriers, as the adapter knows them.

        Each choice takes the platform's own way, if there is one; a platform that has none of the
        chosen ones gets the first it declares.
        """
        declared = self._get_supported()[self.kind].carriers
        chosen = [
            *(["data"] if self.invoice_meta else []),
            *(["file"] if self.invoice_pdf else []),
            *(["tag"] if self.invoice_tag else []),
            self.invoice_note,
        ]
        ways = [name for choice in chosen for name in WAYS[choice] if name in declared]
        return ways or (list(declared)[:1] if any(choice != "none" for choice in chosen) else [])

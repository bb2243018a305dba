import logging

from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..engine.database import transact
from ..mappers.invoice import PDF_PENDING, PDF_TRIES, pdf_failed

_logger = logging.getLogger(__name__)

#: Characters of a report's failure that staff are shown.
PDF_ERROR_LENGTH = 200
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
    pdf_missing = fields.Boolean(compute="_compute_pdf_missing")
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

    def _prints_pdf(self):
        state = self.env["ir.actions.report"].get_wkhtmltopdf_state()
        return state not in ("install", "broken")

    @api.depends("invoice_pdf")
    def _compute_pdf_missing(self):
        for flow in self:
            flow.pdf_missing = flow.invoice_pdf and not flow._prints_pdf()

    @api.private
    def _wake_printer(self):
        self.env.ref("commerce_sync.ir_cron_print").sudo()._trigger()

    @api.model
    def _cron_print(self):
        """Make the PDFs that jobs wait for, each in a transaction of its own. Odoo keeps them."""
        jobs = self.env["commerce.job"].search(
            [("state", "=", "pending"), ("error_code", "=", PDF_PENDING)]
        )
        for flow, waiting in jobs.grouped("flow_id").items():
            for move_id in waiting.mapped("res_id"):
                flow._print_apart(move_id)

    def _print_apart(self, move_id):
        """One PDF. A report that fails is noted on its invoice, and keeps no other waiting."""

        def in_transaction(work):
            transact(self.env.registry.cursor, lambda cr: work(self.with_env(self.env(cr=cr))))

        try:
            in_transaction(lambda flow: flow._print(move_id))
        except Exception as error:
            _logger.exception("the PDF of invoice %s could not be made", move_id)
            words = " ".join(str(error).split())[:PDF_ERROR_LENGTH] or type(error).__name__
            in_transaction(lambda flow: flow._note_failed_print(move_id, words))

    def _note_failed_print(self, move_id, words):
        move_sudo = self.env["account.move"].sudo().browse(move_id).exists()
        anew = move_sudo.commerce_pdf_tries >= PDF_TRIES
        move_sudo.write(
            {
                "commerce_pdf_tries": 1 if anew else move_sudo.commerce_pdf_tries + 1,
                "commerce_pdf_tried_at": fields.Datetime.now(),
                "commerce_pdf_error": words,
            }
        )

    def _print(self, move_id):
        """Make a posted invoice's PDF, unless there is one by now."""
        move = self.env["account.move"].browse(move_id).exists()
        if move.state != "posted" or move.invoice_pdf_report_id or pdf_failed(move):
            return
        company, user = self.company_id, self.connection_id.user_id
        send = self.env["account.move.send"].with_user(user).with_company(company)
        move = move.with_env(send.env)
        made = {move: {"pdf_report": send._get_default_pdf_report_id(move)}}
        send._prepare_invoice_pdf_report(made)
        values = made[move]["pdf_attachment_values"]
        self.env["ir.attachment"].sudo().create(values)
        move.invalidate_recordset(["invoice_pdf_report_id", "invoice_pdf_report_file"])

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
        if not self._prints_pdf():
            chosen = [choice for choice in chosen if choice != "file"]
        ways = [name for choice in chosen for name in WAYS[choice] if name in declared]
        return ways or (list(declared)[:1] if any(choice != "none" for choice in chosen) else [])

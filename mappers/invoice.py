"""Posted customer invoices of the store's orders -> invoices."""

from odoo import fields
from odoo.fields import Domain
from odoo.tools import SQL

from ..adapters.documents import Invoice, InvoiceLine, InvoiceTax
from ..adapters.errors import RateLimited
from .base import Mapper, Problem, Problems, Skip, register
from .money import money, quantity

#: Code of jobs that wait for the report; it costs them no try.
PDF_PENDING = "pdf_pending"
PDF_WAIT = 15.0
#: So often a report may fail before its document does; after a while (s) it is tried anew.
PDF_TRIES = 3
PDF_ANEW = 120.0


@register
class InvoiceMapper(Mapper):
    kind = "invoice"
    model = "account.move"
    resource = "invoice"
    binds = True
    move_type = "out_invoice"

    def due(self, record_ids=None):
        """Posted and cancelled customer invoices of orders of the store, in the flow's domain."""
        if record_ids is not None and not record_ids:
            return []
        moves = self.env[self.model]
        moves.flush_model(["move_type", "state"])
        self.env["account.move.line"].flush_model(["move_id", "sale_line_ids"])
        chosen = SQL("move.id IN %s", tuple(record_ids)) if record_ids else SQL("TRUE")
        self.env.cr.execute(
            SQL(
                """SELECT DISTINCT move.id
                     FROM account_move AS move
                     JOIN account_move_line AS line ON line.move_id = move.id
                     JOIN sale_order_line_invoice_rel AS link ON link.invoice_line_id = line.id
                     JOIN sale_order_line AS sold ON sold.id = link.order_line_id
                     JOIN commerce_binding AS binding
                          ON binding.res_id = sold.order_id AND binding.model = 'sale.order'
                         AND binding.resource = 'order' AND binding.connection_id = %s
                    WHERE move.move_type = %s AND move.state IN ('posted', 'cancel')
                      AND move.posted_before AND %s""",
                self.connection.id,
                self.move_type,
                chosen,
            )
        )
        found = [move_id for (move_id,) in self.env.cr.fetchall()]
        domain = self.flow._get_domain()
        if domain.is_true() or not found:
            return found
        return moves.sudo().search(domain & Domain("id", "in", found)).ids

    def prepare(self, records):
        orders = records.line_ids.sale_line_ids.order_id
        bindings = self.connection._bindings("order", orders)
        return {record.id: self._invoice(record, bindings) for record in records}

    def intro(self, label):
        return self.env._(
            "Cannot send invoice %(invoice)s to %(store)s",
            invoice=label,
            store=self.connection.name,
        )

    def _invoice(self, move, bindings):
        label = move.display_name if move.name in (False, "/") else move.name
        if not move.posted_before or move.state == "draft":
            return Skip(self.env._("The invoice is not posted."), label)
        bound = [order for order in move.line_ids.sale_line_ids.order_id if order.id in bindings]
        if not bound:
            return Skip(self.env._("The invoice belongs to no order of the store."), label)
        problems = self._problems(move, bound)
        if problems:
            return Problems(label, problems)
        if self._waits_for_pdf(move):
            if pdf_failed(move):
                return Problems(label, (self._no_pdf(move),))
            self.flow._wake_printer()
            return RateLimited(
                self.env._("%s: its PDF is being made.", label),
                hint=self.env._("Nothing to do: it is sent once the PDF is there."),
                code=PDF_PENDING,
                retry_after=PDF_WAIT,
            )
        return self._document(move, label, bindings[bound[0].id])

    def _waits_for_pdf(self, move):
        """Odoo's report is made by a scheduled action, never here: it takes seconds, and asks Odoo
        itself for its style sheets."""
        return (
            "file" in self.flow._invoice_carriers()
            and move.state == "posted"
            and not move.invoice_pdf_report_id
        )

    def _no_pdf(self, move):
        return Problem(
            self.env._("its PDF cannot be made (%s)", move.sudo().commerce_pdf_error),
            self.env._(
                "Print the invoice in Odoo, mend what is wrong with its report, wait two minutes "
                "and press Resend; or take 'The PDF Itself' off the flow."
            ),
        )

    def _problems(self, move, orders):
        found = [self._no_sku(number, line) for number, line in numbered(move) if not sku(line)]
        if len(orders) > 1:
            names = ", ".join(order.name for order in orders)
            found.append(
                Problem(
                    self.env._("it covers several orders of the store (%s)", names),
                    self.env._("Invoice each of them by itself, or send it by hand."),
                )
            )
        return tuple(found)

    def _no_sku(self, number, line):
        name = line.product_id.name or (line.name or "").split("\n")[0]
        return Problem(
            self.env._("line %(number)s '%(name)s' has no SKU", number=number, name=name),
            self.env._("Set the product's Internal Reference, then press Resend."),
        )

    def _document(self, move, label, order_binding):
        return Invoice(**self._values(move, label, order_binding))

    def _values(self, move, label, order_binding):
        currency = move.currency_id
        return {
            "label": label,
            "external_id": order_binding.external_id,
            "number": move.name,
            "date": move.invoice_date,
            "due_date": move.invoice_date_due,
            "currency": currency.name,
            "untaxed": money(move.amount_untaxed, currency),
            "tax": money(move.amount_tax, currency),
            "total": money(move.amount_total, currency),
            "residual": money(move.amount_residual, currency),
            "state": "cancelled" if move.state == "cancel" else "posted",
            "payment_state": move.payment_state,
            "lines": tuple(self._line(line, currency) for _number, line in numbered(move)),
            "taxes": tuple(self._taxes(move, currency)),
            "url": self._link(move),
            "carriers": tuple(self.flow._invoice_carriers()),
            "pdf": self._pdf(move),
        }

    def _line(self, line, currency):
        return InvoiceLine(
            sku=sku(line),
            name=(line.name or line.product_id.name or "").split("\n")[0],
            quantity=quantity(line.quantity),
            unit_price=quantity(line.price_unit),
            subtotal=money(line.price_subtotal, currency),
            total=money(line.price_total, currency),
        )

    def _taxes(self, move, currency):
        """Odoo's own totals by tax group, in the invoice's currency."""
        totals = move.tax_totals or {}
        for subtotal in totals.get("subtotals", ()):
            for group in subtotal["tax_groups"]:
                yield InvoiceTax(
                    name=group["group_name"],
                    base=money(group["base_amount_currency"], currency),
                    amount=money(group["tax_amount_currency"], currency),
                )

    def _pdf(self, move):
        """The file Odoo keeps of the invoice, where a carrier delivers it."""
        if "file" not in self.flow._invoice_carriers():
            return b""
        return move.sudo().invoice_pdf_report_id.raw or b""

    def _link(self, move):
        """A link that works without signing in: to the PDF or, on a server that cannot make one,
        to the same as a web page."""
        state = self.env["ir.actions.report"].get_wkhtmltopdf_state()
        if state in ("install", "broken"):
            return move.get_base_url() + move.get_portal_url(report_type="html")
        return move.get_base_url() + move.get_portal_url(report_type="pdf", download=True)


def pdf_failed(move):
    """Whether the report failed for good, until it is tried anew."""
    move_sudo = move.sudo()
    tried_at = move_sudo.commerce_pdf_tried_at
    if move_sudo.commerce_pdf_tries < PDF_TRIES or not tried_at:
        return False
    return (fields.Datetime.now() - tried_at).total_seconds() < PDF_ANEW


def numbered(move):
    """``(number, line)`` of the lines that sell something, counted as the form shows them."""
    lines = move.invoice_line_ids.filtered(lambda line: line.display_type == "product")
    return enumerate(lines.sorted("sequence"), start=1)


def sku(line):
    """The SKU of an invoice line, or an empty string."""
    return line.product_id.default_code or ""

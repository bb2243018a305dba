"""Payments of the store's orders -> payments on the invoice, or notes on the order."""

from decimal import Decimal

from odoo.exceptions import UserError

from .links import Links


class OrderPayments:
    """Takes each payment once: the store's id of it is bound, or remembered as noted."""

    def __init__(self, mapper, memory):
        self.env = mapper.env
        self.flow = mapper.flow
        self.connection = mapper.connection
        self.links = Links(mapper.connection)
        self.memory = memory

    def take_in(self, order, record):
        """:return: whether anything was new"""
        if self.flow.order_payment == "none":
            return False
        paid = [one for one in order.payments if one.kind == "payment" and one.amount > 0]
        bound = self.links.find_ids("payment", [one.external_id for one in paid])
        open_ones = [one for one in paid if one.external_id not in bound]
        news = False
        for payment in open_ones:
            news |= self.memory.tell(record, self._sentence(payment))
        self.memory.keep("payments", [_as_plain(payment) for payment in open_ones])
        return self.settle(record) or news

    def settle(self, record):
        """Register what is remembered as paid on the posted invoices of a sales order.

        :return: whether any was registered
        """
        if self.flow.order_payment != "invoice":
            return False
        left = []
        for payment in self.memory.get("payments", []):
            if not self._register(record, payment):
                left.append(payment)
        done = len(left) < len(self.memory.get("payments", []))
        self.memory.keep("payments", left)
        return done

    def _register(self, record, payment):
        invoice = record.invoice_ids.filtered(
            lambda move: (
                move.move_type == "out_invoice"
                and move.state == "posted"
                and move.payment_state in ("not_paid", "partial")
            )
        )[:1]
        if not invoice:
            return False
        journal = self._get_journal(payment["method"])
        if not journal:
            note = self.env._(
                "The payment by '%s' is not registered: map this way of paying to a journal under "
                "Configuration > Mappings.",
                payment["title"] or payment["method"],
            )
            self.memory.tell(record, note)
            return False
        try:
            with self.env.cr.savepoint():
                made = self._pay(invoice, journal, payment)
        except UserError as error:
            note = self.env._("The payment cannot be registered: %s", error)
            self.memory.tell(record, note)
            return False
        self.links.claim("payment", made, payment["id"], parent_id=payment["order"])
        return True

    def _pay(self, invoice, journal, payment):
        wizard = (
            self.env["account.payment.register"]
            .with_context(active_model="account.move", active_ids=invoice.ids)
            .create(
                {
                    "journal_id": journal.id,
                    "amount": float(Decimal(payment["amount"])),
                    "currency_id": invoice.currency_id.id,
                    "payment_date": payment["at"] or invoice.invoice_date,
                    "communication": payment["transaction"] or payment["id"],
                }
            )
        )
        return wizard._create_payments()

    def _get_journal(self, method):
        found = self.links.find("payment_method", [method]).get(method)
        if not found:
            return None
        chosen = self.env[found.model].browse(found.res_id).exists()
        return chosen if found.model == "account.journal" else chosen.journal_id

    def _sentence(self, payment):
        return self.env._(
            "Paid in %(store)s: %(amount)s %(currency)s, %(title)s, transaction %(transaction)s.",
            store=self.connection.name,
            amount=payment.amount,
            currency=payment.currency,
            title=payment.title or payment.method or "-",
            transaction=payment.transaction_id or "-",
        )


def _as_plain(payment):
    return {
        "id": payment.external_id,
        "order": payment.external_id.partition(":")[0],
        "method": payment.method,
        "title": payment.title,
        "transaction": payment.transaction_id,
        "amount": str(payment.amount),
        "at": payment.at.date().isoformat() if payment.at else "",
    }

"""Orders of stores -> sales orders."""

from decimal import Decimal

from odoo import Command
from odoo.fields import Datetime, Domain

from ..adapters.errors import ValidationFailed
from .base import Mapper, Problem, Problems, register
from .customer import Customers
from .links import Links
from .money import money
from .order_lines import OrderLines, line_key
from .order_notices import Memory
from .order_payment import OrderPayments
from .order_refund import OrderRefunds
from .order_shipment import OrderShipments
from .order_update import OrderUpdate, lines_digest, places_digest


@register
class OrderMapper(Mapper):
    kind = "order"
    model = "sale.order"
    resource = "order"

    def intro(self, label):
        return self.env._(
            "Cannot import order %(order)s from %(store)s",
            order=label,
            store=self.connection.name,
        )

    def apply(self, order):
        """Make the sales order, or bring it up to date. Idempotent by binding.

        :param Order order: from the store
        :return: ``(sales order, outcome, a sentence for the log)``
        :raise ValidationFailed: with all that stands in the way
        """
        binding = self._get_binding(order)
        record = self.env[self.model].browse(binding.res_id).exists()
        if binding and not record:
            return record, "skipped", self.env._("The sales order was deleted in Odoo.")
        seen = binding.external_updated_at
        if record and seen and order.updated_at and order.updated_at < seen:
            return record, "stale", self.env._("Odoo has seen a newer version of this order.")
        if not record and order.cancelled:
            return record, "skipped", self.env._("The order was cancelled before it was imported.")
        if record:
            return self._update(order, record)
        record = self._create(order)
        self._confirm(order, record)
        self._take_in_rest(order, record)
        return record, "created", ""

    def remember(self, record, order):
        """Bind the sales order and keep how old what we know is."""
        if not record:
            return
        binding = self._get_binding(order)
        seen = binding.external_updated_at
        if order.updated_at and (not seen or order.updated_at > seen):
            binding.external_updated_at = order.updated_at

    def _get_binding(self, order):
        return self.connection.env["commerce.binding"].search(
            Domain("connection_id", "=", self.connection.id)
            & Domain("resource", "=", self.resource)
            & Domain("external_id", "=", order.external_id),
            limit=1,
        )

    # === CREATE === #

    def _create(self, order):
        commands = self._prepare_lines(order)
        customers = Customers(self)
        customer = customers.find(order)
        record = self.env[self.model].create(
            self._prepare_order(order, customer)
            | {
                "partner_invoice_id": customers.find_invoice(order, customer).id,
                "partner_shipping_id": customers.find_delivery(order, customer).id,
                "order_line": commands,
            }
        )
        currency = self._get_currency(order)
        if record.currency_id != currency:
            # Odoo computes it from the pricelist, and there may be none in the store's currency.
            record.currency_id = currency
        Links(self.connection).claim(
            self.resource, record, order.external_id, external_ref=order.number
        )
        memory = self._get_memory(order)
        memory.keep("lines", lines_digest(order))
        memory.keep("places", places_digest(order))
        for note in customers.notes:
            memory.tell(record, note)
        self._bind_lines(order, record)
        self._check_total(order, record)
        return record

    def _prepare_lines(self, order):
        """``Command`` s that create the lines.

        :raise ValidationFailed: with all that stands in the way
        """
        lines = OrderLines(self, order)
        commands = lines.prepare()
        problems = lines.problems + self._get_problems(order)
        if problems:
            raise Problems(order.label, tuple(problems)).as_error(self.intro(order.label))
        return commands

    def _bind_lines(self, order, record):
        """Each line of the store <-> the line of the sales order that was made of it."""
        made = record.order_line.sorted("id")
        pairs = [(line, line_key(theirs)) for line, theirs in zip(made, order.lines, strict=True)]
        Links(self.connection).bind("order_line", pairs, parent_id=order.external_id)

    def _prepare_order(self, order, customer):
        return {
            "partner_id": customer.id,
            "company_id": self.connection.company_id.id,
            "client_order_ref": order.number,
            "origin": f"{self.connection.name} {order.label}",
            "date_order": order.created_at or Datetime.now(),
            "pricelist_id": self._get_pricelist(order, customer).id,
            "currency_id": self._get_currency(order).id,
            "note": order.note or False,
            **self.flow._prepare_order_defaults(),
            **self._prepare_warehouse(order),
        }

    def _get_pricelist(self, order, customer):
        """The customer's, or else one in the currency of the order; prices are the store's."""
        currency = self._get_currency(order)
        own = customer.property_product_pricelist
        if own.currency_id == currency:
            return own
        lists = self.env["product.pricelist"]
        company = self.connection.company_id
        return lists.search(
            [("currency_id", "=", currency.id), ("company_id", "in", [False, company.id])], limit=1
        )

    def _prepare_warehouse(self, order):
        """The warehouse of the store's place that sold or ships the order, where it is mapped."""
        found = Links(self.connection).find("location", [order.location_id])
        binding = found.get(order.location_id)
        if not binding:
            return {}
        place = self.env[binding.model].browse(binding.res_id).exists()
        warehouse = place.warehouse_id if binding.model == "stock.location" else place
        return {"warehouse_id": warehouse.id} if warehouse else {}

    def _get_currency(self, order):
        return (
            self.env["res.currency"]
            .with_context(active_test=False)
            .search([("name", "=", order.currency)], limit=1)
        )

    def _get_problems(self, order):
        problems = []
        currency = self._get_currency(order)
        if not currency.active:
            problems.append(
                Problem(
                    self.env._("the currency %s is not active in Odoo", order.currency),
                    self.env._("Activate it under Accounting, then press Resend."),
                )
            )
        if not order.lines:
            problems.append(Problem(self.env._("it has no lines")))
        return problems

    def _check_total(self, order, record):
        """Odoo's total equals the store's to the cent, or the order is not taken in."""
        difference = order.total - money(record.amount_total, record.currency_id)
        if not difference:
            return
        if abs(difference) <= Decimal(str(self.flow.order_rounding)):
            record.order_line = [Command.create(self.flow._prepare_rounding_line(difference))]
            return
        message = self.env._(
            "%(intro)s: Odoo computes a total of %(here)s where the store charged %(there)s.",
            intro=self.intro(order.label),
            here=record.amount_total,
            there=order.total,
        )
        hint = self.env._(
            "Compare the taxes of both sides (included in the price or not, percentage, rounding), "
            "then press Resend; or allow a rounding line on the flow."
        )
        raise ValidationFailed(message, hint=hint, code="total_differs")

    def _confirm(self, order, record):
        when = self.flow.order_confirm
        if when == "always" or (when == "paid" and order.paid):
            record.action_confirm()
            if record.date_order and order.created_at:
                record.date_order = order.created_at  # confirming says "now"

    # === UPDATE === #

    def _update(self, order, record):
        """What of a later version Odoo's own state still permits."""
        outcome, note = OrderUpdate(self, self._get_memory(order), record).apply(order)
        if record.state in ("draft", "sent") and not order.cancelled:
            self._confirm(order, record)
        if self._take_in_rest(order, record) and outcome == "unchanged":
            outcome = "updated"
        return record, outcome, note

    def _take_in_rest(self, order, record):
        """Payments, refunds and shipments of the store.

        :return: whether any was new
        """
        if not (order.payments or order.refunds or order.shipments):
            return False
        memory = self._get_memory(order)
        news = OrderPayments(self, memory).take_in(order, record)
        news |= OrderRefunds(self, memory).take_in(order, record)
        return OrderShipments(self, memory).take_in(order, record) or news

    def _get_memory(self, order):
        return Memory(self._get_binding(order))

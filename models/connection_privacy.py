import json
from contextlib import suppress

from markupsafe import Markup
from odoo import api, fields, models
from odoo.tools import SQL

from ..engine.database import NOW

ACTIVITY = "commerce_sync.activity_type_privacy"
WIPED = "(deleted for data protection)"


class CommerceConnection(models.Model):
    """Data protection: what is held of a customer of the store, and having it forgotten.

    What the queue, the log and the bindings hold is wiped at once; Odoo's own contacts and
    documents are left to a person, who knows what the law wants kept.
    """

    _inherit = "commerce.connection"

    body_days = fields.Integer(
        string="Keep Messages (Days)",
        default=30,
        help="What stores have sent is deleted after so many days, unless its job still waits or "
        "has failed.",
    )

    _body_days_positive = models.Constraint(
        "CHECK(body_days >= 1)", "Messages are kept for a day at least."
    )

    @api.private
    def _heed_privacy(self, topic, body):
        """A request that the platform sends on (Shopify's mandatory topics)."""
        with suppress(ValueError, RecursionError, TypeError, AttributeError):
            message = json.loads(body)
            customer = message.get("customer") or {}
            orders = message.get("orders_to_redact") or message.get("orders_requested") or ()
            known = {
                "customer_id": str(customer.get("id") or ""),
                "email": str(customer.get("email") or ""),
                "order_ids": [str(number) for number in orders],
            }
            if topic == "customers/data_request":
                self._report_privacy(self.env._("A customer wants to know what is held"), **known)
            elif topic == "customers/redact":
                self._redact_customer(**known)
            elif topic == "shop/redact":
                self._redact_everything()

    def _report_privacy(self, summary, customer_id="", email="", order_ids=()):
        """An activity with what Odoo holds, for the person in charge."""
        held = self._held_of(customer_id, email, order_ids)
        lines = [
            Markup("<li>%s: %s</li>") % (record._description, record.sudo().display_name)
            for record in held
        ]
        none = self.env._("Nothing of this customer was found.")
        note = (
            Markup("<ul>%s</ul>") % Markup("").join(lines) if lines else Markup("<p>%s</p>") % none
        )
        self.activity_schedule(
            ACTIVITY,
            summary=summary,
            note=note,
            user_id=(self.responsible_id or self.user_id).id,
        )

    def _redact_customer(self, customer_id="", email="", order_ids=()):
        """Forget a customer, but for Odoo's own records, which a person is asked to look at."""
        self._report_privacy(
            self.env._("A customer is to be forgotten: see to these"), customer_id, email, order_ids
        )
        partners, orders = self._bound_people(customer_id, email, order_ids)
        external = {"order": [*order_ids, *orders.values()], "customer": [customer_id]}
        self._wipe_states(list(partners), list(orders))
        for kind, ids in external.items():
            self._wipe_log(
                SQL("kind = %s AND external_id = ANY(%s)", kind, list(filter(None, ids)))
            )
        self.env["commerce.binding"].sudo().search(
            [
                ("connection_id", "=", self.id),
                ("resource", "in", ("customer", "address")),
                ("model", "=", "res.partner"),
                ("res_id", "in", list(partners)),
            ]
        ).unlink()

    def _redact_everything(self):
        """The shop is gone, or wants to be forgotten."""
        self._wipe_log(SQL("TRUE"))
        self.env.cr.execute(
            SQL(
                """UPDATE commerce_sync_state SET content = NULL, seen = NULL
                    WHERE flow_id IN (SELECT id FROM commerce_flow WHERE connection_id = %s)""",
                self.id,
            )
        )
        self.env["commerce.binding"].sudo().search(
            [("connection_id", "=", self.id), ("resource", "in", ("customer", "address"))]
        ).unlink()
        self.env.invalidate_all()
        self._report_privacy(
            self.env._("%s is to be forgotten: see to its customers in Odoo", self.name)
        )

    # === WHAT IS HELD === #

    def _bound_people(self, customer_id, email, order_ids):
        """``({partner id: external id or ""}, {sales order id: external id})``"""
        keys = [key for key in (customer_id, f"email:{email.lower()}" if email else "") if key]
        same_email = self.env["res.partner"].sudo()
        if email:
            same_email = same_email.search([("email_normalized", "=", email.lower())])
        bindings = self.env["commerce.binding"].sudo()
        partners = bindings.search(
            [
                ("connection_id", "=", self.id),
                ("resource", "=", "customer"),
                "|",
                ("external_id", "in", keys),
                ("res_id", "in", same_email.ids),
            ]
        )
        people = dict.fromkeys(same_email.ids, "")
        people |= {binding.res_id: binding.external_id for binding in partners}
        sales = self.env["sale.order"].sudo().search([("partner_id", "child_of", list(people))])
        orders = bindings.search(
            [
                ("connection_id", "=", self.id),
                ("resource", "=", "order"),
                "|",
                ("external_id", "in", list(order_ids)),
                ("res_id", "in", sales.ids),
            ]
        )
        return people, {binding.res_id: binding.external_id for binding in orders}

    def _held_of(self, customer_id, email, order_ids):
        """Records of Odoo that hold something of a customer."""
        people, orders = self._bound_people(customer_id, email, order_ids)
        sales = self.env["sale.order"].sudo().browse(list(orders)).exists()
        partners = self.env["res.partner"].sudo().browse(list(people)).exists()
        if email:
            partners |= partners.search([("email_normalized", "=", email.lower())])
        return [*partners, *sales, *sales.invoice_ids]

    # === WIPING === #

    def _wipe_states(self, partner_ids, order_ids):
        moves = self.env["sale.order"].sudo().browse(order_ids).exists().invoice_ids
        for model, ids in (
            ("res.partner", partner_ids),
            ("sale.order", order_ids),
            ("account.move", moves.ids),
        ):
            of_records = SQL("model = %s AND res_id = ANY(%s)", model, list(ids))
            self._wipe_log(of_records, events=False)
            self.env.cr.execute(
                SQL(
                    """UPDATE commerce_sync_state SET content = NULL, seen = NULL
                        WHERE flow_id IN (SELECT id FROM commerce_flow WHERE connection_id = %s)
                          AND %s""",
                    self.id,
                    of_records,
                )
            )
        self.env.invalidate_all()

    def _wipe_log(self, condition, events=True):
        """Jobs and attempts (and events) stay, without what they say of anybody."""
        self.env.flush_all()
        values = {"id": self.id, "condition": condition, "wiped": WIPED, "now": NOW}
        statements = [
            """UPDATE commerce_attempt SET request_summary = NULL, response_summary = NULL,
                      traceback = NULL,
                      error_message = CASE WHEN error_message IS NOT NULL THEN %(wiped)s END,
                      document = CASE WHEN kind = 'customer' THEN %(wiped)s ELSE document END
                WHERE connection_id = %(id)s AND %(condition)s""",
            """UPDATE commerce_job SET progress = NULL,
                      error_message = CASE WHEN error_message IS NOT NULL THEN %(wiped)s END,
                      document = CASE WHEN kind = 'customer' THEN %(wiped)s ELSE document END
                WHERE connection_id = %(id)s AND %(condition)s""",
        ]
        if events:
            statements.append(
                """UPDATE commerce_webhook_event SET body = NULL, wiped_at = %(now)s
                    WHERE connection_id = %(id)s AND %(condition)s"""
            )
        for statement in statements:
            self.env.cr.execute(SQL(statement, **values))
        self.env.invalidate_all()


class CommerceWebhookEvent(models.Model):
    _inherit = "commerce.webhook.event"

    @api.autovacuum
    def _gc_bodies(self):
        """Wipe messages that are no longer needed, in bounded batches."""
        limit = 5000
        self.env.cr.execute(
            SQL(
                """UPDATE commerce_webhook_event SET body = NULL, wiped_at = %(now)s
                    WHERE id IN (
                        SELECT event.id FROM commerce_webhook_event AS event
                          JOIN commerce_connection AS connection
                               ON connection.id = event.connection_id
                         WHERE event.body IS NOT NULL
                           AND event.received_at
                               < %(now)s - connection.body_days * interval '1 day'
                           AND NOT EXISTS (
                               SELECT 1 FROM commerce_job AS job
                                WHERE job.model = 'commerce.webhook.event'
                                  AND job.res_id = event.id
                                  AND job.state IN ('pending', 'running', 'failed'))
                         LIMIT %(limit)s)""",
                now=NOW,
                limit=limit,
            )
        )
        wiped = self.env.cr.rowcount
        self.invalidate_model(["body", "wiped_at"])
        return wiped, int(wiped == limit)

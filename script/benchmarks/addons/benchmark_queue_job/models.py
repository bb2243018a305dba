"""The shortest connector there can be: read the record, make one request."""

import requests
from odoo import models

# A process keeps its line to the store: most connectors do not.
_session = requests.Session()
_session.auth = ("ck_benchmark", "cs_benchmark")


def put(url, values):
    response = _session.put(url, json=values, timeout=60)
    response.raise_for_status()
    return response.json()


class ProductProduct(models.Model):
    _inherit = "product.product"

    def push_stock(self, api):
        self.ensure_one()
        put(f"{api}/products/{self.id}", {"stock_quantity": int(self.free_qty)})


class AccountMove(models.Model):
    _inherit = "account.move"

    def send_invoice(self, api):
        self.ensure_one()
        order = self.line_ids.sale_line_ids.order_id
        value = {
            "number": self.name,
            "date": self.invoice_date.isoformat(),
            "currency": self.currency_id.name,
            "untaxed": self.amount_untaxed,
            "tax": self.amount_tax,
            "total": self.amount_total,
            "state": self.state,
            "payment_state": self.payment_state,
            "url": self.get_base_url() + self.get_portal_url(report_type="pdf", download=True),
        }
        put(f"{api}/orders/{order.id}", {"meta_data": [{"key": "invoice", "value": value}]})

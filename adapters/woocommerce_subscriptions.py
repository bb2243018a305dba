"""Which of its webhooks a WooCommerce store sends where.

https://woocommerce.github.io/woocommerce-rest-api-docs/#webhooks
"""

from .errors import Missing

WEBHOOKS = "webhooks"
PER_PAGE = 100
#: A refund comes as an update of its order.
TOPICS = {
    "order": ("order.created", "order.updated", "order.deleted", "order.restored"),
    "customer": ("customer.created", "customer.updated", "customer.deleted"),
    "product": ("product.created", "product.updated", "product.deleted", "product.restored"),
}


class SubscriptionMixin:
    """Needs ``_api(method, path, ...)``."""

    webhook_topics = TOPICS

    def subscriptions(self):
        found, number = [], 1
        while True:
            params = {"per_page": PER_PAGE, "page": number, "orderby": "id", "order": "asc"}
            rows = self._api("GET", WEBHOOKS, params=params).json()
            found += [
                {
                    "id": str(row["id"]),
                    "topic": (row.get("topic") or "").lower(),
                    "uri": row.get("delivery_url") or "",
                    "active": row.get("status") == "active",
                }
                for row in rows
            ]
            if len(rows) < PER_PAGE:
                return found
            number += 1

    def subscribe(self, topic, uri, secret=""):
        """The store never says which secret it signs with, so it is told again each time."""
        wanted = {"status": "active", "secret": secret}
        known = [row for row in self.subscriptions() if (row["topic"], row["uri"]) == (topic, uri)]
        if known:
            self._api("PUT", f"{WEBHOOKS}/{known[0]['id']}", json=wanted)
            return
        wanted |= {"name": f"Odoo {topic}", "topic": topic, "delivery_url": uri}
        self._api("POST", WEBHOOKS, json=wanted)

    def unsubscribe(self, subscription_id):
        try:
            self._api("DELETE", f"{WEBHOOKS}/{subscription_id}", params={"force": "true"})
        except Missing:
            return  # gone already

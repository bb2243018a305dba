"""Shopify, Admin GraphQL API.

https://shopify.dev/docs/api/admin-graphql
"""

import time
from urllib.parse import urlsplit

from .base import Adapter, Capabilities, CredentialField, FlowSupport, register
from .errors import AuthenticationFailed, RateLimited, SyncError
from .failures import host_of, malformed_error
from .shopify_auth import SignIn
from .shopify_budget import Budget
from .shopify_bulk import BulkMixin
from .shopify_catalog import PER_PAGE, CatalogMixin
from .shopify_check import CheckMixin
from .shopify_configuration import ConfigurationMixin
from .shopify_credit_note import CreditNoteMixin
from .shopify_customers import CustomerMixin
from .shopify_errors import interpret, query_error
from .shopify_inventory import BATCH_SIZE, InventoryMixin
from .shopify_invoice import CARRIERS, InvoiceMixin
from .shopify_orders import OrderMixin
from .shopify_price import PRICE_BATCH, PriceMixin
from .shopify_product import LIMITS, ProductMixin
from .shopify_reading import ReadingMixin
from .shopify_shipment import ShipmentMixin
from .shopify_status import OrderStatusMixin
from .shopify_stock import StockReadingMixin
from .shopify_webhooks import WebhookMixin

#: Quarterly, each supported for a year at least: https://shopify.dev/docs/api/usage/versioning
ADMIN_VERSION = "2026-10"
#: What a shop may still be pinned to; every document of ours is valid in each.
SUPPORTED_VERSIONS = ("2026-01", "2026-04", "2026-07", "2026-10")
GRAPHQL_PATH = "admin/api/{version}/graphql.json"
#: Longer than this a thread does not wait for points: the jobs go back to the queue.
LONGEST_PAUSE = 10.0
#: https://help.shopify.com/en/manual/shopify-admin
ADMIN = "https://admin.shopify.com/store/{name}"


@register
class ShopifyAdapter(
    CheckMixin,
    InventoryMixin,
    PriceMixin,
    ProductMixin,
    BulkMixin,
    ReadingMixin,
    InvoiceMixin,
    CreditNoteMixin,
    ShipmentMixin,
    OrderStatusMixin,
    CatalogMixin,
    ConfigurationMixin,
    StockReadingMixin,
    OrderMixin,
    CustomerMixin,
    WebhookMixin,
    Adapter,
):
    """One Shopify shop.

    ``options``:

    * ``metafield_namespace``: where invoices are kept (default ``commerce_sync``)
    * ``tag_text``, ``note_text``, ``cancelled_note_text``: the shop's own wording, see
      :class:`InvoiceMixin`
    * ``verify_tls``: ``True`` (default), ``False``, or the path of a file with authorities
    """

    platform = "shopify"
    label = "Shopify"
    address_help = "The shop's own address, e.g. https://example.myshopify.com"
    credential_fields = (
        CredentialField(
            "client_id",
            "Client ID",
            "Of an app made in Shopify's Dev Dashboard and installed in the shop.",
            required=False,
        ),
        CredentialField(
            "client_secret",
            "Client Secret",
            "Of the same app. It also signs what the shop sends to Odoo.",
            required=False,
        ),
        CredentialField(
            "access_token",
            "Access Token",
            "Only where the app has one that lasts; then it is used as it is.",
            required=False,
        ),
        CredentialField(
            "webhook_secret",
            "Webhook Secret",
            "Only for webhooks made in the shop's admin (Settings > Notifications > Webhooks), "
            "which shows it there. Those of the app are signed with the client secret.",
            required=False,
        ),
    )
    capabilities = Capabilities(
        outbound={
            "inventory": FlowSupport(batch=BATCH_SIZE, idempotent=True, compare_and_set=True),
            "price": FlowSupport(batch=PRICE_BATCH),
            "product": FlowSupport(batch=1, limits=LIMITS),
            "invoice": FlowSupport(batch=1, carriers=CARRIERS),
            "credit_note": FlowSupport(batch=1, idempotent=True, carriers=CARRIERS),
            "shipment": FlowSupport(batch=1),
            "order_status": FlowSupport(batch=1),
        },
        inbound={
            "variant": FlowSupport(batch=PER_PAGE),
            "order": FlowSupport(batch=PER_PAGE),
            "customer": FlowSupport(),
            "location": FlowSupport(batch=PER_PAGE),
            "tax": FlowSupport(batch=PER_PAGE),
            "carrier": FlowSupport(batch=PER_PAGE),
            "payment_method": FlowSupport(batch=PER_PAGE),
        },
        locations=True,
        stock_decimals=0,
    )
    #: Which of the credentials may sign webhooks: those of the app, and those made by hand.
    webhook_secret_names = ("client_secret", "webhook_secret")
    version = ADMIN_VERSION

    def __init__(self, settings, client):
        super().__init__(settings, client)
        client.verify = settings.options.get("verify_tls", client.verify)
        client.hide(*settings.credentials.values())
        self._sign_in = SignIn(client, settings.credentials, self.host)
        self._budget = Budget()

    @property
    def host(self):
        """What the shop is called in messages."""
        return host_of(self.settings.address)

    # === REQUESTS === #

    def _query(self, document, **variables):
        """Read something.

        :param document: one of :mod:`shopify_queries`
        :return: ``data`` of the answer
        :raise SyncError: typed, never uncertain: nothing was changed
        """
        try:
            return self._graphql(document, variables)
        except SyncError as error:
            error.uncertain = False
            raise

    def _mutate(self, document, **variables):
        """Change something.

        :return: ``(payload, userErrors)`` of the one mutation in ``document``
        """
        data = self._graphql(document, variables)
        payload = next(iter(data.values()), None)
        if not isinstance(payload, dict):
            raise malformed_error("POST", self.settings.address, is_page=False)
        return payload, list(payload.get("userErrors") or ())

    def _graphql(self, document, variables):
        name = operation_name(document)
        self._pause(name)
        body = {"operationName": name, "variables": variables, "query": document.strip()}
        answer = self._signed_in(body)
        cost = (answer.get("extensions") or {}).get("cost") or {}
        self._learn(name, cost)
        if answer.get("errors"):
            raise query_error(answer["errors"], self.host, self._budget.wait_for(cost))
        if not isinstance(answer.get("data"), dict):
            raise malformed_error("POST", self.settings.address, is_page=False)
        return answer["data"]

    def _signed_in(self, body):
        """The answer to ``body``; a fetched token that is no longer accepted is renewed once."""
        auth = self._sign_in.auth()
        try:
            return self._send(body, auth)
        except AuthenticationFailed as error:
            if error.code != "401" or not self._sign_in.renewable:
                raise
        return self._send(body, self._sign_in.auth(refused=auth.token))

    def _send(self, body, auth):
        response = self.client.request(
            "POST",
            GRAPHQL_PATH.format(version=self.version),
            json=body,
            auth=auth,
            interpret=lambda response: interpret(response, self.host),
        )
        answer = response.json()
        if not isinstance(answer, dict):
            raise malformed_error("POST", response.url, is_page=False)
        return answer

    def _pause(self, name):
        wait = self._budget.reserve(name)
        if wait > LONGEST_PAUSE:
            self._budget.give_back(name)
            raise RateLimited(
                f"{self.host} lets us send no more for a moment.",
                hint="Nothing to do: the request is sent again later.",
                code="budget",
                retry_after=wait,
            )
        if wait:
            time.sleep(wait)

    def _learn(self, name, cost):
        """Take what an answer says of the points that are left, and tell the other workers."""
        if not cost:
            return
        self._budget.learn(name, cost)
        short = self._budget.shortage(name)
        if short and self.client.put_off:
            self.client.put_off(short)

    # === LINKS === #

    def record_url(self, kind, external_id, parent_id=""):
        """Of a product, variant or order in the shop's administration."""
        if not external_id:
            return ""
        name = urlsplit(self.settings.address).hostname or ""
        if name.endswith(".myshopify.com"):
            admin = ADMIN.format(name=name.removesuffix(".myshopify.com"))
        else:
            admin = f"{self.settings.address}/admin"
        if kind in ("order", "invoice", "credit_note", "shipment", "order_status"):
            order = parent_id or external_id
            return f"{admin}/orders/{order.partition(':')[0]}"
        if kind == "variant" and parent_id:
            return f"{admin}/products/{parent_id}/variants/{external_id}"
        return f"{admin}/products/{external_id}"


def operation_name(document):
    """``"query Shop { ..."`` -> ``"Shop"``"""
    return document.split(None, 2)[1].partition("(")[0]

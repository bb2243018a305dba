"""WooCommerce, REST API v3.

https://developer.woocommerce.com/docs/apis/rest-api/v3/ and, with examples,
https://woocommerce.github.io/woocommerce-rest-api-docs/
"""

import re
from urllib.parse import urlsplit

from .base import Adapter, Capabilities, CredentialField, FlowSupport, register
from .errors import SyncError
from .failures import host_of
from .http import ANONYMOUS
from .oauth1 import OAuth1
from .woocommerce_catalog import CatalogMixin
from .woocommerce_check import CheckMixin
from .woocommerce_configuration import ConfigurationMixin
from .woocommerce_credit_note import CreditNoteMixin
from .woocommerce_customers import CustomerMixin
from .woocommerce_errors import KEYS_PLACE, interpret
from .woocommerce_inventory import BATCH_SIZE, InventoryMixin
from .woocommerce_invoice import CARRIERS, InvoiceMixin
from .woocommerce_orders import OrderMixin
from .woocommerce_price import PriceMixin
from .woocommerce_product import LIMITS, ProductMixin
from .woocommerce_reading import ReadingMixin
from .woocommerce_shipment import ShipmentMixin
from .woocommerce_status import OrderStatusMixin
from .woocommerce_stock import StockReadingMixin
from .woocommerce_subscriptions import SubscriptionMixin
from .woocommerce_terms import TermMixin
from .woocommerce_webhooks import WebhookMixin

NAMESPACE = "wc/v3"
#: With "pretty" permalinks: https://developer.wordpress.org/rest-api/key-concepts/#routes-endpoints
PRETTY_PREFIX = "wp-json"
#: With "plain" ones: https://developer.wordpress.org/rest-api/discovery/. The script is named
#: because WordPress and RFC 5849 sign the bare path "/" differently.
PLAIN_SCRIPT = "index.php"
PLAIN_PARAMETER = "rest_route"
#: https://developer.wordpress.org/advanced-administration/wordpress/edit-files/
ADMIN = "wp-admin"
#: Ends in the number of one record.
ONE_RECORD = re.compile(r"/\d+$")


@register
class WooCommerceAdapter(
    CheckMixin,
    InventoryMixin,
    PriceMixin,
    ProductMixin,
    TermMixin,
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
    SubscriptionMixin,
    Adapter,
):
    """One WooCommerce store.

    ``options``:

    * ``permalinks``: ``auto`` (default), ``pretty`` or ``plain``
    * ``auth``: ``auto`` (default: Basic over https, OAuth 1.0a over http), ``basic``, ``oauth1``
    * ``verify_tls``: ``True`` (default), ``False``, or the path of a file with authorities
    """

    platform = "woocommerce"
    chooses_webhook_secret = True
    label = "WooCommerce"
    address_help = "The address of the store's front page, e.g. https://www.example.com"
    credential_fields = (
        CredentialField(
            "consumer_key", "Consumer Key", f"Made in {KEYS_PLACE}, with Read/Write permission."
        ),
        CredentialField("consumer_secret", "Consumer Secret", "Shown once, with its key."),
        CredentialField(
            "webhook_secret",
            "Webhook Secret",
            "Signs what the store sends to Odoo.",
            required=False,
        ),
    )
    capabilities = Capabilities(
        outbound={
            "inventory": FlowSupport(batch=BATCH_SIZE),
            "price": FlowSupport(batch=BATCH_SIZE),
            "product": FlowSupport(batch=1, limits=LIMITS),
            "invoice": FlowSupport(batch=1, carriers=CARRIERS),
            "credit_note": FlowSupport(batch=1, carriers=CARRIERS),
            "shipment": FlowSupport(batch=1),
            "order_status": FlowSupport(batch=1),
        },
        inbound={
            "variant": FlowSupport(batch=100),
            "order": FlowSupport(batch=100),
            "customer": FlowSupport(),
            "tax": FlowSupport(batch=100),
            "carrier": FlowSupport(batch=100),
            "payment_method": FlowSupport(batch=100),
        },
        locations=False,
        stock_decimals=0,
    )

    def __init__(self, settings, client):
        super().__init__(settings, client)
        self._terms = {}  # what was looked up by name
        self._plain = settings.options.get("permalinks") == "plain"
        client.auth = self._prepare_auth()
        client.verify = settings.options.get("verify_tls", client.verify)
        client.hide(*settings.credentials.values())

    @property
    def host(self):
        """What the store is called in messages."""
        return host_of(self.settings.address)

    def _prepare_auth(self):
        key = self.settings.credentials.get("consumer_key", "").strip()
        secret = self.settings.credentials.get("consumer_secret", "").strip()
        chosen = self.settings.options.get("auth", "auto")
        encrypted = urlsplit(self.settings.address).scheme == "https"
        if chosen == "basic" or (chosen == "auto" and encrypted):
            return (key, secret)
        return OAuth1(key, secret)

    # === REQUESTS === #

    def _api(self, method, path, *, params=None, json=None):
        """One request to the WooCommerce API.

        :param path: below ``wc/v3``, e.g. ``orders/15/notes``
        :return: :class:`Response` holding JSON
        """
        return self._rest(
            method,
            f"/{NAMESPACE}/{path}",
            params=params,
            json=json,
            interpret=lambda response: interpret(
                response, self.host, single=bool(ONE_RECORD.search(path))
            ),
        )

    def _index(self):
        """WordPress's index of its API. Open to everybody; and the key would be taken for the name
        and password of a user there."""
        return self._rest(
            "GET", "/", auth=ANONYMOUS, params={"_fields": "name,url,home,namespaces"}
        )

    def _rest(self, method, route, **kwargs):
        try:
            return self._send(method, route, **kwargs)
        except SyncError as error:
            # A page that was not found did nothing, so asking once more elsewhere is harmless.
            if error.code != "page_not_found" or not self._turns_out_plain():
                raise
        return self._send(method, route, **kwargs)

    def _send(self, method, route, params=None, **kwargs):
        params = dict(params or {})
        if self._plain:
            params = {PLAIN_PARAMETER: route, **params}
        path = PLAIN_SCRIPT if self._plain else PRETTY_PREFIX + route
        return self.client.request(method, path, params=params, **kwargs)

    def _turns_out_plain(self):
        """Whether the API is only reachable the plain way; if so, it is used from now on."""
        if self._plain or self.settings.options.get("permalinks", "auto") != "auto":
            return False
        self._plain = True
        try:
            self._plain = isinstance(self._send("GET", "/", auth=ANONYMOUS).json(), dict)
        except SyncError:
            self._plain = False
        return self._plain

    # === LINKS === #

    def record_url(self, kind, external_id, parent_id=""):
        """Of a product, variation (its product's page) or order in WordPress's administration."""
        if not external_id:
            return ""
        admin = f"{self.settings.address}/{ADMIN}"
        if kind in ("order", "invoice", "shipment", "credit_note"):
            # An invoice's id is "<order>:<number>".
            order = external_id.partition(":")[0]
            return f"{admin}/admin.php?page=wc-orders&action=edit&id={order}"
        return f"{admin}/post.php?post={parent_id or external_id}&action=edit"

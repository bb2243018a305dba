"""Medusa v2, Admin API.

https://docs.medusajs.com/api/admin
"""

from .base import Adapter, Capabilities, CredentialField, FlowSupport, register
from .failures import host_of
from .medusa_catalog import PER_PAGE, CatalogMixin
from .medusa_check import CheckMixin
from .medusa_errors import KEYS_PLACE, interpret
from .medusa_inventory import BATCH_SIZE, InventoryMixin
from .medusa_invoice import CARRIERS, InvoiceMixin
from .medusa_orders import OrderMixin
from .medusa_product import PRICE_BATCH, PriceMixin
from .medusa_publish import ProductMixin
from .medusa_shipment import ShipmentMixin
from .medusa_webhooks import WebhookMixin


@register
class MedusaAdapter(
    CheckMixin,
    InventoryMixin,
    PriceMixin,
    ProductMixin,
    InvoiceMixin,
    ShipmentMixin,
    CatalogMixin,
    OrderMixin,
    WebhookMixin,
    Adapter,
):
    """One Medusa store.

    ``options``:

    * ``location_id``: the stock location shipments leave from where the document names none
    * ``currency``: in which prices are read
    * ``verify_tls``: ``True`` (default), ``False``, or the path of a file with authorities
    """

    platform = "medusa"
    label = "Medusa"
    address_help = "The address of Medusa's server, e.g. https://api.example.com"
    credential_fields = (
        CredentialField("api_key", "Secret API Key", f"Made in Medusa's admin, {KEYS_PLACE}."),
        CredentialField(
            "webhook_secret",
            "Webhook Secret",
            "Signs what our subscriber in the store sends to Odoo: whsec_ and 32 bytes in base64.",
            required=False,
        ),
    )
    capabilities = Capabilities(
        outbound={
            "inventory": FlowSupport(batch=BATCH_SIZE),
            "price": FlowSupport(batch=PRICE_BATCH),
            "product": FlowSupport(),
            "invoice": FlowSupport(carriers=CARRIERS),
            "credit_note": FlowSupport(carriers=CARRIERS),
            "shipment": FlowSupport(),
            "order_status": FlowSupport(),
        },
        inbound={
            kind: FlowSupport(batch=PER_PAGE)
            for kind in ("variant", "order", "location", "inventory", "price", "product")
        },
        locations=True,
        stock_decimals=0,
    )

    def __init__(self, settings, client):
        super().__init__(settings, client)
        self._known_locations = None
        # https://docs.medusajs.com/api/admin#3-api-token: the key is the user, without a password
        client.auth = (settings.credentials.get("api_key", "").strip(), "")
        client.verify = settings.options.get("verify_tls", client.verify)
        client.hide(*settings.credentials.values())

    @property
    def host(self):
        """What the store is called in messages."""
        return host_of(self.settings.address)

    def _api(self, method, path, *, params=None, json=None):
        """One request to the Admin API.

        :return: :class:`Response` holding JSON
        """
        return self.client.request(
            method,
            path,
            params=params,
            json=json,
            interpret=lambda response: interpret(response, self.host),
        )

    def record_url(self, kind, external_id, parent_id=""):
        """Of a product, variant or order in Medusa's admin."""
        if not external_id:
            return ""
        admin = f"{self.settings.address}/app"
        if kind in ("order", "invoice", "credit_note", "shipment", "order_status"):
            order = parent_id or external_id
            return f"{admin}/orders/{order.partition(':')[0]}"
        if kind == "customer":
            return f"{admin}/customers/{external_id}"
        if parent_id:
            return f"{admin}/products/{parent_id}/variants/{external_id}"
        return f"{admin}/products/{external_id}"

"""Customers of WooCommerce -> documents.

https://woocommerce.github.io/woocommerce-rest-api-docs/#customer-properties
"""

from .documents import Customer
from .errors import Rejected
from .woocommerce_orders import LANGUAGE_KEYS, VAT_KEYS, _address, _is_address, _meta
from .woocommerce_values import utc
from .woocommerce_webhooks import parse_body


class CustomerMixin:
    """What a customer's webhook tells is complete."""

    def _read_customer(self, body):
        """:raise Rejected: it is no customer, or one that was deleted (``{"id": 7}``)"""
        row = parse_body(body)
        if not {"id", "email", "billing"} <= row.keys():
            raise Rejected(
                "The message holds no customer; perhaps it was deleted in the store.",
                code="no_customer",
            )
        try:
            return self._customer(row)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise Rejected(
                f"Customer {row['id']} cannot be read: {type(error).__name__}.",
                code="malformed_customer",
            ) from error

    def _customer(self, row):
        name = f"{row.get('first_name') or ''} {row.get('last_name') or ''}".strip()
        billing = _address(row["billing"])
        shipping = row.get("shipping")
        return Customer(
            label=name or row["email"],
            external_id=str(row["id"]),
            name=name or billing.name,
            company=billing.company,
            email=(row["email"] or "").strip(),
            phone=billing.phone,
            vat=_meta(row, VAT_KEYS),
            language=_meta(row, LANGUAGE_KEYS),
            billing=billing if _is_address(row["billing"]) else None,
            addresses=(_address(shipping),) if _is_address(shipping) else (),
            updated_at=utc(row.get("date_modified_gmt")),
        )

"""Customers of Shopify -> documents.

The message holds the customer as the REST API shows it; one that is older than what was seen is
refused by its date.
https://shopify.dev/docs/api/webhooks?reference=toml#list-of-topics-customers/update
"""

from .documents import Address, Customer
from .errors import Rejected
from .shopify_values import utc
from .shopify_webhooks import parse_body


class CustomerMixin:
    def _read_customer(self, body):
        """:raise Rejected: it is no customer, or one that was deleted (``{"id": 7}``)"""
        row = parse_body(body)
        if not {"id", "email"} <= row.keys():
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
        default = row.get("default_address") or None
        others = [one for one in row.get("addresses") or () if not one.get("default")]
        return Customer(
            label=name or row["email"] or str(row["id"]),
            external_id=str(row["id"]),
            name=name,
            company=(default or {}).get("company") or "",
            email=(row["email"] or "").strip(),
            phone=row.get("phone") or "",
            note=row.get("note") or "",
            billing=_rest_address(default, row) if default else None,
            addresses=tuple(_rest_address(one, row) for one in others),
            updated_at=utc(row.get("updated_at")),
        )


def _rest_address(row, customer):
    return Address(
        name=row.get("name") or "",
        company=row.get("company") or "",
        street=row.get("address1") or "",
        street2=row.get("address2") or "",
        city=row.get("city") or "",
        zip=row.get("zip") or "",
        state=row.get("province_code") or "",
        country=row.get("country_code") or "",
        email=customer.get("email") or "",
        phone=row.get("phone") or customer.get("phone") or "",
    )

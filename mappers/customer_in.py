"""Customers of the store -> contacts."""

from types import SimpleNamespace

from ..adapters.documents import Address
from .base import Mapper, register
from .customer import Customers, any_place
from .links import Links


@register
class CustomerMapper(Mapper):
    kind = "customer"
    model = "res.partner"
    resource = "customer"

    def intro(self, label):
        return self.env._(
            "Cannot import customer %(customer)s from %(store)s",
            customer=label,
            store=self.connection.name,
        )

    def apply(self, customer):
        """Make the contact, or bring it up to date. Idempotent by binding; an existing contact that
        is Odoo's own to say only gets what it lacks.

        :return: ``(contact, outcome, a sentence for the log)``
        """
        links = Links(self.connection)
        binding = links.find(self.resource, [customer.external_id]).get(customer.external_id)
        seen = binding and binding.external_updated_at
        if seen and customer.updated_at and customer.updated_at < seen:
            record = self.env[self.model].browse(binding.res_id).exists()
            return record, "stale", self.env._("Odoo has seen a newer version of this customer.")
        customers = Customers(self)
        record = customers.find(_as_order(customer))
        outcome = "created" if customers.made else self._update(customers, record, customer)
        for address in customer.addresses:
            customers.find_delivery(SimpleNamespace(shipping=address, billing=None), record)
        return record, outcome, " ".join(customers.notes)

    def remember(self, record, customer):
        """Keep how old what we know is."""
        found = Links(self.connection).find(self.resource, [customer.external_id])
        binding = found.get(customer.external_id)
        if binding and customer.updated_at:
            seen = binding.external_updated_at
            if not seen or customer.updated_at > seen:
                binding.external_updated_at = customer.updated_at

    def _update(self, customers, record, customer):
        values = customers.values.prepare(_address(customer), email=customer.email)
        if not any_place(_address(customer)):
            values = {name: values[name] for name in ("name", "email", "phone")}
        values = {name: value for name, value in values.items() if value}
        theirs = self.flow.owner == "external"
        changed = {
            name: value
            for name, value in values.items()
            if _plain(record[name]) != value and (theirs or not record[name])
        }
        if not changed:
            return "unchanged"
        record.write(changed)
        return "updated"


def _address(customer):
    address = customer.billing or Address()
    return Address(
        **{
            **vars(address),
            "name": customer.name or address.name,
            "email": customer.email,
            "phone": customer.phone or address.phone,
        }
    )


def _as_order(customer):
    """What finding the customer of an order looks at."""
    return SimpleNamespace(
        customer_id=customer.external_id,
        billing=_address(customer),
        shipping=None,
        vat=customer.vat,
        language=customer.language,
    )


def _plain(value):
    return getattr(value, "id", value)

"""Customers and addresses of orders -> contacts."""

import hashlib

from odoo.exceptions import ValidationError
from odoo.fields import Domain

from .customer_values import CustomerValues
from .links import Links


class Customers:
    """Finds or makes the contacts of one order."""

    def __init__(self, mapper):
        self.env = mapper.env
        self.connection = mapper.connection
        self.company = mapper.connection.company_id
        self.links = Links(mapper.connection)
        self.values = CustomerValues(mapper.env)
        self.notes = []
        self.made = False  # whether the customer was not known before

    def find(self, order):
        """The customer of an order: by the store's id, then by e-mail within the company, else
        made.

        Two orders of one new customer at the same moment: id and e-mail are unique bindings in the
        database; the second transaction collides, is done again, and finds the customer of the
        first.
        """
        keys = self._get_keys(order)
        partner = self._bound(order, keys) or self._by_email(order.billing.email)
        if not partner:
            address = order.billing if any_place(order.billing) else order.shipping
            address = address or order.billing
            partner = self.env["res.partner"].create(
                self.values.prepare(address, email=order.billing.email)
                | self.values.prepare_language(order.language)
            )
            self.made = True
            self._write_vat(partner, order.vat)
        self._bind(order, keys, partner)
        return partner

    def find_invoice(self, order, customer):
        """The contact the invoice is for: the customer, or an address of theirs."""
        return self._find_address(order.billing, customer, "invoice")

    def find_delivery(self, order, customer):
        """The contact goods go to: the customer, or an address of theirs."""
        return self._find_address(order.shipping or order.billing, customer, "delivery")

    def _find_address(self, address, customer, kind):
        if not any_place(address) or self._lives_at(customer, address):
            return customer
        known = customer.child_ids.filtered(lambda child: child.type == kind)
        for child in known:
            if self._lives_at(child, address):
                return child
        vals = self.values.prepare(address)
        return self.env["res.partner"].create(vals | {"type": kind, "parent_id": customer.id})

    def _lives_at(self, partner, address):
        vals = self.values.prepare(address)
        if not partner.street and not partner.city and not partner.zip:
            return False
        names = ("name", "street", "street2", "zip", "city", "country_id", "state_id")
        return all(_plain(partner[name]) == _plain(vals[name]) for name in names)

    def _write_vat(self, partner, vat):
        """A number that is not valid is told, and keeps no order out."""
        if not vat:
            return
        try:
            with self.env.cr.savepoint():
                partner.vat = vat
                partner.flush_recordset()
        except ValidationError:
            partner.invalidate_recordset(["vat"])
            self.notes.append(
                self.env._("The VAT number %s is not valid; it was not taken over.", vat)
            )

    # === BINDINGS === #

    def _get_keys(self, order):
        """Under which other names a customer is known: by e-mail, of which only a hash is kept, and
        by an id, where the contact is bound to another one already (merged, here or there)."""
        keys = []
        if _has_id(order):
            keys.append(f"id:{order.customer_id}")
        if order.billing.email:
            keys.append(email_key(order.billing.email))
        return keys

    def _bound(self, order, keys):
        found = [self.links.find_ids("customer", [order.customer_id]) if _has_id(order) else {}]
        aliases = self.links.find_ids("customer_alias", keys)
        found += [{key: aliases[key]} for key in keys if key in aliases]
        partners = self.env["res.partner"]
        for ids in found:
            partner = partners.browse(ids.values()).exists()
            if partner:
                return partner
        return partners

    def _bind(self, order, keys, partner):
        known = self.links.find("customer_alias", keys)
        for key in keys:
            if key.startswith("id:") and self._bind_id(order, partner):
                continue
            self._point(known.get(key), "customer_alias", key, partner)

    def _bind_id(self, order, partner):
        """Whether the store's id leads to the contact; a contact has one only."""
        binding = self.links.find("customer", [order.customer_id]).get(order.customer_id)
        if not binding and self.connection._bindings("customer", partner):
            return False
        self._point(binding, "customer", order.customer_id, partner)
        return True

    def _point(self, binding, resource, key, partner):
        """A binding to a contact that is gone (merged, deleted) leads to the right one again."""
        if not binding:
            self.links.claim(resource, partner, key)
        elif binding.res_id != partner.id and not self._exists(binding.res_id):
            binding.res_id = partner.id

    def _exists(self, partner_id):
        return bool(self.env["res.partner"].sudo().browse(partner_id).exists())

    def _by_email(self, email):
        if not email:
            return None
        return self.env["res.partner"].search(
            Domain("email_normalized", "=", email.lower())
            & Domain("company_id", "in", [False, self.company.id])
            & Domain("parent_id", "=", False),
            limit=1,
        )


def email_key(email):
    """The external id of whoever has this e-mail."""
    digest = hashlib.sha256(email.strip().lower().encode("utf-8", "surrogatepass"))
    return f"email:{digest.hexdigest()[:32]}"


def any_place(address):
    """Whether an address says where somebody is."""
    return bool(address) and any((address.street, address.city, address.zip))


def _has_id(order):
    return bool(order.customer_id) and order.customer_id != "0"


def _plain(value):
    """Texts without what people type differently; records as their ids."""
    if isinstance(value, str):
        return value.strip().casefold()
    return getattr(value, "id", value) or False

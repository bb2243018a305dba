"""Customers and addresses of orders -> contacts."""

from odoo.fields import Domain

#: External id of a guest: stores give them none, but the same e-mail is the same customer.
GUEST = "email:{email}"


class Customers:
    """Finds or makes the contacts of one order."""

    def __init__(self, mapper):
        self.env = mapper.env
        self.connection = mapper.connection
        self.company = mapper.connection.company_id

    def find(self, order):
        """The customer of an order: by the store's id, then by e-mail within the company, else
        made.

        Two orders of one new customer at the same moment: the binding is unique in the database;
        the second transaction collides, is done again, and finds the customer of the first.
        """
        key = self._key(order)
        partner = self._bound(key) or self._by_email(order.billing.email)
        if not partner:
            partner = self.env["res.partner"].create(self._prepare(order.billing))
        if key:
            self._bind(key, partner)
        return partner

    def find_delivery(self, order, customer):
        """The contact goods go to: the customer, or an address of theirs."""
        address = order.shipping
        if not address or same_place(address, order.billing):
            return customer
        vals = self._prepare(address)
        known = customer.child_ids.filtered(lambda child: child.type == "delivery")
        for child in known:
            if all(child[name] == vals[name] for name in ("name", "street", "zip", "city")):
                return child
        return self.env["res.partner"].create(
            vals | {"type": "delivery", "parent_id": customer.id, "company_type": "person"}
        )

    def _key(self, order):
        if order.customer_id and order.customer_id != "0":
            return order.customer_id
        email = order.billing.email.lower()
        return GUEST.format(email=email) if email else ""

    def _bound(self, key):
        binding = self._search_binding(Domain("external_id", "=", key)) if key else None
        return self.env["res.partner"].browse(binding.res_id).exists() if binding else None

    def _search_binding(self, condition):
        return self.connection.env["commerce.binding"].search(
            Domain("connection_id", "=", self.connection.id)
            & Domain("resource", "=", "customer")
            & condition,
            limit=1,
        )

    def _bind(self, key, partner):
        taken = Domain("external_id", "=", key) | Domain("res_id", "=", partner.id)
        if not self._search_binding(taken):
            self.connection.env["commerce.binding"].create(
                {
                    "connection_id": self.connection.id,
                    "resource": "customer",
                    "model": "res.partner",
                    "res_id": partner.id,
                    "external_id": key,
                }
            )

    def _by_email(self, email):
        if not email:
            return None
        return self.env["res.partner"].search(
            Domain("email_normalized", "=", email.lower())
            & Domain("company_id", "in", [False, self.company.id])
            & Domain("parent_id", "=", False),
            limit=1,
        )

    def _prepare(self, address):
        country = self._get_country(address.country)
        return {
            "name": address.name or address.company or address.email or self.env._("Guest"),
            "company_name": address.company or False,
            "street": address.street or False,
            "street2": address.street2 or False,
            "city": address.city or False,
            "zip": address.zip or False,
            "country_id": country.id,
            "state_id": self._get_state(country, address.state).id,
            "email": address.email or False,
            "phone": address.phone or False,
        }

    def _get_country(self, code):
        countries = self.env["res.country"]
        return countries.search([("code", "=", code.upper())], limit=1) if code else countries

    def _get_state(self, country, code):
        states = self.env["res.country.state"]
        if not code or not country:
            return states
        return states.search([("country_id", "=", country.id), ("code", "=", code)], limit=1)


def same_place(one, other):
    """Whether two addresses say the same."""
    return one == other or (one.name, one.street, one.street2, one.zip, one.city, one.country) == (
        other.name,
        other.street,
        other.street2,
        other.zip,
        other.city,
        other.country,
    )

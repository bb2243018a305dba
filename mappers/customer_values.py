"""Addresses of stores -> values of contacts."""

#: What stores call countries otherwise than ISO 3166.
COUNTRIES = {"UK": "GB", "EL": "GR"}


class CustomerValues:
    """Looks up countries, states and languages."""

    def __init__(self, env):
        self.env = env
        self._places = {}

    def prepare(self, address, email=""):
        """Values of ``res.partner``. A state that Odoo has not is kept as text."""
        country = self._get_country(address.country)
        state = self._get_state(country, address.state)
        lost = address.state if address.state and not state else ""
        street2 = ", ".join(filter(None, (address.street2, lost)))
        email = address.email or email
        return {
            "name": address.name or address.company or email or self.env._("Guest"),
            "company_name": address.company or False,
            "street": address.street or False,
            "street2": street2 or False,
            "city": address.city or False,
            "zip": address.zip or False,
            "country_id": country.id,
            "state_id": state.id,
            "email": email or False,
            "phone": address.phone or False,
        }

    def prepare_language(self, code):
        """``{"lang": ...}`` where Odoo has the language (``de``, ``de-AT``, ``de_AT``)."""
        code = (code or "").replace("-", "_")
        if not code:
            return {}
        known = [found for found, _name in self.env["res.lang"].get_installed()]
        short = code.partition("_")[0].lower()
        alike = [one for one in known if one.partition("_")[0].lower() == short]
        exact = [one for one in alike if one.lower() == code.lower()]
        return {"lang": (exact or alike)[0]} if alike else {}

    def _get_country(self, code):
        countries = self.env["res.country"]
        code = (code or "").strip().upper()
        code = COUNTRIES.get(code, code)
        if code not in self._places:
            found = countries.search([("code", "=", code)], limit=1) if code else countries
            self._places[code] = found
        return self._places[code]

    def _get_state(self, country, code):
        """By code, with or without the country's before it (``JP13``, ``IN-MH``), then by name."""
        states = self.env["res.country.state"]
        code = (code or "").strip()
        if not code or not country:
            return states
        key = (country.id, code)
        if key not in self._places:
            known = country.state_ids
            short = code.upper().removeprefix(country.code).lstrip("-")
            self._places[key] = (
                known.filtered(lambda state: state.code == code)
                or known.filtered(lambda state: state.code.upper() in (code.upper(), short))
                or known.filtered(lambda state: state.name.casefold() == code.casefold())
            )[:1]
        return self._places[key]

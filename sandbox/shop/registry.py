"""Which function answers which field of the schema, and what it is given."""

from dataclasses import dataclass, field

RESOLVERS = {}


def resolves(type_name, *names):
    """A decorator: this function answers these fields of a type.

    It takes ``(call, source, arguments)`` and returns what the schema says: dicts with the names
    of the schema, lists, plain values.
    """

    def keep(function):
        for name in names:
            RESOLVERS[type_name, name] = function
        return function

    return keep


@dataclass
class Call:
    """One request: ``rules`` are the faults that may hit single items."""

    site: object
    version: str
    rules: list
    selected: dict = field(default_factory=dict)
    written: int = 0
    created: int = 0

    @property
    def store(self):
        return self.site.store

    def refusal(self, item):
        """The fault meant for this item, e.g. ``{"id": 7, "sku": "MUG"}``, or ``None``."""
        return self.site.faults.strike_item(self.rules, item)


def user_error(message, *field_path, code=None, **more):
    """One entry of ``userErrors``; where its type has no code, that is simply not asked for."""
    return {"field": list(field_path) or None, "message": message, "code": code, **more}

"""What is remembered of an order of the store, beside its binding's id and date."""

import hashlib


class Memory:
    """Kept on the order's binding: which parts of the order were taken over, and what was said."""

    def __init__(self, binding):
        """:param binding: the order's ``commerce.binding``, with all rights"""
        self.binding = binding

    def get(self, name, default=None):
        return (self.binding.handles or {}).get(name, default)

    def keep(self, name, value):
        if self.get(name) != value:
            self.binding.handles = {**(self.binding.handles or {}), name: value}

    def tell(self, record, text):
        """Say something on the sales order, once, however often the store sends the order.

        :return: whether it was said now
        """
        key = digest(text)
        told = self.get("told", [])
        if key in told:
            return False
        record.message_post(body=text)
        self.keep("told", [*told, key])
        return True


def digest(text):
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]

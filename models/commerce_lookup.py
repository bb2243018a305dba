from odoo import api, fields, models
from odoo.fields import Domain

#: Records of one model that a search by name takes into account.
MOST = 50
#: Model -> the fields by which people know its records.
KNOWN_BY = {
    "sale.order": ("name", "client_order_ref", "partner_id.name"),
    "account.move": ("name", "ref", "partner_id.name"),
    "stock.picking": ("name", "partner_id.name"),
    "product.product": ("default_code", "barcode", "name"),
    "res.partner": ("name", "email"),
}


class CommerceLookup(models.AbstractModel):
    """Found by what people have in hand: order number, SKU, invoice, external ID, customer.

    The words are looked up where they stand, in Odoo's own documents and in the bindings, whose
    indexes answer at once; the log is then asked for those documents. To look for words in a
    million lines of the log itself would take seconds.
    """

    _name = "commerce.lookup"
    _description = "Found by What People Have in Hand"

    look_for = fields.Char(
        string="Number, SKU, Customer",
        compute="_compute_look_for",
        search="_search_look_for",
        store=False,
        help="Order or invoice number, SKU, external ID, or the customer's name.",
    )

    def _compute_look_for(self):
        self.look_for = False

    @api.model
    def _search_look_for(self, operator, value):
        if operator not in ("=", "ilike", "like", "=ilike", "in"):
            return NotImplemented
        texts = [value] if isinstance(value, str) else list(value or ())
        return Domain.OR(self._look_for(text.strip()) for text in texts if text and text.strip())

    def _look_for(self, text):
        bare = text.lstrip("#")
        domain = Domain("document", "=like", like(text) + "%")
        domain |= Domain("document", "=like", "[" + like(text) + "%")
        domain |= Domain("external_id", "in", [text, bare])
        found = self._find_documents(text)
        for model, ids in found.items():
            domain |= Domain("model", "=", model) & Domain("res_id", "in", ids)
        external = self._find_external(found, bare)
        if external:
            domain |= Domain("external_id", "in", external)
        return domain

    def _find_documents(self, text):
        """``{model: ids}`` of Odoo's documents that are known by these words, as far as the user
        may see them."""
        found = {}
        for model, names in KNOWN_BY.items():
            if model not in self.env or not self.env[model].has_access("read"):
                continue
            words = Domain.OR(Domain(name, "ilike", like(text)) for name in names)
            ids = self.env[model].with_context(active_test=False).search(words, limit=MOST).ids
            if ids:
                found[model] = ids
        return found

    def _find_external(self, found, text):
        """External ids of what is bound to these documents, or is called so over there."""
        domain = Domain("external_ref", "=", text)
        for model, ids in found.items():
            domain |= Domain("model", "=", model) & Domain("res_id", "in", ids)
        bindings = self.env["commerce.binding"].search(domain, limit=MOST * 4)
        # of orders and the like: a product's number may be another thing's too
        return bindings.filtered(lambda one: one.resource != "variant").mapped("external_id")


def like(text):
    """``text`` as a pattern that stands for itself."""
    return text.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_")

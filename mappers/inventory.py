"""Stock of variants -> inventory levels."""

import math
from dataclasses import replace
from decimal import Decimal

from odoo.fields import Domain

from ..adapters.documents import InventoryLevel, LocationQuantity
from .base import Mapper, Problem, Problems, Skip, register

#: The flow's choice -> the field of product.product that holds it.
QUANTITY_FIELDS = {
    "on_hand": "qty_available",
    "free": "free_qty",
    "forecast": "virtual_available",
}
#: The place of a store that does not keep stock per location.
SINGLE_LOCATION = "default"


@register
class InventoryMapper(Mapper):
    kind = "inventory"
    model = "product.product"
    resource = "variant"
    scope = "inventory"
    personal = False

    def due(self, record_ids=None):
        """Bound variants that match the flow's domain."""
        bound = self.connection._bound_ids(self.resource, self.model, record_ids)
        domain = self.flow._get_domain()
        if domain.is_true() or not bound:
            return bound
        products_sudo = self.env[self.model].sudo().with_context(active_test=False)
        return products_sudo.search(domain & Domain("id", "in", bound)).ids

    def prepare(self, records):
        bindings = self.connection._bindings(self.resource, records)
        seen = self.flow._seen(records.ids)
        bound = records.filtered(lambda record: record.id in bindings)
        records.fetch(["default_code", "product_tmpl_id", "product_template_attribute_value_ids"])
        records.product_tmpl_id.fetch(["name"])
        places = self.flow._stock_places()
        quantities = [(place, self._quantities(bound, scope)) for place, scope in places]
        prepared = {record.id: self._unbound(record) for record in records - bound}
        changed = self._changed_at(bound)
        for record in bound:
            levels = [(place, amounts[record.id]) for place, amounts in quantities]
            level = self._level(record, bindings[record.id], levels, seen.get(record.id, {}))
            if record.id in changed and isinstance(level, InventoryLevel):
                level = replace(level, updated_at=changed[record.id])
            prepared[record.id] = level
        return prepared

    def _changed_at(self, products):
        """``{product id: when its stock last changed}``, where the flow's rule wants to know."""
        if self.flow.conflict_rule != "newest_wins":
            return {}
        groups = (
            self.env["stock.quant"]
            .sudo()
            ._read_group([("product_id", "in", products.ids)], ["product_id"], ["write_date:max"])
        )
        return {product.id: moment for product, moment in groups}

    def intro(self, label):
        return self.env._(
            "Cannot send the stock of %(product)s to %(store)s",
            product=label,
            store=self.connection.name,
        )

    def _quantities(self, products, scope):
        """``{product id: quantity}`` within ``scope`` (a context of product.product)."""
        name = QUANTITY_FIELDS[self.flow.stock_basis]
        products = products.with_context(**scope)
        get = products.env.context.get
        # What the field computes itself from, without its writing five fields for each record.
        found = products._compute_quantities_dict(
            get("lot_id"), get("owner_id"), get("package_id"), get("from_date"), get("to_date")
        )
        return {product_id: values[name] for product_id, values in found.items()}

    def _level(self, record, binding, quantities, seen):
        label = self._label(record)
        if not record.default_code:
            problem = Problem(
                self.env._("the product has no SKU"),
                self.env._("Set the product's Internal Reference, then press Resend."),
            )
            return Problems(label, (problem,))
        if not quantities:
            return Problems(label, (self._no_place(),))
        return InventoryLevel(
            label=label,
            external_id=binding.external_id,
            parent_id=binding.parent_id or "",
            sku=record.default_code,
            handles=binding.handles or {},
            levels=tuple(
                LocationQuantity(
                    location_id=place,
                    quantity=self._sellable(quantity),
                    last_seen=Decimal(seen[place]) if place in seen else None,
                )
                for place, quantity in quantities
            ),
        )

    def _label(self, record):
        """The variant's display name; made here where that is simple, for it is slow to compute."""
        if record.default_code and not record.product_template_attribute_value_ids:
            return f"[{record.default_code}] {record.product_tmpl_id.name}"
        return record.display_name

    def _sellable(self, quantity):
        """What the store may sell: less the buffer, never below zero, in the store's precision.

        Rounded down: a store that counts whole pieces must not promise half of one.
        """
        decimals = self.connection._get_capabilities().stock_decimals
        # floats of stock carry noise in the last digits: 4.999999999 is five pieces
        scaled = round(max(0.0, quantity - self.flow.stock_buffer) * 10**decimals, 6)
        return Decimal(math.floor(scaled)).scaleb(-decimals)

    def _no_place(self):
        return Problem(
            self.env._("no warehouse is mapped to a location of the store"),
            self.env._("Map a warehouse under Configuration > Mappings, then press Resend."),
        )

    def _unbound(self, record):
        return Skip(
            self.env._("The product is not matched with one of the store."), record.display_name
        )

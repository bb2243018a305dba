"""Deliveries of the store's orders that are done -> shipments."""

from odoo.fields import Domain
from odoo.tools import SQL

from ..adapters.documents import Shipment, ShipmentLine
from .base import Mapper, Problem, Problems, Skip, register
from .money import quantity

#: Types of pickings that bring goods to customers.
OUTGOING = ("outgoing", "dropship")
SETTLED = ("done", "cancel")


@register
class ShipmentMapper(Mapper):
    kind = "shipment"
    model = "stock.picking"
    resource = "shipment"
    binds = True

    def due(self, record_ids=None):
        """Deliveries that are done, of orders of the store, in the flow's domain."""
        if record_ids is not None and not record_ids:
            return []
        chosen = SQL("picking.id IN %s", tuple(record_ids)) if record_ids else SQL("TRUE")
        self.env[self.model].flush_model(["sale_id", "state", "picking_type_id"])
        self.env.cr.execute(
            SQL(
                """SELECT picking.id
                     FROM stock_picking AS picking
                     JOIN stock_picking_type AS kind ON kind.id = picking.picking_type_id
                     JOIN commerce_binding AS binding
                          ON binding.res_id = picking.sale_id AND binding.model = 'sale.order'
                         AND binding.resource = 'order' AND binding.connection_id = %s
                    WHERE kind.code IN %s AND picking.state = 'done' AND %s
                    ORDER BY picking.id""",
                self.connection.id,
                OUTGOING,
                chosen,
            )
        )
        found = [picking_id for (picking_id,) in self.env.cr.fetchall()]
        domain = self.flow._get_domain()
        if domain.is_true() or not found:
            return found
        return self.env[self.model].sudo().search(domain & Domain("id", "in", found)).ids

    def prepare(self, records):
        orders = self.connection._bindings("order", records.sale_id)
        shipments = self.connection._bindings(self.resource, records)
        lines = self.connection._bindings("order_line", records.sale_id.order_line)
        return {record.id: self._prepare(record, orders, shipments, lines) for record in records}

    def intro(self, label):
        return self.env._(
            "Cannot send delivery %(delivery)s to %(store)s",
            delivery=label,
            store=self.connection.name,
        )

    def _prepare(self, picking, orders, shipments, line_bindings):
        label = picking.name
        if picking.state != "done":
            return Skip(self.env._("The delivery is not done."), label)
        if picking.sale_id.id not in orders:
            return Skip(self.env._("The delivery belongs to no order of the store."), label)
        lines, problems = self._lines(picking, line_bindings)
        if problems:
            return Problems(label, problems)
        if not lines:
            return Skip(self.env._("Nothing of it belongs to the store's order."), label)
        known = shipments.get(picking.id)
        returned = self.flow.shipment_returned == "cancel" and self._is_returned(picking)
        return Shipment(
            label=label,
            external_id=known.external_id if known else "",
            parent_id=orders[picking.sale_id.id].external_id,
            number=label,
            carrier=picking.carrier_id.name or "",
            tracking_numbers=tuple(self._numbers(picking)),
            tracking_urls=tuple(self._urls(picking)),
            lines=lines,
            location_id=self._location(picking),
            state="cancelled" if returned else "done",
            complete=self.flow.shipment_complete and self._is_last(picking),
            notify=self.flow.shipment_notify,
        )

    # === WHAT WAS SHIPPED === #

    def _lines(self, picking, bindings):
        """``(lines, problems)``. Lines that were added in Odoo are none of the store's."""
        bound = bool(bindings.keys() & set(picking.sale_id.order_line.ids))
        shipped, problems = {}, []
        for move in picking.move_ids.filtered(lambda move: move.state == "done" and move.quantity):
            line = move.sale_line_id
            if not line or (bound and line.id not in bindings):
                continue
            if not bound and not line.product_id.default_code:
                problems.append(self._no_sku(line))
                continue
            shipped.setdefault(line, []).append(move)
        made = tuple(
            ShipmentLine(
                quantity=quantity(self._shipped(line, moves)),
                line_id=bindings[line.id].external_id if line.id in bindings else "",
                sku=line.product_id.default_code or "",
            )
            for line, moves in shipped.items()
        )
        return tuple(line for line in made if line.quantity), tuple(problems)

    def _shipped(self, line, moves):
        """Pieces as the order counts them; of a kit, as many as all its parts are enough for."""
        if all(move.product_id == line.product_id for move in moves):
            unit = line.product_uom_id
            return sum(
                move.product_uom._compute_quantity(move.quantity, unit, rounding_method="HALF-UP")
                for move in moves
            )
        done, needed = {}, {}
        for move in moves:
            done[move.product_id] = done.get(move.product_id, 0) + move.product_qty
        for move in line.move_ids.filtered(lambda one: one.state != "cancel"):
            needed[move.product_id] = needed.get(move.product_id, 0) + move.product_qty
        return int(line.product_uom_qty * min(done[part] / needed[part] for part in done))

    def _no_sku(self, line):
        return Problem(
            self.env._(
                "'%s' has no SKU, and the order's line is not bound to the store's",
                line.product_id.name,
            ),
            self.env._("Set the product's Internal Reference, then press Resend."),
        )

    def _is_returned(self, picking):
        """Whether every piece came back."""
        moves = picking.move_ids.filtered(lambda move: move.state == "done")
        return all(
            sum(
                back.product_qty
                for back in move.returned_move_ids
                if back.state == "done" and back.location_dest_id.usage == "internal"
            )
            >= move.product_qty
            for move in moves
        )

    def _is_last(self, picking):
        """Whether nothing of the order is left to ship, and this was the last of it."""
        siblings = picking.sale_id.picking_ids.filtered(
            lambda one: one.picking_type_id.code in OUTGOING
        )
        if any(one.state not in SETTLED for one in siblings):
            return False
        shipped = siblings.filtered(lambda one: one.state == "done")
        return picking == shipped.sorted(lambda one: (one.date_done, one.id))[-1:]

    # === HOW === #

    def _numbers(self, picking):
        return filter(None, map(str.strip, (picking.carrier_tracking_ref or "").split(",")))

    def _urls(self, picking):
        if not picking.carrier_tracking_url:
            return []
        several = picking.get_multiple_carrier_tracking()
        if several:
            return [str(row[1]) for row in several]
        return [picking.carrier_tracking_url]

    def _location(self, picking):
        """The store's place for where it left from: its own location first, then the warehouse."""
        warehouse = picking.picking_type_id.warehouse_id
        for record in (picking.location_id, warehouse):
            bound = self.connection._bindings("location", record).get(record.id)
            if bound:
                return bound.external_id
        return ""

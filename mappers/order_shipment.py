"""Shipments that the store made itself -> deliveries of Odoo, or notes on the order."""

from .links import Links


class OrderShipments:
    """Takes each shipment of the store once; those that Odoo told of are bound already."""

    def __init__(self, mapper, memory):
        self.env = mapper.env
        self.flow = mapper.flow
        self.connection = mapper.connection
        self.links = Links(mapper.connection)
        self.memory = memory

    def take_in(self, order, record):
        """:return: whether anything was new"""
        if self.flow.order_fulfilment == "none" or record.state != "sale":
            return False
        done = [one for one in order.shipments if one.state == "done"]
        keys = {}
        for shipment in done:
            keys[shipment.external_id] = shipment
            keys[f"{order.external_id}:{shipment.external_id}"] = shipment
        bound = {keys[key].external_id for key in self.links.find("shipment", keys)}
        news = False
        for shipment in done:
            if shipment.external_id not in bound and not self._is_delivered(shipment):
                news |= self._take(record, shipment)
        return news

    def _is_delivered(self, shipment):
        """Odoo knows as delivered what the store says it shipped: our own news came back."""
        sold = self._sold(shipment)
        amounts = [(line, qty) for line, qty in sold.items() if line.product_id.type == "consu"]
        return not amounts or all(line.qty_delivered >= qty for line, qty in amounts)

    def _sold(self, shipment):
        """``{sale order line: quantity}``"""
        bound = self.links.find_ids("order_line", [line.line_id for line in shipment.lines])
        lines = self.env["sale.order.line"]
        return {
            lines.browse(bound[line.line_id]).exists(): float(line.quantity)
            for line in shipment.lines
            if line.line_id in bound
        }

    def _take(self, record, shipment):
        if self.flow.order_fulfilment == "validate":
            picking = self._validate(record, shipment)
            if picking:
                self.links.bind(
                    "shipment", [(picking, shipment.external_id, shipment.number)], record.name
                )
                return self.memory.tell(record, self._sentence(shipment))
        return self.memory.tell(record, self._sentence(shipment))

    def _validate(self, record, shipment):
        """Validate the delivery with what was shipped; the rest becomes a back order."""
        sold = self._sold(shipment)
        pickings = record.picking_ids.filtered(
            lambda one: one.state not in ("done", "cancel") and one.picking_type_code == "outgoing"
        )
        picking = pickings.filtered(lambda one: one.move_ids.sale_line_id & _union(sold))[:1]
        if not picking:
            return picking
        for move in picking.move_ids:
            quantity = sold.get(move.sale_line_id, 0.0)
            move.quantity = min(quantity, move.product_uom_qty)
            move.picked = bool(quantity)
        picking.carrier_tracking_ref = ", ".join(shipment.tracking_numbers) or False
        picking.with_context(skip_backorder=True, skip_sms=True).button_validate()
        return picking if picking.state == "done" else picking.browse()

    def _sentence(self, shipment):
        return self.env._(
            "Shipped in %(store)s: %(number)s, %(carrier)s, tracking %(tracking)s.",
            store=self.connection.name,
            number=shipment.number or "-",
            carrier=shipment.carrier or "-",
            tracking=", ".join(shipment.tracking_numbers) or "-",
        )


def _union(lines):
    return next(iter(lines)).browse(line.id for line in lines) if lines else None

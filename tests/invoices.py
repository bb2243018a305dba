"""Invoices of orders that exist on both sides, for tests and benchmarks."""


def make_invoices(env, connection, store_orders, product):
    """A posted invoice for each order of the store.

    :param store_orders: orders as the store shows them, with ``id`` and ``number``
    :param product: what is sold; it has a SKU
    :return: ``account.move`` records, in the same order
    """
    product.invoice_policy = "order"
    partner = env["res.partner"].create({"name": "Ada Example"})
    orders = env["sale.order"].create(
        [
            {
                "partner_id": partner.id,
                "client_order_ref": order["number"],
                "order_line": [
                    (0, 0, {"product_id": product.id, "product_uom_qty": 1, "price_unit": 10.0})
                ],
            }
            for order in store_orders
        ]
    )
    orders.action_confirm()
    env["commerce.binding"].create(
        [
            {
                "connection_id": connection.id,
                "resource": "order",
                "model": "sale.order",
                "res_id": order.id,
                "external_id": str(theirs["id"]),
                "external_ref": theirs["number"],
            }
            for order, theirs in zip(orders, store_orders, strict=True)
        ]
    )
    moves = env["account.move"]
    for order in orders:
        moves |= order._create_invoices()
    moves.action_post()
    return moves

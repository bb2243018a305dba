"""What is in the benchmarks' databases, whatever addons they have: products with stock, and posted
invoices of sales orders. Made once and kept."""

PRODUCTS = 10_000
INVOICES = 2_000
PORTION = 1_000  # records made at once


def fill(env):
    """Make the data in a new database with Odoo's own addons."""
    quiet = env(context={**env.context, "tracking_disable": True, "mail_notrack": True})
    for start in range(0, PRODUCTS, PORTION):
        _make_products(quiet, start)
    for _portion in range(0, INVOICES, PORTION):
        _make_invoices(quiet)


def _make_products(env, start):
    products = env["product.product"].create(
        [
            {
                "name": f"Product {n}",
                "default_code": f"SKU-{n}",
                "is_storable": True,
                "lst_price": 10,
            }
            for n in range(start, start + PORTION)
        ]
    )
    shelf = env["stock.warehouse"].search([], limit=1).lot_stock_id
    env["stock.quant"].create(
        [
            {"product_id": product.id, "location_id": shelf.id, "quantity": 100}
            for product in products
        ]
    )
    env.cr.commit()


def _make_invoices(env):
    customer = env["res.partner"].create({"name": "Customer"})
    product = env["product.product"].search([("default_code", "=", "SKU-0")])
    orders = env["sale.order"].create(
        [
            {"partner_id": customer.id, "order_line": [(0, 0, {"product_id": product.id})]}
            for _order in range(PORTION)
        ]
    )
    invoices = env["account.move"].create(
        [
            {
                "move_type": "out_invoice",
                "partner_id": customer.id,
                "invoice_date": "2026-01-01",
                "invoice_line_ids": [
                    (0, 0, {"product_id": line.product_id.id, "sale_line_ids": [(6, 0, line.ids)]})
                ],
            }
            for line in orders.order_line
        ]
    )
    invoices.action_post()
    env.cr.commit()


def products(env):
    """All of them, in the order of their SKUs' numbers."""
    return env["product.product"].search([("default_code", "like", "SKU-")], order="id")


def invoices(env):
    return env["account.move"].search([("move_type", "=", "out_invoice")], order="id")


def change_stock(env, quantity):
    """Have other quantities on hand, without telling anybody.

    :param quantity: of the first product; the others have up to 49 more
    """
    env.cr.execute("UPDATE stock_quant SET quantity = %s + product_id %% 50", [quantity])

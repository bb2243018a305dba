"""What script/screenshots takes pictures of: the demonstration, and then some of all that can go
wrong. One store works and has problems, one does not answer, one refuses its key."""

import scenario
from devenv.console import step
from devenv.process import free_port

#: Beside two of them in Odoo the store has something that matches neither clearly.
LAMP_SKU, LAMP_BARCODE = "FURN_8888", "40164785534112"
UNMATCHED = (
    {"name": "Office Lamp, special edition", "global_unique_id": LAMP_BARCODE},
    {"name": "Gift card"},
    {"name": "Garden bench", "sku": "GARDEN-1"},
)


class Showcase:
    """:param context: ``devenv.demo.Context``"""

    def __init__(self, context):
        self.context = context
        self.odoo = scenario.Odoo(
            context.odoo.url, context.database, context.login, context.password
        )
        self.store = scenario.Store(context.store.url, context.store_key, context.store_secret)

    def build(self):
        """Let it all happen.

        :return: ids of records to look at, by name
        """
        scenario.run(self.context)
        [shop] = self.odoo("commerce.connection", "search", [])
        with step("Making problems"):
            outlet, trade = self._add_troubled_stores()
            self._spoil_products()
            self._invoice_without_sku(shop)
            preview = self._preview(shop)
        with step("Comparing both sides"):
            comparison = self._compare(shop)
        return {
            "shop": shop,
            "outlet": outlet,
            "trade": trade,
            "preview": preview,
            "matching": self._first("commerce.matching", state="done", resource="variant"),
            "failed": self._first("commerce.job", state="failed", kind="invoice"),
            "problem": self._first("commerce.problem", connection_id=shop),
            "product": self._failed_record("inventory"),
            "invoice": self._failed_record("invoice"),
            "sale": self._bound("sale.order"),
            "delivery": self._first("stock.picking", picking_type_code="outgoing"),
            "contact": self._customer(),
            "waiting": self._first("commerce.job", state="pending"),
            "attempt": self._first("commerce.attempt", state="failed", kind="inventory"),
            "run": self._first("commerce.run", connection_id=shop),
            "stock_flow": self._first("commerce.flow", kind="inventory"),
            "invoice_flow": self._first("commerce.flow", kind="invoice"),
            "order_flow": self.odoo(
                "commerce.flow", "create", {"connection_id": shop, "kind": "order"}
            ),
            "binding": self._first("commerce.binding", resource="variant"),
            "comparison": comparison,
        }

    def _first(self, model, /, **values):
        domain = [[name, "=", value] for name, value in values.items()]
        return self.odoo(model, "search", domain, limit=1)[0]

    def _bound(self, model):
        """A record that the first store has as well."""
        binding = self._first("commerce.binding", model=model)
        return self.odoo("commerce.binding", "read", [binding], ["res_id"])[0]["res_id"]

    def _customer(self):
        sale = self._bound("sale.order")
        return self.odoo("sale.order", "read", [sale], ["partner_id"])[0]["partner_id"][0]

    def _failed_record(self, kind):
        """The record of a failed job."""
        job = self._first("commerce.job", state="failed", kind=kind)
        return self.odoo("commerce.job", "read", [job], ["res_id"])[0]["res_id"]

    # === PROBLEMS === #

    def _spoil_products(self):
        """The store refuses one product and has deleted two; some others are sent as well."""
        simple = [item for item in self.store.get("products", per_page=100) if item["sku"]]
        refused, *deleted = simple[:3]
        self.store.sandbox("faults", {"kind": "bad_item", "sku": refused["sku"]})
        for item in deleted:
            self._delete(item["id"])
        skus = [item["sku"] for item in simple[:8]]
        products = self.odoo("product.product", "search", [["default_code", "in", skus]])
        self.odoo("product.product", "action_commerce_push_inventory", products)
        self._wait_for_failures(1 + len(deleted))

    def _delete(self, product_id):
        self._send("DELETE", f"products/{product_id}?force=true")

    def _send(self, method, path, body=None):
        """A request to the store, as its staff's browser would make it."""
        address, path = self.store.address, f"{scenario.STORE_API}/{path}"
        sign_in = f"Basic {self.store.sign_in}"
        return scenario.send(address, method, path, body, Authorization=sign_in)

    def _invoice_without_sku(self, shop):
        nameless = self.odoo(
            "product.product",
            "search",
            [["default_code", "=", False], ["sale_ok", "=", True]],
            limit=2,
        )
        self.odoo("product.product", "write", nameless, {"invoice_policy": "order"})
        orders = [self._order(product) for product in nameless]
        scenario.match(self.odoo, shop, "order")
        for order in orders:
            scenario.invoice(self.odoo, order)
        self._wait_for_failures(3 + len(orders))

    def _order(self, product):
        """A confirmed order of Odoo for a new one of the store.

        :return: its id
        """
        number = self.store.sandbox("orders", {"customer_note": ""})["number"]
        [customer] = self.odoo("res.partner", "search", [["is_company", "=", True]], limit=1)
        line = {"product_id": product, "product_uom_qty": 1}
        values = {"partner_id": customer, "client_order_ref": number}
        order = self.odoo("sale.order", "create", {**values, "order_line": [[0, 0, line]]})
        self.odoo("sale.order", "action_confirm", [order])
        return order

    def _preview(self, shop):
        """A matching that waits for a person.

        :return: its id
        """
        self.store.sandbox("seed", {"products": list(UNMATCHED)})
        values = {"connection_id": shop, "resource": "variant"}
        matching = self.odoo("commerce.matching", "create", values)
        self.odoo("commerce.matching", "action_read", [matching])
        found = [["id", "=", matching], ["state", "=", "ready"]]
        scenario.wait_until(lambda: self.odoo("commerce.matching", "search_count", found))
        return matching

    # === BOTH SIDES DISAGREE === #

    def _compare(self, shop):
        """Somebody edits stock in the store; stock is compared twice, so that there is a history.

        :return: id of the latest comparison
        """
        [flow] = self.odoo(
            "commerce.flow", "search", [["connection_id", "=", shop], ["kind", "=", "inventory"]]
        )
        self._compared(flow)
        managed = [item for item in self.store.get("products", per_page=100) if item["sku"]]
        for number, item in enumerate(managed[-4:]):
            body = {"manage_stock": True, "stock_quantity": 90 + number}
            self._send("PUT", f"products/{item['id']}", body)
        return self._compared(flow)

    def _compared(self, flow):
        comparison = self.odoo("commerce.flow", "action_reconcile", [flow])["res_id"]
        done = [["id", "=", comparison], ["state", "=", "done"]]
        scenario.wait_until(lambda: self.odoo("commerce.reconciliation", "search_count", done))
        return comparison

    # === OTHER STORES === #

    def _add_troubled_stores(self):
        """:return: ids of a connection that is down and of one that is paused"""
        nobody = f"http://127.0.0.1:{free_port()}"
        outlet = self._connect("Outlet", nobody, breaker_threshold=1)
        trade = self._connect("Trade Shop", self.context.store.url)
        self.odoo(
            "commerce.connection",
            "create",
            {
                "name": "Spring Campaign",
                "platform": "woocommerce",
                "address": "https://spring.example.com",
            },
        )
        scenario.wait_until(lambda: self._health(outlet) == "down")
        scenario.wait_until(lambda: self._health(trade) == "paused")
        return outlet, trade

    def _connect(self, name, address, **settings):
        """A live connection with a wrong key, some products and their stock to send.

        :return: its id
        """
        values = {
            "name": name,
            "platform": "woocommerce",
            "address": address,
            "dry_run": False,
            "flow_ids": [[0, 0, {"kind": "inventory"}]],
        }
        connection = self.odoo("commerce.connection", "create", {**values, **settings})
        secrets = {"consumer_key": "ck_old", "consumer_secret": "cs_old"}
        self.odoo("commerce.connection", "set_credentials", [connection], secrets)
        for product in self.odoo("product.product", "search", [["is_storable", "=", True]])[:8]:
            self._bind(connection, product)
        self.odoo("commerce.connection", "action_go_live", [connection])
        flows = self.odoo("commerce.flow", "search", [["connection_id", "=", connection]])
        self.odoo("commerce.flow", "action_sync_now", flows)
        return connection

    def _bind(self, connection, product):
        values = {
            "connection_id": connection,
            "resource": "variant",
            "model": "product.product",
            "res_id": product,
            "external_id": str(1000 + product),
        }
        self.odoo("commerce.binding", "create", values)

    def _health(self, connection):
        return self.odoo("commerce.connection", "sync_status", [connection])[0]["health"]

    def _wait_for_failures(self, count):
        failed = [["state", "=", "failed"]]
        scenario.wait_until(lambda: self.odoo("commerce.job", "search_count", failed) >= count)

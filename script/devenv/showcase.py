"""A company with three stores, and some of all that can happen to them: for pictures.

One store works and has a few problems, one does not answer, one refuses its credentials.
"""

import time

import requests

from .odoo_client import OdooClient
from .process import free_port

#: SKUs of Odoo's demo products that the store has too.
SKUS = (
    "DESK0005 DESK0006 E-COM06 E-COM07 E-COM08 E-COM10 E-COM11 E-COM12 E-COM13 FURN_0001 "
    "FURN_0002 FURN_0006 FURN_0269 FURN_0789 FURN_1118 FURN_5555 FURN_6666 FURN_6667 FURN_7777 "
    "FURN_7800 FURN_8220 FURN_8855 FURN_8900"
).split()
#: The store refuses this one.
REFUSED = "FURN_8900"
#: Deleted in the store after it was bound.
DELETED = "FURN_8220"
LAMP_BARCODE = "40164785534112"


class Showcase:
    """:param OdooClient odoo: signed in as the administrator
    :param str store_url: a sandbox store without data
    :param key, secret: of that store
    """

    def __init__(self, odoo: OdooClient, store_url, key, secret):
        self.odoo = odoo
        self.store_url = store_url
        self.key = key
        self.secret = secret
        self.ids = {}

    def build(self):
        self._seed_store()
        shop = self._connect("My Shop", self.store_url, self.key, self.secret, dry_run=False)
        self.ids["shop"] = shop
        self.odoo.call("commerce.connection", "action_test", [shop])
        self._sell()
        self.ids["matching"] = self._match(shop, "variant")
        self._confirm(self.ids["matching"])
        orders = self._match(shop, "order")
        self._confirm(orders)
        flows = self._add_flows(shop)
        self._break_things()
        self.odoo.call("commerce.connection", "action_go_live", [shop])
        runs = [self.odoo.call("commerce.flow", "action_sync_now", [flow]) for flow in flows]
        self.ids["run"] = runs[0]["res_id"]
        self._wait(lambda: not self._status(shop)["pending"] and not self._status(shop)["running"])
        self._add_unmatched()
        self.ids["preview"] = self._match(shop, "variant")
        self._add_troubled_stores()
        self._find_examples()
        return self.ids

    # === THE STORE === #

    def _control(self, method, path, data=None):
        answer = requests.request(
            method, f"{self.store_url}/_sandbox/{path}", json=data, timeout=60
        )
        answer.raise_for_status()
        return answer.json()

    def _seed_store(self):
        products = self.odoo.search_read(
            "product.product", [("default_code", "in", SKUS)], ["default_code", "name", "lst_price"]
        )
        items = [
            {
                "name": product["name"],
                "sku": product["default_code"],
                "regular_price": f"{product['lst_price']:.2f}",
                "manage_stock": True,
                "stock_quantity": 1,
            }
            for product in products
        ]
        self.remote = self._control("POST", "seed", {"products": items})["products"]

    def _add_unmatched(self):
        """What a person has to look at when it is matched."""
        lamp = {"regular_price": "40.00", "global_unique_id": LAMP_BARCODE}
        self._control(
            "POST",
            "seed",
            {
                "products": [
                    {"name": "Office Lamp", "sku": "FURN_8888", "regular_price": "40.00"},
                    {"name": "Office Lamp, special edition", **lamp},
                    {"name": "Gift card", "regular_price": "25.00"},
                    {"name": "Garden Bench", "sku": "GARDEN-1", "regular_price": "199.00"},
                    {"name": "Cabinet", "sku": "FURN_9001", "regular_price": "1950.00"},
                ]
            },
        )

    def _break_things(self):
        self._control("POST", "faults", {"kind": "bad_item", "sku": REFUSED})
        deleted = next(item["id"] for item in self.remote if item["sku"] == DELETED)
        requests.delete(
            f"{self.store_url}/wp-json/wc/v3/products/{deleted}?force=true",
            auth=(self.key, self.secret),
            timeout=60,
        ).raise_for_status()

    # === SALES === #

    def _sell(self):
        """Orders that came from the store, invoiced in Odoo; two of them cannot be sent."""
        customers = self.odoo.search_read(
            "res.partner", [("is_company", "=", True), ("customer_rank", ">", 0)], ["name"], limit=6
        )
        nameless = self.odoo.search_read(
            "product.product", [("default_code", "=", False), ("sale_ok", "=", True)], ["name"]
        )
        sold = self.odoo.call("product.product", "search", [("sale_ok", "=", True)])
        self.odoo.call("product.product", "write", sold, {"invoice_policy": "order"})
        for position, customer in enumerate(customers):
            sku = SKUS[position]
            lines = [{"sku": sku, "quantity": position + 1}]
            number = self._control("POST", "orders", {"line_items": lines})["number"]
            extra = nameless[position]["id"] if position in (2, 4) else None
            self._order(customer["id"], number, sku, position + 1, extra)

    def _order(self, partner_id, number, sku, quantity, extra):
        product = self.odoo.search_read("product.product", [("default_code", "=", sku)], ["id"])[0]
        lines = [{"product_id": product["id"], "product_uom_qty": quantity}]
        if extra:
            lines.append({"product_id": extra, "product_uom_qty": 1})
        order = self.odoo.create(
            "sale.order",
            partner_id=partner_id,
            client_order_ref=number,
            order_line=[(0, 0, line) for line in lines],
        )
        self.odoo.call("sale.order", "action_confirm", [order])
        context = {"active_model": "sale.order", "active_ids": [order]}
        wizard = self.odoo.call(
            "sale.advance.payment.inv",
            "create",
            [{"advance_payment_method": "delivered"}],
            context=context,
        )
        self.odoo.call("sale.advance.payment.inv", "create_invoices", wizard, context=context)
        invoices = self.odoo.call("sale.order", "read", [order], ["invoice_ids"])[0]["invoice_ids"]
        self.odoo.call("account.move", "action_post", invoices)

    # === CONNECTIONS === #

    def _connect(self, name, address, key, secret, **values):
        connection = self.odoo.create(
            "commerce.connection", name=name, platform="woocommerce", address=address, **values
        )
        self.odoo.call(
            "commerce.connection",
            "set_credentials",
            [connection],
            {"consumer_key": key, "consumer_secret": secret},
        )
        return connection

    def _add_flows(self, connection):
        return [
            self.odoo.create("commerce.flow", connection_id=connection, kind=kind)
            for kind in ("inventory", "invoice")
        ]

    def _match(self, connection, resource):
        matching = self.odoo.create(
            "commerce.matching", connection_id=connection, resource=resource
        )
        self.odoo.call("commerce.matching", "action_read", [matching])
        self._wait(lambda: self._read("commerce.matching", matching, "state") == "ready")
        return matching

    def _confirm(self, matching):
        self.odoo.call("commerce.matching", "action_confirm", [matching])

    def _add_troubled_stores(self):
        silent = f"http://127.0.0.1:{free_port()}"  # nobody listens there
        outlet = self._connect("Outlet", silent, "ck", "cs", dry_run=False, breaker_threshold=1)
        trade = self._connect("Trade Shop", self.store_url, "ck_old", "cs_old", dry_run=False)
        for connection in (outlet, trade):
            self._bind_some(connection)
            flow = self._add_flows(connection)[0]
            self.odoo.call("commerce.connection", "action_go_live", [connection])
            self.odoo.call("commerce.flow", "action_sync_now", [flow])
        self._connect("Spring Campaign", "https://spring.example.com", "ck", "cs")
        self._wait(lambda: self._status(outlet)["health"] == "down")
        self._wait(lambda: self._status(trade)["health"] == "paused")
        self.ids |= {"outlet": outlet, "trade": trade}

    def _bind_some(self, connection):
        products = self.odoo.search_read(
            "product.product", [("default_code", "in", SKUS[:8])], ["default_code"]
        )
        for product in products:
            self.odoo.create(
                "commerce.binding",
                connection_id=connection,
                resource="variant",
                model="product.product",
                res_id=product["id"],
                external_id=str(1000 + product["id"]),
                external_ref=product["default_code"],
            )

    def _find_examples(self):
        self.ids |= {
            "failed": self._first("commerce.job", state="failed", kind="invoice"),
            "waiting": self._first("commerce.job", state="pending"),
            "attempt": self._first("commerce.attempt", state="failed", kind="inventory"),
            "stock_flow": self._first("commerce.flow", kind="inventory"),
            "invoice_flow": self._first("commerce.flow", kind="invoice"),
            "binding": self._first("commerce.binding", resource="variant"),
        }

    def _first(self, model, **values):
        domain = [(name, "=", value) for name, value in values.items()]
        return self.odoo.call(model, "search", domain, limit=1)[0]

    # === LOOKING === #

    def _read(self, model, record_id, field):
        return self.odoo.call(model, "read", [record_id], [field])[0][field]

    def _status(self, connection):
        return self.odoo.call("commerce.connection", "sync_status", [connection])[0]

    def _wait(self, condition, timeout=120):
        deadline = time.monotonic() + timeout
        while not condition():
            if time.monotonic() > deadline:
                raise TimeoutError("The queue does not do what the pictures need.")
            time.sleep(0.3)

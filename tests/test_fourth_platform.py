"""A platform that Commerce Sync does not know, from an addon of its own (``tests/addons``): nothing
here has to change for it."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from odoo.modules.registry import Registry
from odoo.tools import config

from .clone import CloneCase

TOKEN = "shelf-token"


class Shelf(ThreadingHTTPServer):
    """The store of ``commerce_sync_shelf``, on loopback."""

    daemon_threads = True

    def __init__(self, *skus):
        super().__init__(("127.0.0.1", 0), Handler)
        self.items = {
            str(number): {"id": str(number), "sku": sku, "quantity": 0}
            for number, sku in enumerate(skus, 1)
        }
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}"

    def stop(self):
        self.shutdown()
        self.server_close()


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/items":
            return self.answer(list(self.server.items.values()))
        return self.answer({"name": "Corner Shelf", "currency": "USD"})

    def do_PUT(self):
        given = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        _empty, _items, number, _what = self.path.split("/")
        if number not in self.server.items:
            return self.answer({"error": "no such item"}, 404)
        self.server.items[number].update(given)
        return self.answer(self.server.items[number])

    def answer(self, data, status=200):
        if self.headers["X-Shelf-Token"] != TOKEN:
            data, status = {"error": "wrong token"}, 401
        body = json.dumps(data).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments):
        pass


class TestFourthPlatform(CloneCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        before, config["test_enable"] = config["test_enable"], False
        try:
            cls.registry = Registry.new(
                cls.database, update_module=True, install_modules={"commerce_sync_shelf"}
            )
        finally:
            config["test_enable"] = before

    def setUp(self):
        super().setUp()
        self.shelf = Shelf("MUG", "CUP")
        self.addCleanup(self.shelf.stop)

    def connect(self, env):
        connection = env["commerce.connection"].create(
            {
                "name": "Corner Shelf",
                "platform": "shelf",
                "address": self.shelf.url,
                "user_id": env.ref("base.user_admin").id,
                "dry_run": False,
            }
        )
        connection.set_credentials({"token": TOKEN})
        connection.action_test()
        self.addCleanup(self.delete, connection.id)
        return connection

    def test_a_platform_of_another_addon_is_tested_matched_and_sent_to(self):
        with self.committed() as env:
            connection = self.connect(env)
            self.assertEqual(connection.store_name, "Corner Shelf")
            flows = env["commerce.flow"].create(
                [
                    {"connection_id": connection.id, "kind": "inventory", "stock_basis": "on_hand"},
                    {"connection_id": connection.id, "kind": "price", "price_taxes": "excluded"},
                ]
            )
            self.assertEqual(flows[0].kind_choices, ["inventory", "price"])
            connection.store_currency = env.company.currency_id.name
            products = self.make_product("MUG", 7, list_price=12.5, taxes_id=False)
            products |= self.make_product("CUP", 3, list_price=4.99, taxes_id=False)
            matching = env["commerce.matching"].create({"connection_id": connection.id})
            matching.action_read()
        with self.committed() as env:
            env["commerce.matching"].browse(matching.id)._cron_read()
        with self.committed() as env:
            matching = env["commerce.matching"].browse(matching.id)
            matching.action_confirm()
            connection = env["commerce.connection"].browse(connection.id)
            connection.action_go_live()
            flows = connection.flow_ids
            for flow in flows:
                flow._enqueue_due()
        self.drain()
        held = {item["sku"]: (item["quantity"], item["amount"]) for item in self.items()}
        self.assertEqual(held, {"MUG": (7, "12.50"), "CUP": (3, "4.99")})

    def items(self):
        return self.shelf.items.values()

"""A store that answers in a given time and needs next to no processor: WooCommerce's paths for
stock and orders, and what it was told last.

Not the sandbox: that does a store's work, twenty milliseconds for a batch, on the same processor
as what is to be measured.
"""

import asyncio
import contextlib
import json
import re
import sys
import time

import requests
from devenv import workspace
from devenv.process import Service, free_port
from devenv.settings import SCRIPTS

KEY, SECRET = "ck_benchmark", "cs_benchmark"
API = "/wp-json/wc/v3"
MODIFIED = "2026-01-01T00:00:00"


@contextlib.contextmanager
def running(milliseconds=50):
    """Yield a :class:`Store` that runs in a process of its own."""
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.store", port, milliseconds]
    log = workspace.FOLDER / "logs" / f"store-{port}.log"
    with Service("The store", command, port, log, cwd=SCRIPTS) as service:
        yield Store(service.wait_until_ready().url)


class Store:
    """The store, seen from outside."""

    def __init__(self, url):
        self.url = url

    def told(self):
        """``{"stock": {product: quantity}, "orders": {order: its fields}, "requests": number,
        "last": time of the last request}`` since the last :meth:`forget`."""
        return requests.get(f"{self.url}/told", timeout=60).json()

    def forget(self):
        requests.delete(f"{self.url}/told", timeout=60)


# === THE SERVER === #


class _Server:
    def __init__(self, seconds):
        self.seconds = seconds
        self.forget()

    def forget(self):
        self.stock, self.orders, self.requests, self.last = {}, {}, 0, 0.0

    async def serve(self, reader, writer):
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                length = re.search(r"(?i)\ncontent-length: *(\d+)", head)
                body = await reader.readexactly(int(length[1])) if length else b""
                method, target, _protocol = head.split("\r\n", 1)[0].split(" ")
                answer = await self._answer(method, target.partition("?")[0], body)
                data = json.dumps(answer).encode()
                writer.write(
                    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                    b"Content-Length: %d\r\n\r\n" % len(data) + data
                )
        writer.close()

    async def _answer(self, method, path, body):
        if not path.startswith(API):
            if method == "DELETE":
                self.forget()
            return {name: getattr(self, name) for name in ("stock", "orders", "requests", "last")}
        self.last = time.time()
        self.requests += 1
        await asyncio.sleep(self.seconds)
        sent = json.loads(body) if body else {}
        name, _slash, number = path[len(API) + 1 :].partition("/")
        if name == "orders":
            return self._order(number, sent)
        if number == "batch":
            return {"update": [self._product(item["id"], item) for item in sent["update"]]}
        return self._product(number, sent)

    def _product(self, number, sent):
        quantity = self.stock[number] = sent["stock_quantity"]
        return {
            "id": number,
            "manage_stock": True,
            "stock_quantity": quantity,
            "date_modified_gmt": MODIFIED,
        }

    def _order(self, number, sent):
        order = self.orders.setdefault(number, {"meta_data": []})
        order.update(sent)
        return {
            **order,
            "id": int(number),
            "number": number,
            "status": "processing",
            "date_modified_gmt": MODIFIED,
        }


async def _run(port, milliseconds):
    store = _Server(milliseconds / 1000)
    server = await asyncio.start_server(store.serve, "127.0.0.1", port, backlog=128)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_run(*map(int, sys.argv[1:])))

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
from bisect import bisect_right
from datetime import datetime, timedelta
from urllib.parse import parse_qsl

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

    def hold(self, quantities):
        """What the store lists when it is read.

        :param quantities: ``{product: quantity}``, in the order in which they changed
        """
        answer = requests.post(f"{self.url}/hold", json=list(quantities.items()), timeout=60)
        answer.raise_for_status()

    def asked(self):
        """Paths, with their parameters, of what was read since the last :meth:`forget`."""
        return requests.get(f"{self.url}/asked", timeout=60).json()["asked"]


# === THE SERVER === #


class _Server:
    def __init__(self, seconds):
        self.seconds = seconds
        self.rows = []
        self.forget()

    def forget(self):
        self.stock, self.orders, self.requests, self.last = {}, {}, 0, 0.0
        self.asked = []

    async def serve(self, reader, writer):
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                length = re.search(r"(?i)\ncontent-length: *(\d+)", head)
                body = await reader.readexactly(int(length[1])) if length else b""
                method, target, _protocol = head.split("\r\n", 1)[0].split(" ")
                answer = await self._answer(method, target, body)
                data = json.dumps(answer).encode()
                writer.write(
                    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                    b"Content-Length: %d\r\n\r\n" % len(data) + data
                )
        writer.close()

    async def _answer(self, method, target, body):
        path, _mark, query = target.partition("?")
        if not path.startswith(API):
            return self._tell(method, path, body)
        self.last = time.time()
        self.requests += 1
        await asyncio.sleep(self.seconds)
        sent = json.loads(body) if body else {}
        name, _slash, number = path[len(API) + 1 :].partition("/")
        if method == "GET":
            self.asked.append(target[len(API) + 1 :])
            return _page(self.rows if name == "products" else [], dict(parse_qsl(query)))
        if name == "orders":
            return self._order(number, sent)
        if number == "batch":
            return {"update": [self._product(item["id"], item) for item in sent["update"]]}
        return self._product(number, sent)

    def _tell(self, method, path, body):
        if method == "DELETE":
            self.forget()
        if path == "/asked":
            return {"asked": self.asked}
        if path == "/hold":
            self.rows = [_row(place, *held) for place, held in enumerate(json.loads(body))]
        return {name: getattr(self, name) for name in ("stock", "orders", "requests", "last")}

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


def _row(place, number, quantity):
    moment = (datetime.fromisoformat(MODIFIED) + timedelta(seconds=place)).isoformat()
    return {
        "id": int(number),
        "name": f"Product {number}",
        "sku": f"SKU-{number}",
        "type": "simple",
        "manage_stock": True,
        "stock_quantity": quantity,
        "date_modified": moment,
        "date_modified_gmt": moment,
    }


def _page(rows, params):
    """By moment of change, from one moment on, without some."""
    after, seen = params.get("modified_after", ""), params.get("exclude", "").split(",")
    first = bisect_right(rows, after, key=lambda row: row["date_modified"])
    # no more rows are looked at than can be needed
    last = first + int(params.get("per_page", 10)) + len(seen)
    found = [row for row in rows[first:last] if str(row["id"]) not in seen]
    return found[: int(params.get("per_page", 10))]


async def _run(port, milliseconds):
    store = _Server(milliseconds / 1000)
    server = await asyncio.start_server(store.serve, "127.0.0.1", port, backlog=128)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_run(*map(int, sys.argv[1:])))

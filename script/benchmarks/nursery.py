"""Processes with Odoo that can be had and killed by the dozen: one loads Odoo, its forks work.

:class:`Nursery` is the side of who wants them. The other side is this file run as a program: it
reads one JSON object a line, ``{"call": name, "arguments": {...}}``, and answers with one.
"""

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time

#: Seconds a transaction is tried again while the database is away or others are quicker.
OUTAGE = 180
#: Functions that may be called: ``name(env, **arguments)``, in a transaction of its own.
CALLS = {}
#: Functions that may be forked: ``name(registry, **arguments)``.
FORKS = {}


class Nursery:
    """:param config: Odoo's configuration file
    :param database: with the addon
    :param log: the file for what goes wrong
    :param environ: environment variables, with those that Odoo needs; ``None``: our own
    """

    def __init__(self, config, database, log, environ=None):
        self.pids = set()
        self.log = log
        with open(log, "a") as stderr:
            self._process = subprocess.Popen(
                [sys.executable, os.path.abspath(__file__), str(config), database],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
                env=environ,
            )

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        for pid in [*self.pids]:
            self.kill(pid)
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()

    def call(self, name, /, **arguments):
        """What the function returned, as JSON carries it."""
        return self._ask({"call": name, "arguments": arguments})

    def fork(self, name, /, **arguments):
        """Have a function run in a process of its own; its id."""
        pid = self._ask({"fork": name, "arguments": arguments})
        self.pids.add(pid)
        return pid

    def kill(self, pid):
        """End a process as a crash does."""
        self.pids.discard(pid)
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)

    def ended(self, pid):
        """Whether a process has come to its end by itself."""
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            self.pids.discard(pid)
            return True
        return False

    def _ask(self, question):
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps(question) + "\n")
            self._process.stdin.flush()
        line = self._process.stdout.readline()
        answer = json.loads(line) if line else {"error": "the process with Odoo ended"}
        if "error" in answer:
            with open(self.log) as log:
                tail = log.read()[-3000:]
            raise RuntimeError(f"{question}: {answer['error']}\n{tail}")
        return answer["result"]


# === WHAT MAY BE CALLED === #


def call(function):
    CALLS[function.__name__] = function
    return function


def fork(function):
    FORKS[function.__name__] = function
    return function


@call
def connect(env, address, key, secret, connection, flow):
    """A live connection with flows for stock and invoices; values of both as given.

    :return: the id of the connection
    """
    made = env["commerce.connection"].create(
        {
            "name": "Store",
            "platform": "woocommerce",
            "address": address,
            "user_id": env.ref("base.user_admin").id,
            "woo_auth": "basic",
            "dry_run": False,
            **connection,
        }
    )
    made.set_credentials({"consumer_key": key, "consumer_secret": secret})
    for kind in ("inventory", "invoice"):
        values = {"stock_basis": "on_hand"} if kind == "inventory" else {}
        env["commerce.flow"].create({"connection_id": made.id, "kind": kind, **values, **flow})
    made.action_go_live()
    return made.id


@call
def make_products(env, connection, remote):
    """Products for those of the store (``[{"id": ..., "sku": ...}]``), without stock."""
    products = env["product.product"].create(
        [
            {
                "name": item["sku"],
                "default_code": item["sku"],
                "is_storable": True,
                "invoice_policy": "order",
            }
            for item in remote
        ]
    )
    bind(env, connection, "variant", products, remote)


@call
def make_invoices(env, connection, remote, post=True):
    """An invoice for each order of the store (``[{"id": ..., "number": ...}]``)."""
    product = env["product.product"].search([("default_code", "!=", False)], limit=1)
    orders = env["sale.order"].create(
        [
            {
                "partner_id": env.ref("base.partner_admin").id,
                "client_order_ref": order["number"],
                "order_line": [(0, 0, {"product_id": product.id, "price_unit": 10.0})],
            }
            for order in remote
        ]
    )
    orders.action_confirm()
    bind(env, connection, "order", orders, remote)
    for order in orders:
        order._create_invoices()
    if post:
        orders.invoice_ids.action_post()


def bind(env, connection, resource, records, remote):
    env["commerce.binding"].create(
        [
            {
                "connection_id": connection,
                "resource": resource,
                "model": records._name,
                "res_id": record.id,
                "external_id": str(item["id"]),
            }
            for record, item in zip(records, remote, strict=True)
        ]
    )


@call
def enqueue(env, connection, times):
    """For each product so many jobs that are sent in any case, one after another.

    :return: their number
    """
    from odoo.addons.commerce_sync.engine import queue

    flow = env["commerce.flow"].search(
        [("connection_id", "=", connection), ("kind", "=", "inventory")]
    )
    mapper = flow._get_mapper()
    order = flow._get_order(mapper, mapper.due(), True, None)
    order = queue.Order(**{**vars(order), "coalesce": False})
    return sum(len(queue.enqueue(env.cr, order)) for _time in range(times))


@call
def query(env, statement):
    """Rows of the database."""
    env.cr.execute(statement)
    return env.cr.fetchall() if env.cr.description else []


@call
def resend_failed(env):
    """What a person does in the end.

    :return: number of jobs
    """
    return env["commerce.job"].search([("state", "=", "failed")]).action_resend()


@call
def stock(env):
    """``{sku: quantity on hand}``"""
    products = env["product.product"].search([("is_storable", "=", True)])
    return {product.default_code: product.qty_available for product in products}


@call
def invoices(env):
    """``{number of the invoice: id of its order in the store}``"""
    bindings = env["commerce.binding"].search([("resource", "=", "order")])
    orders = {binding.res_id: binding.external_id for binding in bindings}
    moves = env["account.move"].search(
        [("move_type", "=", "out_invoice"), ("state", "=", "posted")]
    )
    return {
        move.name: orders[move.line_ids.sale_line_ids.order_id.id] for move in moves.sorted("id")
    }


# === WHAT MAY BE FORKED === #


@fork
def lane(registry, name, lease, seconds=5.0):
    """A worker, over and over, until it is killed."""
    import psycopg2
    from odoo.addons.commerce_sync.engine.worker import Worker

    with registry.cursor() as cr:
        env = environment(cr)
    while True:
        try:
            done = Worker(env, name, seconds=seconds, lease=lease).drain().done
        except psycopg2.Error as error:  # the database is away; the next round finds it again
            print(f"{name}: {error}", file=sys.stderr)
            done = 0
        time.sleep(0.01 if done else 0.1)


@fork
def trade(registry, seed, changes, portion, pause):
    """Change stock, some products in each transaction, until so many changes are made; and post
    the invoices that are drafts, some with each."""
    choice = random.Random(seed)
    drafts = committed(registry, draft_invoices)
    rounds = -(-changes // portion)
    for number in range(rounds):
        share = drafts[number::rounds]
        change = [(choice.random(), choice.randrange(50)) for _change in range(portion)]
        committed(registry, change_stock, change[: changes - number * portion])
        if share:
            committed(registry, post_invoices, share)
        time.sleep(choice.uniform(0, 2 * pause))


def committed(registry, function, *arguments):
    """A transaction, as Odoo does it with a request: again after a collision; and again when the
    database is back."""
    import psycopg2

    deadline = time.monotonic() + OUTAGE
    while time.monotonic() < deadline:
        try:
            with registry.cursor() as cr:
                return function(environment(cr), *arguments)
        except psycopg2.Error as error:
            print(f"once more: {error}", file=sys.stderr)
            time.sleep(0.2)
    raise TimeoutError("no transaction went through")


def draft_invoices(env):
    return env["account.move"].search([("state", "=", "draft")], order="id").ids


def post_invoices(env, ids):
    # a commit whose answer was lost with the database may have happened
    env["account.move"].browse(ids).filtered(lambda move: move.state == "draft").action_post()


def change_stock(env, changes):
    """:param changes: ``(which product, between 0 and 1; quantity)`` each"""
    products = env["product.product"].search([("is_storable", "=", True)], order="id")
    shelf = env["stock.warehouse"].search([], limit=1).lot_stock_id
    quants = env["stock.quant"]
    for place, quantity in changes:
        product = products[int(place * len(products))]
        have = sum(quants._gather(product, shelf).mapped("quantity"))
        if have != quantity:
            quants._update_available_quantity(product, shelf, quantity - have)


def environment(cr):
    from odoo import SUPERUSER_ID, api

    return api.Environment(cr, SUPERUSER_ID, {"tracking_disable": True})


# === THE PROGRAM === #


def main(config_file, database):
    from odoo.tools import config

    config.parse_config(
        ["--config", config_file, "--database", database, "--log-level=warn"], setup_logging=True
    )
    from odoo.modules.registry import Registry

    # nobody waits for the forks; those that end are not to stay as zombies
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    registry = Registry(database)
    for line in sys.stdin:
        answer(registry, json.loads(line))


def answer(registry, question):
    import odoo.sql_db

    try:
        if "fork" in question:
            result = have_forked(registry, question)
        else:
            with registry.cursor() as cr:
                result = CALLS[question["call"]](environment(cr), **question["arguments"])
        reply = {"result": result}
    except Exception as error:
        import traceback

        traceback.print_exc()
        reply = {"error": f"{type(error).__name__}: {error}"}
    # a fork must not share them, and the server may be restarted
    odoo.sql_db.close_all()
    print(json.dumps(reply, default=str), flush=True)


def have_forked(registry, question):
    pid = os.fork()
    if pid:
        return pid
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    # its own standard output: the other one carries answers
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    os.close(sys.stdin.fileno())
    random.seed()
    try:
        FORKS[question["fork"]](registry, **question["arguments"])
        os._exit(0)
    except BaseException:
        import traceback

        traceback.print_exc()
        os._exit(1)


if __name__ == "__main__":
    main(*sys.argv[1:])

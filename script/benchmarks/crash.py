"""Does anything get lost? Workers that are killed at random moments, a store that misbehaves, and a
database that is restarted; then both sides are compared.

``run`` is the test; ``script/bench crash`` runs its long form, on a PostgreSQL server that keeps
what is committed as one in production does; ``tests/test_crash.py`` runs a short one.
"""

import dataclasses
import random
import tempfile
import time
from pathlib import Path

import requests
from devenv import workspace
from devenv.console import say, step

from .nursery import Nursery
from .rows import row

#: What the store does, and how often.
FAULTS = (
    {"kind": "http_500_before", "probability": 0.06},
    {"kind": "http_500_after", "probability": 0.06},
    {"kind": "reset", "probability": 0.04},
    {"kind": "malformed", "probability": 0.03},
    {"kind": "malformed", "probability": 0.01, "style": "html"},
    {"kind": "timeout", "probability": 0.005, "seconds": 3.0},
    {"kind": "down", "probability": 0.02},
    {"kind": "rate_limit", "probability": 0.01, "retry_after": 1.0},
    {"kind": "latency", "ms": 100.0},
)
#: Seconds until a dead worker's jobs are taken up again. More than an answer can take, or the store
#: could still be at work when the next one looks.
LEASE = 5.0
SKU = "CRASH-{:05}"
KEY, SECRET = "ck_crash", "cs_crash"
KEY_OPTIONS = ("--key", KEY, "--secret", SECRET)


@dataclasses.dataclass(frozen=True)
class Plan:
    """How much of everything. Changes of stock come in transactions of ``portion`` products, with
    invoices posted between them, while workers are killed."""

    products: int
    changes: int
    invoices: int
    kills: int
    lanes: int = 4
    portion: int = 20
    pause: float = 0.1
    between_kills: float = 0.7
    patience: float = 300.0
    seed: int = 1


SHORT = Plan(products=100, changes=500, invoices=30, kills=8, lanes=3, patience=60.0)
LONG = Plan(products=1000, changes=3000, invoices=300, kills=40, between_kills=1.2)


@row(
    "crash",
    200,
    f"{LONG.changes:,} changes of stock and {LONG.invoices} invoices; {LONG.lanes} workers, killed "
    f"{LONG.kills} times; a store with faults; PostgreSQL crashed and restarted once",
    "things that are wrong afterwards",
    "<= 0",
)
def crash(_environment):
    from devenv.environment import environment

    with (
        environment(durable=True) as durable,
        durable.temporary_database("crash") as database,
        tempfile.TemporaryDirectory() as folder,
        durable.start_store(Path(folder) / "store.sqlite", options=KEY_OPTIONS) as store,
    ):
        access = Store(store.url, KEY, SECRET)
        log = workspace.FOLDER / "logs" / "crash.log"
        log.unlink(missing_ok=True)
        with Nursery(durable.write_config(), database, log, durable.environ()) as nursery:
            outcome = run(nursery, access, LONG, _restart(durable.server))
        say(outcome.summary())
        if outcome.wrong:
            say(f"  What the workers said: {log}")
        return [len(outcome.wrong)], None


def _restart(server):
    """A function that crashes and restarts the server, or ``None`` where it is not ours."""
    if not hasattr(server, "stop"):
        return None

    def restart():
        server.stop("immediate")
        time.sleep(1)
        server.start()

    return restart


class Store:
    """The sandbox over HTTP: its own API as a shop's owner has it, and its controls."""

    def __init__(self, url, key, secret):
        self.url = url
        self.key = key
        self.secret = secret

    def get(self, path, **params):
        """All pages of a list."""
        found, page = [], 1
        while True:
            answer = requests.get(
                f"{self.url}/wp-json/wc/v3/{path}",
                params={"per_page": 100, "page": page, **params},
                auth=(self.key, self.secret),
                timeout=60,
            )
            answer.raise_for_status()
            found += answer.json()
            if page >= int(answer.headers.get("X-WP-TotalPages") or 1):
                return found
            page += 1

    def control(self, method, path, data=None):
        answer = requests.request(method, f"{self.url}/_sandbox/{path}", json=data, timeout=60)
        answer.raise_for_status()
        return answer.json()


@dataclasses.dataclass
class Outcome:
    """``wrong`` is a list of sentences; ``figures`` says what happened."""

    wrong: list
    figures: dict

    def summary(self):
        lines = [f"  {name}: {value}" for name, value in self.figures.items()]
        return "\n".join([*lines, *(f"  WRONG: {sentence}" for sentence in self.wrong)])


def run(nursery, store, plan, restart=None):
    """:param nursery: with Odoo on a new database
    :param store: a new one
    :param restart: called once, in the middle, if given
    :return: :class:`Outcome`
    """
    with step(f"{plan.products} products and {plan.invoices} orders on both sides"):
        prepare(nursery, store, plan)
    with step(f"{plan.changes} changes, {plan.invoices} invoices, {plan.kills} kills"):
        restarts = disturb(nursery, store, plan, restart)
    with step("What is left"):
        resent = come_to_an_end(nursery, store, plan)
    with step("Comparing both sides"):
        wrong = [sentence for check in CHECKS for sentence in check(nursery, store)]
        figures = count(nursery, store, plan, restarts, resent)
        if not figures["attempts by state"].get("unknown"):
            wrong.append("no kill hit anything: nothing was proven")
        if figures["invoices"] < plan.invoices:
            wrong.append(f"only {figures['invoices']} invoices were posted: changes stopped early")
        return Outcome(wrong, figures)


def prepare(nursery, store, plan):
    products = [
        {"name": sku, "sku": sku, "manage_stock": True, "stock_quantity": 0}
        for sku in map(SKU.format, range(plan.products))
    ]
    orders = [{} for _order in range(plan.invoices)]
    seeded = store.control("POST", "seed", {"products": products, "orders": orders})
    connection = nursery.call(
        "connect",
        address=store.url,
        key=store.key,
        secret=store.secret,
        connection={"parallel_requests": 3, "timeout": 2, "breaker_threshold": 20},
        flow={"retry_first_delay": 1, "retry_max_delay": 3, "max_attempts": 60},
    )
    nursery.call("make_products", connection=connection, remote=seeded["products"])
    orders = [{"id": order, "number": str(order)} for order in seeded["orders"]]
    nursery.call("make_invoices", connection=connection, remote=orders, post=False)


def disturb(nursery, store, plan, restart):
    """Change, send and kill at once.

    :return: number of restarts of the database
    """
    choice = random.Random(plan.seed)
    store.control("PUT", "faults", [*_faults(plan), *_bad_items(plan, choice)])
    trader = nursery.fork(
        "trade", seed=plan.seed, changes=plan.changes, portion=plan.portion, pause=plan.pause
    )
    lanes = dict(_lane(nursery, number) for number in range(plan.lanes))
    for number in range(plan.kills):
        time.sleep(choice.uniform(0.1, 2 * plan.between_kills))
        if restart and number == plan.kills // 2:
            restart()
        victim = _victim(nursery, lanes, choice)
        time.sleep(choice.uniform(0, 0.1))
        nursery.kill(lanes.pop(victim))
        lanes.update([_lane(nursery, plan.lanes + number)])
    deadline = time.monotonic() + plan.patience
    while not nursery.ended(trader) and time.monotonic() < deadline:
        time.sleep(0.2)
    return int(bool(restart))


def _lane(nursery, number):
    """:return: name and process id"""
    name = f"lane {number}"
    return name, nursery.fork("lane", name=name, lease=LEASE)


def _victim(nursery, lanes, choice):
    """One of those that have jobs in their hands, if there is one now; idle ones prove little."""
    busy = _rows(
        nursery,
        "SELECT DISTINCT split_part(worker, '/', 1) FROM commerce_job WHERE state = 'running'",
    )
    return choice.choice(sorted({name for (name,) in busy} & set(lanes)) or sorted(lanes))


def _faults(plan):
    return [
        {**fault, "seed": plan.seed + number} if "probability" in fault else fault
        for number, fault in enumerate(FAULTS)
    ]


def _bad_items(plan, choice):
    """Products the store refuses at first: their jobs need a person."""
    numbers = choice.sample(range(plan.products), 5)
    return [{"kind": "bad_item", "sku": SKU.format(number), "times": 1} for number in numbers]


def come_to_an_end(nursery, store, plan):
    """The store is well again, and a person resends what failed.

    :return: number of jobs a person had to resend
    """
    store.control("DELETE", "faults")
    resent, deadline = 0, time.monotonic() + plan.patience
    while time.monotonic() < deadline:
        [[busy, failed]] = nursery.call(
            "query",
            statement="""SELECT count(*) FILTER (WHERE state IN ('pending', 'running')),
                                count(*) FILTER (WHERE state = 'failed') FROM commerce_job""",
        )
        if not busy and not failed:
            break
        if failed:
            resent += nursery.call("resend_failed")
        time.sleep(0.5)
    return resent


# === WHAT MUST HOLD === #

CHECKS = []


def check(function):
    CHECKS.append(function)
    return function


def _rows(nursery, statement):
    return nursery.call("query", statement=statement)


@check
def the_store_holds_the_stock_of_odoo(nursery, store):
    theirs = {item["sku"]: item["stock_quantity"] for item in store.get("products")}
    for sku, quantity in nursery.call("stock").items():
        if theirs.get(sku) != quantity:
            yield f"{sku}: the store has {theirs.get(sku)}, Odoo {quantity}"


@check
def every_invoice_is_in_the_store_once(nursery, store):
    invoices = nursery.call("invoices")
    orders = {str(order["id"]): order for order in store.get("orders")}
    for name, order in invoices.items():
        notes = [note for note in store.get(f"orders/{order}/notes") if name in note["note"]]
        fields = [meta for meta in orders[order]["meta_data"] if name in meta["key"]]
        if (len(notes), len(fields)) != (1, 1):
            yield f"{name}: {len(notes)} notes, {len(fields)} fields"
    created = store.control("GET", "state")["creations"]
    if created != len(invoices):
        yield f"{created} creations for {len(invoices)} invoices"


@check
def no_job_is_left(nursery, _store):
    for job in _rows(
        nursery,
        """SELECT id, state, error_message FROM commerce_job
            WHERE state NOT IN ('done', 'cancelled')
               OR state = 'cancelled' AND superseded_by_id IS NULL""",
    ):
        yield f"job {job}"


@check
def the_log_explains_every_job(nursery, _store):
    for attempt in _rows(nursery, "SELECT id FROM commerce_attempt WHERE finished_at IS NULL"):
        yield f"attempt {attempt} never ended"
    for job in _rows(
        nursery,
        """SELECT id, outcome FROM commerce_job AS job
            WHERE state = 'done' AND outcome NOT IN ('unchanged', 'skipped')
              AND NOT EXISTS (SELECT 1 FROM commerce_attempt AS attempt
                               WHERE attempt.job_id = job.id AND attempt.state = 'done')""",
    ):
        yield f"job {job} is done, but no attempt is"


@check
def one_document_is_sent_by_one_at_a_time(nursery, _store):
    for attempt in _rows(
        nursery,
        """SELECT * FROM (
               SELECT id, model, res_id, started_at,
                      lag(finished_at) OVER (PARTITION BY kind, res_id ORDER BY id) AS before
                 FROM commerce_attempt) AS turn
            WHERE started_at < before""",
    ):
        yield f"attempt {attempt} began before the one before had ended"


@check
def tries_of_one_job_share_its_key(nursery, _store):
    for job in _rows(
        nursery,
        """SELECT job_id, count(DISTINCT idempotency_key) FROM commerce_attempt
            GROUP BY job_id HAVING count(DISTINCT idempotency_key) >
                   1 + count(*) FILTER (WHERE state IN ('failed', 'done'))""",
    ):
        yield f"job {job} changed its idempotency key"


def count(nursery, store, plan, restarts, resent):
    """What happened, for people."""
    states = dict(_rows(nursery, "SELECT state, count(*) FROM commerce_attempt GROUP BY state"))
    jobs = dict(_rows(nursery, "SELECT state, count(*) FROM commerce_job GROUP BY state"))
    outcomes = dict(
        _rows(nursery, "SELECT outcome, count(*) FROM commerce_job WHERE state = 'done' GROUP BY 1")
    )
    journal = store.control("GET", "state")
    [[deadlocks]] = _rows(
        nursery, "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    )
    return {
        "changes of stock": plan.changes,
        "invoices": len(nursery.call("invoices")),
        "workers killed": plan.kills,
        "database restarts": restarts,
        "jobs by state": jobs,
        "jobs done, by outcome": outcomes,
        "attempts by state": states,
        "resent by a person": resent,
        "requests": journal["requests"],
        "items written": journal["items_written"],
        "creations": journal["creations"],
        "deadlocks": deadlocks,
        "seed": plan.seed,
    }

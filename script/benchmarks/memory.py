"""A long queue must not make a large worker."""

import contextlib
import os
import threading
from pathlib import Path

from . import databases, store
from .rows import row
from .side import Ours

JOBS = 100_000
EVERY = 0.1  # seconds between looks


@row(
    "memory",
    90,
    f"what a worker grows by while it sends {JOBS:,} stock levels",
    "MB",
    "<= 150",
)
def memory(environment):
    with databases.ours(environment) as database, store.running(0) as there:
        ours = Ours(environment, database)
        ours.connect(there, 4)
        ours.add_flow("inventory")
        ours.enqueue()
        with ours.env() as env:
            _multiply(env)
        ours.analyze()
        with _watched() as sizes:
            ours.drain()
        assert ours.count(state="done") == JOBS
        return ([max(sizes) - sizes[0]],)


def _multiply(env):
    """Ten jobs for each product, that do not wait for one another."""
    env.cr.execute("SELECT * FROM commerce_job LIMIT 0")
    names = [f'"{column.name}"' for column in env.cr.description if column.name != "id"]
    values = [_VALUES.get(name, name) for name in names]
    env.cr.execute(
        f"INSERT INTO commerce_job ({', '.join(names)}) SELECT {', '.join(values)}"
        " FROM generate_series(1, 9) AS copy CROSS JOIN commerce_job AS job ORDER BY copy, job.id"
    )
    # All at once, so that the copies of one job are not taken up together.
    env.cr.execute("UPDATE commerce_job SET force = true, run_after = now() - interval '1 day'")


_VALUES = {
    '"identity_key"': "identity_key || '/' || copy",
    '"sequence_key"': "sequence_key || '/' || copy",
    '"idempotency_key"': "gen_random_uuid()::text",
}


@contextlib.contextmanager
def _watched():
    """Yield a list that this process's size in MB is added to, now and then."""
    sizes, ended = [_size()], threading.Event()

    def look():
        while not ended.wait(EVERY):
            sizes.append(_size())

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    try:
        yield sizes
    finally:
        ended.set()
        watcher.join()


def _size():
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20

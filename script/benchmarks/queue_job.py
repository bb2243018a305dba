"""The reference: OCA's queue_job in Odoo's own processes, one job for each record."""

import contextlib
import sys
import time
from pathlib import Path

from devenv import workspace
from devenv.console import SetupError
from devenv.files import digest, ensure_folder, run_logged
from devenv.process import Service, free_port
from devenv.settings import cache

from .side import Odoo
from .store import API

REQUIREMENTS = ("odoo-addon-queue-job==19.0.2.4.0.1", "openupgradelib==3.13.7")
MODULES = ["queue_job", "benchmark_queue_job"]
ADDONS = Path(__file__).parent / "addons"
CHANNELS = 8
WORKERS = 4
WARM_UP = 40  # jobs, so that each worker has loaded Odoo
PATIENCE = 120


def fingerprint():
    """What a database with the reference depends on."""
    sources = sorted(ADDONS.rglob("*.py"))
    return digest(*REQUIREMENTS, *(path.read_bytes() for path in sources))


def fetched():
    """The folder with the packages, from PyPI."""
    return ensure_folder(
        cache() / f"queue-job-{digest(*REQUIREMENTS)}", "Fetching queue_job", _fetch
    )


def _fetch(folder):
    pip = [sys.executable, "-m", "pip", "install", "--no-deps", "--target", folder]
    run_logged([*pip, *REQUIREMENTS], "pip-queue-job")


def options(environment):
    """Options of Odoo's configuration file."""
    paths = [
        *environment.odoo.addons_paths,
        *workspace.addons_paths(),
        fetched() / "odoo" / "addons",
        ADDONS,
    ]
    return {"addons_path": ",".join(map(str, paths)), "server_wide_modules": "base,web,queue_job"}


def _environ(environment):
    environ = environment.environ()
    environ["PYTHONPATH"] += f":{fetched()}"
    return {**environ, "ODOO_QUEUE_JOB_CHANNELS": f"root:{CHANNELS}"}


def install(environment, database):
    arguments = ("--init", ",".join(MODULES), "--stop-after-init", "--no-http")
    command = environment.odoo_command(database, *arguments, options=options(environment))
    run_logged(command, "queue-job-install", env=_environ(environment))


@contextlib.contextmanager
def running(environment, database):
    """Yield a :class:`Reference` whose processes run."""
    port = free_port()
    command = environment.odoo_command(
        database,
        f"--http-port={port}",
        f"--gevent-port={free_port()}",
        f"--workers={WORKERS}",
        "--max-cron-threads=0",
        options=options(environment),
    )
    log = workspace.FOLDER / "logs" / f"queue-job-{port}.log"
    environ = _environ(environment)
    with Service("queue_job", command, port, log, "/web/health", env=environ) as service:
        service.wait_until_ready()
        yield Reference(environment, database)


class Reference(Odoo):
    """Odoo with queue_job, in this process, to make jobs and to look at them."""

    def __init__(self, environment, database):
        super().__init__(environment, database, options(environment), [fetched()])
        self._warm = False

    def rate(self, find, method, store, count):
        """Jobs a second, from the waiting ones to the last that is done.

        :param find: ``find(env)`` returns the records; the first ``count`` have a job each
        """
        if not self._warm:
            self._run(find, method, store, WARM_UP)
            self._warm = True
        return count / self._run(find, method, store, count)

    def _run(self, find, method, store, count):
        with self.env() as env:
            self.delay(find(env)[:count], method, store)
        started = time.perf_counter()
        while (left := self._left()) and time.perf_counter() - started < PATIENCE:
            time.sleep(0.02)
        seconds = time.perf_counter() - started
        if left:
            raise SetupError(f"queue_job did not do {left} of {count} jobs.")
        self.clear()
        return seconds

    @staticmethod
    def delay(records, method, store):
        """Enqueue a job for each record; what it does is ``method``."""
        for record in records:
            getattr(record.with_delay(), method)(store.url + API)

    def _left(self):
        with self.env() as env:
            return env["queue.job"].search_count([("state", "!=", "done")])

    def clear(self):
        with self.env() as env:
            env.cr.execute("DELETE FROM queue_job")

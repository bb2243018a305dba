"""The environment as the commands use it: Odoo, PostgreSQL and databases with the addon."""

import contextlib
import os
import sys

from . import postgres, source, workspace
from .console import step
from .database import Databases
from .files import digest, run_logged
from .process import HOST, Service, free_port
from .settings import ADDON, CHECKOUT, SCRIPTS, cache
from .templates import Templates

ODOO_BIN = SCRIPTS / "devenv" / "bin" / "odoo-bin"


@contextlib.contextmanager
def environment(durable=False):
    """Yield an :class:`Environment` whose PostgreSQL runs; it is prepared on first use.

    :param durable: with an embedded server that loses nothing in a crash, at the price of speed
    """
    odoo = source.find()
    with postgres.server(durable) as server:
        yield Environment(odoo, server)


class Environment:
    """:param odoo: the :class:`source.Odoo` to run
    :param server: the :class:`postgres.Cluster` (or ``Given``) with its databases
    """

    def __init__(self, odoo, server):
        self.odoo = odoo
        self.server = server
        self.connection = server.connection
        self.addon = workspace.linked_addon()
        # Two servers may have databases of the same name, but not the same attachments.
        self.data = cache() / "odoo-data" / digest(self.connection.host, self.connection.port)
        self.databases = Databases(self.connection, self.data / "filestore")
        self.templates = Templates(self.databases, odoo, self.install)

    # === DATABASES === #

    @contextlib.contextmanager
    def temporary_database(self, label="test", demo=False):
        """Yield the name of a new database with the addon; it is dropped afterwards."""
        name = self.templates.run_name(label)
        self.templates.clone(name, demo)
        try:
            yield name
        finally:
            self.databases.drop(name)

    def development_database(self):
        """Return the checkout's lasting database, with demo data and the addon as it is now."""
        name = self.templates.development_name()
        state = workspace.FOLDER / "development"
        current = workspace.fingerprint()
        if not self.databases.exists(name):
            self.templates.clone(name, demo=True)
        elif not state.exists() or state.read_text() != current:
            with step(f"Updating {ADDON}"):
                self._run_odoo(name, "--update", ADDON)
        state.write_text(current)
        return name

    def install(self, database, modules, demo=False):
        """Install ``modules`` in ``database``, which is created if need be."""
        demo_option = "--with-demo" if demo else "--without-demo"
        self._run_odoo(database, "--init", ",".join(modules), demo_option)

    def _run_odoo(self, database, *arguments):
        command = self.odoo_command(database, *arguments, "--stop-after-init", "--no-http")
        run_logged([*command, "--max-cron-threads=0"], "odoo-install", env=self.environ())

    # === ODOO === #

    def odoo_command(self, database, *arguments, subcommand="server", options=None):
        """Return the command that runs Odoo on ``database``.

        :param options: further options of its configuration file, by name
        """
        config = self.write_config(options)
        return [
            *(sys.executable, str(ODOO_BIN), subcommand),
            *("--config", str(config), "--database", database),
            *arguments,
        ]

    def environ(self):
        """Return the environment variables that Odoo needs."""
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(("PG", "ODOO_"))}
        return {**inherited, "PYTHONPATH": str(self.odoo.root), "PYTHONUNBUFFERED": "1"}

    def write_config(self, options=None):
        """Write Odoo's configuration file and return its path."""
        settings = {
            "addons_path": ",".join(map(str, [*self.odoo.addons_paths, *workspace.addons_paths()])),
            "data_dir": self.data,
            "db_host": self.connection.host,
            "db_port": self.connection.port,
            "db_user": self.connection.user,
            "db_password": self.connection.password,
            "http_interface": HOST,
            "list_db": False,
            # the stores of tests and demonstration are on this machine
            "commerce_sync_allowed_hosts": "127.0.0.1, ::1",
            "screenshots": workspace.FOLDER / "screenshots",
            # Demo data is full of addresses: nothing listens here, so no mail leaves.
            "smtp_server": HOST,
            "smtp_port": 1,
            **(options or {}),
        }
        text = "".join(f"{name} = {value}\n" for name, value in settings.items())
        path = workspace.FOLDER / f"odoo-{digest(text)}.conf"
        draft = path.with_suffix(f".{os.getpid()}")
        draft.touch(mode=0o600)
        draft.write_text("[options]\n" + text)
        draft.replace(path)
        return path

    # === SERVERS === #

    def start_odoo(self, database, workers=0, cron_threads=2, port=0, options=None):
        """Start Odoo's HTTP server and wait for it.

        :param workers: 0 for one process with threads, else the number of worker processes
        :return: the running :class:`process.Service`, to be stopped (or a context manager)
        """
        port = free_port(port)
        command = self.odoo_command(
            database,
            f"--http-port={port}",
            f"--gevent-port={free_port()}",
            f"--workers={workers}",
            f"--max-cron-threads={cron_threads}",
            options=options,
        )
        log = workspace.FOLDER / "logs" / f"odoo-{port}.log"
        return _ready(Service("Odoo", command, port, log, "/web/health", env=self.environ()))

    def start_store(self, data, platform="woocommerce", port=0, options=()):
        """Start the sandbox store that keeps its data in the file ``data``; see start_odoo."""
        port = free_port(port)
        command = [sys.executable, "-m", f"sandbox.{platform}", "--port", port, "--data", data]
        command += options
        log = workspace.FOLDER / "logs" / f"store-{port}.log"
        return _ready(Service("The store", command, port, log, cwd=CHECKOUT))


def _ready(service):
    try:
        return service.wait_until_ready()
    except BaseException:
        service.stop()
        raise

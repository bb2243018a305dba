"""script/demo [--check]: Odoo with demo data, a sandbox store, and the main job done.

Stays up until Ctrl-C. With --check it stops again and its exit code tells whether the store
holds what it should.
"""

import contextlib
import dataclasses
import secrets
import signal
import tempfile
from pathlib import Path

from . import workspace
from .console import say, step
from .environment import Environment, environment
from .process import Service

ODOO_PORT = 8069
STORE_PORT = 8081
LOGIN = "admin"
PASSWORD = "admin"


@dataclasses.dataclass(frozen=True)
class Context:
    """What the scenario of the demonstration works with."""

    environment: Environment
    odoo: Service
    store: Service
    database: str
    store_key: str
    store_secret: str
    login: str = LOGIN
    password: str = PASSWORD


@contextlib.contextmanager
def demonstration():
    """Yield a :class:`Context`: Odoo and the store run, on new data each time."""
    with contextlib.ExitStack() as stack:
        env = stack.enter_context(environment())
        database = stack.enter_context(env.temporary_database("demo", demo=True))
        workspace.FOLDER.mkdir(parents=True, exist_ok=True)
        folder = stack.enter_context(tempfile.TemporaryDirectory(dir=workspace.FOLDER))
        key, secret = f"ck_{secrets.token_hex(20)}", f"cs_{secrets.token_hex(20)}"
        with step("Starting the store"):
            store = stack.enter_context(
                env.start_store(
                    Path(folder) / "store.sqlite",
                    port=STORE_PORT,
                    options=["--key", key, "--secret", secret],
                )
            )
        with step("Starting Odoo"):
            odoo = stack.enter_context(env.start_odoo(database, port=ODOO_PORT))
        yield Context(env, odoo, store, database, key, secret)


def main(arguments):
    import scenario

    if arguments not in ([], ["--check"]):
        print(__doc__)
        return 0 if {"-h", "--help"} & set(arguments) else 2
    with demonstration() as context:
        succeeded = scenario.run(context)
        if not arguments:
            say(f"\nOdoo:      {context.odoo.url}  ({LOGIN} / {PASSWORD})")
            say(f"The store: {context.store.url}")
            say("\nCtrl-C stops both.")
            signal.pause()
    return 0 if succeeded else 1

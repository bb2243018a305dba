"""script/test [--all] [PYTEST ARGUMENTS]: run the suite on a fresh database with the addon.

--all    also the tests that need a browser or Node, and the slow ones

Everything else goes to pytest. Paths are given from the root of the checkout:

    script/test -k webhook
    script/test tests/test_connection.py
"""

import os
import sys

from . import medusa, shopify_schema, workspace
from .environment import environment
from .process import run
from .settings import CHECKOUT, SCRIPTS, cache


def main(arguments):
    if {"-h", "--help"} & set(arguments):
        print(__doc__)
        return 0
    if "--all" in arguments:
        shopify_schema.folder()
        medusa.folder()
    with environment() as env, env.temporary_database() as database:
        return run(_command(env, database, arguments), cwd=env.addon.parent, env=_environ(env))


def _command(env, database, arguments):
    located = [*_located(arguments, env.addon)]
    return [
        *(sys.executable, "-m", "pytest", "-p", "devenv.pytest_plugin"),
        *("--config-file", env.addon / "pyproject.toml"),
        *("--override-ini", f"cache_dir={workspace.FOLDER / 'pytest'}"),
        *("--odoo-config", env.write_config(), "--odoo-database", database),
        *("--odoo-http", "--odoo-log-level", "warn"),
        *located,
        *([] if any(_is_path(argument) for argument in located) else [env.addon / "tests"]),
    ]


def _environ(env):
    environ = env.environ()
    environ["PYTHONPATH"] += os.pathsep + str(SCRIPTS)
    environ["HYPOTHESIS_STORAGE_DIRECTORY"] = str(workspace.FOLDER / "hypothesis")
    # Said aloud, for the next lines would move it.
    environ["COMMERCE_SYNC_CACHE"] = str(cache())
    # A browser keeps files in the person's own folders, whatever profile it is given.
    for name in ("XDG_CACHE_HOME", "XDG_CONFIG_HOME"):
        environ[name] = str(workspace.FOLDER / "browser")
    return environ


def _located(arguments, addon):
    """Name the paths among ``arguments`` below the linked addon.

    pytest-odoo takes the addon's name from them, and the checkout may be called anything.
    """
    for previous, argument in zip(["", *arguments], arguments, strict=False):
        file, separator, test = argument.partition("::")
        if previous not in ("-k", "-m") and (CHECKOUT / file).exists():
            yield str(addon / os.path.relpath(CHECKOUT / file, CHECKOUT)) + separator + test
        else:
            yield argument


def _is_path(argument):
    return os.path.isabs(argument) and os.path.exists(argument.partition("::")[0])

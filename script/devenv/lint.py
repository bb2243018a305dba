"""script/lint [--fix]: ruff and pylint-odoo on the whole checkout."""

import sys

from . import workspace
from .process import run
from .settings import ADDON, CHECKOUT

_FIX = ("check", "--fix"), ("format",)
_CHECK = ("check",), ("format", "--check")


def main(arguments):
    if arguments not in ([], ["--fix"]):
        print(__doc__)
        return 0 if {"-h", "--help"} & set(arguments) else 2
    codes = [_run("ruff", *command, cwd=CHECKOUT) for command in (_FIX if arguments else _CHECK)]
    # pylint-odoo takes the addon's name from the path.
    folder = workspace.linked_addon().parent
    codes.append(_run("pylint", f"--rcfile={ADDON}/.pylintrc", ADDON, cwd=folder))
    return max(codes)


def _run(*command, cwd):
    print("$", *command, flush=True)
    return run([sys.executable, "-m", *command], cwd=cwd)

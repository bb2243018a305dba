"""From the system's Python into the environment's own, and there into one command."""

import importlib
import sys

from . import console, venv


def launch(command):
    """Run ``devenv.<command>.main(arguments)`` in the virtual environment and exit."""
    sys.exit(console.guard(lambda: _run(command)))


def _run(command):
    venv.enter()
    return importlib.import_module("devenv." + command).main(sys.argv[1:])

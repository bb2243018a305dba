"""script/serve [ODOO ARGUMENTS]: run Odoo on a lasting database of this checkout.

The database has demo data; the addon in it is updated when its files have changed. Odoo starts
anew when a Python file of the addon changes, and reads views from their files at once.
Log in as admin, with the password admin.
"""

from . import workspace
from .console import say
from .environment import environment
from .process import HOST, free_port, run

PORT = 8069


def main(arguments):
    if {"-h", "--help"} & set(arguments):
        print(__doc__)
        return 0
    with environment() as env:
        code = None
        while code is None:
            code = _serve_until_changed(env, arguments)
        return code


def _serve_until_changed(env, arguments):
    """Return Odoo's exit code, or None when it was ended because of a change."""
    served = _python_state()
    database = env.development_database()
    port = free_port(PORT)
    say(f"\nOdoo: http://{HOST}:{port}  (admin / admin), Ctrl-C stops it\n")
    command = env.odoo_command(database, f"--http-port={port}", "--dev=qweb,xml", *arguments)
    return run(command, until=lambda: _python_state() != served, env=env.environ())


def _python_state():
    return {
        path: path.stat().st_mtime for path in workspace.installed_files() if path.suffix == ".py"
    }

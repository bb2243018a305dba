"""script/serve [ODOO ARGUMENTS]: run Odoo on a lasting database of this checkout.

The database has demo data; the addon in it is updated when its files have changed. Odoo starts
anew when a Python file changes, and reads views from their files. Log in as admin, admin.
"""

from .console import say
from .environment import environment
from .process import HOST, free_port, run

PORT = 8069


def main(arguments):
    if {"-h", "--help"} & set(arguments):
        print(__doc__)
        return 0
    with environment() as env:
        database = env.development_database()
        port = free_port(PORT)
        say(f"\nOdoo: http://{HOST}:{port}  (admin / admin), Ctrl-C to stop\n")
        command = env.odoo_command(
            database, f"--http-port={port}", "--dev=reload,qweb,xml", *arguments
        )
        return run(command, env=env.environ())

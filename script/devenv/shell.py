"""script/shell [ODOO ARGUMENTS]: Odoo's shell on the database of script/serve."""

from .environment import environment
from .process import run


def main(arguments):
    if {"-h", "--help"} & set(arguments):
        print(__doc__)
        return 0
    with environment() as env:
        database = env.development_database()
        command = env.odoo_command(
            database, "--no-http", "--log-level=warn", *arguments, subcommand="shell"
        )
        return run(command, env=env.environ())

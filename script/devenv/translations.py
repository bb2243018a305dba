"""script/translations: make i18n/commerce_sync.pot anew, from the addon as it stands.

--check    change nothing; fail where the file is not what it would become
"""

import re
import tempfile
from pathlib import Path

from .console import say
from .environment import environment
from .process import run
from .settings import CHECKOUT

TEMPLATE = CHECKOUT / "i18n" / "commerce_sync.pot"
#: Says when it was made, and would differ each time.
DATES = re.compile(r'^"(POT-Creation-Date|PO-Revision-Date): .*\n', re.MULTILINE)


def main(arguments):
    if {"-h", "--help"} & set(arguments):
        print(__doc__)
        return 0
    text = DATES.sub("", exported())
    if arguments == ["--check"]:
        current = TEMPLATE.exists() and TEMPLATE.read_text() == text
        say(f"{TEMPLATE.name} is {'current' if current else 'out of date: script/translations'}")
        return 0 if current else 1
    TEMPLATE.parent.mkdir(exist_ok=True)
    TEMPLATE.write_text(text)
    return 0


def exported():
    """The template as Odoo writes it, of a new database with nothing but the addon."""
    with (
        environment() as env,
        env.temporary_database() as database,
        tempfile.TemporaryDirectory() as folder,
    ):
        path = Path(folder) / "commerce_sync.pot"
        command = env.odoo_command(
            database, "--output", str(path), "commerce_sync", subcommand="i18n"
        )
        # its own command comes before the options
        command.insert(command.index("i18n") + 1, "export")
        code = run(command, env=env.environ())
        if code:
            raise SystemExit(code)
        return path.read_text()

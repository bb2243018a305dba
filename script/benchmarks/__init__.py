"""Measurements, each beside a reference that is measured in the same run.

A row of the table is a function with the decorator :func:`rows.row`, in any module of this
package; its own process runs it. Both sides of a row take turns, and medians are compared.

    rows        what a row is, and the list of them
    report      the table on the terminal, as JSON, in docs/benchmarks.md
    child       a process for each row
    databases   prepared databases: the same data for Odoo with the addon, and with queue_job
    data        what is in them
    side        Odoo in this process, its connection and its flows
    store       a store that answers in 50 ms and needs next to no processor
    bare        the script of a few lines that ours is compared with
    queue_job   the reference: Odoo's processes with OCA's queue_job
"""

import argparse
import importlib
import pkgutil

from devenv.console import SetupError, say

from . import report
from .child import in_child
from .rows import ROWS


def main(environment, arguments):
    """Measure, print and write it down; without names everything.

    :return: the exit code: 1 where one falls short
    """
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    options = _parse(arguments)
    chosen = [row for row in sorted(ROWS.values()) if row.name in (options.names or ROWS)]
    results = [_measure(row, environment, options.json) for row in chosen]
    if not options.json:
        print(report.table(results))
    report.write(results, sorted(ROWS.values()), environment)
    return 0 if all(result.holds for result in results) else 1


def _parse(arguments):
    parser = argparse.ArgumentParser(
        prog="script/bench", description="Measure; without a name, everything."
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(ROWS))
    parser.add_argument("--json", action="store_true", help="one object a line")
    options = parser.parse_args(arguments)
    if unknown := set(options.names) - set(ROWS):
        raise SetupError(f"No such row: {', '.join(unknown)}. There are: {', '.join(ROWS)}.")
    return options


def _measure(row, environment, as_json):
    say(f"- {row.name} ...")
    result = row.judge(*in_child(row.measure, environment))
    say(f"- {row.name}: {report.verdict(result)}")
    if as_json:
        print(report.as_json(result), flush=True)
    return result

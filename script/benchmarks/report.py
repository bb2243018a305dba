"""The table: on the terminal, as JSON, in docs/benchmarks.md."""

import json
import os
import platform
from datetime import date
from pathlib import Path

from devenv.settings import CHECKOUT

PAGE = CHECKOUT / "docs" / "benchmarks.md"
_HEAD = ("name", "ours", "reference", "unit", "ratio", "must", "holds")
_INTRO = """\
# Benchmarks

Written by `script/bench`: each row as it was last measured, on its day. Each figure is measured
beside its reference in the same run: both sides take turns, and the medians are compared.
`script/bench NAME...` measures single rows.

{machine}

| | ours | reference | unit | ratio | must be | holds | day |
|---|--:|--:|---|--:|--:|---|---|
{lines}

## What is measured

{explanations}
"""


def table(results):
    """The table as text, in columns."""
    cells = [_HEAD, *(_cells(result) for result in results)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in cells
    )


def as_json(result):
    values = (result.row.name, result.ours, result.reference, result.row.unit, result.ratio)
    return json.dumps(dict(zip(_HEAD, (*values, result.row.must, result.holds), strict=True)))


def verdict(result):
    """The measurement in one line."""
    cells = dict(zip(_HEAD, _cells(result), strict=True))
    against = f" against {cells['reference']}, {cells['ratio']} times" if result.ratio else ""
    comparison = "holds" if result.holds else "FALLS SHORT"
    return f"{cells['ours']} {cells['unit']}{against}; {cells['must']} {comparison}"


def write(results, rows, environment):
    """Write these results into docs/benchmarks.md, beside those of rows that were not measured.

    :param rows: all there are, in their order
    """
    lines = _read() | {result.row.name: _line(result) for result in results}
    explanations = [
        f"- **{row.name}**: {row.work}"
        + (f"; compared with {row.against}." if row.against else ".")
        for row in rows
    ]
    text = _INTRO.format(
        machine=_machine(environment),
        lines="\n".join(lines[row.name] for row in rows if row.name in lines),
        explanations="\n".join(explanations),
    )
    PAGE.write_text(text)


def _explanation(row):
    return f"{row.work}; compared with {row.against}." if row.against else f"{row.work}."


def _read():
    """The page's rows by name."""
    page = PAGE.read_text() if PAGE.exists() else ""
    lines = [line for line in page.splitlines() if line.startswith("| ") and "ours" not in line]
    return {line.split("|")[1].strip(): line for line in lines}


def _line(result):
    cells = (*_cells(result), str(date.today()))
    return ("| " + " | ".join(cells) + " |").replace(" |  |", " | |")


def _cells(result):
    ratio = "" if result.ratio is None else _short(result.ratio)
    reference = "" if result.reference is None else _short(result.reference)
    verdict = "yes" if result.holds else "NO"
    row = result.row
    return row.name, _short(result.ours), reference, row.unit, ratio, row.must, verdict


def _short(number):
    """Three digits that say something."""
    return f"{number:,.0f}" if abs(number) >= 100 else f"{number:.3g}"


def _machine(environment):
    with environment.connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        (postgres,) = cursor.fetchone()
    cores = len(os.sched_getaffinity(0))
    return (
        f"Machine: {cores} cores ({_first('/proc/cpuinfo', 'model name')}), "
        f"{int(_first('/proc/meminfo', 'MemTotal').split()[0]) / 2**20:.0f} GB of memory; "
        f"Python {platform.python_version()}, PostgreSQL {postgres}. All servers run on it, "
        "the store too."
    )


def _first(path, name):
    """The value of a line ``name : value``."""
    for line in Path(path).read_text().splitlines():
        key, _separator, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return "unknown"

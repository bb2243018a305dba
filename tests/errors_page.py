"""docs/errors.md says what staff see, word by word: each failure is produced for real by a test,
and the page's tables are made from what was seen.
``COMMERCE_SYNC_WRITE_PAGE=1`` writes them anew."""

import os
import re
from pathlib import Path

PAGE = Path(__file__).parent.parent / "docs" / "errors.md"
TITLE = "| what happened | kind | what staff see | what they do |\n|---|---|---|---|\n"
#: What differs from run to run, and what the page says instead.
SAMPLES = (
    (r"127\.0\.0\.1:\d+", "shop.example.com"),
    (r"\b(R?INV)/\d{4}/\d+", r"\1/2026/00042"),
    (r"\bWH/OUT/\d+", "WH/OUT/00042"),
    (r"\bS\d{5}\b", "S00042"),
    (r"#\d+", "#1042"),
    (r"\border (\d+)\b", "order 1042"),
    (r"\b([a-z]+)_[0-9A-Za-z]{20,}", r"\1_01J8"),
)


class Failures:
    """Mixed into a case. Each ``fail_*`` method makes one failure and returns its job (or the
    connection, where it is that which is stopped); its docstring says in words what happened.

    ``section``: the heading that the table stands under.
    """

    section = ""

    def check_page(self):
        rows = [self._row(name) for name in dir(self) if name.startswith("fail_")]
        table = TITLE + "".join(f"| {' | '.join(row)} |\n" for row in rows)
        if os.environ.get("COMMERCE_SYNC_WRITE_PAGE"):
            self._write(table)
        self.assertEqual(self._read()[1], table)

    def _row(self, name):
        method = getattr(self, name)
        what = method.__doc__.strip()
        undo = self.env.cr.savepoint()
        try:
            job = method()
            self.env.invalidate_all()
            self.assertEqual(len(job), 1, what)
            return [what, *self._words(what, job)]
        finally:
            undo.close(rollback=True)
            self.clear_faults()

    def clear_faults(self):
        self.store.clear_faults()

    def _words(self, what, job):
        self.assertTrue(job.error_kind, f"{what}: {job.state} {job.outcome}")
        kinds = dict(job._fields["error_kind"]._description_selection(self.env))
        cells = (kinds[job.error_kind], job.error_message, job.error_hint or "")
        return [self._sample(cell) for cell in cells]

    def _sample(self, text):
        for pattern, sample in SAMPLES:
            text = re.sub(pattern, sample, text)
        return text.replace("\n", " ").replace("|", "\\|")

    # === THE PAGE === #

    def _read(self):
        """The page before this section's table, the table, and what comes after it."""
        before, _heading, rest = PAGE.read_text().partition(f"## {self.section}\n\n")
        table, _line, after = rest.partition("\n## ")
        return before, table, after

    def _write(self, table):
        before, _table, after = self._read()
        after = f"\n## {after}" if after else ""
        before = before if before.endswith("\n\n") else f"{before}\n"
        PAGE.write_text(f"{before}## {self.section}\n\n{table}{after}")

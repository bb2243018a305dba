"""docs/errors.md says what staff see, word by word: each failure is produced here for real, and the
page's table is made from what was seen. ``COMMERCE_SYNC_WRITE_PAGE=1`` writes it anew."""

import os
import re
from pathlib import Path

from .common import StoreCase

PAGE = Path(__file__).parent.parent / "docs" / "errors.md"
MARK = "<!-- made by tests/test_errors_page.py -->\n"
#: What fails: (what happened, fault of the sandbox, its parameters).
FAULTS = (
    ("The store has an error of its own", "http_500_before", {}),
    ("The store is in maintenance", "maintenance", {}),
    ("The answer breaks off", "reset", {}),
    ("The answer is cut short", "malformed", {"style": "truncated"}),
    ("The answer is a web page", "malformed", {"style": "html"}),
    ("The answer is empty", "malformed", {"style": "empty"}),
    ("A plug-in writes a notice into the answer", "malformed", {"style": "notice"}),
)


class TestErrorsPage(StoreCase):
    def test_the_page_says_what_staff_see(self):
        rows = [self.row(what, self.break_by(*fault)) for what, *fault in FAULTS]
        rows += [self.row(what, make(self)) for what, make in SCENARIOS]
        table = "".join(f"| {' | '.join(row)} |\n" for row in rows)
        head, _mark, rest = PAGE.read_text().partition(MARK)
        if os.environ.get("COMMERCE_SYNC_WRITE_PAGE"):
            PAGE.write_text(f"{head}{MARK}{TITLE}{table}")
        self.assertEqual(rest, TITLE + table)

    def make_bound(self, sku):
        product = self.make_product(sku)
        self.publish(product)
        self.set_stock(product, 3)
        return product

    def break_by(self, fault, parameters):
        self.connection.breaker_threshold = 100
        product = self.make_bound(f"MUG-{len(self.jobs())}")
        self.store.fault(fault, times=1, **parameters)
        self.drain()
        return self.jobs(("res_id", "=", product.id))

    def no_sku(self):
        product = self.make_bound("NO-SKU")
        product.default_code = False
        self.drain()
        return self.jobs(("res_id", "=", product.id))

    def refused(self):
        product = self.make_bound("REFUSED")
        external_id = self.connection._bindings("variant", product)[product.id].external_id
        self.store.fault("bad_item", id=external_id, message="No such thing.", times=1)
        self.drain()
        return self.jobs(("res_id", "=", product.id))

    def not_listening(self):
        product = self.make_bound("AWAY")
        self.store.stop()
        self.drain()
        return self.jobs(("res_id", "=", product.id))

    def row(self, what, job):
        self.assertTrue(job.error_kind, what)
        kinds = dict(job._fields["error_kind"]._description_selection(self.env))
        cells = (what, kinds[job.error_kind], job.error_message, job.error_hint or "")
        # where the store is differs from run to run
        return [re.sub(r"127\.0\.0\.1:\d+", "shop.example.com", cell) for cell in cells]


TITLE = "| what happened | kind | what staff see | what they do |\n|---|---|---|---|\n"
SCENARIOS = (
    ("A product lost its SKU", TestErrorsPage.no_sku),
    ("The store refuses one item", TestErrorsPage.refused),
    ("No server answers at the address", TestErrorsPage.not_listening),
)

"""The scenarios against a real store from npm, told by the subscriber of docs/medusa.md."""

import re
from pathlib import Path

from odoo.tests import tagged

from .clone import server
from .medusa_case import SECRET, MedusaCase, MedusaScenarios

PAGE = Path(__file__).parents[1] / "docs" / "medusa.md"


def subscriber():
    """The file as the page has it."""
    return re.search(r"```ts\n(.*?)```", PAGE.read_text(), re.S).group(1)


@tagged("post_install", "-at_install", "node", "slow")
class TestRealMedusa(MedusaScenarios, MedusaCase):
    """It takes some 15 seconds to start and 850 MB: one for all tests."""

    @classmethod
    def open_store(cls, webhook_url):
        from devenv import medusa

        environ = {"ODOO_WEBHOOK_URL": webhook_url, "ODOO_WEBHOOK_SECRET": SECRET}
        running = medusa.store(server(), {"src/subscribers/odoo.ts": subscriber()}, environ)
        store = running.__enter__()
        cls.addClassCleanup(running.__exit__, None, None, None)
        return store.furnish()

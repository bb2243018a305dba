"""The short form of ``script/bench crash``: workers are killed, the store misbehaves."""

import tempfile
from pathlib import Path

import pytest
from odoo.tools import config

from ..sandbox.woocommerce import WooCommerceStore
from .clone import cloned


@pytest.mark.slow
def test_nothing_is_lost_and_nothing_is_doubled_when_workers_are_killed():
    from benchmarks import crash
    from benchmarks.nursery import Nursery

    with (
        cloned("crash") as database,
        WooCommerceStore() as store,
        tempfile.TemporaryDirectory() as folder,
        Nursery(config["config"], database, Path(folder) / "log") as nursery,
    ):
        access = crash.Store(store.url, store.key, store.secret)
        outcome = crash.run(nursery, access, crash.SHORT)
        print(outcome.summary())
        assert not outcome.wrong, (Path(folder) / "log").read_text()[-5000:]

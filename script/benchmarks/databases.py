"""Prepared databases with the same data: one with the addon, one with queue_job."""

import contextlib
from pathlib import Path

from devenv import templates, workspace
from devenv.files import digest, locked
from devenv.settings import ADDON

from . import data, queue_job, side
from .child import in_child


@contextlib.contextmanager
def ours(environment):
    """Yield the name of a new database with the addon."""
    made = _Templates(environment)
    with made.clone("ours", made.with_addon) as name:
        yield name


@contextlib.contextmanager
def reference(environment):
    """Yield the name of a new database with queue_job."""
    queue_job.fetched()
    made = _Templates(environment)
    with made.clone("reference", made.with_queue_job) as name:
        yield name


class _Templates(templates.Templates):
    def __init__(self, environment):
        super().__init__(environment.databases, environment.odoo, environment.install)
        self.environment = environment

    @contextlib.contextmanager
    def clone(self, label, template):
        name = self.run_name(f"bench_{label}")
        with locked():
            self._drop_orphans()
            source = template()
            self.databases.drop(name)
            self.databases.clone(source, name)
        try:
            yield name
        finally:
            self.databases.drop(name)

    def with_addon(self):
        source = self._with_data()
        kind = f"cs_{workspace.KEY}_bench_"
        name = kind + digest(source, workspace.fingerprint())
        title = f"Installing {ADDON} for the benchmarks"
        return self._ensure(name, kind, [ADDON], title, False, source)

    def with_queue_job(self):
        source = self._with_data()
        kind = "cs_bench_queue_job_"
        name = kind + digest(source, queue_job.fingerprint())
        self.install = lambda draft, modules, demo: queue_job.install(self.environment, draft)
        return self._ensure(name, kind, queue_job.MODULES, "Installing queue_job", False, source)

    def _with_data(self):
        base = self._base(demo=False)
        kind = "cs_bench_data_"
        name = kind + digest(base, Path(data.__file__).read_bytes())
        filled = templates.Templates(self.databases, self.odoo, self._fill)
        title = "Making the benchmarks' data"
        return filled._ensure(name, kind, ["sale_stock"], title, False, base)

    def _fill(self, draft, modules, demo):
        in_child(side.fill, self.environment, draft)

"""Prepared databases. Installing takes minutes, cloning takes less than a second.

The dependencies are installed once into a base, the addon into a clone of it whenever one of
its files has changed; what a test run or the demonstration gets is a clone of that.
"""

import os
from pathlib import Path

from . import workspace
from .console import SetupError, step
from .files import digest, locked
from .settings import ADDON

#: Apps the addon works with where they are installed: the tests have them, the demonstration has
#: not, which proves that it does without.
TEST_APPS = ("base_automation", "crm", "project")

_KEPT = 2  # templates of one kind; more than one, for changing between branches
_DRAFT = "_partial"


class Templates:
    """:param install: ``install(database, modules, demo)`` installs modules with Odoo"""

    def __init__(self, databases, odoo, install):
        self.databases = databases
        self.odoo = odoo
        self.install = install

    def clone(self, target, demo=False):
        """Create the database ``target`` with the addon, with demo data on demand."""
        with locked():
            self._drop_orphans()
            base = self._base(demo)
        with locked(f"lock-{workspace.KEY}"):
            template = self._addon(base, demo)
            self.databases.drop(target)
            self.databases.clone(template, target)

    def run_name(self, label):
        """Return a name for a database that lives as long as this process at most."""
        return f"{_prefix()}run_{label}_{os.getpid()}"

    def development_name(self):
        return f"{_prefix()}development"

    def _base(self, demo):
        depends = sorted({*workspace.manifest()["depends"], *(() if demo else TEST_APPS)})
        kind = "cs_base_demo_" if demo else "cs_base_test_"
        return self._ensure(
            kind + digest(self.odoo.identity, *depends),
            kind,
            depends,
            f"Installing {', '.join(depends)}" + (" with demo data" if demo else ""),
            demo,
        )

    def _addon(self, base, demo):
        kind = _prefix() + ("demo_" if demo else "test_")
        return self._ensure(
            kind + digest(base, workspace.fingerprint()),
            kind,
            [ADDON],
            f"Installing {ADDON}" + (" with demo data" if demo else ""),
            demo,
            base,
        )

    def _ensure(self, name, kind, modules, title, demo, source=None):
        """Return the template ``name``, made unless it is there: it gets its name last."""
        if not self.databases.exists(name):
            draft = name + _DRAFT
            self._clear(kind)
            self.databases.drop(name)
            with step(title):
                if source:
                    self.databases.clone(source, draft)
                self.install(draft, modules, demo)
            if not self.databases.installed(draft, modules):
                raise SetupError(f"Odoo did not install {', '.join(modules)}: see its log.")
            self.databases.rename(draft, name)
        self.databases.touch(name)
        return name

    def _clear(self, kind):
        """Drop drafts that were never finished, and all but the newest templates."""
        names = self.databases.names(kind)
        drafts = [name for name in names if name.endswith(_DRAFT)]
        complete = [name for name in names if not name.endswith(_DRAFT)]
        for name in drafts + complete[_KEPT - 1 :]:
            self.databases.drop(name)

    def _drop_orphans(self):
        """Drop what processes that were killed and checkouts that are gone left behind."""
        for name in self.databases.names(f"{_prefix()}run_"):
            if not Path("/proc", name.rpartition("_")[2]).exists():
                self.databases.drop(name)
        for key in workspace.abandoned():
            for name in self.databases.names(_prefix(key)):
                self.databases.drop(name)


def _prefix(key=workspace.KEY):
    return f"cs_{key}_"

"""Odoo 19: where it comes from."""

import dataclasses
import os
import re
import shutil
import subprocess
from pathlib import Path

from . import debian, venv
from .console import SetupError
from .files import digest, ensure_folder, run_logged
from .settings import cache

SERIES = (19, 0)
BRANCH = "19.0"
REPOSITORY = "https://github.com/odoo/odoo"

# The newer fonts-font-awesome of sid names its icons differently from what Odoo asks for.
SUITES = ["sid", "trixie"]
PACKAGES = [
    "odoo-19",
    "fonts-font-awesome/trixie",
    "fonts-dejavu-core",
    "fonts-glyphicons-halflings",
    "fonts-inconsolata",
    "fonts-montserrat",
    "fonts-ocr-b",
    "fonts-roboto-unhinted",
    "gsfonts",
    "libjs-jquery",
    "libjs-jquery-form",
    "libjs-underscore",
]
DIST_PACKAGES = "usr/lib/python3/dist-packages"

# Left out by Debian for its licence (it blurs the background of video calls), but still asked
# for, which every page reports as an error.
ABSENT = "mail/static/lib/selfie_segmentation/selfie_segmentation.js"


@dataclasses.dataclass(frozen=True)
class Odoo:
    """One Odoo's source code; ``root`` is the folder of the Python package ``odoo``."""

    root: Path

    @property
    def addons_paths(self):
        # In a checkout of Odoo the addons lie beside the package, else inside it.
        inside = self.root / "odoo" / "addons"
        beside = self.root / "addons"
        return [inside] if (inside / "web").is_dir() else [beside, inside]

    @property
    def identity(self):
        """What a database installed with this Odoo depends on."""
        release = (self.root / "odoo" / "release.py").read_bytes()
        return digest(str(self.root), release, _revision(self.root))


def find():
    """Return the Odoo to use: a given one, an installed one, or one of the cache folder."""
    if os.environ.get("ODOO_HOME"):
        return _checked(Path(os.environ["ODOO_HOME"]).expanduser().resolve(), "$ODOO_HOME")
    if installed := _importable():
        return _checked(installed, f"the odoo of {os.environ[venv.PYTHON]}")
    if debian.available():
        folder = cache() / f"odoo-{digest(*SUITES, *PACKAGES, ABSENT)}"
        return Odoo(ensure_folder(folder, "Fetching Odoo 19 from Debian", _unpack) / DIST_PACKAGES)
    if not shutil.which("git"):
        raise SetupError("No Odoo 19 found. Install git, or name a folder in $ODOO_HOME.")
    return Odoo(
        ensure_folder(cache() / f"odoo-{BRANCH}", f"Cloning Odoo {BRANCH} with git", _clone)
    )


def _checked(root, origin):
    release = root / "odoo" / "release.py"
    if not release.is_file():
        raise SetupError(f"{origin}: {root} holds no Odoo ({release} is missing).")
    found = re.search(r"^version_info = \((\d+), (\d+)", release.read_text(), re.MULTILINE)
    if not found or tuple(map(int, found.groups())) != SERIES:
        raise SetupError(f"{origin}: {root} is not Odoo {BRANCH}. Set $ODOO_HOME to one that is.")
    return Odoo(root)


def _importable():
    """Return the folder of the ``odoo`` that the person's own Python can import, or None."""
    code = (
        "import importlib.util as u; s = u.find_spec('odoo');"
        "print(*(s.submodule_search_locations if s else ()), sep='\\n')"
    )
    python = os.environ.get(venv.PYTHON)
    if not python:
        return None
    asked = subprocess.run(
        [python, "-c", code], check=False, capture_output=True, text=True, cwd="/"
    )
    packages = [Path(line) for line in asked.stdout.splitlines()]
    return next((path.parent for path in packages if (path / "release.py").exists()), None)


def _unpack(folder):
    debian.unpack(folder, PACKAGES, SUITES)
    absent = folder / DIST_PACKAGES / "odoo" / "addons" / ABSENT
    absent.parent.mkdir(parents=True)
    absent.touch()


def _clone(folder):
    run_logged(
        ["git", "clone", "--depth", "1", "--branch", BRANCH, REPOSITORY, folder], "odoo-clone"
    )


def _revision(root):
    if not (root / ".git").exists():
        return ""
    command = ["git", "-C", str(root), "rev-parse", "HEAD"]
    return subprocess.run(command, check=False, capture_output=True, text=True).stdout

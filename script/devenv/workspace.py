"""What belongs to one checkout: several of them on one machine do not disturb one another."""

import ast
import os
import shutil

from .files import digest
from .settings import ADDON, CHECKOUT, cache

KEY = digest(str(CHECKOUT))
FOLDER = cache() / "checkouts" / KEY

# Nothing below these is read when the addon is installed.
_NOT_INSTALLED = {"docs", "sandbox", "script", "tests"}


def manifest():
    return ast.literal_eval((CHECKOUT / "__manifest__.py").read_text())


def linked_addon():
    """Return the checkout under the addon's name, whatever its own folder is called."""
    link = FOLDER / "addons" / ADDON
    if not link.is_symlink():
        link.parent.mkdir(parents=True, exist_ok=True)
        draft = link.with_name(f".{ADDON}.{os.getpid()}")
        draft.symlink_to(CHECKOUT)
        draft.replace(link)
    return link


def addons_paths():
    """Return the addons folders of this checkout: itself, and the examples its tests use."""
    examples = CHECKOUT / "tests" / "addons"
    return [linked_addon().parent, *([examples] if examples.is_dir() else [])]


def fingerprint():
    """Return a hash of all files that an installation of the addon reads."""
    return digest(*(part for path in installed_files() for part in _named_content(path)))


def installed_files():
    """Yield those files, in a fixed order."""
    for entry in sorted(CHECKOUT.iterdir()):
        if entry.name.startswith(".") or entry.name in _NOT_INSTALLED:
            continue
        if entry.is_dir():
            yield from sorted(
                path
                for path in entry.rglob("*")
                if path.is_file() and "__pycache__" not in path.parts
            )
        elif entry.name in ("__init__.py", "__manifest__.py"):
            yield entry


def _named_content(path):
    return str(path.relative_to(CHECKOUT)), path.read_bytes()


def abandoned():
    """Return the keys of checkouts that are gone; forget them."""
    keys = []
    for folder in (cache() / "checkouts").glob("*"):
        link = folder / "addons" / ADDON
        if link.is_symlink() and not link.exists():
            shutil.rmtree(folder)
            keys.append(folder.name)
    return keys

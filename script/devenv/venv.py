"""The virtual environment: Odoo's Python packages and the tools, pinned in a lock file."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from . import debian
from .console import SetupError
from .files import digest, ensure_folder, run_logged
from .settings import SCRIPTS, cache

LOCK = SCRIPTS / "requirements.lock"
SUPPORTED = ((3, 10), (3, 11), (3, 12), (3, 13))  # what Odoo 19 runs on

# Tells the later stages which Python the person uses: an Odoo installed there is found.
PYTHON = "COMMERCE_SYNC_PYTHON"


def enter():
    """Go on in the environment's Python: replaces this process unless it is that already."""
    key = digest(LOCK.read_bytes())
    here = Path(sys.prefix)
    if here.parent == cache() and here.name.endswith(key):
        return
    interpreter, version = _interpreter()
    folder = ensure_folder(
        cache() / f"python-{version}-{key}",
        f"Installing Python packages for Python {version}",
        lambda target: _build(target, interpreter),
    )
    os.environ[PYTHON] = interpreter
    python = str(folder / "bin" / "python")
    os.execv(python, [python, *sys.argv])


def _interpreter():
    """Return path and version (``"3.12"``) of a Python that Odoo 19 supports."""
    if os.environ.get(PYTHON):
        candidates = [os.environ[PYTHON]]
    else:
        names = [f"python{major}.{minor}" for major, minor in reversed(SUPPORTED)]
        candidates = [sys.executable, *filter(None, map(shutil.which, names))]
    for candidate in candidates:
        version = _version(candidate)
        if version in SUPPORTED:
            return candidate, ".".join(map(str, version))
    raise SetupError(
        f"No Python from 3.10 to 3.13 (tried: {', '.join(candidates)}). "
        f"Install one, or name it in ${PYTHON}."
    )


def _version(python):
    if python == sys.executable:
        return sys.version_info[:2]
    code = "import sys; print(*sys.version_info[:2])"
    try:
        asked = subprocess.run([python, "-c", code], check=False, capture_output=True)
    except OSError:
        return None
    return tuple(map(int, asked.stdout.split()))


def _build(folder, interpreter):
    run_logged([interpreter, "-m", "venv", "--without-pip", folder], "venv")
    python = folder / "bin" / "python"
    if _has(python, "ensurepip"):
        run_logged([python, "-m", "ensurepip"], "ensurepip")
        pip = [python, "-m", "pip"]
    else:
        pip = [python, _pip_wheel(folder / ".pip") / "pip"]
    options = ("--no-cache-dir", "--no-deps", "--requirement", LOCK)
    run_logged([*pip, "install", *options], "pip")


def _has(python, module):
    code = f"import importlib.util, sys; sys.exit(not importlib.util.find_spec('{module}'))"
    return subprocess.call([str(python), "-c", code]) == 0


def _pip_wheel(folder):
    # Debian's own Python comes without ensurepip; its pip lies in a package.
    debian.unpack(folder, ["python3-pip-whl"])
    return next(folder.glob("usr/share/python-wheels/pip-*.whl"))

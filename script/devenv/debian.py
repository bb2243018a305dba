"""Packages of Debian, fetched by apt and unpacked into a folder: nothing is installed.

apt runs with lists, caches and a status file of its own, so no special rights are needed and
the machine's own apt is left as it is.
"""

import os
import shutil
import subprocess
from pathlib import Path

from .files import run_logged

MIRROR = "COMMERCE_SYNC_DEBIAN_MIRROR"
_KEYRINGS = Path("/usr/share/keyrings")


def available():
    """Tell whether packages of Debian can be had here, other suites than the machine's too."""
    return bool(shutil.which("apt-get") and shutil.which("dpkg-deb") and _keyring() and _mirror())


def unpack(folder, packages, suites=()):
    """Unpack ``packages`` into ``folder``: from ``suites`` of Debian's archive if given,
    else from the machine's own sources.

    :param packages: names, each with ``/suite`` where it must not be the newest
    """
    work = folder / ".apt"
    options = _prepare(work, suites)
    run_logged(["apt-get", *options, "update"], "apt-update")
    run_logged(["apt-get", *options, "download", *packages], "apt-download", cwd=str(work))
    for package in sorted(work.glob("*.deb")):
        run_logged(["dpkg-deb", "-x", package, folder], "dpkg-deb")
    shutil.rmtree(work)


def _prepare(work, suites):
    """Make the folders that apt works in; return the options that point it there."""
    for name in ("lists/partial", "cache/archives/partial"):
        (work / name).mkdir(parents=True)
    (work / "status").touch()
    options = {
        "Dir::State::Lists": work / "lists",
        "Dir::State::status": work / "status",
        "Dir::Cache": work / "cache",
        # Else root would hand the download to a user who cannot look into the cache folder.
        "APT::Sandbox::User": "",
    }
    if suites:
        sources = work / "sources.list"
        sources.write_text(
            "".join(f"deb [signed-by={_keyring()}] {_mirror()} {suite} main\n" for suite in suites)
        )
        options.update({"Dir::Etc::sourcelist": sources, "Dir::Etc::sourceparts": "-"})
    return [f"--option={name}={value}" for name, value in options.items()]


def _keyring():
    return next(iter(sorted(_KEYRINGS.glob("debian-archive-keyring.*"))), None)


def _mirror():
    """Return the address of Debian's archive that this machine's own apt uses, or None.

    On every mirror the archive is a folder named ``debian`` (beside ``debian-security``).
    """
    if os.environ.get(MIRROR):
        return os.environ[MIRROR]
    # Works without lists, and whatever way the sources are written.
    listed = subprocess.run(
        ["apt-get", "--print-uris", "update"], check=False, capture_output=True, text=True
    )
    for line in listed.stdout.splitlines():
        archive = line.lstrip("'").partition("/dists/")[0]
        if archive.rstrip("/").endswith("/debian"):
            return archive
    return None

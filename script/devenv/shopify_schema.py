"""Shopify's GraphQL schema, on which its sandbox runs: from Shopify's npm package (ISC licence).

It is never committed: the cache folder keeps it, and nothing is fetched a second time.
"""

import shutil
import tarfile

from .console import SetupError
from .files import digest, ensure_folder, run_logged
from .settings import cache

PACKAGE = "@shopify/dev-mcp"
RELEASE = "1.16.0"
VERSIONS = ("2026-01", "2026-04", "2026-07", "2026-10")
FILE = "admin_{version}.json.gz"


def folder():
    """Return the folder with an introspection result of each version; fetch it on first use."""
    target = cache() / f"shopify-schema-{digest(PACKAGE, RELEASE, *VERSIONS)}"
    return ensure_folder(target, "Fetching Shopify's schema with npm", _fetch)


def _fetch(target):
    if not shutil.which("npm"):
        raise SetupError("Shopify's schema comes from npm, and there is none: install Node.js.")
    work = target / ".npm"
    work.mkdir()
    options = ("--cache", work / "cache", "--pack-destination", work, "--ignore-scripts")
    run_logged(["npm", "pack", f"{PACKAGE}@{RELEASE}", *options], "npm-pack", cwd=str(work))
    with tarfile.open(next(work.glob("*.tgz"))) as archive:
        for version in VERSIONS:
            name = FILE.format(version=version)
            with archive.extractfile(f"package/dist/data/{name}") as packed:
                (target / name).write_bytes(packed.read())
    shutil.rmtree(work)

"""The schema a Shopify sandbox executes on: Shopify's own, by API version.

``script/devenv`` fetches it into the cache folder when it is first needed. Where it lies elsewhere,
``COMMERCE_SYNC_SHOPIFY_SCHEMA`` names the folder.
"""

import gzip
import json
import os
import sys
from functools import cache
from pathlib import Path

from graphql import build_client_schema

FOLDER = "COMMERCE_SYNC_SHOPIFY_SCHEMA"
SCRIPTS = Path(__file__).resolve().parent.parent / "script"


def folder():
    """The folder with ``admin_<version>.json.gz`` for each version."""
    if os.environ.get(FOLDER):
        return Path(os.environ[FOLDER])
    if str(SCRIPTS) not in sys.path:
        sys.path.append(str(SCRIPTS))
    from devenv import shopify_schema

    return shopify_schema.folder()


@cache
def versions():
    """The API versions there are, oldest first: ``("2026-01", ..., "2026-10")``"""
    names = (path.name for path in folder().glob("admin_*.json.gz"))
    return tuple(sorted(name[len("admin_") : -len(".json.gz")] for name in names))


@cache
def load(version):
    """The schema of one API version, as ``graphql-core`` knows it."""
    with gzip.open(folder() / f"admin_{version}.json.gz") as packed:
        return build_client_schema(json.load(packed)["data"], assume_valid=True)

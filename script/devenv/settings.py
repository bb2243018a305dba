"""Where things are. Each choice can be overridden by an environment variable."""

import os
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
SCRIPTS = CHECKOUT / "script"
ADDON = "commerce_sync"


def cache():
    """Return the cache folder: everything that is prepared lies in it, it may be deleted."""
    chosen = os.environ.get("COMMERCE_SYNC_CACHE")
    if chosen:
        return Path(chosen).expanduser().resolve()
    if os.environ.get("XDG_CACHE_HOME"):
        return Path(os.environ["XDG_CACHE_HOME"]) / "commerce-sync"
    if os.geteuid() == 0:
        # PostgreSQL refuses to run as root, and the user it runs as instead
        # cannot look into root's home.
        return Path("/var/cache/commerce-sync")
    return Path.home() / ".cache" / "commerce-sync"

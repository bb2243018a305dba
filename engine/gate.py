"""A rate limit within one process: no database, microseconds.

For what comes in. What goes out shares its limit with all machines (:mod:`.rate_limit`).
"""

import threading
import time

from .rate_limit import reserve


class Gate:
    """Remembers how much came in for each of a few keys."""

    def __init__(self):
        self._arrivals = {}
        self._lock = threading.Lock()

    def wait(self, key, limit):
        """Let one more in.

        :param RateLimit limit: of this key
        :return: 0, or the seconds after which to come again; then nothing was taken
        """
        now = time.monotonic()
        with self._lock:
            arrival, wait = reserve(limit, self._arrivals.get(key, 0.0), now)
            if not wait:
                self._arrivals[key] = arrival
        return wait

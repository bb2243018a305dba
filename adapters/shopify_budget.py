"""Cost-based throttling: how many points the store lets us spend.

Each query costs points, and so many come back each second:
https://shopify.dev/docs/api/usage/limits#graphql-admin-api-rate-limits. The sizes depend on the
shop's plan and are read from every answer.
"""

import threading
import time

#: What a mutation costs; reading costs more, which the first answer tells.
DEFAULT_COST = 10.0


class Budget:
    """What is left, as far as this process knows. Shared by threads.

    It is corrected by every answer, so others who spend from it (workers, apps) are seen.
    """

    def __init__(self, clock=time.monotonic):
        self._clock = clock
        self._lock = threading.Lock()
        self._costs = {}  # of each query, by its name
        self.maximum = self.rate = None
        self._left = self._at = 0.0

    def reserve(self, name):
        """Spend what a query will probably cost.

        :return: seconds to wait before sending it
        """
        with self._lock:
            if not self.rate:
                return 0.0
            self._refill()
            self._left -= self._costs.get(name, DEFAULT_COST)
            return max(0.0, -self._left / self.rate)

    def give_back(self, name):
        """A query that was reserved is not sent."""
        with self._lock:
            self._left += self._costs.get(name, DEFAULT_COST)

    def learn(self, name, cost):
        """Take what an answer says.

        :param dict cost: ``extensions.cost``
        """
        status = cost.get("throttleStatus") or {}
        with self._lock:
            self._costs[name] = float(cost.get("requestedQueryCost") or DEFAULT_COST)
            if not status.get("restoreRate"):
                return
            self.maximum, self.rate = (
                float(status["maximumAvailable"]),
                float(status["restoreRate"]),
            )
            self._left, self._at = float(status["currentlyAvailable"]), self._clock()

    def shortage(self, name):
        """Seconds until another query of this name can be paid; 0 where there are points enough."""
        with self._lock:
            if not self.rate:
                return 0.0
            return max(0.0, (self._costs.get(name, DEFAULT_COST) - self._left) / self.rate)

    def wait_for(self, cost):
        """Seconds until there are points enough for a query that was refused."""
        status = cost.get("throttleStatus") or {}
        missing = float(cost.get("requestedQueryCost") or 0) - float(
            status.get("currentlyAvailable") or 0
        )
        rate = float(status.get("restoreRate") or 0) or 50.0
        return max(1.0, missing / rate)

    def _refill(self):
        now = self._clock()
        self._left = min(self.maximum, self._left + (now - self._at) * self.rate)
        self._at = now

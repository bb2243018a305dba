"""The rate limit of a connection, shared by all workers on all machines.

GCRA (generic cell rate algorithm): one number per connection, the *theoretical arrival time*,
says all. The number lives in one row; a short transaction of its own moves it.
"""

import logging
import threading
import time
from dataclasses import dataclass

import psycopg2
from odoo.tools import SQL

from ..adapters.errors import RateLimited
from .database import NOW, read_committed

_logger = logging.getLogger(__name__)

#: Seconds that nothing is sent after the database could not be asked.
DATABASE_AWAY_WAIT = 5.0


@dataclass(frozen=True)
class RateLimit:
    """``rate`` requests per second in the long run, ``burst`` of them at once."""

    rate: float
    burst: int = 1


def reserve(limit, arrival, now, cost=1.0):
    """Take ``cost`` requests' worth of the limit.

    :param RateLimit limit: the limit
    :param float arrival: the theoretical arrival time so far, in seconds on the clock of ``now``
    :param float now: the time
    :param float cost: how many requests' worth
    :return: ``(new arrival time, seconds to wait before sending)``
    """
    interval = 1.0 / limit.rate
    start = max(arrival, now)
    wait = max(0.0, start - now - interval * (limit.burst - 1))
    return start + interval * cost, wait


class Throttle:
    """What an adapter's HTTP client asks before each request.

    :param cursor: opens a cursor of its own
    :param connection_id: whose row to move
    :param RateLimit limit: or ``None``: nothing to do
    :param float longest_wait: longer than this no thread waits: the jobs go back to the queue
    """

    def __init__(self, cursor, connection_id, limit, longest_wait=10.0):
        self.cursor = cursor
        self.connection_id = connection_id
        self.limit = limit
        self.longest_wait = longest_wait
        # one reservation of this process at a time: threads would only queue up at the row lock
        self._lock = threading.Lock()
        self._shut_until = 0.0

    def before_request(self, cost=1.0):
        """Wait until one more request is allowed.

        :raise RateLimited: the wait would be too long for a thread
        """
        wait = self._shut_until - time.monotonic()
        if wait > self.longest_wait:
            raise RateLimited("The store's own rate limit is used up.", retry_after=wait)
        if self.limit:
            with self._lock:
                wait = max(wait, self._try_to_reserve(cost))
        time.sleep(max(wait, 0.0))

    def _try_to_reserve(self, cost):
        try:
            return self._reserve(cost)
        except psycopg2.Error as error:
            _logger.warning("connection %s: no reservation: %s", self.connection_id, error)
            raise RateLimited(
                "The rate limit cannot be kept while the database is away.",
                retry_after=DATABASE_AWAY_WAIT,
            ) from error

    def put_off(self, seconds):
        """The store says that it takes nothing more for so long: every worker waits with us."""
        self._shut_until = time.monotonic() + seconds
        try:
            self._tell_others(seconds)
        except psycopg2.Error as error:
            # a courtesy: the answer beside which it was said must not be lost for it
            _logger.warning("connection %s: nobody else was told: %s", self.connection_id, error)

    def _tell_others(self, seconds):
        with self.cursor() as cr:
            read_committed(cr)
            cr.execute(
                SQL(
                    """UPDATE commerce_traffic
                          SET blocked_until = GREATEST(blocked_until,
                                                       %s + %s * interval '1 second')
                        WHERE connection_id = %s""",
                    NOW,
                    seconds,
                    self.connection_id,
                )
            )

    def _reserve(self, cost):
        with self.cursor() as cr:
            read_committed(cr)
            cr.execute(
                SQL(
                    """SELECT arrival, extract(epoch FROM clock_timestamp())::float8
                         FROM commerce_traffic WHERE connection_id = %s FOR UPDATE""",
                    self.connection_id,
                )
            )
            arrival, now = cr.fetchone()
            arrival, wait = reserve(self.limit, arrival or 0.0, now, cost)
            if wait > self.longest_wait:
                raise RateLimited("The rate limit of this connection is used up.", retry_after=wait)
            cr.execute(
                SQL(
                    "UPDATE commerce_traffic SET arrival = %s WHERE connection_id = %s",
                    arrival,
                    self.connection_id,
                )
            )
        return wait

"""The leases of what a worker holds, renewed from a thread of its own."""

import logging
import threading
import time

import psycopg2

from . import queue
from .database import read_committed, transact

_logger = logging.getLogger(__name__)


class Leases:
    """Keeps jobs from being taken up by others while this worker is busy with them.

    A lease that has run out is not renewed: somebody else may have the jobs by then. Time is
    measured here from before the claim, so that this worker believes it over earlier than the
    others do.
    """

    def __init__(self, cursor, seconds):
        """
        :param cursor: opens a cursor
        :param float seconds: that a lease lasts; it is renewed in a third of that
        """
        self.cursor = cursor
        self.seconds = seconds
        self._jobs = {}  # name of the claim -> job ids
        self._until = {}  # name of the claim -> time
        self._closed = threading.Event()
        self._thread = None

    def add(self, name, job_ids, since):
        """Look after the jobs that were claimed as ``name``, in a claim begun at ``since``."""
        self._until[name] = since + self.seconds
        self._jobs[name] = tuple(job_ids)
        if not self._thread:
            self._thread = threading.Thread(
                target=self._run, name="commerce_sync.lease", daemon=True
            )
            self._thread.start()

    def drop(self, name):
        """The jobs of a claim are settled."""
        self._jobs.pop(name, None)
        self._until.pop(name, None)

    def holds(self, name):
        """Whether the jobs of a claim are certainly still this worker's."""
        return time.monotonic() < self._until.get(name, 0.0)

    def close(self):
        self._closed.set()
        if self._thread:
            self._thread.join()

    def _run(self):
        while not self._closed.wait(self.seconds / 3):
            try:
                self._renew(dict(self._jobs))
            except psycopg2.Error as error:
                # the database is away: until it is back, leases run out and nothing is sent
                _logger.warning("leases not renewed: %s", error)

    def _renew(self, jobs):
        since = time.monotonic()
        renewed = transact(self.cursor, lambda cr: self._renew_in(cr, jobs)) if jobs else ()
        for name in renewed:
            if name in self._jobs:
                self._until[name] = since + self.seconds

    def _renew_in(self, cr, jobs):
        read_committed(cr)
        return [name for name, ids in jobs.items() if queue.renew(cr, name, ids, self.seconds)]

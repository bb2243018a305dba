"""The line to one store, as one worker holds it: adapter, threads, and whether it is still up."""

import logging
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from urllib.parse import urlsplit

from ..adapters.base import Adapter, Result, SendKey
from ..adapters.documents import Document, fingerprint_of
from ..adapters.errors import SyncError, Unexpected
from .queue import Claimed

_logger = logging.getLogger(__name__)


class NotSent(SyncError):
    """The line went down before this document's turn: no request was made, no try is spent."""

    kind = "temporary"


LEASE_OVER = NotSent("The worker was held up too long; the job goes back to the queue.")


@dataclass
class Item:
    """One document on its way: the job it belongs to and its canonical text."""

    job: Claimed
    document: Document
    text: str

    @property
    def fingerprint(self):
        return fingerprint_of(self.text)

    def send_key(self):
        # steps that were done for another content have to be done again
        done = self.job.progress if self.job.progress.get("of") == self.fingerprint else {}
        job = self.job
        return SendKey(job.idempotency_key, job.uncertain, done.get("steps", {}), bool(job.force))


@dataclass
class Parcel:
    """What one call of the adapter carries, and how it ended."""

    items: list[Item]
    kind: str = ""
    results: list[Result] = field(default_factory=list)
    exchanges: list = field(default_factory=list)
    duration: float = 0.0
    traceback: str = ""

    @cached_property
    def request_line(self):
        """All requests of the parcel; its documents share them."""
        return "; ".join(f"{one.method} {urlsplit(one.url).path}" for one in self.exchanges)

    @property
    def answered(self):
        """Whether the store said anything at all."""
        return any(exchange.status for exchange in self.exchanges)

    @property
    def failure(self):
        """The error all items share because there was no answer to the parcel, or ``None``."""
        errors = {id(result.error): result.error for result in self.results}
        return next(iter(errors.values())) if len(errors) == 1 else None


class Line:
    """Sends parcels on a bounded pool of threads until the line goes down.

    After as many temporary failures in a row as the breaker allows, or once the store asks for
    patience or refuses our credentials, parcels still waiting for a thread are not sent.
    """

    def __init__(self, connection_id, adapter: Adapter, parallel, threshold):
        self.connection_id = connection_id
        self.adapter = adapter
        self.threshold = threshold
        self.stopped: SyncError | None = None
        self.failures = 0  # in a row
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(parallel, thread_name_prefix="commerce_sync")

    def submit(self, kind, items, may_send=lambda: True):
        """Send documents of one kind.

        :param may_send: asked before each parcel: whether the jobs are still this worker's
        :return: list of futures of :class:`Parcel`
        """
        groups = self.adapter.parcels(kind, [item.document for item in items])
        parcels = [Parcel([items[position] for position in group], kind) for group in groups]
        return [self._pool.submit(self._send, parcel, may_send) for parcel in parcels]

    def stop(self, reason):
        """Send nothing more; what is under way goes on.

        :param SyncError reason: for the log of those that are not sent
        """
        with self._lock:
            self.stopped = self.stopped or reason

    def close(self):
        """Let go of threads and network connections. What still waits is not sent: whoever closes
        a line in the middle of its work does not wait for the results either."""
        self._pool.shutdown(wait=True, cancel_futures=True)
        self.adapter.client.close()

    def _send(self, parcel, may_send):
        reason = self.stopped or (None if may_send() else LEASE_OVER)
        if reason:
            error = NotSent(reason.message, hint=reason.hint, code=reason.code)
            parcel.results = [Result(error=error) for _item in parcel.items]
            return parcel
        started = time.monotonic()
        with self.adapter.client.recording() as exchanges:
            parcel.results = self._push(parcel)
        parcel.exchanges = exchanges
        parcel.duration = time.monotonic() - started
        self._learn(parcel)
        return parcel

    def _push(self, parcel):
        """The adapter's results, or the one error all documents share."""
        documents = [item.document for item in parcel.items]
        keys = [item.send_key() for item in parcel.items]
        try:
            results = self.adapter.push(parcel.kind, documents, keys)
            if [type(result) for result in results] != [Result] * len(documents):
                raise TypeError(f"{results!r:.200} for {len(documents)} documents")
            return results
        except SyncError as error:
            return [Result(error=error)] * len(documents)
        except Exception as error:
            parcel.traceback = traceback.format_exc()
            wrapped = Unexpected(f"{type(error).__name__}", uncertain=True)
            return [Result(error=wrapped)] * len(documents)

    def _learn(self, parcel):
        failure = parcel.failure
        kind = failure.kind if failure else ""
        with self._lock:
            if kind in ("rate_limit", "authentication"):
                self.stopped = failure
            elif kind == "temporary":
                self.failures += 1
                if self.failures >= self.threshold:
                    self.stopped = failure
            elif parcel.answered:
                self.failures = 0

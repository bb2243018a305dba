"""What was asked of a sandbox: a bounded list in memory, and counters. Never a credential."""

import threading
from collections import deque
from dataclasses import asdict, dataclass, field

KEPT = 5000

# Enough to see who asked and whether a request was repeated; nothing that opens a door.
HEADERS_KEPT = ("Idempotency-Key", "User-Agent", "Content-Type", "X-Request-Id")


@dataclass(slots=True)
class Entry:
    """One request. ``status`` is None where no answer was sent at all."""

    number: int
    at: str  # UTC, e.g. 2026-11-02T09:30:00.123
    method: str
    path: str
    query: dict = field(default_factory=dict)
    headers: dict = field(default_factory=dict)
    status: int | None = None
    ms: float = 0.0
    fault: str = ""  # kinds of the faults that struck, e.g. "slow http_500_after"
    items: dict = field(default_factory=dict)  # e.g. {"create": 0, "update": 100, "delete": 0}
    refused: int = 0  # items of a batch answered with an error
    written: int = 0
    created: int = 0

    def as_dict(self):
        return asdict(self)


class Journal:
    def __init__(self, kept=KEPT):
        self._entries = deque(maxlen=kept)
        self._lock = threading.Lock()
        self.clear()

    def clear(self):
        """Forget the requests and set the counters back."""
        with self._lock:
            self._entries.clear()
            self._totals = {"requests": 0, "items_written": 0, "creations": 0}

    def open(self, at, method, path, query, headers):
        """Note a request when it comes in; the caller fills in how it went."""
        with self._lock:
            self._totals["requests"] += 1
            entry = Entry(self._totals["requests"], at, method, path, query, headers)
            self._entries.append(entry)
        return entry

    def count(self, entry, written, created):
        """Work that was done, whether or not the answer gets out."""
        with self._lock:
            entry.written, entry.created = written, created
            self._totals["items_written"] += written
            self._totals["creations"] += created

    def entries(self):
        with self._lock:
            return list(self._entries)

    def totals(self):
        with self._lock:
            return dict(self._totals)

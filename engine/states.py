"""The states of a job and the ways between them, as data."""

#: Waits for ``run_after``, for its turn, or for its connection to come back. Set by enqueue, by a
#: retry, by *Resend*. A crash changes nothing. Never deleted.
PENDING = "pending"
#: Leased by a worker until ``lease_until``. Set by the claim only. After a crash the lease runs
#: out and the job is taken up again with the same idempotency key. Never deleted.
RUNNING = "running"
#: Settled by the worker; ``outcome`` says how. Deleted after the connection's retention.
DONE = "done"
#: Needs a person. Set by the worker. Never deleted by the vacuum.
FAILED = "failed"
#: Stopped by a person, or superseded by a newer job for the same thing (``superseded_by_id``).
#: Deleted after the connection's retention.
CANCELLED = "cancelled"

STATES = (PENDING, RUNNING, DONE, FAILED, CANCELLED)
#: Neither settled nor given up: these hold back later jobs of the same document.
OPEN_STATES = (PENDING, RUNNING, FAILED)

#: state -> the states it may go to. Nothing else is allowed, for anybody.
TRANSITIONS = {
    PENDING: (RUNNING, CANCELLED),
    RUNNING: (DONE, FAILED, PENDING, CANCELLED),
    DONE: (PENDING,),
    FAILED: (PENDING, CANCELLED),
    CANCELLED: (PENDING,),
}

OUTCOMES = (
    "created",
    "updated",
    "unchanged",
    "skipped",
    "stale",
    "duplicate",
    "dry_run",
)


def sources(target):
    """The states from which ``target`` may be reached."""
    return tuple(state for state in STATES if target in TRANSITIONS[state])

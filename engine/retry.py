"""What happens after a failure: a pure function of the policy and the facts."""

from dataclasses import dataclass

#: Without a ``Retry-After`` a throttled connection waits this many seconds.
DEFAULT_RATE_LIMIT_WAIT = 5.0

FAIL = "fail"  # a person has to look
RETRY = "retry"  # back to pending, a try is spent
WAIT = "wait"  # back to pending, no try is spent
PAUSE = "pause"  # the connection stops; the job waits, no try is spent


@dataclass(frozen=True)
class RetryPolicy:
    """Exponential backoff with full jitter. Durations in seconds; ``max_age`` 0: no limit."""

    first_delay: float = 30.0
    max_delay: float = 3600.0
    max_attempts: int = 8
    max_age: float = 0.0

    def delay(self, attempt, random):
        """Seconds before the next try after ``attempt`` (from 1); ``random`` is in [0, 1)."""
        # 2.0**1024 overflows; the ceiling is reached long before
        ceiling = min(self.max_delay, self.first_delay * 2.0 ** min(attempt - 1, 64))
        return random * ceiling


@dataclass(frozen=True)
class Decision:
    """What becomes of a job: ``action`` and the seconds until it may run again."""

    action: str
    delay: float = 0.0

    @property
    def costs(self):
        """Whether the try counts against the maximum."""
        return self.action in (RETRY, FAIL)


def decide(policy, error_kind, attempt, *, random, retry_after=None, age=0.0, probing=False):
    """Decide what becomes of a job whose try failed.

    :param RetryPolicy policy: the flow's
    :param str error_kind: one of ``adapters.errors.ERROR_KINDS``
    :param int attempt: the number of this try among those that count, from 1
    :param float random: in [0, 1), for the jitter
    :param float retry_after: seconds the other side asked for, or ``None``
    :param float age: seconds since the job was made
    :param bool probing: the try was the probe of an open breaker: it is not the job's fault
    :return: :class:`Decision`
    """
    if error_kind == "rate_limit":
        return Decision(WAIT, _at_least(retry_after, DEFAULT_RATE_LIMIT_WAIT))
    if error_kind == "authentication":
        return Decision(PAUSE)
    if error_kind != "temporary":
        return Decision(FAIL)
    delay = policy.delay(max(attempt, 1), random)
    if retry_after is not None:
        delay = max(delay, retry_after)
    if probing:
        return Decision(WAIT, delay)
    if attempt >= policy.max_attempts or (policy.max_age and age + delay > policy.max_age):
        return Decision(FAIL)
    return Decision(RETRY, delay)


def _at_least(asked, default):
    return default if asked is None else max(asked, 0.0)

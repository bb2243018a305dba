"""The breaker of a connection: after some failures in a row nothing is sent but a probe.

Pure: states in, states out. The state lives in ``commerce.traffic``.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

#: Seconds between probes: the first, and the ceiling it doubles up to.
FIRST_PROBE = 15.0
LAST_PROBE = 300.0


@dataclass(frozen=True)
class Breaker:
    """``failures`` temporary ones in a row; open since ``open_since`` (``None``: closed), then one
    probe at a time from ``probe_at`` on; ``probes`` failed so far."""

    failures: int = 0
    open_since: datetime | None = None
    probe_at: datetime | None = None
    probes: int = 0

    @property
    def is_open(self):
        return self.open_since is not None

    def admits(self, now):
        """``all``, ``probe`` (one job) or ``none``."""
        if not self.is_open:
            return "all"
        return "probe" if now >= self.probe_at else "none"

    def after_success(self):
        """The other side answered."""
        return Breaker()

    def after_failure(self, now, threshold):
        """The other side did not answer, or only with an error of its own (5xx)."""
        if self.is_open:
            delay = min(LAST_PROBE, FIRST_PROBE * 2.0 ** min(self.probes, 16))
            return replace(self, probe_at=now + timedelta(seconds=delay), probes=self.probes + 1)
        failures = self.failures + 1
        if failures < threshold:
            return replace(self, failures=failures)
        return Breaker(failures, now, now + timedelta(seconds=FIRST_PROBE))

    def probing(self, now, lease):
        """A probe is under way: nobody else probes until it ends or its worker is given up."""
        return replace(self, probe_at=now + timedelta(seconds=lease))

    def not_probed(self, now):
        """The probe's job needed no request: the next job may try."""
        return replace(self, probe_at=now) if self.is_open else self

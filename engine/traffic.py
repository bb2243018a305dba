"""The state of the line to one store: breaker, enforced pause, last success.

One row per connection (``commerce_traffic``), apart from the connection itself, so that workers
that write it several times a second never collide with a person who edits the settings.
"""

from dataclasses import dataclass

from odoo.tools import SQL

from .breaker import Breaker
from .database import NOW


@dataclass
class Report:
    """What a worker learned from one chunk: how many requests were answered, how many at the end
    failed in a row, and the seconds the store asked us to ``wait``. ``probing``: the chunk was the
    probe of an open breaker."""

    answered: int = 0
    failures: int = 0
    wait: float = 0.0
    error: str = ""
    probing: bool = False
    accepted: bool = False  # the store took something

    def applied_to(self, breaker, now, threshold):
        """The breaker after these news."""
        if self.answered:
            breaker = breaker.after_success()
        elif self.probing and not self.failures:
            return breaker.not_probed(now)
        for _failure in range(self.failures):
            # other requests that were under way when it opened say nothing new
            if breaker.is_open and not self.probing:
                break
            breaker = breaker.after_failure(now, threshold)
        return breaker


def admits(cr, connection_id):
    """Whether a worker may send now: ``all``, ``probe`` (one job) or ``none``.

    Nobody else is answered until the transaction ends.
    """
    now, blocked, breaker = _read(cr, connection_id)
    return "none" if blocked and blocked > now else breaker.admits(now)


def begin_probe(cr, connection_id, lease):
    """A job was found to probe with: keep all others out until it has ended, or for ``lease``
    seconds."""
    now, _blocked, breaker = _read(cr, connection_id)
    _write(cr, connection_id, breaker.probing(now, lease))


def report(cr, connection_id, news, threshold):
    """Write down what a chunk told about the line.

    :param Report news: what was learned
    :param int threshold: failures in a row after which the breaker opens
    :return: ``opened`` or ``closed`` where the breaker changed, else ``""``
    """
    now, _blocked, before = _read(cr, connection_id)
    breaker = news.applied_to(before, now, threshold)
    if breaker != before:
        _write(cr, connection_id, breaker)
    _write_news(cr, connection_id, news)
    if breaker.is_open != before.is_open:
        return "opened" if breaker.is_open else "closed"
    return ""


def _read(cr, connection_id):
    cr.execute(
        SQL(
            """SELECT %s, blocked_until, failures, open_since, probe_at, probes
                 FROM commerce_traffic WHERE connection_id = %s FOR UPDATE""",
            NOW,
            connection_id,
        )
    )
    now, blocked, failures, open_since, probe_at, probes = cr.fetchone()
    return now, blocked, Breaker(failures or 0, open_since, probe_at, probes or 0)


def _write(cr, connection_id, breaker):
    cr.execute(
        SQL(
            """UPDATE commerce_traffic
                  SET failures = %s, open_since = %s, probe_at = %s, probes = %s
                WHERE connection_id = %s""",
            breaker.failures,
            breaker.open_since,
            breaker.probe_at,
            breaker.probes,
            connection_id,
        )
    )


def _write_news(cr, connection_id, news):
    cr.execute(
        SQL(
            """UPDATE commerce_traffic SET
                  last_success = CASE WHEN %(accepted)s THEN %(now)s ELSE last_success END,
                  last_failure = CASE WHEN %(failed)s THEN %(now)s ELSE last_failure END,
                  last_error = CASE WHEN %(failed)s THEN %(error)s ELSE last_error END,
                  blocked_until = CASE WHEN %(wait)s > 0
                                       THEN GREATEST(blocked_until,
                                                     %(now)s + %(wait)s * interval '1 second')
                                       ELSE blocked_until END
                WHERE connection_id = %(connection)s""",
            accepted=news.accepted,
            failed=bool(news.failures),
            error=news.error,
            wait=news.wait,
            now=NOW,
            connection=connection_id,
        )
    )

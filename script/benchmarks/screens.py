"""What staff look at, beside a million finished jobs and attempts and some thousand failed ones."""

import time

from . import databases, store
from .claim import LONG, _make_history
from .rows import row
from .side import Ours

FAILED = 5_000
TIMES = 9
#: The tables with a million rows.
LARGE = ("commerce_job", "commerce_attempt")


@row(
    "screens",
    65,
    f"the slowest of overview, problems, list, search beside {LONG:,} jobs and attempts",
    "ms",
    "< 300",
)
def screens(environment):
    with databases.ours(environment) as database, store.running() as there:
        ours = _prepare(environment, database, there)
        return [max(_look(ours, look) for look in LOOKS) for _time in range(TIMES)], ()


def _prepare(environment, database, there):
    ours = Ours(environment, database)
    ours.connect(there, 4)
    ours.add_flow("inventory")
    with ours.env() as env:
        _make_history(env, ours, LONG)
        env.cr.execute(
            """UPDATE commerce_job SET state = 'failed', error_kind = 'rejected',
                      error_message = 'It is refused.', problem_key = 'rejected:' || id %% 50
                WHERE id IN (SELECT id FROM commerce_job ORDER BY id DESC LIMIT %s)""",
            [FAILED],
        )
        env["commerce.problem"]._refresh()
    with ours.env() as env:
        env.cr.execute("ANALYZE")
    return ours


def _look(ours, look):
    """Milliseconds one screen takes."""
    with ours.env() as env:
        started = time.perf_counter()
        look(env)
        taken = (time.perf_counter() - started) * 1000
        _check_scans(env, look.__name__)
    return taken


def _check_scans(env, name):
    """No screen reads a large table from end to end."""
    env.cr.execute(
        """SELECT relname FROM pg_stat_xact_user_tables
            WHERE relname IN %s AND seq_scan > 0""",
        [LARGE],
    )
    scanned = [table for [table] in env.cr.fetchall()]
    if scanned:
        raise AssertionError(f"{name} scans {', '.join(scanned)} sequentially.")


def _overview(env):
    connections = env["commerce.connection"]
    names = ("health", "health_message", "pending_count", "running_count", "failed_count")
    more = ("oldest_waiting", "last_by_flow", "volume", "today_count", "refused_count")
    connections.search([]).read([*names, *more])


def _problems(env):
    env["commerce.problem"].search([], limit=80).read(["name", "count", "documents", "hint"])


def _list(env):
    for model in ("commerce.attempt", "commerce.job"):
        env[model].search([], limit=80).read(["document", "state", "error_message"])


def _search(env):
    for text in ("SKU-4711", "S00001"):
        env["commerce.attempt"].search([("look_for", "ilike", text)], limit=80).read(["document"])


LOOKS = (_overview, _problems, _list, _search)

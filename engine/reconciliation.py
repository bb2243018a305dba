"""The comparison of both sides, page by page, beside the ordinary queue.

A page is read while no transaction is open, and compared in a transaction of its own, which also
keeps the place to go on from: a crash costs one page, and nothing is held in memory but the page
itself and the next one, which is read meanwhile.
"""

import logging
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta

from odoo.tools import SQL

from ..adapters.base import Page
from ..adapters.errors import SyncError
from .database import NOW, transact

_logger = logging.getLogger(__name__)

#: Pages that may fail in a row before a person has to look.
MOST_FAILURES = 6
#: Seconds to wait after a failure, doubled each time.
FIRST_PAUSE = 15.0
#: Changes are looked for so long before a page was asked for: the clock is set by a statement,
#: which takes its time.
MARGIN = timedelta(milliseconds=10)


@dataclass(frozen=True)
class Plan:
    """What is needed of a reconciliation while no transaction is open.

    ``reads`` is what the adapter fetches, empty once the store is read (or is not to be read).
    """

    adapter: object
    reads: str
    since: datetime | None
    cursor: str


@dataclass(frozen=True)
class Read:
    """One page, when it was asked for (on the database's clock), and how many requests it took."""

    page: Page
    asked_at: datetime
    requests: int


class Reconciler:
    """Works on one reconciliation until it is done, stopped, or the time is up."""

    def __init__(self, env, reconciliation_id, deadline):
        """
        :param env: for its registry and user; its cursor is not used
        :param float deadline: on the clock of ``time.monotonic``
        """
        self.env = env
        self.reconciliation_id = reconciliation_id
        self.deadline = deadline
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="commerce_sync.read")
        self._plan = None
        self._clock = None

    def run(self):
        """:return: whether there is more to do at once"""
        try:
            self._plan = self._in_transaction(lambda record: record._begin())
            if not self._plan:
                return False
            self._clock = self._in_transaction(lambda record: _clock(record.env.cr))
            return self._read_all() or self._look_at_the_rest()
        except SyncError as error:
            return self._in_transaction(lambda record, failure=error: record._failed(failure))
        except Exception as error:
            _logger.exception("reconciliation %s", self.reconciliation_id)
            words = f"{type(error).__name__}: {error}"
            self._in_transaction(lambda record: record._give_up(words))
            return False
        finally:
            self._reader.shutdown(wait=True, cancel_futures=True)
            if self._plan:
                self._plan.adapter.client.close()

    def _in_transaction(self, work):
        """``work(reconciliation)`` in a transaction of its own."""

        def with_record(cr):
            env = self.env(cr=cr)
            return work(env["commerce.reconciliation"].browse(self.reconciliation_id).exists())

        return transact(self.env.registry.cursor, with_record)

    def _is_over(self):
        return time.monotonic() > self.deadline

    def _read_all(self):
        """:return: whether to go on later; else all is read, or nothing more is wanted"""
        if not self._plan.reads:
            return False
        following = self._reader.submit(self._read, self._plan.cursor)
        while True:
            read = following.result()
            more = bool(read.page.cursor) and not self._is_over()
            if more:
                following = self._reader.submit(self._read, read.page.cursor)
            wanted = self._in_transaction(lambda record, read=read: record._take_in(read))
            if not wanted or not read.page.cursor:
                return False
            if not more:
                return True

    def _read(self, cursor):
        asked_at = self._clock + timedelta(seconds=time.monotonic()) - MARGIN
        adapter = self._plan.adapter
        with adapter.client.recording() as exchanges:
            page = adapter.fetch(self._plan.reads, self._plan.since, cursor)
        return Read(page, asked_at, len(exchanges))

    def _look_at_the_rest(self):
        """What only shows in the whole.

        :return: whether to go on later
        """
        while not self._is_over():
            if not self._in_transaction(lambda record: record._check_next()):
                return False
        return True


def _clock(cr):
    """What to add to ``time.monotonic()`` to get the database's time."""
    cr.execute(SQL("SELECT %s", NOW))
    [now] = cr.fetchone()
    return now - timedelta(seconds=time.monotonic())


def under_way(cr, flow, record_ids, external_ids, asked_at):
    """What is no drift: a job for it waits or runs, or ended after the store was asked.

    :param flow: ``commerce.flow``
    :return: ``(record ids, external ids)``
    """
    records, externals = set(), set()
    if record_ids:
        cr.execute(
            SQL(
                """SELECT job.res_id FROM commerce_job AS job
                    WHERE job.model = %(model)s AND job.res_id = ANY(%(ids)s)
                      AND job.connection_id = %(connection)s AND job.kind = %(kind)s
                      AND (job.state IN ('pending', 'running') OR job.finished_at >= %(at)s)
                    UNION
                   SELECT state.res_id FROM commerce_sync_state AS state
                    WHERE state.flow_id = %(flow)s AND state.res_id = ANY(%(ids)s)
                      AND state.synced_at >= %(at)s""",
                model=flow.model_name,
                ids=list(record_ids),
                connection=flow.connection_id.id,
                kind=flow.kind,
                flow=flow.id,
                at=asked_at,
            )
        )
        records = {res_id for (res_id,) in cr.fetchall()}
    if external_ids:
        cr.execute(
            SQL(
                """SELECT job.external_id FROM commerce_job AS job
                    WHERE job.connection_id = %s AND job.kind = %s AND job.direction = 'in'
                      AND job.external_id = ANY(%s)
                      AND (job.state IN ('pending', 'running') OR job.finished_at >= %s)""",
                flow.connection_id.id,
                flow.kind,
                list(external_ids),
                asked_at,
            )
        )
        externals = {external_id for (external_id,) in cr.fetchall()}
    return records, externals

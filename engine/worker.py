"""The worker: claims jobs, has them prepared and sent, and settles them.

Three phases, each with a transaction of its own but for the second, which has none:

1. *claim and prepare*: jobs are leased, the mapper builds documents, the log says ``sending``;
2. *send*: HTTP on a pool of threads, no cursor, no locks;
3. *settle*: job states, log, bindings and what was last sent, in one transaction.

While one chunk of jobs is being sent, the next is prepared.
"""

import logging
import random
import threading
import time
import traceback
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from queue import Empty, SimpleQueue

import psycopg2
from odoo import SUPERUSER_ID, api
from odoo.exceptions import UserError
from odoo.tools import SQL

from ..adapters.correction import corrected
from ..adapters.errors import SyncError, Unexpected, ValidationFailed
from ..mappers.base import Problems, Skip
from . import log, queue, traffic
from .database import NOW, read_committed, transact
from .inbound import Importer
from .lease import Leases
from .line import LEASE_OVER, Item, Line, NotSent
from .retry import RetryPolicy
from .settlement import Ending, Settlement

_logger = logging.getLogger(__name__)

#: Seconds a worker may be silent before its jobs are taken up by another. It renews the lease of
#: what it holds well before that, so this only bounds how long a crash delays a job.
LEASE = 120.0
#: Jobs claimed at once: enough to fill every thread twice, bounded for the memory's sake.
LARGEST_CHUNK = 1000
#: For kinds that go one document a request: so many for each thread.
PER_THREAD = 8
#: Chunks under way at once: one that is being sent and one ready to follow it for each connection,
#: and so many in all.
CHUNKS_PER_CONNECTION = 2
MOST_CHUNKS = 8
#: Seconds after its time is up that a worker still begins to send what it has claimed already.
OVERTIME = 15.0
#: Seconds between looks for jobs that dead workers left behind.
RECLAIM_EVERY = 15.0
#: The database went away: it may come back while the lease lasts.
OUTAGES = (psycopg2.OperationalError, psycopg2.InterfaceError)
TIME_IS_UP = NotSent("The worker's time was up; the job goes on in the next round.")


@dataclass(frozen=True)
class FlowFacts:
    """What the worker needs of a flow when no transaction is open."""

    id: int
    connection_id: int
    kind: str
    direction: str
    model: str
    resource: str
    binds: bool
    parts: dict
    personal: bool
    policy: RetryPolicy
    dry_run: bool
    conflict_rule: str
    parallel: int
    batch: int
    threshold: int

    @property
    def chunk(self):
        return min(LARGEST_CHUNK, self.parallel * max(self.batch, PER_THREAD))


@dataclass(eq=False)
class Chunk:
    """Jobs of one flow that this worker holds together, from claim to settlement."""

    worker: str
    flow: FlowFacts
    jobs: list
    probing: bool = False
    items: list = field(default_factory=list)
    endings: list = field(default_factory=list)
    attempts: dict = field(default_factory=dict)
    futures: list = field(default_factory=list)

    def keep(self, job_ids):
        """Forget the jobs that are not among these: they are somebody else's by now."""
        if len(job_ids) < len(self.jobs):
            self.jobs = [job for job in self.jobs if job.id in job_ids]
            self.items = [item for item in self.items if item.job.id in job_ids]
            self.endings = [ending for ending in self.endings if ending.job.id in job_ids]


def as_unexpected(error, **kwargs):
    """A bug of ours as an error of the jobs it hit; called where it was caught."""
    wrapped = Unexpected(type(error).__name__, **kwargs)
    wrapped.traceback = traceback.format_exc()
    return wrapped


@dataclass(frozen=True)
class Drained:
    """What :meth:`Worker.drain` did: settled jobs, whether more are due, when the next will be."""

    done: int
    remaining: int
    next_at: datetime | None


class Worker:
    """One lane. Any number of them may work on one database, on any number of machines."""

    def __init__(self, env, lane="lane", seconds=45.0, connection_id=None, lease=LEASE, only=None):
        """
        :param env: for its registry; its cursor is not used
        :param str lane: named in the log
        :param float seconds: how long to take up new work
        :param int connection_id: work on this connection only
        :param float lease: see :data:`LEASE`
        :param only: ids of jobs; work on none but these
        """
        self.registry = env.registry
        self.lane = lane
        self.seconds = seconds
        self.connection_id = connection_id
        self.lease = lease
        self.only = only
        self._leases = Leases(self.registry.cursor, lease)
        self._lines = {}
        self._stopped_lines = []
        self._answered = SimpleQueue()
        self._settler = ThreadPoolExecutor(1, thread_name_prefix="commerce_sync.settle")
        self._settling = None
        self._served = {}
        self._turn = 0
        self._done = 0
        self._exhausted = False
        self._looked_at = None
        self._deadline = 0.0
        self._next_reclaim = 0.0
        self._broken = set()  # flows

    def drain(self):
        """Work until nothing is due or the time is up.

        :return: :class:`Drained`
        """
        self._deadline = time.monotonic() + self.seconds
        under_way = []
        try:
            while time.monotonic() < self._deadline:
                if self._take_on(under_way):
                    continue
                if under_way:
                    self._finish_next(under_way)
                elif self._settling:
                    self._await_settled()  # it may free jobs that waited for those settled
                else:
                    self._exhausted = True
                    break
            while under_way:
                self._finish_next(under_way)
            self._await_settled()
        finally:
            self._close()
        self._tell_of_problems()
        due, next_at = self._transact(self._outlook)
        # what is due but could not be taken up waits for its turn: that is no work to come back to
        return Drained(self._done, 0 if self._exhausted else due, next_at)

    def _tell_of_problems(self):
        """What failed is grouped, and somebody told, once for all that was done."""
        if not self._served:
            return
        try:
            transact(
                self.registry.cursor,
                lambda cr: self._env(cr)["commerce.problem"]._refresh(list(self._served)),
            )
        except Exception:
            # the jobs are settled; a scheduled action counts again
            _logger.exception("nobody was told of problems")

    def _transact(self, work):
        def isolated(cr):
            read_committed(cr)
            return work(cr)

        return transact(self.registry.cursor, isolated)

    def _env(self, cr):
        return api.Environment(cr, SUPERUSER_ID, {})

    def _reclaim(self):
        """Now and then, take back what dead workers left behind."""
        if self.only is not None or time.monotonic() < self._next_reclaim:
            return
        while self._transact(queue.reclaim) == queue.RECLAIM_BATCH:
            pass
        self._next_reclaim = time.monotonic() + RECLAIM_EVERY

    def _close(self):
        self._settler.shutdown()
        for line in [*self._lines.values(), *self._stopped_lines]:
            line.close()
        self._lines.clear()
        self._stopped_lines.clear()
        self._leases.close()

    # === PHASE 1: CLAIM AND PREPARE === #

    def _take_on(self, under_way):
        """Claim and begin one chunk, if there is one.

        While the database is away there is none: what is under way can still be finished.
        """
        try:
            self._reclaim()
            chunk = self._take_up(under_way)
            if chunk:
                self._begin(chunk, under_way)
            return bool(chunk)
        except OUTAGES as error:
            if not under_way and not self._settling:
                raise
            _logger.warning("nothing taken up: %s", error)
            return False

    def _take_up(self, under_way):
        """Claim one chunk of the flow whose turn it is.

        :param under_way: the chunks this worker holds already; a slow store must not fill its hands
        :return: :class:`Chunk`, or ``None`` where nothing can be taken up
        """
        if len(under_way) >= MOST_CHUNKS:
            return None
        busy = Counter(chunk.flow.connection_id for chunk in under_way)
        for flow_id, connection_id in self._transact(self._candidates):
            if busy[connection_id] >= CHUNKS_PER_CONNECTION or flow_id in self._broken:
                continue
            since = time.monotonic()
            chunk = self._try_to_claim(flow_id, connection_id)
            if chunk:
                self._leases.add(chunk.worker, [job.id for job in chunk.jobs], since)
                self._turn += 1
                self._served[connection_id] = self._turn
                return chunk
        return None

    def _candidates(self, cr):
        """Flows with due jobs, of each connection the most urgent one first; the connection that
        was served least recently comes first."""
        cr.execute(SQL("SELECT %s", NOW))
        [self._looked_at] = cr.fetchone()
        cr.execute(
            SQL(
                """SELECT flow.id, flow.connection_id
                     FROM commerce_flow AS flow
                     JOIN commerce_connection AS connection ON connection.id = flow.connection_id
                    WHERE flow.active AND connection.active AND connection.state = 'live'
                      AND %(mine)s
                      -- in the order of the index of due jobs, to be read at its head
                      AND (SELECT job.id FROM commerce_job AS job
                            WHERE job.flow_id = flow.id AND job.state = 'pending'
                              AND job.run_after <= %(now)s
                            ORDER BY job.priority, job.run_after, job.id LIMIT 1) IS NOT NULL
                    ORDER BY flow.priority, flow.id""",
                mine=self._mine(),
                now=NOW,
            )
        )
        return sorted(cr.fetchall(), key=lambda row: self._served.get(row[1], 0))

    def _mine(self):
        """Which connections this worker looks after."""
        if self.only is not None:
            return SQL(
                "flow.id IN (SELECT flow_id FROM commerce_job WHERE id = ANY(%s))", list(self.only)
            )
        if self.connection_id:
            return SQL("connection.id = %s", self.connection_id)
        if "queue.job" in self.registry:
            return SQL("connection.runner <> 'queue_job'")
        return SQL("TRUE")

    def _try_to_claim(self, flow_id, connection_id):
        """A flow that cannot be worked on (its platform's addon is gone) stops no other."""
        try:
            return self._transact(lambda cr: self._claim(cr, flow_id, connection_id))
        except OUTAGES:
            raise
        except Exception:
            _logger.exception("flow %s cannot be worked on", flow_id)
            self._broken.add(flow_id)
            return None

    def _claim(self, cr, flow_id, connection_id):
        admission = traffic.admits(cr, connection_id)
        if admission == "none":
            return None
        facts = self._flow_facts(cr, flow_id)
        probing = admission == "probe"
        worker = queue.worker_name(self.lane)
        limit = 1 if probing else facts.chunk
        jobs = queue.claim(cr, flow_id, connection_id, limit, self.lease, worker, self.only)
        if jobs and probing:
            traffic.begin_probe(cr, connection_id, self.lease)
        return Chunk(worker, facts, jobs, probing) if jobs else None

    def _flow_facts(self, cr, flow_id):
        flow = self._env(cr)["commerce.flow"].browse(flow_id)
        connection = flow.connection_id
        mapper = flow._get_mapper()
        support = flow._get_supported()[flow.kind]
        return FlowFacts(
            id=flow.id,
            connection_id=connection.id,
            kind=flow.kind,
            direction=flow.direction,
            model=mapper.model,
            resource=mapper.resource,
            binds=mapper.binds,
            parts=mapper.parts,
            personal=mapper.personal,
            policy=flow._get_policy(),
            dry_run=connection.dry_run,
            conflict_rule=flow.conflict_rule,
            parallel=connection.parallel_requests,
            batch=support.batch,
            threshold=connection.breaker_threshold,
        )

    def _begin(self, chunk, under_way):
        """Do what can be done at once with a chunk that was claimed."""
        try:
            if chunk.flow.direction == "in":
                self._done += self._import(chunk)
                self._leases.drop(chunk.worker)
                return
            self._prepare(chunk)
        except BaseException:
            self._leases.drop(chunk.worker)  # whoever comes next takes its jobs up again
            raise
        self._announce(chunk)
        under_way.append(chunk)

    def _prepare(self, chunk):
        """Build the documents, write the log's ``sending`` rows, and start to send."""
        # a transaction of its own, begun after the claim: it sees every change that was committed
        # before, and a later change has a job of its own
        try:
            transact(self.registry.cursor, lambda cr: self._prepare_in(cr, chunk))
        except OUTAGES:
            raise
        except Exception as error:
            _logger.exception("flow %s: nothing can be prepared", chunk.flow.id)
            wrapped = as_unexpected(error)
            chunk.items, chunk.endings = [], [Ending(job, error=wrapped) for job in chunk.jobs]
        self._transact(lambda cr: self._open_tries(cr, chunk))
        if not chunk.items:
            return
        if chunk.flow.dry_run:
            chunk.endings += [Ending.of(item, outcome="dry_run") for item in chunk.items]
            return
        try:
            chunk.futures = self._submit(chunk)
        except SyncError as error:
            chunk.endings += [Ending.of(item, error=error) for item in chunk.items]

    def _submit(self, chunk):
        """Hand the documents to the threads; list of futures."""
        try:
            return self._get_line(chunk.flow).submit(
                chunk.flow.kind, chunk.items, lambda: self._leases.holds(chunk.worker)
            )
        except (SyncError, psycopg2.Error):
            raise
        except Exception as error:
            _logger.exception("flow %s: the adapter cannot begin", chunk.flow.id)
            raise as_unexpected(error) from error

    def _prepare_in(self, cr, chunk):
        chunk.items, chunk.endings = [], []
        env = self._env(cr)
        mapper = env["commerce.flow"].browse(chunk.flow.id)._get_mapper()
        prepared = self._build(mapper, {job.res_id for job in chunk.jobs})
        known = self._fingerprints(cr, chunk)
        for job in chunk.jobs:
            self._sort_in(chunk, mapper, job, prepared.get(job.res_id), known.get(job.res_id))

    def _open_tries(self, cr, chunk):
        """From here on a crash leaves ``sending`` rows, of jobs that are certainly ours."""
        chunk.keep(queue.held(cr, chunk.worker, [job.id for job in chunk.jobs]))
        entries = chunk.items + [ending for ending in chunk.endings if ending.error]
        tries = [Settlement.opening(chunk.flow, entry) for entry in entries]
        chunk.attempts = log.open_tries(cr, chunk.worker, tries)

    def _build(self, mapper, record_ids):
        """The mapper's documents; one record that breaks it does not break the others."""
        records = mapper.env[mapper.model].browse(sorted(record_ids)).exists()
        try:
            with mapper.env.cr.savepoint():
                return mapper.prepare(records)
        except psycopg2.OperationalError:
            raise  # the database, not the record: the whole transaction is done again
        except Exception as error:
            if len(records) == 1:
                return {records.id: self._as_error(mapper, records, error)}
        # one bad record among a thousand is found in ten steps
        half = len(records) // 2
        return self._build(mapper, records[:half].ids) | self._build(mapper, records[half:].ids)

    def _as_error(self, mapper, record, error):
        """What stopped the mapper at this record, as an error of its job."""
        if isinstance(error, UserError):  # also AccessError: in words already
            intro = mapper.intro(record.sudo().display_name)
            return ValidationFailed(f"{intro}: {error}")
        _logger.exception("%s: %s cannot be prepared", mapper.flow, record)
        wrapped = Unexpected(f"{mapper.intro(record.sudo().display_name)}: {type(error).__name__}")
        wrapped.traceback = traceback.format_exc()
        return wrapped

    def _fingerprints(self, cr, chunk):
        cr.execute(
            SQL(
                """SELECT res_id, fingerprint FROM commerce_sync_state
                    WHERE flow_id = %s AND res_id IN %s""",
                chunk.flow.id,
                tuple(job.res_id for job in chunk.jobs),
            )
        )
        return dict(cr.fetchall())

    def _sort_in(self, chunk, mapper, job, prepared, fingerprint):
        """A job either has something to send or ends here."""
        if job.event:
            prepared = mapper.at_event(job.res_id, prepared, job.event)
        match prepared:
            case None:
                ending = Ending(job, outcome="skipped", note="The record was deleted in Odoo.")
            case Skip(reason=reason, label=label):
                ending = Ending(job, label=label, outcome="skipped", note=reason)
            case Problems(label=label):
                error = prepared.as_error(mapper.intro(label))
                ending = Ending(job, label=label, error=error)
            case SyncError():
                ending = Ending(job, error=prepared)
            case document:
                item = self._item(job, document)
                if job.force or job.uncertain or fingerprint != item.fingerprint:
                    chunk.items.append(item)
                    return
                ending = Ending.of(item, outcome="unchanged")
        chunk.endings.append(ending)

    @staticmethod
    def _item(job, document):
        """What is sent: the mapper's document, unless a manager corrected it for this job."""
        if job.correction:
            document = corrected(document, job.correction)
        return Item(job, document, document.text())

    def _get_line(self, flow):
        """The line to the flow's store: one for all its flows, or each would have its own threads
        and the store more requests at once than it was promised."""
        key = flow.connection_id
        if key not in self._lines:
            adapter = transact(
                self.registry.cursor,
                lambda cr: self._env(cr)["commerce.connection"].browse(key)._get_adapter(),
            )
            self._lines[key] = Line(key, adapter, flow.parallel, flow.threshold)
        return self._lines[key]

    def _import(self, chunk):
        """Apply a chunk of events.

        :return: number of jobs that were settled
        """
        try:
            adapter = self._get_line(chunk.flow).adapter
        except SyncError as error:
            chunk.endings = [Ending(job, error=error) for job in chunk.jobs]
            return self._finish(chunk)
        importer = Importer(
            self.registry, chunk, adapter, lambda: self._objection(chunk), self._pass_on
        )
        return importer.run()

    def _objection(self, chunk):
        """Why not to begin another import of this chunk, if there is a reason."""
        if time.monotonic() > self._deadline:
            return TIME_IS_UP
        return None if self._leases.holds(chunk.worker) else LEASE_OVER

    # === PHASES 2 AND 3: WAIT FOR THE THREADS, SETTLE === #

    def _announce(self, chunk):
        """Have :attr:`_answered` tell when the last request of the chunk has ended."""
        if not chunk.futures:
            self._answered.put(chunk)
        left, lock = set(chunk.futures), threading.Lock()

        def ended(future):
            with lock:
                left.discard(future)
                if not left:
                    self._answered.put(chunk)

        for future in chunk.futures:
            future.add_done_callback(ended)

    def _finish_next(self, under_way):
        """Settle the chunk that is answered first: a slow store keeps no other one waiting."""
        try:
            patience = self._deadline + OVERTIME - time.monotonic()
            chunk = self._answered.get(timeout=max(0, patience))
        except Empty:
            for line in list(self._lines.values()):
                line.stop(TIME_IS_UP)
            chunk = self._answered.get()
        under_way.remove(chunk)
        self._await_settled()
        # on a thread of its own: while the database writes, the next chunk is prepared
        self._settling = self._settler.submit(self._finish, chunk)

    def _await_settled(self):
        """Wait for the chunk that is being settled, if there is one."""
        settling, self._settling = self._settling, None
        if settling:
            self._done += settling.result()

    def _finish(self, chunk):
        """Settle the jobs of a chunk that is answered.

        :return: number of jobs that were settled
        """
        for future in chunk.futures:
            chunk.endings += Ending.of_parcel(future.result())
        settlement = Settlement(chunk, random.random)
        # before the jobs are free again: a store that wants to be left alone is
        self._pass_on(chunk, settlement)
        try:
            settled = self._settle(chunk, settlement)
        except OUTAGES:
            raise
        except Exception:
            _logger.exception("chunk %s: settled one by one", chunk.worker)
            settled = sum(self._settle_alone(chunk, ending) for ending in chunk.endings)
        self._leases.drop(chunk.worker)
        return settled

    def _settle(self, chunk, settlement):
        moved = self._persist(
            chunk, lambda: self._transact(lambda cr: settlement.settle(cr, self._env(cr)))
        )
        return len(moved)

    def _settle_alone(self, chunk, ending):
        """One result that cannot be written down takes no other with it."""
        try:
            return self._settle(chunk, Settlement(chunk, random.random, [ending]))
        except OUTAGES:
            raise
        except Exception as error:
            failed = Ending(ending.job, ending.label, error=as_unexpected(error, uncertain=True))
            return self._settle(chunk, Settlement(chunk, random.random, [failed]))

    def _persist(self, chunk, work):
        """Write down what a chunk has come to, through a restart of the database if it must be:
        forgotten, it would all have to be found out again.

        :param work: a transaction
        """
        while True:
            try:
                return work()
            except OUTAGES as error:
                if not self._leases.holds(chunk.worker):
                    raise
                _logger.warning("chunk %s not settled yet: %s", chunk.worker, error)
                time.sleep(1)

    def _pass_on(self, chunk, settlement):
        """What the chunk told about the line to the store: breaker, pause, notices."""
        news = settlement.news
        connection_id = chunk.flow.connection_id
        change = self._persist(
            chunk,
            lambda: self._transact(
                lambda cr: traffic.report(cr, connection_id, news, chunk.flow.threshold)
            ),
        )
        refused = settlement.refused
        if change or refused:
            try:
                transact(
                    self.registry.cursor,
                    lambda cr: self._tell(cr, connection_id, change, news.error, refused),
                )
            except Exception:
                # a notice that nobody gets must not cost what was sent
                _logger.exception("connection %s: nobody was told", connection_id)
        line = self._lines.get(chunk.flow.connection_id)
        if line and line.stopped:
            # Why it stopped is written down by now and keeps further jobs from being claimed; once
            # they may be, they get a line that begins anew.
            self._stopped_lines.append(self._lines.pop(chunk.flow.connection_id))

    def _tell(self, cr, connection_id, change, error, refused):
        connection = self._env(cr)["commerce.connection"].browse(connection_id)
        if refused:
            connection._pause("authentication", refused)
        elif change:
            connection._line_changed(change, error)

    def _outlook(self, cr):
        """``(flows with due jobs left, when to come back)``, of connections that are live.

        What became due since this worker last looked counts as to come back for: nobody else
        would. What others hold is due when their lease is over: they may be dead.
        """
        cr.execute(
            SQL(
                """SELECT count(*) FILTER (WHERE jobs.due_at IS NOT NULL
                                             AND GREATEST(jobs.due_at, line.blocked_until,
                                                          line.probe_at) <= %(looked_at)s),
                          LEAST(min(GREATEST(COALESCE(jobs.next_at, jobs.due_at),
                                             line.blocked_until, line.probe_at))
                                    FILTER (WHERE jobs.next_at IS NOT NULL
                                               OR GREATEST(line.blocked_until, line.probe_at)
                                                  > %(looked_at)s),
                                min(held.lease_until))
                     FROM commerce_flow AS flow
                     JOIN commerce_connection AS connection ON connection.id = flow.connection_id
                     JOIN commerce_traffic AS line ON line.connection_id = connection.id
                    CROSS JOIN LATERAL (
                          SELECT min(run_after) FILTER (WHERE run_after <= %(looked_at)s) AS due_at,
                                 min(run_after) FILTER (WHERE run_after > %(looked_at)s) AS next_at
                            FROM commerce_job
                           WHERE flow_id = flow.id AND state = 'pending') AS jobs
                    CROSS JOIN LATERAL (
                          SELECT min(lease_until) AS lease_until
                            FROM commerce_job
                           WHERE flow_id = flow.id AND state = 'running') AS held
                    WHERE flow.active AND connection.active AND %(mine)s
                      AND connection.state = 'live'""",
                looked_at=SQL("%s", self._looked_at) if self._exhausted else NOW,
                mine=self._mine(),
            )
        )
        return cr.fetchone()

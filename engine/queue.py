"""The queue itself: enqueue, claim, settle.

Raw SQL, because the ORM can neither say ``ON CONFLICT`` nor ``SKIP LOCKED``, and because ten
thousand jobs are one statement here.

Every change of a job's state goes through :func:`_advance`.
"""

import json
import logging
import uuid
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import psycopg2.errors
from odoo.tools import SQL

from . import states
from .database import NOW, columns
from .problems import problem_key

_logger = logging.getLogger(__name__)

#: A business transaction waits this long at most for another one that enqueues the same thing.
COALESCE_PATIENCE = "300ms"
#: Jobs of dead workers that one transaction takes back.
RECLAIM_BATCH = 500


@dataclass(frozen=True)
class Order:
    """What to enqueue: one job for each of ``record_ids``.

    :param str model: of the records
    :param str scope: part of the sequence key: jobs of one scope and record run one after another
    :param str sequence: the sequence key of all, where it is not each record's own
    :param str external_id: of the remote record, where it is one and known
    :param bool coalesce: the job says "bring this up to date", so that a waiting one will do
    :param float delay: seconds before the first try
    """

    flow_id: int
    connection_id: int
    company_id: int
    direction: str
    kind: str
    model: str
    record_ids: tuple[int, ...]
    operation: str = "push"
    scope: str = ""
    coalesce: bool = True
    priority: int = 10
    delay: float = 0.0
    force: bool = False
    run_id: int | None = None
    user_id: int | None = None
    sequence: str = ""
    external_id: str | None = None


@dataclass(frozen=True)
class Claimed:
    """A job as the worker holds it. ``attempts`` counts the tries that cost so far, ``tries`` all
    of them; ``age`` is in seconds."""

    id: int
    res_id: int
    operation: str
    idempotency_key: str
    force: bool
    uncertain: bool
    attempts: int
    tries: int
    progress: dict
    age: float
    correction: dict = field(default_factory=dict)
    event: dict = field(default_factory=dict)


@dataclass
class Move:
    """How a running job ends its try. ``delay`` in seconds, for those that go back to pending."""

    job_id: int
    state: str
    outcome: str | None = None
    error_kind: str | None = None
    error_code: str | None = None
    error_message: str | None = None
    error_hint: str | None = None
    delay: float = 0.0
    cost: int = 0
    uncertain: bool = False
    progress: dict = field(default_factory=dict)
    document: str | None = None
    external_id: str | None = None
    superseded_by_id: int | None = None

    @property
    def progress_json(self):
        return json.dumps(self.progress) if self.progress else None

    @property
    def problem_key(self):
        if self.state != states.FAILED:
            return None
        names = (self.document, self.external_id)
        return problem_key(self.error_kind, self.error_code, self.error_message, *names)


# === ENQUEUE === #


def enqueue(cr, order):
    """Write one pending job for each record, in the caller's transaction.

    A record that already has a pending job for the same flow and operation keeps that one. It is
    locked until the caller's transaction ends, so that no worker can take it and read the values
    of before the change.

    :param Order order: what to enqueue
    :return: the ids of the pending jobs (new or found), in no particular order
    """
    if not order.record_ids:
        return []
    try:
        with _impatient(cr):
            return _insert(cr, order, coalesce=order.coalesce)
    except (psycopg2.errors.SerializationFailure, *BLOCKED) as error:
        # Another transaction enqueues the same thing right now. Coalescing only spares a request;
        # the business transaction must neither fail nor wait for it.
        _logger.info("flow %s: enqueued without coalescing: %s", order.flow_id, error.pgcode)
        return _insert(cr, order, coalesce=False)


def enqueue_new(cr, order):
    """:func:`enqueue` for records that nobody else can know yet: one statement."""
    return _insert(cr, order, coalesce=False)


#: Somebody else holds on to the same thing.
BLOCKED = (psycopg2.errors.DeadlockDetected, psycopg2.errors.LockNotAvailable)


@contextmanager
def _impatient(cr):
    """A savepoint within which no lock is waited for long."""
    with cr.savepoint(flush=False):
        cr.execute("SELECT current_setting('lock_timeout')")
        [before] = cr.fetchone()
        cr.execute(SQL("SELECT set_config('lock_timeout', %s, true)", COALESCE_PATIENCE))
        yield
        cr.execute(SQL("SELECT set_config('lock_timeout', %s, true)", before))


def _insert(cr, order, *, coalesce):
    cr.execute(
        SQL(
            """
            INSERT INTO commerce_job AS job (
                flow_id, connection_id, company_id, direction, kind, model, res_id, operation,
                state, priority, run_after, identity_key, sequence_key, idempotency_key,
                "coalesce", force, uncertain, attempts, tries, run_id, external_id,
                create_uid, write_uid, create_date, write_date, queued_at)
            SELECT %(flow)s, %(connection)s, %(company)s, %(direction)s, %(kind)s, %(model)s,
                   record.id, %(operation)s, 'pending', %(priority)s,
                   %(now)s + %(delay)s * interval '1 second',
                   CASE WHEN %(unique)s THEN %(identity)s || record.id END,
                   COALESCE(%(sequence)s, %(prefix)s || record.id), gen_random_uuid()::text,
                   %(coalesce)s, %(force)s, false, 0, 0, %(run)s, %(external)s,
                   %(user)s, %(user)s, %(now)s, %(now)s, %(now)s
              FROM unnest(%(ids)s::int[]) AS record(id)
            ON CONFLICT (identity_key) WHERE state = 'pending' DO UPDATE
               SET force = job.force OR EXCLUDED.force,
                   run_id = COALESCE(EXCLUDED.run_id, job.run_id),
                   priority = LEAST(job.priority, EXCLUDED.priority),
                   run_after = CASE WHEN job.attempts > 0 AND NOT EXCLUDED.force
                                    THEN job.run_after
                                    ELSE LEAST(job.run_after, EXCLUDED.run_after) END
            RETURNING id
            """,
            flow=order.flow_id,
            connection=order.connection_id,
            company=order.company_id,
            direction=order.direction,
            kind=order.kind,
            model=order.model,
            operation=order.operation,
            priority=order.priority,
            delay=order.delay,
            unique=coalesce,
            identity=identity_prefix(order),
            sequence=order.sequence or None,
            prefix=f"{order.connection_id}:{order.scope}:{order.model}:",
            coalesce=order.coalesce,
            force=order.force,
            run=order.run_id,
            external=order.external_id,
            user=order.user_id,
            # sorted: two transactions that enqueue the same records lock them in the same order
            ids=sorted(set(order.record_ids)),
            now=NOW,
        ),
        log_exceptions=False,
    )
    return [job_id for (job_id,) in cr.fetchall()]


def identity_prefix(order):
    """What two jobs for the same thing share, but for the record."""
    return f"{order.flow_id}:{order.operation}:{order.model}:"


def keep_events(cr, events):
    """Keep with jobs what their records say now.

    :param dict events: job id -> values, as JSON can hold them
    """
    cr.execute(
        SQL(
            """UPDATE commerce_job AS job SET event = kept.event::jsonb
                 FROM unnest(%s::int[], %s::text[]) AS kept(id, event)
                WHERE job.id = kept.id""",
            list(events),
            [json.dumps(values) for values in events.values()],
        )
    )


# === TRANSITIONS === #


def _in_states(alias, *names):
    """Whether a job is in one of these states, said so that no partial index is used for it.

    Jobs are found by id or sequence key; their state only has to be right. When the table was last
    analysed while nothing waited (its usual state), the planner takes every partial index over
    open jobs for one page and reads it whole, for each row, however long it has become since. What
    it cannot prove while it plans keeps it from that.
    """
    state = SQL.identifier(alias, "state")
    return SQL("%s = ANY(ARRAY(SELECT unnest(%s::text[])))", state, list(names))


def _advance(cr, target, *, assign, using, where, returning):
    """Move jobs to ``target``: the only statement that changes ``state``.

    A job that is in a state from which the table of transitions knows no way to ``target`` is left
    alone; the caller sees from what is returned which ones moved.
    """
    cr.execute(
        SQL(
            """UPDATE commerce_job AS job
                  SET state = %s, write_date = %s, %s
                 FROM %s
                WHERE %s AND %s
            RETURNING %s""",
            target,
            NOW,
            assign,
            using,
            where,
            _in_states("job", *states.sources(target)),
            returning,
        ),
        log_exceptions=False,
    )
    return cr.fetchall()


def claim(cr, flow_id, connection_id, limit, lease, worker, only=None):
    """Take up to ``limit`` due jobs of a flow; the cursor is read committed and commits at once.

    :param float lease: seconds until others may take the jobs up again
    :param str worker: who holds them; also the fence: nobody else can settle them
    :param only: ids of jobs; none but these are taken
    :return: list of :class:`Claimed`, oldest first
    """
    # Claims of one connection take turns: each then sees what the one before has taken. They last
    # milliseconds. The unique index over running documents is the second lock.
    cr.execute(
        SQL("SELECT pg_advisory_xact_lock(hashtext('commerce_sync.claim'), %s)", connection_id)
    )
    rows = _advance(
        cr,
        states.RUNNING,
        assign=SQL(
            """lease_until = %(now)s + %(lease)s * interval '1 second', worker = %(worker)s,
               started_at = %(now)s, tries = job.tries + 1""",
            now=NOW,
            lease=lease,
            worker=worker,
        ),
        # an array is made once; a subquery in its place may be run again for each row it is joined
        # to, and finds other jobs each time, beyond the limit
        using=SQL("unnest(ARRAY(%s)) AS due(id)", _due(flow_id, limit, only)),
        where=SQL("job.id = due.id"),
        returning=SQL(
            """job.id, job.res_id, job.operation, job.idempotency_key, job.force, job.uncertain,
               job.attempts, job.tries, COALESCE(job.progress, '{}'::jsonb),
               extract(epoch FROM %s - COALESCE(job.queued_at, job.create_date))::float8,
               COALESCE(job.correction, '{}'::jsonb), COALESCE(job.event, '{}'::jsonb)""",
            NOW,
        ),
    )
    jobs = sorted((Claimed(*row) for row in rows), key=lambda job: job.id)
    doubtful = _supersede_failed(cr, jobs)
    return [replace(job, uncertain=True) if job.id in doubtful else job for job in jobs]


def _due(flow_id, limit, only=None):
    """The next jobs of a flow: due, and first in line for their document.

    An earlier failed job for the very same thing holds nothing back: this one replaces it.
    """
    return SQL(
        """SELECT candidate.id
             FROM commerce_job AS candidate
            WHERE candidate.flow_id = %(flow)s AND candidate.state = 'pending'
              AND candidate.run_after <= %(now)s AND %(chosen)s
              AND NOT EXISTS (
                  SELECT 1 FROM commerce_job AS earlier
                   WHERE earlier.sequence_key = candidate.sequence_key
                     AND %(earlier_is_open)s
                     AND earlier.id <> candidate.id
                     AND (earlier.state = 'running' OR earlier.id < candidate.id)
                     AND NOT (earlier.state = 'failed' AND candidate."coalesce"
                              AND earlier.flow_id = candidate.flow_id
                              AND earlier.operation = candidate.operation))
            ORDER BY candidate.priority, candidate.run_after, candidate.id
            LIMIT %(limit)s
              FOR UPDATE SKIP LOCKED""",
        flow=flow_id,
        limit=limit,
        chosen=SQL("TRUE") if only is None else SQL("candidate.id = ANY(%s)", list(only)),
        earlier_is_open=_in_states("earlier", *states.OPEN_STATES),
        now=NOW,
    )


def _supersede_failed(cr, jobs):
    """Failed jobs for the same thing as one now taken up are closed in its favour.

    :return: ids of those taken up in the place of one that may have arrived
    """
    if not jobs:
        return set()
    rows = _advance(
        cr,
        states.CANCELLED,
        assign=SQL("superseded_by_id = pair.newer_id, finished_at = %s", NOW),
        # one that a person is just about to resend or to cancel is left to that person
        using=SQL(
            """(SELECT failed.id, newer.id AS newer_id
                  FROM commerce_job AS newer
                  JOIN commerce_job AS failed ON failed.sequence_key = newer.sequence_key
                       AND failed.flow_id = newer.flow_id AND failed.operation = newer.operation
                       AND failed.id < newer.id AND %s
                 WHERE newer.id IN %s AND newer."coalesce"
                   FOR UPDATE OF failed SKIP LOCKED) AS pair""",
            _in_states("failed", states.FAILED),
            tuple(job.id for job in jobs),
        ),
        where=SQL("job.id = pair.id"),
        returning=SQL("pair.newer_id, job.uncertain"),
    )
    return _pass_on(cr, [(newer_id, False, uncertain) for newer_id, uncertain in rows])


def renew(cr, worker, job_ids, lease):
    """Hold on to running jobs for another ``lease`` seconds, if the lease is not over yet.

    :return: number of jobs it still holds
    """
    cr.execute(
        SQL(
            """UPDATE commerce_job SET lease_until = %(now)s + %(lease)s * interval '1 second'
                WHERE id IN %(ids)s AND worker = %(worker)s AND lease_until > %(now)s
                  AND %(running)s""",
            now=NOW,
            lease=lease,
            ids=tuple(job_ids),
            worker=worker,
            running=_in_states("commerce_job", states.RUNNING),
        )
    )
    return cr.rowcount


def held(cr, worker, job_ids):
    """Which of these jobs are still ``worker``'s: their ids, locked until the transaction ends."""
    cr.execute(
        SQL(
            """SELECT id FROM commerce_job WHERE id IN %s AND worker = %s AND %s
                ORDER BY id FOR NO KEY UPDATE""",
            tuple(job_ids),
            worker,
            _in_states("commerce_job", states.RUNNING),
        )
    )
    return {job_id for (job_id,) in cr.fetchall()}


def settle(cr, worker, moves):
    """End the tries of running jobs that ``worker`` holds.

    :param list moves: a :class:`Move` each
    :return: ids of the jobs that moved. One that is missing was taken from this worker, whose
        lease ran out, and is somebody else's now.
    """
    # by id alone from here on: a worker's name is nothing the planner's statistics know of, and
    # it would join two lists of hundreds row by row
    mine = held(cr, worker, [move.job_id for move in moves]) if moves else ()
    moves = _give_way(cr, [move for move in moves if move.job_id in mine])
    moved = []
    for target in (states.DONE, states.FAILED, states.PENDING, states.CANCELLED):
        of_target = [move for move in moves if move.state == target]
        if of_target:
            moved += _settle_to(cr, target, of_target)
    _doubt(cr, [move.job_id for move in moves if move.uncertain or move.progress], moved)
    return moved


def _doubt(cr, job_ids, moved):
    """A try that may have arrived, or arrived in part: what the store holds of its record is not
    known any more, so that the next job for it sends in any case, whoever that will be."""
    doubtful = tuple(set(job_ids) & set(moved))
    if doubtful:
        cr.execute(
            SQL(
                """UPDATE commerce_sync_state AS known SET fingerprint = NULL
                     FROM commerce_job AS job
                    WHERE job.id IN %s AND job.direction = 'out'
                      AND known.flow_id = job.flow_id AND known.res_id = job.res_id""",
                doubtful,
            )
        )


def _give_way(cr, moves):
    """A job that would wait again, beside a newer one waiting for the same thing, is superseded."""
    waiting = {move.job_id: move for move in moves if move.state == states.PENDING}
    if not waiting:
        return moves
    cr.execute(
        SQL(
            """SELECT job.id, newer.id, job.force FROM commerce_job AS job
                 JOIN commerce_job AS newer ON newer.identity_key = job.identity_key
                      AND newer.state = 'pending' AND newer.id <> job.id
                WHERE job.id IN %s
                ORDER BY newer.id
                  FOR UPDATE OF newer""",
            tuple(waiting),
        )
    )
    inherited = []
    for job_id, newer_id, force in cr.fetchall():
        waiting[job_id].state = states.CANCELLED
        waiting[job_id].superseded_by_id = newer_id
        inherited.append((newer_id, force, waiting[job_id].uncertain))
    _pass_on(cr, inherited)
    return moves


def _pass_on(cr, inherited):
    """What must survive a job that gave way to another: a person's wish to send in any case, and
    that it may have arrived.

    :param inherited: ``(id of the other, force, uncertain)`` each
    :return: ids of the others that are uncertain for that
    """
    doubtful = {job_id for job_id, _force, uncertain in inherited if uncertain}
    for column, job_ids in (
        ("force", {job_id for job_id, force, _uncertain in inherited if force}),
        ("uncertain", doubtful),
    ):
        if job_ids:
            cr.execute(
                SQL(
                    "UPDATE commerce_job SET %s = true WHERE id IN %s",
                    SQL.identifier(column),
                    tuple(job_ids),
                )
            )
    return doubtful


_MOVE_COLUMNS = (
    "job_id",
    "outcome",
    "error_kind",
    "error_code",
    "error_message",
    "error_hint",
    "delay",
    "cost",
    "uncertain",
    "document",
    "external_id",
    "superseded_by_id",
    "progress_json",
    "problem_key",
)


def _settle_to(cr, target, moves):
    if target != states.PENDING:
        return _write_moves(cr, target, moves)
    try:
        with _impatient(cr):
            return _write_moves(cr, target, moves)
    except (psycopg2.errors.UniqueViolation, *BLOCKED):
        # Somebody enqueues the same thing right now, and may take his time before he commits.
        # Beside a second job this one does no harm; the other jobs of the chunk cannot wait.
        return _write_moves(cr, target, moves, unique=False)


def _write_moves(cr, target, moves, *, unique=True):
    finished = SQL("NULL::timestamp") if target == states.PENDING else NOW
    rows = _advance(
        cr,
        target,
        assign=SQL(
            """outcome = move.outcome, error_kind = move.error_kind, error_code = move.error_code,
               error_message = move.error_message, error_hint = move.error_hint,
               attempts = job.attempts + move.cost, uncertain = move.uncertain,
               run_after = %(now)s + move.delay * interval '1 second',
               document = COALESCE(move.document, job.document),
               external_id = COALESCE(move.external_id, job.external_id),
               superseded_by_id = move.superseded_by_id,
               progress = CASE WHEN %(done)s THEN NULL
                               ELSE COALESCE(move.progress::jsonb, job.progress) END,
               correction = CASE WHEN %(done)s THEN NULL ELSE job.correction END,
               event = CASE WHEN %(done)s THEN NULL ELSE job.event END,
               problem_key = move.problem_key,
               force = job.force AND %(pending)s,
               identity_key = CASE WHEN %(unique)s THEN job.identity_key END,
               finished_at = %(finished)s, lease_until = NULL, worker = NULL""",
            now=NOW,
            finished=finished,
            pending=target == states.PENDING,
            done=target == states.DONE,
            unique=unique,
        ),
        using=SQL(
            """unnest(%s::int[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[],
                      %s::float8[], %s::int[], %s::bool[], %s::text[], %s::text[], %s::int[],
                      %s::text[], %s::text[])
               AS move(id, outcome, error_kind, error_code, error_message, error_hint, delay,
                       cost, uncertain, document, external_id, superseded_by_id, progress,
                       problem_key)""",
            *columns(moves, *_MOVE_COLUMNS),
        ),
        where=SQL("job.id = move.id"),
        returning=SQL("job.id"),
    )
    return [job_id for (job_id,) in rows]


def reclaim(cr, limit=RECLAIM_BATCH):
    """Close what dead workers left behind: running jobs whose lease ran out go back to pending,
    their unfinished attempts become ``unknown``.

    The try counts: a job that takes its worker down with it must come to an end.

    :return: number of jobs taken back
    """
    cr.execute(
        SQL(
            """SELECT job.id, job.worker, job.uncertain, job.attempts + 1 >= flow.max_attempts
                 FROM commerce_job AS job JOIN commerce_flow AS flow ON flow.id = job.flow_id
                WHERE job.state = 'running' AND job.lease_until < %s
                ORDER BY job.id LIMIT %s FOR UPDATE OF job SKIP LOCKED""",
            NOW,
            limit,
        )
    )
    lost = cr.fetchall()
    if not lost:
        return 0
    sent = _close_lost_tries(cr, [job_id for job_id, *_rest in lost])
    by_worker = {}
    for job_id, worker, uncertain, last in lost:
        move = Move(
            job_id,
            states.FAILED if last else states.PENDING,
            error_kind="temporary",
            error_message=STOPPED,
            error_hint=LOOK_YOURSELF if last else LOOKS_FIRST,
            cost=1,
            uncertain=uncertain or job_id in sent,
        )
        by_worker.setdefault(worker, []).append(move)
    for worker, moves in by_worker.items():
        settle(cr, worker, moves)
    return len(lost)


STOPPED = "The worker stopped in the middle of this job; whether it was done is not known."
LOOKS_FIRST = "It is tried again by itself; the next try looks first."
LOOK_YOURSELF = "Look whether it was done, then press Resend or Cancel."


def _close_lost_tries(cr, job_ids):
    """The attempts that never ended become ``unknown``; ids of the jobs that had one."""
    cr.execute(
        SQL(
            """UPDATE commerce_attempt
                  SET state = 'unknown', finished_at = %s, error_kind = 'temporary',
                      error_message = %s
                WHERE job_id IN %s AND finished_at IS NULL RETURNING job_id""",
            NOW,
            STOPPED,
            tuple(job_ids),
        )
    )
    return {job_id for (job_id,) in cr.fetchall()}


def resend(cr, job_ids, user_id):
    """Put settled jobs back at the head of the queue, to be sent whatever the fingerprint says.

    A job for which a newer one already waits gives way to it: that one is sent instead.

    :return: ids of the jobs that will be sent, in place of the given ones
    """
    cr.execute(
        SQL(
            """SELECT job.id, newer.id
                 FROM commerce_job AS job
                 JOIN commerce_job AS newer ON newer.identity_key = job.identity_key
                WHERE job.id IN %s AND job.state IN ('failed', 'done', 'cancelled')
                  AND newer.state = 'pending'
                ORDER BY newer.id
                  FOR UPDATE OF newer""",
            tuple(job_ids),
        )
    )
    replaced = dict(cr.fetchall())
    _send_now(cr, tuple(set(replaced.values())))
    _yield_to(cr, replaced)
    own = tuple(job_id for job_id in job_ids if job_id not in replaced)
    return sorted({*_send_again(cr, own, user_id), *replaced.values()})


def _yield_to(cr, replaced):
    """Failed jobs are closed in favour of the newer ones that are sent in their place: as long as
    they stood there, they would hold back what waits between the two, and so the newer ones."""
    if not replaced:
        return
    rows = _advance(
        cr,
        states.CANCELLED,
        assign=SQL("superseded_by_id = pair.newer_id, finished_at = %s", NOW),
        using=SQL(
            "unnest(%s::int[], %s::int[]) AS pair(id, newer_id)",
            list(replaced),
            list(replaced.values()),
        ),
        where=SQL("job.id = pair.id AND job.state = 'failed'"),
        returning=SQL("pair.newer_id, job.uncertain"),
    )
    _pass_on(cr, [(newer_id, True, uncertain) for newer_id, uncertain in rows])


def _send_now(cr, job_ids):
    """Waiting jobs go to the head of the queue."""
    if job_ids:
        cr.execute(
            SQL("UPDATE commerce_job SET force = true, run_after = %s WHERE id IN %s", NOW, job_ids)
        )


def _send_again(cr, job_ids, user_id):
    if not job_ids:
        return []
    try:
        with _impatient(cr):
            return _put_back(cr, job_ids, user_id)
    except (psycopg2.errors.UniqueViolation, *BLOCKED):
        # as in _settle_to: somebody enqueues the same thing right now
        return _put_back(cr, job_ids, user_id, unique=False)


def _put_back(cr, job_ids, user_id, *, unique=True):
    rows = _advance(
        cr,
        states.PENDING,
        assign=SQL(
            """force = true, run_after = %(now)s, queued_at = %(now)s, attempts = 0,
               finished_at = NULL, outcome = NULL, superseded_by_id = NULL, write_uid = %(user)s,
               identity_key = CASE WHEN %(unique)s THEN job.identity_key END,
               idempotency_key = CASE WHEN job.uncertain THEN job.idempotency_key
                                      ELSE gen_random_uuid()::text END""",
            now=NOW,
            user=user_id,
            unique=unique,
        ),
        # of several settled jobs for the same thing only the newest goes back
        using=SQL(
            """(SELECT DISTINCT ON (COALESCE(identity_key, id::text)) id FROM commerce_job
                 WHERE id IN %s AND state IN ('failed', 'done', 'cancelled')
                 ORDER BY COALESCE(identity_key, id::text), id DESC) AS newest""",
            job_ids,
        ),
        # a worker's own way from running to pending is not a person's
        where=SQL("job.id = newest.id AND job.state <> 'running'"),
        returning=SQL("job.id"),
    )
    return [job_id for (job_id,) in rows]


def cancel(cr, job_ids, user_id):
    """Stop waiting and failed jobs.

    :return: ids of those that were stopped; a running one cannot be
    """
    rows = _advance(
        cr,
        states.CANCELLED,
        assign=SQL("finished_at = %s, write_uid = %s", NOW, user_id),
        using=SQL("(SELECT unnest(%s::int[]) AS id) AS chosen", list(job_ids)),
        # a worker's own way from running to cancelled is not a person's
        where=SQL("job.id = chosen.id AND job.state <> 'running'"),
        returning=SQL("job.id"),
    )
    return sorted(job_id for (job_id,) in rows)


def worker_name(lane):
    """A name no other worker has, readable in the log: ``lane 1/9f2c...``."""
    return f"{lane}/{uuid.uuid4().hex[:12]}"

"""How the jobs of a chunk end: decisions, and the one transaction that writes them down."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from odoo.tools import SQL

from ..adapters.base import Result
from ..adapters.documents import fingerprint_of, plain
from ..adapters.errors import Gone, SyncError
from ..adapters.redaction import redact
from . import conflict, log, queue, retry, states
from .database import NOW
from .line import NotSent
from .traffic import Report

#: What to do where the other system's answer allows no better advice.
HINTS = {
    "rejected": "Correct it as the other system says, then press Resend.",
    "missing": "Look whether it still exists there and the path in the flow is right; then press "
    "Resend.",
    "authentication": "Correct the credentials on the connection, test it, and press Resume.",
    "unexpected": "This is no mistake of yours. Show the log of this job (Sync Log) to who looks "
    "after the software; press Resend once it is mended.",
}
PING_PONG = (
    "Something else writes this value too. Find out what, or change the conflict rule of the flow; "
    "then press Resend."
)


@dataclass
class Ending:
    """How one job's try ended, whether or not anything was sent."""

    job: object
    label: str = ""
    text: str = ""
    outcome: str = ""
    note: str = ""
    error: SyncError | None = None
    external_id: str = ""
    result: Result | None = None
    parcel: object = None
    changed_at: datetime | None = None  # when Odoo's value did, where the document says
    unread: bool = False  # inbound: the store, asked for the rest of it, did not tell

    @classmethod
    def of(cls, item, **ending):
        """The ending of a document that needed no answer."""
        document = item.document
        return cls(
            item.job,
            document.label,
            item.text,
            external_id=document.external_id,
            changed_at=getattr(document, "updated_at", None),
            **ending,
        )

    @classmethod
    def of_parcel(cls, parcel):
        """The endings of all documents of a parcel."""
        return [
            cls.of(
                item,
                outcome=result.outcome,
                note=result.note,
                error=result.error,
                result=result,
                parcel=parcel,
            )
            for item, result in zip(parcel.items, parcel.results, strict=True)
        ]


def _made_at(job):
    """A job is made in the transaction that changes the value."""
    return datetime.now(timezone.utc).replace(tzinfo=None) - timedelta(seconds=job.age)


@dataclass(frozen=True)
class State:
    """A row for ``commerce.sync.state``."""

    flow_id: int
    model: str
    res_id: int
    fingerprint: str
    content: str
    seen: str
    direction: str = "out"


@dataclass(frozen=True)
class Bound:
    """A row for ``commerce.binding``."""

    connection_id: int
    company_id: int
    resource: str
    model: str
    res_id: int
    external_id: str
    parent_id: str | None
    external_ref: str | None
    handles: str | None = None


class Settlement:
    """Decides what becomes of each job of a chunk, and writes it."""

    def __init__(self, chunk, random, endings=None):
        self.chunk = chunk
        self.endings = chunk.endings if endings is None else endings
        self.flow = chunk.flow
        self.random = random
        self.refused = ""  # the store refuses our credentials: its words
        self.news = self._get_news()
        self.moves = [self._get_move(ending) for ending in self.endings]

    @staticmethod
    def opening(flow, entry):
        """The log's row before the try: ``entry`` is an ``Item`` or an :class:`Ending`."""
        if isinstance(entry, Ending):
            return log.Try(entry.job.id, entry.label, entry.external_id)
        text = entry.text
        if flow.personal:
            text = json.dumps(redact(json.loads(text)), ensure_ascii=False)
        document = entry.document
        return log.Try(entry.job.id, document.label, document.external_id, log.shorten(text))

    # === DECIDE === #

    def _get_news(self):
        """What the requests of this chunk told about the line."""
        accepted = any(ending.result and not ending.error for ending in self.endings)
        news = Report(probing=self.chunk.probing, accepted=accepted)
        parcels = {id(ending.parcel): ending.parcel for ending in self.endings}
        for parcel in filter(None, parcels.values()):
            failure = parcel.failure
            kind = failure.kind if failure else ""
            if isinstance(failure, NotSent):
                continue
            if kind == "temporary":
                news.failures += 1
                news.error = failure.message
            elif parcel.answered:
                news.answered += 1
                news.failures = 0
            if kind == "rate_limit":
                news.wait = max(news.wait, failure.retry_after or retry.DEFAULT_RATE_LIMIT_WAIT)
        for error in [ending.error for ending in self.endings if ending.unread]:
            if error.kind == "temporary":
                news.failures += 1
                news.error = error.message
            elif error.kind == "rate_limit":
                news.wait = max(news.wait, error.retry_after or retry.DEFAULT_RATE_LIMIT_WAIT)
        return news

    def _get_move(self, ending):
        move = queue.Move(
            ending.job.id,
            states.DONE,
            document=ending.label or None,
            external_id=ending.external_id or None,
        )
        if ending.error:
            self._fail(move, ending)
        else:
            move.outcome = ending.outcome
        if ending.error and ending.result and ending.result.progress:
            steps = plain(ending.result.progress)
            move.progress = {"of": fingerprint_of(ending.text), "steps": steps}
        return move

    def _fail(self, move, ending):
        error = ending.error
        move.error_kind = error.kind
        move.error_code = error.code or None
        move.error_message = error.message
        move.error_hint = error.hint or HINTS.get(error.kind)
        # once a try may have arrived, every later one looks first, until one is settled
        move.uncertain = error.uncertain or ending.job.uncertain
        if isinstance(error, NotSent):
            move.state = states.PENDING
            return
        by_rule = error.kind == "conflict" and not getattr(error, "for_a_person", False)
        if by_rule and self._resolve(move, ending):
            return
        decision = retry.decide(
            self.flow.policy,
            error.kind,
            ending.job.attempts + 1,
            random=self.random(),
            retry_after=error.retry_after,
            age=ending.job.age,
            probing=self.chunk.probing,
        )
        move.state = states.FAILED if decision.action == retry.FAIL else states.PENDING
        move.delay = decision.delay
        move.cost = int(decision.costs)
        if decision.action == retry.PAUSE:
            self.refused = error.message

    def _resolve(self, move, ending):
        """A conflict ends by the flow's rule.

        :return: whether it ended; else the job fails, for a person to decide
        """
        chosen = conflict.decide(
            self.flow.conflict_rule,
            ending.job.attempts + 1,
            ending.changed_at or _made_at(ending.job),
            ending.result and ending.result.updated_at,
        )
        if chosen == conflict.SEND:
            move.state, move.cost = states.PENDING, 1
            return True
        if chosen == conflict.KEEP:
            ending.note, ending.outcome, ending.error = ending.error.message, "skipped", None
            move.outcome = ending.outcome
            move.error_kind = move.error_code = move.error_message = move.error_hint = None
            return True
        if chosen == conflict.STOP:
            move.error_hint = PING_PONG
        return False

    # === WRITE === #

    def settle(self, cr, env):
        """One transaction: job states, log, bindings, what was last sent.

        :return: ids of the jobs that were settled
        """
        moved = set(queue.settle(cr, self.chunk.worker, self.moves))
        log.close_tries(cr, self._closings())
        self._learn_conflicts(cr, moved)
        told = [e for e in self.endings if e.job.id in moved and e.result and not e.error]
        env["commerce.sync.state"]._store(cr, [self._state(ending) for ending in told])
        if self.flow.binds:
            made = [e for e in self.endings if e.job.id in moved and e.result]
            env["commerce.binding"]._store(cr, self._bound(env, made))
        gone = next((e.error for e in self.endings if isinstance(e.error, Gone)), None)
        if gone and moved:
            env["commerce.flow"].browse(self.flow.id)._switch_off(gone.message)
        return moved

    def _learn_conflicts(self, cr, moved):
        """What the store held when it refused: the next try, if there is one, is compared with
        that."""
        held = {
            ending.job.res_id: plain(ending.result.seen)
            for ending in self.endings
            if ending.job.id in moved
            and ending.error
            and ending.error.kind == "conflict"
            and ending.result
            and ending.result.seen
        }
        if not held:
            return
        cr.execute(
            SQL(
                """INSERT INTO commerce_sync_state
                          (flow_id, model, res_id, direction, seen, synced_at)
                   SELECT %s, %s, held.res_id, 'out', held.seen, %s
                     FROM unnest(%s::int[], %s::jsonb[]) AS held(res_id, seen)
                   ON CONFLICT (flow_id, res_id) DO UPDATE
                      SET seen = EXCLUDED.seen, fingerprint = NULL""",
                self.flow.id,
                self.flow.model,
                NOW,
                list(held),
                [json.dumps(seen) for seen in held.values()],
            )
        )

    def _closings(self):
        """The log's rows after the try, for those that were tried."""
        states_of = {move.job_id: move for move in self.moves}
        return [
            self._closing(ending, states_of[ending.job.id])
            for ending in self.endings
            if ending.job.id in self.chunk.attempts
        ]

    def _closing(self, ending, move):
        entry = log.Try(
            ending.job.id,
            attempt_id=self.chunk.attempts[ending.job.id],
            state=self._log_state(ending, move),
            outcome=move.outcome,
            error_kind=move.error_kind,
            error_code=move.error_code,
            error_message=move.error_message,
            error_hint=move.error_hint,
            traceback=getattr(ending.error, "traceback", None),
            # what came from outside is only known by name once it was read
            document=ending.label,
            external_id=ending.result.external_id if ending.result else ending.external_id,
        )
        if ending.parcel:
            _describe_exchange(entry, ending)
        return entry

    def _log_state(self, ending, move):
        if isinstance(ending.error, NotSent):
            return "not_sent"
        if ending.outcome == "dry_run":
            return "dry_run"
        if move.state in (states.PENDING, states.CANCELLED):
            return "retry"
        return move.state

    def _state(self, ending):
        return State(
            self.flow.id,
            self.flow.model,
            ending.job.res_id,
            fingerprint_of(ending.text),
            ending.text,
            json.dumps(plain(ending.result.seen)),
        )

    def _bound(self, env, endings):
        connection = env["commerce.connection"].browse(self.flow.connection_id)
        owner = (connection.id, connection.company_id.id)
        rows = [self._bind(owner, e) for e in endings if e.result.external_id]
        return rows + [
            self._bind_part(owner, link) for ending in endings for link in ending.result.links
        ]

    def _bind(self, owner, ending):
        """The binding of the record itself, also where something else of it failed."""
        flow, result = self.flow, ending.result
        return Bound(
            *owner,
            flow.resource,
            flow.model,
            ending.job.res_id,
            result.external_id,
            result.parent_id or None,
            result.external_ref or None,
        )

    def _bind_part(self, owner, link):
        return Bound(
            *owner,
            link.resource,
            self.flow.parts[link.resource],
            link.record_id,
            link.external_id,
            link.parent_id or None,
            link.external_ref or None,
            json.dumps(link.handles) if link.handles else None,
        )


def _describe_exchange(entry, ending):
    """Put the requests of a try into its row of the log."""
    parcel = ending.parcel
    entry.duration_ms = round(parcel.duration * 1000)
    entry.traceback = entry.traceback or parcel.traceback or None
    if not parcel.exchanges:
        return
    last = parcel.exchanges[-1]
    entry.request_line = parcel.request_line
    entry.http_status = last.status
    entry.remote_request_id = last.remote_request_id or None
    shared = len(parcel.items) > 1 and not ending.error
    entry.response_summary = ending.note or None if shared else log.shorten(last.response_summary)

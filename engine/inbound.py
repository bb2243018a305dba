"""Work that comes from outside: events become records, one transaction for each job.

The document is read first, while no transaction is open (the adapter may have to ask the store).
Then one transaction applies it and settles the job: either both happened or neither.
"""

import logging
import random
import traceback
from collections import deque

import psycopg2
from odoo import SUPERUSER_ID, api
from odoo.exceptions import UserError
from odoo.tools import SQL

from ..adapters.errors import SyncError, Temporary, Unexpected, ValidationFailed
from . import log, queue
from .database import COLLISIONS, read_committed, transact
from .line import NotSent
from .settlement import Ending, Settlement

_logger = logging.getLogger(__name__)


class LeaseLost(Exception):
    """The job was taken from this worker before it had ended: nothing of its work may stay."""


class Importer:
    """Applies the jobs of one chunk, one after another, until something speaks against it: the
    worker's time is up, or the store (which may have to be asked) does not answer."""

    def __init__(self, registry, chunk, adapter, objection, pass_on):
        """
        :param objection: tells before each job why not to begin it: a ``SyncError``, or ``None``
        :param pass_on: ``pass_on(chunk, settlement)`` tells everybody what a failed question to
            the store means for the line
        """
        self.registry = registry
        self.chunk = chunk
        self.adapter = adapter
        self.objection = objection
        self.pass_on = pass_on
        self._failures = 0  # in a row
        self._line_down = None

    def run(self):
        """:return: number of jobs that were settled"""
        bodies = self._transact(self._open)
        settled, jobs = 0, deque(self.chunk.jobs)
        while jobs:
            objection = self._line_down or self.objection()
            if objection:
                return settled + self._put_back(jobs, objection)
            job = jobs.popleft()
            settled += self._import(job, bodies.get(job.res_id))
        if self.chunk.probing:
            # whatever it proved of the store was said already; if nothing, the next one may probe
            self.pass_on(self.chunk, Settlement(self.chunk, random.random, []))
        return settled

    def _transact(self, work):
        def isolated(cr):
            read_committed(cr)
            return work(cr)

        return transact(self.registry.cursor, isolated)

    def _open(self, cr):
        """Write down that the tries begin, of jobs that are certainly ours; the events' bodies by
        event id."""
        self.chunk.keep(queue.held(cr, self.chunk.worker, [job.id for job in self.chunk.jobs]))
        tries = [log.Try(job.id) for job in self.chunk.jobs]
        self.chunk.attempts = log.open_tries(cr, self.chunk.worker, tries)
        cr.execute(
            SQL(
                "SELECT id, body FROM commerce_webhook_event WHERE id = ANY(%s)",
                [job.res_id for job in self.chunk.jobs],
            )
        )
        return {event_id: bytes(body) for event_id, body in cr.fetchall() if body is not None}

    def _put_back(self, jobs, objection):
        """What was not begun waits again; no try is spent.

        :return: number of jobs
        """
        error = NotSent(objection.message, hint=objection.hint, code=objection.code)
        return self._settle_alone([Ending(job, error=error) for job in jobs])

    def _import(self, job, body):
        try:
            document = self._read(body)
        except SyncError as error:
            return self._fail_to_read(job, error)
        except Exception as error:
            return self._settle_alone([Ending(job, error=self._as_error(error))])
        try:
            return transact(self.registry.cursor, lambda cr: self._apply(cr, job, document))
        except SyncError as error:
            ending = Ending(job, error=error, label=document.label)
        except LeaseLost:
            return 0  # the job is another worker's now, and so is the record
        except COLLISIONS as error:
            ending = Ending(job, error=self._as_collision(error), label=document.label)
        except psycopg2.OperationalError:
            raise  # the database, not the order: the lease brings the job back
        except Exception as error:
            ending = Ending(job, error=self._as_error(error), label=document.label)
        return self._settle_alone([ending])

    def _read(self, body):
        if body is None:
            raise ValidationFailed("The message of this event is no longer kept.")
        document = self.adapter.read_event(self.chunk.flow.kind, body)
        self._failures = 0
        return document

    def _fail_to_read(self, job, error):
        if error.kind == "missing" and self._transact(lambda cr: is_deletion(cr, job.res_id)):
            note = "The store has deleted it; what Odoo made of it stays."
            return self._settle_alone([Ending(job, outcome="skipped", note=note)])
        ending = Ending(job, error=error, unread=True)
        if error.kind in ("rate_limit", "authentication"):
            self._line_down = error
        elif error.kind == "temporary":
            self._failures += 1
            if self._failures >= self.chunk.flow.threshold:
                self._line_down = error
        # before the job is free again
        self.pass_on(self.chunk, Settlement(self.chunk, random.random, [ending]))
        return self._settle_alone([ending])

    def _apply(self, cr, job, document):
        """One transaction: the record, its binding, and the job's end."""
        env = api.Environment(cr, SUPERUSER_ID, {})
        mapper = env["commerce.flow"].browse(self.chunk.flow.id)._get_mapper()
        if was_deleted(cr, job.res_id):
            note = "The store has deleted this record since."
            return self._settle(cr, env, [Ending(job, document.label, outcome="stale", note=note)])
        try:
            record, outcome, note = mapper.apply(document)
            env.flush_all()
        except UserError as error:  # also AccessError, ValidationError: in words already
            raise ValidationFailed(f"{mapper.intro(document.label)}: {error}") from error
        ending = Ending(
            job, document.label, outcome=outcome, note=note, external_id=document.external_id
        )
        mapper.remember(record, document)
        settled = self._settle(cr, env, [ending])
        if not settled:
            raise LeaseLost
        return settled

    def _as_error(self, error):
        _logger.exception("flow %s: an event cannot be applied", self.chunk.flow.id)
        wrapped = Unexpected(f"{type(error).__name__}")
        wrapped.traceback = traceback.format_exc()
        return wrapped

    @staticmethod
    def _as_collision(error):
        return Temporary(
            "Somebody else works on the same records in Odoo.",
            hint="It is tried again by itself.",
            code=error.pgcode or "",
        )

    def _settle_alone(self, endings):
        """In a transaction of its own: there is nothing else to keep."""
        return self._transact(
            lambda cr: self._settle(cr, api.Environment(cr, SUPERUSER_ID, {}), endings)
        )

    def _settle(self, cr, env, endings):
        settlement = Settlement(self.chunk, random.random, endings)
        return len(settlement.settle(cr, env))


def is_deletion(cr, event_id):
    """Whether the event says that its record is no more."""
    cr.execute(
        SQL("SELECT deleted FROM commerce_webhook_event WHERE id = %s AND deleted", event_id)
    )
    return bool(cr.fetchone())


def was_deleted(cr, event_id):
    """Whether the store has told that the event's record was deleted after what the event says:
    webhooks overtake each other, and nothing may come back from the dead."""
    cr.execute(
        SQL(
            """SELECT 1 FROM commerce_webhook_event AS event
                 JOIN commerce_webhook_event AS deletion
                      ON deletion.connection_id = event.connection_id
                     AND deletion.external_id = event.external_id
                     AND deletion.kind = event.kind AND deletion.deleted
                WHERE event.id = %s AND event.deleted IS NOT TRUE
                  AND COALESCE(event.external_updated_at, event.received_at) < deletion.received_at
                LIMIT 1""",
            event_id,
        )
    )
    return bool(cr.fetchone())

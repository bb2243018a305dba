"""Work that comes from outside: events become records, one transaction for each job.

The document is read first, while no transaction is open (the adapter may have to ask the store).
Then one transaction applies it and settles the job: either both happened or neither.
"""

import logging
import random
import traceback

import psycopg2
from odoo import SUPERUSER_ID, api
from odoo.exceptions import UserError
from odoo.tools import SQL

from ..adapters.errors import SyncError, Unexpected, ValidationFailed
from . import log
from .database import read_committed, transact
from .settlement import Ending, Settlement

_logger = logging.getLogger(__name__)


class LeaseLost(Exception):
    """The job was taken from this worker before it had ended: nothing of its work may stay."""


class Importer:
    """Applies the jobs of one chunk, one after another."""

    def __init__(self, registry, chunk, adapter):
        self.registry = registry
        self.chunk = chunk
        self.adapter = adapter

    def run(self):
        """:return: number of jobs that were settled"""
        bodies = transact(self.registry.cursor, self._open)
        return sum(self._import(job, bodies.get(job.res_id)) for job in self.chunk.jobs)

    def _open(self, cr):
        """Write down that the tries begin; the events' bodies by event id."""
        tries = [log.Try(job.id) for job in self.chunk.jobs]
        self.chunk.attempts = log.open_tries(cr, self.chunk.worker, tries)
        cr.execute(
            SQL(
                "SELECT id, body FROM commerce_webhook_event WHERE id IN %s",
                tuple(job.res_id for job in self.chunk.jobs),
            )
        )
        return {event_id: bytes(body) for event_id, body in cr.fetchall() if body is not None}

    def _import(self, job, body):
        try:
            if body is None:
                raise ValidationFailed("The message of this event is no longer kept.")
            document = self.adapter.read_event(self.chunk.flow.kind, body)
            return transact(self.registry.cursor, lambda cr: self._apply(cr, job, document))
        except SyncError as error:
            ending = Ending(job, error=error, label=getattr(error, "document", ""))
        except LeaseLost:
            return 0  # the job is another worker's now, and so is the record
        except psycopg2.OperationalError:
            raise  # the database, not the order: the lease brings the job back
        except Exception as error:
            ending = Ending(job, error=self._as_error(error))
        return transact(self.registry.cursor, lambda cr: self._settle_alone(cr, ending))

    def _apply(self, cr, job, document):
        """One transaction: the record, its binding, and the job's end."""
        env = api.Environment(cr, SUPERUSER_ID, {})
        mapper = env["commerce.flow"].browse(self.chunk.flow.id)._get_mapper()
        try:
            record, outcome, note = mapper.apply(document)
            env.flush_all()
        except UserError as error:  # also AccessError, ValidationError: in words already
            failed = ValidationFailed(f"{mapper.intro(document.label)}: {error}")
            failed.document = document.label
            raise failed from error
        except SyncError as error:
            error.document = document.label
            raise
        ending = Ending(
            job, document.label, outcome=outcome, note=note, external_id=document.external_id
        )
        mapper.remember(record, document)
        settled = self._settle(cr, env, ending)
        if not settled:
            raise LeaseLost
        return settled

    def _as_error(self, error):
        _logger.exception("flow %s: an event cannot be applied", self.chunk.flow.id)
        wrapped = Unexpected(f"{type(error).__name__}")
        wrapped.traceback = traceback.format_exc()
        return wrapped

    def _settle_alone(self, cr, ending):
        read_committed(cr)
        return self._settle(cr, api.Environment(cr, SUPERUSER_ID, {}), ending)

    def _settle(self, cr, env, ending):
        settlement = Settlement(self.chunk, random.random, endings=[ending])
        return len(settlement.settle(cr, env))

import psycopg2
from odoo import models
from odoo.tools import SQL

from ..adapters.documents import Record
from ..engine import queue


class CommerceFlow(models.Model):
    """Flows that send each event: what a record says is kept when it happens, for by the time it
    is sent the record may say something else."""

    _inherit = "commerce.flow"

    def _enqueue_due(self, record_ids=None, force=False, run_id=None):
        job_ids = super()._enqueue_due(record_ids, force, run_id)
        if job_ids and self.kind == "record" and self.direction == "out" and self.record_each:
            self._keep_events(job_ids)
        return job_ids

    def _keep_events(self, job_ids):
        self.env.cr.execute(
            SQL("SELECT id, res_id FROM commerce_job WHERE id IN %s", tuple(job_ids))
        )
        jobs = dict(self.env.cr.fetchall())
        mapper = self._get_mapper()
        values = self._values_now(mapper, mapper.env[mapper.model].browse(jobs.values()))
        queue.keep_events(
            self.env.cr,
            {job_id: values[res_id] for job_id, res_id in jobs.items() if res_id in values},
        )

    def _values_now(self, mapper, records):
        """``{record id: values}``; a record that cannot be read or mapped is left out: its job
        says why, and the business transaction must not fail for it."""
        try:
            with self.env.cr.savepoint(flush=False):
                prepared = mapper.prepare(records)
        except psycopg2.OperationalError:
            raise  # the database, not a record: the whole transaction is done again
        except Exception:
            if len(records) < 2:
                return {}
            half = len(records) // 2
            return self._values_now(mapper, records[:half]) | self._values_now(
                mapper, records[half:]
            )
        return {
            record_id: document.values
            for record_id, document in prepared.items()
            if isinstance(document, Record)
        }

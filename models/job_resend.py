import json

from odoo import api, fields, models
from odoo.tools import SQL

from ..engine import queue, states
from ..engine.database import transact
from ..engine.direct import work_on

#: More jobs than these are left to the queue: nobody waits for so many.
AT_ONCE = 50


class CommerceJob(models.Model):
    """*Resend*, and what came of it at once."""

    _inherit = "commerce.job"

    def action_resend_now(self):
        """Send again and, where the queue is free, say at once what came of it.

        :return: a notification
        """
        self._check_person()
        job_ids, user_id = self.ids, self.env.uid
        kind, message = self._send_and_look(
            lambda env: queue.resend(env.cr, job_ids, user_id) if job_ids else []
        )
        return self._notify(kind, message)

    @api.model
    def _send_at_once(self, put_in_queue):
        """:return: what came of it, in words"""
        return self._send_and_look(put_in_queue)[1]

    @api.model
    def _send_and_look(self, put_in_queue):
        """Put jobs into the queue, work on them for a few seconds, and look.

        :param put_in_queue: ``put_in_queue(env)``, in a transaction of its own; gives job ids
        :return: ``(kind of notification, words)``
        """
        self.env.flush_all()
        job_ids = transact(self.env.registry.cursor, lambda cr: put_in_queue(self.env(cr=cr)))
        if not job_ids:
            return "warning", self.env._("Nothing to send: no store is bound to these records.")
        if len(job_ids) <= AT_ONCE:
            work_on(self.env, job_ids)
        told = transact(
            self.env.registry.cursor,
            lambda cr: self.with_env(self.env(cr=cr)).sudo()._look_after(job_ids),
        )
        self.env.invalidate_all()
        return told

    @api.model
    def _put_corrected(self, job_id, correction, user_id):
        self.env.cr.execute(
            SQL(
                "UPDATE commerce_job SET correction = %s WHERE id = %s",
                json.dumps(correction),
                job_id,
            )
        )
        return queue.resend(self.env.cr, [job_id], user_id)

    def _look_after(self, job_ids):
        jobs = self.browse(job_ids)
        jobs.connection_id._wake()
        self.env["commerce.problem"]._refresh(jobs.connection_id.ids)
        return jobs._tell_how_they_are()

    def _tell_how_they_are(self):
        if len(self) == 1:
            return self._tell_how_it_is()
        by_state = self.grouped("state")
        counts = {state: len(by_state.get(state, ())) for state in states.STATES}
        waiting = counts[states.PENDING] + counts[states.RUNNING]
        parts = [
            self.env._("%s sent", counts[states.DONE]) if counts[states.DONE] else "",
            self.env._("%s not sent", counts[states.FAILED]) if counts[states.FAILED] else "",
            self.env._("%s wait in the queue", waiting) if waiting else "",
        ]
        kind = "danger" if counts[states.FAILED] else "info" if waiting else "success"
        return kind, ", ".join(filter(None, parts)) + "."

    def _tell_how_it_is(self):
        if self.state == states.FAILED:
            return "danger", " ".join(filter(None, (self.error_message, self.error_hint)))
        if self.state == states.DONE:
            if self.direction == "in":
                return "success", self.env._("%s was imported.", self.name)
            if self.outcome == "skipped":
                return "warning", self.env._("%s: there is nothing to send.", self.name)
            return "success", self.env._("%s was sent.", self.name)
        if self.state == states.CANCELLED:
            return "info", self.env._("A newer job is sent in its place.")
        words = self.waiting if self.state == states.PENDING else ""
        if self.error_message and self.attempts:
            words = f"{self.error_message} {words}"
        return "info", " ".join(
            filter(None, (self.env._("%s waits in the queue.", self.name), words))
        )

    @api.model
    def _notify(self, kind, message):
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": kind,
                "message": message,
                "sticky": kind == "danger",
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }

    def action_view_attempts(self):
        """The tries of this job, in the sync log."""
        self.ensure_one()
        self.check_access("read")
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "commerce_sync.commerce_attempt_action"
        )
        return action | {"domain": [("job_id", "=", self.id)], "context": {}}

    def action_view_event(self):
        """The message this job was made for."""
        self.ensure_one()
        self.check_access("read")
        return {
            "type": "ir.actions.act_window",
            "res_model": "commerce.webhook.event",
            "res_id": self.res_id,
            "views": [(False, "form")],
        }

    is_event = fields.Boolean(compute="_compute_is_event")

    @api.depends("model")
    def _compute_is_event(self):
        for job in self:
            job.is_event = job.model == "commerce.webhook.event"

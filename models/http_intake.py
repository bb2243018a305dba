import json
from contextlib import suppress

from odoo import models
from odoo.tools import SQL


class CommerceConnection(models.Model):
    """Which flows a message of any system is for. Loaded after ``connection_webhook``."""

    _inherit = "commerce.connection"

    def _enqueue_event(self, event_id, event, run_id=None):
        """A job for each flow that takes events of this type."""
        if self.platform != "http":
            return super()._enqueue_event(event_id, event, run_id)
        self.env.cr.execute(SQL("SELECT body FROM commerce_webhook_event WHERE id = %s", event_id))
        [body] = self.env.cr.fetchone()
        with suppress(ValueError, RecursionError):
            for flow in self._flows_for(event):
                flow._enqueue_message(event_id, {"body": json.loads(bytes(body))})
            self._wake()

    def _flows_for(self, event):
        flows = self.env["commerce.flow"].search(
            [
                ("connection_id", "=", self.id),
                ("direction", "=", "in"),
                ("kind", "=", "record"),
            ]
        )
        return flows.filtered(lambda flow: flow.record_event in (False, "", event.topic))

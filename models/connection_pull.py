import json
import uuid

from odoo import models

from ..adapters.base import Event


class CommerceConnection(models.Model):
    """Fetching single records, as a person or the owner's rule asked for it."""

    _inherit = "commerce.connection"

    def _pull(self, kind, external_ids):
        """Have these records of the store read, as if each had been told by a webhook.

        :param str kind: of an inbound flow
        :return: number of records asked for
        """
        events = self.env["commerce.webhook.event"]
        for external_id in external_ids:
            event = Event(
                # asked for again means read again, whatever was received before
                identity=f"pull:{kind}:{external_id}:{uuid.uuid4().hex}",
                topic=f"{kind}.asked",
                kind=kind,
                external_id=external_id,
            )
            events._take_in(self, event, json.dumps({"id": external_id}).encode(), source="poll")
        return len(external_ids)

from odoo import models

from ..adapters.documents import InventoryLevel, plain


class CommerceFlow(models.Model):
    """What both sides hold of a record that changed on both."""

    _inherit = "commerce.flow"

    def _disputed(self, record_id, document):
        """Where the store holds something else than Odoo wants.

        :param int record_id: in Odoo
        :param document: as the mapper makes it now
        :return: list of dicts with path (in the document), label, ours, theirs, agreed (texts)
        """
        state = self.env["commerce.sync.state"].search(
            [("flow_id", "=", self.id), ("res_id", "=", record_id)], limit=1
        )
        if not isinstance(document, InventoryLevel):
            # of other kinds the store's refusal does not say what it holds
            return []
        rows = self._disputed_levels(document, state.seen or {}, state.content or {})
        return [row for row in rows if row["theirs"] != row["ours"]]

    def _disputed_levels(self, document, seen, agreed):
        before = {row["location_id"]: row["quantity"] for row in agreed.get("levels") or ()}
        for number, level in enumerate(document.levels):
            place = level.location_id
            if place not in seen:
                continue
            label = self.env._("Quantity at location %s", place)
            yield {
                "path": f"levels.{number}.quantity",
                "label": label if len(document.levels) > 1 else self.env._("Quantity"),
                "ours": str(plain(level.quantity)),
                "theirs": str(seen[place]),
                "agreed": str(before.get(place, "")),
            }

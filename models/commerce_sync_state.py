from odoo import api, fields, models
from odoo.tools import SQL

from ..engine.database import NOW, columns


class CommerceSyncState(models.Model):
    """What a flow last sent (or saw) of a record: the answer to "is it up to date?".

    A binding says *which* remote record it is, once for all flows; this says, flow by flow, what
    that record was last told.
    """

    _name = "commerce.sync.state"
    _description = "Last Synchronised"
    _order = "synced_at desc"

    flow_id = fields.Many2one("commerce.flow", required=True, readonly=True, ondelete="cascade")
    company_id = fields.Many2one(related="flow_id.company_id")
    model = fields.Char(required=True, readonly=True)
    res_id = fields.Many2oneReference(model_field="model", required=True, readonly=True)
    direction = fields.Selection([("out", "To the store"), ("in", "From the store")], readonly=True)
    fingerprint = fields.Char(readonly=True, help="Hash of the document that was last sent.")
    content = fields.Json(readonly=True, groups="commerce_sync.group_manager")
    seen = fields.Json(readonly=True, help="What the store said it holds, for compare-and-set.")
    synced_at = fields.Datetime(readonly=True)

    _record_uniq = models.UniqueIndex("(flow_id, res_id)", "A record has one state in a flow.")
    _document = models.Index("(model, res_id)")

    @api.private
    def _store(self, cr, rows):
        """Write many states at once, over the older ones.

        :param rows: objects with flow_id, model, res_id, direction, fingerprint, content, seen
            (the last two as JSON texts)
        """
        if not rows:
            return
        cr.execute(
            SQL(
                """INSERT INTO commerce_sync_state
                          (flow_id, model, res_id, direction, fingerprint, content, seen, synced_at)
                   SELECT state.*, %s
                     FROM unnest(%s::int[], %s::text[], %s::int[], %s::text[], %s::text[],
                                 %s::jsonb[], %s::jsonb[]) AS state
                   ON CONFLICT (flow_id, res_id) DO UPDATE
                      SET fingerprint = EXCLUDED.fingerprint, content = EXCLUDED.content,
                          seen = EXCLUDED.seen, direction = EXCLUDED.direction,
                          synced_at = EXCLUDED.synced_at""",
                NOW,
                *columns(
                    rows,
                    "flow_id",
                    "model",
                    "res_id",
                    "direction",
                    "fingerprint",
                    "content",
                    "seen",
                ),
            )
        )

    def _learn(self, flow, held):
        """What the store was just seen to hold.

        :param held: ``{record id: {place: quantity}}``
        """
        for state in self.search([("flow_id", "=", flow.id), ("res_id", "in", list(held))]):
            state.seen = (state.seen or {}) | held[state.res_id]

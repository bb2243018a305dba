from odoo import fields, models
from odoo.tools import SQL


class CommerceReconciliationSeen(models.Model):
    """What the store showed so far, while it is being read: kept here and not in memory, however
    large the catalogue. Deleted when the reconciliation ends."""

    _name = "commerce.reconciliation.seen"
    _description = "Seen While Reconciling"

    reconciliation_id = fields.Many2one(
        "commerce.reconciliation", required=True, ondelete="cascade"
    )
    external_id = fields.Char(required=True)
    parent_id = fields.Char()
    reference = fields.Char()
    label = fields.Char()
    handles = fields.Json()
    bound = fields.Boolean()

    _once = models.UniqueIndex("(reconciliation_id, external_id)")
    _unbound = models.Index("(reconciliation_id, id) WHERE bound IS NOT TRUE")

    def _forget(self, reconciliations):
        self.env.cr.execute(
            SQL(
                "DELETE FROM commerce_reconciliation_seen WHERE reconciliation_id = ANY(%s)",
                reconciliations.ids,
            )
        )

from odoo import fields, models


class CommerceFlow(models.Model):
    """What the store is told, and made to do, by a credit note."""

    _inherit = "commerce.flow"

    kind = fields.Selection(
        selection_add=[("credit_note", "Credit Notes")], ondelete={"credit_note": "cascade"}
    )
    credit_note_refund = fields.Selection(
        [
            ("none", "None: the money goes another way"),
            ("record", "Recorded in the store, no money moves"),
            ("pay", "Paid back by the store"),
        ],
        string="Refund at the Store",
        default="none",
        required=True,
        help="Once for each credit note, whatever happens on the way. A refund that came from the "
        "store is never sent back.",
    )
    credit_note_notify = fields.Boolean(
        string="Tell the Customer of the Refund", help="The store e-mails it, where it can."
    )

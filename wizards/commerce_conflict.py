from odoo import Command, fields, models
from odoo.exceptions import UserError


class CommerceConflict(models.TransientModel):
    """A value that changed on both sides: a person chooses, field by field, and the job goes on."""

    _name = "commerce.conflict"
    _description = "Changed on Both Sides"

    job_id = fields.Many2one("commerce.job", required=True, readonly=True)
    document = fields.Char(readonly=True)
    error_message = fields.Text(related="job_id.error_message")
    line_ids = fields.One2many("commerce.conflict.line", "conflict_id")

    def action_decide(self):
        """Send the document with what was chosen; say what came of it."""
        self.ensure_one()
        if not all(self.line_ids.mapped("choice")):
            raise UserError(self.env._("Choose Odoo or the store in each line."))
        kept = self.line_ids.filtered(lambda line: line.choice == "external")
        job = self.job_id
        job._check_correctable()
        if kept:
            return job._resend_corrected({line.path: line.external_value for line in kept})
        return job.action_resend_now()


class CommerceConflictLine(models.TransientModel):
    _name = "commerce.conflict.line"
    _description = "Value That Changed on Both Sides"
    _order = "id"

    conflict_id = fields.Many2one("commerce.conflict", required=True, ondelete="cascade")
    path = fields.Char(readonly=True)
    label = fields.Char(string="Field", readonly=True)
    odoo_value = fields.Char(string="In Odoo", readonly=True)
    external_value = fields.Char(string="In the Store", readonly=True)
    agreed_value = fields.Char(string="Last Agreed", readonly=True)
    choice = fields.Selection([("odoo", "Odoo"), ("external", "The store")], string="What Counts")


class CommerceJob(models.Model):
    _inherit = "commerce.job"

    def action_decide(self):
        """Open what both sides hold, to choose field by field.

        :return: the form
        :raise UserError: the store did not say what it holds
        """
        self._check_correctable()
        rows = self.flow_id.sudo()._disputed(self.res_id, self._get_document())
        if not rows:
            raise UserError(
                self.env._(
                    "Both values are not known here. Press Resend to send Odoo's value, or Cancel "
                    "to leave the store's."
                )
            )
        lines = [
            {
                "path": row["path"],
                "label": row["label"],
                "odoo_value": row["ours"],
                "external_value": row["theirs"],
                "agreed_value": row["agreed"],
            }
            for row in rows
        ]
        conflict = self.env["commerce.conflict"].create(
            {
                "job_id": self.id,
                "document": self.name,
                "line_ids": [Command.create(line) for line in lines],
            }
        )
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Changed on Both Sides"),
            "res_model": conflict._name,
            "res_id": conflict.id,
            "views": [(False, "form")],
            "target": "new",
        }

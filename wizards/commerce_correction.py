from odoo import Command, fields, models
from odoo.exceptions import UserError

from ..adapters.correction import corrected, leaves
from ..adapters.documents import Document


class CommerceCorrection(models.TransientModel):
    """*Edit and resend*: a document is sent with other values than Odoo has, once."""

    _name = "commerce.correction"
    _description = "Edit and Resend"

    job_id = fields.Many2one("commerce.job", required=True, readonly=True)
    document = fields.Char(readonly=True)
    error_message = fields.Text(related="job_id.error_message")
    line_ids = fields.One2many("commerce.correction.line", "correction_id")

    def action_send(self):
        """Send the document with what was corrected; say what came of it."""
        self.ensure_one()
        self.job_id._check_correctable()
        changed = self.line_ids.filtered(lambda line: (line.value or "") != (line.before or ""))
        correction = {line.path: line.value or "" for line in changed}
        if not correction:
            raise UserError(self.env._("Nothing was changed. Change a value, or press Resend."))
        job = self.job_id
        try:
            corrected(job._get_document(), correction)
        except ValueError as error:
            raise UserError(self.env._("That cannot be sent: %s", error)) from error
        return job._resend_corrected(correction)


class CommerceCorrectionLine(models.TransientModel):
    _name = "commerce.correction.line"
    _description = "Value of a Document"
    _order = "id"

    correction_id = fields.Many2one("commerce.correction", required=True, ondelete="cascade")
    path = fields.Char(string="Field", readonly=True)
    before = fields.Char(string="As Odoo Says", readonly=True)
    value = fields.Char(string="To Be Sent")


class CommerceJob(models.Model):
    _inherit = "commerce.job"

    def _check_correctable(self):
        self.ensure_one()
        self.check_access("unlink")  # managers
        if self.direction != "out" or self.state != "failed":
            raise UserError(self.env._("Only what could not be sent can be edited and resent."))

    def _get_document(self):
        """The document as the mapper makes it now.

        :raise UserError: it cannot be made
        """
        mapper = self.flow_id.sudo()._get_mapper()
        record = mapper.env[self.model].browse(self.res_id).exists()
        prepared = mapper.prepare(record).get(record.id) if record else None
        if not isinstance(prepared, Document):
            raise UserError(
                self.env._("Something is missing in Odoo: mend the document itself, then Resend.")
            )
        return prepared

    def action_correct(self):
        """Open the values of the document, to send it with others."""
        self._check_correctable()
        values = [
            {"path": path, "before": _text(value), "value": _text(value)}
            for path, value in leaves(self._get_document())
        ]
        wizard = self.env["commerce.correction"].create(
            {
                "job_id": self.id,
                "document": self.name,
                "line_ids": [Command.create(line) for line in values],
            }
        )
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Edit and Resend"),
            "res_model": wizard._name,
            "res_id": wizard.id,
            "views": [(False, "form")],
            "target": "new",
        }

    def _resend_corrected(self, correction):
        self._check_correctable()
        job_id, user_id = self.id, self.env.uid

        def put_in_queue(env):
            return env["commerce.job"]._put_corrected(job_id, correction, user_id)

        return self._notify(*self._send_and_look(put_in_queue))


def _text(value):
    return "" if value is None else str(value)

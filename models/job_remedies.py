from odoo import api, fields, models
from odoo.exceptions import UserError

#: What a job of a kind of data finds its record in the store by -> what Matching can match anew.
MATCHED = {"inventory": "variant", "price": "variant", "product": "variant"}


class CommerceJob(models.Model):
    """What a person can do about a failed job, beside sending it again and giving it up."""

    _inherit = "commerce.job"

    can_match = fields.Boolean(compute="_compute_remedies")

    @api.depends("state", "error_kind")
    def _compute_remedies(self):
        for job in self:
            job.can_match = "match" in job._get_remedies()

    @api.private
    def _get_remedies(self):
        """Names of what can be done about this job. Extended for further kinds of errors.

        :return: list of ``resend``, ``cancel``, ``match``
        """
        self.ensure_one()
        if self.state != "failed":
            return []
        return ["resend", "cancel", *(["match"] if self.error_kind == "missing" else [])]

    def action_match_again(self):
        """Forget what the record was in the store, and open a new matching.

        :return: the form of the matching
        """
        self.ensure_one()
        self.check_access("read")
        self.env["commerce.matching"].check_access("create")
        if not self.can_match:
            raise UserError(self.env._("This job does not fail for a record the store has lost."))
        resource = MATCHED.get(self.kind, "order")
        if resource == "variant":
            self.connection_id.binding_ids.filtered(
                lambda one: (
                    (one.resource, one.model, one.res_id) == (resource, self.model, self.res_id)
                )
            ).unlink()
        matching = self.env["commerce.matching"].create(
            {"connection_id": self.connection_id.id, "resource": resource}
        )
        return {
            "type": "ir.actions.act_window",
            "res_model": "commerce.matching",
            "res_id": matching.id,
            "views": [(False, "form")],
        }

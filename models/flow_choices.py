from odoo import api, fields, models

from ..mappers.base import MAPPERS


class CommerceFlow(models.Model):
    """What a flow of a connection can be about."""

    _inherit = "commerce.flow"

    kind_choices = fields.Json(
        compute="_compute_kind_choices",
        help="Kinds of data that the platform declares, and Odoo knows.",
    )

    @api.depends("connection_id.platform")
    def _compute_kind_choices(self):
        known = [kind for kind, _label in self._fields["kind"]._description_selection(self.env)]
        for flow in self:
            if not flow.connection_id.platform:
                flow.kind_choices = known
                continue
            capabilities = flow.connection_id._get_capabilities()
            declared = {*capabilities.outbound, *capabilities.inbound}
            flow.kind_choices = [kind for kind in known if kind in declared and kind in MAPPERS]

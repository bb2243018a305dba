from odoo import models


class MergePartner(models.TransientModel):
    _inherit = "base.partner.merge.automatic.wizard"

    def _update_reference_fields(self, src_partners, dst_partner):
        """Contacts that are merged leave their customers of the stores to the one that stays."""
        self._hand_over_bindings(src_partners, dst_partner)
        return super()._update_reference_fields(src_partners, dst_partner)

    def _hand_over_bindings(self, src_partners, dst_partner):
        bindings_sudo = (
            self.env["commerce.binding"]
            .sudo()
            .search([("model", "=", "res.partner"), ("res_id", "in", src_partners.ids)])
        )
        for binding in bindings_sudo:
            taken = binding.connection_id._bindings(binding.resource, dst_partner)
            if binding.resource == "customer" and taken:
                binding.write(
                    {"resource": "customer_alias", "external_id": f"id:{binding.external_id}"}
                )
            elif binding.resource != "customer_alias" and taken:
                continue  # two of them cannot be the same record of the store
            binding.res_id = dst_partner.id

from odoo import api, models


class Base(models.AbstractModel):
    """Tells flows of any record what changed. Of a model that none watches: one look at a dict."""

    _inherit = "base"

    @api.model_create_multi
    def create(self, vals_list):
        records = super().create(vals_list)
        if self.pool.ready and (watchers := self._commerce_watchers()):
            self.env["commerce.flow"]._notice_records(
                [flow_id for flow_id, _trigger, _names in watchers], records.ids
            )
        return records

    def write(self, vals):
        result = super().write(vals)
        if self.pool.ready and (watchers := self._commerce_watchers()):
            self._commerce_notice(watchers, vals.keys())
        return result

    def _compute_field_value(self, field):
        # stored and computed: a change of it never passes through write()
        result = super()._compute_field_value(field)
        if field.store and self.pool.ready and (watchers := self._commerce_watchers()):
            self._commerce_notice(
                watchers, {one.name for one in self.pool.field_computed[field] if one.store}
            )
        return result

    def _commerce_watchers(self):
        return self.env["commerce.flow"]._watched().get(self._name)

    def _commerce_notice(self, watchers, names):
        wanted = [
            flow_id
            for flow_id, trigger, fields in watchers
            if trigger == "change" and not fields.isdisjoint(names)
        ]
        ids = self._origin.ids  # not those that are only being typed
        if wanted and ids:
            self.env["commerce.flow"]._notice_records(wanted, ids)

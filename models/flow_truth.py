from odoo import api, fields, models
from odoo.exceptions import ValidationError


class CommerceFlow(models.Model):
    """Whose data it is: what contradicts itself is refused, what changes is explained."""

    _inherit = "commerce.flow"

    two_way = fields.Boolean(
        string="Both Ways",
        help="Another flow moves the same data the other way, and that is meant: the conflict rule "
        "says whose value counts where both changed.",
    )

    @api.constrains("kind", "direction", "active", "two_way", "conflict_rule", "connection_id")
    def _check_opposite(self):
        """Two flows that write the same data in opposite directions undo each other's work, unless
        both are meant to and one rule says who wins."""
        for flow in self.filtered("active"):
            opposite = flow._get_opposite()
            if not opposite:
                continue
            names = {"kind": flow._kind_label(), "store": flow.connection_id.name}
            if not (flow.two_way and opposite.two_way):
                raise ValidationError(
                    self.env._(
                        "%(kind)s would go both to %(store)s and from it: each side would "
                        "overwrite what the other just wrote. Switch one of the two flows off, or "
                        "tick Both Ways on both and choose a conflict rule.",
                        **names,
                    )
                )
            if flow.conflict_rule != opposite.conflict_rule:
                raise ValidationError(
                    self.env._(
                        "%(kind)s goes both to %(store)s and from it, but the two flows have "
                        "different conflict rules. Choose the same for both.",
                        **names,
                    )
                )

    def _get_opposite(self):
        """The switched-on flow of the same data in the other direction, if there is one."""
        return self.search(
            [
                ("connection_id", "=", self.connection_id.id),
                ("kind", "=", self.kind),
                ("direction", "!=", self.direction),
                # any record is as many kinds of data as there are models
                ("record_model_id", "=", self.record_model_id.id),
                ("active", "=", True),
            ],
            limit=1,
        )

    def _kind_label(self):
        return dict(self._fields["kind"]._description_selection(self.env))[self.kind]

    @api.onchange("owner", "conflict_rule")
    def _onchange_owner(self):
        """Say what will happen, before it is saved."""
        before = self._origin
        if not before or not self.kind:
            return None
        messages = []
        if self.owner != before.owner:
            messages.append(self._explain_owner())
        if self.conflict_rule != before.conflict_rule:
            messages.append(self._explain_rule())
        if not messages:
            return None
        title = self.env._("This changes whose value counts")
        return {"warning": {"title": title, "message": "\n\n".join(messages)}}

    def _explain_owner(self):
        if self.owner == "odoo":
            return self.env._(
                "%s: from now on Odoo's value counts. Where the store holds another one, the next "
                "comparison offers to overwrite it. Compare first to see how many that are.",
                self._kind_label(),
            )
        return self.env._(
            "%s: from now on the store's value counts. Differences are no longer repaired from "
            "Odoo. Nothing that was sent so far is taken back.",
            self._kind_label(),
        )

    def _explain_rule(self):
        match self.conflict_rule:
            case "odoo_wins":
                return self.env._("Odoo's value is written over what was changed in the store.")
            case "external_wins":
                return self.env._("What was changed in the store stays; Odoo's value is not sent.")
            case "newest_wins":
                return self.env._(
                    "The later change counts. Where one side does not say when it changed, a "
                    "person is asked."
                )
        return self.env._("Each conflict waits under Problems until a person presses Resend.")

from odoo import fields, models
from odoo.exceptions import UserError

#: The kinds of data that a new connection has switched on.
USUAL = {"inventory", "order", "invoice"}


class CommerceConnection(models.Model):
    """Set-up in one path: what is done, what is still missing, and where to do it."""

    _inherit = "commerce.connection"

    checklist = fields.Json(compute="_compute_checklist", string="Set-Up")
    missing_count = fields.Integer(compute="_compute_checklist", string="Still Missing")

    def _compute_checklist(self):
        for connection in self:
            steps = connection._get_steps() if connection.id else []
            connection.checklist = steps
            connection.missing_count = len([step for step in steps if not step["done"]])

    def _get_steps(self):
        """The path from nothing to live.

        :return: list of dicts: ``key, label, done, optional``
        """
        locations = self._get_capabilities().locations
        steps = [
            ("credentials", self.env._("Type the credentials"), self._has_credentials(), False),
            ("test", self.env._("Test the connection"), bool(self.checked_at), False),
            ("flows", self.env._("Choose what is kept in agreement"), bool(self._active()), False),
        ]
        if locations:
            mapped = self._has_bound("location")
            steps.append(("location", self.env._("Map warehouses to locations"), mapped, False))
        steps += [
            ("variant", self.env._("Match the products"), self._has_bound("variant"), False),
            ("tax", self.env._("Map taxes"), self._has_bound("tax"), True),
            ("carrier", self.env._("Map carriers"), self._has_bound("carrier"), True),
            (
                "payment_method",
                self.env._("Map payment methods"),
                self._has_bound("payment_method"),
                True,
            ),
            ("preview", self.env._("See what would be sent"), self.state != "draft", True),
            ("live", self.env._("Go live"), self.state == "live" and not self.dry_run, False),
        ]
        return [
            {
                "key": key,
                "label": label,
                "done": done or (optional and self.state == "live"),
                "optional": optional,
            }
            for key, label, done, optional in steps
        ]

    def _has_credentials(self):
        credentials_sudo = self.sudo().credential_ids.filtered("required")
        return all(one.storage != "none" for one in credentials_sudo)

    def _active(self):
        return self.flow_ids.filtered("active")

    def _has_bound(self, resource):
        domain = [("connection_id", "=", self.id), ("resource", "=", resource)]
        return bool(self.env["commerce.binding"].search_count(domain, limit=1))

    def action_step(self, key):
        """Do a step of the set-up, or go where it is done.

        :param str key: of :attr:`checklist`
        """
        self.ensure_one()
        self.check_access("write")
        match key:
            case "test":
                return self.action_test()
            case "preview":
                return self.action_preview()
            case "live":
                return self._go_live_in_steps()
            case "variant":
                return self._open_matching()
            case "location" | "tax" | "carrier" | "payment_method":
                return self._open_mapping(key)
            case "flows":
                return self._offer_flows()
            case "credentials":
                raise UserError(self.env._("Type them on the tab Connection, below."))
        raise UserError(self.env._("Unknown step: %s.", key))

    def _go_live_in_steps(self):
        """First with the dry run on, to see it work; the second time in earnest."""
        if self.state != "live":
            self.action_go_live()
            if self.dry_run:
                return self._notification(
                    "info",
                    self.env._("Live as a dry run: the Sync Log shows what would be sent."),
                    self.env._("Press Go Live once more when you are content with it."),
                )
        self.dry_run = False
        return self._notification("success", self.env._("Live. Changes go to the store now."))

    def _offer_flows(self):
        """All flows that the platform can have and this connection has not, switched off but for
        the usual ones."""
        capabilities = self._get_capabilities()
        known = self._fields["flow_ids"].comodel_name
        kinds = dict(self.env[known]._fields["kind"]._description_selection(self.env))
        for direction, supported in (("out", capabilities.outbound), ("in", capabilities.inbound)):
            have = self.flow_ids.filtered(lambda one, way=direction: one.direction == way)
            missing = [
                kind for kind in supported if kind in kinds and kind not in have.mapped("kind")
            ]
            for kind in missing:
                self.env[known].create(
                    {
                        "connection_id": self.id,
                        "kind": kind,
                        "direction": direction,
                        "active": kind in USUAL,
                    }
                )
        return self._notification(
            "success",
            self.env._("Stock, orders and invoices are on."),
            self.env._("Switch on or off what you like on the tab Source of Truth."),
        )

    def _open_matching(self):
        matchings = self.env["commerce.matching"]
        domain = [("connection_id", "=", self.id), ("resource", "=", "variant")]
        matching = matchings.search(domain, limit=1)
        if not matching:
            matching = matchings.create({"connection_id": self.id, "resource": "variant"})
            matching.action_read()
        return {
            "type": "ir.actions.act_window",
            "res_model": matching._name,
            "res_id": matching.id,
            "views": [(False, "form")],
        }

    def _open_mapping(self, resource):
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "commerce_sync.commerce_binding_action_connection"
        )
        domain = [("connection_id", "=", self.id), ("resource", "=", resource)]
        context = {"default_connection_id": self.id, "default_resource": resource}
        return action | {"domain": domain, "context": context}

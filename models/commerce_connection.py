import os
from urllib.parse import urlsplit

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import SQL, config

from ..adapters.address_guard import AddressGuard
from ..adapters.base import ADAPTERS, Settings
from ..adapters.errors import AuthenticationFailed, SyncError
from ..adapters.http import HttpClient
from ..engine.rate_limit import RateLimit, Throttle

#: Addresses inside the network that requests may go to: ``127.0.0.1, 10.0.0.0/8, erp.internal``.
ALLOWED_VARIABLE = "COMMERCE_SYNC_ALLOWED_HOSTS"
ALLOWED_OPTION = "commerce_sync_allowed_hosts"


class CommerceConnection(models.Model):
    """One account on one external system."""

    _name = "commerce.connection"
    _description = "Connection"
    _inherit = ["mail.thread", "mail.activity.mixin"]
    _order = "sequence, id"
    _check_company_auto = True

    name = fields.Char(required=True, help="What staff call this store.")
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    platform = fields.Selection([("woocommerce", "WooCommerce")], required=True, tracking=True)
    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company, index=True
    )
    user_id = fields.Many2one(
        "res.users",
        string="Works As",
        required=True,
        default=lambda self: self.env.user,
        domain="[('company_ids', 'in', company_id), ('share', '=', False)]",
        tracking=True,
        help="The work is done with this user's access rights, company and language.",
    )
    responsible_id = fields.Many2one(
        "res.users",
        string="Person in Charge",
        default=lambda self: self.env.user,
        help="Who is told when something needs a person.",
    )
    address = fields.Char(required=True, tracking=True)
    address_help = fields.Char(compute="_compute_platform_facts")
    state = fields.Selection(
        [("draft", "Set-up"), ("live", "Live"), ("paused", "Paused")],
        default="draft",
        required=True,
        readonly=True,
        copy=False,
        tracking=True,
    )
    dry_run = fields.Boolean(
        default=True,
        tracking=True,
        help="Everything happens but the sending; the log shows what would have been sent.",
    )
    credential_ids = fields.One2many(
        "commerce.credential",
        "connection_id",
        copy=False,
        groups="commerce_sync.group_manager",
    )
    unencrypted = fields.Boolean(compute="_compute_unencrypted", compute_sudo=True)
    flow_ids = fields.One2many("commerce.flow", "connection_id", context={"active_test": False})
    binding_ids = fields.One2many("commerce.binding", "connection_id")
    timeout = fields.Integer(
        default=30, help="Seconds to wait for an answer of the store.", string="Answer Within"
    )
    parallel_requests = fields.Integer(
        default=4, help="Requests under way at once, for each worker."
    )
    rate_limit = fields.Float(
        string="Requests per Second",
        help="At most so many, over all workers. 0: as many as the store takes.",
    )
    rate_burst = fields.Integer(string="Burst", default=5, help="So many at once after a pause.")
    breaker_threshold = fields.Integer(
        string="Failures Until Down",
        default=5,
        help="After so many failures in a row nothing is sent but a probe now and then.",
    )
    keep_days = fields.Integer(
        string="Keep the Log (Days)",
        default=90,
        help="Finished jobs and their attempts are deleted after so many days. Failed jobs stay.",
    )
    store_name = fields.Char(readonly=True, copy=False)
    store_version = fields.Char(readonly=True, copy=False)
    store_currency = fields.Char(readonly=True, copy=False)
    checked_at = fields.Datetime(string="Last Tested", readonly=True, copy=False)

    _limits = models.Constraint(
        "CHECK(timeout > 0 AND parallel_requests BETWEEN 1 AND 64 AND rate_limit >= 0"
        " AND rate_burst >= 1 AND keep_days >= 1 AND breaker_threshold >= 1)",
        "Timeout, parallel requests, burst, failures and days must be positive.",
    )

    @api.depends("platform")
    def _compute_platform_facts(self):
        for connection in self:
            adapter_class = ADAPTERS.get(connection.platform)
            connection.address_help = adapter_class.address_help if adapter_class else ""

    @api.depends("credential_ids.storage")
    def _compute_unencrypted(self):
        for connection in self:
            connection.unencrypted = "plain" in connection.credential_ids.mapped("storage")

    @api.constrains("user_id", "company_id")
    def _check_user(self):
        for connection in self:
            if connection.company_id not in connection.user_id.sudo().company_ids:
                raise ValidationError(
                    self.env._(
                        "%(user)s does not belong to %(company)s and cannot work for it.",
                        user=connection.user_id.sudo().name,
                        company=connection.company_id.name,
                    )
                )

    # === LIFE === #

    @api.model_create_multi
    def create(self, vals_list):
        connections = super().create(vals_list)
        connections._prepare_credentials()
        self.env["commerce.traffic"].sudo().create(
            [{"connection_id": connection.id} for connection in connections]
        )
        return connections

    def write(self, vals):
        if "address" in vals and not self.env.su:
            self._leave_credentials_behind(vals["address"])
        result = super().write(vals)
        if "company_id" in vals:
            self.check_access("write")  # also in the company it belongs to now
        if "platform" in vals:
            self._prepare_credentials()
        if not {"active", "state"}.isdisjoint(vals):
            self.env.registry.clear_cache()  # of the flows that listen
        return result

    def unlink(self):
        self.env.registry.clear_cache()
        return super().unlink()

    def _prepare_credentials(self):
        """Have one credential for each secret that the platform needs."""
        for connection in self:
            wanted = {spec.name: spec for spec in connection._adapter_class().credential_fields}
            sudo = connection.credential_ids.sudo()
            sudo.filtered(lambda credential, known=wanted: credential.name not in known).unlink()
            have = set(sudo.exists().mapped("name"))
            self.env["commerce.credential"].sudo().create(
                [
                    {
                        "connection_id": connection.id,
                        "sequence": number,
                        "name": spec.name,
                        "label": spec.label,
                        "help": spec.help,
                        "required": spec.required,
                    }
                    for number, spec in enumerate(wanted.values())
                    if spec.name not in have
                ]
            )

    def _leave_credentials_behind(self, address):
        """Secrets are for the server they were typed for: another address must not get to see
        them, or whoever may set it could have them sent to himself."""
        moved = self.filtered(
            lambda connection: server_of(connection.address) != server_of(address)
        )
        kept_sudo = moved.sudo().credential_ids.filtered(lambda one: one.storage != "none")
        kept_sudo._forget()
        for connection in kept_sudo.connection_id.sudo(False):
            connection.message_post(
                body=self.env._("The address is another server's: type the credentials again.")
            )

    def _credentials_changed(self):
        """Somebody typed a new credential: a connection paused for the old one may try again."""
        for connection in self:
            connection.message_post(body=self.env._("A credential was changed."))
            if connection.state == "paused" and connection.pause_kind == "authentication":
                connection._resume()

    def set_credentials(self, values):
        """Store secrets. They can be replaced, never read back.

        :param dict values: name -> secret, e.g. ``{"consumer_key": "ck_..."}``
        :return: ``True``
        :raise UserError: the platform has no credential of that name
        """
        self.ensure_one()
        self.check_access("write")
        for name, value in values.items():
            credential = self.credential_ids.filtered(lambda one, name=name: one.name == name)
            if not credential:
                raise UserError(self.env._("%s is no credential of this platform.", name))
            credential._keep(value)
        return True

    # === THE ADAPTER === #

    def _adapter_class(self):
        self.ensure_one()
        return ADAPTERS[self.platform]

    def _get_capabilities(self):
        """What the platform can do (:class:`adapters.base.Capabilities`)."""
        return self._adapter_class().capabilities

    @api.private
    def _get_adapter(self, throttled=True):
        """An adapter ready to send.

        :param throttled: ask the connection's rate limit before each request
        :raise AuthenticationFailed: a credential is missing or cannot be read
        """
        self.ensure_one()
        settings = self._get_settings()
        adapter_class = self._adapter_class()
        throttle = self._get_throttle()
        client = HttpClient(
            settings.address,
            timeouts=(10, self.timeout),
            pool_size=self.parallel_requests,
            before_request=throttle.before_request if throttled else None,
            put_off=throttle.put_off if throttled else None,
            guard=AddressGuard.parse(
                os.environ.get(ALLOWED_VARIABLE) or config.get(ALLOWED_OPTION) or ""
            ),
        )
        return adapter_class(settings, client)

    def _get_settings(self):
        try:
            secrets = self.sudo().credential_ids._reveal()
        except UserError as error:
            raise AuthenticationFailed(str(error)) from error
        missing = self.credential_ids.filtered(
            lambda credential: credential.required and credential.name not in secrets
        )
        if missing:
            raise AuthenticationFailed(
                self.env._("Not set: %s.", ", ".join(missing.mapped("label"))),
                hint=self.env._("Type it under Credentials."),
            )
        return Settings(self.address.strip().rstrip("/"), secrets, self._get_options())

    def _get_options(self):
        """The platform's own settings, for the adapter. Extended for each platform."""
        return {}

    def _get_throttle(self):
        limit = RateLimit(self.rate_limit, self.rate_burst) if self.rate_limit else None
        return Throttle(self.env.registry.cursor, self.id, limit)

    def action_test(self):
        """Ask the store who it is and remember the answer.

        :return: a notification with the store's name and version, or with what is wrong
        """
        self.ensure_one()
        self.check_access("write")
        try:
            identity = self._get_adapter(throttled=False).check()
        except SyncError as error:
            return self._notification("danger", error.message, error.hint)
        self.write(
            {
                "store_name": identity.name,
                "store_version": identity.version,
                "store_currency": identity.currency,
                "checked_at": fields.Datetime.now(),
            }
        )
        found = self.env._(
            "%(name)s answers: %(version)s.", name=identity.name, version=identity.version
        )
        return self._notification(
            "warning" if identity.warnings else "success", found, " ".join(identity.warnings)
        )

    def _notification(self, kind, message, detail=""):
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": kind,
                "title": self.name,
                "message": " ".join(filter(None, (message, detail))),
                "sticky": kind == "danger",
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }

    # === BINDINGS === #

    def _bindings(self, resource, records):
        """``{record id: binding}`` of those records that are bound."""
        bindings = self.env["commerce.binding"].search(
            [
                ("connection_id", "=", self.id),
                ("resource", "=", resource),
                ("model", "=", records._name),
                ("res_id", "in", records.ids),
            ]
        )
        return {binding.res_id: binding for binding in bindings}

    def _bound_ids(self, resource, model, record_ids=None):
        """Which of these records (``None``: of all) are bound: their ids, by one query."""
        self.env["commerce.binding"].flush_model()
        chosen = SQL("TRUE") if record_ids is None else SQL("res_id = ANY(%s)", list(record_ids))
        self.env.cr.execute(
            SQL(
                """SELECT res_id FROM commerce_binding
                    WHERE connection_id = %s AND resource = %s AND model = %s AND %s
                    ORDER BY res_id""",
                self.id,
                resource,
                model,
                chosen,
            )
        )
        return [res_id for (res_id,) in self.env.cr.fetchall()]


def server_of(address):
    """Host and port of an address, for comparison."""
    return urlsplit((address or "").strip()).netloc.rpartition("@")[2].lower()

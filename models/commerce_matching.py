from odoo import api, fields, models
from odoo.exceptions import UserError

from ..adapters.errors import SyncError
from ..engine.database import transact
from ..mappers.matching import MATCHERS


class CommerceMatching(models.Model):
    """First contact: what exists on both sides already is matched, shown, and confirmed by a
    person. From then on bindings count, never names or numbers."""

    _name = "commerce.matching"
    _description = "Matching"
    _rec_names_search = ("connection_id.name",)
    _inherit = ["mail.thread"]
    _order = "id desc"

    connection_id = fields.Many2one(
        "commerce.connection", required=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one(related="connection_id.company_id", store=True, index=True)
    resource = fields.Selection(
        [("variant", "Products by SKU, then barcode"), ("order", "Orders by number")],
        string="What",
        default="variant",
        required=True,
    )
    state = fields.Selection(
        [
            ("draft", "New"),
            ("reading", "Reading the store"),
            ("ready", "To confirm"),
            ("done", "Confirmed"),
            ("failed", "Not readable"),
        ],
        default="draft",
        required=True,
        readonly=True,
        tracking=True,
        copy=False,
    )
    name = fields.Char(compute="_compute_name")
    cursor = fields.Char(readonly=True, copy=False)
    read_count = fields.Integer(string="Read", readonly=True, copy=False)
    read_total = fields.Integer(string="Of", readonly=True, copy=False)
    error_message = fields.Char(readonly=True, copy=False)
    line_ids = fields.One2many("commerce.matching.line", "matching_id")
    matched_count = fields.Integer(compute="_compute_counts", string="Matched")
    bound_count = fields.Integer(compute="_compute_counts", string="Bound Already")
    ambiguous_count = fields.Integer(compute="_compute_counts", string="Ambiguous")
    missing_here_count = fields.Integer(compute="_compute_counts", string="Missing in Odoo")
    missing_there_count = fields.Integer(compute="_compute_counts", string="Missing in the Store")

    @api.depends("connection_id", "resource")
    def _compute_name(self):
        labels = dict(self._fields["resource"]._description_selection(self.env))
        for matching in self:
            parts = (matching.connection_id.name, labels.get(matching.resource))
            matching.name = ": ".join(filter(None, parts))

    def _compute_counts(self):
        groups = self.env["commerce.matching.line"]._read_group(
            [("matching_id", "in", self.ids)], ["matching_id", "status"], ["__count"]
        )
        counts = {(matching.id, status): count for matching, status, count in groups}
        for matching in self:
            for status in ("matched", "bound", "ambiguous", "missing_here", "missing_there"):
                matching[f"{status}_count"] = counts.get((matching.id, status), 0)

    def write(self, vals):
        result = super().write(vals)
        if "connection_id" in vals:
            self.check_access("write")  # also in the company it belongs to now
        return result

    # === READING === #

    def action_read(self):
        """Read the store, in the background, from the beginning.

        :return: ``True``
        """
        self.check_access("write")
        self.line_ids.unlink()
        self.write({"state": "reading", "cursor": "", "read_count": 0, "error_message": False})
        self.env.ref("commerce_sync.ir_cron_matching").sudo()._trigger()
        return True

    @api.model
    def _cron_read(self):
        """Go on reading where a matching is being made."""
        # requests are made below: no transaction stays open meanwhile
        self.env["ir.cron"]._commit_progress()
        for matching_id in self.search([("state", "=", "reading")]).ids:
            self._read_all(matching_id)

    def _read_all(self, matching_id):
        """Read page after page, each in a transaction of its own: a crash loses one page."""

        def in_transaction(work):
            return transact(
                self.env.registry.cursor, lambda cr: work(self.with_env(self.env(cr=cr)))
            )

        def adapter_and_cursor(model):
            matching = model.browse(matching_id)
            return matching.connection_id._get_adapter(), matching.resource, matching.cursor

        try:
            adapter, resource, cursor = in_transaction(adapter_and_cursor)
            while True:
                page = adapter.fetch(resource, cursor=cursor or "")
                more = in_transaction(lambda model, p=page: model.browse(matching_id)._take_in(p))
                if not more:
                    break
                cursor = page.cursor
        except SyncError as error:
            words = " ".join(filter(None, (error.message, error.hint)))
            in_transaction(lambda model: model.browse(matching_id)._give_up(words))

    def _take_in(self, page):
        """Match one page.

        :return: whether there is more to read
        """
        self.ensure_one()
        if not self.exists() or self.state != "reading":
            return False
        matcher = self._get_matcher()
        self.env["commerce.matching.line"].create(
            [{"matching_id": self.id, **vals} for vals in matcher.match(page.documents)]
        )
        self.write(
            {
                "cursor": page.cursor,
                "read_count": self.read_count + len(page.documents),
                "read_total": page.total or 0,
            }
        )
        if not page.cursor:
            self._complete(matcher)
        return bool(page.cursor)

    def _complete(self, matcher):
        """All is read: settle what only shows in the whole."""
        taken = {}
        for line in self.line_ids.filtered(lambda line: line.status == "matched"):
            taken.setdefault(line.res_id, []).append(line.id)
        for line_ids in taken.values():
            if len(line_ids) > 1:
                self.line_ids.browse(line_ids).write(
                    {
                        "status": "ambiguous",
                        "accepted": False,
                        "reason": self.env._("Several records of the store match this one."),
                    }
                )
        matched = set(self.line_ids.mapped("res_id"))
        self.env["commerce.matching.line"].create(
            [{"matching_id": self.id, **vals} for vals in matcher.missing_there(matched)]
        )
        self.state = "ready"

    def _give_up(self, words):
        self.exists().write({"state": "failed", "error_message": words})

    def _get_matcher(self):
        return MATCHERS[self.resource](self.connection_id)

    # === CONFIRMING === #

    def action_confirm(self):
        """Bind what is ticked. Nothing that is bound already changes.

        :return: ``True``
        :raise UserError: a ticked line names no record, or one that is bound to another
        """
        self.check_access("write")
        for matching in self:
            if matching.state != "ready":
                raise UserError(self.env._("Read the store first."))
            lines = matching.line_ids.filtered(
                lambda line: line.accepted and line.status != "bound"
            )
            lines._get_bindings()._orphans().unlink()
            lines._check_bindable()
            self.env["commerce.binding"].create([line._prepare_binding() for line in lines])
            lines.status = "bound"
            matching.state = "done"
        return True

import json
import time
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ..adapters.errors import AuthenticationFailed
from ..engine.reconciliation import (
    FIRST_PAUSE,
    MOST_FAILURES,
    Plan,
    Reconciler,
    under_way,
)
from ..mappers.comparing import COMPARERS

#: Seconds that the scheduled action works before it gives the next one its turn.
TURN = 40.0
#: Seconds on one reconciliation before the next one is looked at.
SHARE = 10.0
#: Records looked at in one transaction after the store is read.
STRIDE = 500
#: What is looked at after the store was read, in this order.
STEPS = ("unknown", "gone", "unsent")
RUNNING = ("waiting", "reading", "checking")


class CommerceReconciliation(models.Model):
    """A comparison of both sides of a flow, with each difference found."""

    _name = "commerce.reconciliation"
    _description = "Reconciliation"
    _rec_names_search = ("flow_id.connection_id.name",)
    _order = "id desc"

    flow_id = fields.Many2one(
        "commerce.flow", required=True, readonly=True, ondelete="cascade", index=True
    )
    connection_id = fields.Many2one(related="flow_id.connection_id", store=True, index=True)
    company_id = fields.Many2one(related="flow_id.company_id", store=True, index=True)
    name = fields.Char(compute="_compute_name")
    state = fields.Selection(
        [
            ("waiting", "Waiting"),
            ("reading", "Reading the store"),
            ("checking", "Comparing"),
            ("done", "Done"),
            ("stopped", "Stopped"),
            ("failed", "Not readable"),
        ],
        default="waiting",
        required=True,
        readonly=True,
        copy=False,
    )
    cursor = fields.Char(readonly=True, copy=False)
    step = fields.Char(readonly=True, copy=False)
    next_at = fields.Datetime(string="Goes On", readonly=True, copy=False)
    failures = fields.Integer(readonly=True, copy=False)
    error_message = fields.Char(readonly=True, copy=False)
    started_at = fields.Datetime(string="Begun", readonly=True, copy=False)
    finished_at = fields.Datetime(string="Checked", readonly=True, copy=False)
    read_count = fields.Integer(string="Read", readonly=True, copy=False)
    read_total = fields.Integer(string="To Read", readonly=True, copy=False)
    request_count = fields.Integer(string="Requests", readonly=True, copy=False)
    compared_count = fields.Integer(string="Compared", readonly=True, copy=False)
    under_way_count = fields.Integer(
        string="Under Way",
        readonly=True,
        copy=False,
        help="Differ, but a job for them waits or runs: no drift.",
    )
    unknown_count = fields.Integer(
        string="Not Known in Odoo",
        readonly=True,
        copy=False,
        help="Records of the store that are bound to nothing in Odoo. Matching binds them.",
    )
    difference_count = fields.Integer(
        string="Differences Found", readonly=True, copy=False, help="Without the ignored ones."
    )
    agreement = fields.Float(
        string="In Agreement (%)", readonly=True, copy=False, digits=(5, 2), aggregator="avg"
    )
    progress = fields.Float(compute="_compute_progress")
    summary = fields.Char(compute="_compute_summary")
    line_ids = fields.One2many("commerce.reconciliation.line", "reconciliation_id")
    open_count = fields.Integer(string="Open", compute="_compute_open_count")
    ignored_count = fields.Integer(string="Ignored", compute="_compute_open_count")

    _one_at_a_time = models.UniqueIndex(
        "(flow_id) WHERE state IN ('waiting', 'reading', 'checking')",
        "This flow is being compared already.",
    )
    _latest = models.Index("(flow_id, finished_at DESC) WHERE state = 'done'")

    @api.depends("flow_id", "create_date")
    def _compute_name(self):
        for record in self:
            moment = fields.Datetime.context_timestamp(
                record, record.create_date or fields.Datetime.now()
            )
            record.name = f"{record.flow_id.display_name} {moment:%Y-%m-%d %H:%M}"

    @api.depends("state", "read_count", "read_total")
    def _compute_progress(self):
        for record in self:
            if record.state == "done":
                record.progress = 100.0
            elif record.state == "checking":
                record.progress = 95.0
            else:
                share = record.read_count / record.read_total if record.read_total else 0.0
                record.progress = min(90.0, 90.0 * share)

    @api.depends("state", "agreement", "difference_count", "finished_at", "error_message")
    def _compute_summary(self):
        for record in self:
            record.summary = record._summarise()

    def _summarise(self):
        """``99.97% in agreement, 3 differences, checked 02:10``"""
        if self.state == "failed":
            return self.error_message
        if self.state != "done":
            return dict(self._fields["state"]._description_selection(self.env))[self.state]
        return self._words(self.compared_count, self.difference_count, self.finished_at)

    def _words(self, compared, wrong, finished_at):
        moment = fields.Datetime.context_timestamp(self, finished_at)
        is_today = moment.date() == fields.Date.context_today(self)
        when = f"{moment:%H:%M}" if is_today else f"{moment:%Y-%m-%d %H:%M}"
        if not wrong:
            return self.env._("All in agreement, checked %s", when)
        return self.env._(
            "%(share).2f%% in agreement, %(count)s differences, checked %(when)s",
            share=_share(compared, wrong),
            count=wrong,
            when=when,
        )

    def _compute_open_count(self):
        groups = self.env["commerce.reconciliation.line"]._read_group(
            [("reconciliation_id", "in", self.ids), ("state", "in", ("open", "ignored"))],
            ["reconciliation_id", "state"],
            ["__count"],
        )
        counts = {(record.id, state): count for record, state, count in groups}
        for record in self:
            record.open_count = counts.get((record.id, "open"), 0)
            record.ignored_count = counts.get((record.id, "ignored"), 0)

    # === BUTTONS === #

    def action_stop(self):
        """Compare no further. What was found so far stays.

        :return: ``True``
        """
        self.check_access("write")
        running = self.filtered(lambda record: record.state in RUNNING)
        running.write({"state": "stopped", "finished_at": fields.Datetime.now()})
        self.env["commerce.reconciliation.seen"].sudo()._forget(running)
        return True

    def action_again(self):
        """Compare this flow once more.

        :return: the form of the new reconciliation
        """
        self.ensure_one()
        return self.flow_id.action_reconcile()

    def action_view_lines(self):
        """The differences."""
        self.ensure_one()
        self.check_access("read")
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "commerce_sync.commerce_reconciliation_line_action"
        )
        return action | {
            "domain": [("reconciliation_id", "=", self.id)],
            "context": {"search_default_open": 1},
        }

    def action_repair_all(self):
        """Show what repairing all open differences by the owner's rule would do.

        :return: the form to confirm it
        """
        self.ensure_one()
        self.check_access("write")
        return self.line_ids.filtered(lambda line: line.state == "open")._preview_repair()

    # === THE SCHEDULED ACTION === #

    @api.model
    def _wake(self, at=None):
        self.env.ref("commerce_sync.ir_cron_reconciliation").sudo()._trigger(at)

    @api.model
    def _cron_run(self):
        """Go on comparing, each flow a share of the time, until nothing is left or the time is
        up."""
        # requests are made below: no transaction stays open meanwhile
        self.env["ir.cron"]._commit_progress()
        deadline = time.monotonic() + TURN
        while time.monotonic() < deadline:
            due = self._due_ids()
            if not due:
                break
            for reconciliation_id in due:
                share = min(deadline, time.monotonic() + SHARE)
                Reconciler(self.env, reconciliation_id, share).run()
        self._trigger_next()

    def _due_ids(self):
        with self.env.registry.cursor() as cr:
            model = self.with_env(self.env(cr=cr))
            return model.search(
                [
                    ("state", "in", RUNNING),
                    "|",
                    ("next_at", "=", False),
                    ("next_at", "<=", fields.Datetime.now()),
                ],
                order="id",
            ).ids

    def _trigger_next(self):
        with self.env.registry.cursor() as cr:
            model = self.with_env(self.env(cr=cr))
            for record in model.search([("state", "in", RUNNING)]):
                model._wake(record.next_at or None)

    # === WHAT THE ENGINE ASKS === #

    def _begin(self):
        """:return: :class:`Plan`, or ``None``: nothing to do now"""
        if not self or self.state not in RUNNING:
            return None
        if self.connection_id.state == "paused" or not self.connection_id.active:
            return self._wait(fields.Datetime.now() + timedelta(minutes=10))
        adapter = self.connection_id._get_adapter()
        comparer = self._get_comparer()
        reads = comparer.fetches
        if self.state == "waiting":
            self.env["commerce.reconciliation.seen"]._forget(self)
            self.write({"state": "reading" if reads else "checking", "started_at": self._now()})
        self.next_at = False
        is_reading = self.state == "reading"
        return Plan(adapter, reads if is_reading else "", comparer.since(), self.cursor or "")

    def _now(self):
        """The database's clock: jobs are measured by it."""
        self.env.cr.execute("SELECT date_trunc('second', clock_timestamp() AT TIME ZONE 'UTC')")
        return self.env.cr.fetchone()[0]

    def _wait(self, at):
        self.next_at = at

    def _failed(self, error):
        """The store could not be read.

        :return: whether to go on at once
        """
        if not self or self.state not in RUNNING:
            return False
        words = " ".join(filter(None, (error.message, error.hint)))
        now = fields.Datetime.now()
        if error.kind == "rate_limit":
            self._wait(now + timedelta(seconds=error.retry_after or FIRST_PAUSE))
        elif error.kind == "temporary" and self.failures < MOST_FAILURES:
            pause = max(error.retry_after or 0, FIRST_PAUSE * 2**self.failures)
            self.write({"failures": self.failures + 1, "error_message": words})
            self._wait(now + timedelta(seconds=pause))
        else:
            if isinstance(error, AuthenticationFailed):
                self.connection_id._pause("authentication", error.message)
            self._give_up(words)
        return False

    def _give_up(self, words):
        if self:
            self.write({"state": "failed", "error_message": words, "finished_at": self._now()})
            self.env["commerce.reconciliation.seen"]._forget(self)

    def _get_comparer(self):
        mapper = self.flow_id._get_mapper()
        return COMPARERS[self.flow_id.kind](mapper)

    # === ONE PAGE === #

    def _take_in(self, read):
        """Compare one page, and keep the place to go on from.

        :return: whether more is wanted
        """
        if not self or self.state != "reading":
            return False
        comparer = self._get_comparer()
        documents = read.page.documents
        found, bound = comparer.compare(documents) if documents else ([], set())
        found = self._without_under_way(found, read.asked_at)
        self._note_seen(comparer, documents, bound)
        lines = self.env["commerce.reconciliation.line"]
        lines._replace(self, comparer.covered(documents), found)
        total = read.page.total or self.read_total or 0
        self.write(
            {
                "cursor": read.page.cursor,
                "failures": 0,
                "error_message": False,
                "read_count": self.read_count + len(documents),
                "read_total": max(total, self.read_count + len(documents)),
                "request_count": self.request_count + read.requests,
            }
        )
        if not read.page.cursor:
            self.write({"state": "checking", "step": STEPS[0], "cursor": "0"})
        return True

    def _note_seen(self, comparer, documents, bound):
        rows = {
            document.external_id: (
                document.external_id,
                document.parent_id or None,
                comparer.reference(document) or None,
                # of what is bound Odoo knows the rest
                None if document.external_id in bound else document.label,
                None
                if document.external_id in bound
                else json.dumps(getattr(document, "handles", {})),
                document.external_id in bound,
            )
            for document in documents
        }
        if not rows:
            return
        self.env.cr.execute(
            SQL(
                """INSERT INTO commerce_reconciliation_seen
                          (reconciliation_id, external_id, parent_id, reference, label, handles,
                           bound)
                   SELECT %s, seen.*
                     FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[], %s::jsonb[],
                                 %s::bool[]) AS seen
                   ON CONFLICT (reconciliation_id, external_id) DO NOTHING""",
                self.id,
                *(list(column) for column in zip(*rows.values(), strict=True)),
            )
        )

    def _without_under_way(self, found, asked_at):
        if not found:
            return found
        records, externals = under_way(
            self.env.cr,
            self.flow_id,
            {difference.res_id for difference in found if difference.res_id},
            {difference.external_id for difference in found if difference.external_id},
            asked_at,
        )
        kept = [
            difference
            for difference in found
            if difference.res_id not in records and difference.external_id not in externals
        ]
        self.under_way_count += len(found) - len(kept)
        return kept

    # === THE REST === #

    def _check_next(self):
        """Look at the next records that only show in the whole.

        :return: whether there is more to look at
        """
        if not self or self.state != "checking":
            return False
        step = self.step or STEPS[0]
        after = int(self.cursor or 0)
        found, last = getattr(self, f"_next_{step}")(self._get_comparer(), after)
        # kept in whole seconds; of the one in which it began nothing can be said
        found = self._without_under_way(found, self.started_at + timedelta(seconds=1))
        self.env["commerce.reconciliation.line"]._add(self, found)
        if last:
            self.write({"step": step, "cursor": str(last)})
            return True
        following = STEPS[STEPS.index(step) + 1 :]
        if following:
            self.write({"step": following[0], "cursor": "0"})
            return True
        self._finish()
        return False

    def _next_unknown(self, comparer, after):
        if not comparer.fetches:
            return [], 0
        seen = self.env["commerce.reconciliation.seen"].search(
            [("reconciliation_id", "=", self.id), ("bound", "=", False), ("id", ">", after)],
            order="id",
            limit=STRIDE,
        )
        # bound since the page with it was read
        bound = comparer._bound_to(seen.mapped("external_id"))
        rows = seen.filtered(lambda row: row.external_id not in bound)
        self.unknown_count += len(rows)
        return comparer.unknown(rows, self._twins(rows)), seen[-1:].id

    def _twins(self, rows):
        """Those of the references that the store has more than once."""
        self.env.cr.execute(
            SQL(
                """SELECT reference FROM commerce_reconciliation_seen
                    WHERE reconciliation_id = %s AND reference = ANY(%s)
                    GROUP BY reference HAVING count(*) > 1""",
                self.id,
                [row.reference for row in rows if row.reference],
            )
        )
        return {reference for (reference,) in self.env.cr.fetchall()}

    def _next_gone(self, comparer, after):
        if not comparer.fetches or comparer.since():
            return [], 0
        bindings = self.env["commerce.binding"]
        self.env.cr.execute(
            SQL(
                """SELECT binding.id FROM commerce_binding AS binding
                    WHERE binding.connection_id = %s AND binding.resource = %s
                      AND binding.model = %s AND binding.id > %s
                      -- what was bound since may have been made since
                      AND binding.create_date < %s + interval '1 second'
                      AND NOT EXISTS (
                          SELECT 1 FROM commerce_reconciliation_seen AS seen
                           WHERE seen.reconciliation_id = %s
                             AND seen.external_id = binding.external_id)
                    ORDER BY binding.id LIMIT %s""",
                self.connection_id.id,
                comparer.resource,
                comparer.model,
                after,
                self.started_at,
                self.id,
                STRIDE,
            )
        )
        gone = bindings.browse([binding_id for (binding_id,) in self.env.cr.fetchall()])
        return self._with_successors(comparer.gone(gone) if gone else []), gone[-1:].id

    def _with_successors(self, found):
        """A record that is gone, and another with its SKU that is bound to nothing: it was deleted
        and made again."""
        references = [difference.reference for difference in found if difference.reference]
        if not references:
            return found
        seen = self.env["commerce.reconciliation.seen"].search(
            [
                ("reconciliation_id", "=", self.id),
                ("bound", "=", False),
                ("reference", "in", references),
            ]
        )
        by_reference = seen.grouped("reference")
        for difference in found:
            successor = by_reference.get(difference.reference)
            if successor and len(successor) == 1:
                difference.status = "replaced"
                difference.theirs = successor.external_id
                difference.ours = difference.external_id
                difference.external_id = successor.external_id
                difference.parent_id = successor.parent_id or ""
                difference.handles = successor.handles or {}
        return found

    def _next_unsent(self, comparer, after):
        return comparer.unsent(after, STRIDE)

    def _finish(self):
        lines = self.env["commerce.reconciliation.line"]
        replaced = lines.search([("reconciliation_id", "=", self.id), ("status", "=", "replaced")])
        # said once: the successor is no duplicate of what is gone
        lines.search(
            [
                ("reconciliation_id", "=", self.id),
                ("status", "in", ("duplicate", "missing_here")),
                ("external_id", "in", replaced.mapped("external_id")),
            ]
        ).unlink()
        compared, wrong = self._count()
        self.write(
            {
                "state": "done",
                "finished_at": self._now(),
                "cursor": False,
                "step": False,
                "compared_count": compared,
                "difference_count": wrong,
                "agreement": _share(compared, wrong),
            }
        )
        self.env["commerce.reconciliation.seen"]._forget(self)

    def _count(self):
        """``(records compared, records that differ)``"""
        self.env["commerce.reconciliation.line"].flush_model()
        self.env.cr.execute(
            SQL(
                """SELECT (SELECT count(*) FROM commerce_reconciliation_seen
                            WHERE reconciliation_id = %(id)s AND bound),
                          count(DISTINCT (res_id, external_id))
                                FILTER (WHERE state <> 'ignored'),
                          count(DISTINCT (res_id, external_id))
                                FILTER (WHERE status <> 'different')
                     FROM commerce_reconciliation_line WHERE reconciliation_id = %(id)s""",
                id=self.id,
            )
        )
        seen, wrong, absent = self.env.cr.fetchone()
        return seen + absent, wrong

    @api.autovacuum
    def _gc_old(self):
        """Old results go with the connection's log; the last one of each flow stays."""
        limit = 1000
        self.env.cr.execute(
            SQL(
                """DELETE FROM commerce_reconciliation WHERE id IN (
                       SELECT old.id FROM commerce_reconciliation AS old
                         JOIN commerce_connection AS connection
                              ON connection.id = old.connection_id
                        WHERE old.state IN ('done', 'stopped', 'failed')
                          AND old.finished_at < (now() AT TIME ZONE 'UTC')
                              - connection.keep_days * interval '1 day'
                          AND EXISTS (SELECT 1 FROM commerce_reconciliation AS newer
                                       WHERE newer.flow_id = old.flow_id
                                         AND newer.state = 'done' AND newer.id > old.id)
                        ORDER BY old.id LIMIT %s)""",
                limit,
            )
        )
        return self.env.cr.rowcount, self.env.cr.rowcount == limit

    @api.ondelete(at_uninstall=False)
    def _unlink_except_running(self):
        if any(record.state in RUNNING for record in self):
            raise UserError(self.env._("Stop it first."))


def _share(compared, wrong):
    """How much agrees, in percent; never 100 while something differs."""
    if not compared:
        return 0.0 if wrong else 100.0
    return min(100.0 * (compared - min(wrong, compared)) / compared, 99.99 if wrong else 100.0)

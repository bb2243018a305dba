from odoo import api, fields, models

from .commerce_attempt import ERROR_LABELS

#: The type of activity that says "documents failed"; apart from the one that says "it is down".
PROBLEM = "commerce_sync.activity_type_problem"


class MailActivity(models.Model):
    _inherit = "mail.activity"

    commerce_error_kind = fields.Char(
        index="btree_not_null", readonly=True, help="Of what failed documents it tells."
    )


class CommerceConnection(models.Model):
    """Who is told, and of what: one notice for each kind of problem, never a flood."""

    _inherit = "commerce.connection"

    digest = fields.Boolean(
        string="Daily Digest",
        help="An e-mail each morning to the person in charge: what went, what waits, what failed.",
    )
    problem_ids = fields.One2many("commerce.problem", "connection_id")

    @api.private
    def _tell_of_problems(self):
        """One activity for each kind of error, with the count; closed by itself when it is gone."""
        counts = {}
        groups = self.env["commerce.problem"]._read_group(
            [("connection_id", "in", self.ids)], ["connection_id", "error_kind"], ["count:sum"]
        )
        for connection, kind, count in groups:
            counts.setdefault(connection.id, {})[kind] = count
        for connection in self:
            connection._update_notices(counts.get(connection.id, {}))

    def _update_notices(self, counts):
        told = self.activity_search([PROBLEM])
        for kind, count in counts.items():
            known = told.filtered(lambda activity, kind=kind: activity.commerce_error_kind == kind)
            summary = self._say_problem(kind, count)
            if known:
                if known[0].summary != summary:
                    known.summary = summary
                continue
            activity = self.activity_schedule(
                PROBLEM,
                summary=summary,
                note=self.env._("Open Commerce Sync > Problems: it says what to do."),
                user_id=(self.responsible_id or self.user_id).id,
            )
            activity.commerce_error_kind = kind
        told.filtered(lambda activity: activity.commerce_error_kind not in counts).unlink()

    def _say_problem(self, kind, count):
        labels = dict(
            self.env["commerce.job"]._fields["error_kind"]._description_selection(self.env)
        )
        return self.env._(
            "%(store)s: %(count)s documents, %(problem)s",
            store=self.name,
            count=count,
            problem=labels.get(kind, dict(ERROR_LABELS)["unexpected"]).lower(),
        )

    @api.private
    def _line_changed(self, change, error):
        result = super()._line_changed(change, error)
        if change == "opened":
            self._flash("danger", self.env._("%s does not answer", self.name), error)
        else:
            self._flash("success", self.name, self.env._("The store answers again."))
        return result

    def _flash(self, kind, title, message):
        """A notice on the screens of those who look after the connection, if they are there."""
        users = self.env.ref("commerce_sync.group_user").all_user_ids
        concerned = users.filtered(lambda user: self.company_id in user.company_ids)
        for user in concerned | self.responsible_id:
            user._bus_send(
                "simple_notification",
                {"type": kind, "title": title, "message": message or "", "sticky": False},
            )

    @api.model
    def _cron_digest(self):
        """Write to the person in charge of each connection that wants it."""
        template = self.env.ref("commerce_sync.mail_template_digest", raise_if_not_found=False)
        for connection in self.search([("digest", "=", True)]) if template else ():
            template.send_mail(connection.id)

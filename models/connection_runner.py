from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import ValidationError

#: Of OCA's ``queue_job``; one below it for each connection.
ROOT_CHANNEL = "root.commerce_sync"
#: Scheduled actions that work on the queue (``data/ir_cron.xml``).
LANES = 2


class CommerceConnection(models.Model):
    """Who works on a connection's jobs: Odoo's scheduled actions, or OCA's ``queue_job``."""

    _inherit = "commerce.connection"

    runner = fields.Selection(
        [("cron", "Odoo's scheduled actions"), ("queue_job", "OCA queue_job")],
        string="Worked On By",
        default="cron",
        required=True,
        help="With OCA's queue_job, which must be installed, each connection has a channel of its "
        "own. The queue, the log and the screens are the same.",
    )
    channel = fields.Char(compute="_compute_channel", help="Of queue_job.")

    @api.depends("runner")
    def _compute_channel(self):
        for connection in self:
            by_queue_job = connection.runner == "queue_job"
            connection.channel = f"{ROOT_CHANNEL}.{connection.id}" if by_queue_job else False

    @api.constrains("runner")
    def _check_runner(self):
        if "queue_job" in self.mapped("runner") and not self._has_queue_job():
            raise ValidationError(self.env._("Install OCA's addon queue_job first."))

    def _has_queue_job(self):
        return "queue.job" in self.env

    def _wake(self, at=None):
        """Have somebody look at these connections' jobs, now or ``at`` a time (UTC).

        A hint, which may be lost without harm: the scheduled actions look once a minute anyway.
        """
        for connection in self:
            if connection.runner == "queue_job" and self._has_queue_job():
                connection._delay_drain(at)
            else:
                connection._wake_lane(connection.id % LANES + 1, at)

    @api.model
    def _wake_lane(self, number, at=None):
        lane = self.env.ref(f"commerce_sync.ir_cron_lane_{number}", raise_if_not_found=False)
        if lane:
            lane.sudo()._trigger(at)

    def _delay_drain(self, at):
        """Have ``queue_job`` look at our jobs.

        After the commit, in a transaction of its own: one waiting job of ``queue_job`` is enough,
        but only one that begins after our jobs are there to be seen.
        """
        registry, connection_id, channel = self.env.registry, self.id, self.channel
        # one that waits for a later time must not stand for one that is wanted now
        identity = f"commerce_sync.drain.{connection_id}.{at or 'now'}"
        description = self.env._("Commerce Sync: %s", self.name)

        def delay():
            with registry.cursor() as cr:
                jobs = api.Environment(cr, SUPERUSER_ID, {})["commerce.job"]
                delayed = jobs.with_delay(
                    channel=channel,
                    identity_key=identity,
                    eta=at or None,
                    description=description,
                )
                delayed._queue_job_drain(connection_id)

        self.env.cr.postcommit.add(delay)

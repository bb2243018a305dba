from odoo import fields, models


class CommerceTraffic(models.Model):
    """The state of the line to a store, written by the workers (``engine/traffic.py``,
    ``engine/rate_limit.py``), in a row of its own beside the connection."""

    _name = "commerce.traffic"
    _description = "State of the Line"
    _rec_name = "connection_id"

    connection_id = fields.Many2one("commerce.connection", required=True, ondelete="cascade")
    arrival = fields.Float(
        digits=(16, 6), help="Rate limit: theoretical arrival time, seconds since 1970."
    )
    blocked_until = fields.Datetime(help="The store asked us to wait until then.")
    failures = fields.Integer(help="Temporary failures in a row.")
    open_since = fields.Datetime(help="The breaker is open: nothing is sent but probes.")
    probe_at = fields.Datetime(help="When the next probe may be sent.")
    probes = fields.Integer(help="Failed probes since the breaker opened.")
    last_success = fields.Datetime()
    last_failure = fields.Datetime()
    last_error = fields.Char()

    _connection_uniq = models.UniqueIndex("(connection_id)", "One row for each connection.")

import logging

from odoo import http
from odoo.http import Response, request
from werkzeug.exceptions import RequestEntityTooLarge

from ..adapters.errors import SyncError

_logger = logging.getLogger(__name__)

MAX_BODY = 5 * 1024 * 1024


class WebhookController(http.Controller):
    @http.route(
        "/commerce_sync/webhook/<string:key>",
        type="http",
        auth="none",
        csrf=False,
        save_session=False,
        readonly=False,
        max_content_length=MAX_BODY,
    )
    def receive(self, key, **_form):
        """Keep what a store sends: 200, or 401, 404, 405, 413 without a word of explanation."""
        if request.httprequest.method != "POST":
            return Response(status=405, headers={"Allow": "POST"})
        connections = request.env(su=True)["commerce.connection"]
        connection = connections.browse(connections._find_by_webhook_key(key) or [])
        if not connection.exists():
            return Response(status=404)
        try:
            body = request.httprequest.get_data()
        except RequestEntityTooLarge:
            return Response(status=413)
        try:
            return Response(status=connection._receive(request.httprequest.headers, body))
        except SyncError as error:
            _logger.info("connection %s: webhook not kept: %s", connection.id, error.code)
            return Response(status=400)

import logging

from odoo import http
from odoo.http import Dispatcher, Response, request
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from ..engine.database import read_committed

_logger = logging.getLogger(__name__)

MAX_BODY = 5 * 1024 * 1024


class WebhookDispatcher(Dispatcher):
    """Leaves the body as it came (Odoo's own dispatcher reads forms out of it, and the signature is
    over the bytes), and says nothing of what went wrong."""

    routing_type = "commerce_webhook"

    @classmethod
    def is_compatible_with(cls, request):
        return True

    def dispatch(self, endpoint, args):
        self.request.params = args
        return endpoint(**args)

    def handle_error(self, exc):
        """A bare status; 503 asks the store to come again."""
        code = exc.code if isinstance(exc, HTTPException) and exc.code else 503
        return Response(status=code)


class WebhookController(http.Controller):
    @http.route(
        "/commerce_sync/webhook/<string:key>",
        type="commerce_webhook",
        auth="none",
        csrf=False,
        save_session=False,
        readonly=False,
        max_content_length=MAX_BODY,
    )
    def receive(self, key):
        """Keep what a store sends: 200, or 401, 404, 405, 413, 429 without a word of
        explanation."""
        if request.httprequest.method != "POST":
            return Response(status=405, headers={"Allow": "POST"})
        # two deliveries of one event at once: the second waits for the first and finds it
        read_committed(request.env.cr)
        connections = request.env(su=True)["commerce.connection"]
        intake = connections._get_intakes().get(key)
        if not intake:
            return Response(status=404)
        try:
            body = request.httprequest.get_data()
        except RequestEntityTooLarge:
            connections.browse(intake.connection_id)._refuse(intake, "too_large")
            return Response(status=413)
        headers = request.httprequest.headers
        return Response(
            status=connections.browse(intake.connection_id)._receive(intake, headers, body)
        )

"""The base of every sandbox, and the way one request takes through it.

``Sandbox`` owns the rules for faults, the journal and the server; a platform says what an API
request answers (``respond``) and how it words a refusal (``fault_response``).
"""

import logging
import threading
from datetime import datetime, timezone
from time import perf_counter

from . import control, faults, transport
from .journal import HEADERS_KEPT, Journal
from .messages import CONTROL, Response, html_response

POLL_SECONDS = 0.02  # how soon the server notices that it is to stop

_logger = logging.getLogger(__name__)


class Sandbox:
    """A store on loopback. Usable as a context manager::

    with WooCommerceStore() as store:
        requests.get(store.url + "/wp-json/")
    """

    name = "Sandbox"  # for the command line
    title = "Sandbox"  # of the store, for its page

    def __init__(self, port=0):
        self.faults = faults.Faults()
        self.journal = Journal()
        self.clock = lambda: datetime.now(timezone.utc)  # tests may set another
        self.stopping = threading.Event()
        self._port = port
        self._server = None
        self._thread = None

    # === LIFE === #

    @property
    def url(self):
        """e.g. ``http://127.0.0.1:8069``, without a slash at the end"""
        return f"http://{transport.HOST}:{self._port}"

    def start(self):
        """Listen. After ``stop`` it starts again on the same port: until then, refused."""
        self.stopping.clear()
        self._server = transport.Server(self, self._port)
        self._port = self._server.server_port
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(POLL_SECONDS,), name=f"sandbox:{self._port}"
        )
        self._thread.daemon = True
        self._thread.start()
        return self

    def stop(self):
        """Stop listening and cut the open connections. The data stays."""
        if self._server is None:
            return
        self.stopping.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self._server.cut_connections()
        self._server = None

    def close(self):
        """Stop, and let go of the data."""
        self.stop()

    def __enter__(self):
        return self.start()

    def __exit__(self, *exception):
        self.close()

    # === FAULTS AND JOURNAL, FROM PYTHON === #

    def fault(self, kind, *, path="", method="", times=None, probability=1.0, seed=None, **more):
        """Add a rule, e.g. ``store.fault("http_500_after", times=1, path="/orders")``."""
        rule = faults.Rule(kind, path, method, times, probability, seed, parameters=more)
        return self.faults.add(rule)

    def clear_faults(self, kind=None):
        return self.faults.clear(kind=kind)

    @property
    def requests(self):
        """Journal entries of the API requests, oldest first."""
        return self.journal.entries()

    # === WHAT A PLATFORM SAYS === #

    def is_page(self, request):
        return request.path == "/"

    def respond(self, request):
        """Do the work of an API request. ``request.rules`` holds what may hit single items."""
        raise NotImplementedError

    def fault_response(self, rule):
        """The platform's own words for a refusal; also for kind ``http_500_before`` (a crash)."""
        raise NotImplementedError

    def public_query(self, request):
        """The query for the journal, without credentials."""
        return dict(request.query)

    def page(self, request):
        """The HTML of the page at ``/``."""
        raise NotImplementedError

    def state(self):
        raise NotImplementedError

    def settings(self):
        return {}

    def change_settings(self, values):
        raise NotImplementedError

    def seed(self, data):
        raise NotImplementedError

    def place_order(self, data=None):
        raise NotImplementedError

    def reset(self):
        raise NotImplementedError

    # === THE WAY OF A REQUEST === #

    def serve(self, request):
        is_control = request.path == CONTROL or request.path.startswith(CONTROL + "/")
        if not is_control and not self.is_page(request):
            return self._serve_api(request)
        try:
            if is_control:
                return control.handle(self, request)
            return html_response(self.page(request))
        except Exception:  # the edge: a bug of the sandbox must not look like a dead store
            _logger.exception("%s %s", request.method, request.path)
            return html_response("<h1>The sandbox broke. Its log says how.</h1>", 500)

    def _serve_api(self, request):
        request.rules = self.faults.for_request(request.method, request.target)
        request.entry = entry = self._open_entry(request)
        start = perf_counter()
        response = self._answer(request)
        entry.ms = round((perf_counter() - start) * 1000, 3)
        entry.status = None if response.cut else response.status
        return response

    def _open_entry(self, request):
        headers = {name: request.headers[name] for name in _kept_headers(request.headers)}
        at = datetime.now(timezone.utc).isoformat(timespec="milliseconds")[:-6]
        entry = self.journal.open(
            at, request.method, request.path, self.public_query(request), headers
        )
        entry.fault = " ".join(rule.kind for rule in request.rules if rule.kind != "bad_item")
        return entry

    def _answer(self, request):
        for rule in request.rules:
            if rule.kind in faults.DELAYS:
                self.stopping.wait(rule["ms"] / 1000 if rule.kind == "latency" else rule["seconds"])
        rule = _first(request.rules, faults.BEFORE_WORK)
        if rule:
            return Response(cut="drop") if rule.kind == "down" else self.fault_response(rule)
        response = self._work(request)
        rule = _first(request.rules, faults.AFTER_WORK)
        return self._spoil(rule, response) if rule else response

    def _work(self, request):
        try:
            return self.respond(request)
        except Exception:  # the edge: a bug of the sandbox answers as a crashed store does
            _logger.exception("%s %s", request.method, request.path)
            return self.fault_response(faults.Rule("http_500_before"))

    def _spoil(self, rule, response):
        if rule.kind == "timeout":
            self.stopping.wait(rule["seconds"])
            return Response(cut="drop")
        if rule.kind == "reset":
            response.cut = "half"
            return response
        if rule.kind == "malformed":
            return _malformed(rule["style"], response)
        return self.fault_response(rule)


def _first(rules, kinds):
    return next((rule for rule in rules if rule.kind in kinds), None)


def _kept_headers(headers):
    return [name for name in HEADERS_KEPT if headers.get(name)]


def _malformed(style, response):
    bodies = {
        "truncated": response.body[: len(response.body) // 2] or b"{",
        "notice": b"<br />\n<b>Warning</b>:  Undefined array key 1 in <b>plugin.php</b> on line"
        b" <b>12</b><br />\n" + response.body,
        "html": b"<!DOCTYPE html><html><body><h1>It works!</h1></body></html>",
        "empty": b"",
    }
    return Response(200, bodies[style], response.headers, response.content_type)

"""HTTP/1.1 over loopback: reads a request, hands it to the sandbox, writes or breaks the answer."""

import contextlib
import http.server
import logging
import socket
import socketserver
import struct
from http import HTTPStatus
from urllib.parse import parse_qsl, unquote, urlsplit

from .messages import CONTROL, Request, Response, html_response

_logger = logging.getLogger(__name__)

HOST = "127.0.0.1"  # never reachable from another machine
MAX_BODY = 16 * 1024 * 1024
MAX_SEED_BODY = 256 * 1024 * 1024
MAX_QUERY_FIELDS = 1000
IDLE_SECONDS = 120
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")

# SO_LINGER on, zero seconds: close() sends a reset instead of a FIN.
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
_HALF_SENT_SECONDS = 0.05  # lets the half that was sent arrive before the reset overtakes it


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, sandbox, port):
        self.sandbox = sandbox
        self._open = set()
        self._to_reset = set()
        super().__init__((HOST, port), _Handler)

    def server_bind(self):
        # not HTTPServer's own: it asks DNS for the name of the host, which may take seconds
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]

    def process_request(self, request, client_address):
        self._open.add(request)
        super().process_request(request, client_address)

    def reset_on_close(self, request):
        request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self._to_reset.add(request)

    def shutdown_request(self, request):
        self._open.discard(request)
        if request in self._to_reset:
            self._to_reset.discard(request)
            self.close_request(request)  # without shutdown(), which would send a FIN first
        else:
            super().shutdown_request(request)

    def cut_connections(self):
        """Wake the threads that wait for the next request of a kept connection."""
        for connection in list(self._open):
            with contextlib.suppress(OSError):  # the client may have been faster
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request, client_address):
        _logger.debug("the connection of %s broke", client_address)


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "sandbox"
    sys_version = ""
    disable_nagle_algorithm = True
    timeout = IDLE_SECONDS

    def _serve(self):
        body = self._read_body()
        if body is None:
            return
        try:
            request = self._request(body)
        except ValueError:  # more query fields than anybody means
            return self._send(Response(400, b"Bad Request", content_type="text/plain"))
        self._send(self.server.sandbox.serve(request))

    def _request(self, body):
        # a leading "//" is a path here, where urlsplit() alone would see a host
        target = urlsplit(f"//host{self.path}" if self.path.startswith("/") else self.path)
        query = parse_qsl(
            target.query, keep_blank_values=True, errors="replace", max_num_fields=MAX_QUERY_FIELDS
        )
        path = unquote(target.path, errors="replace")
        return Request(self.command, self.path, path, query, self.headers, body)

    def _read_body(self):
        """The body, or None where the request was refused for it."""
        if self.headers.get("Transfer-Encoding"):
            return self._refuse_body(411)
        length = self.headers.get("Content-Length") or "0"
        if not (length.isascii() and length.isdigit()):
            return self._refuse_body(400)
        limit = MAX_SEED_BODY if self.path.startswith(CONTROL) else MAX_BODY
        if len(length) > 12 or int(length) > limit:
            return self._refuse_body(413)
        body = self.rfile.read(int(length))
        if len(body) < int(length):
            self.close_connection = True
            return None
        return body

    def _refuse_body(self, status):
        self.close_connection = True  # what follows on the line is the body we did not read
        title = HTTPStatus(status).phrase
        text = f"<html><head><title>{status} {title}</title></head><body>{title}</body></html>"
        self._send(html_response(text, status))

    def _send(self, response):
        if response.cut == "drop":
            return self._break()
        head = [f"HTTP/1.1 {response.status} {_phrase(response.status)}"]
        head += [f"{name}: {value}" for name, value in response.headers]
        if response.status != 204:
            head.append(f"Content-Type: {response.content_type}")
        head.append(f"Content-Length: {len(response.body)}")
        head.append("Connection: close" if self.close_connection else "Connection: keep-alive")
        data = "\r\n".join(head).encode("latin-1", "replace") + b"\r\n\r\n"
        body = b"" if self.command == "HEAD" else response.body
        if response.cut == "half":
            self.wfile.write(data + body[: len(body) // 2])
            self.server.sandbox.stopping.wait(_HALF_SENT_SECONDS)
            return self._break()
        self.wfile.write(data + body)

    def _break(self):
        self.close_connection = True
        self.server.reset_on_close(self.connection)

    def log_message(self, *arguments):
        pass  # the journal tells more


for _method in METHODS:
    setattr(_Handler, f"do_{_method}", _Handler._serve)


def _phrase(status):
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"

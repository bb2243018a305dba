"""A server of raw sockets that answers exactly what a test says, bytes for bytes."""

import contextlib
import json
import socket
import threading

from requests.structures import CaseInsensitiveDict


class Asked:
    """One request as it came in."""

    def __init__(self, head, body):
        lines = head.decode("latin-1").split("\r\n")
        self.method, self.target = lines[0].split(" ")[:2]
        self.path = self.target.partition("?")[0]
        self.headers = dict(line.lower().split(": ", 1) for line in lines[1:] if line)
        self.headers_as_sent = CaseInsensitiveDict(
            line.split(": ", 1) for line in lines[1:] if line
        )
        self.body = body

    def json(self):
        return json.loads(self.body)


class Wire:
    """Answers each request with what ``reply(asked, connection)`` gives: bytes to send, or
    ``None`` to close the connection. ``reply`` may also be the bytes it always sends."""

    def __init__(self, reply, tls=None):
        self.reply = reply if callable(reply) else lambda *_: reply
        self.tls = tls
        self.asked = []
        self.connections = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open = []
        scheme = "https" if tls else "http"
        self.url = f"{scheme}://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_exc):
        # shutdown wakes the accepting thread; close alone does not
        for sock in [self._listener, *self._open]:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _address = self._listener.accept()
                self.connections += 1
                self._open.append(connection)
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with contextlib.suppress(OSError):
            if self.tls:
                connection = self.tls.wrap_socket(connection, server_side=True)
                self._open.append(connection)
            while asked := self._read(connection):
                self.asked.append(asked)
                reply = self.reply(asked, connection)
                if reply is None:
                    break
                connection.sendall(reply)
            connection.close()

    @staticmethod
    def _read(connection):
        data = b""
        while b"\r\n\r\n" not in data:
            chunk = connection.recv(65536)
            if not chunk:
                return None
            if chunk.startswith(b"\x16\x03"):  # TLS, which is not spoken here
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
                return None
            data += chunk
        head, _mark, body = data.partition(b"\r\n\r\n")
        asked = Asked(head, body)
        while len(asked.body) < int(asked.headers.get("content-length", 0)):
            asked.body += connection.recv(65536)
        return asked


def answer(body=b"{}", status="200 OK", length=None, **headers):
    """A whole HTTP answer.

    :param body: bytes, or JSON values
    :param length: what Content-Length claims, if not the truth
    :param headers: with underscores for hyphens
    """
    if not isinstance(body, bytes):
        body = json.dumps(body).encode()
    headers = {"content_type": "application/json", **headers}
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    lines.append(f"Content-Length: {len(body) if length is None else length}")
    return "\r\n".join([f"HTTP/1.1 {status}", *lines, "", ""]).encode() + body


def page(text="Something", status="200 OK", **headers):
    body = f"<!DOCTYPE html><html><body>{text}</body></html>".encode()
    return answer(body, status, content_type="text/html", **headers)

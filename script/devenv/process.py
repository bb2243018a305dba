"""Child processes: servers that are waited for and ended, and programs in the foreground."""

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request

from .console import SetupError

HOST = "127.0.0.1"
_GRACE = 20  # seconds that a server has to end by itself


def free_port(preferred=0):
    """Return ``preferred`` if nobody listens there, else any port that is free."""
    with socket.socket() as probe:
        # Else a port would count as taken for a minute after its server has ended.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, preferred))
        except OSError:
            probe.bind((HOST, 0))
        return probe.getsockname()[1]


def run(command, until=lambda: False, **options):
    """Run ``command`` in the foreground and return its exit code.

    Ctrl-C reaches it as well, and it decides what that means.

    :param until: asked every second; ends the program when true, and None is returned
    """
    child = subprocess.Popen([str(part) for part in command], **options)
    try:
        while not until():
            with contextlib.suppress(subprocess.TimeoutExpired, KeyboardInterrupt):
                return child.wait(1)
        return None
    finally:
        _end(child)


def _end(child):
    """End ``child`` by its process id, the hard way if it takes too long."""
    if child.poll() is None:
        child.terminate()
        try:
            child.wait(_GRACE)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


class Service:
    """A server process in a session of its own: Ctrl-C does not reach it, :meth:`stop` does.

    :param command: how to start it
    :param port: where it listens; ``url`` is its address then
    :param probe: a path that answers when it is ready
    :param log: the file that its output goes to
    """

    def __init__(self, name, command, port, log, probe="/", **options):
        self.name = name
        self.url = f"http://{HOST}:{port}"
        self.probe = self.url + probe
        self.log = log
        log.parent.mkdir(parents=True, exist_ok=True)
        with open(log, "w") as output:
            self.process = subprocess.Popen(
                [str(part) for part in command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                **options,
            )

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.stop()

    def wait_until_ready(self, timeout=120):
        deadline = time.monotonic() + timeout
        while not _answers(self.probe):
            if self.process.poll() is not None:
                self._fail(f"ended with exit code {self.process.returncode}")
            if time.monotonic() > deadline:
                self._fail(f"did not answer at {self.probe} within {timeout} s")
            time.sleep(0.1)
        return self

    def stop(self):
        """End it, and children that it did not end itself."""
        _end(self.process)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)

    def _fail(self, what):
        tail = "\n".join(self.log.read_text(errors="replace").splitlines()[-25:])
        raise SetupError(f"{self.name} {what}. The end of {self.log}:\n{tail}")


def _answers(url):
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except urllib.error.HTTPError:
        return True  # even a refusal is an answer
    except (OSError, http.client.HTTPException):
        return False

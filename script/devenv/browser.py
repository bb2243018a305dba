"""Chromium without a window, driven through its DevTools protocol."""

import base64
import contextlib
import itertools
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path

import websocket

from .console import SetupError

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_FLAGS = (
    "--headless",
    "--no-sandbox",  # root cannot have one; only pages of this machine are opened
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--disable-sync",
    "--disable-back-forward-cache",  # a page that was left must not hold the next one up
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--hide-scrollbars",
    "--force-color-profile=srgb",
    "--remote-debugging-port=0",
)


@contextlib.contextmanager
def chromium():
    """Yield a :class:`Browser` with an empty profile; it is ended afterwards."""
    program = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, _NAMES)), None)
    if not program:
        raise SetupError("No Chromium found. Install it, or name it in $CHROMIUM.")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        process = subprocess.Popen(
            [program, *_FLAGS, f"--user-data-dir={profile}", "about:blank"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            yield Browser(_page_address(Path(profile)))
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _page_address(profile, timeout=30):
    """Return the address at which the only tab listens."""
    told = profile / "DevToolsActivePort"
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if told.exists() and (lines := told.read_text().split()):
            with urllib.request.urlopen(f"http://127.0.0.1:{lines[0]}/json/list") as answer:
                for target in json.load(answer):
                    if target["type"] == "page":
                        return target["webSocketDebuggerUrl"]
        time.sleep(0.05)
    raise SetupError("Chromium did not start.")


class Browser:
    """One tab."""

    def __init__(self, address):
        self._socket = websocket.create_connection(address, suppress_origin=True, timeout=60)
        self._numbers = itertools.count(1)
        #: What the pages reported as errors so far.
        self.errors = []
        for domain in ("Page", "Runtime"):
            self.send(f"{domain}.enable")

    def send(self, method, **params):
        """Send a command of the protocol and return its result."""
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": params}))
        while True:
            message = json.loads(self._socket.recv())
            self._note(message)
            if message.get("id") == number:
                if "error" in message:
                    raise RuntimeError(f"{method}: {message['error']['message']}")
                return message["result"]

    def _note(self, message):
        params = message.get("params", {})
        match message.get("method"):
            case "Runtime.exceptionThrown":
                details = params["exceptionDetails"]
                self.errors.append(details.get("exception", {}).get("description", details["text"]))
            case "Runtime.consoleAPICalled" if params["type"] == "error":
                said = [part.get("value", part.get("description")) for part in params["args"]]
                self.errors.append(" ".join(map(str, said)))
            case "Page.javascriptDialogOpening":  # "leave this page?", which would wait for ever
                accept = {"method": "Page.handleJavaScriptDialog", "params": {"accept": True}}
                self._socket.send(json.dumps({"id": next(self._numbers), **accept}))

    # === WHAT IS SHOWN === #

    def resize(self, width, height, phone=False):
        self.send(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=phone,
        )
        self.send("Emulation.setTouchEmulationEnabled", enabled=phone)

    def set_timezone(self, name):
        self.send("Emulation.setTimezoneOverride", timezoneId=name)

    def open(self, url):
        """Leave the page and begin to load another one."""
        # Page.navigate never returns from a page that asks whether to leave it
        self.run("location.assign('about:blank')")
        self.wait_for("location.href === 'about:blank'")
        self.send("Page.navigate", url=url)
        self.wait_for("location.href !== 'about:blank'")

    def run(self, script):
        """Return what a JavaScript expression gives; a promise is waited for."""
        answer = self.send(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
        )
        if "exceptionDetails" in answer:
            raise RuntimeError(f"{script}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def wait_for(self, condition, timeout=30):
        """Wait until a JavaScript expression holds."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            with contextlib.suppress(RuntimeError):  # the page is just being replaced
                if self.run(f"Boolean({condition})"):
                    return
            time.sleep(0.05)
        raise TimeoutError(f"Not seen within {timeout} s: {condition}")

    def settle(self, quiet=0.4):
        """Wait until nothing has changed on the page for ``quiet`` seconds."""
        before = None
        while before != (before := self.run("document.body.innerHTML.length")):
            time.sleep(quiet)

    def picture(self, transparent=False):
        """Return what is shown, as the bytes of a PNG."""
        if transparent:
            nothing = {"r": 0, "g": 0, "b": 0, "a": 0}
            self.send("Emulation.setDefaultBackgroundColorOverride", color=nothing)
        return base64.b64decode(self.send("Page.captureScreenshot", format="png")["data"])

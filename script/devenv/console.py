"""Progress and errors. All of it on standard error: standard output is the command's own."""

import contextlib
import signal
import sys
import threading
import time


class SetupError(Exception):
    """Something a person has to put right: says what is wrong and what to do."""


def say(text):
    print(text, file=sys.stderr, flush=True)


@contextlib.contextmanager
def step(title):
    """Show that ``title`` is being done, for how long already, and how it ended."""
    started = time.monotonic()
    ended = threading.Event()
    say(f"- {title} ...")
    ticker = threading.Thread(target=_tick, args=(title, started, ended), daemon=True)
    ticker.start()
    outcome = "failed"
    try:
        yield
        outcome = "done"
    finally:
        ended.set()
        ticker.join()
        say(f"- {title}: {outcome} ({time.monotonic() - started:.0f} s)")


def _tick(title, started, ended):
    # A terminal shows a running clock; a log gets a line now and then, so that nobody
    # takes a long step for one that hangs.
    on_terminal = sys.stderr.isatty()
    while not ended.wait(1 if on_terminal else 30):
        elapsed = f"  {title}: {time.monotonic() - started:.0f} s"
        if on_terminal:
            print(elapsed, end="\r", file=sys.stderr, flush=True)
        else:
            say(elapsed)


def guard(main):
    """Call ``main`` and return an exit code; what is stopped from outside still cleans up."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        return main()
    except SetupError as error:
        say(f"\nerror: {error}")
        return 2
    except KeyboardInterrupt:
        return 128 + signal.SIGINT

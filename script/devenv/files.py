"""Folders that are complete or not there, and locks between processes."""

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess

from .console import SetupError, say, step
from .settings import cache

_STAMP = ".complete"


def digest(*parts):
    """Return a short hash of ``parts`` (strings or bytes), fit for a name."""
    whole = hashlib.sha256()
    for part in parts:
        content = part if isinstance(part, bytes) else part.encode()
        whole.update(b"%d:" % len(content) + content)
    return whole.hexdigest()[:10]


@contextlib.contextmanager
def locked(name="lock"):
    """Hold a lock of the cache folder: one process at a time prepares something.

    :param name: of the lock; what belongs to one checkout alone has one of its own
    """
    cache().mkdir(parents=True, exist_ok=True)
    with open(cache() / name, "w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("- waiting for another process that prepares the environment ...")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def ensure_folder(folder, title, build, lock="lock"):
    """Return ``folder``, made by ``build(folder)`` unless it was completed before.

    :param lock: held while it is built; one of its own for what nobody else waits for

    A build that was cut short leaves no stamp, and is done again from the start. The name
    of the folder carries a hash of what it is made from.
    """
    if (folder / _STAMP).exists():
        return folder
    with locked(lock):
        if not (folder / _STAMP).exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            with step(title):
                build(folder)
            # The stamp must not outlive its contents in a crash of the machine.
            os.sync()
            (folder / _STAMP).touch()
    return folder


def run_logged(command, name, text=None, check=True, **options):
    """Run ``command`` with its output in the log ``name``; return its exit code.

    :param text: its standard input
    :param check: raise when it fails, and show the end of the log
    """
    log = cache() / "logs" / (name + ".log")
    log.parent.mkdir(parents=True, exist_ok=True)
    command = [str(part) for part in command]
    with open(log, "w") as output:
        code = subprocess.run(
            command,
            check=False,
            input=(text or "").encode(),
            stdout=output,
            stderr=subprocess.STDOUT,
            **options,
        ).returncode
    if code and check:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-25:])
        raise SetupError(f"{' '.join(command[:6])} failed ({code}). The end of {log}:\n{tail}")
    return code

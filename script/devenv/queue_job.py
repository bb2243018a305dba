"""OCA's queue_job, the real package from PyPI: where it is, and Odoo running with it."""

import contextlib
import os
import sys

from . import workspace
from .files import digest, ensure_folder, run_logged
from .process import Service, free_port
from .settings import cache

REQUIREMENTS = ("odoo-addon-queue-job==19.0.2.4.0.1", "openupgradelib==3.13.7")


def fetched():
    """The folder with the packages, from PyPI."""
    return ensure_folder(
        cache() / f"queue-job-{digest(*REQUIREMENTS)}", "Fetching queue_job", _fetch
    )


def _fetch(folder):
    pip = [sys.executable, "-m", "pip", "install", "--no-deps", "--target", folder]
    run_logged([*pip, *REQUIREMENTS], "pip-queue-job")


def options(environment, addons=()):
    """Options of Odoo's configuration file.

    :param addons: further folders with addons
    """
    paths = [
        *environment.odoo.addons_paths,
        *workspace.addons_paths(),
        fetched() / "odoo" / "addons",
        *addons,
    ]
    return {"addons_path": ",".join(map(str, paths)), "server_wide_modules": "base,web,queue_job"}


def environ(environment, channels):
    """Environment variables of Odoo; ``channels`` as ``root:8``."""
    variables = environment.environ()
    variables["PYTHONPATH"] += f"{os.pathsep}{fetched()}"
    return {**variables, "ODOO_QUEUE_JOB_CHANNELS": channels}


def install(environment, database, modules=("queue_job",), addons=()):
    """Install it, and what else is named, in an existing database."""
    arguments = ("--init", ",".join(modules), "--stop-after-init", "--no-http")
    command = environment.odoo_command(database, *arguments, options=options(environment, addons))
    run_logged(command, "queue-job-install", env=environ(environment, "root:1"))


@contextlib.contextmanager
def running(environment, database, workers=2, channels="root:4", addons=()):
    """Yield the :class:`process.Service` of an Odoo that runs queue_job's jobs and no scheduled
    actions."""
    port = free_port()
    command = environment.odoo_command(
        database,
        f"--http-port={port}",
        f"--gevent-port={free_port()}",
        f"--workers={workers}",
        "--max-cron-threads=0",
        options=options(environment, addons),
    )
    log = workspace.FOLDER / "logs" / f"queue-job-{port}.log"
    variables = environ(environment, channels)
    with Service("queue_job", command, port, log, "/web/health", env=variables) as service:
        service.wait_until_ready()
        yield service

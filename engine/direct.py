"""Jobs that a person waits for: worked on at once, beside the queue's own workers."""

import logging
import threading

from .worker import Worker

_logger = logging.getLogger(__name__)

#: Seconds a person is kept waiting; what takes longer goes on without him.
PATIENCE = 4.0


def work_on(env, job_ids, seconds=PATIENCE):
    """Work on these jobs now, where nothing stands in their way (a pause, the rate limit, an open
    breaker), for a few seconds. They are committed already. On cursors of the engine's own.

    :return: whether it came to an end in time
    """
    worker = Worker(env, "at once", seconds, only=job_ids)
    thread = threading.Thread(target=_drain, args=(worker,), name="commerce_sync.direct")
    thread.start()
    thread.join(seconds + 1)
    return not thread.is_alive()


def _drain(worker):
    try:
        worker.drain()
    except Exception:
        # the jobs wait in the queue, or their lease brings them back
        _logger.exception("jobs somebody waits for")

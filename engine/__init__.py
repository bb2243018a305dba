"""The queue. It knows neither platforms nor kinds of data: it reaches the first through the
adapter contract, the second through the mapper contract."""

from . import (
    breaker,
    database,
    line,
    log,
    queue,
    rate_limit,
    retry,
    settlement,
    states,
    traffic,
    worker,
)

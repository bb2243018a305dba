"""Small helpers for transactions of the engine's own."""

import logging

import psycopg2
import psycopg2.errors
import psycopg2.extensions
from odoo.tools import SQL

_logger = logging.getLogger(__name__)

#: The database's clock in UTC: the one all machines share.
NOW = SQL("(clock_timestamp() AT TIME ZONE 'UTC')")


def read_committed(cr):
    """Let the transaction that now begins see what others commit meanwhile.

    Odoo's cursors run at REPEATABLE READ. There, a row that somebody else changed after our first
    query cannot be locked or changed without a serialization failure; claim, settle and the rate
    limit are single statements under a lock and want the row as it stands.
    """
    # in the middle of a transaction the level can no longer be changed, and need not be
    if cr.connection.info.transaction_status == psycopg2.extensions.TRANSACTION_STATUS_IDLE:
        cr.execute("SET TRANSACTION ISOLATION LEVEL READ COMMITTED")


def columns(rows, *names):
    """``rows`` (objects) turned into one list per attribute, as ``unnest`` takes them."""
    return [[_storable(getattr(row, name)) for row in rows] for name in names]


def _storable(value):
    """Texts of other systems may hold the one character PostgreSQL refuses."""
    return value.replace("\0", "") if isinstance(value, str) and "\0" in value else value


#: Another transaction was quicker; the same work can simply be done again.
COLLISIONS = (
    psycopg2.errors.SerializationFailure,
    psycopg2.errors.DeadlockDetected,
    psycopg2.errors.LockNotAvailable,
    psycopg2.errors.UniqueViolation,
)
#: Tries of one transaction before a collision is let through (a bound: no endless retries).
MOST_TRIES = 5


def transact(cursor, work):
    """Run ``work(cr)`` in a transaction of its own and commit it, again after a collision.

    :param cursor: opens a cursor
    :return: what ``work`` returned
    """
    for number in range(1, MOST_TRIES + 1):
        try:
            with cursor() as cr:
                return work(cr)
        except COLLISIONS as error:
            if number == MOST_TRIES:
                raise
            _logger.info("try %s of a transaction collided: %s", number, error.pgcode)
        except psycopg2.DatabaseError as error:
            # what the driver makes of a connection that broke in an unusual moment
            if type(error) is psycopg2.DatabaseError:
                raise psycopg2.OperationalError(str(error)) from error
            raise
    raise AssertionError("unreachable")

"""The engine's own transactions: what is done again, and what is not."""

from contextlib import contextmanager
from dataclasses import dataclass

import psycopg2
import psycopg2.errors
import pytest

from ..adapters.errors import RateLimited
from ..engine.database import MOST_TRIES, columns, transact
from ..engine.rate_limit import RateLimit, Throttle


class Database:
    """Counts its transactions; ``errors`` come first, one in each."""

    def __init__(self, *errors):
        self.errors = list(errors)
        self.opened = self.committed = 0

    @contextmanager
    def cursor(self):
        self.opened += 1
        yield self
        self.committed += 1

    def work(self, _cr):
        if self.errors:
            raise self.errors.pop(0)
        return "done"


@pytest.mark.parametrize(
    "collision",
    [
        psycopg2.errors.SerializationFailure,
        psycopg2.errors.DeadlockDetected,
        psycopg2.errors.LockNotAvailable,
        psycopg2.errors.UniqueViolation,
    ],
)
def test_a_transaction_that_collides_is_done_again(collision):
    database = Database(collision(), collision())
    assert transact(database.cursor, database.work) == "done"
    assert (database.opened, database.committed) == (3, 1)


def test_not_without_end():
    database = Database(*[psycopg2.errors.SerializationFailure()] * 100)
    with pytest.raises(psycopg2.errors.SerializationFailure):
        transact(database.cursor, database.work)
    assert database.opened == MOST_TRIES


@pytest.mark.parametrize("error", [ValueError, psycopg2.errors.CheckViolation])
def test_what_would_go_wrong_again_is_not_done_again(error):
    database = Database(error())
    with pytest.raises(error):
        transact(database.cursor, database.work)
    assert database.opened == 1


def test_a_connection_that_broke_is_the_databases_fault_whatever_the_driver_calls_it():
    """psycopg2 has no class for "server closed the connection unexpectedly"."""
    database = Database(psycopg2.DatabaseError("server closed the connection unexpectedly"))
    with pytest.raises(psycopg2.OperationalError, match="unexpectedly"):
        transact(database.cursor, database.work)


@contextmanager
def away():
    raise psycopg2.OperationalError("the server is starting up")
    yield


def test_where_the_database_is_away_no_request_is_made_and_no_try_is_spent():
    with pytest.raises(RateLimited) as caught:
        Throttle(away, 1, RateLimit(10.0)).before_request()
    assert caught.value.retry_after > 0
    assert not caught.value.uncertain


def test_an_answer_is_not_lost_because_others_could_not_be_told_of_the_stores_limit():
    throttle = Throttle(away, 1, None)
    throttle.put_off(60)
    with pytest.raises(RateLimited):
        throttle.before_request()


@dataclass
class Row:
    text: str | None
    number: int


def test_rows_become_columns_without_what_the_database_refuses():
    rows = [Row("a\0b", 1), Row(None, 2)]
    assert columns(rows, "number", "text") == [[1, 2], ["ab", None]]

"""GCRA: never more than a burst and the rate, and nothing of it wasted."""

from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ..engine.rate_limit import RateLimit, reserve

START = 1_772_366_400.0  # seconds since 1970, as the database gives them


def send(limit, moments, cost=1.0):
    """The times at which requests made at ``moments`` (ascending) leave."""
    arrival, sent = 0.0, []
    for moment in moments:
        arrival, wait = reserve(limit, arrival, moment, cost)
        sent.append(moment + wait)
    return sent


def at_once(limit, count):
    return [moment - START for moment in send(limit, [START] * count)]


# === AS A TABLE === #


@pytest.mark.parametrize(
    ("rate", "burst", "expected"),
    [
        (2, 1, [0, 0.5, 1, 1.5]),
        (2, 3, [0, 0, 0, 0.5, 1]),
        (0.5, 2, [0, 0, 2, 4]),
        (10, 5, [0, 0, 0, 0, 0, 0.1, 0.2]),
    ],
)
def test_a_burst_goes_at_once_and_the_rest_at_the_rate(rate, burst, expected):
    assert at_once(RateLimit(rate, burst), len(expected)) == pytest.approx(expected, abs=1e-5)


def test_at_the_steady_rate_nobody_waits():
    moments = [START + number / 4 for number in range(40)]
    assert send(RateLimit(4, 1), moments) == pytest.approx(moments)


@pytest.mark.parametrize(("idle", "free"), [(0, 0), (0.5, 1), (1, 2), (1.5, 3), (2.5, 5), (99, 5)])
def test_the_burst_fills_up_again_while_nothing_is_sent(idle, free):
    limit = RateLimit(2, 5)
    sent = send(limit, [START] * 5 + [START + idle] * 8)
    assert sum(moment == START + idle for moment in sent[5:]) == free


def test_a_request_that_costs_more_keeps_the_next_one_waiting_longer():
    arrival, wait = reserve(RateLimit(2, 1), 0.0, START, cost=10)
    assert wait == 0
    assert reserve(RateLimit(2, 1), arrival, START) == (pytest.approx(START + 5.5), 5)


def test_a_clock_that_was_set_back_makes_nobody_wait_less():
    arrival, _wait = reserve(RateLimit(1, 1), 0.0, START)
    assert reserve(RateLimit(1, 1), arrival, START - 5)[1] == pytest.approx(6)


# === FOR ALL LIMITS === #

#: A busy machine may take its time.
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

limits = st.builds(RateLimit, rate=st.floats(0.1, 1000), burst=st.integers(1, 50))
pauses = st.lists(st.just(0.0) | st.floats(0, 5), min_size=1, max_size=60)


def moments_of(gaps):
    moment, moments = START, []
    for gap in gaps:
        moment += gap
        moments.append(moment)
    return moments


@unhurried
@given(limits, pauses)
def test_no_window_of_time_sees_more_than_the_burst_and_the_rate(limit, gaps):
    sent = sorted(send(limit, moments_of(gaps)))
    for first, begin in enumerate(sent):
        for last in range(first, len(sent)):
            count, length = last - first + 1, sent[last] - begin
            # a whole second since 1970 leaves a double only a quarter of a microsecond
            assert count <= limit.burst + limit.rate * (length + 1e-5)


@unhurried
@given(limits, pauses)
def test_requests_leave_in_the_order_in_which_they_asked(limit, gaps):
    sent = send(limit, moments_of(gaps))
    assert all(later >= earlier - 1e-6 for earlier, later in pairwise(sent))


@unhurried
@given(limits, pauses)
def test_nobody_waits_longer_than_all_before_him_need(limit, gaps):
    moments = moments_of(gaps)
    for number, (moment, left) in enumerate(zip(moments, send(limit, moments), strict=True)):
        assert 0 <= left - moment <= number / limit.rate + 1e-5


@unhurried
@given(limits, st.integers(1, 200))
def test_nothing_of_the_limit_is_wasted(limit, count):
    last = at_once(limit, count)[-1]
    assert last == pytest.approx(max(0, count - limit.burst) / limit.rate, abs=1e-4)

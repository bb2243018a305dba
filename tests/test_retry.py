"""The retry policy as a table, and what holds for any of its settings."""

import math

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ..adapters.errors import ERROR_KINDS
from ..engine.retry import (
    DEFAULT_RATE_LIMIT_WAIT,
    FAIL,
    PAUSE,
    RETRY,
    WAIT,
    Decision,
    RetryPolicy,
    decide,
)

POLICY = RetryPolicy(first_delay=30.0, max_delay=3600.0, max_attempts=8)
HOUR = 3600.0

policies = st.builds(
    RetryPolicy,
    first_delay=st.floats(1, 600),
    max_delay=st.floats(600, 86400),
    max_attempts=st.integers(1, 50),
    max_age=st.just(0.0) | st.floats(60, 10 * 86400),
)
jitter = st.floats(0, 1, exclude_max=True)
seconds = st.floats(0, 30 * 86400)


def outcome(kind, attempt=1, policy=POLICY, random=0.5, **facts):
    return decide(policy, kind, attempt, random=random, **facts)


# === THE TABLE === #


@pytest.mark.parametrize("kind", ["validation", "rejected", "missing", "unexpected"])
@pytest.mark.parametrize("attempt", [1, 2, 8, 99])
@pytest.mark.parametrize("retry_after", [None, 0, 60])
@pytest.mark.parametrize("probing", [False, True])
def test_what_a_person_must_mend_fails_at_once(kind, attempt, retry_after, probing):
    decision = outcome(kind, attempt, retry_after=retry_after, probing=probing, age=10 * HOUR)
    assert decision == Decision(FAIL)
    assert decision.costs


@pytest.mark.parametrize("attempt", [1, 8, 99])
@pytest.mark.parametrize("probing", [False, True])
@pytest.mark.parametrize(
    ("retry_after", "delay"),
    [(None, DEFAULT_RATE_LIMIT_WAIT), (0, 0.0), (-3, 0.0), (2.5, 2.5), (900, 900)],
)
def test_a_rate_limit_waits_as_long_as_the_store_asks_and_costs_no_try(
    attempt, probing, retry_after, delay
):
    policy = RetryPolicy(max_attempts=8, max_age=HOUR)
    decision = outcome(
        "rate_limit", attempt, policy, retry_after=retry_after, probing=probing, age=99 * HOUR
    )
    assert decision == Decision(WAIT, delay)
    assert not decision.costs


@pytest.mark.parametrize("attempt", [1, 8, 99])
@pytest.mark.parametrize("retry_after", [None, 60])
@pytest.mark.parametrize("probing", [False, True])
def test_refused_credentials_pause_the_connection_and_cost_no_try(attempt, retry_after, probing):
    decision = outcome(
        "authentication", attempt, retry_after=retry_after, probing=probing, age=99 * HOUR
    )
    assert decision == Decision(PAUSE)
    assert not decision.costs


@pytest.mark.parametrize(
    ("attempt", "ceiling"),
    [(1, 30), (2, 60), (3, 120), (4, 240), (5, 480), (6, 960), (7, 1920)],
)
def test_a_temporary_failure_is_retried_with_doubling_pauses(attempt, ceiling):
    assert outcome("temporary", attempt, random=0.0) == Decision(RETRY, 0.0)
    assert outcome("temporary", attempt, random=0.5) == Decision(RETRY, ceiling / 2)
    assert outcome("temporary", attempt).costs


@pytest.mark.parametrize(
    ("attempt", "action"), [(1, RETRY), (7, RETRY), (8, FAIL), (9, FAIL), (1000, FAIL)]
)
def test_the_last_try_fails(attempt, action):
    assert outcome("temporary", attempt).action == action


def test_a_policy_of_one_try_does_not_retry():
    assert outcome("temporary", 1, RetryPolicy(max_attempts=1)) == Decision(FAIL)


@pytest.mark.parametrize(
    ("retry_after", "delay"), [(None, 15.0), (0, 15.0), (10, 15.0), (16, 16), (7200, 7200)]
)
def test_retry_after_is_the_least_a_temporary_failure_waits(retry_after, delay):
    assert outcome("temporary", retry_after=retry_after) == Decision(RETRY, delay)


@pytest.mark.parametrize(
    ("age", "retry_after", "action"),
    [
        (0, None, RETRY),
        (HOUR - 15, None, RETRY),  # the next try is within the hour
        (HOUR - 14, None, FAIL),
        (2 * HOUR, None, FAIL),
        (0, HOUR, RETRY),
        (1, HOUR, FAIL),  # the store asks for a pause beyond the job's life
    ],
)
def test_a_job_that_would_be_too_old_at_its_next_try_fails(age, retry_after, action):
    policy = RetryPolicy(max_age=HOUR)
    assert outcome("temporary", policy=policy, age=age, retry_after=retry_after).action == action


def test_without_a_total_age_only_the_tries_count():
    assert outcome("temporary", age=365 * 24 * HOUR).action == RETRY


@pytest.mark.parametrize("attempt", [1, 8, 99])
def test_a_probe_that_fails_costs_its_job_nothing(attempt):
    policy = RetryPolicy(max_attempts=8, max_age=HOUR)
    decision = outcome("temporary", attempt, policy, probing=True, age=99 * HOUR)
    assert decision.action == WAIT
    assert not decision.costs


@pytest.mark.parametrize("attempt", [0, -1])
def test_a_number_below_the_first_try_counts_as_the_first(attempt):
    assert outcome("temporary", attempt) == outcome("temporary", 1)


def test_an_unknown_kind_of_error_needs_a_person():
    assert outcome("no_such_kind") == Decision(FAIL)


# === FOR ALL POLICIES === #

#: A busy machine may take its time.
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@unhurried
@given(policies, st.integers(1, 10**6), jitter)
def test_a_pause_is_never_above_the_ceiling_nor_below_zero(policy, attempt, random):
    delay = policy.delay(attempt, random)
    assert 0 <= delay <= policy.max_delay
    assert math.isfinite(delay)


@unhurried
@given(policies, st.integers(1, 60), jitter)
def test_full_jitter_spreads_over_the_whole_pause(policy, attempt, random):
    ceiling = min(policy.max_delay, policy.first_delay * 2 ** (attempt - 1))
    assert policy.delay(attempt, random) == pytest.approx(ceiling * random)


@unhurried
@given(policies, st.integers(1, 100), jitter)
def test_pauses_do_not_shrink_from_try_to_try(policy, attempt, random):
    assert policy.delay(attempt, random) <= policy.delay(attempt + 1, random)


@unhurried
@given(
    policies,
    st.sampled_from(ERROR_KINDS),
    st.integers(1, 100),
    jitter,
    st.none() | seconds,
    seconds,
    st.booleans(),
)
def test_every_failure_has_one_of_four_ends(policy, kind, attempt, random, asked, age, probing):
    decision = decide(
        policy, kind, attempt, random=random, retry_after=asked, age=age, probing=probing
    )
    assert decision.action in (FAIL, RETRY, WAIT, PAUSE)
    assert 0 <= decision.delay < math.inf
    if decision.action in (RETRY, WAIT):
        assert decision.delay >= (asked or 0)
    if decision.action == RETRY:
        assert attempt < policy.max_attempts
        assert not policy.max_age or age + decision.delay <= policy.max_age


@unhurried
@given(policies, st.lists(jitter, min_size=60, max_size=60))
def test_a_job_that_always_fails_comes_to_an_end_after_exactly_its_tries(policy, draws):
    policy = RetryPolicy(policy.first_delay, policy.max_delay, policy.max_attempts)
    tries = 0
    for random in draws:
        tries += 1
        if decide(policy, "temporary", tries, random=random).action == FAIL:
            break
    assert tries == policy.max_attempts

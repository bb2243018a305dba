"""The breaker: closed, open, probing. Pure, so a table of its life is enough."""

from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from ..engine.breaker import FIRST_PROBE, LAST_PROBE, Breaker

NOW = datetime(2026, 3, 1, 12, 0)
THRESHOLD = 5


def after(seconds):
    return NOW + timedelta(seconds=seconds)


def failed(breaker, times=1, now=NOW, threshold=THRESHOLD):
    for _time in range(times):
        breaker = breaker.after_failure(now, threshold)
    return breaker


OPEN = failed(Breaker(), THRESHOLD)


# === OPENING === #


@pytest.mark.parametrize("failures", range(THRESHOLD))
def test_it_stays_closed_below_the_threshold(failures):
    breaker = failed(Breaker(), failures)
    assert (breaker.is_open, breaker.failures) == (False, failures)
    assert breaker.admits(NOW) == "all"


def test_it_opens_at_the_threshold_and_says_since_when():
    assert OPEN.is_open
    assert OPEN.open_since == NOW
    assert OPEN.admits(NOW) == "none"


def test_a_threshold_of_one_opens_at_the_first_failure():
    assert failed(Breaker(), threshold=1).is_open


def test_a_success_in_between_begins_the_count_anew():
    breaker = failed(failed(Breaker(), THRESHOLD - 1).after_success(), THRESHOLD - 1)
    assert not breaker.is_open


# === PROBING === #


@pytest.mark.parametrize(
    ("seconds", "admitted"),
    [(0, "none"), (FIRST_PROBE - 0.001, "none"), (FIRST_PROBE, "probe"), (86400, "probe")],
)
def test_the_first_probe_may_go_after_a_while(seconds, admitted):
    assert OPEN.admits(after(seconds)) == admitted


def test_only_one_probe_is_under_way():
    probing = OPEN.probing(after(FIRST_PROBE), lease=120)
    assert probing.admits(after(FIRST_PROBE)) == "none"
    assert probing.admits(after(FIRST_PROBE + 119.9)) == "none"


def test_a_probe_whose_worker_died_gives_way_to_another():
    probing = OPEN.probing(after(FIRST_PROBE), lease=120)
    assert probing.admits(after(FIRST_PROBE + 120)) == "probe"


@pytest.mark.parametrize(
    ("probes", "pause"), [(0, 15), (1, 30), (2, 60), (3, 120), (4, 240), (5, 300), (500, 300)]
)
def test_pauses_between_probes_double_up_to_a_ceiling(probes, pause):
    breaker = Breaker(THRESHOLD, NOW, NOW, probes).after_failure(NOW, THRESHOLD)
    assert breaker.probe_at == after(pause)
    assert breaker.probes == probes + 1


def test_a_failed_probe_leaves_since_when_it_is_open():
    assert failed(OPEN, 3, after(600)).open_since == NOW


def test_a_success_closes_it():
    assert failed(OPEN, 3).after_success() == Breaker()
    assert failed(OPEN, 3).after_success().admits(NOW) == "all"


# === WHATEVER HAPPENS === #

#: A busy machine may take its time.
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


class BreakerMachine(RuleBasedStateMachine):
    """Any order of successes, failures, probes and time."""

    def __init__(self):
        super().__init__()
        self.now = NOW
        self.breaker = Breaker()
        self.in_a_row = 0

    @rule()
    def succeed(self):
        self.breaker = self.breaker.after_success()
        self.in_a_row = 0

    @rule()
    def fail(self):
        self.breaker = self.breaker.after_failure(self.now, THRESHOLD)
        self.in_a_row += 1

    @rule(seconds=st.floats(0, 600))
    def let_time_pass(self, seconds):
        self.now += timedelta(seconds=seconds)

    @rule(lease=st.floats(1, 300))
    def probe(self, lease):
        if self.breaker.admits(self.now) == "probe":
            self.breaker = self.breaker.probing(self.now, lease)
            assert self.breaker.admits(self.now) == "none"

    @invariant()
    def it_is_open_exactly_from_the_threshold_on(self):
        assert self.breaker.is_open == (self.in_a_row >= THRESHOLD)

    @invariant()
    def an_open_one_lets_a_probe_through_sooner_or_later(self):
        assert self.breaker.admits(self.now + timedelta(seconds=LAST_PROBE)) != "none"


TestBreakerMachine = BreakerMachine.TestCase
TestBreakerMachine.settings = unhurried


@unhurried
@given(st.integers(1, 100), st.integers(0, 400))
def test_it_never_opens_before_its_threshold(threshold, failures):
    breaker = failed(Breaker(), failures, threshold=threshold)
    assert breaker.is_open == (failures >= threshold)

"""The table of transitions: what it must allow, what it must never."""

import itertools

import pytest

from ..engine import states

ALLOWED = {
    ("pending", "running"),  # claimed
    ("pending", "cancelled"),  # by a person
    ("running", "done"),
    ("running", "failed"),
    ("running", "pending"),  # to be tried again; or its worker died
    ("running", "cancelled"),  # a newer job for the same thing waits
    ("failed", "pending"),  # resent
    ("failed", "cancelled"),  # by a person, or superseded
    ("done", "pending"),  # resent
    ("cancelled", "pending"),  # resent
}


@pytest.mark.parametrize("way", [*itertools.product(states.STATES, repeat=2)])
def test_a_job_moves_along_the_table_only(way):
    source, target = way
    assert (target in states.TRANSITIONS[source]) == (way in ALLOWED)
    assert (source in states.sources(target)) == (way in ALLOWED)


def test_the_table_knows_every_state():
    assert set(states.TRANSITIONS) == set(states.STATES)
    assert set(itertools.chain(*states.TRANSITIONS.values())) <= set(states.STATES)


def test_only_the_claim_makes_a_job_run():
    assert states.sources(states.RUNNING) == (states.PENDING,)


def test_what_runs_was_not_stopped_before():
    """A settlement that comes late finds no way back from an end."""
    for end in (states.DONE, states.FAILED):
        assert states.sources(end) == (states.RUNNING,)


def test_from_every_state_a_job_can_still_be_done():
    for state in states.STATES:
        reachable, unseen = set(), [state]
        while unseen:
            reachable.add(current := unseen.pop())
            unseen += set(states.TRANSITIONS[current]) - reachable
        assert states.DONE in reachable


def test_open_states_are_those_that_are_no_end():
    assert set(states.STATES) - set(states.OPEN_STATES) == {states.DONE, states.CANCELLED}

"""What a row of the table is."""

import operator
from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import median

ROWS = {}
_COMPARISONS = {">=": operator.ge, "<=": operator.le, "<": operator.lt}


@dataclass(frozen=True, order=True)
class Row:
    """``must`` is a comparison and a number, e.g. ``>= 0.3``: for the ratio of ours to the
    reference, or for ours itself where ``against`` is empty.

    ``measure(environment)`` returns the samples of ours and those of the reference.
    """

    number: int
    name: str
    work: str
    against: str
    unit: str
    must: str
    measure: Callable = field(compare=False)

    def judge(self, ours, reference=()):
        """:return: the :class:`Result` of these samples"""
        ours = median(ours)
        reference = median(reference) if reference else None
        ratio = ours / reference if reference else None
        comparison, bound = self.must.split()
        holds = _COMPARISONS[comparison](ours if ratio is None else ratio, float(bound))
        return Result(self, ours, reference, ratio, holds)


@dataclass(frozen=True)
class Result:
    row: Row
    ours: float
    reference: float | None
    ratio: float | None
    holds: bool


def row(name, number, work, unit, must, against=""):
    """Make the decorated function a row.

    :param number: its place in the table
    """

    def register(measure):
        ROWS[name] = Row(number, name, work, against, unit, must, measure)
        return measure

    return register


def take_turns(times, *sides):
    """Call each side in turn, ``times`` times; return the list of what each one returned."""
    rounds = [[side() for side in sides] for _round in range(times)]
    return [list(samples) for samples in zip(*rounds, strict=True)]

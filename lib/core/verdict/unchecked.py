"""The checks that a sure verdict needs, and those of them that could not be made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from lib.core.checks.check import Check, Group, Outcome, Result
from lib.core.checks.results import Results
from lib.core.facts.findings import Severity


class Unchecked(NamedTuple):
    """What could not be checked.

    Attributes:
        results: Of the checks that could not be made.
        matter: How many matter, these included.
    """

    results: tuple[Result, ...]
    matter: int


def unchecked(winner: Results, rivals: Iterable[Results], *, gaps_count: bool) -> Unchecked:
    """Find the checks that matter and could not be made.

    They look at curves, and what they find would be an objection: anything in a curve that the verdict rests on, of the
    recommended run also a training that broke down. Where no gap counts, no train loss is part of what it rests on.
    What was stated of a run and is held against its curves is left out: with nothing stated nothing can contradict.

    Args:
        winner: Of the recommended run.
        rivals: Of the runs next to it.
        gaps_count: The gap is a part of the score.
    """
    found = [
        *_of(winner, gaps_count, with_health=True),
        *(each for rival in rivals for each in _of(rival, gaps_count, with_health=False)),
    ]
    return Unchecked(tuple(each for each in found if each.outcome is Outcome.CANNOT_TELL), len(found))


def _of(results: Results, gaps_count: bool, *, with_health: bool) -> Iterator[Result]:
    for each in results.results:
        check = each.check
        counts = gaps_count or check.group is Group.HEALTH or check.metrics[:1] == ("eval_loss",)
        if check.metrics and not check.of_stated and counts and _objects(check, with_health):
            yield each


def _objects(check: Check, with_health: bool) -> bool:
    """Whether what it finds speaks against the verdict."""
    breaks_down = check.group is Group.HEALTH and Severity.CRITICAL in check.severities
    return check.touches_verdict or (with_health and breaks_down)

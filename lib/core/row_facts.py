"""What is noticed of the rows of a run before they become curves, which hold one value a step."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RowFacts:
    """Facts about the rows of one run, in the order in which they were written.

    Attributes:
        received: How many rows came.
        expected: How many the source says there are; ``None`` where it does not say.
        unplaced: How many have no whole step from 0 on, and so no place in a curve.
        rewritten: How many values were replaced by a later row of the same step and metric.
        rewritten_step: The first step at which that was so.
        backwards: How often a row's step is below that of the row written before it.
        backwards_step: The first step that was gone back to.
        clock_backwards: How often a row's timestamp is before that of the row of the step before.
        clock_step: The first step at which that was so.
    """

    received: int
    expected: int | None = None
    unplaced: int = 0
    rewritten: int = 0
    rewritten_step: int | None = None
    backwards: int = 0
    backwards_step: int | None = None
    clock_backwards: int = 0
    clock_step: int | None = None

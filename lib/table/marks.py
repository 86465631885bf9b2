"""What stands out in the summary table: the best and the worst of a column, and gaps that should worry somebody."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from enum import StrEnum
from typing import NamedTuple

import numpy as np

from lib.core.facts.metrics import metric_of
from lib.core.gap.overfitting import GAP_WARNING
from lib.core.ranking.metric_names import is_reward
from lib.core.ranking.scoring import TIE_DECIMALS
from lib.table.columns import Column
from lib.table.inputs import Summary


class Mark(StrEnum):
    """What stands out about a cell."""

    BEST = "best"
    TIE_BEST = "tie-best"
    WORST = "worst"
    HIGH = "high"
    NEGATIVE = "negative"


class Marked(NamedTuple):
    """What stands out about a cell, if anything does, and of what it is the best or the worst, as a sentence."""

    mark: Mark | None
    note: str = ""


NOTHING = Marked(None)


class Alike(NamedTuple):
    """The classes of runs whose values mean the same, by run id; a run outside all of them has no best and no worst.

    Attributes:
        losses: For columns that are ``of_loss``.
        metrics: For columns of other evaluated metrics.
        rewards: For columns of rewards; ``None``: the same.
    """

    losses: Sequence[Collection[str]]
    metrics: Sequence[Collection[str]]
    rewards: Sequence[Collection[str]] | None = None


def marks(summary: Summary, alike: Alike | None = None) -> dict[str, list[Marked]]:
    """Find what stands out: for each column a ``Marked`` for each run.

    Best and worst need two different finite values; NaN and infinities take no part. Several best are
    ``TIE_BEST``, several worst are each ``WORST``. The gap is marked ``HIGH`` or ``NEGATIVE`` instead.

    Args:
        summary: The table.
        alike: The classes of which each has a best and a worst of its own; ``None`` where all runs are one.
    """
    found = {column.key: [NOTHING] * len(summary.run_ids) for column in summary.columns}
    for extreme in _extremes(summary, alike):
        marked = Marked(extreme.mark, extreme.sentence)
        for place in np.flatnonzero(extreme.cells):
            found[extreme.column.key][place] = marked
    if "gap" in found:
        # Not by rounding the gap: that overflows for a loss near the largest float.
        noise, gap = 0.5 * 10.0**-TIE_DECIMALS, summary.numbers("gap")
        for place in np.flatnonzero(gap > GAP_WARNING + noise):
            found["gap"][place] = Marked(Mark.HIGH)
        for place in np.flatnonzero(gap < -noise):
            found["gap"][place] = Marked(Mark.NEGATIVE)
    return found


class _Extreme(NamedTuple):
    """The best or the worst cells of a column among some runs.

    Attributes:
        cells: Which they are, shape (n,) for n runs, bool.
        runs: How many runs they are the best or worst of.
        of_class: Other runs have a value too, and do not compare with these.
    """

    column: Column
    cells: np.ndarray
    mark: Mark
    runs: int
    of_class: bool

    @property
    def sentence(self) -> str:
        is_lowest = (self.column.better == "lower") is (self.mark is not Mark.WORST)
        among = f"the {self.runs} runs that compare" if self.of_class else f"{self.runs} runs"
        return f"{_TITLES[self.mark]}: the {'lowest' if is_lowest else 'highest'} of {among}."


_TITLES = {Mark.BEST: "Best", Mark.TIE_BEST: "Best, tied", Mark.WORST: "Worst"}


def _extremes(summary: Summary, alike: Alike | None) -> Iterator[_Extreme]:
    origins = np.array([each or "" for each in summary.extras.get("perplexity_origin", ())])
    for column in summary.columns:
        if column.better:
            values = summary.numbers(column.key)
            known = np.isfinite(values)
            if column.key == "score":
                values = values.round(TIE_DECIMALS)
            for among in _classes_of(column, alike):
                compared = known
                if among is not None:
                    compared = known & np.array([each in among for each in summary.run_ids], dtype=bool)
                # Two kinds of perplexity (of the last evaluation, of the best one) say nothing about each other.
                is_mixed = column.key == "perplexity" and len(set(origins[compared])) > 1
                if compared.any() and not is_mixed:
                    yield from _extremes_of(column, values, compared, of_class=compared.sum() < known.sum())


def _classes_of(column: Column, alike: Alike | None) -> Sequence[Collection[str] | None]:
    of_reward = column.metric is not None and is_reward(column.metric)
    is_evaluated = column.of_loss or of_reward or (column.metric is not None and metric_of(column.metric).evaluated)
    if alike is None or not is_evaluated:
        return (None,)
    if of_reward and alike.rewards is not None:
        return alike.rewards
    return alike.losses if column.of_loss else alike.metrics


def _extremes_of(column: Column, values: np.ndarray, compared: np.ndarray, *, of_class: bool) -> Iterator[_Extreme]:
    lowest, highest = values[compared].min(), values[compared].max()
    if not lowest < highest:
        return
    best, worst = (lowest, highest) if column.better == "lower" else (highest, lowest)
    count, are_best = int(compared.sum()), compared & (values == best)
    yield _Extreme(column, compared & (values == worst), Mark.WORST, count, of_class)
    yield _Extreme(column, are_best, Mark.TIE_BEST if are_best.sum() > 1 else Mark.BEST, count, of_class)

"""What stands out in the summary table: the best and the worst of a column, and gaps that should worry somebody."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from enum import StrEnum
from typing import NamedTuple

import numpy as np
import pandas as pd

from lib.core.facts.metrics import metric_of
from lib.core.gap.overfitting import GAP_WARNING
from lib.core.ranking.scoring import TIE_DECIMALS
from lib.table.columns import COLUMNS, Column


class Mark(StrEnum):
    """What stands out about a cell."""

    BEST = "best"
    TIE_BEST = "tie-best"
    WORST = "worst"
    HIGH = "high"
    NEGATIVE = "negative"


class Alike(NamedTuple):
    """The classes of runs whose values mean the same, by run id; a run outside all of them has no best and no worst.

    Attributes:
        losses: For columns that are ``of_loss``.
        metrics: For columns of other evaluated metrics.
    """

    losses: Sequence[Collection[str]]
    metrics: Sequence[Collection[str]]


def marks(frame: pd.DataFrame, alike: Alike | None = None, columns: Sequence[Column] = COLUMNS) -> pd.DataFrame:
    """Find what stands out: per cell a ``Mark`` or "", in a frame of text with the index of ``frame``.

    Best and worst need two different finite values; NaN and infinities take no part. Several best are
    ``TIE_BEST``, several worst are each ``WORST``. The gap is marked ``HIGH`` or ``NEGATIVE`` instead.

    Args:
        frame: Of ``summary_frame``.
        alike: The classes of which each has a best and a worst of its own; ``None`` where all runs are one.
        columns: Those of the frame.
    """
    found = {column.key: pd.Series("", index=frame.index, dtype="str") for column in columns}
    for extreme in _extremes(frame, alike, columns):
        found[extreme.column.key][extreme.cells] = extreme.mark.value
    if "gap" in found:
        # Not by rounding the gap: that overflows for a loss near the largest float.
        noise = 0.5 * 10.0**-TIE_DECIMALS
        found["gap"][frame["gap"] > GAP_WARNING + noise] = Mark.HIGH.value
        found["gap"][frame["gap"] < -noise] = Mark.NEGATIVE.value
    return pd.DataFrame(found, index=frame.index)


def mark_notes(frame: pd.DataFrame, alike: Alike | None = None, columns: Sequence[Column] = COLUMNS) -> pd.DataFrame:
    """What each best and worst is the best or worst of, as a sentence; "" for other cells. Arguments as ``marks``."""
    found = {column.key: pd.Series("", index=frame.index, dtype="str") for column in columns}
    for extreme in _extremes(frame, alike, columns):
        found[extreme.column.key][extreme.cells] = extreme.sentence
    return pd.DataFrame(found, index=frame.index)


class _Extreme(NamedTuple):
    """The best or the worst cells of a column among some runs.

    Attributes:
        cells: Which they are, shape (n,) for n runs, bool.
        runs: How many runs they are the best or worst of.
        of_class: Other runs have a value too, and do not compare with these.
    """

    column: Column
    cells: pd.Series
    mark: Mark
    runs: int
    of_class: bool

    @property
    def sentence(self) -> str:
        is_lowest = (self.column.better == "lower") is (self.mark is not Mark.WORST)
        among = f"the {self.runs} runs that compare" if self.of_class else f"{self.runs} runs"
        return f"{_TITLES[self.mark]}: the {'lowest' if is_lowest else 'highest'} of {among}."


_TITLES = {Mark.BEST: "Best", Mark.TIE_BEST: "Best, tied", Mark.WORST: "Worst"}


def _extremes(frame: pd.DataFrame, alike: Alike | None, columns: Sequence[Column]) -> Iterator[_Extreme]:
    for column in columns:
        if column.better:
            values = frame[column.key].where(np.isfinite(frame[column.key]))
            if column.key == "score":
                values = values.round(TIE_DECIMALS)
            for among in _classes_of(column, alike):
                compared = values if among is None else values.where(frame["run_id"].isin(list(among)))
                yield from _extremes_of(frame, column, compared, of_class=compared.count() < values.count())


def _classes_of(column: Column, alike: Alike | None) -> Sequence[Collection[str] | None]:
    is_evaluated = column.of_loss or (column.metric is not None and metric_of(column.metric).evaluated)
    if alike is None or not is_evaluated:
        return (None,)
    return alike.losses if column.of_loss else alike.metrics


def _extremes_of(frame: pd.DataFrame, column: Column, values: pd.Series, *, of_class: bool) -> Iterator[_Extreme]:
    lowest, highest = values.min(), values.max()
    # Two kinds of perplexity (of the last evaluation, of the best one) say nothing about each other.
    mixed = column.key == "perplexity" and frame.loc[values.notna(), "perplexity_origin"].nunique() > 1
    if mixed or not lowest < highest:
        return
    best, worst = (lowest, highest) if column.better == "lower" else (highest, lowest)
    count = int(values.count())
    yield _Extreme(column, values == worst, Mark.WORST, count, of_class)
    tied = (values == best).sum() > 1
    yield _Extreme(column, values == best, Mark.TIE_BEST if tied else Mark.BEST, count, of_class)

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
    found = _no_texts(frame, columns)
    for extreme in _extremes(frame, alike, columns):
        found[extreme.column.key][extreme.cells] = extreme.mark.value
    if "gap" in found:
        # Not by rounding the gap: that overflows for a loss near the largest float.
        noise, gap = 0.5 * 10.0**-TIE_DECIMALS, _numbers(frame["gap"])
        found["gap"][gap > GAP_WARNING + noise] = Mark.HIGH.value
        found["gap"][gap < -noise] = Mark.NEGATIVE.value
    return pd.DataFrame(found, index=frame.index, dtype="str")


def mark_notes(frame: pd.DataFrame, alike: Alike | None = None, columns: Sequence[Column] = COLUMNS) -> pd.DataFrame:
    """What each best and worst is the best or worst of, as a sentence; "" for other cells. Arguments as ``marks``."""
    found = _no_texts(frame, columns)
    for extreme in _extremes(frame, alike, columns):
        found[extreme.column.key][extreme.cells] = extreme.sentence
    return pd.DataFrame(found, index=frame.index, dtype="str")


def _no_texts(frame: pd.DataFrame, columns: Sequence[Column]) -> dict[str, np.ndarray]:
    return {column.key: np.full(len(frame), "", dtype=object) for column in columns}


def _numbers(column: pd.Series) -> np.ndarray:
    return column.to_numpy(dtype=np.float64, na_value=np.nan)


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


def _extremes(frame: pd.DataFrame, alike: Alike | None, columns: Sequence[Column]) -> Iterator[_Extreme]:
    run_ids = frame["run_id"].tolist()
    for column in columns:
        if column.better:
            values = _numbers(frame[column.key])
            known = np.isfinite(values)
            if column.key == "score":
                values = values.round(TIE_DECIMALS)
            for among in _classes_of(column, alike):
                compared = known if among is None else known & np.array([each in among for each in run_ids], dtype=bool)
                # Two kinds of perplexity (of the last evaluation, of the best one) say nothing about each other.
                is_mixed = column.key == "perplexity" and frame["perplexity_origin"][compared].nunique() > 1
                if compared.any() and not is_mixed:
                    yield from _extremes_of(column, values, compared, of_class=compared.sum() < known.sum())


def _classes_of(column: Column, alike: Alike | None) -> Sequence[Collection[str] | None]:
    is_evaluated = column.of_loss or (column.metric is not None and metric_of(column.metric).evaluated)
    if alike is None or not is_evaluated:
        return (None,)
    return alike.losses if column.of_loss else alike.metrics


def _extremes_of(column: Column, values: np.ndarray, compared: np.ndarray, *, of_class: bool) -> Iterator[_Extreme]:
    lowest, highest = values[compared].min(), values[compared].max()
    if not lowest < highest:
        return
    best, worst = (lowest, highest) if column.better == "lower" else (highest, lowest)
    count, are_best = int(compared.sum()), compared & (values == best)
    yield _Extreme(column, compared & (values == worst), Mark.WORST, count, of_class)
    yield _Extreme(column, are_best, Mark.TIE_BEST if are_best.sum() > 1 else Mark.BEST, count, of_class)

"""What stands out in the summary table: the best and the worst of a column, and gaps that should worry somebody."""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum

import numpy as np
import pandas as pd

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


def marks(frame: pd.DataFrame, comparable: Collection[str] | None = None) -> pd.DataFrame:
    """Find what stands out: per cell a ``Mark`` or "", in a frame of text with the index of ``frame``.

    Best and worst need two different finite values; NaN and infinities take no part. Several best are
    ``TIE_BEST``, several worst are each ``WORST``. The gap is marked ``HIGH`` or ``NEGATIVE`` instead.

    Args:
        frame: Of ``summary_frame``.
        comparable: The ids of the runs among which the columns that are ``of_loss`` have a best and a worst; ``None``
            for all.
    """
    alike = pd.Series(True, index=frame.index) if comparable is None else frame["run_id"].isin(list(comparable))
    found = {column.key: pd.Series("", index=frame.index, dtype="str") for column in COLUMNS}
    for column in COLUMNS:
        if column.better:
            _mark_extremes(frame, column, found[column.key], alike if column.of_loss else None)
    # Not by rounding the gap: that overflows for a loss near the largest float.
    noise = 0.5 * 10.0**-TIE_DECIMALS
    found["gap"][frame["gap"] > GAP_WARNING + noise] = Mark.HIGH.value
    found["gap"][frame["gap"] < -noise] = Mark.NEGATIVE.value
    return pd.DataFrame(found, index=frame.index)


def _mark_extremes(frame: pd.DataFrame, column: Column, found: pd.Series, among: pd.Series | None) -> None:
    values = frame[column.key].where(np.isfinite(frame[column.key]))
    if among is not None:
        values = values.where(among)
    if column.key == "score":
        values = values.round(TIE_DECIMALS)
    lowest, highest = values.min(), values.max()
    # Two kinds of perplexity (of the last evaluation, of the best one) say nothing about each other.
    mixed = column.key == "perplexity" and frame.loc[values.notna(), "perplexity_origin"].nunique() > 1
    if mixed or not lowest < highest:
        return
    best, worst = (lowest, highest) if column.better == "lower" else (highest, lowest)
    found[values == worst] = Mark.WORST.value
    found[values == best] = (Mark.TIE_BEST if (values == best).sum() > 1 else Mark.BEST).value

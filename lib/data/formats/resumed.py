"""A metric that was logged by several processes, one after the other: what of it holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lib.data.formats.logged import Series


@dataclass(frozen=True, slots=True)
class Joined:
    """One metric of several parts.

    Attributes:
        series: What holds of it, in the order of the parts.
        replaced: How many points a later part has anew at the same step.
        voided: How many points are of a training that a later one began again.
    """

    series: Series
    replaced: int
    voided: int


def join(parts: Sequence[Series]) -> Joined:
    """Join what processes logged of one metric, the first to begin first.

    A process that goes on from a checkpoint repeats some steps: at equal steps the later part holds. One that begins at
    or before the first step of an earlier part, after that ended, is a training anew, and nothing of the earlier holds:
    else the end of an old training would stand behind the beginning of a new one. Steps that one part repeats stay.
    """
    kept: list[Series] = []
    replaced = voided = 0
    for part in parts:
        if not len(part.step):
            continue
        left = []
        for earlier in kept:
            if part.step.min() <= earlier.step.min() and not _is_beside(earlier, part):
                voided += len(earlier.step)
                continue
            stays = ~np.isin(earlier.step, part.step)
            replaced += int(np.count_nonzero(~stays))
            if stays.any():
                left.append(earlier if stays.all() else taken(earlier, stays))
        kept = [*left, part]
    return Joined(_concatenated(kept), replaced, voided)


def _is_beside(earlier: Series, later: Series) -> bool:
    """Whether the later began before the earlier ended: two processes at the same time."""
    if earlier.at is None or later.at is None or np.isnan(earlier.at).all() or np.isnan(later.at).all():
        return False
    return bool(np.nanmin(later.at) < np.nanmax(earlier.at))


def taken(series: Series, which: np.ndarray) -> Series:
    """The points of a series that an index or a mask chooses."""
    return Series(
        series.step[which],
        series.value[which],
        None if series.epoch is None else series.epoch[which],
        None if series.at is None else series.at[which],
    )


def _concatenated(parts: Sequence[Series]) -> Series:
    if len(parts) == 1:
        return parts[0]
    if not parts:
        return Series(np.empty(0, np.int64), np.empty(0, np.float64))
    return Series(
        np.concatenate([each.step for each in parts]),
        np.concatenate([each.value for each in parts]),
        _column([(each.epoch, len(each.step)) for each in parts]),
        _column([(each.at, len(each.step)) for each in parts]),
    )


def _column(parts: Sequence[tuple[np.ndarray | None, int]]) -> np.ndarray | None:
    if all(column is None for column, _ in parts):
        return None
    return np.concatenate([np.full(length, np.nan) if column is None else column for column, length in parts])

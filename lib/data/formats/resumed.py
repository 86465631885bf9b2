"""Metrics that several processes logged, one after the other: what of them holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lib.data.formats.logged import Series


@dataclass(frozen=True, slots=True)
class Joined:
    """The metrics of several processes.

    Attributes:
        series: By name what holds, in the order of the processes.
        replaced: How many points a later process has anew at the same step.
        voided: How many points are of a training that a later one began again.
    """

    series: dict[str, Series]
    replaced: int
    voided: int

    def notes(self) -> list[str]:
        """Sentences on what was left out."""
        found = []
        if self.replaced:
            found.append(f"{self.replaced:,} points were left out, since a later process has their steps anew.")
        if self.voided:
            found.append(f"{self.voided:,} points of an earlier training were left out, since a later one began again.")
        return found


def join(parts: Sequence[Mapping[str, Series]]) -> Joined:
    """Join what processes logged, the first to begin first.

    A process that goes on from a checkpoint repeats some steps: at equal steps the later holds, and steps that one
    process repeats stay. A process that begins again, after the earlier ended, is a training anew, and nothing that the
    earlier says of the same metrics holds: else its end would stand behind the beginning of the new one.
    """
    kept: list[dict[str, Series]] = []
    replaced = voided = 0
    for part in parts:
        later = {name: series for name, series in part.items() if len(series.step)}
        for earlier in kept:
            shared = [name for name in earlier if name in later]
            anew = _begins_again([(earlier[name], later[name]) for name in shared])
            for name in shared:
                before = earlier.pop(name)
                if anew:
                    voided += len(before.step)
                    continue
                stays = ~np.isin(before.step, later[name].step)
                replaced += int(np.count_nonzero(~stays))
                if stays.any():
                    earlier[name] = taken(before, stays)
        kept.append(later)
    names = dict.fromkeys(name for part in kept for name in part)
    series = {name: _concatenated([part[name] for part in kept if name in part]) for name in names}
    return Joined(series, replaced, voided)


def _begins_again(pairs: Sequence[tuple[Series, Series]]) -> bool:
    """Whether each metric of the later process begins at or before the earlier one's first step.

    One value at one step is no training: somebody may evaluate a model afterwards, at step 0. And two processes at the
    same time are two parts of one training.
    """
    if not any(later.step.min() < later.step.max() for _, later in pairs):
        return False
    if not all(later.step.min() <= earlier.step.min() for earlier, later in pairs):
        return False
    ends = [float(np.nanmax(earlier.at)) for earlier, _ in pairs if _has_clock(earlier) and earlier.at is not None]
    begins = [float(np.nanmin(later.at)) for _, later in pairs if _has_clock(later) and later.at is not None]
    return not ends or not begins or min(begins) >= max(ends)


def _has_clock(series: Series) -> bool:
    return series.at is not None and not bool(np.isnan(series.at).all())


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

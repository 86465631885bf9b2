"""What a log counts in: its steps, where a metric of it counts better, and its epochs.

Some logs number their rows ("_step" of Weights & Biases) and have the optimizer's step as a metric beside the others;
many have the epoch so. Neither is a metric that anybody compares.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from lib.data.formats.logged import Series
from lib.data.formats.metric_words import words_of

MAX_STEP = 2**53
"""Larger numbers are no steps, and would not survive a chart, which counts in floats."""

_T = TypeVar("_T")

_COUNTERS = (
    ("train", "global", "step"), ("trainer", "global", "step"), ("global", "step"), ("global", "steps"), ("iter",),
    ("iteration",), ("iterations",), ("step",), ("steps",), ("train", "step"), ("train", "steps"), ("train", "iter"),
    ("train", "iteration"), ("optimizer", "step"), ("update", "step"), ("update",), ("num", "updates"),
)  # fmt: skip
"""What a count of optimizer steps is called, the surest first."""
_EPOCHS = (
    ("train", "epoch"), ("epoch",), ("trainer", "epoch"), ("epochs",), ("current", "epoch"), ("train", "epochs"),
    ("eval", "epoch"), ("val", "epoch"),
)  # fmt: skip
_COVERED = 0.5
"""A counter stands beside this share of the steps at least, or it counts something else."""
_RISING = 0.95
"""And it rises from one value to the next in this share of them: a resume sets it back, an epoch's count always."""


class Once:
    """What follows from arrays, worked out once for each: metrics that were logged together share theirs."""

    def __init__(self) -> None:
        self._made: dict[tuple[object, ...], tuple[tuple[np.ndarray | None, ...], object]] = {}

    def of(self, make: Callable[..., _T], *arrays: np.ndarray | None) -> _T:
        """What a function makes of some arrays, which nobody changes meanwhile."""
        key = (make, *map(id, arrays))
        found = self._made.get(key)
        if found is None:
            # With the arrays, or another one might get the place of one that is gone.
            found = self._made[key] = arrays, make(*arrays)
        made: _T = found[1]  # type: ignore[assignment]
        return made


def all_steps(series: Iterable[Series]) -> np.ndarray:
    """The steps at which one of some series has a value, each once, in ascending order."""
    steps = sorted({id(each.step): each.step for each in series}.values(), key=len, reverse=True)
    if not steps:
        return np.empty(0, dtype=np.int64)
    found = _ascending(steps[0])
    more = []
    for each in steps[1:]:
        if not np.array_equal(each, steps[0]):
            own = _ascending(each)
            place = np.searchsorted(found, own)
            more.append(own[found[np.minimum(place, len(found) - 1)] != own])
    return _ascending(np.concatenate([found, *more])) if any(map(len, more)) else found


def _ascending(steps: np.ndarray) -> np.ndarray:
    if (steps[1:] > steps[:-1]).all():
        return steps
    # Quick where they are in order but for some places.
    ordered = np.sort(steps, kind="stable")
    return np.asarray(ordered[np.append(True, ordered[1:] != ordered[:-1])])


@dataclass(frozen=True, slots=True, eq=False)
class Counted:
    """The series of a log by the steps that count.

    Attributes:
        series: Without those that only count; each has its epochs where any series tells them.
        counter: The metric that the steps were taken from; "" where they are the log's own.
        in_epochs: Steps are epochs done.
        shifted: The log's epochs count from 0: one was added.
    """

    series: Mapping[str, Series]
    counter: str = ""
    in_epochs: bool = False
    shifted: bool = False


def counted(series: Mapping[str, Series], *, in_epochs: bool, train: str | None = None) -> Counted:
    """Bring the series of a log to the steps that count.

    Args:
        series: As logged; none is empty.
        in_epochs: Its steps are epochs.
        train: The series that is the train loss, where that is known. A log of epochs whose first train loss is of
            epoch 0 counts from 0; else epoch 0 is what was evaluated before training.
    """
    if in_epochs:
        first = min((int(each.step.min()) for each in series.values()), default=1)
        from_0 = first == 0 and (train is None or int(series[train].step.min()) == 0)
        return Counted(
            {name: _in_epochs(each, int(from_0)) for name, each in series.items() if words_of(name) not in _EPOCHS},
            in_epochs=True,
            shifted=from_0,
        )
    named = {words_of(name): name for name in sorted(series, reverse=True)}
    counters = [named[words] for words in _COUNTERS if words in named]
    epochs = next((named[words] for words in _EPOCHS if words in named and _counts(series[named[words]])), None)
    found = {name: each for name, each in series.items() if words_of(name) not in (*_COUNTERS, *_EPOCHS)}
    if not found:
        return Counted(series)
    if epochs is not None:
        once = Once()
        found = {name: _with_epochs(each, series[epochs], once) for name, each in found.items()}
    steps = all_steps(found.values()) if counters else np.empty(0)
    for name in counters:
        counter = series[name]
        covered = float(np.isin(steps, counter.step).mean())
        if covered < _COVERED or not _counts(counter) or (counter.value != np.floor(counter.value)).any():
            continue
        if not np.array_equal(counter.step, counter.value):
            once = Once()
            return Counted({key: _by_counter(each, counter, once) for key, each in found.items()}, counter=name)
        break
    return Counted(found)


def _counts(series: Series) -> bool:
    """Whether the values of a series can count: none is negative, lost or too large, and nearly all rise or stay."""
    value = series.value
    if not np.isfinite(value).all() or value.min() < 0 or value.max() >= MAX_STEP:
        return False
    return len(value) < 2 or float((np.diff(value) >= 0).mean()) >= _RISING


def _in_epochs(series: Series, shift: int) -> Series:
    step = series.step + shift
    done = step.astype(np.float64)
    # A column that says no more than the steps do counts as they do: from 0, or the epochs done.
    epoch = done if series.epoch is None else np.where(series.epoch == series.step, done, series.epoch)
    return replace(series, step=step, epoch=epoch)


def _with_epochs(series: Series, epochs: Series, once: Once) -> Series:
    if series.epoch is not None and np.isfinite(series.epoch).any():
        return series
    return replace(series, epoch=once.of(_beside, series.step, epochs.step, epochs.value))


def _beside(step: np.ndarray, known: np.ndarray, value: np.ndarray) -> np.ndarray:
    """The value at each very step, NaN where there is none."""
    at, is_known = _at_or_before(step, known)
    return np.where(is_known, value[at], np.nan)


def _by_counter(series: Series, counter: Series, once: Once) -> Series:
    return replace(series, step=once.of(_counted_at, series.step, counter.step, counter.value))


def _counted_at(step: np.ndarray, known: np.ndarray, value: np.ndarray) -> np.ndarray:
    at, _ = _at_or_before(step, known)
    return np.asarray(value[at].astype(np.int64))


def _at_or_before(step: np.ndarray, known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each step, the place in ``known`` of the last one at or before it, and whether that is the very same.

    Where none is at or before it, that is the place of the first of all.
    """
    order = np.argsort(known, kind="stable")
    place = np.searchsorted(known[order], step, side="right") - 1
    at = order[np.maximum(place, 0)]
    return at, known[at] == step

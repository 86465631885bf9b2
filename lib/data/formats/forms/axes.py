"""What a log counts in: its steps, where a metric of it counts better, and its epochs.

Some logs number their rows ("_step" of Weights & Biases) and have the optimizer's step as a metric beside the others;
many have the epoch so. Neither is a metric that anybody compares.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from lib.data.formats.logged import Series
from lib.data.formats.metric_words import words_of

MAX_STEP = 2**53
"""Larger numbers are no steps, and would not survive a chart, which counts in floats."""

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
        found = {name: _with_epochs(each, series[epochs]) for name, each in found.items()}
    steps = np.unique(np.concatenate([each.step for each in found.values()]))
    for name in counters:
        counter = series[name]
        covered = float(np.isin(steps, counter.step).mean())
        if covered < _COVERED or not _counts(counter) or (counter.value != np.floor(counter.value)).any():
            continue
        if not np.array_equal(counter.step, counter.value):
            return Counted({key: _by_counter(each, counter) for key, each in found.items()}, counter=name)
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


def _with_epochs(series: Series, epochs: Series) -> Series:
    if series.epoch is not None and np.isfinite(series.epoch).any():
        return series
    at, known = _at_or_before(series.step, epochs.step)
    return replace(series, epoch=np.where(known, epochs.value[at], np.nan))


def _by_counter(series: Series, counter: Series) -> Series:
    at, _ = _at_or_before(series.step, counter.step)
    return replace(series, step=counter.value[at].astype(np.int64))


def _at_or_before(step: np.ndarray, known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each step, the place in ``known`` of the last one at or before it, and whether that is the very same.

    Where none is at or before it, that is the place of the first of all.
    """
    order = np.argsort(known, kind="stable")
    place = np.searchsorted(known[order], step, side="right") - 1
    at = order[np.maximum(place, 0)]
    return at, known[at] == step

"""Histories that are no list of rows: a list for each metric, or an object for each epoch."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lib.core.facts.values import number
from lib.data.formats.logged import FilePath, LoggedRun, Series

MAX_SERIES = 2_000
_DEEPEST = 4
_METRIC_NAME = re.compile(
    r"(?:loss|acc|accuracy|perplexity|ppl|learning_rate|lr|reward|score|error|f1)(?:es|s)?"
    r"(?:[_/. -](?:train\w{0,60}|val\w{0,60}|test|eval|dev|epoch|step|history|list|curve))?$",
    re.I,
)
_OF_STEPS = ("step", "steps", "global_step", "iteration", "iter")
_OF_EPOCHS = ("epoch", "epochs")
_KEY = re.compile(r"(?P<counts>(?:global[ _-]?)?step|iter(?:ation)?|checkpoint|epoch)?[ _-]?(?P<number>\d{1,9})", re.I)
_SPLIT = re.compile(r"(?:train|val|eval|dev|test)", re.I)
_LOSS = re.compile(r"(?<![a-z])loss(?![a-z])", re.I)


def flat(content: Mapping[str, Any], depth: int = 0) -> dict[str, Any]:
    """What stands in objects of an object, by the path to it.

    Example:
        >>> flat({"training": {"combined": {"loss": [2.0, 1.0]}}, "epochs": 2})
        {'training/combined/loss': [2.0, 1.0], 'epochs': 2}
    """
    found: dict[str, Any] = {}
    for key, value in content.items():
        if isinstance(value, Mapping) and depth < _DEEPEST:
            found.update({f"{key}/{inner}": each for inner, each in flat(value, depth + 1).items()})
        else:
            found[str(key)] = value
    return found


def lists_of_splits(content: Mapping[str, Any]) -> dict[str, Any]:
    """The lists below the names of splits, by the path to each; none where no split is named: then they may be data."""
    return (
        flat(content) if any(_SPLIT.match(str(key)) for key, each in content.items() if isinstance(each, dict)) else {}
    )


def rows_by_key(content: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Rows from an object with an object of metrics for each epoch or step, which its key states.

    Keys that are numbers by themselves may as well count examples or folds: they are epochs where all below them are
    numbers, a loss among them.

    Returns:
        Nothing where the keys or what they hold are something else.

    Example:
        >>> rows_by_key({"epoch_1": {"train": {"loss": 2.0}}, "epoch_2": {"train": {"loss": 1.0}}})
        [{'epoch': 1, 'train/loss': 2.0}, {'epoch': 2, 'train/loss': 1.0}]
    """
    keys = [_KEY.fullmatch(str(key)) for key in content]
    named = {(key["counts"] or "").lower() for key in keys if key}
    if len(keys) < 2 or not all(keys) or len(named) > 1 or not all(isinstance(each, dict) for each in content.values()):
        return []
    counts = named.pop()
    inner = [flat(each) for each in content.values()]
    if not counts:
        names = {name for each in inner for name in each}
        values = [value for each in inner for value in each.values()]
        if not any(map(_LOSS.search, names)) or any(value is not None and number(value) is None for value in values):
            return []
    counter = "epoch" if counts in ("", "epoch") else "step"
    rows = [{counter: int(key["number"]), **each} for key, each in zip(keys, inner, strict=True) if key]
    # Files are written with sorted keys too, "10" before "2".
    return sorted(rows, key=lambda row: int(row[counter]))


def of_lists(content: Mapping[str, Any], path: FilePath) -> tuple[LoggedRun, ...]:
    """A run of lists of equal length, one for each metric and with one value for each epoch."""
    lists = {str(key): value for key, value in content.items() if isinstance(value, list) and len(value) > 1}
    columns = {key: column for key, value in lists.items() if (column := _column(value)) is not None}
    lengths = [len(column) for column in columns.values()]
    if not columns or len(columns) > MAX_SERIES:
        return ()
    length = max(set(lengths), key=lambda each: (lengths.count(each), each))
    counters = [name for name in (*_OF_STEPS, *_OF_EPOCHS) if name in columns and len(columns[name]) == length]
    counted = counters[0] if counters else ""
    metrics = {key: value for key, value in columns.items() if key not in (*_OF_STEPS, *_OF_EPOCHS)}
    if not any(_METRIC_NAME.search(key) for key in metrics):
        return ()
    count = columns[counted] if counted else np.arange(1.0, length + 1)
    if not (np.isfinite(count) & (count >= 0) & (count < 2**53) & (count == np.floor(count))).all():
        return ()
    step = count.astype("int64")
    series = {}
    for key, value in metrics.items():
        if len(value) == length:
            known = ~np.isnan(value) | np.array([each is not None for each in lists[key]])
            series[key] = Series(step[known], value[known])
    notes = []
    if others := sorted(key for key, value in metrics.items() if len(value) != length):
        notes.append(
            f"Lists of other lengths were left out: {', '.join(others[:5])}{', ...' if len(others) > 5 else ''}."
        )
    if not counted:
        notes.append("The lists state no step: their values were counted as epochs, from 1.")
    is_by_step = counted in _OF_STEPS
    return (LoggedRun(files=(path,), series=series, counted="step" if is_by_step else "epoch", notes=tuple(notes)),)


def _column(values: Sequence[Any]) -> np.ndarray | None:
    """A list of numbers; NaN where it says null. ``None`` where it is none."""
    numbers = [np.nan if each is None else number(each) for each in values]
    if any(each is None for each in numbers):
        return None
    return np.array(numbers, dtype="float64")

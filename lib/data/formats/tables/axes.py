"""Which columns of a table count: steps, epochs, tokens and clocks, by name and by shape."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from lib.core.facts.values import clock_unit
from lib.data.formats.tables.arrow import ArrowTexts
from lib.data.formats.tables.table import Numbers, Table, Words, distinct_values
from lib.data.formats.tables.written import seconds_of

STEP_NAMES = (
    "global_step",
    "globalstep",
    "trainer_global_step",
    "step",
    "training_step",
    "train_step",
    "optimizer_step",
    "current_step",
    "current_steps",
    "total_timesteps",
    "timesteps_total",
    "num_timesteps",
    "timestep",
    "training_iteration",
    "iteration",
    "iter",
    "iterations",
    "update",
    "num_updates",
    "steps",
    "num_steps",
    "iter_num",
    "it",
    "batch",
    "batch_idx",
)
"""Names of a column of steps, the surest first."""
SURE_STEP_NAMES = frozenset(STEP_NAMES[:14])
"""Those that hardly mean anything else: a log may begin anywhere."""
EPOCH_NAMES = ("epoch", "epochs", "current_epoch", "epoch_num", "epoch_idx", "num_epochs")
TOKEN_NAMES = (
    "tokens",
    "num_tokens",
    "total_tokens",
    "tokens_seen",
    "num_tokens_seen",
    "num_input_tokens_seen",
    "consumed_tokens",
    "train_tokens",
)
CLOCK_NAMES = (
    "wall_time",
    "walltime",
    "timestamp",
    "relative_time",
    "relative_time_process",
    "relative_time_wall",
    "elapsed",
    "elapsed_time",
    "elapsed_s",
    "elapsed_seconds",
    "train_time",
    "runtime",
    "time",
    "datetime",
    "date",
    "created_at",
)

_MOST_STEP = 1e15
"""Beyond it are identities and clocks; and every whole number below is exact in a double."""
_FALLS = 0.02
"""Share of rows at which a count may step back: a training that was resumed from a checkpoint now and then."""
_SOME_FALLS = 3
_EARLY = 10_000
_LATEST_EPOCH = 100_000
_MOST_CLOCK_WORDS = 200_000
"""More are no clock unless Arrow reads them, which knows fewer spellings."""
_FEW_GROUPS = 2**16 - 1


_OF_TOTAL = re.compile(r"\s*\d{1,15}\s*/\s*\d{1,15}\s*")


def plain_name(name: str) -> str:
    """A column's name as it is looked up.

    Example:
        >>> plain_name("Wall time"), plain_name("_step"), plain_name("globalStep"), plain_name("step (s)")
        ('wall_time', 'step', 'global_step', 'step_s')
    """
    parted = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name)
    return re.sub(r"[^0-9a-z/]+", "_", parted.lower()).strip("_")


def named(names: Iterable[str], wanted: Sequence[str]) -> list[str]:
    """Columns by one of the wanted names, the surest first: whole names before those in a group ("train/step")."""
    ranks = {each: rank for rank, each in enumerate(wanted)}
    found = []
    for place, name in enumerate(names):
        plain = plain_name(name)
        last = plain.rpartition("/")[2]
        if (whole := ranks.get(plain.replace("/", "_"))) is not None:
            found.append((0, whole, place, name))
        elif (grouped := ranks.get(last)) is not None:
            found.append((1, grouped, place, name))
    return [name for *_, name in sorted(found)]


def may_have_steps(names: Sequence[str]) -> bool:
    """Whether columns of these names may hold steps, epochs or tokens."""
    return bool(named(names, (*STEP_NAMES, *EPOCH_NAMES, *TOKEN_NAMES)))


def with_counts(table: Table) -> Table:
    """The table, with steps and epochs that stand there with their total ("10/200") as numbers."""
    names = [
        name
        for name in named(table.words, (*STEP_NAMES, *EPOCH_NAMES))
        if table.words[name].words and all(map(_OF_TOTAL.fullmatch, table.words[name].words))
    ]
    if not names:
        return table
    numbers = dict(table.numbers)
    for name in names:
        codes = table.words[name].codes
        values = np.array([*(float(word.partition("/")[0]) for word in table.words[name].words), np.nan])
        numbers[name] = Numbers(values[codes], codes >= 0)
    words = {name: column for name, column in table.words.items() if name not in names}
    return replace(table, numbers=numbers, words=words)


@dataclass(frozen=True, slots=True)
class Axes:
    """The columns that count, by name; ``None`` where there is none.

    Attributes:
        count: What rows are counted by.
        counts: What that is: "step", "epoch" or "tokens"; "entry" where epochs have fractions and are only in order.
        epoch: Epochs beside it.
        clock: When a row was written.
    """

    count: str
    counts: str
    epoch: str | None = None
    clock: str | None = None

    @property
    def all(self) -> set[str]:
        """The names of columns that are no metrics."""
        return {name for name in (self.count, self.epoch, self.clock) if name is not None}


def axes_of(table: Table, groups: np.ndarray) -> Axes | None:
    """The columns that count in a table, by name and shape.

    Args:
        table: The table.
        groups: To which run each row belongs, shape (rows,), int: a count starts again in each.

    Returns:
        ``None`` where no column has the name and the shape.
    """
    epoch = next((name for name in named(table.numbers, EPOCH_NAMES) if _is_epochs(table.numbers[name], groups)), None)
    clock = next((name for name in named(table.names, CLOCK_NAMES) if _is_clock(table, name, groups)), None)
    for name in named(table.numbers, STEP_NAMES):
        column = table.numbers[name]
        if epoch is not None and _starts_again(column, table.numbers[epoch], groups):
            return Axes(name, "step of the epoch", epoch, clock)
        if is_count(column, groups, plain_name(name).rpartition("/")[2] in SURE_STEP_NAMES):
            return Axes(_same_without_falls(table, name, groups), "step", epoch, clock)
    if epoch is not None:
        whole = _is_whole(table.numbers[epoch])
        return Axes(epoch, "epoch" if whole else "entry", epoch, clock)
    for name in named(table.numbers, TOKEN_NAMES):
        if is_count(table.numbers[name], groups, True) and _mostly_grows(table.numbers[name], groups):
            return Axes(name, "tokens", None, clock)
    return None


def _same_without_falls(table: Table, name: str, groups: np.ndarray) -> str:
    """A column that counts the same where both are given, and falls nowhere, if this one does.

    The rows of some logs state a step, but that of an evaluation counts epochs.
    """
    column = table.numbers[name]
    if not falls_of(column, groups).any():
        return name
    for other in named(table.numbers, STEP_NAMES):
        beside = table.numbers[other]
        both = column.given & beside.given
        is_same = both.any() and bool((column.values[both] == beside.values[both]).all())
        if is_same and not falls_of(beside, groups).any() and is_count(beside, groups, True):
            return other
    return name


def is_count(column: Numbers, groups: np.ndarray, sure: bool) -> bool:
    """Whether numbers count something up in each group: whole, at least 0, hardly ever falling, from small ones.

    Args:
        column: The numbers.
        groups: To which run each row belongs.
        sure: By its name it can begin anywhere.
    """
    if not column.given.any() or not _is_whole(column):
        return False
    values = column.values[column.given]
    if values.min() < 0 or values.max() > _MOST_STEP:
        return False
    if not _hardly_falls(column, groups):
        return False
    first = values[0]
    return bool(sure or first <= max(_EARLY, values.max() / 2))


def _is_whole(column: Numbers) -> bool:
    values = column.values[column.given]
    return bool(np.isfinite(values).all() and (values == np.floor(values)).all())


def _is_epochs(column: Numbers, groups: np.ndarray) -> bool:
    values = column.values[column.given]
    if not values.size or not np.isfinite(values).all():
        return False
    return bool(values.min() >= 0 and values.max() <= _LATEST_EPOCH and _hardly_falls(column, groups))


def _is_clock(table: Table, name: str, groups: np.ndarray) -> bool:
    column = clock_of(table, name)
    return column is not None and bool(column.given.any()) and _hardly_falls(column, groups)


def clock_of(table: Table, name: str) -> Numbers | None:
    """A clock's column in seconds; ``None`` where it shows none."""
    numbers = table.numbers.get(name)
    if numbers is not None:
        values = numbers.values[numbers.given]
        if not values.size or not np.isfinite(values).all():
            return None
        return Numbers(numbers.values * clock_unit(float(values.max())), numbers.given)
    return None if (words := table.words.get(name)) is None else _clock_of_words(words)


def _clock_of_words(words: Words) -> Numbers | None:
    if len(words.words) > _MOST_CLOCK_WORDS:
        moments = words.words.seconds() if isinstance(words.words, ArrowTexts) else None
        if moments is None:
            return None
        values = np.append(moments, np.nan)[words.codes]
        return Numbers(values, ~np.isnan(values))
    seconds = np.full(len(words.words) + 1, np.nan)
    for place, word in enumerate(words.words):
        found = seconds_of(word)
        if found is None:
            return None
        seconds[place] = found
    values = seconds[words.codes]
    return Numbers(values, ~np.isnan(values))


def falls_of(column: Numbers, groups: np.ndarray) -> np.ndarray:
    """Whether a number is below the one before it in its group, for each given one in the order of groups and rows."""
    is_whole = bool(column.given.all())
    values, group = column.values if is_whole else column.values[column.given], groups
    if (values[1:] >= values[:-1]).all():
        # As most logs are written: then it falls in no group.
        return np.zeros(max(values.size - 1, 0), dtype=bool)
    if not is_whole or (group[1:] < group[:-1]).any():
        order = by_group(np.flatnonzero(column.given), groups)
        values, group = column.values[order], group[order]
    return np.asarray((values[1:] < values[:-1]) & (group[1:] == group[:-1]))


def by_group(rows: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Rows in the order of their groups, and within each as they were."""
    group = groups if len(rows) == len(groups) else groups[rows]
    if (group[1:] >= group[:-1]).all():
        return rows
    if group.min() >= -1 and group.max() < _FEW_GROUPS:
        # Short numbers are sorted by their digits, in a tenth of the time.
        group = (group + 1).astype(np.uint16)
    order = np.argsort(group, kind="stable")
    return order if len(rows) == len(groups) else np.asarray(rows[order])


def _hardly_falls(column: Numbers, groups: np.ndarray) -> bool:
    falls = falls_of(column, groups)
    allowed = min(max(_SOME_FALLS, _FALLS * falls.size), falls.size / 4)
    return bool(np.count_nonzero(falls) <= allowed)


def _mostly_grows(column: Numbers, groups: np.ndarray) -> bool:
    """Whether most numbers are above the one before, so that they can stand for steps."""
    values = column.values[column.given]
    return bool(values.size < 2 or len(distinct_values(values)) > values.size / 2)


def _starts_again(column: Numbers, epochs: Numbers, groups: np.ndarray) -> bool:
    """Whether a count falls at the ends of epochs, and only there."""
    counts = column.values[column.given & epochs.given]
    if (counts[1:] >= counts[:-1]).all() or not is_count(column, _within_epochs(epochs, groups), True):
        return False
    order = by_group(np.flatnonzero(column.given & epochs.given), groups)
    falls = (np.diff(column.values[order]) < 0) & (np.diff(groups[order]) == 0)
    return bool(falls.any() and (np.diff(np.floor(epochs.values[order]))[falls] > 0).all())


def _within_epochs(epochs: Numbers, groups: np.ndarray) -> np.ndarray:
    """A group for each epoch of each run."""
    # None is below 0 or above ``_LATEST_EPOCH``.
    numbers = np.where(epochs.given, np.floor(epochs.values) + 1, 0.0).astype(np.int64)
    return np.asarray(groups.astype(np.int64) * (int(numbers.max(initial=0)) + 1) + numbers)

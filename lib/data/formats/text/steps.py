"""From the rows of a text log to runs: which rows are of the training, of which step, and where a run begins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal

import numpy as np

from lib.data.formats.text.rows import Rows

MIN_COUNTS = 2
"""So many different counts make a line one of a log: a sentence with a number in it states one."""
MOST_FALLS = 0.3
"""A count that goes back in more than this share of its lines counts no training: a text has numbers as they come."""
WARM_UP = 0.1
"""A start that got no further than this share of what followed, and whose head is not repeated, was a warm-up."""
MAX_STARTS = 200

_EVALUATING = ("val", "test", "eval", "dev")


@dataclass(frozen=True, slots=True, eq=False)
class Start:
    """The rows of one run.

    Attributes:
        rows: Their positions, shape (n,), in the order written.
        step: What each counts, shape (n,), int64.
        counted: What that is.
        resumed: How often training went back a little and went on from there.
        planned: How many steps there were to be, as the lines say.
    """

    rows: np.ndarray
    step: np.ndarray
    counted: Literal["step", "epoch"]
    resumed: int = 0
    planned: int | None = None


@dataclass(slots=True)
class Counted:
    """All runs of a log, and sentences on how they were found."""

    starts: list[Start]
    notes: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Columns:
    head: np.ndarray
    step: np.ndarray
    epoch: np.ndarray
    part: np.ndarray
    parts: np.ndarray
    line: np.ndarray
    keep: np.ndarray
    total: np.ndarray
    epochs: np.ndarray
    heads: Sequence[str]
    an_epoch: int = 0


def counted(rows: Rows, headers: Sequence[np.ndarray], steps_an_epoch: float | None) -> Counted:
    """Find the runs of a log.

    Args:
        rows: Its rows.
        headers: The other lines: their numbers, and what tells them apart, two arrays of shape (m,).
        steps_an_epoch: As the log states it in words, or ``None``.
    """
    names = ("head", "step", "epoch", "part", "parts", "line", "total", "epochs")
    each = _Columns(
        **{name: rows.column(name) for name in names}, keep=_one_rank(rows.column("rank")), heads=list(rows.heads)
    )
    notes: list[str] = []
    if (others := int((~each.keep).sum())) > 0:
        notes.append(f"Lines of other processes than the first were left out: {others:,}.")
    step, what = _steps(each, rows, steps_an_epoch, notes)
    if step is None:
        return Counted([], notes)
    at = np.flatnonzero(each.keep & (step >= 0))
    starts = _starts(at, step[at], each, rows, headers, what, notes)
    return Counted(starts, notes)


def _one_rank(rank: np.ndarray) -> np.ndarray:
    """The rows of the process that logs: where several do, of the first of them."""
    said = rank[rank >= 0]
    return (rank < 0) | (rank == said.min()) if len(said) else np.ones(len(rank), dtype=bool)


def _steps(
    each: _Columns, rows: Rows, steps_an_epoch: float | None, notes: list[str]
) -> tuple[np.ndarray | None, Literal["step", "epoch"]]:
    """The step of each row, -1 for what is left out; ``None`` where the rows are of no log."""
    has_step = each.keep & (each.step >= 0)
    _drop_single_heads(each, has_step, each.step)
    has_step &= each.keep
    if has_step.any():
        step = _by_epochs(each, has_step)
        _of_loops(each, step, has_step)
        _carried(each, step, has_step)
        return step, "step"
    has_part = each.keep & (each.part >= 0)
    if has_part.any() and len(np.unique(each.part[has_part])) >= MIN_COUNTS:
        step = _parts(each, has_part)
        _of_loops(each, step, has_part)
        _carried(each, step, has_part)
        return step, "step"
    has_epoch = each.keep & np.isfinite(each.epoch)
    bar = rows.column("bar")
    # A bar that has always come to its end is that of an epoch.
    has_bar = len(np.unique(bar[bar >= 0])) >= MIN_COUNTS
    if has_epoch.any() and (each.epoch[has_epoch] % 1 == 0).all() and not has_bar:
        _drop_single_heads(each, has_epoch, each.epoch)
        has_epoch &= each.keep
        if has_epoch.any() and steps_an_epoch is None:
            step = np.full(len(each.step), -1, dtype="int64")
            step[has_epoch] = np.clip(each.epoch[has_epoch], 0, 2**53).astype("int64")
            _carried(each, step, has_epoch)
            return step, "epoch"
    return _of_the_stepless(each, rows, steps_an_epoch, notes), "step"


def _drop_single_heads(each: _Columns, of: np.ndarray, count: np.ndarray) -> None:
    """Leave out rows whose kind of line occurs with one count only, unless another kind surely counts the same."""
    places = np.flatnonzero(of)
    sure = {
        head for head in np.unique(each.head[places]) if len(np.unique(count[of & (each.head == head)])) >= MIN_COUNTS
    }
    main = of & np.isin(each.head, list(sure))
    if not main.any():
        each.keep[places] = False
        return
    low, high = count[main].min(), count[main].max()
    single = of & ~main
    # Before the log begins there may be a program's source, or a text about it.
    is_early = np.arange(len(of)) < np.flatnonzero(main)[0]
    each.keep[single & (is_early | (count < low) | (count > high))] = False


def _is_evaluating(head: str) -> bool:
    return any(word.startswith(_EVALUATING) for word in head.split())


def _main_head(each: _Columns, of: np.ndarray) -> int:
    """The kind of line that counts the training: the one with the most rows that is not of an evaluation."""
    counts = np.bincount(each.head[of], minlength=len(each.heads))
    training = [0 if _is_evaluating(name) else int(n) for name, n in zip(each.heads, counts, strict=True)]
    return int(np.argmax(training if any(training) else counts))


def _by_epochs(each: _Columns, of: np.ndarray) -> np.ndarray:
    """Steps through the whole training, where a log counts them anew in each epoch."""
    step = np.where(of, each.step, -1).astype("int64")
    main = np.flatnonzero(of & (each.head == _main_head(each, of)) & np.isfinite(each.epoch))
    if len(main) < 2:
        return step
    epoch, count = each.epoch[main], each.step[main]
    turns = np.flatnonzero((np.diff(epoch) > 0) & (np.diff(epoch) % 1 == 0) & (epoch[1:] % 1 == 0))
    if not len(turns) or (np.diff(count)[turns] < 0).mean() <= 0.5:
        return step
    total = each.total[main]
    is_stated = total.min() == total.max() >= count.max()
    length = int(total.max()) if is_stated else int(count.max()) + (1 if count.min() == 0 else 0)
    each.an_epoch = length
    inside = of & np.isfinite(each.epoch)
    begun = np.floor(np.where(inside, each.epoch, epoch.min()) - epoch.min())
    # Finite and bounded: an epoch of 1e300 counts nothing.
    begun = np.clip(begun, 0, 10**6).astype("int64")
    return np.where(inside, step + begun * length, step)


def _parts(each: _Columns, of: np.ndarray) -> np.ndarray:
    """Steps of rows that state their place in an epoch: "Epoch: [2][ 10/500]"."""
    step = np.full(len(each.step), -1, dtype="int64")
    for head in np.unique(each.head[of]):
        mine = np.flatnonzero(of & (each.head == head))
        part, epoch = each.part[mine], each.epoch[mine]
        length = int(np.median(each.parts[mine]))
        if np.isfinite(epoch).all():
            begun = np.clip(np.floor(epoch - epoch.min()), 0, 10**6).astype("int64")
        else:
            # A bar without a number of the epoch begins anew with each.
            begun = np.concatenate([[0], np.cumsum(np.diff(part) < 0)])
        step[mine] = np.minimum(begun * length + part, 2**53)
        if head == _main_head(each, of):
            each.an_epoch = length
    return step


def _of_loops(each: _Columns, step: np.ndarray, of: np.ndarray) -> None:
    """Give evaluations that count their own batches the training's step: the last line of each is its result."""
    main = of & (each.head == _main_head(each, of))
    falls = int((np.diff(step[main]) < 0).sum())
    for head in np.unique(each.head[of & ~main]):
        if not _is_evaluating(each.heads[head]):
            continue
        mine = np.flatnonzero(of & (each.head == head))
        raw = np.where(each.part[mine] >= 0, each.part[mine], each.step[mine])
        if int((np.diff(raw) < 0).sum()) <= falls and not (each.part[mine] >= 0).all():
            continue
        last = np.r_[np.diff(raw) < 0, True]
        step[mine] = np.where(last, _before(mine, np.flatnonzero(main), step), -1)


def _carried(each: _Columns, step: np.ndarray, of: np.ndarray) -> None:
    """Give lines that count nothing ("val loss 1.1") the last step that was stated before them."""
    rest = np.flatnonzero(each.keep & ~of)
    stated = np.flatnonzero(of & (step >= 0))
    step[rest] = _before(rest, stated, step)


def _before(rows: np.ndarray, stated: np.ndarray, step: np.ndarray) -> np.ndarray:
    """The step of the last of the ``stated`` rows before each of ``rows``; 0 where none is."""
    place = np.searchsorted(stated, rows) - 1
    return np.where(place >= 0, step[stated[np.maximum(place, 0)]], 0)


def _of_the_stepless(each: _Columns, rows: Rows, steps_an_epoch: float | None, notes: list[str]) -> np.ndarray | None:
    """Steps where no line states one: from the progress bar, else from the epochs, else by counting lines."""
    loss = rows.names.get("loss")
    names, of_row = np.array(rows.point_name), np.array(rows.point_row)
    trains = np.zeros(len(each.step), dtype=bool)
    trains[of_row[names == loss]] = loss is not None
    # A line of a dictionary has the head "" or "epoch"; a lone "loss: 3" is no log by itself.
    rest = each.keep & np.array([name != "=" for name in each.heads])[each.head] if len(each.head) else each.keep
    trains &= rest
    if trains.sum() < MIN_COUNTS:
        return None
    bar, after = rows.column("bar"), rows.column("after")
    step = np.full(len(each.step), -1, dtype="int64")
    places = np.flatnonzero(trains)
    if (bar[places] >= 0).mean() > 0.5 and len(np.unique(bar[places])) >= MIN_COUNTS:
        # A first loss at step 0 means that the bar before a line is not drawn anew before it is written.
        is_behind = bar[places[0]] == 0 and after[places[0]] > 0
        step[rest] = np.where(after[rest] >= 0, after[rest], bar[rest]) if is_behind else bar[rest]
        notes.append("The lines state no step: it was taken from the progress bar before them.")
        return step
    if steps_an_epoch and np.isfinite(each.epoch[places]).all():
        step[rest] = np.nan_to_num(np.clip(np.rint(each.epoch[rest] * steps_an_epoch), -1, 2**53), nan=-1).astype(
            "int64"
        )
        notes.append("The lines state no step: it was worked out from the epoch and the steps of an epoch.")
        return step
    step[rest] = np.cumsum(trains)[rest]
    notes.append("The lines state no step, and there is no progress bar: those with a train loss were counted.")
    return step


def _starts(
    at: np.ndarray,
    step: np.ndarray,
    each: _Columns,
    rows: Rows,
    headers: Sequence[np.ndarray],
    what: Literal["step", "epoch"],
    notes: list[str],
) -> list[Start]:
    """Part rows where training began anew.

    A step that goes back to where the log began is a new start; one that goes back less is a resumed training, whose
    later values hold. A new start is another run, as its values are of another training: to mix them would show a
    curve that nobody trained. Only a short one that came before without repeating the head of the log, as programs
    that compile or measure before they train have it, is left out.
    """
    if not len(at):
        return []
    main = np.flatnonzero(each.head[at] == _main_head(each, np.isin(np.arange(len(each.head)), at)))
    of_main = step[main]
    if len(of_main) > 1 and (np.diff(of_main) < 0).mean() > MOST_FALLS:
        return []
    first = np.unique(of_main)[:2]
    falls = np.flatnonzero(np.diff(of_main) < 0) + 1
    fresh = [int(main[fall]) for fall in falls if of_main[fall] <= first[0]]
    bounds = [0]
    for place in fresh[:MAX_STARTS]:
        while place > bounds[-1] + 1 and step[place - 1] <= step[place] and step[place - 1] <= first[-1]:
            place -= 1
        bounds.append(place)
    if len(fresh) > MAX_STARTS:
        notes.append(f"The log begins anew more than {MAX_STARTS:,} times; the rest was left out.")
        at, step = at[: fresh[MAX_STARTS]], step[: fresh[MAX_STARTS]]
    bounds.append(len(at))
    total = rows.column("total")
    found: list[Start] = []
    for number, (begin, end) in enumerate(pairwise(bounds)):
        mine, count = at[begin:end], step[begin:end]
        follows = bounds[number + 2] - end if number + 2 < len(bounds) else 0
        is_short = end - begin <= min(WARM_UP * follows, 100)
        if is_short and not _is_another(mine, at[end], total, count, each.line, headers):
            notes.append(f"A first start of {len(mine):,} lines, before training began anew, was left out.")
            continue
        resumed = int((np.diff(count[each.head[mine] == each.head[at[main[0]]]]) < 0).sum())
        found.append(Start(mine, count, what, resumed, _planned(mine, each, rows)))
    return found


def _planned(mine: np.ndarray, each: _Columns, rows: Rows) -> int | None:
    """How many steps a run was to make: where it counts those of an epoch, they are multiplied."""
    if each.an_epoch:
        epochs = each.epochs[mine]
        epochs = epochs[np.isfinite(epochs) & (epochs <= 10**6)]
        return int(each.an_epoch * epochs.max()) if len(epochs) else None
    return int(max(each.total[mine].max(initial=0), rows.column("bar_total")[mine].max(initial=0))) or None


def _is_another(
    rows: np.ndarray,
    following: int,
    total: np.ndarray,
    step: np.ndarray,
    line: np.ndarray,
    headers: Sequence[np.ndarray],
) -> bool:
    """Whether the start behind these rows is of a program that was started again."""
    planned = int(total[rows].max(initial=0))
    if planned and (step.max(initial=0) >= planned or total[following] not in (0, planned)):
        return True
    numbers, marks = headers
    head = marks[numbers < line[rows[0]]]
    between = marks[(numbers > line[rows[-1]]) & (numbers < line[following])]
    return bool(np.isin(between, head).any())

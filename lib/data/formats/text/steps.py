"""From the rows of a text log to steps: which rows are of the training, and of which step each is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from lib.data.formats.text.rows import Rows, distinct

MIN_COUNTS = 2
"""So many different counts make a line one of a log: a sentence with a number in it states one."""

_TRAIN_LOSS = re.compile(r"(?:train(?:ing)?[ _/-])?loss", re.I)
_EVALUATING = ("val", "test", "eval", "dev")


@dataclass(slots=True)
class RowCounts:
    """What the rows of a log count, as columns; ``an_epoch`` is set where steps turn out to be counted by epoch."""

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


def one_rank(rank: np.ndarray, head: np.ndarray) -> np.ndarray:
    """The rows of the process that logs; where several write the same lines, of the first of them."""
    keep = np.ones(len(rank), dtype=bool)
    for kind in distinct(head[rank >= 0]):
        mine = (head == kind) & (rank >= 0)
        keep &= ~mine | (rank == rank[mine].min())
    return keep


def steps_of(
    each: RowCounts, rows: Rows, steps_an_epoch: float | None, notes: list[str]
) -> tuple[np.ndarray | None, Literal["step", "epoch"]]:
    """The step of each row, -1 for what is left out; ``None`` where the rows are of no log."""
    has_step = each.keep & (each.step >= 0)
    _drop_single_heads(each, has_step, each.step)
    has_step &= each.keep
    if has_step.any():
        step = _by_epochs(each, has_step)
        _of_loops(each, step, has_step)
        _carried(each, step, has_step, rows, notes)
        return step, "step"
    has_part = each.keep & (each.part >= 0)
    if has_part.any() and len(distinct(each.part[has_part])) >= MIN_COUNTS:
        step = _parts(each, has_part)
        _of_loops(each, step, has_part)
        _carried(each, step, has_part, rows, notes)
        return step, "step"
    has_epoch = each.keep & np.isfinite(each.epoch)
    bar = rows.column("bar")
    # A bar that has always come to its end is that of an epoch.
    has_bar = len(distinct(bar[bar >= 0])) >= MIN_COUNTS
    # Where nothing but evaluations was printed, the bar is drawn by training, or by them: the epoch is surely theirs.
    is_trained = any(_TRAIN_LOSS.fullmatch(name) for name in rows.names)
    if has_epoch.any() and (each.epoch[has_epoch] % 1 == 0).all() and not (has_bar and is_trained):
        _drop_single_heads(each, has_epoch, each.epoch)
        has_epoch &= each.keep
        if has_epoch.any() and (steps_an_epoch is None or not is_trained):
            step = np.full(len(each.step), -1, dtype="int64")
            step[has_epoch] = np.clip(each.epoch[has_epoch], 0, 2**53).astype("int64")
            _carried(each, step, has_epoch, rows, notes)
            return step, "epoch"
    return _of_the_stepless(each, rows, steps_an_epoch, notes), "step"


def _drop_single_heads(each: RowCounts, of: np.ndarray, count: np.ndarray) -> None:
    """Leave out rows whose kind of line occurs with one count only, unless another kind surely counts the same."""
    places = np.flatnonzero(of)
    sure = {
        head for head in distinct(each.head[places]) if len(distinct(count[of & (each.head == head)])) >= MIN_COUNTS
    }
    main = of & np.isin(each.head, list(sure))
    if not main.any():
        each.keep[places] = False
        return
    low, high = count[main].min(), count[main].max()
    single = of & ~main & ~_in_loops(each, of)
    # Before the log begins there may be a program's source, or a text about it.
    is_early = np.arange(len(of)) < np.flatnonzero(main)[0]
    each.keep[single & (is_early | (count < low) | (count > high))] = False


def _in_loops(each: RowCounts, of: np.ndarray) -> np.ndarray:
    """Rows that end a loop of an evaluation: they state its last batch of so many, and training has other totals.

    "Iter(val) [20/20]" beside "Iter(train) [100/2000]" is at step 100.
    """
    done = np.where(each.part >= 0, each.part, each.step)
    total = np.where(each.part >= 0, each.parts, each.total)
    found = np.zeros(len(of), dtype=bool)
    main = each.head == main_head(each, of)
    for head in distinct(each.head[of & ~main]):
        mine = of & (each.head == head)
        is_whole = (total[mine] > 0).all() and (done[mine] == total[mine]).all()
        if is_whole and _is_evaluating(each.heads[head]) and not np.isin(total[mine], total[of & main]).any():
            found |= mine
    return found


def _is_evaluating(head: str) -> bool:
    return any(word.startswith(_EVALUATING) for word in head.split())


def main_head(each: RowCounts, of: np.ndarray) -> int:
    """The kind of line that counts the training: the one with the most rows that is not of an evaluation."""
    counts = np.bincount(each.head[of], minlength=len(each.heads))
    training = [0 if _is_evaluating(name) else int(n) for name, n in zip(each.heads, counts, strict=True)]
    return int(np.argmax(training if any(training) else counts))


def _by_epochs(each: RowCounts, of: np.ndarray) -> np.ndarray:
    """Steps through the whole training, where a log counts them anew in each epoch."""
    step = np.where(of, each.step, -1).astype("int64")
    main = np.flatnonzero(of & (each.head == main_head(each, of)) & np.isfinite(each.epoch))
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


def _parts(each: RowCounts, of: np.ndarray) -> np.ndarray:
    """Steps of rows that state their place in an epoch: "Epoch: [2][ 10/500]"."""
    step = np.full(len(each.step), -1, dtype="int64")
    for head in distinct(each.head[of]):
        mine = np.flatnonzero(of & (each.head == head))
        part, epoch = each.part[mine], each.epoch[mine]
        length = int(np.median(each.parts[mine]))
        if np.isfinite(epoch).all():
            begun = np.clip(np.floor(epoch - epoch.min()), 0, 10**6).astype("int64")
        else:
            # A bar without a number of the epoch begins anew with each.
            begun = np.concatenate([[0], np.cumsum(np.diff(part) < 0)])
        step[mine] = np.minimum(begun * length + part, 2**53)
        if head == main_head(each, of):
            each.an_epoch = length
    return step


def _of_loops(each: RowCounts, step: np.ndarray, of: np.ndarray) -> None:
    """Give evaluations that count their own batches the training's step: the last line of each is its result."""
    main = of & (each.head == main_head(each, of))
    falls = int((np.diff(step[main]) < 0).sum())
    in_loops = _in_loops(each, of)
    for head in distinct(each.head[of & ~main]):
        if not _is_evaluating(each.heads[head]):
            continue
        mine = np.flatnonzero(of & (each.head == head))
        raw = np.where(each.part[mine] >= 0, each.part[mine], each.step[mine])
        if in_loops[mine].all():
            step[mine] = _before(mine, np.flatnonzero(main), step)
            continue
        if int((np.diff(raw) < 0).sum()) <= falls and not (each.part[mine] >= 0).all():
            continue
        # An evaluation ends where its count falls, or a line of the training follows.
        after = np.searchsorted(np.flatnonzero(main), mine)
        last = np.r_[(np.diff(raw) < 0) | (np.diff(after) > 0), True]
        step[mine] = np.where(last, _before(mine, np.flatnonzero(main), step), -1)


def _carried(each: RowCounts, step: np.ndarray, of: np.ndarray, rows: Rows, notes: list[str]) -> None:
    """Give lines that count nothing ("val loss 1.1") the last step that was stated before them.

    One that has names which lines with a count have too is left out: it is of something else, such as a last test.
    """
    is_bare = np.array([head == "=" for head in each.heads], dtype=bool)[each.head] & each.keep & ~of
    taken = np.zeros(len(of), dtype=bool)
    if is_bare.any():
        for name in rows.names:
            mine = rows.points(name)[0]
            if of[mine].any():
                taken[mine] |= is_bare[mine]
    if left := int(taken.sum()):
        notes.append(f"Lines that state no step, with names of lines that do, were left out: {left:,}.")
    each.keep[taken] = False
    rest = np.flatnonzero(each.keep & ~of)
    stated = np.flatnonzero(of & (step >= 0))
    step[rest] = _before(rest, stated, step)


def _before(rows: np.ndarray, stated: np.ndarray, step: np.ndarray) -> np.ndarray:
    """The step of the last of the ``stated`` rows before each of ``rows``; 0 where none is."""
    place = np.searchsorted(stated, rows) - 1
    return np.where(place >= 0, step[stated[np.maximum(place, 0)]], 0)


def _of_the_stepless(each: RowCounts, rows: Rows, steps_an_epoch: float | None, notes: list[str]) -> np.ndarray | None:
    """Steps where no line states one: from the progress bar, else from the epochs, else by counting lines."""
    trains = np.zeros(len(each.step), dtype=bool)
    for name in rows.names:
        if _TRAIN_LOSS.fullmatch(name):
            trains[rows.points(name)[0]] = True
    # A line of a dictionary has the head "" or "epoch"; a lone "loss: 3" is no log by itself.
    rest = each.keep & np.array([name != "=" for name in each.heads])[each.head] if len(each.head) else each.keep
    trains &= rest
    if trains.sum() < MIN_COUNTS:
        return None
    if left := _leave_out_after_ends(each, rows, trains):
        notes.append(f"Rows after the end of training are no points of the curves: {left:,}.")
        rest &= each.keep
    bar, after = rows.column("bar"), rows.column("after")
    step = np.full(len(each.step), -1, dtype="int64")
    places = np.flatnonzero(trains)
    if (bar[places] >= 0).mean() > 0.5 and len(distinct(bar[places])) >= MIN_COUNTS:
        # A first loss at step 0 means that the bar before a line is not drawn anew before it is written.
        is_behind = bar[places[0]] == 0 and after[places[0]] > 0
        step[rest] = np.where(after[rest] >= 0, after[rest], bar[rest]) if is_behind else bar[rest]
        where = "behind" if is_behind else "before"
        notes.append(f"The lines state no step: it was taken from the progress bar {where} them.")
        return step
    if steps_an_epoch and np.isfinite(each.epoch[places]).all():
        step[rest] = np.nan_to_num(np.clip(np.rint(each.epoch[rest] * steps_an_epoch), -1, 2**53), nan=-1).astype(
            "int64"
        )
        notes.append("The lines state no step: it was worked out from the epoch and the steps of an epoch.")
        return step
    count = np.arange(len(places)) + 1
    begins = np.maximum.accumulate(np.where(_begins_anew(each, rows, places), count - 1, 0))
    last = np.searchsorted(places, np.flatnonzero(rest), "right") - 1
    step[rest] = np.where(last >= 0, (count - begins)[np.maximum(last, 0)], 0)
    notes.append("The lines state no step, and there is no progress bar: those with a train loss were counted.")
    return step


def _leave_out_after_ends(each: RowCounts, rows: Rows, trains: np.ndarray) -> int:
    """Take what was evaluated after a closing summary and before training goes on for a part of that summary.

    It may be of another model than that of the last step, as that was the best one.

    Returns:
        How many rows that are.
    """
    ends = np.array([line for line, _ in rows.summaries], dtype=np.int64)
    if not len(ends):
        return 0
    before = np.searchsorted(ends, each.line)
    trained = np.maximum.accumulate(np.where(trains, before, 0))
    late = each.keep & ~trains & (before > trained)
    each.keep[late] = False
    for name in rows.names:
        where, values = rows.points(name)
        for row, value in zip(where[late[where]].tolist(), values[late[where]].tolist(), strict=True):
            rows.summaries[before[row] - 1][1].setdefault(name, value)
    return int(late.sum())


def _begins_anew(each: RowCounts, rows: Rows, places: np.ndarray) -> np.ndarray:
    """Which of the rows with a train loss are the first of a training; shape as ``places``.

    They stand behind a closing summary, or their epoch falls to where the log began.
    """
    ends = np.array([line for line, _ in rows.summaries], dtype=np.int64)
    of = np.searchsorted(ends, each.line[places])
    epoch = each.epoch[places]
    with np.errstate(invalid="ignore"):
        falls = (epoch[1:] < epoch[:-1]) & (epoch[1:] <= epoch[0])
    return np.concatenate([[True], (np.diff(of) > 0) & ~(epoch[1:] > epoch[:-1]) | falls])

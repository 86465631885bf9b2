"""Where in a text log a run begins, and where another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal

import numpy as np

from lib.data.formats.text.counters import BRACKET
from lib.data.formats.text.rows import Rows, distinct
from lib.data.formats.text.steps import RowCounts, main_head, one_rank, steps_of

MOST_FALLS = 0.3
"""A count that goes back in more than this share of its lines counts no training: a text has numbers as they come."""
MOST_FALLS_UNNAMED = 0.05
"""The same where the count has no name: it may be that of a process, of which there are several."""
WARM_UP = 0.1
"""A start that got no further than this share of what followed, and whose head is not repeated, was a warm-up."""
MAX_STARTS = 200


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


def counted(rows: Rows, headers: Sequence[np.ndarray], steps_an_epoch: float | None) -> Counted:
    """Find the runs of a log.

    Args:
        rows: Its rows.
        headers: The other lines: their numbers, and what tells them apart, two arrays of shape (m,).
        steps_an_epoch: As the log states it in words, or ``None``.
    """
    head, step, epoch = rows.column("head"), rows.column("step"), rows.column("epoch")
    part, parts, line = rows.column("part"), rows.column("parts"), rows.column("line")
    keep, total, epochs = one_rank(rows.column("rank"), head), rows.column("total"), rows.column("epochs")
    each = RowCounts(head, step, epoch, part, parts, line, keep, total, epochs, list(rows.heads))
    notes: list[str] = []
    if (others := int((~each.keep).sum())) > 0:
        notes.append(f"Lines of other processes than the first were left out: {others:,}.")
    found, what = steps_of(each, rows, steps_an_epoch, notes)
    if found is None:
        return Counted([], notes)
    at = np.flatnonzero(each.keep & (found >= 0))
    starts = _starts(at, found[at], each, rows, headers, what, notes)
    return Counted(starts, notes)


def _starts(
    at: np.ndarray,
    step: np.ndarray,
    each: RowCounts,
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
    main = np.flatnonzero(each.head[at] == main_head(each, np.isin(np.arange(len(each.head)), at)))
    of_main = step[main]
    most = MOST_FALLS_UNNAMED if len(main) and each.heads[each.head[at[main[0]]]] == BRACKET else MOST_FALLS
    if len(of_main) > 1 and (np.diff(of_main) < 0).mean() > most:
        return []
    first = distinct(of_main)[:2]
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


def _planned(mine: np.ndarray, each: RowCounts, rows: Rows) -> int | None:
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

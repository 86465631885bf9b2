"""What is noticed of the rows of a run before they become curves, which hold one value a step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

UNKNOWN_US = np.iinfo(np.int64).min
"""In place of a moment in microseconds: when the row was written is not known."""

CLOCK_SLACK_US = 1_000_000
"""Timestamps may be out of order by so much: a writer with several threads stamps rows before it sends them."""


@dataclass(frozen=True, slots=True)
class RowFacts:
    """Facts about the rows of one run, in the order in which they were written.

    Attributes:
        received: How many rows came.
        expected: How many the source says there are; ``None`` where it does not say.
        unplaced: How many have no whole step from 0 on, and so no place in a curve.
        unread: How many values are there and are no numbers.
        rewritten: How many values were replaced by a later row of the same step and metric. Train and
            eval values of one step in two rows are not.
        rewritten_step: The first step at which that was so.
        rewritten_metrics: The metrics of these values, sorted.
        backwards: How often a row's step is below that of the row written before it with a value of the same
            metric; of the metric in which that is most often so. An evaluation whose row comes late is not.
        backwards_step: The first step that was gone back to.
        clock_backwards: How often a row's timestamp is more than ``CLOCK_SLACK_US`` before that of the row
            written before it (where only timestamps tell the order: of the row of the step before).
        clock_step: The first step at which that was so.
        clock_back_s: The longest of these jumps, in seconds.
        order_known: The order of writing is known apart from the timestamps. Where it is not, a clock that
            is set back and a run that is resumed cannot always be told apart.
        timed: How many rows with a step have a timestamp.
        first_written_us, last_written_us: The earliest and the latest timestamp, in microseconds since 1970.
    """

    received: int
    expected: int | None = None
    unplaced: int = 0
    unread: int = 0
    rewritten: int = 0
    rewritten_step: int | None = None
    rewritten_metrics: tuple[str, ...] = ()
    backwards: int = 0
    backwards_step: int | None = None
    clock_backwards: int = 0
    clock_step: int | None = None
    clock_back_s: float | None = None
    order_known: bool = True
    timed: int = 0
    first_written_us: int | None = None
    last_written_us: int | None = None


def row_facts(
    step: np.ndarray,
    written_us: np.ndarray | None,
    logged: Mapping[str, np.ndarray | None],
    *,
    ids: np.ndarray | None = None,
    as_written: bool = True,
    expected: int | None = None,
    left_out: int = 0,
) -> RowFacts:
    """Gather the facts about the rows of one run, in whatever order they came.

    Rows whose steps and timestamps increase cost a few passes over two arrays; the masks are looked at
    only where a step has several rows.

    Args:
        step: Shape (n,), float64 or an integer type; NaN where the row has none.
        written_us: Shape (n,), int64, microseconds since 1970, ``UNKNOWN_US`` where not known; ``None``
            where no row has a timestamp.
        logged: By metric, the rows that hold a value of it (NaN is a value, null is none): a mask of shape
            (n,) or positions; ``None`` for all rows.
        ids: Shape (n,), integers that grow with every row written, such as a bigint key.
        as_written: Without ``ids``: the rows stand in the order in which they were written. Else only
            their timestamps tell that order.
        expected: How many rows the source says there are.
        left_out: Rows that came and are not among these, since they have no place in a curve.
    """
    step = np.asarray(step)
    count = len(step)
    steps, rows = _placed(step)
    written = None if written_us is None else _taken(np.asarray(written_us), rows)
    order = _write_order(steps, written, None if ids is None else _taken(np.asarray(ids), rows), as_written)
    steps, rows = _taken(steps, order), order if rows is None else _taken(rows, order)
    written = None if written is None else _taken(written, order)
    unplaced = left_out + count - len(steps)
    facts = RowFacts(count + left_out, expected, unplaced, order_known=ids is not None or as_written)
    facts = _with_clock(facts, steps, written)
    if (steps[1:] < steps[:-1]).any():
        facts = _with_backwards(facts, steps, rows, logged, count)
        order = np.argsort(steps, kind="stable")
        steps, rows = steps[order], order if rows is None else rows[order]
    return _with_rewritten(facts, steps, rows, logged, count)


def _placed(step: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """The whole steps from 0 on, and their rows; ``None`` for all."""
    with np.errstate(invalid="ignore"):
        whole = step.astype(np.int64)
    placed = (whole == step) & (whole >= 0)
    if placed.all():
        return whole, None
    rows = np.flatnonzero(placed)
    return whole[rows], rows


def _taken(values: np.ndarray, rows: np.ndarray | None) -> np.ndarray:
    return values if rows is None else values[rows]


def _write_order(
    steps: np.ndarray, written: np.ndarray | None, ids: np.ndarray | None, as_written: bool
) -> np.ndarray | None:
    """Positions in the order of writing; ``None`` where that is the order in which they stand."""
    if ids is not None:
        return None if (ids[1:] >= ids[:-1]).all() else np.argsort(ids, kind="stable")
    if as_written:
        return None
    return np.lexsort((steps,) if written is None else (steps, written))


def _with_backwards(
    facts: RowFacts, steps: np.ndarray, rows: np.ndarray | None, logged: Mapping[str, np.ndarray | None], count: int
) -> RowFacts:
    most, first = 0, len(steps)
    for where in logged.values():
        places = np.arange(len(steps)) if where is None else np.flatnonzero(_taken(_mask(where, count), rows))
        back = places[1:][steps[places[1:]] < steps[places[:-1]]]
        if len(back):
            most, first = max(most, len(back)), min(first, int(back[0]))
    return replace(facts, backwards=most, backwards_step=int(steps[first])) if most else facts


def _with_rewritten(
    facts: RowFacts, steps: np.ndarray, rows: np.ndarray | None, logged: Mapping[str, np.ndarray | None], count: int
) -> RowFacts:
    """With what is told of the rows by ascending step."""
    same = steps[1:] == steps[:-1]
    if not same.any():
        return facts
    shared = np.flatnonzero(np.append(same, False) | np.append(False, same))
    steps, rows = steps[shared], shared if rows is None else rows[shared]
    times: dict[str, int] = {}
    firsts: list[int] = []
    for metric, where in logged.items():
        of_metric = steps if where is None else steps[_mask(where, count)[rows]]
        again = of_metric[1:] == of_metric[:-1]
        if again.any():
            times[metric] = int(np.count_nonzero(again))
            firsts.append(int(of_metric[1:][again.argmax()]))
    metrics, first = tuple(sorted(times)), min(firsts, default=None)
    return replace(facts, rewritten=sum(times.values()), rewritten_step=first, rewritten_metrics=metrics)


def _mask(where: np.ndarray, count: int) -> np.ndarray:
    where = np.asarray(where)
    if where.dtype == np.bool_:
        return where
    mask = np.zeros(count, dtype=bool)
    mask[where.astype(np.intp)] = True
    return mask


def _with_clock(facts: RowFacts, steps: np.ndarray, written: np.ndarray | None) -> RowFacts:
    if written is None:
        return facts
    known = written != UNKNOWN_US
    if not known.all():
        steps, written = steps[known], written[known]
    if not len(written):
        return facts
    if not facts.order_known:
        # They stand in the order of their timestamps; the last one of each step is what the curves keep.
        order = np.argsort(steps, kind="stable")
        last = order[np.append(steps[order][1:] != steps[order][:-1], True)]
        jumps, at = np.diff(written[last]), steps[last][1:]
    else:
        jumps, at = np.diff(written), steps[1:]
    back = jumps < -CLOCK_SLACK_US
    if back.any():
        first, longest = int(at[back.argmax()]), float(-jumps.min()) / 1e6
        facts = replace(facts, clock_backwards=int(back.sum()), clock_step=first, clock_back_s=longest)
    return replace(facts, timed=len(written), first_written_us=int(written.min()), last_written_us=int(written.max()))

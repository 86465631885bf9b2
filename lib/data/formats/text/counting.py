"""What rows do not state themselves, and lines around them do: epochs, steps, the state of a progress bar."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lib.data.formats.text.counters import OWN_PHASE
from lib.data.formats.text.rows import Events, Rows, distinct

STATES = 3
"""A bar that was seen in fewer states is of something short, as of files that are written."""


MOVING = 0.5
"""At so many of the lines with a loss the bar of the training has moved on since the one before."""


def resolve(rows: Rows, events: Events, headers: Sequence[tuple[int, bool]] = ()) -> None:
    """Give rows what the lines around them state.

    Adds the columns ``bar``, ``after`` and ``bar_total``: the state of the training's progress bar before a row and
    behind it, -1 and 0 where there is none, and only for rows that count nothing themselves.

    Args:
        rows: All of a log.
        events: What its other lines count.
        headers: Lines that head what an evaluation came to, or (``False``) training.
    """
    columns = rows.columns
    is_bare = columns["head"] == rows.heads.get("=", -1)
    if is_bare.any() and headers:
        _phases_above(rows, events, headers, is_bare)
    _epochs_above(rows, events, is_bare)
    if is_bare.any() and events.steps:
        _steps_above(rows, events, is_bare)
    _bars_around(rows, events)


def _phases_above(rows: Rows, events: Events, headers: Sequence[tuple[int, bool]], is_bare: np.ndarray) -> None:
    """Values that count nothing and stand below the header of an evaluation are its: "Evaluating...", "loss: 1.2"."""
    line = rows.columns["line"]
    at = np.array([number for number, _ in headers])
    last = np.searchsorted(at, line, "right") - 1
    is_eval = np.array([of_eval for _, of_eval in headers])[np.maximum(last, 0)] & (last >= 0) & is_bare
    # A line that counts ends it, with values or without.
    heads = np.concatenate([[], *(lines for lines, *_ in events.epochs), [number for number, *_ in events.steps]])
    counting = np.sort(np.concatenate([line[~is_bare & ~rows.columns["is_bar"]], heads[~np.isin(heads, at)]]))
    before = np.searchsorted(counting, line) - 1
    if len(counting):
        is_eval &= (before < 0) | (counting[np.maximum(before, 0)] < at[np.maximum(last, 0)])
    for name in rows.names:
        if OWN_PHASE.search(name):
            is_eval[rows.points(name)[0]] = False
    if is_eval.any():
        for name in list(rows.names):
            rows.move(name, is_eval, f"eval/{name}")


def _epochs_above(rows: Rows, events: Events, is_bare: np.ndarray) -> None:
    if not events.epochs:
        return
    columns = rows.columns
    line, epoch, epochs = _joined(events.epochs)
    asks = np.isnan(columns["epoch"]) & ~columns["is_bar"]
    asks &= (columns["step"] >= 0) | (columns["part"] >= 0) | is_bare
    mine = np.flatnonzero(asks)
    last = np.searchsorted(line, columns["line"][mine], "right") - 1
    mine, last = mine[last >= 0], last[last >= 0]
    rows.writable("epoch")[mine], rows.writable("epochs")[mine] = epoch[last], epochs[last]


def _steps_above(rows: Rows, events: Events, is_bare: np.ndarray) -> None:
    """Lines of values below one of a step are of it, as programs write that print each value on its own."""
    columns = rows.columns
    line = np.array([each[0] for each in events.steps])
    bare = np.flatnonzero(is_bare)
    last = np.searchsorted(line, columns["line"][bare], "right") - 1
    # Another row between them ends it.
    ends = np.flatnonzero(~is_bare & ~columns["is_bar"])
    end = np.searchsorted(ends, bare) - 1
    end_line = (
        np.where(end >= 0, columns["line"][ends[np.maximum(end, 0)]], -1) if len(ends) else np.full(len(bare), -1)
    )
    step = np.array([each[2] for each in events.steps])
    good = (last >= 0) & (line[np.maximum(last, 0)] > end_line) & (step[np.maximum(last, 0)] >= 0)
    mine, last = bare[good], last[good]
    for place, dtype, name in ((2, np.int64, "step"), (3, np.int64, "total")):
        rows.writable(name)[mine] = np.array([each[place] for each in events.steps], dtype=dtype)[last]
    heads = np.array([rows.heads.setdefault(each[1], len(rows.heads)) for each in events.steps])
    rows.writable("head")[mine] = heads[last]
    epoch = np.array([each[4] for each in events.steps])[last]
    stated = ~np.isnan(epoch)
    rows.writable("epoch")[mine[stated]] = epoch[stated]
    rows.writable("epochs")[mine[stated]] = np.array([each[5] for each in events.steps])[last[stated]]


def _bars_around(rows: Rows, events: Events) -> None:
    columns = rows.columns
    for name, empty in (("bar", -1), ("after", -1), ("bar_total", 0)):
        columns[name] = np.broadcast_to(np.int64(empty), len(rows))
    asks = np.flatnonzero((columns["step"] < 0) & (columns["part"] < 0))
    if not len(asks) or not events.bars:
        return
    line, done, total, elapsed = _that_move(*_joined(events.bars))
    # The training's bar is the one before a line with a loss.
    has_loss = np.zeros(len(rows), dtype=bool)
    if "loss" in rows.names:
        has_loss[rows.points("loss")[0]] = True
    last = np.searchsorted(line, columns["line"][asks], "right") - 1
    main = _filled(np.where(last >= 0, total[np.maximum(last, 0)], 0), has_loss[asks])
    kinds = distinct(total)
    kind = np.searchsorted(kinds, total)
    ordered = np.argsort(kind, kind="stable")
    keys = kind[ordered] * (len(line) + 1) + ordered
    wanted = np.searchsorted(kinds, main)
    is_known = (wanted < len(kinds)) & (kinds[np.minimum(wanted, len(kinds) - 1)] == main)
    place = np.searchsorted(keys, wanted * (len(line) + 1) + last, "right") - 1
    found = ordered[np.maximum(place, 0)]
    is_known &= (place >= 0) & (kind[found] == wanted)
    seen = done[found[is_known & has_loss[asks]]]
    if len(seen) > 1 and (np.diff(seen) > 0).mean() < MOVING:
        # It stands still while the training goes on: that has none.
        return
    mine, found = asks[is_known], found[is_known]
    rows.writable("bar")[mine], rows.writable("bar_total")[mine] = done[found], main[is_known]
    clock = rows.writable("clock")
    clock[mine] = np.where(np.isnan(clock[mine]), elapsed[found], clock[mine])
    # The next state of the same bar.
    before = np.searchsorted(columns["line"][asks], line, "left") - 1
    same = np.flatnonzero((before >= 0) & (total == main[np.maximum(before, 0)]))
    following = np.searchsorted(line[same], columns["line"][mine], "right")
    is_drawn = following < len(same)
    rows.writable("after")[mine[is_drawn]] = done[same[following[is_drawn]]]


def _that_move(
    line: np.ndarray, done: np.ndarray, total: np.ndarray, elapsed: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The bars without those that are drawn at their beginning and end alone, where others are drawn in between too."""
    kinds, kind = np.unique(total, return_inverse=True)
    states = np.unique(np.stack((kind.reshape(-1), done)), axis=1)[0]
    moves = np.bincount(states, minlength=len(kinds)) >= STATES
    if not moves.any():
        return line, done, total, elapsed
    kept = moves[kind.reshape(-1)]
    return line[kept], done[kept], total[kept], elapsed[kept]


def _joined(parts: list[tuple[np.ndarray, ...]]) -> tuple[np.ndarray, ...]:
    """Events by their lines."""
    columns = [np.concatenate(each) for each in zip(*parts, strict=True)]
    parts.clear()
    order = np.argsort(columns[0], kind="stable")
    return tuple(column[order] for column in columns)


def _filled(values: np.ndarray, stated: np.ndarray) -> np.ndarray:
    """The last of the stated values up to each place; 0 where there is none."""
    place = np.maximum.accumulate(np.where(stated, np.arange(len(values)), -1))
    return np.where(place >= 0, values[np.maximum(place, 0)], 0)

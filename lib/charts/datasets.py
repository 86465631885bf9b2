"""What a chart of curves shows: computed here, drawn by ``lib.charts.curves``.

The result is Arrow tables, one a dataset of the specification, and the counts that the page states
beside the chart: how many of the logged points are drawn, what is not finite, what a log axis hides.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import isfinite

import numpy as np
import pyarrow as pa

from lib.charts.drawn import Curve, Drawn, View, drawn_of, smoothed_line
from lib.core.curves.series import align, hover_grid
from lib.core.text.formatting import NOT_RECORDED, figure, place

RAW_OPACITY = 0.25
"""The raw line behind a smoothed one is faint, and still there."""

LANE_TOP, LANE_HEIGHT = 6, 10
"""Pixels from the top to what was noticed of the first run, and from there to that of the next one: each run has a
row of its own, so that marks of one colour never hide those of another."""

MARK_BUCKETS = 2
"""What was noticed of one run within so many buckets is one mark with a count: two squares would overlap there."""

MARK_SENTENCES = 6
"""A mark that stands for more says so many of them and how many more there are: a tooltip has to fit on the page."""


LINE_COLUMNS = ("x", "y", "series", "color", "kind", "opacity")


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing that was noticed about a run.

    Attributes:
        run: Its label; no two runs share one.
        x: Where it is, or begins, on the chosen axis.
        end: Where it ends; the same where it is one point.
        text: Plain text for the tooltip.
    """

    run: str
    color: str
    x: float
    end: float
    text: str


@dataclass(frozen=True, slots=True)
class Picture:
    """A chart's datasets by name, and what to say about them.

    Attributes:
        curves: How many curves were given.
        logged: Finite points in the range in view.
        drawn: How many of them the lines go through.
        nonfinite: How many NaN and infinite values lie in the range.
        not_positive: How many values a log axis cannot show.
        extent: The two ends of the x axis; ``None`` where nothing is in view.
    """

    tables: Mapping[str, pa.Table]
    extent: tuple[float, float] | None
    curves: int
    logged: int
    drawn: int
    nonfinite: int
    not_positive: int


def picture(
    curves: Sequence[Curve],
    view: View,
    notices: Sequence[Notice] = (),
    draw: Callable[[Curve], Drawn] | None = None,
) -> Picture:
    """Compute what a chart of ``curves`` shows in ``view``; ``notices`` are marked where they are in view.

    Args:
        curves: No two share a name.
        view: How they are looked at.
        notices: What to mark.
        draw: Gives what ``drawn_of`` gives for a curve and this view: a place to keep it in between.
    """
    lines, evals, best, bad = _Points(), _Points(), _Points(), _Points()
    drawn = [draw(curve) if draw else drawn_of(curve, view) for curve in curves]
    for number, (curve, each) in enumerate(zip(curves, drawn, strict=True)):
        if each.raw is not None:
            lines.add(*each.raw, **_faint(number, curve))
        lines.add(*each.line, **_line(number, curve))
        evals.add(*each.evals, color=curve.color)
        best.add(*each.best, color=curve.color)
        bad.add(each.nonfinite, color=curve.color)
    extent = _extent(drawn, view)
    tables = {
        "lines": lines.table(*LINE_COLUMNS),
        "evals": evals.table("x", "y", "color"),
        "best": best.table("x", "y", "color"),
        "nonfinite": bad.table("x", "color"),
        "extent": pa.table({"x": pa.array(extent or (), pa.float64())}),
        "hover": _hover(curves, drawn, view),
        **_noticed(notices, extent, view),
    }
    return Picture(
        tables,
        extent,
        curves=len(curves),
        logged=sum(each.logged for each in drawn),
        drawn=sum(each.points for each in drawn),
        nonfinite=sum(each.lost for each in drawn),
        not_positive=sum(each.not_positive for each in drawn),
    )


def levels(curves: Sequence[Curve], view: View, weights: Sequence[float]) -> dict[str, pa.Table]:
    """The dataset ``lines`` for each weight of smoothing, so that a browser can change it by itself.

    Returns:
        By weight, as ``f"{weight:g}"``, the smoothed lines alone. What is drawn with any of them, the faint raw lines
        and the eval lines, is "behind". "0" is complete.
    """
    whole, behind = _Points(), _Points()
    smoothed = {weight: _Points() for weight in weights if weight}
    for number, curve in enumerate(curves):
        raw = drawn_of(curve, replace(view, smoothing=0.0)).line
        whole.add(*raw, **_line(number, curve))
        behind.add(*raw, **(_line if curve.evaluated else _faint)(number, curve))
        for weight, points in () if curve.evaluated else smoothed.items():
            points.add(*smoothed_line(curve, replace(view, smoothing=weight)), **_line(number, curve))
    found = {"0": whole, "behind": behind} | {f"{weight:g}": points for weight, points in smoothed.items()}
    return {name: points.table(*LINE_COLUMNS) for name, points in found.items()}


def _line(number: int, curve: Curve) -> dict[str, str | float]:
    """What is the same all along a curve's line; a higher ``series`` is drawn later."""
    kind = "eval" if curve.evaluated else "train"
    return {"series": 2 * number + 1, "color": curve.color, "kind": kind, "opacity": 1.0}


def _faint(number: int, curve: Curve) -> dict[str, str | float]:
    """The same for the raw line behind a smoothed one."""
    return _line(number, curve) | {"series": 2 * number, "opacity": RAW_OPACITY}


class _Points:
    """Columns of a dataset, gathered curve by curve."""

    def __init__(self) -> None:
        self._columns: dict[str, list[np.ndarray]] = {}
        self._constants: dict[str, tuple[list, list[int]]] = {}

    def add(self, x: np.ndarray, y: np.ndarray | None = None, **constants: str | float) -> None:
        if not len(x):
            return
        self._columns.setdefault("x", []).append(x)
        if y is not None:
            self._columns.setdefault("y", []).append(y)
        for name, value in constants.items():
            values, lengths = self._constants.setdefault(name, ([], []))
            values.append(value)
            lengths.append(len(x))

    def table(self, *names: str) -> pa.Table:
        return pa.table({name: self._column(name) for name in names})

    def _column(self, name: str) -> pa.Array:
        if name in self._columns:
            return pa.array(np.concatenate(self._columns[name]).astype("float64"))
        if name not in self._constants:
            return pa.array([], pa.string() if name in ("color", "kind") else pa.float64())
        values, lengths = self._constants[name]
        if isinstance(values[0], str):
            # The same text on thousands of rows travels once, as a dictionary.
            distinct = sorted(set(values))
            codes = np.repeat([distinct.index(value) for value in values], lengths).astype("int8")
            return pa.DictionaryArray.from_arrays(pa.array(codes), pa.array(distinct, pa.string()))
        return pa.array(np.repeat(np.asarray(values, "float32"), lengths))


def _extent(drawn: Sequence[Drawn], view: View) -> tuple[float, float] | None:
    ends = [x for each in drawn if len(each.places) for x in (each.places[0], each.places[-1])]
    ends += [end for end in (view.start, view.end) if end is not None]
    return (float(min(ends)), float(max(ends))) if ends else None


def _noticed(notices: Sequence[Notice], extent: tuple[float, float] | None, view: View) -> dict[str, pa.Table]:
    """The datasets ``marks`` and ``spans``: one row for each run that has some in view."""
    low, high = extent or (np.inf, -np.inf)
    by_run: dict[str, list[Notice]] = {}
    for notice in notices:
        if notice.x <= high and notice.end >= low:
            by_run.setdefault(notice.run, []).append(notice)
    marks: list[tuple] = []
    spans: list[tuple] = []
    for lane, (run, seen) in enumerate(by_run.items()):
        found = sorted(seen, key=lambda each: each.x)
        color, y = found[0].color, LANE_TOP + LANE_HEIGHT * lane
        shown = [notice for notice in found if notice.x >= low]
        for group in _side_by_side(shown, MARK_BUCKETS * (high - low) / view.buckets):
            count = str(len(group)) if len(group) > 1 else ""
            marks.append((group[0].x, color, y, count, run, _said(group)))
        spans += [(max(start, low), min(end, high), color, y) for start, end in _united(found)]
    return {
        "marks": _table(marks, ("x", "color", "lane", "count", "run", "finding")),
        "spans": _table(spans, ("x", "x2", "color", "lane")),
    }


def _table(rows: Sequence[tuple], names: Sequence[str]) -> pa.Table:
    columns = zip(*rows, strict=True) if rows else ((),) * len(names)
    types = [pa.float64() if name in ("x", "x2", "lane") else pa.string() for name in names]
    return pa.table([pa.array(column, kind) for column, kind in zip(columns, types, strict=True)], names=list(names))


def _side_by_side(notices: Sequence[Notice], width: float) -> list[list[Notice]]:
    """Those that begin within ``width`` of the first of them, together; ``notices`` in the order of x."""
    groups: list[list[Notice]] = []
    for notice in notices:
        if groups and notice.x - groups[-1][0].x <= width:
            groups[-1].append(notice)
        else:
            groups.append([notice])
    return groups


def _said(group: Sequence[Notice]) -> str:
    said = [notice.text for notice in group[:MARK_SENTENCES]]
    more = len(group) - len(said)
    return "\n".join([*said, f"And {more} more."] if more else said)


def _united(notices: Sequence[Notice]) -> list[tuple[float, float]]:
    """The stretches that any of them covers; ``notices`` in the order of x."""
    united: list[tuple[float, float]] = []
    for notice in notices:
        if notice.end <= notice.x:
            continue
        if united and notice.x <= united[-1][1]:
            united[-1] = united[-1][0], max(united[-1][1], notice.end)
        else:
            united.append((notice.x, notice.end))
    return united


def _hover(curves: Sequence[Curve], drawn: Sequence[Drawn], view: View) -> pa.Table:
    """One row a position: ready text for each curve, so that the tooltip needs to know none of them."""
    grid = hover_grid([each.places for each in drawn], view.hover_positions, distinct=True)
    columns: dict[str, pa.Array] = {view.axis_title: pa.array(grid, pa.float64())}
    for curve, each in zip(curves, drawn, strict=True):
        values, origins = align(curve.x, curve.y, grid, ordered=each.is_ordered)
        columns[curve.name] = pa.array(
            [
                NOT_RECORDED if np.isnan(origin) else _hover_text(value, origin, x, curve.spec)
                for value, origin, x in zip(values.tolist(), origins.tolist(), grid.tolist(), strict=True)
            ],
            pa.string(),
        )
    return pa.table(columns)


def _hover_text(value: float, origin: float, x: float, spec: str) -> str:
    """The value; where the run logged none just there, also the position that it is from."""
    # Thousands of these are made for a page, and most are plain numbers.
    shown = format(value + 0.0, spec) if isfinite(value) else figure(value, spec)
    return shown if origin == x else f"{shown} (at {place(origin)})"

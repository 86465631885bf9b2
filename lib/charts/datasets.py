"""What a chart of curves shows, as ``lib.charts.layout`` describes it.

The result is Arrow tables, one a dataset of the specification, and the counts that the page states
beside the chart: how many of the logged points are drawn, what is not finite, what a log axis hides.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa

from lib.charts.drawn import Curve, DrawnCurve, View, drawn_of, smoothed_line
from lib.core.curves.series import align, hover_grid
from lib.core.text.formatting import LARGE, NOT_RECORDED, place, shower

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
class FindingMark:
    """One finding about a run, to be marked in a chart.

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
class ChartData:
    """A chart's datasets by name, and what to say about them.

    Attributes:
        logged: Finite points in the range in view.
        drawn: How many of them the lines go through.
        nonfinite: How many NaN and infinite values lie in the range.
        not_positive: How many values a log axis cannot show.
    """

    tables: Mapping[str, pa.Table]
    logged: int
    drawn: int
    nonfinite: int
    not_positive: int


def chart_data(
    curves: Sequence[Curve],
    view: View,
    marks: Sequence[FindingMark] = (),
    drawn: Sequence[DrawnCurve] | None = None,
) -> ChartData:
    """Compute what a chart of ``curves`` shows in ``view``.

    Args:
        curves: No two share a name.
        view: How they are looked at.
        marks: What to mark where it is in view.
        drawn: What ``drawn_of`` gives for each curve and this view, where that is known already.
    """
    lines, evals, best, bad = _Points(), _Points(), _Points(), _Points()
    drawn = [drawn_of(curve, view) for curve in curves] if drawn is None else drawn
    for number, (curve, each) in enumerate(zip(curves, drawn, strict=True)):
        if each.raw is not None:
            lines.add(*each.raw, _faint(number, curve))
        lines.add(*each.line, _line(number, curve))
        evals.add(*each.evals, {"color": curve.color})
        best.add(*each.best, {"color": curve.color})
        bad.add(each.nonfinite, None, {"color": curve.color})
    extent = _extent(drawn, view)
    tables = {
        "lines": lines.table(*LINE_COLUMNS),
        "evals": evals.table("x", "y", "color"),
        "best": best.table("x", "y", "color"),
        "nonfinite": bad.table("x", "color"),
        "extent": pa.table({"x": pa.array(extent or (), pa.float64())}),
        "hover": _hover(curves, drawn, view),
        **_marked(marks, extent, view),
    }
    return ChartData(
        tables,
        logged=sum(each.logged for each in drawn),
        drawn=sum(each.points for each in drawn),
        nonfinite=sum(each.lost for each in drawn),
        not_positive=sum(each.not_positive for each in drawn),
    )


def smoothed_lines(curves: Sequence[Curve], view: View, weights: Sequence[float]) -> dict[str, pa.Table]:
    """The dataset ``lines`` for each weight of smoothing, so that a browser can change it by itself.

    Returns:
        By weight, as ``f"{weight:g}"``, the smoothed lines alone. What is drawn with any of them, the faint raw lines
        and the eval lines, is "behind". "0" is complete.
    """
    whole, behind = _Points(), _Points()
    smoothed = {weight: _Points() for weight in weights if weight}
    for number, curve in enumerate(curves):
        raw = drawn_of(curve, replace(view, smoothing=0.0)).line
        whole.add(*raw, _line(number, curve))
        behind.add(*raw, (_line if curve.evaluated else _faint)(number, curve))
        for weight, points in () if curve.evaluated else smoothed.items():
            points.add(*smoothed_line(curve, replace(view, smoothing=weight)), _line(number, curve))
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
        self._constants: dict[str, tuple[list[str | float], list[int]]] = {}

    def add(self, x: np.ndarray, y: np.ndarray | None, constants: Mapping[str, str | float]) -> None:
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

    def _column(self, name: str) -> pa.Array[Any]:
        if name in self._columns:
            points: pa.Array[Any] = pa.array(np.concatenate(self._columns[name]).astype("float64"))
            return points
        if name not in self._constants:
            return pa.array([], pa.string() if name in ("color", "kind") else pa.float64())
        values, lengths = self._constants[name]
        if isinstance(values[0], str):
            # The same text on thousands of rows travels once, as a dictionary.
            distinct = sorted(set(values))
            codes = np.repeat([distinct.index(value) for value in values], lengths).astype("int8")
            return pa.DictionaryArray.from_arrays(pa.array(codes), pa.array(distinct, pa.string()))
        constants: pa.Array[Any] = pa.array(np.repeat(np.asarray(values, "float32"), lengths))
        return constants


def _extent(drawn: Sequence[DrawnCurve], view: View) -> tuple[float, float] | None:
    ends = [x for each in drawn if len(each.places) for x in (each.places[0], each.places[-1])]
    ends += [end for end in (view.start, view.end) if end is not None]
    return (float(min(ends)), float(max(ends))) if ends else None


def _marked(marks: Sequence[FindingMark], extent: tuple[float, float] | None, view: View) -> dict[str, pa.Table]:
    """The datasets ``marks`` and ``spans``: one row for each run that has some in view."""
    low, high = extent or (np.inf, -np.inf)
    by_run: dict[str, list[FindingMark]] = {}
    for mark in marks:
        if mark.x <= high and mark.end >= low:
            by_run.setdefault(mark.run, []).append(mark)
    squares: list[tuple[float | str, ...]] = []
    spans: list[tuple[float | str, ...]] = []
    for lane, (run, seen) in enumerate(by_run.items()):
        found = sorted(seen, key=lambda each: each.x)
        color, y = found[0].color, LANE_TOP + LANE_HEIGHT * lane
        shown = [mark for mark in found if mark.x >= low]
        for group in _side_by_side(shown, MARK_BUCKETS * (high - low) / view.buckets):
            count = str(len(group)) if len(group) > 1 else ""
            squares.append((group[0].x, color, y, count, run, _said(group)))
        spans += [(max(start, low), min(end, high), color, y) for start, end in _united(found)]
    return {
        "marks": _table(squares, ("x", "color", "lane", "count", "run", "finding")),
        "spans": _table(spans, ("x", "x2", "color", "lane")),
    }


def _table(rows: Sequence[tuple[float | str, ...]], names: Sequence[str]) -> pa.Table:
    columns = zip(*rows, strict=True) if rows else ((),) * len(names)
    types = [pa.float64() if name in ("x", "x2", "lane") else pa.string() for name in names]
    return pa.table([pa.array(column, kind) for column, kind in zip(columns, types, strict=True)], names=list(names))


def _side_by_side(marks: Sequence[FindingMark], width: float) -> list[list[FindingMark]]:
    """Those that begin within ``width`` of the first of them, together; ``marks`` in the order of x."""
    groups: list[list[FindingMark]] = []
    for mark in marks:
        if groups and mark.x - groups[-1][0].x <= width:
            groups[-1].append(mark)
        else:
            groups.append([mark])
    return groups


def _said(group: Sequence[FindingMark]) -> str:
    said = [mark.text for mark in group[:MARK_SENTENCES]]
    more = len(group) - len(said)
    return "\n".join([*said, f"And {more} more."] if more else said)


def _united(marks: Sequence[FindingMark]) -> list[tuple[float, float]]:
    """The stretches that any of them covers; ``marks`` in the order of x."""
    united: list[tuple[float, float]] = []
    for mark in marks:
        if mark.end <= mark.x:
            continue
        if united and mark.x <= united[-1][1]:
            united[-1] = united[-1][0], max(united[-1][1], mark.end)
        else:
            united.append((mark.x, mark.end))
    return united


def _hover(curves: Sequence[Curve], drawn: Sequence[DrawnCurve], view: View) -> pa.Table:
    """One row a position: ready text for each curve, so that the tooltip needs to know none of them."""
    grid = hover_grid([each.places for each in drawn], view.hover_positions, distinct=True)
    columns: dict[str, pa.Array[Any]] = {view.axis_title: pa.array(grid, pa.float64())}
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
    shown = format(value + 0.0, spec) if abs(value) < LARGE else shower(spec)(value)
    return shown if origin == x else f"{shown} (at {place(origin)})"

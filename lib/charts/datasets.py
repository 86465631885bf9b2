"""What a chart of curves shows, as ``lib.charts.layout`` describes it.

The result is Arrow tables, one a dataset of the specification, and the counts that the page states
beside the chart: how many of the logged points are drawn, what is not finite, what a log axis hides.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa

from lib.charts.drawn import Curve, DrawnCurve, View, best_of, drawn_of
from lib.charts.smoothed import SmoothedLines
from lib.core.curves.series import hover_grid, nearest_points
from lib.core.text.formatting import LARGE, LOSS_SPEC, NOT_RECORDED, place, shower
from lib.core.text.precision import decimals_for, signed, to_decimals

LINE_COLUMNS = ("x", "y", "curve", "faint")


@dataclass(frozen=True, slots=True)
class FindingMark:
    """One finding about a run, to be marked in a chart.

    Attributes:
        slot: Of the run.
        kind: What kind of finding it is, as the lane below the chart tells kinds apart.
        x: Where it is, or begins, on the chosen axis.
        end: Where it ends; the same where it is one point.
        text: Plain text for the tooltip.
    """

    slot: int
    kind: str
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
        order: The numbers of the curves at each position of the hover rule, that with the lowest value first.
        marked: The findings that are in view.
    """

    tables: Mapping[str, pa.Table]
    logged: int
    drawn: int
    nonfinite: int
    not_positive: int
    order: Sequence[Sequence[int]]
    marked: Sequence[FindingMark]


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
        own: dict[str, float] = {"curve": number}
        if each.raw is not None:
            lines.add(*each.raw, own | {"faint": 1})
        lines.add(*each.line, own | {"faint": 0})
        evals.add(*each.evals, own)
        best.add(*best_of(curve, view), own)
        bad.add(each.nonfinite, None, own)
    extent = _extent(drawn, view)
    marked = _in_extent(marks, extent)
    hover, order = _hover(curves, drawn, view)
    tables = {
        "lines": lines.table(*LINE_COLUMNS),
        "evals": evals.table("x", "y", "curve"),
        "best": best.table("x", "y", "curve"),
        "nonfinite": bad.table("x", "curve"),
        "extent": pa.table({"x": pa.array(extent or (), pa.float64())}),
        "hover": hover,
        "findings": _findings(marked),
    }
    return ChartData(
        tables,
        logged=sum(each.logged for each in drawn),
        drawn=sum(each.points for each in drawn),
        nonfinite=sum(each.lost for each in drawn),
        not_positive=sum(each.not_positive for each in drawn),
        order=order,
        marked=marked,
    )


def with_against(data: ChartData, texts: Mapping[str, Sequence[str]]) -> ChartData:
    """The same with the dataset ``against``: a column for each curve, by its number."""
    table = pa.table({name: pa.array(column, pa.string()) for name, column in texts.items()})
    return replace(data, tables={**data.tables, "against": table})


def smoothed_lines(
    drawn: Sequence[DrawnCurve], lines: Sequence[SmoothedLines | None], weights: Sequence[float]
) -> dict[str, pa.Table]:
    """The dataset ``lines`` for each weight of smoothing, so that a browser can change it by itself.

    Args:
        drawn: Of each curve of a chart, without smoothing.
        lines: Of each curve; ``None`` where it is never smoothed.
        weights: That can be chosen.

    Returns:
        By weight, as ``f"{weight:g}"``, the smoothed lines alone. What is drawn with any of them, the faint raw lines
        and the eval lines, is "behind". "0" is complete.
    """
    whole, behind = _Points(), _Points()
    smoothed = {weight: _Points() for weight in weights if weight}
    for number, (raw, own) in enumerate(zip(drawn, lines, strict=True)):
        whole.add(*raw.line, {"curve": number, "faint": 0})
        behind.add(*raw.line, {"curve": number, "faint": 0 if own is None else 1})
        if own is None:
            continue
        for weight, points in smoothed.items():
            points.add(*own.line(weight), {"curve": number, "faint": 0})
    found = {"0": whole, "behind": behind} | {f"{weight:g}": points for weight, points in smoothed.items()}
    return {name: points.table(*LINE_COLUMNS) for name, points in found.items()}


class _Points:
    """Columns of a dataset, gathered curve by curve."""

    def __init__(self) -> None:
        self._columns: dict[str, list[np.ndarray]] = {}
        self._constants: dict[str, tuple[list[float], list[int]]] = {}

    def add(self, x: np.ndarray, y: np.ndarray | None, constants: Mapping[str, float]) -> None:
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
            return pa.array([], pa.float64())
        # What stays the same for a whole curve travels as such: float32 says so.
        values, lengths = self._constants[name]
        constants: pa.Array[Any] = pa.array(np.repeat(np.asarray(values, "float32"), lengths))
        return constants


def _extent(drawn: Sequence[DrawnCurve], view: View) -> tuple[float, float] | None:
    ends = [x for each in drawn if len(each.places) for x in (each.places[0], each.places[-1])]
    ends += [end for end in (view.start, view.end) if end is not None]
    return (float(min(ends)), float(max(ends))) if ends else None


def _in_extent(marks: Sequence[FindingMark], extent: tuple[float, float] | None) -> list[FindingMark]:
    """The findings of which any part is in view, from left to right."""
    low, high = extent or (np.inf, -np.inf)
    return sorted((mark for mark in marks if mark.x <= high and mark.end >= low), key=lambda each: each.x)


def _findings(marks: Sequence[FindingMark]) -> pa.Table:
    types = {"x": pa.float64(), "end": pa.float64(), "slot": pa.float64(), "kind": pa.string(), "text": pa.string()}
    columns: dict[str, pa.Array[Any]] = {
        name: pa.array([getattr(each, name) for each in marks], kind) for name, kind in types.items()
    }
    return pa.table(columns)


def _hover(curves: Sequence[Curve], drawn: Sequence[DrawnCurve], view: View) -> tuple[pa.Table, list[list[int]]]:
    """One row a position: ready text for each curve, so that a tooltip needs to know none of them; and their order.

    Evaluations are among the positions, as far as a pointer can tell them apart: they are what is looked for.
    """
    grid = hover_grid([each.places for each in drawn], view.hover_positions, distinct=True)
    measured = [each.evals[0] for curve, each in zip(curves, drawn, strict=True) if curve.evaluated]
    grid = np.union1d(grid, hover_grid(measured, view.hover_positions))
    columns: dict[str, pa.Array[Any]] = {view.axis_title: pa.array(grid, pa.float64())}
    found = [
        nearest_points(curve.x, curve.y, grid, ordered=each.is_ordered)
        for curve, each in zip(curves, drawn, strict=True)
    ]
    losses = [values for curve, (values, _) in zip(curves, found, strict=True) if curve.spec == LOSS_SPEC]
    decimals = decimals_for(np.concatenate([np.zeros(0), *losses]).tolist())
    for curve, (values, origins) in zip(curves, found, strict=True):
        columns[curve.name] = pa.array(
            [
                NOT_RECORDED if np.isnan(origin) else _hover_text(value, origin, x, curve, decimals)
                for value, origin, x in zip(values.tolist(), origins.tolist(), grid.tolist(), strict=True)
            ],
            pa.string(),
        )
    # What is no number, and what is not there, comes last.
    every = [np.where(np.isnan(origins), np.nan, values) for values, origins in found]
    ranked: list[list[int]] = np.argsort(np.array(every).T, axis=1, kind="stable").tolist() if every else []
    return pa.table(columns), ranked


def _hover_text(value: float, origin: float, x: float, curve: Curve, decimals: int) -> str:
    """The value; where the run logged none just there, also the position that it is from."""
    spec = curve.spec
    if curve.signed and np.isfinite(value):
        shown = signed(value, partial(to_decimals, decimals=decimals) if spec == LOSS_SPEC else shower(spec))
    elif spec == LOSS_SPEC:
        shown = to_decimals(value, decimals)
    else:
        # Thousands of these are made for a page, and most are plain numbers.
        shown = format(value + 0.0, spec) if abs(value) < LARGE else shower(spec)(value)
    return shown if origin == x else f"{shown} (at {place(origin)})"

"""What a chart of curves shows: computed here, drawn by ``lib.charts.curves``.

The result is Arrow tables, one a dataset of the specification, and the counts that the page states
beside the chart: how many of the logged points are drawn, what is not finite, what a log axis hides.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from lib.core.formatting import NOT_RECORDED, figure, place
from lib.core.series import align, bucket_of, hover_grid, reduce_indices, smooth

RAW_OPACITY = 0.25
"""The raw line behind a smoothed one is faint, and still there."""

LANE_TOP, LANE_HEIGHT = 6, 10
"""Pixels from the top to what was noticed of the first run, and from there to that of the next one: each run has a
row of its own, so that marks of one colour never hide those of another."""

MARK_BUCKETS = 2
"""What was noticed of one run within so many buckets is one mark with a count: two squares would overlap there."""

MARK_SENTENCES = 6
"""A mark that stands for more says so many of them and how many more there are: a tooltip has to fit on the page."""


@dataclass(frozen=True, slots=True)
class Curve:
    """One curve to draw: all logged points of one metric of one run.

    Attributes:
        name: Full name for the tooltip; no two curves of a chart share one.
        x: Position of each point on the chosen axis, shape (n,), in step order.
        y: Value of each point, shape (n,); may hold NaN and infinities.
        spec: Python format of one value.
        evaluated: An eval metric: dashed, marked point by point, neither reduced nor smoothed.
        mark_lowest: Mark the lowest value: of an eval loss that is the best one.
        real: For an eval metric, which points are measurements and not repeats of the last one, shape (n,).
        unread: How many further finite points were logged that the source left out, no extreme among them.
        unread_nonfinite: The same of NaN and infinite values.
    """

    name: str
    color: str
    x: np.ndarray
    y: np.ndarray
    spec: str
    evaluated: bool = False
    mark_lowest: bool = False
    real: np.ndarray | None = None
    unread: int = 0
    unread_nonfinite: int = 0


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
class View:
    """How the curves of a chart are looked at. ``start`` and ``end`` are positions on the x axis."""

    axis_title: str
    start: float | None = None
    end: float | None = None
    smoothing: float = 0.0
    log_y: bool = False
    buckets: int = 120
    hover_positions: int = 200


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


def picture(curves: Sequence[Curve], view: View, notices: Sequence[Notice] = ()) -> Picture:
    """Compute what a chart of ``curves`` shows in ``view``; ``notices`` are marked where they are in view."""
    lines, evals, best, bad = _Points(), _Points(), _Points(), _Points()
    logged = drawn = not_positive = logged_nonfinite = 0
    spans: list[np.ndarray] = []
    for number, curve in enumerate(curves):
        y = curve.y
        if view.smoothing and not curve.evaluated:
            y = smooth(y, view.smoothing)
        in_range = _in_range(curve.x, view)
        finite = np.isfinite(curve.y)
        nonfinite = curve.x[in_range & ~finite]
        bad.add(_one_a_bucket(nonfinite, view.buckets), color=curve.color)
        logged_nonfinite += len(nonfinite) + curve.unread_nonfinite
        keep = in_range & finite
        if view.log_y:
            hidden = keep & (curve.y <= 0)
            not_positive += int(hidden.sum())
            keep &= ~hidden
        x, shown, raw = curve.x[keep], y[keep], curve.y[keep]
        spans.append(curve.x[in_range])
        logged += len(x) + curve.unread
        kept = np.arange(len(x)) if curve.evaluated else reduce_indices(x, raw, view.buckets)
        drawn += len(kept)
        line = {"color": curve.color, "kind": "eval" if curve.evaluated else "train"}
        if shown is not raw and view.smoothing and not curve.evaluated:
            lines.add(x[kept], raw[kept], series=2 * number, opacity=RAW_OPACITY, **line)
            kept = reduce_indices(x, shown, view.buckets)
        lines.add(x[kept], shown[kept], series=2 * number + 1, opacity=1.0, **line)
        if curve.evaluated and len(x):
            real = np.ones(len(x), bool) if curve.real is None else curve.real[keep]
            evals.add(x[real], raw[real], color=curve.color)
    for curve in curves:
        _mark_best(best, curve, view)
    extent = _extent(spans, view)
    tables = {
        "lines": lines.table("x", "y", "series", "color", "kind", "opacity"),
        "evals": evals.table("x", "y", "color"),
        "best": best.table("x", "y", "color"),
        "nonfinite": bad.table("x", "color"),
        "extent": pa.table({"x": pa.array(extent or (), pa.float64())}),
        "hover": _hover(curves, spans, view),
        **_noticed(notices, extent, view),
    }
    return Picture(tables, extent, len(curves), logged, drawn, logged_nonfinite, not_positive)


def pin_table(extent: tuple[float, float] | None, pin: float | None) -> pa.Table:
    """The dataset ``pin``: the pinned position, where it is in view."""
    visible = pin is not None and extent is not None and extent[0] <= pin <= extent[1]
    return pa.table({"x": pa.array([pin] if visible else [], pa.float64())})


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


def _in_range(x: np.ndarray, view: View) -> np.ndarray:
    inside = np.isfinite(x)
    if view.start is not None:
        inside &= x >= view.start
    if view.end is not None:
        inside &= x <= view.end
    return inside


def _mark_best(best: _Points, curve: Curve, view: View) -> None:
    """Mark the lowest finite value of the whole curve, where it is in view."""
    if not curve.mark_lowest or not np.isfinite(curve.y).any():
        return
    position = int(np.nanargmin(np.where(np.isfinite(curve.y), curve.y, np.nan)))
    visible = _in_range(curve.x, view)[position] and not (view.log_y and curve.y[position] <= 0)
    if visible:
        best.add(curve.x[[position]], curve.y[[position]], color=curve.color)


def _one_a_bucket(x: np.ndarray, buckets: int) -> np.ndarray:
    """The first position of each bucket: a run that diverged logs thousands of NaN side by side."""
    return x[np.unique(bucket_of(x, buckets), return_index=True)[1]] if len(x) else x


def _extent(spans: Sequence[np.ndarray], view: View) -> tuple[float, float] | None:
    ends = [x for span in spans if len(span) for x in (span.min(), span.max())]
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


def _hover(curves: Sequence[Curve], spans: Sequence[np.ndarray], view: View) -> pa.Table:
    """One row a position: ready text for each curve, so that the tooltip needs to know none of them."""
    grid = hover_grid([span for span in spans if len(span)], view.hover_positions)
    columns: dict[str, pa.Array] = {view.axis_title: pa.array(grid, pa.float64())}
    for curve in curves:
        values, origins = align(curve.x, curve.y, grid)
        columns[curve.name] = pa.array(
            [
                NOT_RECORDED if np.isnan(origin) else _hover_text(value, origin, x, curve.spec)
                for value, origin, x in zip(values, origins, grid, strict=True)
            ],
            pa.string(),
        )
    return pa.table(columns)


def _hover_text(value: float, origin: float, x: float, spec: str) -> str:
    """The value; where the run logged none just there, also the position that it is from."""
    shown = figure(value, spec)
    return shown if origin == x else f"{shown} (at {place(origin)})"

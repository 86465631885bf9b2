"""What is drawn of one curve: reduced, smoothed, its marks and counts. It does not depend on the other curves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from lib.core.curves.series import bucket_of, reduce_indices, smooth_by_each

Points = tuple[np.ndarray, np.ndarray]
"""X and y, of one length."""

NO_POINTS: Points = (np.empty(0), np.empty(0))


@dataclass(frozen=True, slots=True)
class Curve:
    """One curve to draw: all logged points of one metric of one run.

    Attributes:
        name: Full name for the tooltip; no two curves of a chart share one.
        slot: Of its run: colour and shape.
        x: Position of each point on the chosen axis, shape (n,), in step order.
        y: Value of each point, shape (n,); may hold NaN and infinities.
        spec: Python format of one value.
        evaluated: An eval metric: in front, marked point by point, neither reduced nor smoothed.
        best: Which of its points is the run's best evaluation; ``None`` where it has none.
        real: For an eval metric, which points are measurements and not repeats of the last one, shape (n,).
        unread: How many further finite points were logged that the source left out, no extreme among them.
        unread_nonfinite: The same of NaN and infinite values.
        signed: Its values are differences, and say so by their sign.
    """

    name: str
    slot: int
    x: np.ndarray
    y: np.ndarray
    spec: str
    evaluated: bool = False
    best: int | None = None
    real: np.ndarray | None = None
    unread: int = 0
    unread_nonfinite: int = 0
    signed: bool = False


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


@dataclass(frozen=True, slots=True, eq=False)
class DrawnCurve:
    """What is drawn of a curve in a view.

    Attributes:
        line: The points that the line goes through, with the nearest one beyond each end of the range: a segment that
            crosses the edge is drawn as far as the edge.
        raw: Those of the raw line behind a smoothed one.
        evals: The measured evaluations in view; of another curve, its point where it is the only one.
        shown: All finite points in view.
        nonfinite: Where NaN and infinite values are marked.
        places: The positions of all points in view, ascending, each once.
        is_ordered: Whether the whole curve's positions are finite and ascend.
        logged: Finite points in view.
        points: How many of them the line goes through; of a smoothed curve, the raw line behind it.
        lost: NaN and infinite values in view.
        not_positive: Values in view that a log axis cannot show.
    """

    line: Points
    raw: Points | None
    evals: Points
    shown: Points
    nonfinite: np.ndarray
    places: np.ndarray
    is_ordered: bool
    logged: int
    points: int
    lost: int
    not_positive: int


def drawn_of(curve: Curve, view: View) -> DrawnCurve:
    """Reduce a curve to what a view shows of it."""
    is_ordered = _is_ordered(curve)
    chosen = _in_view(curve.x, view, is_ordered)
    x, raw = curve.x[chosen], curve.y[chosen]
    real = None if curve.real is None else curve.real[chosen]
    places = x if is_ordered and (x[1:] > x[:-1]).all() else np.unique(x)
    finite = np.isfinite(raw)
    nonfinite, not_positive = x[~finite], 0
    if view.log_y:
        not_positive = int((raw[finite] <= 0).sum())
        finite &= ~(raw <= 0)
    if not finite.all():
        x, raw, real = x[finite], raw[finite], None if real is None else real[finite]
    kept = slice(None) if curve.evaluated else reduce_indices(x, raw, view.buckets)
    points = (x[kept], raw[kept])
    # A line through one point is nothing: it gets a mark of its own.
    evals = points if len(points[0]) == 1 else NO_POINTS
    if curve.evaluated:
        evals = (x, raw) if real is None else (x[real], raw[real])
    drawn = DrawnCurve(
        line=_to_the_edges(points, curve, curve.y, view, is_ordered),
        raw=None,
        evals=evals,
        shown=(x, raw),
        nonfinite=_one_a_bucket(nonfinite, view.buckets),
        places=places,
        is_ordered=is_ordered,
        logged=len(x) + curve.unread,
        points=len(points[0]),
        lost=len(nonfinite) + curve.unread_nonfinite,
        not_positive=not_positive,
    )
    if not view.smoothing or curve.evaluated:
        return drawn
    return with_line(drawn, next(lines_by_weight(curve, view, (view.smoothing,))))


def with_line(drawn: DrawnCurve, line: Points) -> DrawnCurve:
    """What is drawn of a curve that is not smoothed, with a smoothed line in front of its own."""
    return replace(drawn, line=line, raw=drawn.line)


def lines_by_weight(curve: Curve, view: View, weights: Sequence[float]) -> Iterator[Points]:
    """The points that the smoothed line goes through, for each weight; the average is that of the whole curve.

    The view's own weight has no say.
    """
    is_ordered = _is_ordered(curve)
    chosen = _in_view(curve.x, view, is_ordered)
    drawable = np.isfinite(curve.y[chosen])
    if view.log_y:
        drawable &= curve.y[chosen] > 0
    if not drawable.all():
        chosen = np.arange(len(curve.y))[chosen][drawable]
    x = curve.x[chosen]
    for smoothed in smooth_by_each(curve.y, weights):
        shown = smoothed[chosen]
        kept = reduce_indices(x, shown, view.buckets)
        yield _to_the_edges((x[kept], shown[kept]), curve, smoothed, view, is_ordered)


def _is_ordered(curve: Curve) -> bool:
    """Whether all positions are finite and ascend."""
    return bool((curve.x[1:] >= curve.x[:-1]).all() and np.isfinite(curve.x[-1:]).all())


def best_of(curve: Curve, view: View) -> Points:
    """The run's best evaluation, where it is in view."""
    if curve.best is None:
        return NO_POINTS
    x, y = curve.x[[curve.best]], curve.y[[curve.best]]
    visible = _in_view(x, view, bool(np.isfinite(x).all()))
    drawable = np.isfinite(y).all() and not (view.log_y and y[0] <= 0)
    return (x[visible], y[visible]) if drawable else NO_POINTS


def _to_the_edges(points: Points, curve: Curve, values: np.ndarray, view: View, is_ordered: bool) -> Points:
    """The points in view, and before and after them the nearest ones that are not.

    Where positions go back there is no telling which point is beyond which edge, and they stay as they are.
    """
    if not is_ordered or (view.start is None and view.end is None):
        return points
    inside = _in_view(curve.x, view, is_ordered)
    assert isinstance(inside, slice)
    before, after = (_drawable_near(curve.y, at, step, view) for at, step in ((inside.start - 1, -1), (inside.stop, 1)))
    return (
        np.concatenate((curve.x[before], points[0], curve.x[after])),
        np.concatenate((values[before], points[1], values[after])),
    )


def _drawable_near(y: np.ndarray, at: int, step: int, view: View) -> list[int]:
    """The first place from ``at`` on that has a value to draw; none where there is no such place."""
    while 0 <= at < len(y):
        if np.isfinite(y[at]) and not (view.log_y and y[at] <= 0):
            return [at]
        at += step
    return []


def _in_view(x: np.ndarray, view: View, is_ordered: bool) -> slice[int, int] | np.ndarray:
    """Which points have a place in the range: a slice where that is enough, so that nothing is copied."""
    start = -np.inf if view.start is None else view.start
    end = np.inf if view.end is None else view.end
    if is_ordered:
        return slice(int(np.searchsorted(x, start, "left")), int(np.searchsorted(x, end, "right")))
    inside: np.ndarray = np.isfinite(x) & (x >= start) & (x <= end)
    return inside


def _one_a_bucket(x: np.ndarray, buckets: int) -> np.ndarray:
    """The first position of each bucket: a run that diverged logs thousands of NaN side by side."""
    return x[np.unique(bucket_of(x, buckets), return_index=True)[1]] if len(x) else x

"""What is drawn of one curve: reduced, smoothed, its marks and counts. It does not depend on the other curves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lib.core.curves.series import bucket_of, reduce_indices, smooth

Points = tuple[np.ndarray, np.ndarray]
"""X and y, of one length."""

NO_POINTS: Points = (np.empty(0), np.empty(0))


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
        line: The points that the line goes through.
        raw: Those of the raw line behind a smoothed one.
        evals: The measured evaluations; of another curve, its point where it is the only one in view.
        best: The lowest value, where it is to be marked and in view.
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
    best: Points
    nonfinite: np.ndarray
    places: np.ndarray
    is_ordered: bool
    logged: int
    points: int
    lost: int
    not_positive: int


def drawn_of(curve: Curve, view: View) -> DrawnCurve:
    """Reduce a curve to what a view shows of it."""
    is_ordered = bool((curve.x[1:] >= curve.x[:-1]).all() and np.isfinite(curve.x[-1:]).all())
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
    behind = (x[kept], raw[kept])
    is_smoothed = bool(view.smoothing) and not curve.evaluated
    # A line through one point is nothing: it gets a mark of its own.
    evals = behind if len(behind[0]) == 1 else NO_POINTS
    if curve.evaluated:
        evals = (x, raw) if real is None else (x[real], raw[real])
    return DrawnCurve(
        line=smoothed_line(curve, view) if is_smoothed else behind,
        raw=behind if is_smoothed else None,
        evals=evals,
        best=_best(curve, view),
        nonfinite=_one_a_bucket(nonfinite, view.buckets),
        places=places,
        is_ordered=is_ordered,
        logged=len(x) + curve.unread,
        points=len(behind[0]),
        lost=len(nonfinite) + curve.unread_nonfinite,
        not_positive=not_positive,
    )


def smoothed_line(curve: Curve, view: View) -> Points:
    """The points that the line of a smoothed curve goes through; the average is that of the whole curve."""
    chosen = _in_view(curve.x, view, is_ordered=False)
    chosen &= np.isfinite(curve.y)
    if view.log_y:
        chosen &= curve.y > 0
    x, shown = curve.x[chosen], smooth(curve.y, view.smoothing)[chosen]
    kept = reduce_indices(x, shown, view.buckets)
    return x[kept], shown[kept]


def _in_view(x: np.ndarray, view: View, is_ordered: bool) -> slice[int, int] | np.ndarray:
    """Which points have a place in the range: a slice where that is enough, so that nothing is copied."""
    start = -np.inf if view.start is None else view.start
    end = np.inf if view.end is None else view.end
    if is_ordered:
        return slice(int(np.searchsorted(x, start, "left")), int(np.searchsorted(x, end, "right")))
    inside: np.ndarray = np.isfinite(x) & (x >= start) & (x <= end)
    return inside


def _best(curve: Curve, view: View) -> Points:
    """The lowest finite value of the whole curve, where it is in view."""
    if not curve.mark_lowest or not np.isfinite(curve.y).any():
        return NO_POINTS
    at = int(np.nanargmin(np.where(np.isfinite(curve.y), curve.y, np.nan)))
    x, y = curve.x[[at]], curve.y[[at]]
    visible = _in_view(x, view, bool(np.isfinite(x).all()))
    return NO_POINTS if view.log_y and y[0] <= 0 else (x[visible], y[visible])


def _one_a_bucket(x: np.ndarray, buckets: int) -> np.ndarray:
    """The first position of each bucket: a run that diverged logs thousands of NaN side by side."""
    return x[np.unique(bucket_of(x, buckets), return_index=True)[1]] if len(x) else x

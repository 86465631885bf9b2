"""A curve less the baseline's: at its own points, and only where the baseline has neighbouring ones."""

from __future__ import annotations

import numpy as np


def baseline_at(x: np.ndarray, base_x: np.ndarray, base_y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The baseline's values at some positions: interpolated between its two neighbouring points, never beyond them.

    Args:
        x: Positions, shape (n,), in any order; what is not finite has no place.
        base_x: The baseline's, shape (m,), on the same axis. Of equal ones the last counts.
        base_y: Its values, shape (m,); may hold NaN and infinities.

    Returns:
        Values, and which positions lie within the baseline's range, both of shape (n,). A value is NaN outside of that,
        and where the baseline, or a neighbour that would be asked, is no number.
    """
    x = np.asarray(x, dtype=np.float64)
    placed = np.flatnonzero(np.isfinite(base_x))
    order = placed[np.argsort(base_x[placed], kind="stable")]
    at, values = base_x[order].astype(np.float64), base_y[order].astype(np.float64)
    if not len(at):
        return np.full(len(x), np.nan), np.zeros(len(x), dtype=bool)
    last = np.append(at[1:] != at[:-1], True)
    at, values = at[last], values[last]
    inside = np.isfinite(x) & (x >= at[0]) & (x <= at[-1])
    after = np.searchsorted(at, np.where(inside, x, at[0]))
    is_own = at[after] == np.where(inside, x, at[0])
    before = np.where(is_own, after, after - 1)
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        share = np.where(is_own, 1.0, (x - at[before]) / (at[after] - at[before]))
        # Whoever lies on a point needs no neighbour: 0 times infinity is NaN.
        between = values[before] * (1.0 - share) + values[after] * share
        found = np.where(is_own, values[after], between)
    found[~inside | ~np.isfinite(found)] = np.nan
    return found, inside


def less_baseline(
    x: np.ndarray, y: np.ndarray, base_x: np.ndarray, base_y: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """A curve less the baseline's.

    Args:
        x: Positions of the curve, shape (n,).
        y: Its values, shape (n,).
        base_x: As for ``baseline_at``.
        base_y: The same.

    Returns:
        The difference at each of its points, NaN where one of both is no number, and which points lie within the
        baseline's range: of the others there is no difference. Both of shape (n,).
    """
    base, inside = baseline_at(x, base_x, base_y)
    with np.errstate(invalid="ignore", over="ignore"):
        found = np.asarray(y, dtype=np.float64) - base
    found[~np.isfinite(found)] = np.nan
    return found, inside

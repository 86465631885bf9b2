"""Arithmetic on one curve: smoothing, reduction to what a screen can show, and values at a position.

A curve is a pair of arrays, ``x`` and ``y``, of one length. ``y`` may hold NaN and infinities: they
are counted and marked, and never enter a mean, a minimum or a range.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from lib.core.facts.limits import Count, Limit

# fmt: off
POINTS_PER_BUCKET = Count(4, "Points per bucket",
    "First, last, minimum and maximum: what a column of pixels shows of a line (M4; Jugel et al. 2014).")
REPEAT_DENSITY = Limit(0.5, "Repeat density",
    "Evaluations per train point from which on a writer may be repeating old values: evaluating costs too much to be"
    " done at every other logging step.")
REPEAT_SHARE = Limit(0.5, "Repeat share",
    "Share of equal neighbours above which evaluations are read as repeats: measured losses hardly ever agree to the"
    " last bit.")
# fmt: on


def smooth_by_each(values: np.ndarray, weights: Sequence[float]) -> Iterator[np.ndarray]:
    """Exponential moving averages without start-up bias, one weight after the other.

    ``s[t] = sum(weight**(t-i) * v[i]) / sum(weight**(t-i))`` over the finite ``v[i]`` with ``i <= t``:
    the moving average ``m[t] = weight * m[t-1] + (1 - weight) * v[t]`` divided by
    ``1 - weight**(t+1)``, the bias correction of Kingma and Ba, "Adam" (2015), section 3. TensorBoard
    smooths so. What the weights share is worked out once, and one result is held at a time.

    Args:
        values: Shape (n,). Non-finite values are passed through, and the average goes on without them.
        weights: Each 0 (no smoothing) to below 1.

    Yields:
        For each weight shape (n,), float64, within the minimum and the maximum of the finite values so far.

    Raises:
        ValueError: If a weight is outside [0, 1).

    Example:
        >>> [each.round(4).tolist() for each in smooth_by_each(np.array([2.0, 2.0, 4.0]), (0.5,))]
        [[2.0, 2.0, 3.1429]]
    """
    raw = np.asarray(values, dtype=np.float64)
    is_finite = np.isfinite(raw)
    is_whole = bool(is_finite.all())
    known = raw if is_whole else np.where(is_finite, raw, np.nan)
    lowest, highest = np.fmin.accumulate(known), np.fmax.accumulate(known)
    for weight in weights:
        if not 0.0 <= weight < 1.0:
            raise ValueError(f"A smoothing weight is at least 0 and below 1, got {weight!r}.")
        import pandas as pd

        averages = pd.Series(known).ewm(alpha=1.0 - weight, adjust=True, ignore_na=True).mean().to_numpy()
        # Rounding may carry an average just past the values it is made of; a constant must stay one.
        averages = np.clip(averages, lowest, highest)
        yield averages if is_whole else np.where(is_finite, averages, raw)


def bucket_of(x: np.ndarray, buckets: int) -> np.ndarray:
    """The bucket of every x: ``buckets`` half-open intervals of equal width from min to max.

    Bucket ``k`` holds ``lo + k * w <= x < lo + (k + 1) * w`` with ``w = (hi - lo) / buckets``, where
    ``lo`` and ``hi`` are the least and the greatest finite x; the last one holds ``hi`` too. Where all
    x are equal, all are in bucket 0.

    Returns:
        Shape (n,), int64, never decreasing with x; -1 where x is not finite.
    """
    if buckets < 1:
        raise ValueError(f"Expected at least one bucket, got {buckets}.")
    x = np.asarray(x, dtype=np.float64)
    is_finite = np.isfinite(x)
    if not is_finite.all():
        found = np.full(len(x), -1, dtype=np.int64)
        found[is_finite] = bucket_of(x[is_finite], buckets)
        return found
    if not len(x) or (lowest := x.min()) == x.max():
        return np.zeros(len(x), dtype=np.int64)
    with np.errstate(over="ignore"):
        span = x.max() - lowest
    if span == np.inf:
        return bucket_of(x / 2.0, buckets)
    scaled = x - lowest
    scaled /= span
    scaled *= buckets
    numbers: np.ndarray = np.minimum(scaled.astype(np.int64), buckets - 1)
    return numbers


def reduce_indices(x: np.ndarray, y: np.ndarray, buckets: int) -> np.ndarray:
    """Choose the points that keep a curve's picture: of every bucket first, last, minimum and maximum.

    Only points with finite x and y take part, and their range is what is cut into buckets
    (``bucket_of``). First and last go by x; among equal x, and among equal extremes, by position.

    Args:
        x: Shape (n,), in any order; values may repeat.
        y: Shape (n,).
        buckets: How many, at least 1. With at most 4 points per bucket on average, all are kept.

    Returns:
        Positions in x and y, sorted and unique; at most ``4 * buckets`` of them.
    """
    x, y = np.asarray(x), np.asarray(y, dtype=np.float64)
    if buckets < 1:
        raise ValueError(f"Expected at least one bucket, got {buckets}.")
    if not (_is_finite_and_sorted(x) and np.isfinite(y).all()):
        positions = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
        positions = positions[np.argsort(x[positions], kind="stable")]
        return np.sort(positions[reduce_indices(x[positions], y[positions], buckets)])
    if len(x) <= POINTS_PER_BUCKET * buckets:
        return np.arange(len(x))
    starts = _bucket_starts(x, buckets)
    ends = np.append(starts[1:], len(x))
    spans = [y[start:end] for start, end in zip(starts.tolist(), ends.tolist(), strict=True)]
    lowest = starts + [span.argmin() for span in spans]
    highest = starts + [span.argmax() for span in spans]
    return np.unique(np.concatenate((starts, ends - 1, lowest, highest)))


def _is_finite_and_sorted(x: np.ndarray) -> bool:
    # NaN is not at least anything, and what lies between two finite ends is finite.
    return bool((x[1:] >= x[:-1]).all() and np.isfinite(x[:1]).all() and np.isfinite(x[-1:]).all())


def _bucket_starts(x: np.ndarray, buckets: int) -> np.ndarray:
    """Where those buckets begin that hold any of the sorted and finite x.

    They are those of ``bucket_of``, which is asked only of the x beside the borders.
    """
    if x[0] == x[-1]:
        return np.zeros(1, dtype=np.int64)
    number = np.arange(1, buckets)
    edges = x[0] + number * (x[-1] / buckets - x[0] / buckets)
    # Integers are compared with integers: numpy would make floats of all x.
    starts = np.searchsorted(x, np.ceil(edges).astype(x.dtype) if x.dtype.kind == "i" else edges).clip(1)

    def bucket(positions: np.ndarray) -> np.ndarray:
        return bucket_of(np.concatenate((x[positions], x[[0, -1]])), buckets)[:-2]

    # An edge may be a rounding away from the border.
    while (late := bucket(starts - 1) >= number).any():
        starts[late] = np.searchsorted(x, x[starts[late] - 1])
    while (early := bucket(starts) < number).any():
        starts[early] = np.searchsorted(x, x[starts[early]], side="right")
    return np.unique(np.append(0, starts))


def real_evaluations(
    eval_steps: np.ndarray, eval_values: np.ndarray, train_steps: np.ndarray, train_logged: int | None = None
) -> np.ndarray:
    """Tell measured evaluations from values that the writer only repeated on the following steps.

    Repeats are assumed only where, between the first and the last evaluation, there is at least
    ``REPEAT_DENSITY`` evaluation per train point, and more than ``REPEAT_SHARE`` of neighbouring values
    are exactly equal (NaN equals NaN here). Then the first of each stretch of equal values is real.
    Without train points there is nothing to compare with, and all are real.

    Args:
        eval_steps: Shape (n,), increasing.
        eval_values: Shape (n,).
        train_steps: Shape (m,).
        train_logged: How many train points were logged, where only some of them are in ``train_steps``.

    Returns:
        Shape (n,), bool: True where the value is a measurement.
    """
    steps, values = np.asarray(eval_steps), np.asarray(eval_values, dtype=np.float64)
    real = np.ones(len(steps), dtype=bool)
    if len(steps) < 2:
        return real
    train = np.asarray(train_steps)
    trained = np.count_nonzero((train >= steps[0]) & (train <= steps[-1]))
    if train_logged is not None and train_logged > len(train):
        # Points that a source left out are spread as the others are, over the steps.
        width = max(int(train[-1] - train[0]), 1)
        trained = train_logged * max(0, min(steps[-1], train[-1]) - max(steps[0], train[0])) / width
    repeats = (values[1:] == values[:-1]) | (np.isnan(values[1:]) & np.isnan(values[:-1]))
    if trained and len(steps) >= REPEAT_DENSITY * trained and repeats.mean() > REPEAT_SHARE:
        real[1:] = ~repeats
    return real


def hover_grid(xs: Sequence[np.ndarray], count: int, *, distinct: bool = False) -> np.ndarray:
    """At most ``count`` positions for the hover rule, all of them logged ones.

    They are the logged x nearest to ``count`` places spread evenly over the axis; the first and the
    last logged x are always among them.

    Args:
        xs: The x of every curve; non-finite ones are ignored.
        count: At least 2.
        distinct: Each of ``xs`` is known to be finite and to ascend, no value twice.

    Returns:
        Sorted and unique, float64; empty when nothing was logged.
    """
    if count < 2:
        raise ValueError(f"A hover grid holds the first and the last x: expected count >= 2, got {count}.")
    each = [known for x in xs if len(known := x if distinct else _distinct(np.asarray(x, dtype=np.float64)))]
    if any(len(x) > count for x in each):
        # What lies next to a place in all curves together lies next to it in one of them.
        places = np.linspace(min(x[0] for x in each), max(x[-1] for x in each), count)
        logged = np.unique(np.concatenate([x[_beside(x, places)] for x in each]))
    else:
        logged = np.unique(np.concatenate([np.zeros(0), *each]))
        if len(logged) <= count:
            return logged
        places = np.linspace(logged[0], logged[-1], count)
    after = np.searchsorted(logged, places).clip(1, len(logged) - 1)
    before = after - 1
    nearest: np.ndarray = logged[np.unique(np.where(places - logged[before] <= logged[after] - places, before, after))]
    return nearest


def _distinct(x: np.ndarray) -> np.ndarray:
    """The finite values, sorted and each once."""
    if not _is_finite_and_sorted(x):
        return np.unique(x[np.isfinite(x)])
    each: np.ndarray = x[np.append(True, x[1:] != x[:-1])[: len(x)]]
    return each


def _beside(x: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Positions of the sorted x before and after each place, and of both ends."""
    after = np.searchsorted(x, places).clip(1, len(x)) - 1
    return np.unique(np.concatenate((after, (after + 1).clip(max=len(x) - 1), [0, len(x) - 1])))


def nearest_points(
    x: np.ndarray, y: np.ndarray, grid: np.ndarray, *, ordered: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """For every grid position, the curve's logged point that is nearest to it; of two as near, the earlier one.

    Beyond the ends of the curve that is its end, no further away than its points are from each other on average: a run
    that ended earlier has no value there.

    Args:
        x: Shape (n,), in any order; points whose x is not finite are left out. Among equal x the last
            one counts.
        y: Shape (n,); non-finite values are values.
        grid: Shape (m,).
        ordered: ``x`` is known to be finite and to ascend.

    Returns:
        Values and the x they come from, each of shape (m,); both NaN where there is none.
    """
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    grid = np.asarray(grid, dtype=np.float64)
    if not ordered and not _is_finite_and_sorted(x):
        placed = np.flatnonzero(np.isfinite(x))
        order = placed[np.argsort(x[placed], kind="stable")]
        x, y = x[order], y[order]
    if not len(x):
        return np.full(len(grid), np.nan), np.full(len(grid), np.nan)
    after = np.searchsorted(x, grid, side="right").clip(max=len(x) - 1)
    before = (after - 1).clip(0)
    # At the last position, the point after it is that point itself.
    before = np.where(grid >= x[after], after, before)
    closer = np.where(np.abs(grid - x[before]) <= np.abs(x[after] - grid), x[before], x[after])
    at = np.searchsorted(x, closer, side="right") - 1
    apart = (x[-1] - x[0]) / max(len(x) - 1, 1)
    near = (grid >= x[0] - apart) & (grid <= x[-1] + apart)
    return np.where(near, y[at], np.nan), np.where(near, x[at], np.nan)

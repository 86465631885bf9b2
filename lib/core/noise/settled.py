"""The part of a curve that tells of its lowest value: after the initial fall, around the lowest stretch."""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.core.facts.limits import Count, Limit
from lib.core.noise.smoothing import MIN_POINTS, Floats

# fmt: off
WINDOW = Count(48, "Window",
    "Evaluations around the best that are looked at: the noise falls with the learning rate, and a trend of so "
    "many has one smoothness.")
# fmt: on

# fmt: off
FALL_STEPS = Limit(5.0, "Fall steps",
    "A fall of more than so many usual differences of neighbours is that of a model that had not learned yet.")
# fmt: on

# fmt: off
SPIKE_DEVIATIONS = Limit(10.0, "Spike deviations",
    "A few values in a row further from those around them than so many usual steps are left out before anything is"
    " fitted: even heavy-tailed noise hardly ever goes there.")
SPIKE_LENGTH = Count(6, "Spike length",
    "So many values in a row may be a spike that a training recovered from; what is longer is a stretch of its own.")
OUTLIER_DEVIATIONS = Limit(3.0, "Outlier deviations",
    "Values further from a first fit than so many standard deviations are pulled in to that.")
# fmt: on

# fmt: off
APART = Limit(3.0, "Apart",
    "Losses that are all above so many times the highest one before them are of a training that came apart: they tell"
    " nothing of the noise at its best.")
# fmt: on

SPIKE_LENGTH_LEAST = 3
"""However few points there are, so many in a row may be a spike."""

COME_BACK = 0.1
"""A value has come back from a spike where what is left is below this share of it: meanwhile the trend went on."""

MEDIAN_TO_DEVIATION = 1.4826
"""From the median absolute value of a normal variable to its standard deviation."""

MIN_FALL_POINTS = 6
"""From so many points on the initial fall is looked for; so many less one are left after it."""

MIN_MEDIAN_POINTS = 8
"""From so many points on the lowest stretch is that of the running median."""

MEDIAN_SHARE = 20
"""A running median reaches to both sides by one in so many points, at least by one point."""

ROUNDING = 4.0 * float(np.finfo(np.float64).eps)
"""Differences below this share of a value are those of binary floating point."""

LARGEST = 1e100
"""A greater value counts as not finite: it diverged, and its square could not be written."""


@dataclass(frozen=True, slots=True, eq=False)
class Settled:
    """What is left of a curve.

    Attributes:
        steps, values: Shape (m,), m at least ``MIN_POINTS``, at most ``WINDOW``.
        resolution: Standard deviation of the error that writing the values with a few digits made.
        finite: Finite points of the whole curve.
    """

    steps: Floats
    values: Floats
    resolution: float
    finite: int


def settled(steps: Floats, values: Floats) -> Settled | None:
    """Cut a curve, of which lower values are better, down to the points around its lowest stretch.

    Args:
        steps: Shape (n,), finite, at least 0, strictly increasing.
        values: Shape (n,); what is not finite is left out.

    Returns:
        ``None`` where fewer than ``MIN_POINTS`` values are finite, or of a training that had not come apart.

    Raises:
        ValueError: If the shapes differ or the steps are not as they should be.
    """
    steps, values = finite_points(steps, values)
    finite = len(values)
    if finite < MIN_POINTS:
        return None
    rounding = least_difference(values)
    # Before anything is cut: half a spike at an edge would be a fall, or a rise.
    kept = ~spikes(values, rounding)
    steps, values = steps[kept], values[kept]
    end = min(before_apart(values), before_rise(values))
    begin = initial_fall(values[:end])
    steps, values = steps[begin:end], values[begin:end]
    # Once more by the steps around the best, which may be smaller than those of the whole curve.
    around = _window(values, WINDOW + 2 * SPIKE_LENGTH)
    kept = ~spikes(values[around], rounding)
    steps, values = steps[around][kept], values[around][kept]
    around = _window(values, WINDOW)
    steps, values = steps[around], values[around]
    if len(values) < MIN_POINTS:
        return None
    # A value that came apart is not what the others are rounded to.
    return Settled(steps, values, max(rounding, ROUNDING * float(np.median(np.abs(values)))), finite)


def _window(values: Floats, width: int) -> slice:
    """So many values, or all if there are fewer, with the lowest stretch in the middle as far as the ends allow."""
    width = min(width, len(values))
    start = min(max(lowest_stretch(values) - width // 2, 0), len(values) - width)
    return slice(start, start + width)


def finite_points(steps: Floats, values: Floats) -> tuple[Floats, Floats]:
    """The points whose values are finite.

    Raises:
        ValueError: If the shapes differ, or if steps are below 0, not finite, repeated or out of order: which of two
            values of one step counts is for the reader of a log to say.
    """
    steps, values = np.asarray(steps, dtype=np.float64), np.asarray(values, dtype=np.float64)
    if steps.ndim != 1 or steps.shape != values.shape:
        raise ValueError(f"Steps and values need one dimension and one length, got {steps.shape} and {values.shape}.")
    if not np.isfinite(steps).all() or (len(steps) and steps[0] < 0.0) or (np.diff(steps) <= 0.0).any():
        raise ValueError("Steps must be finite, at least 0 and strictly increasing.")
    known = np.isfinite(values)
    known[known] = np.abs(values[known]) <= LARGEST
    return steps[known], values[known]


def least_difference(values: Floats) -> float:
    """The error of writing values with a few digits, as a standard deviation: their least difference / sqrt(12).

    It is next to nothing for values with all digits.
    """
    apart = np.diff(np.unique(values))
    return float(apart.min()) / math.sqrt(12.0) if len(apart) else 0.0


def spikes(values: Floats, resolution: float) -> NDArray[np.bool_]:
    """Which values leap away from those around them and come back: no fit withstands these.

    A loss of 1e25 in the midst of others would be all that a least-squares trend knows. Up to ``SPIKE_LENGTH`` values
    in a row (a third of all, if that is less, but ``SPIKE_LENGTH_LEAST``) are a spike if each is further from the value
    before them than ``SPIKE_DEVIATIONS`` usual steps from value to value, and the next one is not, or has come back by
    most of the way. A fall or a rise that stays is none: a curve may begin or end with it.

    Args:
        values: Shape (m,).
        resolution: Standard deviation of the error of rounding: the usual step is at least that.

    Returns:
        Shape (m,).
    """
    count = len(values)
    found = np.zeros(count, dtype=bool)
    if count < MIN_MEDIAN_POINTS:
        return found
    differences = np.abs(np.diff(values))
    limit = SPIKE_DEVIATIONS * max(MEDIAN_TO_DEVIATION * float(np.median(differences)), resolution)
    most = min(SPIKE_LENGTH, max(count // 3, SPIKE_LENGTH_LEAST))
    end = 0
    for before in np.flatnonzero(differences > limit).tolist():
        if before < end:
            continue
        away = np.abs(values[before + 1 : before + most + 2] - values[before])
        back = np.flatnonzero(away <= np.maximum(limit, COME_BACK * np.maximum.accumulate(away)))
        if len(back):
            end = before + 1 + int(back[0])
            found[before + 1 : end] = True
    return found


def initial_fall(values: Floats) -> int:
    """How many first points to leave out: those of a model that had not learned yet.

    A first loss far above all others would make the noise ten times too large. The last of the first half of the points
    counts whose running median falls to the next by more than ``FALL_STEPS`` times the median difference of what
    follows. The lowest stretch is never among those left out: what falls after it is a second fall.
    """
    if len(values) < MIN_FALL_POINTS:
        return 0
    differences = np.abs(np.diff(values)).tolist()
    falls = (-np.diff(running_median(values, 1, ends=False))).tolist()
    first = min(len(values) // 2, len(values) - MIN_FALL_POINTS + 1, lowest_stretch(values))
    following = sorted(differences[first:])
    for place in range(first - 1, -1, -1):
        if falls[place] > FALL_STEPS * _median(following):
            return place + 1
        insort(following, differences[place])
    return 0


def before_rise(values: Floats) -> int:
    """How many points to keep: those up to where a training came apart after its best, if it did.

    The mirror of the initial fall. The first point after the lowest stretch counts whose running median rises to the
    next by more than ``FALL_STEPS`` times the median difference up to there.
    """
    if len(values) < MIN_MEDIAN_POINTS:
        return len(values)
    differences = np.abs(np.diff(values)).tolist()
    rises = np.diff(running_median(values, 1, ends=False)).tolist()
    first = max(lowest_stretch(values), MIN_FALL_POINTS - 1)
    preceding = sorted(differences[:first])
    for place in range(first, len(rises)):
        if rises[place] > FALL_STEPS * _median(preceding) > 0.0:
            return place + 1
        insort(preceding, differences[place])
    return len(values)


def before_apart(values: Floats) -> int:
    """How many points to keep where a training came apart early, with too few before to tell its usual steps.

    The first place counts behind which every value is above ``APART`` times the highest before, and further above that
    than ``FALL_STEPS`` times all that the values before differ by. Only values above 0 have such a scale.
    """
    if len(values) < MIN_POINTS or values.min() <= 0.0:
        return len(values)
    highest, lowest = np.maximum.accumulate(values)[:-1], np.minimum.accumulate(values)[:-1]
    following = np.minimum.accumulate(values[::-1])[::-1][1:]
    apart = following > np.maximum(APART * highest, highest + FALL_STEPS * (highest - lowest))
    return int(apart.argmax()) + 1 if apart.any() else len(values)


def lowest_stretch(values: Floats) -> int:
    """Where the running median is lowest: the single lowest of many values is a lucky one."""
    if len(values) < MIN_MEDIAN_POINTS:
        return int(values.argmin())
    reach = max(1, round(len(values) / MEDIAN_SHARE))
    return int(running_median(values, reach, ends=True).argmin())


def running_median(values: Floats, reach: int, ends: bool) -> Floats:
    """The median of each value and ``reach`` neighbours on both sides.

    Args:
        values: Shape (n,), n above ``reach``.
        reach: At least 1.
        ends: Whether the first and last ``reach`` values are smoothed too, the curve turned around its end values;
            else they are left as they are.

    Returns:
        Shape (n,).
    """
    padded = values
    if ends:
        before, after = values[reach:0:-1], values[-2 : -reach - 2 : -1]
        padded = np.concatenate((2.0 * values[0] - before, values, 2.0 * values[-1] - after))
    listed = padded.tolist()
    inside = sorted(listed[: 2 * reach])
    medians = []
    for leaving, entering in zip(listed, listed[2 * reach :], strict=False):
        insort(inside, entering)
        medians.append(inside[reach])
        del inside[bisect_left(inside, leaving)]
    if ends:
        return np.array(medians)
    return np.concatenate((values[:reach], medians, values[len(values) - reach :]))


def _median(ordered: list[float]) -> float:
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2.0

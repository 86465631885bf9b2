"""What a run's resources say: gradients at their limit, throughput that sank, memory that creeps up."""

from __future__ import annotations

import math

import numpy as np

from lib.core.checks.check import Found, Group, NotFound, check, found
from lib.core.checks.subject import LARGEST, OF_FEW, OF_POINTS, CannotTell, Subject, too_few
from lib.core.config.effective import effective
from lib.core.config.setting import value_of
from lib.core.curves.metric_curves import MetricCurve
from lib.core.curves.robust import MEDIAN_TO_MEAN, bend_of, densest_stretch, equal_blocks, noise_of
from lib.core.curves.short_curves import SHORT_CLIMB, SHORT_DROP, SHORT_FALL, climb_of, drop_of
from lib.core.facts.findings import Severity
from lib.core.facts.limits import Count, Limit, Limits
from lib.core.facts.metrics import metric_of
from lib.core.facts.values import finite

# fmt: off
CLIPPED_SHARE = Limit(0.5, "Clipped share",
    "Clipping is saturated over a stretch in which most gradient norms are cut, of at least this share of the run.")
CLIPPED_ALWAYS = Limit(0.9, "Clipped always",
    "From this share on it is a warning: nearly every step then has the limit's length, whatever the loss.")
PINNED_SHARE = Limit(0.3, "Pinned share",
    "Norms pinned at one value: this share of them equals the greatest. Measured norms hardly ever repeat.")
PINNED_WITHIN = Limit(1e-3, "Pinned within",
    "Relative difference within which norms are equal: the clipping formula divides by norm + 1e-6.")
PINNED_OTHERS = Count(10, "Pinned others",
    "Different norms that there must be, else they were rounded too coarsely to see pinning.")

THROUGHPUT_METRICS = ("tokens_per_second", "samples_per_second")
"""Where throughput is looked for, the better measure first: samples differ in length."""

THROUGHPUT_BASE = Limits((0.05, 0.25), "Throughput base",
    "The usual throughput is the median between these shares of the points: the first ones wait for compilation.")
THROUGHPUT_DROP = Limit(0.15, "Throughput drop",
    "A drop is at least this share of the usual throughput: batches of other lengths explain less.")
THROUGHPUT_SHARE = Limit(0.15, "Throughput share",
    "A drop lasts for at least this share of the points: evaluations and checkpoints make short dips.")
MEMORY_START = Limit(0.1, "Memory start",
    "The first share of the points is left out: buffers and the allocator's cache fill up there.")
CREEP_BLOCKS = Count(8, "Creep blocks", "A climb is judged by medians of so many parts.")
CREEP_UPWARDS = Count(6, "Creep upwards",
    "So many of the steps between the parts must lead up: in 0.6 % of random orders they do.")
CREEP_RISE = Limit(0.05, "Creep rise",
    "A climb is at least this share of where it began: batches of other lengths explain less.")
CREEP_JUMP = Limit(0.5, "Creep jump",
    "No one step between parts makes more than this share of a climb: that would be a jump, which is no creep.")
CREEP_SDS = Limit(6.0, "Creep SDs", "A climb is at least so many standard errors of a part's median.")
CREEP_SHARE = Limit(0.25, "Creep share", "A climb lasts for at least this share of the points.")
GROWTH_POINTS = Count(16, "Growth points", "Fewer gradient norms do not tell growth from noise.")
GROWTH_START = Limit(0.1, "Growth start", "The first share of the norms is left out, and the warm-up of the rate.")
GROWTH_BLOCKS = Count(6, "Growth blocks", "Growth is judged by medians of so many parts.")
GROWTH_UPWARDS = Count(4, "Growth upwards", "So many of the five steps between the parts must lead up.")
GROWTH_FACTOR = Limit(3.0, "Growth factor",
    "A norm grows to at least so many times of what it was. Fine-tuning over several epochs, and rates that decay,"
    " double it in runs that go well.")
GROWTH_JUMP = Limit(0.6, "Growth jump", "No one step between parts makes more than this share of it.")
GROWTH_ERRORS = Limit(3.0, "Growth errors", "And by so many standard errors of two parts' medians.")
BEND_POINTS = Count(200, "Bend points", "A climb's beginning is looked for among so many parts of the curve.")
# fmt: on


@check(
    "Clipping saturation",
    Group.HEALTH,
    Severity.WARNING,
    Severity.INFO,
    metrics=("grad_norm",),
    limits=(*OF_POINTS, CLIPPED_SHARE, CLIPPED_ALWAYS, PINNED_SHARE, PINNED_WITHIN, PINNED_OTHERS),
)
def clipping_saturation(subject: Subject) -> Found | NotFound | CannotTell:
    """Gradient norms most of which reach the limit that they are clipped to.

    Norms are usually logged before clipping, and then lie above ``max_grad_norm``; logged after it they
    are pinned at it. The first step is the first of the stretch in which that is so.
    """
    curve = subject.curves.get("grad_norm")
    limit = finite(value_of(effective(subject.run), "max_grad_norm"))
    if len(curve) and not curve.is_complete and limit and curve.median is not None:
        return _clipped_by_median(curve, curve.median, limit)
    points = subject.points("grad_norm")
    top = float(points.value.max())
    pinned = points.value >= top * (1.0 - PINNED_WITHIN)
    at_limit = bool(limit) and abs(top / (limit or 1.0) - 1.0) <= PINNED_WITHIN
    # Telling a million values apart takes a while, and few are pinned in most runs.
    many = top > 0.0 and pinned.mean() >= PINNED_SHARE
    if many and (at_limit or len(np.unique(points.value[~pinned])) >= PINNED_OTHERS):
        clipped, how, limit = pinned, "equal", top
    elif limit and limit > 0.0:
        clipped, how = points.value > limit, "exceed"
    else:
        return CannotTell("no gradient-norm limit (max_grad_norm) is configured")
    first, last = densest_stretch(clipped)
    share = float(clipped[first : last + 1].mean())
    if how == "exceed" and (last - first + 1 < CLIPPED_SHARE * len(points) or share <= CLIPPED_SHARE):
        return NotFound(f"{clipped.mean():.0%} of {len(points):,} gradient norms exceed the limit {limit:.4g}.")
    if how == "equal":
        at = np.flatnonzero(clipped)
        first, last = int(at[0]), int(at[-1])
        share = float(clipped[first : last + 1].mean())
    said = (
        f"{share:.0%} of the gradient norms {how} the limit {limit:.4g} from step {points.step[first]:,} "
        f"to step {points.step[last]:,}: clipping sets the size of most updates."
    )
    severity = Severity.WARNING if share >= CLIPPED_ALWAYS else Severity.INFO
    begin, end = points.step[first], points.step[last]
    return found(said, begin, end, severity=severity, metric="grad_norm", limit=limit, share=share)


def _clipped_by_median(curve: MetricCurve, median: float, limit: float) -> Found | NotFound:
    """What the median of all norms tells where only the reduced curve was read."""
    norms = curve.logged - curve.lost
    if median <= limit:
        return NotFound(f"At most half of {norms:,} gradient norms exceed {limit:.4g}.")
    said = (
        f"Most of {norms:,} gradient norms exceed the limit {limit:.4g} (median {median:.4g}): "
        f"clipping sets the size of most updates."
    )
    return found(said, severity=Severity.INFO, metric="grad_norm", limit=limit, median=median)


@check(
    "Gradient norm grows", Group.HEALTH, Severity.WARNING, metrics=("grad_norm", "learning_rate"),
    limits=(LARGEST, GROWTH_POINTS, GROWTH_START, GROWTH_BLOCKS, GROWTH_UPWARDS, GROWTH_FACTOR, GROWTH_JUMP,
            GROWTH_ERRORS),
)  # fmt: skip
def gradient_growth(subject: Subject) -> Found | NotFound | CannotTell:
    """A gradient norm that grows from part to part to several times of what it was, as before a divergence.

    Judged on the logarithm, after the warm-up. One jump is no growth.
    """
    points = subject.points("grad_norm", GROWTH_POINTS)
    steps, norms = points.step[points.value > 0.0], points.value[points.value > 0.0]
    start = int(GROWTH_START * len(norms))
    rate = subject.curves.get("learning_rate").finite()
    if len(rate) and rate.is_complete:
        warm = int(np.searchsorted(steps, rate.step[int(np.argmax(rate.value >= 0.95 * rate.value.max()))]))
        start = max(start, min(warm, len(norms) // 2))
    steps, logs = steps[start:], np.log(norms[start:])
    if len(logs) < 2 * GROWTH_BLOCKS:
        return CannotTell(f"the gradient norm has {len(logs)} positive points after the warm-up")
    parts = equal_blocks(logs, GROWTH_BLOCKS)
    ups, rise = np.diff(parts), float(parts[-1] - parts[0])
    # A line through the parts, by the median of its slopes: one part that is out of line does not move it.
    first, second = np.triu_indices(GROWTH_BLOCKS, k=1)
    slope = float(np.median((parts[second] - parts[first]) / (second - first))) * (GROWTH_BLOCKS - 1)
    error = MEDIAN_TO_MEAN * noise_of(logs) * math.sqrt(2.0 / (len(logs) // GROWTH_BLOCKS))
    steady = int((ups > 0.0).sum()) >= GROWTH_UPWARDS and float(ups.max()) <= GROWTH_JUMP * rise
    begin, end = (float(np.exp(part)) for part in (parts[0], parts[-1]))
    if not steady or min(rise, slope) <= max(math.log(GROWTH_FACTOR), GROWTH_ERRORS * error):
        return NotFound(f"Gradient norm is about {begin:.3g} after the warm-up and about {end:.3g} at the end.")
    said = (
        f"Gradient norm grows steadily, {end / begin:.1f} times, from about {begin:.3g} to {end:.3g} between step"
        f" {steps[0]:,} and step {steps[-1]:,}."
    )
    return found(said, steps[0], steps[-1], metric="grad_norm", begin=begin, end=end)


@check(
    "Throughput decay",
    Group.HEALTH,
    Severity.WARNING,
    metrics=THROUGHPUT_METRICS,
    limits=(*OF_FEW, SHORT_DROP, THROUGHPUT_BASE, THROUGHPUT_DROP, THROUGHPUT_SHARE, CREEP_BLOCKS),
)
def throughput_decay(subject: Subject) -> Found | NotFound | CannotTell:
    """A lasting drop of the throughput. The first step is the first of the slow stretch."""
    metric, points, few = _throughput(subject)
    if few:
        at = drop_of(points.value)
        if at is None:
            return too_few(points, metric)
        usual, level = (float(np.median(part)) for part in (points.value[2:at], points.value[at:]))
        return _slower(metric, points, (at, len(points) - 1), usual, level)
    begin, end = (int(share * len(points)) for share in THROUGHPUT_BASE)
    usual, unit = float(np.median(points.value[begin:end])), metric_of(metric).unit
    if usual <= 0.0:
        return CannotTell(f"the usual throughput is {usual:g} {unit}")
    slow = points.value < (1.0 - THROUGHPUT_DROP) * usual
    # What is slow before the usual throughput is measured is a start, not a decay.
    slow[:begin] = False
    first, last = densest_stretch(slow)
    level = float(np.median(points.value[first : last + 1]))
    lasting = last - first + 1 >= max(THROUGHPUT_SHARE * len(points), CREEP_BLOCKS)
    if not lasting or level >= (1.0 - THROUGHPUT_DROP) * usual:
        return NotFound(f"Throughput stays near {usual:,.4g} {unit}.")
    return _slower(metric, points, (first, last), usual, level)


def _slower(metric: str, points: MetricCurve, stretch: tuple[int, int], usual: float, level: float) -> Found:
    first, last = stretch
    said = (
        f"Throughput drops from {usual:,.4g} to {level:,.4g} {metric_of(metric).unit} ({level / usual - 1.0:.0%}) "
        f"from step {points.step[first]:,} to step {points.step[last]:,}."
    )
    return found(
        said, points.step[first], points.step[last], metric=metric, usual=usual, level=level, drop=1.0 - level / usual
    )


def _throughput(subject: Subject) -> tuple[str, MetricCurve, bool]:
    """The first of ``THROUGHPUT_METRICS`` that can be judged, and whether it has few points.

    Raises:
        CannotTell: Where none can; why the first one that was logged cannot.
    """
    whys: dict[bool, CannotTell] = {}
    for metric in THROUGHPUT_METRICS:
        try:
            return metric, *subject.points_or_few(metric)
        except CannotTell as why:
            whys.setdefault(len(subject.curves.get(metric)) > 0, why)
    raise whys.get(True) or whys[False]


@check(
    "Memory creep", Group.HEALTH, Severity.WARNING, metrics=("gpu_memory_allocated_gb",),
    limits=(*OF_FEW, SHORT_CLIMB, SHORT_FALL, MEMORY_START, CREEP_BLOCKS, CREEP_UPWARDS, CREEP_RISE,
            CREEP_JUMP, CREEP_SDS, CREEP_SHARE, BEND_POINTS),
)  # fmt: skip
def memory_creep(subject: Subject) -> Found | NotFound | CannotTell:
    """A slow climb of the allocated GPU memory. The first step is where the climb bends upwards."""
    points, few = subject.points_or_few("gpu_memory_allocated_gb")
    if few:
        at = climb_of(points.value)
        if at is None:
            return too_few(points, "gpu_memory_allocated_gb")
        return _crept(points.step, at, float(points.value[at]), float(points.value[-1]))
    start = int(MEMORY_START * len(points))
    steps, values = points.step[start:], points.value[start:]
    size = math.ceil(len(values) / BEND_POINTS)
    count = len(values) // size
    first = len(values) % count + size * bend_of(equal_blocks(values, count))
    climb = values[first:]
    level = NotFound(f"GPU memory stays near {float(np.median(values)):,.4g} GB.")
    if len(climb) < max(CREEP_SHARE * len(points), 2 * CREEP_BLOCKS):
        return level
    parts = equal_blocks(climb, CREEP_BLOCKS)
    ups, rise = np.diff(parts), float(parts[-1] - parts[0])
    error = noise_of(climb) / np.sqrt(len(climb) / CREEP_BLOCKS)
    steady = (ups > 0.0).sum() >= CREEP_UPWARDS and ups.max() <= CREEP_JUMP * rise
    if not steady or rise <= max(CREEP_RISE * abs(float(parts[0])), CREEP_SDS * error):
        return level
    return _crept(steps, first, float(parts[0]), float(parts[-1]))


def _crept(steps: np.ndarray, first: int, begin: float, end: float) -> Found:
    said = f"GPU memory climbs from {begin:,.4g} to {end:,.4g} GB from step {steps[first]:,} to step {steps[-1]:,}."
    return found(said, steps[first], steps[-1], metric="gpu_memory_allocated_gb", end=end, rise=end - begin)

"""What a run's resources say: gradients at their limit, throughput that sank, memory that creeps up."""

from __future__ import annotations

import math

import numpy as np

from lib.core.checks.check import Found, Group, NotFound, check, found
from lib.core.checks.subject import OF_POINTS, CannotTell, Subject
from lib.core.config.effective import effective
from lib.core.config.setting import value_of
from lib.core.curves.metric_curves import MetricCurve
from lib.core.curves.robust import bend_of, densest_stretch, equal_blocks, noise_of
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
    fine = len(np.unique(points.value[~pinned])) >= PINNED_OTHERS
    if limit and abs(top / limit - 1.0) <= PINNED_WITHIN:
        fine = True
    if top > 0.0 and pinned.mean() >= PINNED_SHARE and fine:
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
        f"{share:.0%} of the gradient norms {how} the limit {limit:.4g} from step {points.step[first]} "
        f"to step {points.step[last]}: clipping sets the size of most updates."
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
    "Throughput decay",
    Group.HEALTH,
    Severity.WARNING,
    metrics=THROUGHPUT_METRICS,
    limits=(*OF_POINTS, THROUGHPUT_BASE, THROUGHPUT_DROP, THROUGHPUT_SHARE, CREEP_BLOCKS),
)
def throughput_decay(subject: Subject) -> Found | NotFound | CannotTell:
    """A lasting drop of the throughput. The first step is the first of the slow stretch."""
    metric, points = _throughput(subject)
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
    said = (
        f"Throughput drops from {usual:,.4g} to {level:,.4g} {unit} ({level / usual - 1.0:.0%}) "
        f"from step {points.step[first]} to step {points.step[last]}."
    )
    return found(
        said, points.step[first], points.step[last], metric=metric, usual=usual, level=level, drop=1.0 - level / usual
    )


def _throughput(subject: Subject) -> tuple[str, MetricCurve]:
    """The first of ``THROUGHPUT_METRICS`` that can be judged.

    Raises:
        CannotTell: Where none can; why the first one that was logged cannot.
    """
    whys: dict[bool, CannotTell] = {}
    for metric in THROUGHPUT_METRICS:
        try:
            return metric, subject.points(metric)
        except CannotTell as why:
            whys.setdefault(len(subject.curves.get(metric)) > 0, why)
    raise whys.get(True) or whys[False]


@check(
    "Memory creep", Group.HEALTH, Severity.WARNING, metrics=("gpu_memory_allocated_gb",),
    limits=(*OF_POINTS, MEMORY_START, CREEP_BLOCKS, CREEP_UPWARDS, CREEP_RISE, CREEP_JUMP, CREEP_SDS, CREEP_SHARE,
            BEND_POINTS),
)  # fmt: skip
def memory_creep(subject: Subject) -> Found | NotFound:
    """A slow climb of the allocated GPU memory. The first step is where the climb bends upwards."""
    points = subject.points("gpu_memory_allocated_gb")
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
    said = (
        f"GPU memory climbs from {parts[0]:,.4g} to {parts[-1]:,.4g} GB from step {steps[first]} to step {steps[-1]}."
    )
    return found(said, steps[first], steps[-1], metric="gpu_memory_allocated_gb", end=float(parts[-1]), rise=rise)

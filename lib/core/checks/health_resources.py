"""What a run's resources say: gradients at their limit, throughput that sank, memory that creeps up."""

from __future__ import annotations

import math

import numpy as np

from lib.core.checks.health_checks import Check, Subject, finite_points, why_not
from lib.core.config.effective import effective
from lib.core.curves.metric_curves import MetricCurve, RunCurves
from lib.core.curves.robust import bend_of, densest_stretch, equal_blocks, noise_of
from lib.core.facts.findings import Severity
from lib.core.facts.metrics import metric_of
from lib.core.facts.runs import RunSummary
from lib.core.facts.values import finite

CLIPPED_SHARE = 0.5
"""Clipping is saturated over a stretch in which most gradient norms are cut, of at least this share of the run."""

CLIPPED_ALWAYS = 0.9
"""From this share on it is a warning: nearly every step then has the limit's length, whatever the loss."""

PINNED_SHARE = 0.3
"""Norms pinned at one value: this share of them equals the greatest. Measured norms hardly ever repeat."""

PINNED_WITHIN = 1e-3
"""Relative difference within which norms are equal: the clipping formula divides by norm + 1e-6."""

PINNED_OTHERS = 10
"""Different norms that there must be, else they were rounded too coarsely to see pinning."""

THROUGHPUT_METRICS = ("tokens_per_second", "samples_per_second")
"""Where throughput is looked for, the better measure first: samples differ in length."""

THROUGHPUT_BASE = (0.05, 0.25)
"""The usual throughput is the median between these shares of the points: the first ones wait for compilation."""

THROUGHPUT_DROP = 0.15
"""A drop is at least this share of the usual throughput: batches of other lengths explain less."""

THROUGHPUT_SHARE = 0.15
"""A drop lasts for at least this share of the points: evaluations and checkpoints make short dips."""

MEMORY_START = 0.1
"""The first share of the points is left out: buffers and the allocator's cache fill up there."""

CREEP_BLOCKS = 8
"""A climb is judged by medians of so many parts."""

CREEP_UPWARDS = 6
"""So many of the steps between the parts must lead up: in 0.6 % of random orders they do."""

CREEP_RISE = 0.05
"""A climb is at least this share of where it began: batches of other lengths explain less."""

CREEP_JUMP = 0.5
"""No one step between parts makes more than this share of a climb: that would be a jump, which is no creep."""

CREEP_SDS = 6.0
"""A climb is at least so many standard errors of a part's median."""

CREEP_SHARE = 0.25
"""A climb lasts for at least this share of the points."""

BEND_POINTS = 200
"""A climb's beginning is looked for among so many parts of the curve."""


def clipping_saturation(run: RunSummary, curves: RunCurves) -> Check:
    """Look whether most gradient norms reach the limit that they are clipped to.

    Norms are usually logged before clipping, and then lie above ``max_grad_norm``; logged after it they
    are pinned at it. The first step is the first of the stretch in which that is so.
    """
    subject, curve = Subject("clipping_saturation", "Clipping saturation", curves.run_id), curves.get("grad_norm")
    setting = effective(run).get("max_grad_norm")
    limit = None if setting is None else finite(setting.value)
    if len(curve) and not curve.is_complete and limit and curve.median is not None:
        return _clipped_by_median(subject, curve, limit)
    if why := why_not(curves, "grad_norm"):
        return subject.cannot_tell(why)
    points = finite_points(curve)
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
        return subject.cannot_tell("no gradient-norm limit (max_grad_norm) is configured.")
    first, last = densest_stretch(clipped)
    share = float(clipped[first : last + 1].mean())
    if how == "exceed" and (last - first + 1 < CLIPPED_SHARE * len(points) or share <= CLIPPED_SHARE):
        return subject.not_found(
            f"{clipped.mean():.0%} of {len(points):,} gradient norms exceed the limit {limit:.4g}.", len(points)
        )
    if how == "equal":
        at = np.flatnonzero(clipped)
        first, last = int(at[0]), int(at[-1])
        share = float(clipped[first : last + 1].mean())
    finding = subject.finding(
        Severity.WARNING if share >= CLIPPED_ALWAYS else Severity.INFO,
        (points.step[first], points.step[last]),
        {"metric": "grad_norm", "limit": limit, "share": share},
        f"{share:.0%} of the gradient norms {how} the limit {limit:.4g} from step {points.step[first]} "
        f"to step {points.step[last]}: clipping sets the size of most updates.",
    )
    return subject.found((finding,), len(points))


def _clipped_by_median(subject: Subject, curve: MetricCurve, limit: float) -> Check:
    """By the median of all norms, which the source says of a curve that it reduced."""
    finite_values = curve.logged - curve.lost
    if curve.median is None or curve.median <= limit:
        return subject.not_found(f"At most half of {finite_values:,} gradient norms exceed {limit:.4g}.", finite_values)
    finding = subject.finding(
        Severity.INFO,
        (None, None),
        {"metric": "grad_norm", "limit": limit, "median": curve.median},
        f"Most of {finite_values:,} gradient norms exceed the limit {limit:.4g} (median {curve.median:.4g}): "
        f"clipping sets the size of most updates.",
    )
    return subject.found((finding,), finite_values)


def throughput_decay(curves: RunCurves) -> Check:
    """Look for a lasting drop of the throughput. The first step is the first of the slow stretch."""
    subject = Subject("throughput_decay", "Throughput decay", curves.run_id)
    whys = {metric: why_not(curves, metric) for metric in THROUGHPUT_METRICS}
    metric = next((metric for metric, why in whys.items() if why is None), None)
    if metric is None:
        logged = [why for name, why in whys.items() if len(curves.get(name))]
        return subject.cannot_tell(logged[0] if logged else "no throughput was logged.")
    points = finite_points(curves.get(metric))
    begin, end = (int(share * len(points)) for share in THROUGHPUT_BASE)
    usual, unit = float(np.median(points.value[begin:end])), metric_of(metric).unit
    if usual <= 0.0:
        return subject.cannot_tell(f"the usual throughput is {usual:g} {unit}.")
    slow = points.value < (1.0 - THROUGHPUT_DROP) * usual
    # What is slow before the usual throughput is measured is a start, not a decay.
    slow[:begin] = False
    first, last = densest_stretch(slow)
    level = float(np.median(points.value[first : last + 1]))
    lasting = last - first + 1 >= max(THROUGHPUT_SHARE * len(points), CREEP_BLOCKS)
    if not lasting or level >= (1.0 - THROUGHPUT_DROP) * usual:
        return subject.not_found(f"Throughput stays near {usual:,.4g} {unit}.", len(points))
    finding = subject.finding(
        Severity.WARNING,
        (points.step[first], points.step[last]),
        {"metric": metric, "usual": usual, "level": level, "drop": 1.0 - level / usual},
        f"Throughput drops from {usual:,.4g} to {level:,.4g} {unit} ({level / usual - 1.0:.0%}) "
        f"from step {points.step[first]} to step {points.step[last]}.",
    )
    return subject.found((finding,), len(points))


def memory_creep(curves: RunCurves) -> Check:
    """Look for a slow climb of the allocated GPU memory. The first step is where the climb bends upwards."""
    metric = "gpu_memory_allocated_gb"
    subject, curve = Subject("memory_creep", "Memory creep", curves.run_id), curves.get(metric)
    if why := why_not(curves, metric):
        return subject.cannot_tell(why)
    points = finite_points(curve)
    start = int(MEMORY_START * len(points))
    steps, values = points.step[start:], points.value[start:]
    size = math.ceil(len(values) / BEND_POINTS)
    count = len(values) // size
    first = len(values) % count + size * bend_of(equal_blocks(values, count))
    climb = values[first:]
    level = f"GPU memory stays near {float(np.median(values)):,.4g} GB."
    if len(climb) < max(CREEP_SHARE * len(points), 2 * CREEP_BLOCKS):
        return subject.not_found(level, len(points))
    parts = equal_blocks(climb, CREEP_BLOCKS)
    ups, rise = np.diff(parts), float(parts[-1] - parts[0])
    error = noise_of(climb) / np.sqrt(len(climb) / CREEP_BLOCKS)
    steady = (ups > 0.0).sum() >= CREEP_UPWARDS and ups.max() <= CREEP_JUMP * rise
    if not steady or rise <= max(CREEP_RISE * abs(float(parts[0])), CREEP_SDS * error):
        return subject.not_found(level, len(points))
    finding = subject.finding(
        Severity.WARNING,
        (steps[first], steps[-1]),
        {"metric": metric, "from": float(parts[0]), "to": float(parts[-1]), "rise": rise},
        f"GPU memory climbs from {parts[0]:,.4g} to {parts[-1]:,.4g} GB from step {steps[first]} to step {steps[-1]}.",
    )
    return subject.found((finding,), len(points))

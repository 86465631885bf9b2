"""Whether the losses went where they should: no NaN, no divergence, no plateau."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from lib.core.checks.check import Evidence, Found, Group, NotFound, Seen, check, found
from lib.core.checks.subject import (
    LARGE,
    METRICS_NAMED,
    OF_FEW,
    OF_POINTS,
    CannotTell,
    Subject,
    called,
    changes_sign,
    shown,
    too_few,
)
from lib.core.curves.falls import PLATEAU_BLOCKS, PLATEAU_OUTLIERS, slope_of, without_outliers
from lib.core.curves.lost_ends import is_passing
from lib.core.curves.metric_curves import MetricCurve
from lib.core.curves.robust import MEDIAN_TO_MEAN, equal_blocks, levels, noise_of
from lib.core.curves.short_curves import SHORT_ERRORS, SHORT_FALL, SHORT_RISE, rise_of
from lib.core.facts.findings import Severity
from lib.core.facts.limits import Count, Limit, Limits
from lib.core.facts.metrics import metric_of
from lib.core.text import formatting
from lib.core.text.phrases import first_of

NONFINITE: Mapping[str, Severity] = MappingProxyType({
    "train_loss": Severity.CRITICAL,
    "eval_loss": Severity.CRITICAL,
    # Mixed precision with loss scaling skips such a step and goes on.
    "grad_norm": Severity.WARNING,
})  # fmt: skip
"""Where NaN and infinity say something about how a run trained, and how much."""

# fmt: off
SECTION_SHARE = Limit(0.05, "Section share",
    "The best and the last train loss are medians of this share of the points: one point is mostly noise.")
SECTION_POINTS = Count(8, "Section points", "And of at least so many.")
DIVERGED_RISE = Limit(0.2, "Diverged rise",
    "A train loss diverged where it ends this share above its best, or more: data order moves it by less.")
DIVERGED_FALL = Limit(0.1, "Diverged fall",
    "It also gave back at least this share of what it had fallen: 0.01 to 0.02 after 2.0 is no divergence.")
DIVERGED_ERRORS = Limit(5.0, "Diverged errors", "And rose by so many standard errors of the two medians.")
DIVERGED_BAND = Limit(2.0, "Diverged band",
    "Standard deviations of the noise within which a loss is still at its best: 98 % of normal noise.")
PLATEAU_RATE = Limit(0.5, "Plateau rate",
    "The learning rate has not decayed while it is at least this share of its peak.")
PLATEAU_STARTS = Limits((0.25, 0.4, 0.5), "Plateau starts",
    "A plateau is looked for from these shares of the points with a high rate on: a longer one is surer.")
PLATEAU_POINTS = Count(24, "Plateau points", "MetricCurve that a flat stretch must have to be judged.")
PLATEAU_SHARE = Limit(0.2, "Plateau share", "A flat stretch shorter than this share of the run is none worth telling.")
PLATEAU_FALL = Limit(0.05, "Plateau fall",
    'Flat: with "plateau errors" standard errors allowed, falls by at most this share of the fall before. Power laws'
    " and slow exponentials still fall by 8 % and more in the second half of a run.")
PLATEAU_ERRORS = Limit(1.81, "Plateau errors",
    "Standard errors that 95 % of slopes through 12 means are below (Student's t, 10 degrees, one-sided).")
PLATEAU_REACHED = Limit(0.02, "Plateau reached",
    "A plateau begins where the smoothed loss is above its level by at most this share of the fall before.")
# fmt: on


@check("NaN or infinity", Group.HEALTH, *reversed(Severity), metrics=tuple(NONFINITE), touches=True)
def nonfinite_value(subject: Subject) -> Found | NotFound | CannotTell:
    """NaN and infinity, in any metric; those of losses put a verdict into doubt."""
    logged = {metric: curve for metric, curve in subject.curves.curves.items() if curve.logged}
    if not logged:
        return CannotTell("no metric was read or logged")
    seen = [_nonfinite(metric, logged[metric]) for metric in NONFINITE if metric in logged and logged[metric].lost]
    others = sorted(metric for metric, curve in logged.items() if curve.lost)
    # What is made of a loss, as perplexity is, is NaN with it.
    if not seen and len(others) == 1:
        seen = [_nonfinite(others[0], logged[others[0]])]
    elif not seen and others:
        seen = [_nonfinite_in_several({metric: logged[metric] for metric in others})]
    if seen:
        return Found(tuple(seen))
    return NotFound(f"All {sum(curve.logged for curve in logged.values()):,} values that were read are numbers.")


def _nonfinite(metric: str, curve: MetricCurve) -> Seen:
    steps = curve.step[~np.isfinite(curve.value)]
    times = "once" if curve.lost == 1 else f"{curve.lost:,} times{', first' if len(steps) else ''}"
    gravest = NONFINITE.get(metric, Severity.INFO if curve.is_lost_before_first else Severity.WARNING)
    severity = Severity.WARNING if gravest is Severity.CRITICAL and is_passing(curve) else gravest
    first, last = (int(steps[0]), int(steps[-1])) if len(steps) else (None, None)
    where = ("" if first is None else f" at step {first:,}") + ", before its first number" * (severity is Severity.INFO)
    said = f"{metric_of(metric).title} is NaN or infinite {times}{where}."
    if metric in NONFINITE and len(curve) and not math.isfinite(curve.value[-1]):
        said = f"{said[:-1]}, and the last {called(metric)} is {formatting.loss(curve.value[-1])}."
    evidence: Evidence = {"metric": metric, "count": curve.lost, "points": curve.logged}
    return Seen(said, first, last, evidence, severity, gravest is Severity.CRITICAL)


def _nonfinite_in_several(curves: Mapping[str, MetricCurve]) -> Seen:
    """One finding for all metrics that are not of the training: there may be dozens."""
    firsts = [int(odd[0]) for curve in curves.values() if len(odd := curve.step[~np.isfinite(curve.value)])]
    amounts = first_of([f"{called(metric)} {curve.lost:,}" for metric, curve in curves.items()], METRICS_NAMED)
    first = min(firsts, default=None)
    where = "" if first is None else f", first at step {first:,}"
    severity = Severity.INFO if all(curve.is_lost_before_first for curve in curves.values()) else Severity.WARNING
    evidence: Evidence = {"metrics": ", ".join(curves), "count": sum(curve.lost for curve in curves.values())}
    return Seen(f"Values that are NaN or infinite: {amounts}{where}.", first, None, evidence, severity, False)


@check(
    "Divergence", Group.HEALTH, Severity.CRITICAL, metrics=("train_loss",),
    limits=(*OF_FEW, SHORT_RISE, SHORT_FALL, SHORT_ERRORS, LARGE, SECTION_SHARE, SECTION_POINTS,
            DIVERGED_RISE, DIVERGED_FALL, DIVERGED_ERRORS, DIVERGED_BAND),
)  # fmt: skip
def divergence(subject: Subject) -> Found | NotFound | CannotTell:
    """A train loss that rose for good.

    The best is the lowest median of consecutive sections of the run, the end the median of its last one.
    The first step is the one from which on the loss is mostly above its best by more than its noise.
    """
    if subject.no_measure is not None:
        return CannotTell(subject.no_measure)
    points, few = subject.points_or_few("train_loss")
    values = points.value
    if changes_sign(values):
        return CannotTell("the train loss is 0 or changes sign, so a rise of it has no scale")
    if few:
        rise_at = rise_of(values)
        if rise_at is None:
            return too_few(points, "train_loss")
        return _diverged(points, rise_at[1], float(values[rise_at[0]]), float(np.median(values[-3:])), rise_at[0])
    size = max(SECTION_POINTS, math.ceil(SECTION_SHARE * len(values)))
    sections = equal_blocks(values, len(values) // size)
    start_of = len(values) % (len(values) // size)
    length = (len(values) - start_of) // len(sections)
    lowest = int(np.argmin(sections))
    best, end = float(sections[lowest]), float(np.median(values[-size:]))
    begin = start_of + lowest * length
    noise, last_noise = noise_of(values[: begin + length]), noise_of(values[-2 * size :])
    error = MEDIAN_TO_MEAN * math.hypot(noise, last_noise) / math.sqrt(size)
    rise, fall = end - best, float(sections[0]) - best
    if rise <= max(DIVERGED_RISE * abs(best), DIVERGED_FALL * fall, DIVERGED_ERRORS * error):
        return NotFound(f"Train loss ends at {shown(end)}; its best level is {shown(best)}.")
    above = np.where(values[begin:] > best + DIVERGED_BAND * noise, 1, -1)
    first = begin + int(np.argmax(np.cumsum(above[::-1])[::-1]))
    return _diverged(points, first, best, end, begin)


def _diverged(points: MetricCurve, first: int, best: float, end: float, best_at: int) -> Found:
    steps = points.step
    said = f"Train loss rises from step {steps[first]:,} on: from {shown(best)} to {shown(end)} at step {steps[-1]:,}."
    return found(said, steps[first], steps[-1], metric="train_loss", best=best, end=end, best_step=int(steps[best_at]))


@check(
    "Plateau", Group.HEALTH, Severity.INFO, metrics=("train_loss", "learning_rate"),
    limits=(*OF_POINTS, PLATEAU_RATE, PLATEAU_STARTS, PLATEAU_POINTS, PLATEAU_SHARE, PLATEAU_BLOCKS,
            PLATEAU_OUTLIERS, PLATEAU_FALL, PLATEAU_ERRORS, PLATEAU_REACHED),
)  # fmt: skip
def plateau(subject: Subject) -> Found | NotFound | CannotTell:
    """A train loss that stopped falling although the learning rate was still high.

    Judged are the points up to the last one with at least ``PLATEAU_RATE`` of the peak learning rate, from the
    shares ``PLATEAU_STARTS`` of them on. The first step is where the loss, smoothed, had come down to the level
    of that stretch.
    """
    if subject.no_measure is not None:
        return CannotTell(subject.no_measure)
    points, rate = subject.points("train_loss"), subject.points("learning_rate", 2)
    high = rate.step[rate.value >= PLATEAU_RATE * rate.value.max()]
    if not len(high):
        return CannotTell("the learning rate is negative")
    stop = int(np.searchsorted(points.step, high[-1], side="right"))
    needed = math.ceil(max(PLATEAU_POINTS, PLATEAU_SHARE * len(points)))
    begins = [int(share * stop) for share in PLATEAU_STARTS]
    if stop - begins[-1] < needed:
        return CannotTell(
            f"{stop - begins[-1]} of {len(points)} train-loss points make the later half of the steps with a high "
            f"learning rate; {needed} are needed"
        )
    came = _flat(points, begins[0], stop)
    for begin in begins[1:]:
        if isinstance(came, Found):
            break
        came = _flat(points, begin, stop)
    return came


def _flat(points: MetricCurve, begin: int, stop: int) -> Found | NotFound | CannotTell:
    """Whether the train loss no longer falls between two positions."""
    steps, values = points.step, points.value
    stretch = values[begin:stop]
    level = float(np.median(stretch))
    fall = float(np.median(values[: max(5, len(values) // 50)])) - level
    slope, error = slope_of(without_outliers(stretch))
    least, most = -slope - PLATEAU_ERRORS * error, -slope + PLATEAU_ERRORS * error
    if fall <= 0.0 or most - least > fall:
        return CannotTell("the train loss has fallen too little, for its noise, to tell when it stopped")
    if least > PLATEAU_FALL * fall:
        return NotFound(f"Train loss was still falling up to step {steps[stop - 1]}.")
    if most < -PLATEAU_FALL * fall:
        return NotFound(f"Train loss rose up to step {steps[stop - 1]}.")
    if most > PLATEAU_FALL * fall:
        return CannotTell("the train loss is too noisy to tell a slow fall from none")
    smoothed, _ = levels(values)
    reached = np.flatnonzero(smoothed[: begin + 1] <= level + PLATEAU_REACHED * fall)
    first = int(reached[0]) if len(reached) else begin
    said = (
        f"Train loss stays at about {shown(level)} from step {steps[first]:,} to step {steps[stop - 1]}, while the "
        f"learning rate is at least half its peak."
    )
    return found(said, steps[first], steps[stop - 1], metric="train_loss", level=level, most_fall=most)

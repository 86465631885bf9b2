"""Whether the losses went where they should: no NaN, no divergence, no plateau, no rebound of the eval loss."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from lib.core.checks.health_checks import (
    Check,
    Points,
    Subject,
    changes_sign,
    finite_points,
    shown,
    why_not,
    why_too_large,
)
from lib.core.curves.evidence import is_measured
from lib.core.curves.metric_curves import RunCurves
from lib.core.curves.robust import MAD_TO_SD, MEDIAN_TO_MEAN, equal_blocks, levels, noise_of
from lib.core.facts.findings import Finding, Severity
from lib.core.facts.metrics import metric_of

NONFINITE_METRICS: Mapping[str, Severity] = MappingProxyType(
    {
        "train_loss": Severity.CRITICAL,
        "eval_loss": Severity.CRITICAL,
        # Mixed precision with loss scaling skips such a step and goes on.
        "grad_norm": Severity.WARNING,
    }
)
"""Where NaN and infinity say something about a run, and how much."""

SECTION_SHARE = 0.05
"""The best and the last train loss are medians of this share of the points: one point is mostly noise."""

SECTION_POINTS = 8
"""And of at least so many."""

DIVERGED_RISE = 0.2
"""A train loss diverged where it ends this share above its best, or more: data order moves it by less."""

DIVERGED_FALL = 0.1
"""It also gave back at least this share of what it had fallen: 0.01 to 0.02 after 2.0 is no divergence."""

DIVERGED_ERRORS = 5.0
"""And rose by so many standard errors of the two medians."""

DIVERGED_BAND = 2.0
"""Standard deviations of the noise within which a loss is still at its best: 98 % of normal noise."""

PLATEAU_RATE = 0.5
"""The learning rate has not decayed while it is at least this share of its peak."""

PLATEAU_STARTS = (0.25, 0.4, 0.5)
"""A plateau is looked for from these shares of the points with a high rate on: a longer one is surer."""

PLATEAU_POINTS = 24
"""Points that a flat stretch must have to be judged."""

PLATEAU_SHARE = 0.2
"""A flat stretch shorter than this share of the run is none worth telling."""

PLATEAU_BLOCKS = 12
"""A slope is fitted to means of so many parts of the stretch: neighbouring losses may be alike."""

PLATEAU_OUTLIERS = 3.0
"""Standard deviations from the stretch's median at which values are cut off before: spikes would tilt a slope."""

PLATEAU_FALL = 0.05
"""Flat: with ``PLATEAU_ERRORS`` standard errors allowed, falls by at most this share of the fall before.
Power laws and slow exponentials still fall by 8 % and more in the second half of a run."""

PLATEAU_ERRORS = 1.81
"""Standard errors that 95 % of slopes through 12 means are below (Student's t, 10 degrees, one-sided)."""

PLATEAU_REACHED = 0.02
"""A plateau begins where the smoothed loss is above its level by at most this share of the fall before."""

EVALUATIONS_NEEDED = 4
"""Fewer evaluations say nothing about their noise."""

REBOUND_RISE = 0.03
"""A rebound is at least this share of the best eval loss: evaluations of one run repeat to 1 % or better."""

REBOUND_SDS = 5.0
"""And so many standard deviations of the evaluations' noise; the lowest of some is below their mean."""


def nonfinite_values(curves: RunCurves) -> Check:
    """Look for NaN and infinity in the losses and the gradient norm."""
    subject = Subject("nonfinite_value", "NaN or infinity", curves.run_id)
    logged = {metric: curves.get(metric) for metric in NONFINITE_METRICS if len(curves.get(metric))}
    if not logged:
        return subject.cannot_tell("neither losses nor gradient norms were logged.")
    values = sum(curve.logged for curve in logged.values())
    findings: list[Finding] = []
    for metric, curve in logged.items():
        if not curve.lost:
            continue
        steps = curve.step[~np.isfinite(curve.value)]
        first, last = (int(steps[0]), int(steps[-1])) if len(steps) else (None, None)
        times = "once" if curve.lost == 1 else f"{curve.lost:,} times{', first' if len(steps) else ''}"
        where = f" at step {first}" if len(steps) else ""
        findings.append(
            subject.finding(
                NONFINITE_METRICS[metric],
                (first, last),
                {"metric": metric, "count": curve.lost, "points": curve.logged},
                f"{metric_of(metric).title} is NaN or infinite {times}{where}.",
            )
        )
    if findings:
        return subject.found(tuple(findings), values)
    names = ", ".join(metric_of(metric).title.lower() for metric in logged)
    return subject.not_found(f"All {values:,} values are numbers ({names}).", values)


def divergence(curves: RunCurves) -> Check:
    """Look whether the train loss rose for good.

    The best is the lowest median of consecutive sections of the run, the end the median of its last one.
    The first step is the one from which on the loss is mostly above its best by more than its noise.
    """
    subject, curve = Subject("divergence", "Divergence", curves.run_id), curves.get("train_loss")
    if why := why_not(curves, "train_loss"):
        return subject.cannot_tell(why)
    points = finite_points(curve)
    steps, values = points.step, points.value
    if changes_sign(values):
        return subject.cannot_tell("the train loss is 0 or changes sign, so a rise of it has no scale.")
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
        return subject.not_found(f"Train loss ends at {shown(end)}; its best level is {shown(best)}.", len(values))
    above = np.where(values[begin:] > best + DIVERGED_BAND * noise, 1, -1)
    first = begin + int(np.argmax(np.cumsum(above[::-1])[::-1]))
    finding = subject.finding(
        Severity.CRITICAL,
        (steps[first], steps[-1]),
        {"metric": "train_loss", "best": best, "end": end, "best_step": int(steps[begin])},
        f"Train loss rises from step {steps[first]} on: from {shown(best)} to {shown(end)} at step {steps[-1]}.",
    )
    return subject.found((finding,), len(values))


def plateau(curves: RunCurves) -> Check:
    """Look whether the train loss stopped falling although the learning rate was still high.

    Judged are the points up to the last one with at least ``PLATEAU_RATE`` of the peak learning rate, from the
    shares ``PLATEAU_STARTS`` of them on. The first step is where the loss, smoothed, had come down to the level
    of that stretch.
    """
    subject = Subject("plateau", "Plateau", curves.run_id)
    if why := why_not(curves, "train_loss") or why_not(curves, "learning_rate", 2):
        return subject.cannot_tell(why)
    rate, points = finite_points(curves.get("learning_rate")), finite_points(curves.get("train_loss"))
    high = rate.step[rate.value >= PLATEAU_RATE * rate.value.max()]
    stop = int(np.searchsorted(points.step, high[-1], side="right"))
    needed = math.ceil(max(PLATEAU_POINTS, PLATEAU_SHARE * len(points)))
    begins = [int(share * stop) for share in PLATEAU_STARTS]
    if stop - begins[-1] < needed:
        return subject.cannot_tell(
            f"{stop - begins[-1]} of {len(points)} train-loss points make the later half of the steps with a high "
            f"learning rate; {needed} are needed."
        )
    checks = []
    for begin in begins:
        checks.append(_flat(subject, points, begin, stop))
        if checks[-1].findings:
            break
    return checks[-1]


def _flat(subject: Subject, points: Points, begin: int, stop: int) -> Check:
    """Whether the train loss no longer falls between two positions."""
    steps, values = points.step, points.value
    stretch = values[begin:stop]
    level = float(np.median(stretch))
    fall = float(np.median(values[: max(5, len(values) // 50)])) - level
    slope, error = _slope(_without_outliers(stretch))
    least, most = -slope - PLATEAU_ERRORS * error, -slope + PLATEAU_ERRORS * error
    if fall <= 0.0 or most - least > fall:
        return subject.cannot_tell("the train loss has fallen too little, for its noise, to tell when it stopped.")
    if least > PLATEAU_FALL * fall:
        return subject.not_found(f"Train loss was still falling up to step {steps[stop - 1]}.", len(values))
    if most < -PLATEAU_FALL * fall:
        return subject.not_found(f"Train loss rose up to step {steps[stop - 1]}.", len(values))
    if most > PLATEAU_FALL * fall:
        return subject.cannot_tell("the train loss is too noisy to tell a slow fall from none.")
    smoothed, _ = levels(values)
    reached = np.flatnonzero(smoothed[: begin + 1] <= level + PLATEAU_REACHED * fall)
    first = int(reached[0]) if len(reached) else begin
    finding = subject.finding(
        Severity.INFO,
        (steps[first], steps[stop - 1]),
        {"metric": "train_loss", "level": level, "most_fall": most},
        f"Train loss stays at about {shown(level)} from step {steps[first]} to step {steps[stop - 1]}, while the "
        f"learning rate is at least half its peak.",
    )
    return subject.found((finding,), len(values))


def _without_outliers(values: np.ndarray) -> np.ndarray:
    """Means of equal parts, after values far from the median were moved to the border."""
    middle = np.median(values)
    reach = PLATEAU_OUTLIERS * MAD_TO_SD * np.median(np.abs(values - middle))
    kept = np.clip(values, middle - reach, middle + reach) if reach > 0.0 else values
    return kept[len(kept) % PLATEAU_BLOCKS :].reshape(PLATEAU_BLOCKS, -1).mean(axis=1)


def _slope(values: np.ndarray) -> tuple[float, float]:
    """Change over the whole stretch by a straight line through its parts, and its standard error."""
    x = np.arange(len(values)) - (len(values) - 1) / 2
    away = values - values.mean()
    slope = float(x @ away / (x @ x))
    residuals = away - slope * x
    error = math.sqrt(float(residuals @ residuals) / (len(values) - 2) / float(x @ x))
    return slope * len(values), error * len(values)


def eval_rebound(curves: RunCurves) -> Check:
    """Look whether the eval loss ended above its best. The first step is that of the best evaluation.

    The end is the lower one of the last two evaluations: one that is out of line is no rebound.
    """
    subject, curve = Subject("eval_rebound", "Eval rebound", curves.run_id), curves.get("eval_loss")
    if not len(curve):
        read = "read" if "eval_loss" in curves.unread else "logged"
        return subject.cannot_tell(f"the eval loss was not {read}.")
    if why := why_too_large(curve.value, "eval loss"):
        return subject.cannot_tell(why)
    real = is_measured(curves, "eval_loss") & np.isfinite(curve.value)
    steps, values = curve.step[real], curve.value[real]
    if len(values) < EVALUATIONS_NEEDED:
        return subject.cannot_tell(
            f"the eval loss has {len(values)} finite values; {EVALUATIONS_NEEDED} are needed to know its noise."
        )
    at = int(np.argmin(values))
    best, last, noise = float(values[at]), float(values[-1]), _evaluation_noise(values, at)
    limit = best + max(REBOUND_RISE * abs(best), REBOUND_SDS * noise)
    if last <= limit or (at < len(values) - 2 and values[-2] <= limit):
        return subject.not_found(
            f"Eval loss ends at {shown(last)}; its best is {shown(best)} at step {steps[at]}.", len(values)
        )
    if at == len(values) - 2:
        return subject.cannot_tell(
            f"only the last evaluation ({shown(last)}, step {steps[-1]}) is above the best one ({shown(best)})."
        )
    finding = subject.finding(
        Severity.WARNING,
        (steps[at], steps[-1]),
        {"metric": "eval_loss", "best": best, "end": last, "noise": noise},
        f"Eval loss rises from its best {shown(best)} at step {steps[at]} to {shown(last)} at step {steps[-1]}.",
    )
    return subject.found((finding,), len(values))


def _evaluation_noise(values: np.ndarray, at: int) -> float:
    """Standard deviation of the evaluations' noise, from what no fall to the best at ``at`` and rise from it explains.

    The lower one of two estimates. Second differences (``noise_of``) take the bend of a short curve for noise.
    Moves against the fall and the rise do not: of normal noise alone, half of all moves ``d`` go each way, and
    the mean of ``d**2`` over one half, counted over all, is the noise's variance.
    """
    moves = np.diff(values)
    against = np.concatenate((moves[:at].clip(min=0.0), -moves[at:].clip(max=0.0)))
    return min(noise_of(values), math.sqrt(float(np.mean(against**2))))

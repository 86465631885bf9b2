"""Whether two forms say the same: their values at the steps that both have, within the rounding of the coarser."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum, auto

import numpy as np

from lib.core.curves.metric_curves import MetricCurve, RunCurves
from lib.core.facts.metrics import is_of_evaluations
from lib.data.formats.metric_names import without_mark
from lib.data.formats.metric_words import EVAL_WORDS, words_of

FLOAT32 = 1e-6
"""Relative difference that single precision makes, with a margin."""
AGREES = 0.95
"""Share of the common values that agree where two logs are of one run: a resume may have written some anew."""
CONTRADICTS = 0.5
"""Below this share they are of two."""
CHANCE = 4.0
"""Orders of magnitude by which agreement must be unlikely by chance; one loss of four decimals reaches it."""
SHIFTED_CHANCE = 12.0
"""The same where steps are counted from another number: more was tried."""
LEAST_EVALUATIONS = 3
"""At so many steps both logs must have an evaluated metric, to contradict each other by it."""
SAMPLE = 256
"""So many values show how a series was rounded."""

_NOT_COMPARED = frozenset((
    "time", "second", "seconds", "sec", "ms", "s", "runtime", "elapsed", "eta", "duration", "memory", "mem", "gpu",
    "util", "utilization", "mfu", "tflops", "flops", "speed", "throughput", "tps", "lr", "learning", "momentum", "beta",
    "beta1", "beta2", "decay", "temperature", "coef", "scale",
))  # fmt: skip
"""Parts of names of what two runs of one plan have in common, or two clocks measure differently."""
_OF_A_PROCESS = frozenset((
    "rank", "local", "device", "proc", "process", "worker", "node", "grad", "gradient", "norm", "dt", "wait", "cpu",
    "ram", "disk", "power", "watt", "watts", "temp", "fan", "network", "allocated", "reserved",
))  # fmt: skip
"""Parts of names of what processes of one training, or two looks at a machine, measure differently."""

_LOSSES = ("train_loss", "eval_loss")


class Verdict(Enum):
    """What comparing two forms came to."""

    SAME = auto()
    TWO_RUNS = auto()
    CANNOT_TELL = auto()


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far two forms say the same.

    Attributes:
        verdict: Of all metrics together.
        points: How many values agree.
        shift: What is to be added to the other's steps so that they are those of the first.
    """

    verdict: Verdict
    points: int = 0
    shift: int = 0


def agreement_of(one: RunCurves, other: RunCurves) -> Agreement:
    """Compare the curves of two forms at their common steps; what was measured at step 0 tells no runs apart."""
    ours, others = comparable(one), comparable(other)
    common = [name for name in ours if name in others]
    losses = [name for name in common if name in _LOSSES]
    # What two runs have in common beside their losses may be a schedule.
    for names in (losses, [name for name in common if name not in _LOSSES]):
        two = False
        for shift in (0, 1, -1):
            found = [_compare(ours[name], others[name], shift) for name in names]
            if any(each.verdict is Verdict.SAME for each in found):
                return Agreement(Verdict.SAME, sum(each.points for each in found), shift)
            two |= not shift and any(each.verdict is Verdict.TWO_RUNS for each in found)
        if two:
            return Agreement(Verdict.TWO_RUNS)
    if not common:
        found = [_compare(ours[name], others[same], 0) for name, same in _called_otherwise(ours, others)]
        if same := [each for each in found if each.verdict is Verdict.SAME]:
            return Agreement(Verdict.SAME, sum(each.points for each in same))
    return Agreement(Verdict.CANNOT_TELL)


def _called_otherwise(ours: Iterable[str], others: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Names of evaluations of which one has all the words of the other: "cosine_f1" and "eval_dev_f1_cosine".

    One program may name a metric otherwise in each of its logs. Values that are the same say so; others say nothing.
    """
    words = {name: frozenset(words_of(name)) - EVAL_WORDS for name in others if is_of_evaluations(name)}
    for name in ours:
        mine = frozenset(words_of(name)) - EVAL_WORDS if is_of_evaluations(name) else frozenset()
        yield from (
            (name, other) for other, theirs in words.items() if mine and (mine <= theirs or mine >= theirs > set())
        )


def results_differ(one: RunCurves, other: RunCurves) -> bool:
    """Whether two logs of one program contradict each other in what they measured, whatever else is equal.

    Equal seeds and data make equal train losses in two runs that differ in what is evaluated. A metric counts that both
    have at ``LEAST_EVALUATIONS`` steps or more, and of which most values of neither occur in the other, in per cent
    either: one log may count evaluations by other steps. A metric that is not known for an evaluation counts where the
    train losses are the same, so that both logs mean the same stretch of training by a step; unless processes of one
    training have it each for itself.
    """
    ours, others = _evaluated(one), _evaluated(other)
    if agreement_of_curves(one.get("train_loss"), other.get("train_loss")).verdict is Verdict.SAME:
        ours, others = _of_model(one) | ours, _of_model(other) | others
    return any(_differ(ours[name], others[name]) for name in ours if name in others)


def _evaluated(curves: RunCurves) -> dict[str, MetricCurve]:
    """What evaluations measured and no clock did; an accuracy in per cent may be whole numbers."""
    return {
        plain_name(metric): curve
        for metric, curve in curves.curves.items()
        if is_of_evaluations(plain_name(metric)) and not _NOT_COMPARED & set(words_of(metric))
    }


def _of_model(curves: RunCurves) -> dict[str, MetricCurve]:
    """What the model alone decides: no clock, no machine, and no share of it that one process has."""
    return {name: curve for name, curve in comparable(curves).items() if not _OF_A_PROCESS & set(words_of(name))}


def _differ(one: MetricCurve, other: MetricCurve) -> bool:
    common = np.intersect1d(one.step, other.step, assume_unique=True)
    a, b = one.finite().value, other.finite().value
    if np.count_nonzero(common > 0) < LEAST_EVALUATIONS or not len(a) or not len(b):
        return False
    return not any(_occurring(a * scale, b) >= CONTRADICTS for scale in (1.0, 100.0, 0.01))


def _occurring(a: np.ndarray, b: np.ndarray) -> float:
    """The greater share of the values of one series that the other has too, within the rounding of the coarser."""
    shares = []
    for values, held in ((a, np.sort(b)), (b, np.sort(a))):
        at = np.searchsorted(held, values)
        near = np.minimum(
            np.abs(values - held[np.minimum(at, len(held) - 1)]), np.abs(values - held[np.maximum(at - 1, 0)])
        )
        shares.append(float((near <= np.maximum(_rounding(a, values), _rounding(b, values))).mean()))
    return max(shares)


def comparable(curves: RunCurves) -> dict[str, MetricCurve]:
    """The curves that tell runs apart, by names without what only says where they were shown."""
    return {
        plain_name(metric): curve
        for metric, curve in curves.curves.items()
        if len(curve) and not _NOT_COMPARED & set(words_of(metric)) and not _only_counts(curve)
    }


def _only_counts(curve: MetricCurve) -> bool:
    """Whether all values are whole numbers: two runs of one plan see as many tokens."""
    known = curve.value[np.isfinite(curve.value)]
    return len(known) == len(curve) and bool((known == np.rint(known)).all())


def plain_name(metric: str) -> str:
    """A metric's name without what a page of charts adds to it ("train/x", "eval/x")."""
    metric = without_mark(metric).removeprefix("train/")
    return f"eval_{metric.removeprefix('eval/')}" if metric.startswith("eval/") else metric


def agreement_of_curves(one: MetricCurve, other: MetricCurve, shift: int = 0) -> Agreement:
    """Compare two curves of one metric, first with this shift: one log may count its metrics from different numbers."""
    first = _compare(one, other, shift)
    for tried in sorted({-1, 0, 1} - {shift}):
        if first.verdict is not Verdict.SAME:
            found = _compare(one, other, tried)
            first = found if found.verdict is Verdict.SAME else first
    return first


def rounding_of(curve: MetricCurve) -> float:
    """By how much rounding may have changed a value of a curve, typically; infinite for one without any."""
    known = curve.finite().value
    return float(np.median(_rounding(known, known))) if len(known) else math.inf


def _compare(one: MetricCurve, other: MetricCurve, shift: int) -> Agreement:
    _, first, second = np.intersect1d(one.step, other.step + shift, assume_unique=True, return_indices=True)
    later = one.step[first] > 0
    a, b = one.value[first[later]], other.value[second[later]]
    if not len(a):
        return Agreement(Verdict.CANNOT_TELL)
    tolerance = np.maximum(_rounding(one.value, a), _rounding(other.value, b))
    with np.errstate(invalid="ignore", over="ignore"):
        close = (np.abs(a - b) <= tolerance) | (a == b) | (np.isnan(a) & np.isnan(b))
    share = float(close.mean())
    if share < CONTRADICTS:
        return Agreement(Verdict.TWO_RUNS, shift=shift)
    likely = _surprise(a[close], tolerance[close])
    if share < AGREES or likely < (SHIFTED_CHANCE if shift else CHANCE):
        return Agreement(Verdict.CANNOT_TELL)
    return Agreement(Verdict.SAME, int(close.sum()), shift)


def _surprise(values: np.ndarray, tolerance: np.ndarray) -> float:
    """By how many orders of magnitude it is unlikely that different values agree so by chance."""
    known = np.isfinite(values)
    distinct, at = np.unique(values[known], return_index=True)
    if not len(distinct):
        return 0.0
    allowed = np.maximum(tolerance[known][at], np.abs(distinct) * FLOAT32)
    lowest, highest = float(distinct[0]), float(distinct[-1])
    spread = highest - lowest if len(distinct) > 1 else abs(lowest)
    with np.errstate(divide="ignore", over="ignore"):
        orders = np.log10(np.maximum(spread / np.maximum(2.0 * allowed, 1e-300), 1.0))
    return float(np.minimum(orders, 6.0).sum()) if math.isfinite(spread) else 0.0


def _rounding(series: np.ndarray, at: np.ndarray) -> np.ndarray:
    """By how much rounding may have changed some values of a series, shape as ``at``: half a unit of its last digit."""
    with np.errstate(invalid="ignore"):
        size = np.abs(np.where(np.isfinite(at), at, 0.0))
    allowed = size * FLOAT32
    known = series[np.isfinite(series) & (series != 0.0) & (np.abs(series) < 1e12) & (np.abs(series) > 1e-30)]
    if not len(known):
        return allowed
    known = known[:: max(len(known) // SAMPLE, 1)]
    decimals = next((places for places in range(9) if _is_whole(known * 10.0**places)), None)
    if decimals is not None:
        allowed = np.maximum(allowed, 0.5 * 10.0**-decimals * 1.001)
    exponents = np.floor(np.log10(np.abs(known)))
    digits = next((count for count in range(2, 8) if _is_whole(known * 10.0 ** (count - 1 - exponents))), None)
    if digits is not None:
        with np.errstate(divide="ignore"):
            exponent = np.where(size > 0, np.floor(np.log10(np.maximum(size, 1e-300))), -300.0)
        allowed = np.maximum(allowed, 0.5 * 10.0 ** (exponent + 1 - digits) * 1.001)
    return allowed


def _is_whole(values: np.ndarray) -> bool:
    return bool((np.abs(values - np.rint(values)) <= 1e-6 * np.maximum(1.0, np.abs(values) * 1e-3)).all())

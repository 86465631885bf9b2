"""What the logged series say about a run, and where that is better than what its job row says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from lib.core.curves.metric_curves import MetricCurve, RunCurves
from lib.core.curves.series import real_evaluations
from lib.core.facts.metrics import metric_of
from lib.core.facts.runs import RunSummary
from lib.core.facts.values import finite

STORED_DECIMALS = 4
"""Decimals that a stored loss may have been rounded to; also those that losses are shown with."""

FLOAT32_ROUNDING = 1e-6
"""Relative difference that storing a loss in single precision may cause, with a margin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEvidence:
    """Facts from the curves of a run. ``None``: the series do not say.

    Attributes:
        run_id: The run.
        first_step, last_step: The range of the logged steps; ``None`` where nothing is logged.
        best_eval_loss: Lowest finite eval loss, nats; the stored one is what a checkpoint rule chose.
        best_step: The first step that reached it.
        best_epoch: The epoch logged at that step.
        evaluations: How many eval losses are measurements (``lib.core.curves.series.real_evaluations``).
        last_eval_loss, last_eval_step: The last finite measured one.
        last_train_loss, last_train_step: The last finite one.
        peak_learning_rate: The greatest finite one.
        median_tokens_per_second, median_samples_per_second: Medians of the finite values.
        peak_memory_gb: The greatest finite allocated GPU memory.
        duration_s: Seconds from the first logged row to the last one that has a time.
        nonfinite: How many values are NaN or infinite, by metric; metrics without any and derived ones are absent.
    """

    run_id: str
    first_step: int | None = None
    last_step: int | None = None
    best_eval_loss: float | None = None
    best_step: int | None = None
    best_epoch: float | None = None
    evaluations: int = 0
    last_eval_loss: float | None = None
    last_eval_step: int | None = None
    last_train_loss: float | None = None
    last_train_step: int | None = None
    peak_learning_rate: float | None = None
    median_tokens_per_second: float | None = None
    median_samples_per_second: float | None = None
    peak_memory_gb: float | None = None
    duration_s: float | None = None
    nonfinite: Mapping[str, int] = field(default_factory=dict)


def evidence_of(curves: RunCurves) -> RunEvidence:
    """Gather the evidence about one run.

    Of curves that the source reduced, first and last points, extremes and evaluations are there: a median
    is the one that the source says, or unknown. Where rows lack times or evaluations epochs, the duration
    and the best epoch may be unknown or a little early, since the rows that have them may be left out.
    """
    logged = [curve for curve in curves.curves.values() if len(curve)]
    if not logged:
        return RunEvidence(run_id=curves.run_id)
    train_loss, train_step = _last(_known(curves.get("train_loss")))
    return RunEvidence(
        run_id=curves.run_id,
        first_step=min(int(curve.step[0]) for curve in logged),
        last_step=max(int(curve.step[-1]) for curve in logged),
        last_train_loss=train_loss,
        last_train_step=train_step,
        peak_learning_rate=_greatest(curves.get("learning_rate")),
        median_tokens_per_second=median_of(curves.get("tokens_per_second")),
        median_samples_per_second=median_of(curves.get("samples_per_second")),
        peak_memory_gb=_greatest(curves.get("gpu_memory_allocated_gb")),
        duration_s=_duration(logged),
        nonfinite={
            metric: curve.lost
            for metric, curve in curves.curves.items()
            if curve.lost and not metric_of(metric).derived_from
        },
        **_evaluation_facts(curves, logged),
    )


def is_measured(curves: RunCurves, metric: str) -> np.ndarray:
    """Which points of a metric are measurements and not repeats (``lib.core.curves.series.real_evaluations``).

    Returns:
        Shape (n,) for the n points of the metric's curve, bool.
    """
    curve, train = curves.get(metric), curves.get("train_loss")
    return real_evaluations(curve.step, curve.value, train.step, train.logged)


def measured(curves: RunCurves, metric: str) -> MetricCurve:
    """The evaluations of a metric that are measurements and not repeats."""
    curve, real = curves.get(metric), is_measured(curves, metric)
    return curve if real.all() else curve.where(real)


def _evaluation_facts(curves: RunCurves, logged: Sequence[MetricCurve]) -> dict[str, float | int | None]:
    evaluations = measured(curves, "eval_loss")
    known = _known(evaluations)
    if not len(known):
        return {"evaluations": len(evaluations)}
    best = int(known.value.argmin())
    last_loss, last_step = _last(known)
    # The eval row itself may lack the epoch that the train row of the same step has.
    epochs = [
        curve.epoch[slice(*np.searchsorted(curve.step, (known.step[best], known.step[best] + 1)))] for curve in logged
    ]
    return {
        "evaluations": len(evaluations),
        "best_eval_loss": float(known.value[best]),
        "best_step": int(known.step[best]),
        "best_epoch": finite(np.fmax.reduce(np.concatenate(epochs))),
        "last_eval_loss": last_loss,
        "last_eval_step": last_step,
    }


def _known(curve: MetricCurve) -> MetricCurve:
    return curve.where(np.isfinite(curve.value)) if curve.lost else curve


def _last(curve: MetricCurve) -> tuple[float | None, int | None]:
    return (float(curve.value[-1]), int(curve.step[-1])) if len(curve) else (None, None)


def _greatest(curve: MetricCurve) -> float | None:
    known = _known(curve)
    return float(known.value.max()) if len(known) else None


def median_of(curve: MetricCurve) -> float | None:
    """The median of all finite values, those included that the source left out; ``None`` where that is not known."""
    known = _known(curve)
    if not curve.is_complete or not len(known):
        return curve.median
    return float(np.median(known.value))


def _duration(logged: Sequence[MetricCurve]) -> float | None:
    ends = [(curve.step[timed[-1]], curve.elapsed_s[timed[-1]]) for curve in logged if len(timed := _timed(curve))]
    if not ends:
        return None
    elapsed = float(max(ends)[1])
    # A clock that was set back gives a time before the start, which is no duration.
    return elapsed if elapsed >= 0.0 else None


def _timed(curve: MetricCurve) -> np.ndarray:
    return np.flatnonzero(np.isfinite(curve.elapsed_s))


def with_evidence(run: RunSummary, evidence: RunEvidence) -> RunSummary:
    """Return the run with the facts that its series know better than its job row.

    ==================================== ================================================================
    best eval loss, its step and epoch   the series' minimum, wherever there is one
    samples and tokens per second        the series' median, wherever there is one
    train loss, eval loss                the series' last, where the job has no finite one
    maximum learning rate                the series' peak, where the job has no finite one
    duration, current step               the series' last, where the job has none
    ==================================== ================================================================

    A run without logged values is returned unchanged.

    Raises:
        ValueError: If the evidence is about another run.
    """
    if evidence.run_id != run.run_id:
        raise ValueError(f"The evidence is about run {evidence.run_id!r}, not about {run.run_id!r}.")
    if evidence.last_step is None:
        return run
    better: dict[str, float | int | None] = {
        "loss": _filled(run.loss, evidence.last_train_loss),
        "eval_loss": _filled(run.eval_loss, evidence.last_eval_loss),
        "max_learning_rate": _filled(run.max_learning_rate, evidence.peak_learning_rate),
        "duration_s": evidence.duration_s if run.duration_s is None else run.duration_s,
        "current_step": evidence.last_step if run.current_step is None else run.current_step,
    }
    if evidence.median_samples_per_second is not None:
        better["samples_per_second"] = evidence.median_samples_per_second
    if evidence.median_tokens_per_second is not None:
        better["tokens_per_second"] = evidence.median_tokens_per_second
    if evidence.best_eval_loss is not None:
        same_step = run.best_step == evidence.best_step
        epoch = run.best_epoch if evidence.best_epoch is None and same_step else evidence.best_epoch
        better |= {
            "best_eval_loss": evidence.best_eval_loss,
            "best_step": evidence.best_step,
            "best_epoch": epoch,
        }
    return replace(run, **better)


def _filled(stored: float | None, logged: float | None) -> float | None:
    """The stored value, NaN and infinities included; the logged one where none is stored."""
    return logged if stored is None else stored


def stored_differs(stored_run: RunSummary, evidence: RunEvidence) -> str | None:
    """Say that the job's best eval loss is not the series' minimum, where rounding does not explain it.

    A difference is not mentioned when storing the minimum with ``STORED_DECIMALS`` decimals or in
    single precision would make it, or when both read the same as shown.

    Args:
        stored_run: The run as the source gave it, before ``with_evidence``.
        evidence: From the same run's series.
    """
    stored, lowest = finite(stored_run.best_eval_loss), evidence.best_eval_loss
    if stored is None or lowest is None:
        return None
    shown, shown_lowest = f"{stored:.{STORED_DECIMALS}f}", f"{lowest:.{STORED_DECIMALS}f}"
    rounding = (0.5 * 10.0**-STORED_DECIMALS) + FLOAT32_ROUNDING * abs(lowest)
    if shown == shown_lowest or abs(stored - lowest) <= rounding:
        return None
    return (
        f"The job's stored best eval loss is {shown}; the lowest logged one is {shown_lowest} "
        f"at step {evidence.best_step}."
    )

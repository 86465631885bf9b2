"""What the logged series say about a run, and where that is better than what its job row says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from lib.core.curves.metric_curves import MetricCurve, RunCurves
from lib.core.curves.series import real_evaluations
from lib.core.facts.runs import RunSummary
from lib.core.facts.values import finite
from lib.core.text import formatting
from lib.core.text.log_units import unit_of

_T = TypeVar("_T")

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
        base_eval_loss: Eval loss of the base model: the finite one measured at step 0, before training.
        best_eval_loss: Lowest finite eval loss of a step above 0, nats; the stored one is what a checkpoint rule chose.
        best_step: The first step that reached it.
        best_epoch: The epoch logged at that step.
        last_eval_loss, last_eval_step: The last finite measured one (``lib.core.curves.series.real_evaluations``) of a
            step above 0.
        last_train_loss: The last finite one.
        peak_learning_rate: The greatest finite one.
        median_tokens_per_second, median_samples_per_second: Medians of the finite values.
        duration_s: Seconds from the first logged row to the last one that has a time.
    """

    run_id: str
    first_step: int | None = None
    last_step: int | None = None
    base_eval_loss: float | None = None
    best_eval_loss: float | None = None
    best_step: int | None = None
    best_epoch: float | None = None
    last_eval_loss: float | None = None
    last_eval_step: int | None = None
    last_train_loss: float | None = None
    peak_learning_rate: float | None = None
    median_tokens_per_second: float | None = None
    median_samples_per_second: float | None = None
    duration_s: float | None = None


def evidence_of(curves: RunCurves) -> RunEvidence:
    """Gather the evidence about one run.

    Of curves that the source reduced, first and last points, extremes and evaluations are there: a median
    is the one that the source says, or unknown. Where rows lack times or evaluations epochs, the duration
    and the best epoch may be unknown or a little early, since the rows that have them may be left out.
    """
    logged = [curve for curve in curves.curves.values() if len(curve)]
    if not logged:
        return RunEvidence(run_id=curves.run_id)
    everything = measured(curves, "eval_loss").finite()
    evaluations = of_training(everything)
    best = int(evaluations.value.argmin()) if len(evaluations) else None
    best_step = None if best is None else int(evaluations.step[best])
    last_eval_loss, last_eval_step = _last(evaluations)
    return RunEvidence(
        run_id=curves.run_id,
        first_step=min(int(curve.step[0]) for curve in logged),
        last_step=max(int(curve.step[-1]) for curve in logged),
        base_eval_loss=None if len(evaluations) == len(everything) else float(everything.value[0]),
        best_eval_loss=None if best is None else float(evaluations.value[best]),
        best_step=best_step,
        best_epoch=None if best_step is None else _epoch_at(best_step, logged),
        last_eval_loss=last_eval_loss,
        last_eval_step=last_eval_step,
        last_train_loss=_last(curves.get("train_loss").finite())[0],
        peak_learning_rate=_greatest(curves.get("learning_rate")),
        median_tokens_per_second=median_of(curves.get("tokens_per_second")),
        median_samples_per_second=median_of(curves.get("samples_per_second")),
        duration_s=_duration(logged),
    )


def is_measured(curves: RunCurves, metric: str) -> np.ndarray:
    """Which points of a metric are measurements and not repeats (``lib.core.curves.series.real_evaluations``).

    Returns:
        Shape (n,) for the n points of the metric's curve, bool.
    """
    curve, train = curves.get(metric), curves.get("train_loss")
    return real_evaluations(curve.step, curve.value, train.step, train.logged)


def is_evaluation(curves: RunCurves, metric: str) -> np.ndarray:
    """Which points of a metric are of an evaluation: also equal ones where an eval loss was measured.

    A score of two decimals comes out the same time and again; beside a loss that moves that is no repeat.

    Returns:
        Shape (n,) for the n points of the metric's curve, bool.
    """
    curve, losses = curves.get(metric), curves.get("eval_loss")
    with_loss = np.isin(curve.step, losses.step[is_measured(curves, "eval_loss")])
    found: np.ndarray = is_measured(curves, metric) | with_loss
    return found


def measured(curves: RunCurves, metric: str) -> MetricCurve:
    """The evaluations of a metric that are measurements and not repeats."""
    curve, real = curves.get(metric), is_measured(curves, metric)
    return curve if real.all() else curve.where(real)


def of_training(curve: MetricCurve) -> MetricCurve:
    """The points of steps above 0: an evaluation at step 0 is of the base model, before training."""
    return curve.where(curve.step > 0) if len(curve) and curve.step[0] <= 0 else curve


def _epoch_at(step: int, logged: Sequence[MetricCurve]) -> float | None:
    """The epoch of a step, which the eval row itself may lack where the train row of the same step has it."""
    epochs = [curve.epoch[slice(*np.searchsorted(curve.step, (step, step + 1)))] for curve in logged]
    return finite(np.fmax.reduce(np.concatenate(epochs)))


def _last(curve: MetricCurve) -> tuple[float | None, int | None]:
    return (float(curve.value[-1]), int(curve.step[-1])) if len(curve) else (None, None)


def _greatest(curve: MetricCurve) -> float | None:
    known = curve.finite()
    return float(known.value.max()) if len(known) else None


def median_of(curve: MetricCurve) -> float | None:
    """The median of all finite values, those included that the source left out; ``None`` where that is not known."""
    known = curve.finite()
    return float(np.median(known.value)) if curve.is_complete and len(known) else curve.median


def _duration(logged: Sequence[MetricCurve]) -> float | None:
    timed = ((curve, np.flatnonzero(np.isfinite(curve.elapsed_s))) for curve in logged)
    ends = [(curve.step[known[-1]], curve.elapsed_s[known[-1]]) for curve, known in timed if len(known)]
    elapsed = float(max(ends)[1]) if ends else None
    # A clock that was set back gives a time before the start, which is no duration.
    return elapsed if elapsed is not None and elapsed >= 0.0 else None


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
    if evidence.best_eval_loss is not None:
        same_step = run.best_step == evidence.best_step
        run = replace(
            run,
            best_eval_loss=evidence.best_eval_loss,
            best_step=evidence.best_step,
            best_epoch=run.best_epoch if evidence.best_epoch is None and same_step else evidence.best_epoch,
        )
    # Of what is stored, NaN and infinities are kept too.
    return replace(
        run,
        loss=_either(run.loss, evidence.last_train_loss),
        eval_loss=_either(run.eval_loss, evidence.last_eval_loss),
        max_learning_rate=_either(run.max_learning_rate, evidence.peak_learning_rate),
        duration_s=_either(run.duration_s, evidence.duration_s),
        current_step=_either(run.current_step, evidence.last_step),
        samples_per_second=_either(evidence.median_samples_per_second, run.samples_per_second),
        tokens_per_second=_either(evidence.median_tokens_per_second, run.tokens_per_second),
    )


def _either(first: _T | None, second: _T | None) -> _T | None:
    return second if first is None else first


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
    shown, shown_lowest = formatting.loss(stored), formatting.loss(lowest)
    rounding = (0.5 * 10.0**-STORED_DECIMALS) + FLOAT32_ROUNDING * abs(lowest)
    if shown == shown_lowest or abs(stored - lowest) <= rounding:
        return None
    if evidence.base_eval_loss is not None and abs(stored - evidence.base_eval_loss) <= rounding:
        # A checkpoint rule counted the evaluation before training, too.
        return None
    return (
        f"The job's stored best eval loss is {shown}; the lowest logged one is {shown_lowest} "
        f"at {unit_of(stored_run)} {formatting.count(evidence.best_step)}."
    )

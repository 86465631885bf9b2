"""What the logged series say about a run, and where that is better than what its job row says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from lib.core.runs import RunSummary
from lib.core.series import curve_of, real_evaluations
from lib.core.values import finite

STORED_DECIMALS = 4
"""Decimals that a stored loss may have been rounded to; also those that losses are shown with."""

FLOAT32_ROUNDING = 1e-6
"""Relative difference that storing a loss in single precision may cause, with a margin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEvidence:
    """Facts from all rows of a run's metric frame. ``None``: the series do not say.

    Attributes:
        run_id: The run.
        logged_steps: How many different steps have a row.
        first_step, last_step: The range of these steps.
        best_eval_loss: Lowest finite eval loss, nats; the stored one is what a checkpoint rule chose.
        best_step: The first step that reached it.
        best_epoch: The epoch logged at that step.
        evaluations: How many eval losses are measurements (``lib.core.series.real_evaluations``).
        last_eval_loss, last_eval_step: The last finite measured one.
        last_train_loss, last_train_step: The last finite one.
        peak_learning_rate: The greatest finite one.
        median_tokens_per_second, median_samples_per_second: Medians of the finite values.
        peak_memory_gb: The greatest finite allocated GPU memory.
        duration_s: Seconds from the first logged row to the last one that has a time.
        nonfinite: How many values are NaN or infinite, by metric; metrics without any are absent.
    """

    run_id: str
    logged_steps: int = 0
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


def evidence_of(run_id: str, frame: pd.DataFrame) -> RunEvidence:
    """Gather the evidence about one run.

    Args:
        run_id: The run.
        frame: A metric frame with all rows of that run; rows of other runs are ignored.
    """
    rows = frame[frame["run_id"] == run_id]
    if rows.empty:
        return RunEvidence(run_id=run_id)
    is_finite = np.isfinite(rows["value"])
    known = rows[is_finite]
    lost = rows.loc[~is_finite, "metric"].value_counts(sort=False)
    last_train = _last(curve_of(known, run_id, "train_loss"))
    return RunEvidence(
        run_id=run_id,
        logged_steps=int(rows["step"].nunique()),
        first_step=int(rows["step"].min()),
        last_step=int(rows["step"].max()),
        last_train_loss=last_train[0],
        last_train_step=last_train[1],
        peak_learning_rate=finite(curve_of(known, run_id, "learning_rate")["value"].max()),
        median_tokens_per_second=finite(curve_of(known, run_id, "tokens_per_second")["value"].median()),
        median_samples_per_second=finite(curve_of(known, run_id, "samples_per_second")["value"].median()),
        peak_memory_gb=finite(curve_of(known, run_id, "gpu_memory_allocated_gb")["value"].max()),
        duration_s=_duration(rows),
        nonfinite={str(metric): int(count) for metric, count in lost.items()},
        **_evaluation_facts(rows, run_id),
    )


def _evaluation_facts(rows: pd.DataFrame, run_id: str) -> dict[str, float | int | None]:
    curve = curve_of(rows, run_id, "eval_loss")
    train_steps = curve_of(rows, run_id, "train_loss")["step"].to_numpy()
    measured = curve[real_evaluations(curve["step"].to_numpy(), curve["value"].to_numpy(), train_steps)]
    known = measured[np.isfinite(measured["value"])]
    if known.empty:
        return {"evaluations": len(measured)}
    best = known.iloc[known["value"].to_numpy().argmin()]
    last_loss, last_step = _last(known)
    return {
        "evaluations": len(measured),
        "best_eval_loss": float(best["value"]),
        "best_step": int(best["step"]),
        # The eval row itself may lack the epoch that the train row of the same step has.
        "best_epoch": finite(rows.loc[rows["step"] == best["step"], "epoch"].max()),
        "last_eval_loss": last_loss,
        "last_eval_step": last_step,
    }


def _last(curve: pd.DataFrame) -> tuple[float | None, int | None]:
    if curve.empty:
        return None, None
    return float(curve["value"].iloc[-1]), int(curve["step"].iloc[-1])


def _duration(rows: pd.DataFrame) -> float | None:
    timed = rows[np.isfinite(rows["elapsed_s"])]
    if timed.empty:
        return None
    elapsed = float(timed.loc[timed["step"] == timed["step"].max(), "elapsed_s"].max())
    # A clock that was set back gives a time before the start, which is no duration.
    return elapsed if elapsed >= 0.0 else None


def with_evidence(run: RunSummary, evidence: RunEvidence) -> RunSummary:
    """Return the run with the facts that its series know better than its job row.

    ==================================== ================================================================
    best eval loss, its step and epoch   the series' minimum, wherever there is one
    samples and tokens per second        the series' median, wherever there is one
    train loss, eval loss                the series' last, where the job has no finite one
    maximum learning rate                the series' peak, where the job has no finite one
    duration, current step               the series' last, where the job has none
    ==================================== ================================================================

    A run without metric rows is returned unchanged.

    Raises:
        ValueError: If the evidence is about another run.
    """
    if evidence.run_id != run.run_id:
        raise ValueError(f"The evidence is about run {evidence.run_id!r}, not about {run.run_id!r}.")
    if not evidence.logged_steps:
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

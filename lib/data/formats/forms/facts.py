"""The facts of a run: how far it came, how it ended, its losses and its settings, from one form or from several."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from lib.core.curves.evidence import of_training
from lib.core.curves.metric_curves import MetricCurve, RunCurves
from lib.core.facts.runs import RunStatus, RunSummary
from lib.core.facts.values import finite, text, whole
from lib.data.stated.name_hints import NameHints
from lib.data.stated.settings import stated

MAX_EPOCHS = 10**6
"""Where the length of the data is unknown some trainers write the largest integer there is."""
RATE_NOTE = "The configured learning rate is not recorded; shown is the highest that was logged."

_TOKENS = ("num_input_tokens_seen", "num_tokens", "total_tokens", "tokens_seen", "tokens", "consumed_tokens")


@dataclass(frozen=True, slots=True)
class End:
    """What is said of the end of a run.

    Attributes:
        status: UNKNOWN where nothing says it.
        said: In the log's own word.
        error: What it failed with.
    """

    status: RunStatus = RunStatus.UNKNOWN
    said: str | None = None
    error: str | None = None


def progress_of(
    curves: RunCurves, plan: tuple[int | None, float | None], end: End, *, in_epochs: bool
) -> dict[str, Any]:
    """How far a run came, and its status.

    A log whose last step is the last that was planned is complete, if nothing else is said. One that stops before looks
    the same for a training that goes on, was killed or crashed: its status is unknown, and says where the log ends.

    Args:
        curves: All of the run.
        plan: Steps and epochs that were planned; a number of steps below what was logged is of something else.
        end: What is said of the end.
        in_epochs: Steps are epochs done.

    Returns:
        Fields of ``RunSummary``.
    """
    logged = [curve for curve in curves.curves.values() if len(curve)]
    step = max((int(curve.step[-1]) for curve in logged), default=None)
    epoch = last_epoch(curves)
    total, epochs = plan
    total = total if total and total > 0 and (step is None or total >= step) else None
    epochs = epochs if epochs and 0 < epochs <= MAX_EPOCHS else None
    if in_epochs:
        total = total if epochs is None else math.ceil(epochs)
        epochs = float(total) if total is not None else None
        total = total if total is not None and (step is None or total >= step) else None
    share = None
    if step is not None and total:
        share = step / total
    elif epoch is not None and epochs:
        share = epoch / epochs
    what = "epoch" if in_epochs else "step"
    where = f"{what} {step:,}" + (f" of {total:,}" if total else "") if step is not None else None
    facts: dict[str, Any] = {
        "status": end.status,
        "raw_status": end.said or end.status.value,
        "current_step": step,
        "total_steps": total,
        "current_epoch": epoch,
        "total_epochs": epochs,
        "progress": None if share is None else min(max(share, 0.0), 1.0),
        "error_message": end.error,
    }
    if end.status is RunStatus.UNKNOWN:
        if step is not None and share is not None and share >= 1.0:
            facts |= {"status": RunStatus.COMPLETED, "raw_status": "completed"}
        else:
            facts["raw_status"] = end.said or (f"log ends at {where}" if where else None)
    elif end.status is RunStatus.COMPLETED and step is not None and total is not None:
        facts["ended_early"] = step < total - _usual_interval(logged)
    return facts


def last_epoch(curves: RunCurves) -> float | None:
    """The greatest epoch that was logged."""
    # Metrics that were logged together share their epochs.
    columns = {id(curve.epoch): curve.epoch for curve in curves.curves.values()}.values()
    return max((found for epoch in columns if (found := _greatest(epoch)) is not None), default=None)


def _greatest(epoch: np.ndarray) -> float | None:
    known = epoch[epoch == epoch]
    return finite(known.max()) if len(known) else None


def _usual_interval(logged: Sequence[MetricCurve]) -> float:
    """How many steps lie between two values of the metric that was logged most often, on average."""
    curve = max(logged, key=len)
    return float(curve.step[-1] - curve.step[0]) / max(len(curve) - 1, 1)


def losses_of(curves: RunCurves, final: Mapping[str, float]) -> dict[str, Any]:
    """What curves and closing values say of the losses and of the learning rate, as fields of ``RunSummary``.

    What was measured at step 0 is of the base model, and no checkpoint of this run.

    Args:
        curves: All of the run.
        final: Values of no step, by our names.
    """
    evaluations = of_training(curves.get("eval_loss"))
    facts: dict[str, Any] = {
        "loss": _last(curves.get("train_loss")),
        "final_loss": final.get("train_loss"),
        "eval_loss": _last(evaluations),
        "final_eval_loss": final.get("eval_loss"),
        "best_eval_loss": None,
        "best_step": None,
        "best_epoch": None,
        "perplexity": _either(_last(of_training(curves.get("perplexity"))), final.get("perplexity")),
        "learning_rate": _last(curves.get("learning_rate")),
    }
    known = evaluations.finite()
    if len(known):
        best = int(known.value.argmin())
        facts |= {
            "best_eval_loss": float(known.value[best]),
            "best_step": int(known.step[best]),
            "best_epoch": finite(known.epoch[best]),
        }
    return facts


def peak_rate_of(curves: RunCurves) -> float | None:
    """The highest learning rate that was logged."""
    rates = curves.get("learning_rate").finite()
    return float(rates.value.max()) if len(rates) else None


def _last(curve: MetricCurve) -> float | None:
    return float(curve.value[-1]) if len(curve) else None


def _either(first: float | None, second: float | None) -> float | None:
    return second if first is None else first


def settings_of(config: Mapping[str, Any], hints: NameHints | None = None) -> dict[str, Any]:
    """The settings that have a field of their own, as fields of ``RunSummary``."""

    def hinted(name: str) -> float | None:
        return None if hints is None else hints.value(name)

    counts = ("batch_size", "gradient_accumulation_steps", "warmup_steps", "num_gpus")
    found: dict[str, Any] = {name: _count(stated(config, name), hinted(name)) for name in counts}
    model = config.get("model_config")
    return found | {
        "max_learning_rate": _either(finite(stated(config, "learning_rate")), hinted("learning_rate")),
        "dataset": _listed(stated(config, "dataset")),
        "base_model": _listed(stated(config, "base_model"))
        or _listed(model.get("_name_or_path") if isinstance(model, Mapping) else None),
    }


def _count(said: Any, hinted: float | None) -> int | None:
    number = whole(said)
    return whole(hinted) if number is None else number


def _listed(value: Any) -> str | None:
    """A text, or several in a list, as one text."""
    if isinstance(value, list):
        return ", ".join(item for item in value if isinstance(item, str)) or None
    return text(value) if isinstance(value, str) else None


def plan_of(
    config: Mapping[str, Any], total_steps: int | None, total_epochs: float | None
) -> tuple[int | None, float | None]:
    """How many steps and epochs were planned: as the log says, else as the configuration does."""
    steps = total_steps if total_steps and total_steps > 0 else whole(stated(config, "max_steps"))
    epochs = total_epochs if total_epochs and total_epochs > 0 else finite(stated(config, "num_train_epochs"))
    return (steps if steps and steps > 0 else None), epochs


def tokens_of(curves: RunCurves, last: Mapping[str, float]) -> int | None:
    """How many tokens were trained on, where a metric or a closing value counts them."""
    for name, value in last.items():
        if name.rsplit("/", 1)[-1] in _TOKENS and (count := whole(value)):
            return count
    for name, curve in curves.curves.items():
        if name.rsplit("/", 1)[-1] in _TOKENS and len(curve) and (count := whole(float(curve.value[-1]))):
            # A sum only grows; what falls counts the tokens of each step.
            return count if (curve.value[1:] >= curve.value[:-1]).all() and len(curve) > 1 else None
    return None


def reread(run: RunSummary, curves: RunCurves) -> RunSummary:
    """The run with the facts that follow from its curves worked out anew from these."""
    final = {"train_loss": run.final_loss, "eval_loss": run.final_eval_loss}
    losses = losses_of(curves, {name: value for name, value in final.items() if value is not None})
    notes, rate = run.notes, run.max_learning_rate
    if rate is None or RATE_NOTE in notes:
        rate = peak_rate_of(curves)
        notes = tuple(note for note in notes if note != RATE_NOTE) + ((RATE_NOTE,) if rate is not None else ())
    return replace(run, **losses, max_learning_rate=rate, notes=notes)

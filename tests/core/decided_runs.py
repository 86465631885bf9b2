"""Runs that compare in everything but what a test says, and the decision about them."""

from __future__ import annotations

import numpy as np

from lib.core.curves.metric_curves import RunCurves, complete_curve
from lib.core.facts.runs import RunStatus, RunSummary
from lib.core.ranking.decision import Decision, decide
from lib.core.ranking.policy import DEFAULT_POLICY, ScoringPolicy
from lib.core.verdict.grounds import Grounds, grounds_of

SAME = {
    "method": "sft", "dataset": "tatsu-lab/alpaca", "eval_split": 0.1, "base_model": "meta-llama/Meta-Llama-3-8B",
    "max_length": 2048, "packing": False, "completion_only_loss": True,
}  # fmt: skip


def run(run_id, loss=0.5, status=RunStatus.COMPLETED, train=None, **config) -> RunSummary:
    """A run with its loss as train loss too, but for what is given; a setting of ``...`` is left out."""
    merged = {key: value for key, value in {**SAME, **config}.items() if value is not ...}
    return RunSummary(
        run_id=run_id,
        name=run_id,
        status=status,
        best_eval_loss=loss,
        loss=loss if train is None and loss is not None else train,
        config={"training": merged},
    )


def curves_of(run_id, loss, noise=0.001, count=30, start=None, train=None) -> RunCurves:
    """Flat evaluations whose lowest is the loss, and a train loss that is the same all along."""
    wobble = noise * np.resize([1.0, -1.0, 0.5, -0.5, -1.0, 1.0, 0.2], count)
    values = loss + noise + wobble
    if start is not None:
        values = np.concatenate(([start], values[1:]))
    steps = np.arange(1, count + 1, dtype=np.int64) * 10
    nothing = np.full(count, np.nan)
    curves = {"eval_loss": complete_curve(steps, values, nothing, nothing)}
    if train is not None:
        curves["train_loss"] = complete_curve(np.arange(1, 301), np.full(300, train), *[np.full(300, np.nan)] * 2)
    return RunCurves(run_id, curves)


def curves_by_id(runs, noise=0.001, count=30) -> dict[str, RunCurves]:
    return {
        each.run_id: curves_of(each.run_id, each.best_eval_loss, noise, count, train=each.loss)
        for each in runs
        if each.best_eval_loss is not None
    }


def decided(
    *runs, policy: ScoringPolicy = DEFAULT_POLICY, noise=0.001, count=30, further=None, before=None, train=True, by=None
) -> Decision:
    """The decision about these runs.

    Args:
        runs: Whose curves are made up.
        policy: Weights and bands.
        noise, count: Of the evaluations.
        further: By run id, the first and the last value of further metrics, which go straight from one to the other.
        before: By run id, the eval loss before training.
        train: Whether train losses are logged.
        by: The metric that was chosen.
    """
    curves = {}
    for run_id, found in curves_by_id(runs, noise, count).items():
        kept = {name: one for name, one in found.curves.items() if train or name != "train_loss"}
        evals = kept["eval_loss"]
        for name, (start, end) in ((further or {}).get(run_id) or {}).items():
            kept[name] = complete_curve(evals.step, np.linspace(start, end, count), evals.epoch, evals.elapsed_s)
        if run_id in (before or {}):
            nothing = np.full(count + 1, np.nan)
            values = np.concatenate(([before[run_id]], evals.value))
            kept["eval_loss"] = complete_curve(np.concatenate(([0], evals.step)), values, nothing, nothing)
        curves[run_id] = RunCurves(run_id, kept)
    return decide(runs, curves, policy, by)


def grounded(*runs, labels=None, **how) -> Grounds:
    """The grounds of the decision about these runs."""
    return grounds_of(decided(*runs, **how), runs, labels)

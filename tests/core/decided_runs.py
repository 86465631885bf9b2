"""Runs that compare in everything but what a test says, and the decision about them."""

from __future__ import annotations

import numpy as np

from lib.core.curves.metric_curves import RunCurves, complete_curve
from lib.core.facts.runs import RunStatus, RunSummary
from lib.core.ranking.decision import Decision, decide
from lib.core.ranking.scoring import DEFAULT_POLICY, ScoringPolicy
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


def decided(*runs, policy: ScoringPolicy = DEFAULT_POLICY, noise=0.001, count=30) -> Decision:
    return decide(runs, curves_by_id(runs, noise, count), policy)


def grounded(*runs, labels=None, **how) -> Grounds:
    """The grounds of the decision about these runs."""
    return grounds_of(decided(*runs, **how), runs, labels)

"""What is worked out about one run: checkpoint and overfitting are of the checkpoint that the verdict would ship."""

from __future__ import annotations

import numpy as np
import pytest

from lib.core.curves.evidence import evidence_of, with_evidence
from lib.core.curves.metric_curves import RunCurves, complete_curve
from lib.core.ranking.decision import decide
from lib.core.ranking.policy import DEFAULT_POLICY
from lib.core.verdict.assessment import assess, shipping
from tests.core.decided_runs import run


def series(steps, values):
    nothing = np.full(len(steps), np.nan)
    return complete_curve(np.array(steps, np.int64), np.array(values, float), nothing, nothing)


CURVES = RunCurves(
    "a",
    {
        "train_loss": series(range(10, 310, 10), [0.5] * 30),
        "eval_loss": series([100, 200, 300], [0.6, 0.7, 0.8]),
        "eval_f1": series([100, 200, 300], [0.1, 0.9, 0.5]),
        "eval_alpha_loss": series([100, 200, 300], [0.9, 0.9, 0.55]),
    },
)


def shipped(by):
    evidence = evidence_of(CURVES)
    stored = run("a", None)
    shown = with_evidence(stored, evidence)
    decision = decide([shown], {"a": CURVES}, DEFAULT_POLICY, by)
    return shipping(assess(stored, shown, CURVES, evidence, None), shown, CURVES, evidence, decision)


@pytest.mark.parametrize(
    ("by", "step", "gap"),
    [("eval_loss", 100, 0.1), ("eval_f1", 200, 0.2), ("eval_alpha_loss", 300, 0.05)],
)
def test_step_and_gap_follow_the_metric_that_decides(by, step, gap):
    found = shipped(by)
    assert found.checkpoint.step == step
    assert found.overfitting.gap == pytest.approx(gap)

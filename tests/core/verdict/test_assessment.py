"""What is worked out about one run: checkpoint and overfitting are of the checkpoint that the verdict would ship."""

from __future__ import annotations

import numpy as np
import pytest

from lib.core.curves.evidence import evidence_of, with_evidence
from lib.core.curves.metric_curves import RunCurves, complete_curve
from lib.core.ranking.decision import decide
from lib.core.ranking.policy import DEFAULT_POLICY
from lib.core.verdict.assessment import assess, shipping
from lib.core.verdict.checkpoints import checkpoint_name, checkpoint_sentence
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


def shipped(by, logged=None):
    curves = RunCurves("a", logged or CURVES.curves)
    evidence = evidence_of(curves)
    stored = run("a", None)
    shown = with_evidence(stored, evidence)
    decision = decide([shown], {"a": curves}, DEFAULT_POLICY, by)
    return shipping(assess(stored, shown, curves, evidence, None), shown, curves, evidence, decision)


@pytest.mark.parametrize(
    ("by", "step", "gap"),
    [("eval_loss", 100, 0.1), ("eval_f1", 200, 0.2), ("eval_alpha_loss", 300, 0.05)],
)
def test_step_and_gap_follow_the_metric_that_decides(by, step, gap):
    found = shipped(by)
    assert found.checkpoint.step == step
    assert found.overfitting.gap == pytest.approx(gap)


def test_the_checkpoint_is_said_to_be_of_what_decides():
    assert checkpoint_sentence(shipped("eval_loss").checkpoint).startswith("The lowest eval loss, 0.6000, was measured")
    assert checkpoint_sentence(shipped("eval_f1").checkpoint).startswith(
        "The best value of what decides was measured at step 200; the eval loss there is 0.7000."
    )


def test_without_any_eval_loss_the_checkpoint_of_another_metric_is_known_all_the_same():
    found = shipped("eval_f1", {"eval_f1": CURVES.curves["eval_f1"]})
    assert found.checkpoint.step == 200
    assert checkpoint_sentence(found.checkpoint).startswith("The best value of what decides was measured at step 200.")
    assert checkpoint_name(found.checkpoint) == "step 200, if saved"
    assert found.overfitting.gap is None

"""What the curves of real runs say of the best evaluation and of what came after it."""

from __future__ import annotations

import pytest

from lib.core.curves.evidence import evidence_of
from lib.core.gap.overfitting import overfitting_of

# Name: gap at the best step, rebound.
BATCH_8 = {
    "8 1e-3": (0.0383, 0.0),
    "8 2e-5": (0.0433, 0.1494),
    "8 3e-4": (0.0237, 0.0001),
    "8 3e-5": (0.0543, 0.2125),
    "8 3e-6": (0.0490, 0.0),
    "8 4e-5": (0.0220, 0.2488),
}


@pytest.mark.parametrize(
    ("name", "loss", "step", "last"), [("8 3e-5", 0.3293, 2025, 0.0203), ("8 4e-5", 0.3317, 1350, 0.0136)]
)
def test_runs_that_overfit_have_their_best_evaluation_early(source, runs, name, loss, step, last):
    run_id = runs[name].run_id
    evidence = evidence_of(source.load_curves([run_id])[run_id])
    assert (round(evidence.best_eval_loss, 4), evidence.best_step) == (loss, step)
    assert round(evidence.last_train_loss, 4) == last


def test_runs_have_a_small_gap_at_their_best_step_and_show_their_rebound(source, runs):
    curves = source.load_curves([runs[name].run_id for name in BATCH_8])
    found = {name: overfitting_of(run, curves[run.run_id]) for name, run in runs.items() if name in BATCH_8}
    for name, (gap, rebound) in BATCH_8.items():
        assert found[name].gap == pytest.approx(gap, abs=5e-5)
        assert found[name].rebound == pytest.approx(rebound, abs=5e-5)
        assert (found[name].slope_per_1000_steps > 0.0) == (rebound > 0.01)
    assert found["8 3e-5"].sentences[1] == "The last eval loss is 0.5418, at step 13,500: 0.2125 above the best."

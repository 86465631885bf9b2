"""What the checks say of real runs: what is the matter with them, and nothing else."""

from __future__ import annotations

import pytest

from lib.core.checks.check import Group
from lib.core.checks.registry import checks_of
from lib.core.checks.results import Confidence
from lib.core.checks.stability import Steadiness, stability_of


def curves_of(source, run, *metrics):
    return source.load_curves([run.run_id], metrics or None)[run.run_id]


@pytest.mark.parametrize(
    ("name", "rebound"),
    [("8 3e-5", 2025), ("8 4e-5", 1350), ("2 4e-5", 5394), ("8 3e-6", None), ("8 1e-3", None)],
)
def test_runs_that_overfit_are_said_to_rebound_and_others_are_not(source, runs, name, rebound):
    found = checks_of(runs[name], curves_of(source, runs[name], "eval_loss")).findings_in(Group.HEALTH)
    assert [(finding.code, finding.step) for finding in found] == (
        [] if rebound is None else [("eval_rebound", rebound)]
    )


@pytest.mark.parametrize("name", ["mt5_news_summaries", "tinyllama_dpo"])
def test_runs_that_went_well_are_steady(source, runs, name):
    found = checks_of(runs[name], curves_of(source, runs[name], "train_loss"))
    assert stability_of(found).steadiness is Steadiness.STEADY


def test_nothing_is_wrong_with_the_data_but_the_learning_rate_scheduled_last(source, runs):
    trained = [run for run in runs.values() if "Hugging Face Trainer" in run.formats]
    assert trained
    for run in trained:
        found = checks_of(run, curves_of(source, run))
        assert {finding.code for finding in found.findings_in(Group.DATA)} <= {"stored_learning_rate"}
        assert found.confidence is Confidence.UNDIMINISHED

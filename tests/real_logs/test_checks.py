"""What is noticed of real runs: what is the matter with them, and nothing else."""

from __future__ import annotations

import pytest

from lib.core.checks.health import health_of
from lib.core.checks.passport import Confidence, passport_of
from lib.core.checks.stability import Level, stability_of
from lib.core.curves.evidence import evidence_of


def curves_of(source, run, *metrics):
    return source.load_curves([run.run_id], metrics or None)[run.run_id]


@pytest.mark.parametrize(
    ("name", "rebound"),
    [("8 3e-5", 2025), ("8 4e-5", 1350), ("2 4e-5", 5394), ("8 3e-6", None), ("8 1e-3", None)],
)
def test_runs_that_overfit_are_said_to_rebound_and_others_are_not(source, runs, name, rebound):
    health = health_of(runs[name], curves_of(source, runs[name], "eval_loss"))
    assert [(finding.code, finding.step) for finding in health.findings] == (
        [] if rebound is None else [("eval_rebound", rebound)]
    )


@pytest.mark.parametrize("name", ["mt5_news_summaries", "tinyllama_dpo"])
def test_runs_that_went_well_are_steady(source, runs, name):
    assert stability_of(curves_of(source, runs[name], "train_loss")).level is Level.STEADY


def test_nothing_is_wrong_with_the_data_but_the_learning_rate_scheduled_last(source, runs):
    assert runs
    for run in runs.values():
        curves = curves_of(source, run)
        passport = passport_of(run, curves, evidence_of(curves), None)
        assert {finding.code for finding in passport.findings} <= {"stored_learning_rate"}
        assert passport.confidence is Confidence.UNDIMINISHED

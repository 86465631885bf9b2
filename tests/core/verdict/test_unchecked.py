"""A verdict is sure only where the checks that matter could be made, and says how many could not."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from lib.core.checks.registry import checks_of
from lib.core.curves.evidence import evidence_of, with_evidence
from lib.core.curves.metric_curves import RunCurves
from lib.core.facts.runs import RunStatus, RunSummary
from lib.core.ranking.decision import decide
from lib.core.ranking.policy import DEFAULT_POLICY
from lib.core.verdict.assessment import assess
from lib.core.verdict.grounds import grounds_of
from lib.core.verdict.objection_kinds import Sureness
from lib.core.verdict.overview import Overview, overview_of
from lib.core.verdict.unchecked import unchecked
from tests.core.checked_runs import curves_of, run_of, thinned
from tests.core.decided_runs import SAME, run

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def falling(end: float, count: int, noise: float, seed: int) -> np.ndarray:
    at = np.arange(1, count + 1) / count
    return end + 0.5 * np.exp(-8.0 * at) + noise * np.random.default_rng(seed).standard_normal(count)


def curves(run_id: str, end: float, train_points: int = 300, evaluations: int = 30) -> RunCurves:
    """Evaluations and train losses over the same 3,000 steps; the train loss ends 0.03 below."""
    series = {"eval_loss": (evaluations, end, 0.001), "train_loss": (train_points, end - 0.03, 0.002)}
    made = {
        name: (np.arange(1, count + 1) * (3_000 // count), falling(level, count, noise, len(run_id) + count))
        for name, (count, level, noise) in series.items()
        if count
    }
    return RunCurves(run_id, curves_of(**made).curves)


def reduced(own: RunCurves) -> RunCurves:
    """The same with a train loss of which every third value was sent."""
    return RunCurves(own.run_id, {**own.curves, "train_loss": thinned(own.curves["train_loss"])})


def said_of(*all_curves: RunCurves, config: bool = True) -> Overview:
    """The verdict as the page gives it."""
    settings = {"training": SAME} if config else {}
    stored = [
        RunSummary(run_id=own.run_id, name=own.run_id, status=RunStatus.COMPLETED, config=settings)
        for own in all_curves
    ]
    runs, assessed = [], {}
    for each, own in zip(stored, all_curves, strict=True):
        evidence = evidence_of(own)
        runs.append(with_evidence(each, evidence))
        assessed[each.run_id] = assess(each, runs[-1], own, evidence, NOW)
    decision = decide(runs, {own.run_id: own for own in all_curves}, DEFAULT_POLICY)
    return overview_of(grounds_of(decision, runs), runs, assessed)


def test_a_verdict_is_sure_where_all_that_matters_could_be_checked():
    said = said_of(curves("a", 1.0), curves("b", 1.3))
    assert (said.surety.level, said.objections) == (Sureness.SURE, ())


@pytest.mark.parametrize(
    ("pair", "matter"),
    [
        # Of the recommended run 8 checks matter, of its rival the 6 that say nothing of a training that broke down.
        ((curves("a", 1.0, train_points=20), curves("b", 1.3)), 14),
        ((reduced(curves("a", 1.0)), reduced(curves("b", 1.3))), 14),
        # Without any gap the two checks of what it is made of do not count, of either run.
        ((curves("a", 1.0, train_points=0), curves("b", 1.3, train_points=0)), 10),
    ],
    ids=["20 train losses", "a reduced curve", "no train loss"],
)
def test_a_verdict_is_not_sure_where_something_could_not_be_checked_and_says_how_much(pair, matter):
    said = said_of(*pair)
    objection = next(each for each in said.objections if each.code == "unchecked")
    assert said.surety.level is Sureness.FAIRLY_SURE
    missing = int(objection.sentence.split()[0])
    assert missing > 0
    assert objection.sentence.startswith(f"{missing} of {matter} checks that matter could not be made: ")
    assert objection.count == f"{missing} of {matter} checks that matter could not be made"
    assert objection.short == f"{objection.count}."


def test_without_a_configuration_no_verdict_is_sure():
    said = said_of(curves("a", 1.0), curves("b", 1.3), config=False)
    assert said.surety.level is Sureness.UNSURE
    assert "losses_unlike" in said.surety.because


def test_what_was_not_stated_and_train_losses_that_count_for_nothing_are_not_missing():
    own = checks_of(run_of(), curves_of(eval_loss=np.linspace(2.0, 1.0, 12)))
    with_gaps = {each.check.code for each in unchecked(own, [], gaps_count=True).results}
    without = {each.check.code for each in unchecked(own, [], gaps_count=False).results}
    assert with_gaps - without == {"implausible_train_loss", "stale_train_loss"}
    assert "divergence" in without
    assert not {"stored_best_loss", "current_step_differs", "ends_early", "evaluations_absent"} & with_gaps


def test_of_a_rival_only_what_touches_its_values_counts():
    nothing = checks_of(run("b"), RunCurves("b"))
    alone, beside = (unchecked(nothing, rivals, gaps_count=True) for rivals in ([], [nothing]))
    assert beside.matter - alone.matter == alone.matter - 2
    assert {"dead_training", "divergence"} & {each.check.code for each in alone.results}

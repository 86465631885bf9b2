"""Checks of a run's data against itself: rows, curves, evaluations, stored values, times."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from types import MappingProxyType

import numpy as np
import pytest

from bench.defect_kinds import KINDS, alarms, planted, recognised
from bench.simulated_runs import Traits, clean_run
from lib.core.checks.check import Group, Outcome
from lib.core.checks.registry import CHECKS, checks_of
from lib.core.checks.results import Confidence
from lib.core.checks.subject import REDUCED
from lib.core.curves.metric_curves import RunCurves
from lib.core.curves.row_facts import RowFacts
from lib.core.facts.findings import Severity
from lib.core.facts.metrics import metric_of
from lib.core.facts.runs import RunStatus
from tests.core.checked_runs import curves_of, falling, run_of
from tests.curves import reduced

SEEDS = range(20)
RUN = run_of(status=RunStatus.UNKNOWN)
BEGIN = datetime(2026, 3, 1, 8, tzinfo=UTC)


def kind_id(kind):
    return f"{kind.code}-{kind.plant.__name__}"


def result_of(code, curves, **facts):
    return checks_of(replace(RUN, **facts), curves, now=BEGIN).of(code)


def reduced_checks(sim):
    """What is known where the database sends the reduced curves only."""
    full = sim.curves()
    curves = {
        metric: curve if metric_of(metric).evaluated else reduced(curve, 5) for metric, curve in full.curves.items()
    }
    return checks_of(sim.run, RunCurves("r", MappingProxyType(curves)), now=sim.now)


@pytest.mark.parametrize("kind", KINDS, ids=kind_id)
def test_a_planted_defect_of_middle_size_is_found_where_it_begins(kind):
    results = [recognised(kind, kind.middle, seed) for seed in SEEDS]
    assert np.mean([found for found, _ in results]) >= 0.9
    assert all(missed <= 1.0 for _, missed in results if missed is not None)


def test_clean_runs_raise_no_alarm():
    assert sum(bool(alarms(seed)) for seed in range(100)) <= 1


def test_a_training_that_was_ended_on_purpose_has_its_whole_log():
    curves = curves_of(train_loss=falling(50))
    known = {"status": RunStatus.COMPLETED, "total_steps": 2000, "current_step": 500}
    assert result_of("ends_early", curves, **known).outcome is Outcome.FOUND
    assert result_of("ends_early", curves, ended_early=True, **known).outcome is Outcome.NOT_FOUND
    cut = known | {"current_step": 900}
    assert result_of("ends_early", curves, ended_early=True, **cut).outcome is Outcome.FOUND


def test_a_coarser_logging_interval_from_some_step_on_is_no_gap():
    steps = np.append(np.arange(10, 510, 10), np.arange(550, 1550, 50))
    curves = curves_of(train_loss=(steps, np.linspace(2.0, 1.0, len(steps))))
    assert result_of("logging_gap", curves).outcome is Outcome.NOT_FOUND


def test_steps_without_a_regular_interval_have_no_gaps_that_could_be_told():
    steps = np.unique(np.geomspace(1, 10_000, 40).astype(int))
    curves = curves_of(train_loss=(steps, np.linspace(2.0, 1.0, len(steps))))
    assert result_of("logging_gap", curves).outcome is Outcome.CANNOT_TELL


def test_a_loss_that_stands_at_zero_or_within_its_decimals_is_not_stale():
    steps = np.arange(1, 201)
    zero = curves_of(train_loss=(steps, np.append(np.linspace(1.0, 0.01, 100), np.zeros(100))))
    assert result_of("stale_train_loss", zero).outcome is Outcome.NOT_FOUND
    random = np.random.default_rng(1)
    coarse = curves_of(train_loss=(steps, np.round(0.0004 + random.normal(0.0, 0.00003, 200), 4)))
    assert result_of("stale_train_loss", coarse).outcome is Outcome.CANNOT_TELL


def test_a_stored_best_step_at_an_equal_loss_is_right():
    curves = curves_of(train_loss=falling(50), eval_loss=([100, 200, 300], [1.0, 0.9, 0.9]))
    assert result_of("stored_best_step", curves, best_eval_loss=0.9, best_step=300).outcome is Outcome.NOT_FOUND
    assert result_of("stored_best_step", curves, best_eval_loss=0.9, best_step=100).outcome is Outcome.FOUND
    assert result_of("stored_best_step", curves, best_eval_loss=0.9, best_step=150).outcome is Outcome.FOUND


def test_a_stored_loss_below_every_logged_one_says_that_an_evaluation_is_missing():
    curves = curves_of(train_loss=falling(50), eval_loss=([100, 200, 300], [1.0, 0.9, 0.95]))
    assert "is not in the log" in result_of("stored_best_loss", curves, best_eval_loss=0.7).sentence
    assert "checkpoint rule" in result_of("stored_best_loss", curves, best_eval_loss=0.95).sentence


def test_sources_without_any_times_are_not_blamed_for_a_missing_end():
    curves = curves_of(rows=RowFacts(20), train_loss=falling(20))
    assert result_of("end_not_recorded", curves, status=RunStatus.COMPLETED).outcome is Outcome.CANNOT_TELL
    facts = {"status": RunStatus.COMPLETED, "started_at": BEGIN}
    assert result_of("end_not_recorded", curves, **facts).outcome is Outcome.FOUND


def test_the_order_of_steps_cannot_be_told_by_a_clock_that_goes_back():
    rows = RowFacts(9, backwards=2, backwards_step=5, clock_backwards=1, clock_step=4, timed=9, order_known=False)
    curves = curves_of(rows=rows, train_loss=falling(9))
    assert result_of("steps_backwards", curves).outcome is Outcome.CANNOT_TELL
    assert result_of("steps_backwards", replace(curves, rows=replace(rows, order_known=True))).outcome is Outcome.FOUND


def test_every_check_of_the_data_is_put_to_the_test():
    of_data = {check.code for check in CHECKS if check.group is Group.DATA}
    planted_too = {"nonfinite_value", "reporting_gap", "stalled"}
    assert {kind.code for kind in KINDS} == of_data | planted_too


@pytest.mark.parametrize("kind", KINDS, ids=kind_id)
def test_a_reduced_curve_never_says_what_the_whole_curve_does_not(kind):
    run, _ = planted(kind, kind.sizes[-1], 3)
    whole, part = run.checks(), reduced_checks(run)
    for one, other in zip(whole.results, part.results, strict=True):
        if one.check.group is Group.DATA or one.check.code == kind.code:
            # What was found must not turn fine; it may become untold.
            assert not (one.outcome is Outcome.FOUND and other.outcome is Outcome.NOT_FOUND), one.check.code
            assert not other.findings or one.findings


def test_counts_of_a_reduced_curve_are_not_the_runs():
    sim = clean_run(np.random.default_rng(5), Traits(points=(400, 800), timed=True, evaluated=True))
    found = reduced_checks(sim)
    for code in ("rows_missing", "values_rewritten"):
        assert found.of(code).sentence == f"Cannot tell, because {REDUCED}."
    for code in ("logging_gap", "stale_train_loss"):
        assert found.of(code).because == "only the reduced curve of the train loss was read."
    assert found.of("evaluations_end_early").outcome is Outcome.NOT_FOUND


def test_nothing_is_claimed_about_the_rows_of_a_run_without_any():
    queued = checks_of(replace(RUN, status=RunStatus.QUEUED), RunCurves("run"))
    assert (queued.findings, queued.confidence) == ((), Confidence.UNDIMINISHED)
    assert queued.of("rows_missing") in queued.having(Outcome.CANNOT_TELL, Group.DATA)
    (missing,) = result_of("log_missing", RunCurves("run"), status=RunStatus.COMPLETED).findings
    assert missing.severity is Severity.CRITICAL


def test_rows_without_values_are_no_reason_to_fail():
    rows = RowFacts(3, timed=3, first_written_us=0, last_written_us=60_000_000)
    facts = {"started_at": datetime(1970, 1, 1, tzinfo=UTC), "samples_per_second": 4.0}
    found = checks_of(replace(RUN, **facts), RunCurves("run", rows=rows), now=BEGIN)
    assert found.of("duration_includes_queueing").sentence == "The first row came 0 s after the start."


def test_what_was_not_read_is_not_missed():
    curves = curves_of(unread=["eval_loss"], train_loss=falling(20))
    config = {"training": {"eval_strategy": "steps", "eval_steps": 10}}
    found = checks_of(replace(RUN, config=config, best_eval_loss=1.0), curves)
    for code in ("evaluations_absent", "evaluations_end_early", "stored_best_loss", "eval_rebound"):
        assert found.of(code).sentence == "Cannot tell, because the eval loss was not read."


def test_confidence_falls_with_what_a_verdict_rests_on_and_not_with_habits_of_writers():
    steps, losses = falling(20)
    plain = curves_of(rows=RowFacts(20, 20), train_loss=(steps, losses), learning_rate=(steps, losses[::-1] - 1.0))
    habit = checks_of(replace(RUN, learning_rate=1e-9), plain)
    assert [finding.code for finding in habit.findings] == ["stored_learning_rate"]
    assert (habit.doubts, habit.confidence) == ((), Confidence.UNDIMINISHED)
    rewritten = RowFacts(21, 21, rewritten=1, rewritten_step=10, rewritten_metrics=("eval_loss",))
    assert checks_of(RUN, replace(plain, rows=rewritten)).confidence is Confidence.LOWERED
    assert checks_of(RUN, replace(plain, rows=RowFacts(20, 30))).confidence is Confidence.LOW


def test_rewritten_values_touch_the_verdict_only_where_it_rests_on_them():
    for metric, touches in (("eval_loss", True), ("train_loss", True), ("grad_norm", False)):
        rows = RowFacts(9, rewritten=2, rewritten_step=5, rewritten_metrics=(metric,))
        (finding,) = result_of("values_rewritten", curves_of(rows=rows, train_loss=falling(9))).findings
        assert finding.touches_verdict is touches


def implausible(**series):
    run = run_of(config={"gradient_accumulation_steps": 8})
    return checks_of(run, curves_of(**series)).of("implausible_train_loss")


def test_a_train_loss_that_is_a_sum_is_said_to_be_one():
    steps, losses = falling(60)
    result = implausible(train_loss=(steps, 8.0 * losses), eval_loss=([600], [1.51]))
    (finding,) = result.findings
    assert (finding.step, finding.touches_verdict) == (600, True)
    assert "about 8 times the eval loss, 1.5100: a sum over 8 accumulation steps" in finding.sentence
    fine = implausible(train_loss=(steps, losses), eval_loss=([600], [1.51]))
    assert fine.outcome is Outcome.NOT_FOUND
    gone = np.where(steps > 300, np.nan, losses)
    lost = implausible(train_loss=(steps, gone), eval_loss=([600], [1.51]))
    assert lost.sentence == "No train loss just before the best evaluation, step 600, is a finite number."
    alone = implausible(train_loss=(steps, losses))
    assert alone.outcome is Outcome.CANNOT_TELL

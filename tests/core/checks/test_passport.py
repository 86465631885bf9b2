from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType

import numpy as np
import pytest

from bench.defect_kinds import KINDS, alarms, planted, recognised
from bench.simulated_runs import BEGIN, Traits, clean_run
from lib.core.checks.passport import CHECKS, Confidence, Passport, passport_of
from lib.core.checks.passport_check import REDUCED, Outcome
from lib.core.curves.evidence import RunEvidence, evidence_of
from lib.core.curves.metric_curves import RunCurves, complete_curve
from lib.core.curves.row_facts import RowFacts
from lib.core.facts.findings import Severity
from lib.core.facts.metrics import metric_of
from lib.core.facts.runs import RunStatus, RunSummary
from tests.curves import reduced

SEEDS = range(20)
RUN = RunSummary(run_id="r", name="r")


def kind_id(kind):
    return f"{kind.code}-{kind.plant.__name__}"


def curves_of(rows=None, unread=(), **series):
    """Curves of ``metric=(steps, values)``, without epochs and times."""
    curves = {}
    for metric, (steps, values) in series.items():
        blank = np.full(len(steps), np.nan)
        curves[metric] = complete_curve(np.array(steps), np.array(values, dtype=float), blank, blank)
    return RunCurves("r", MappingProxyType(curves), tuple(unread), rows)


def check_of(passport: Passport, code: str):
    return next(check for check in passport.checks if check.code == code)


def judged(code: str, curves: RunCurves, now=BEGIN, **facts):
    return check_of(passport_of(replace(RUN, **facts), curves, evidence_of(curves), now), code)


def falling(count, first=10, every=10):
    """Steps and train losses that fall without two of them being equal."""
    return np.arange(count) * every + first, 2.0 - np.arange(count) / (2.0 * count)


def reduced_passport(sim) -> Passport:
    """What is known where the database sends the reduced curves only."""
    full = sim.curves()
    curves = {
        metric: curve if metric_of(metric).evaluated else reduced(curve, 5) for metric, curve in full.curves.items()
    }
    run = RunCurves("r", MappingProxyType(curves))
    return passport_of(sim.run, run, evidence_of(run), sim.now)


@pytest.mark.parametrize("kind", KINDS, ids=kind_id)
def test_a_planted_defect_of_middle_size_is_found_where_it_begins(kind):
    results = [recognised(kind, kind.middle, seed) for seed in SEEDS]
    assert np.mean([found for found, _ in results]) >= 0.9
    assert all(missed <= 1.0 for _, missed in results if missed is not None)


def test_at_least_fifteen_kinds_are_planted_and_every_check_is_put_to_the_test():
    passport = clean_run(np.random.default_rng(0)).passport()
    assert {kind.code for kind in KINDS} == {check.code for check in passport.checks}
    assert len(CHECKS) >= 15


def test_clean_runs_raise_no_alarm():
    assert sum(bool(alarms(seed)) for seed in range(100)) <= 1


def test_every_check_has_one_entry_with_a_sentence_and_its_finding_has_its_code():
    for kind in KINDS[::4]:
        run, _ = planted(kind, kind.middle, 1)
        passport = run.passport()
        assert len({check.code for check in passport.checks}) == len(passport.checks) == len(CHECKS)
        for check in passport.checks:
            assert check.sentence.endswith(".")
            assert (check.finding is not None) == (check.outcome is Outcome.FOUND)
            assert check.finding is None or (check.finding.code, check.finding.run_id) == (check.code, "r")
        found = [check for check in passport.checks if check.outcome is Outcome.FOUND]
        assert len(passport.findings) == len(found)
        assert all(doubt in passport.findings for doubt in passport.doubts)


@pytest.mark.parametrize("kind", KINDS, ids=kind_id)
def test_a_reduced_curve_never_says_what_the_whole_curve_does_not(kind):
    run, _ = planted(kind, kind.sizes[-1], 3)
    whole, part = run.passport(), reduced_passport(run)
    assert {finding.code for finding in part.findings} <= {finding.code for finding in whole.findings}
    for check, other in zip(whole.checks, part.checks, strict=True):
        # What was found must not turn fine; it may become untold.
        assert not (check.outcome is Outcome.FOUND and other.outcome is Outcome.FINE), check.code


def test_counts_of_a_reduced_curve_are_not_the_runs():
    sim = clean_run(np.random.default_rng(5), Traits(points=(400, 800), timed=True, evaluated=True))
    passport = reduced_passport(sim)
    for code in ("rows_missing", "values_rewritten", "logging_gap", "clock_pause", "stale_train_loss"):
        assert check_of(passport, code).sentence == f"Cannot tell, because {REDUCED}."
    assert check_of(passport, "evaluations_end_early").outcome is Outcome.FINE


def test_a_run_without_rows_has_a_passport_that_claims_nothing_about_rows():
    queued = passport_of(replace(RUN, status=RunStatus.QUEUED), RunCurves("r"), RunEvidence(run_id="r"), None)
    assert queued.findings == ()
    assert queued.confidence is Confidence.UNDIMINISHED
    assert check_of(queued, "rows_missing") in queued.cannot_tell
    assert judged("log_missing", RunCurves("r"), status=RunStatus.COMPLETED).finding.severity is Severity.CRITICAL


def test_what_was_not_read_is_not_missed():
    curves = curves_of(unread=["eval_loss"], train_loss=falling(20))
    config = {"training": {"eval_strategy": "steps", "eval_steps": 10}}
    passport = passport_of(replace(RUN, config=config, best_eval_loss=1.0), curves, evidence_of(curves), None)
    for code in ("evaluations_absent", "evaluations_end_early", "stored_best_loss"):
        assert check_of(passport, code).sentence == "Cannot tell, because the eval loss was not read."


def test_the_three_must_be_about_one_run():
    with pytest.raises(ValueError, match="of one run"):
        passport_of(RUN, RunCurves("other"), RunEvidence(run_id="r"), None)


def test_confidence_falls_with_what_a_verdict_rests_on_and_not_with_habits_of_writers():
    steps, losses = falling(20)
    plain = curves_of(RowFacts(20, 20), train_loss=(steps, losses), learning_rate=(steps, losses[::-1] - 1.0))
    habit = passport_of(replace(RUN, learning_rate=1e-9), plain, evidence_of(plain), None)
    assert [finding.code for finding in habit.findings] == ["stored_learning_rate"]
    assert (habit.doubts, habit.confidence) == ((), Confidence.UNDIMINISHED)
    rewritten = RowFacts(21, 21, rewritten=1, rewritten_step=10, rewritten_metrics=("eval_loss",))
    doubted = passport_of(RUN, replace(plain, rows=rewritten), evidence_of(plain), None)
    assert doubted.confidence is Confidence.LOWERED
    part = passport_of(RUN, replace(plain, rows=RowFacts(20, 30)), evidence_of(plain), None)
    assert part.confidence is Confidence.LOW


def test_rewritten_values_touch_the_verdict_only_where_it_rests_on_them():
    for metric, touches in (("eval_loss", True), ("train_loss", True), ("grad_norm", False)):
        rows = RowFacts(9, rewritten=2, rewritten_step=5, rewritten_metrics=(metric,))
        assert judged("values_rewritten", curves_of(rows, train_loss=falling(9))).touches_verdict is touches


def test_a_trainers_default_for_evaluations_is_no_plan():
    curves = curves_of(train_loss=falling(20))
    absent = "evaluations_absent"
    assert judged(absent, curves, config={"trainer_state": {"eval_steps": 50}}).outcome is Outcome.CANNOT_TELL
    assert judged(absent, curves, config={"training": {"eval_steps": 50}}).outcome is Outcome.FOUND
    assert judged(absent, curves, config={"training": {"eval_steps": 500}}).outcome is Outcome.FINE
    assert judged(absent, curves, config={"eval_strategy": "no", "eval_steps": 50}).outcome is Outcome.FINE
    assert judged(absent, curves, config={"evaluation_strategy": "epoch"}).outcome is Outcome.FOUND


def test_a_coarser_logging_interval_from_some_step_on_is_no_gap():
    steps = np.append(np.arange(10, 510, 10), np.arange(550, 1550, 50))
    curves = curves_of(train_loss=(steps, np.linspace(2.0, 1.0, len(steps))))
    assert judged("logging_gap", curves).outcome is Outcome.FINE


def test_steps_without_a_regular_interval_have_no_gaps_that_could_be_told():
    steps = np.unique(np.geomspace(1, 10_000, 40).astype(int))
    curves = curves_of(train_loss=(steps, np.linspace(2.0, 1.0, len(steps))))
    assert judged("logging_gap", curves).outcome is Outcome.CANNOT_TELL


def test_a_loss_that_stands_at_zero_or_within_its_decimals_is_not_stale():
    steps = np.arange(1, 201)
    zero = curves_of(train_loss=(steps, np.append(np.linspace(1.0, 0.01, 100), np.zeros(100))))
    assert judged("stale_train_loss", zero).outcome is Outcome.FINE
    random = np.random.default_rng(1)
    coarse = curves_of(train_loss=(steps, np.round(0.0004 + random.normal(0.0, 0.00003, 200), 4)))
    assert judged("stale_train_loss", coarse).outcome is Outcome.CANNOT_TELL


def test_a_stored_best_step_at_an_equal_loss_is_right():
    curves = curves_of(train_loss=falling(50), eval_loss=([100, 200, 300], [1.0, 0.9, 0.9]))
    assert judged("stored_best_step", curves, best_eval_loss=0.9, best_step=300).outcome is Outcome.FINE
    assert judged("stored_best_step", curves, best_eval_loss=0.9, best_step=100).outcome is Outcome.FOUND
    assert judged("stored_best_step", curves, best_eval_loss=0.9, best_step=150).outcome is Outcome.FOUND


def test_a_stored_loss_below_every_logged_one_says_that_an_evaluation_is_missing():
    curves = curves_of(train_loss=falling(50), eval_loss=([100, 200, 300], [1.0, 0.9, 0.95]))
    assert "is not in the log" in judged("stored_best_loss", curves, best_eval_loss=0.7).sentence
    assert "checkpoint rule" in judged("stored_best_loss", curves, best_eval_loss=0.95).sentence


def test_the_same_silence_is_none_for_a_run_that_reports_as_seldom():
    steps, losses = falling(10)
    elapsed = np.arange(10) * 1800.0
    curve = complete_curve(steps, losses, np.full(10, np.nan), elapsed)
    seldom = RunCurves("r", MappingProxyType({"train_loss": curve}))
    facts = {"status": RunStatus.RUNNING, "updated_at": BEGIN}
    code, now = "silent_while_running", BEGIN + timedelta(seconds=1500)
    assert judged(code, seldom, now, **facts).outcome is Outcome.FINE
    assert judged(code, curves_of(train_loss=(steps, losses)), now, **facts).outcome is Outcome.FOUND
    assert judged(code, seldom, None, **facts).outcome is Outcome.CANNOT_TELL


def test_sources_without_any_times_are_not_blamed_for_a_missing_end():
    curves = curves_of(RowFacts(20), train_loss=falling(20))
    assert judged("end_not_recorded", curves, status=RunStatus.COMPLETED).outcome is Outcome.CANNOT_TELL
    facts = {"status": RunStatus.COMPLETED, "started_at": BEGIN}
    assert judged("end_not_recorded", curves, **facts).outcome is Outcome.FOUND


def test_the_order_of_steps_cannot_be_told_by_a_clock_that_goes_back():
    rows = RowFacts(9, backwards=2, backwards_step=5, clock_backwards=1, clock_step=4, timed=9, order_known=False)
    curves = curves_of(rows, train_loss=falling(9))
    assert judged("steps_backwards", curves).outcome is Outcome.CANNOT_TELL
    assert judged("steps_backwards", replace(curves, rows=replace(rows, order_known=True))).outcome is Outcome.FOUND

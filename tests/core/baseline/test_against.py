"""What of a decision a baseline goes by: whether values compare, and what is noise."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lib.core.baseline.against import NOT_KNOWN_TO_COMPARE, Baseline
from lib.core.baseline.differences import Sense
from lib.core.baseline.ranking import beside
from lib.core.curves.metric_curves import RunCurves
from lib.core.facts.runs import RunStatus
from lib.core.ranking.decision import decide
from lib.core.ranking.policy import DEFAULT_POLICY
from tests.core.decided_runs import run
from tests.core.ranking.comparable_runs import curve, run_of
from tests.report.judged import judged


def against(base, *runs, noise=0.001, **how):
    compared = judged(*runs, noise=noise, **how)
    return Baseline(base, base, compared.runs, compared.curves, compared.decision), compared.decision


def test_runs_that_the_verdict_tells_apart_are_better_and_worse():
    baseline, decision = against("a", run("a", 0.6), run("b", 0.5), run("c", 0.7))
    found = {run_id: baseline.deciding(run_id) for run_id in "abc"}
    assert found["a"] is None
    assert found["b"].value == pytest.approx(-0.1, abs=0.01)
    assert (found["b"].sense, found["c"].sense) == (Sense.BETTER, Sense.WORSE)
    assert (baseline.score("b").sense, baseline.score("c").sense) == (Sense.BETTER, Sense.WORSE)
    assert not decision.tied


def test_runs_within_the_noise_are_level_with_whichever_is_pinned():
    runs = run("a", 0.6), run("b", 0.6005)
    for base, other in (("a", "b"), ("b", "a")):
        baseline, decision = against(base, *runs, noise=0.02)
        assert baseline.deciding(other).sense is Sense.LEVEL
        assert decision.tied


def test_a_difference_is_the_negative_of_that_the_other_way_round():
    runs = run("a", 0.6), run("b", 0.5), run("c", 0.55)
    for one, other in (("a", "b"), ("b", "c"), ("a", "c")):
        there, back = against(one, *runs)[0].deciding(other), against(other, *runs)[0].deciding(one)
        assert there.value == -back.value
        assert {there.sense, back.sense} in ({Sense.BETTER, Sense.WORSE}, {Sense.LEVEL})


def test_losses_that_do_not_compare_have_no_difference_and_it_is_said_why():
    baseline, decision = against("a", run("a", 0.6), run("b", 0.5, dataset="other/data"), run("c", 0.5))
    assert baseline.deciding("b") is None
    assert baseline.difference("b", "eval_loss", 0.5, 0.6, "lower") is None
    assert baseline.difference("b", "train_loss", 0.5, 0.6, None) is None
    assert "evaluation data" in baseline.apart("b", "eval_loss")
    assert baseline.difference("b", "tokens_per_second", 200.0, 100.0, "higher").sense is Sense.BETTER
    assert baseline.difference("b", "duration", 200.0, 100.0, None).share == 1.0
    assert baseline.apart("c", "eval_loss") == ""
    said = beside(baseline, decision, dict.fromkeys("abc", "")).runs
    assert said["a"].words == "baseline"
    assert said["b"].words == ""
    assert said["b"].sentence.startswith("No difference to a: does not compare, different")
    assert said["c"].words.endswith("better")


def test_what_only_a_loss_depends_on_parts_losses_alone():
    baseline, _ = against("a", run("a", 0.6, label_smoothing_factor=0.0), run("b", 0.5, label_smoothing_factor=0.1))
    assert "label smoothing" in baseline.apart("b", "eval_loss")
    assert baseline.apart("b", "score", of_loss=True)
    assert baseline.apart("b", "eval_accuracy") == ""


def test_what_a_reward_is_the_sum_of_parts_rewards_alone():
    runs, curves = {}, {}
    for name, functions in (("a", ["length"]), ("b", ["length", "format"]), ("c", ["length"])):
        logged = ["reward", "eval_reward", "eval_accuracy", *(f"rewards/{each}/mean" for each in functions)]
        runs[name] = replace(run_of(name, method="grpo"), status=RunStatus.COMPLETED)
        curves[name] = RunCurves(name, {metric: curve([0.1, 0.4, 0.5, 0.6]) for metric in logged})
    baseline = Baseline("a", "a", list(runs.values()), curves, decide(list(runs.values()), curves, DEFAULT_POLICY))
    assert [baseline.apart("b", metric) for metric in ("eval_reward", "reward")] == ["different reward"] * 2
    assert [baseline.apart("b", metric) for metric in ("eval_accuracy", "eval_runtime")] == ["", ""]
    assert baseline.apart("c", "eval_reward") == ""


def test_too_few_evaluations_tell_nothing_of_the_noise():
    baseline, decision = against("a", run("a", 0.6), run("b", 0.5), count=2)
    found = baseline.deciding("b")
    assert found.sense is Sense.UNTOLD
    assert (
        beside(baseline, decision, dict.fromkeys("ab", ""))
        .runs["b"]
        .sentence.endswith("too little is known of the noise.")
    )


def test_a_run_that_is_left_out_has_a_difference_all_the_same():
    baseline, _ = against("a", run("a", 0.6), run("b", 0.5, status=RunStatus.RUNNING), run("c", 0.55))
    assert baseline.deciding("b").sense is Sense.BETTER
    assert baseline.score("b") is None


def test_a_score_in_percent_and_one_as_a_share_have_no_difference():
    baseline, _ = against("a", run("a", 0.6), run("b", 0.5))
    assert baseline.difference("b", "eval_f1", 0.9, 81.0, "higher") is None
    assert baseline.difference("b", "eval_f1", 83.0, 81.0, "higher").in_points
    assert not baseline.difference("b", "eval_f1", 0.83, 0.81, "higher").in_points


def test_classes_that_cannot_be_told_apart_by_a_pair_are_those_of_the_verdict():
    runs = run("a", 0.6), run("b", 0.6), run("c", 0.5, dataset="other/data"), run("d", 0.5, dataset=...)
    baseline, decision = against("a", *runs)
    parted = {run_id for other in decision.other_classes for run_id in other.run_ids}
    for run_id in "bcd":
        assert bool(baseline.apart(run_id, "eval_loss")) is (run_id in parted)
    assert baseline.apart("d", "eval_loss") in ("", NOT_KNOWN_TO_COMPARE)


def test_seeds_of_the_settings_of_the_baseline_are_level_with_it():
    runs = [run(f"a{seed}", 0.6 + seed / 100, seed=seed) for seed in range(3)]
    runs += [run(f"b{seed}", 0.4 + seed / 100, seed=seed, learning_rate=1e-3) for seed in range(3)]
    baseline, decision = against("a0", *runs)
    assert decision.contest.best.seed_freedom
    assert {baseline.deciding(f"a{seed}").sense for seed in (1, 2)} == {Sense.LEVEL}
    assert {baseline.deciding(f"b{seed}").sense for seed in range(3)} == {Sense.BETTER}

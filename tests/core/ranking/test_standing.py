"""Leads over the noise of losses and gaps, classes by metrics, and trainings that are ranked once."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lib.core.curves.metric_curves import RunCurves, complete_curve
from lib.core.facts.runs import RunStatus
from lib.core.noise.best_set import Outcome
from lib.core.ranking.decision import decide
from lib.core.ranking.policy import DEFAULT_POLICY
from lib.core.ranking.scoring import LeftOut
from tests.core.decided_runs import curves_by_id, decided, run


def with_metric(run_id, curves, name, values):
    steps = np.arange(1, len(values) + 1, dtype=np.int64) * 10
    nothing = np.full(len(values), np.nan)
    found = complete_curve(steps, np.array(values, dtype=float), nothing, nothing)
    return RunCurves(run_id, {**curves.curves, name: found})


def noisy_pair(rng, scatter, count=30, train_count=300):
    """Two equal runs: evaluations with a little noise, single train losses that scatter."""
    runs, curves = [], {}
    for run_id in ("a", "b"):
        steps = np.arange(1, count + 1, dtype=np.int64) * 10
        evals = 1.0 + 0.5 * np.exp(-steps / 60.0) + rng.normal(0.0, 0.002, count)
        at = np.arange(1, train_count + 1, dtype=np.int64) * (10 * count) // train_count
        train = 0.95 + 0.5 * np.exp(-at / 60.0) + rng.normal(0.0, scatter, train_count)
        curves[run_id] = RunCurves(
            run_id,
            {
                "eval_loss": complete_curve(steps, evals, *[np.full(count, np.nan)] * 2),
                "train_loss": complete_curve(at, train, *[np.full(train_count, np.nan)] * 2),
            },
        )
        runs.append(run(run_id, float(evals.min())))
    return runs, curves


@pytest.mark.parametrize("scatter", [0.0, 0.05, 0.2])
def test_equal_runs_whose_train_losses_scatter_hardly_ever_have_a_winner(scatter):
    rng = np.random.default_rng(20261129)
    outcomes = [decide(*noisy_pair(rng, scatter), DEFAULT_POLICY).lead.outcome for _ in range(60)]
    assert outcomes.count(Outcome.WINNER) <= 3


def seeded(lucky):
    """Two settings of two seeds each, the second 0.03 worse; one evaluation of its first run is ``lucky``."""
    runs = [
        run(f"{name}{seed}", level + 0.002 * seed, learning_rate=rate, seed=seed, train=0.9)
        for name, level, rate in (("a", 1.0, 1e-4), ("b", 1.03, 2e-4))
        for seed in (0, 1)
    ]
    curves = curves_by_id(runs)
    evals = curves["b0"].curves["eval_loss"]
    value = evals.value.copy()
    value[20] = lucky
    curves["b0"] = RunCurves("b0", {**curves["b0"].curves, "eval_loss": replace(evals, value=value)})
    return runs, curves


def test_of_the_settings_that_win_a_run_is_recommended_though_a_single_one_of_others_comes_first():
    decision = decide(*seeded(lucky=0.99), DEFAULT_POLICY)
    assert decision.ranked == ("b0", "a0", "a1", "b1"), "the order is that of the scores"
    assert decision.recommendation.run_id == "a0"
    assert decision.recommendation.settings == {"a0", "a1"}
    assert decision.recommendation.runner_up.run_id == "b0"
    assert decision.recommendation.margin is None
    assert decision.lead.outcome is Outcome.WINNER
    assert decision.tied == ()
    # The mean of 1.03 and 1.032, less that of 1 and 1.002; one lucky evaluation of 30 moves it a little.
    assert decision.lead.settings.difference.value == pytest.approx(0.03, abs=0.002)
    assert (decision.flip.interval, decision.flip.runner_up) == (None, None)


def test_where_no_settings_win_the_first_by_score_is_recommended_and_ties_with_the_first_of_each_other():
    runs, curves = seeded(lucky=0.99)
    curves["a1"] = curves_by_id([run("a1", 1.2, train=0.9)])["a1"]
    decision = decide(runs, curves, DEFAULT_POLICY)
    assert decision.recommendation.run_id == "b0"
    assert (decision.recommendation.settings, decision.lead.settings) == (frozenset(), None)
    assert decision.tied == ("b0", "a0")


def test_a_run_that_never_beat_its_base_model_does_not_tie_with_one_that_is_not_like_that():
    runs = [run("a", 1.51), run("b", 1.58)]
    curves = curves_by_id(runs, noise=0.03, count=3)
    steps = np.array([0, 10, 20, 30], dtype=np.int64)
    ruined = complete_curve(steps, np.array([1.5, 1.58, 1.64, 1.7]), *[np.full(4, np.nan)] * 2)
    curves["b"] = RunCurves("b", {**curves["b"].curves, "eval_loss": ruined})
    decision = decide(runs, curves, DEFAULT_POLICY)
    assert decision.recommendation.run_id == "a"
    assert decision.lead.never_better == ("b",)
    assert decision.tied == ()


@pytest.mark.parametrize("noise", [0.0005, 0.02])
def test_a_rival_may_be_as_good_where_it_is_no_further_behind_than_noise_can_put_it(noise):
    decision = decided(run("a", 0.5), run("b", 0.501), run("c", 0.8), noise=noise)
    first, *others = decision.recommendation.scores
    assert set(decision.lead.within) == {"b", "c"}
    for other in others:
        behind = round(first.total - other.total, 9)
        assert (behind <= round(decision.lead.within[other.run_id], 9)) is (other.run_id in decision.lead.level_with)
    assert decision.lead.level_with == (("b",) if noise == 0.02 else ())


def test_a_metric_ranks_without_a_composite_and_runs_without_it_are_left_out():
    runs = [run("a", 0.5), run("b", 0.6), run("c", 0.4)]
    curves = curves_by_id(runs)
    for run_id, values in (("a", np.linspace(0.1, 0.4, 30)), ("b", np.linspace(0.1, 0.7, 30))):
        curves[run_id] = with_metric(run_id, curves[run_id], "eval_f1", values)
    decision = decide(runs, curves, DEFAULT_POLICY, by="eval_f1")
    assert decision.ranked == ("b", "a")
    assert [score.total for score in decision.recommendation.scores] == [None, None]
    assert [(each.run_id, each.code, each.detail) for each in decision.recommendation.unscorable] == [
        ("c", LeftOut.NO_VALUE, "eval_f1")
    ]
    assert decision.flip.runner_up.value.target == pytest.approx(0.7)
    by_loss = decide(runs, curves, DEFAULT_POLICY)
    assert by_loss.ranked == ("c", "a", "b")


def test_a_task_metric_that_orders_them_otherwise_is_found():
    runs = [run("a", 0.5), run("b", 0.6)]
    curves = curves_by_id(runs)
    for run_id, top in (("a", 0.4), ("b", 0.7)):
        curves[run_id] = with_metric(run_id, curves[run_id], "eval_f1", np.linspace(0.1, top, 30))
    (other,) = decide(runs, curves, DEFAULT_POLICY).others
    assert other.metric == "eval_f1"
    assert other.beaten("a")[0] == "b"


def test_what_a_loss_is_of_parts_only_classes_that_a_loss_decides():
    runs = [run("a", 0.5), run("b", 0.6, label_smoothing_factor=0.1), run("c", 0.55)]
    runs[0] = run("a", 0.5, label_smoothing_factor=0.0)
    runs[2] = run("c", 0.55, label_smoothing_factor=0.0)
    curves = curves_by_id(runs)
    for each in runs:
        curves[each.run_id] = with_metric(each.run_id, curves[each.run_id], "eval_f1", np.linspace(0.1, 0.5, 30))
    by_loss = decide(runs, curves, DEFAULT_POLICY)
    assert (by_loss.ranked, [other.run_ids for other in by_loss.other_classes]) == (("a", "c"), [("b",)])
    by_f1 = decide(runs, curves, DEFAULT_POLICY, by="eval_f1")
    assert set(by_f1.ranked) == {"a", "b", "c"}
    assert not by_f1.other_classes


def test_one_training_is_ranked_once():
    copy = replace(run("copy", 0.5), same_training_as="a", current_step=200)
    first = replace(run("a", 0.5), current_step=200)
    prefix = replace(run("prefix", 0.55), same_training_as="a", current_step=100)
    decision = decided(copy, first, prefix, run("b", 0.9))
    assert decision.ranked == ("a", "b")
    assert {each.run_id: each.detail for each in decision.recommendation.unscorable} == {"copy": "a", "prefix": "a"}
    assert decided(copy, prefix, run("b", 0.9)).ranked == ("copy", "b"), "the one that stands for them is not here"
    failed = replace(first, status=RunStatus.FAILED)
    assert decided(failed, copy, run("b", 0.9)).ranked == ("copy", "b")


def test_an_unknown_direction_ranks_nothing_and_says_which():
    runs = [run("a", 0.5), run("b", 0.6)]
    curves = curves_by_id(runs)
    for each in runs:
        curves[each.run_id] = with_metric(each.run_id, curves[each.run_id], "eval_thing", np.linspace(0.1, 0.5, 30))
    decision = decide(runs, curves, DEFAULT_POLICY, by="eval_thing")
    assert decision.ranked == ()
    assert {each.code for each in decision.recommendation.unscorable} == {LeftOut.NO_DIRECTION}
    assert len(decide(runs, curves, DEFAULT_POLICY, by="eval_thing", direction="lower").ranked) == 2

"""The decision: who is ranked with whom, who ties, and what stands apart; the same in any order."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from lib.core.curves.metric_curves import RunCurves, complete_curve
from lib.core.facts.remember import Kept
from lib.core.facts.runs import RunStatus, told_completed
from lib.core.noise.best_set import Outcome
from lib.core.ranking.comparability_aspects import Aspect
from lib.core.ranking.decision import decide
from lib.core.ranking.policy import DEFAULT_POLICY
from lib.core.ranking.scoring import LeftOut
from tests.core.decided_runs import curves_of, decided, run


def test_the_larger_class_is_ranked_though_another_scores_more():
    decision = decided(run("a", 0.5), run("b", 0.6), run("c", 0.1, dataset="other/data"))
    assert decision.ranked == ("a", "b")
    assert decision.recommendation.run_id == "a"
    assert decision.has_main_class
    (other,) = decision.other_classes
    assert other.run_ids == ("c",)
    assert other.differing == (Aspect.DATASET,)
    assert set(decision.scores) == {"a", "b", "c"}


def test_of_classes_of_one_size_none_speaks_for_all():
    decision = decided(run("a", 0.5), run("b", 0.1, dataset="other/data"))
    assert decision.ranked == ("a",)
    assert not decision.has_main_class
    assert decision.recommended is None


def test_equal_scores_of_one_class_of_two_tie_nothing():
    one = run("a", 0.5), run("b", 0.5)
    assert (decided(*one).recommended, decided(*one).tied) == ("a", ("a", "b"))
    decision = decided(*one, *(run(name, 0.1, dataset="other/data") for name in "cd"))
    assert (decision.recommended, decision.tied) == (None, ())


def test_a_run_that_could_be_in_either_class_is_not_known_to_differ():
    decision = decided(run("a"), run("b", 0.6), run("c", dataset="other/data"), run("d", dataset=...))
    assert [other.differing for other in decision.other_classes if other.run_ids == ("d",)] == [()]


@pytest.mark.parametrize(
    ("losses", "noise", "tied"),
    [
        ({"a": 0.5, "b": 0.8}, 0.001, ()),
        ({"a": 0.5, "b": 0.501}, 0.02, ("a", "b")),
        ({"a": 0.5, "b": 0.501, "c": 1.9}, 0.02, ("a", "b")),
        ({"a": 0.5, "b": 0.5}, 0.001, ("a", "b")),
        ({"a": 0.5}, 0.02, ()),
    ],
)
def test_tied_are_those_whose_score_may_be_as_high(losses, noise, tied):
    assert decided(*(run(run_id, loss) for run_id, loss in losses.items()), noise=noise).tied == tied


def test_equal_scores_tie_though_the_noise_is_unknown():
    decision = decided(run("a", 0.5), run("b", 0.5), run("c", 0.7), count=2)
    assert decision.lead.outcome is Outcome.CANNOT_TELL
    assert decision.tied == ("a", "b")


def test_without_an_eligible_run_nothing_is_decided_and_all_losses_stand_alongside():
    decision = decided(run("a", 0.5, RunStatus.RUNNING), run("b", None, RunStatus.QUEUED))
    assert decision.recommendation.winner is None
    assert (decision.ranked, decision.tied, decision.other_classes) == ((), (), ())
    assert set(decision.alongside) == {"a"}
    assert decided().ranked == ()


def test_alongside_are_unfinished_runs_whose_loss_may_compare():
    running = RunStatus.RUNNING
    decision = decided(
        run("a"),
        run("same", 0.4, running),
        run("open", 0.4, running, dataset=...),
        run("other", 0.4, running, dataset="x/y"),
    )
    assert list(decision.alongside) == ["open", "same"]


def test_improvement_is_a_share_of_the_runs_own_first_evaluation():
    curves = {"a": curves_of("a", 0.5, noise=0.0, start=1.0), "b": curves_of("b", 0.5, count=1)}
    decision = decide([run("a"), run("b"), run("c")], curves, DEFAULT_POLICY)
    assert decision.improvements["a"] == pytest.approx(0.5)
    assert decision.improvements["b"] is None
    assert decision.improvements["c"] is None


def test_the_decision_does_not_depend_on_the_order_of_runs():
    runs = [run("a"), run("b", 0.502), run("c", 0.3, dataset="x/y"), run("d", 0.4, RunStatus.RUNNING)]
    decisions = [decided(*order, noise=0.01) for order in itertools.permutations(runs)]
    assert all(decision.recommendation == decisions[0].recommendation for decision in decisions)
    assert all(decision.lead == decisions[0].lead for decision in decisions)
    assert all(decision.flip == decisions[0].flip for decision in decisions)


class Noted(Kept):
    """Keeps all, and notes of which runs it was asked to make something."""

    def __init__(self) -> None:
        super().__init__()
        self.made: list[tuple[str, ...]] = []

    def __call__(self, run_ids, subject, key, make):
        def noting():
            self.made.append(run_ids)
            return make()

        return super().__call__(run_ids, subject, key, noting)


def test_with_another_run_only_what_follows_from_that_is_worked_out():
    losses = {"a": 0.5, "b": 0.502, "c": 0.6, "d": 0.51}
    curves = {run_id: curves_of(run_id, loss, noise=0.01) for run_id, loss in losses.items()}
    runs = {run_id: run(run_id, loss) for run_id, loss in losses.items()}
    remember = Noted()
    decide([runs[each] for each in "abc"], curves, DEFAULT_POLICY, remember=remember)
    assert {*remember.made} == {("a",), ("b",), ("c",), ("a", "b"), ("a", "c"), ("b", "c")}
    remember.made.clear()
    kept = decide([runs[each] for each in "abd"], curves, DEFAULT_POLICY, remember=remember)
    assert {*remember.made} == {("d",), ("a", "d"), ("b", "d")}
    anew = decide([runs[each] for each in "abd"], curves, DEFAULT_POLICY)
    assert (kept.recommendation, kept.comparability, kept.lead, kept.flip) == (
        anew.recommendation,
        anew.comparability,
        anew.lead,
        anew.flip,
    )
    remember.made.clear()
    decide([runs[each] for each in "abd"], curves, DEFAULT_POLICY, remember=remember)
    assert remember.made == []


def test_a_run_without_what_decides_is_shipped_by_its_own_metric_whoever_is_beside_it():
    rest = run("c", 0.5, RunStatus.UNKNOWN, train=0.4)
    f1 = {each: {"eval_f1": (0.7, 0.9)} for each in "ab"}
    alone = decided(rest)
    beside = decided(run("a", 0.5), run("b", 0.6), rest, further=f1, by="eval_f1")
    assert beside.deciding.metric == "eval_f1"
    assert alone.shipped("c") == beside.shipped("c")
    deciding, values = beside.shipped("c")
    assert (deciding.metric, values.train_loss, values.is_matched) == ("eval_loss", pytest.approx(0.4), True)
    assert "c" not in beside.values


def dying(run_id, loss, after):
    """Curves of a run whose train losses are NaN from step 150 on, and its evaluations ``after``."""
    known = curves_of(run_id, loss, train=loss).curves
    evals, train = known["eval_loss"], known["train_loss"]
    lost = complete_curve(
        train.step, np.where(train.step >= 150, np.nan, train.value + train.step / 1e6), train.epoch, train.elapsed_s
    )
    values = np.where(evals.step >= 150, after, evals.value)
    kept = evals.where(evals.step < 150) if after is None else complete_curve(evals.step, values, *evals.columns[2:])
    return RunCurves(run_id, {"train_loss": lost, "eval_loss": kept})


@pytest.mark.parametrize("after", [None, math.nan, math.inf, 10.37, 1e25])
def test_who_says_that_a_training_ended_does_not_say_that_it_ended_well(after):
    others = [run("b", 0.5), run("c", 0.6)]
    curves = {each.run_id: curves_of(each.run_id, each.best_eval_loss) for each in others}
    curves["a"] = dying("a", 0.3, after)
    unknown = run("a", 0.3, RunStatus.UNKNOWN)
    decision = decide([told_completed(unknown), *others], curves, DEFAULT_POLICY)
    assert decision.recommended == "b"
    assert [(each.run_id, each.code, each.detail) for each in decision.recommendation.unscorable] == [
        ("a", LeftOut.BROKE_DOWN, "150")
    ]
    # A log that says itself that the run was completed is believed; what came after its death is no noise of it.
    decision = decide([run("a", 0.3), *others], curves, DEFAULT_POLICY)
    assert (decision.recommended, decision.tied, decision.lead.outcome) == ("a", (), Outcome.WINNER)
    assert decision.contest.estimate("a").evaluations == 14
    # Nobody has to say of a run that is known to have failed why it is left out.
    decision = decide([told_completed(run("a", 0.3, RunStatus.FAILED)), *others], curves, DEFAULT_POLICY)
    assert [each.code for each in decision.recommendation.unscorable] == [LeftOut.FAILED]


def test_a_step_whose_loss_is_lost_is_no_end():
    curves = {each: curves_of(each, loss, train=loss) for each, loss in (("a", 0.3), ("b", 0.5))}
    train = curves["a"].get("train_loss")
    lost = np.append(train.value[:-1], np.nan)
    last = complete_curve(train.step, lost, train.epoch, train.elapsed_s)
    curves["a"] = RunCurves("a", {**curves["a"].curves, "train_loss": last})
    runs = [told_completed(run("a", 0.3, RunStatus.UNKNOWN)), run("b")]
    assert decide(runs, curves, DEFAULT_POLICY).recommended == "a"

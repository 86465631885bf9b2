"""The order of runs, and whom it recommends."""

from __future__ import annotations

import itertools
import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.core.facts.runs import RunStatus, RunSummary
from lib.core.ranking.policy import DEFAULT_POLICY, ScoringPolicy
from lib.core.ranking.scoring import Rule, RunScore, deciding_rule, lowest_loss
from tests.core.ranked_runs import GAP_ONLY, LOSS_ONLY, completed, recommend

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def order_of(runs, policy=DEFAULT_POLICY) -> list[str]:
    return [result.run_id for result in recommend(runs, policy).scores]


def won_by(runs, policy=DEFAULT_POLICY) -> Rule:
    return deciding_rule(*recommend(runs, policy).scores[:2])


def test_the_higher_composite_comes_first() -> None:
    assert order_of([completed("a", 0.9, 0.89), completed("b", 0.4, 0.39)]) == ["b", "a"]


def test_a_lower_eval_loss_can_lose_to_a_better_gap() -> None:
    assert order_of([completed("low", 0.50, 0.20), completed("tight", 0.51, 0.50)]) == ["tight", "low"]


def test_composites_that_differ_only_past_the_ninth_decimal_tie() -> None:
    """The better loss points differ by far less than 1e-9, so the lower eval loss must decide alone."""
    near = completed("a", 0.5 + 1e-13, 0.49)
    assert order_of([near, completed("b", 0.5, 0.49)]) == ["b", "a"]
    assert won_by([near, completed("b", 0.5, 0.49)]) is Rule.LOWER_EVAL_LOSS


def test_a_tied_composite_goes_to_the_lower_eval_loss() -> None:
    runs = [completed("a", 0.6, 0.59), completed("b", 0.5, 0.49)]
    assert order_of(runs, GAP_ONLY) == ["b", "a"]
    assert won_by(runs, GAP_ONLY) is Rule.LOWER_EVAL_LOSS


def test_negative_eval_losses_tie_in_points_and_the_lower_one_wins() -> None:
    assert order_of([completed("a", -0.1, None), completed("b", -0.2, None)]) == ["b", "a"]


def test_then_to_the_smaller_absolute_gap() -> None:
    runs = [completed("a", 0.5, 0.40), completed("b", 0.5, 0.53), completed("c", 0.5, 0.45)]
    assert order_of(runs, LOSS_ONLY) == ["b", "c", "a"]
    assert won_by(runs, LOSS_ONLY) is Rule.SMALLER_GAP


def test_an_unknown_gap_is_the_largest() -> None:
    runs = [completed("a", 0.5, None), completed("b", 0.5, -100.0)]
    assert order_of(runs, LOSS_ONLY) == ["b", "a"]
    assert won_by(runs, LOSS_ONLY) is Rule.KNOWN_GAP


def test_gaps_of_one_size_tie_whatever_their_sign_and_binary_rounding() -> None:
    """0.85 - 0.80 and 0.85 - 0.90 are 0.05 and -0.05, and not so in binary; completion must decide."""
    runs = [
        completed("a", 0.85, 0.80, completed_at=NOON + timedelta(hours=1)),
        completed("b", 0.85, 0.90, completed_at=NOON),
    ]
    assert order_of(runs, LOSS_ONLY) == ["b", "a"]
    assert won_by(runs, LOSS_ONLY) is Rule.EARLIER_COMPLETION


def test_then_to_the_one_completed_earlier_with_missing_last() -> None:
    runs = [
        completed("a"),
        completed("b", completed_at=NOON + timedelta(microseconds=1)),
        completed("c", completed_at=NOON),
    ]
    assert order_of(runs) == ["c", "b", "a"]
    assert won_by(runs) is Rule.EARLIER_COMPLETION
    assert won_by(runs[:2]) is Rule.KNOWN_COMPLETION


def test_then_to_the_lower_id_and_says_so() -> None:
    for runs in (
        [completed("b"), completed("a")],
        [completed("b", completed_at=NOON), completed("a", completed_at=NOON)],
    ):
        assert order_of(runs) == ["a", "b"]
        assert won_by(runs) is Rule.LOWER_ID


LOSSES = st.one_of(
    st.none(),
    st.sampled_from([0.0, 0.5, 0.55, 0.85, 0.8, math.nan, math.inf]),
    st.floats(-1, 5),
)


@st.composite
def some_runs(draw, minimum: int = 0):
    """Runs with distinct ids, coarse values so that ties at every level occur."""
    return [
        RunSummary(
            run_id=f"r{number}",
            name="run",
            status=draw(st.sampled_from([RunStatus.COMPLETED] * 4 + [RunStatus.FAILED])),
            best_eval_loss=draw(LOSSES),
            loss=draw(LOSSES),
            completed_at=draw(st.sampled_from([None, NOON, NOON + timedelta(days=1)])),
        )
        for number in range(draw(st.integers(minimum, 6)))
    ]


POLICIES = st.sampled_from([DEFAULT_POLICY, LOSS_ONLY, GAP_ONLY, ScoringPolicy(eval_weight=0.35)])


@given(some_runs(), POLICIES, st.randoms(use_true_random=False))
@settings(deadline=None)
def test_the_order_of_input_does_not_matter(runs, policy, random) -> None:
    shuffled = random.sample(runs, len(runs))
    assert recommend(shuffled, policy).scores == recommend(runs, policy).scores
    assert recommend(shuffled, policy).run_id == recommend(runs, policy).run_id


@given(some_runs(), POLICIES, st.data())
@settings(deadline=None)
def test_others_matter_through_the_lowest_loss_alone(runs, policy, data) -> None:
    kept = [run for run in runs if data.draw(st.booleans())]
    all_scores = {each.run_id: each for each in recommend(runs, policy).scores}
    some = recommend(kept, policy).scores
    assert all(each.values == all_scores[each.run_id].values for each in some)
    assert all(each.gap_points == all_scores[each.run_id].gap_points for each in some)
    lowest = [lowest_loss(each.values for each in scores) for scores in (some, all_scores.values())]
    known = [any(each.gap is not None for each in scores) for scores in (some, all_scores.values())]
    if lowest[0] == lowest[1] and known[0] == known[1]:
        assert all(each == all_scores[each.run_id] for each in some)


def by_the_rules(one: RunScore, other: RunScore) -> tuple[Rule, bool]:
    """The documented order, level by level: what decides between two scores, and whether for the first."""
    if round(one.total, 9) != round(other.total, 9):
        return Rule.BETTER, one.total > other.total
    if one.eval_loss != other.eval_loss:
        return Rule.LOWER_EVAL_LOSS, one.eval_loss < other.eval_loss
    if (one.gap is None) != (other.gap is None):
        return Rule.KNOWN_GAP, other.gap is None
    if one.gap is not None and round(abs(one.gap), 9) != round(abs(other.gap), 9):
        return Rule.SMALLER_GAP, abs(one.gap) < abs(other.gap)
    if (one.values.completed_at is None) != (other.values.completed_at is None):
        return Rule.KNOWN_COMPLETION, other.values.completed_at is None
    if one.values.completed_at != other.values.completed_at:
        return Rule.EARLIER_COMPLETION, one.values.completed_at < other.values.completed_at
    return Rule.LOWER_ID, one.run_id < other.run_id


@given(some_runs(minimum=2), POLICIES)
@settings(deadline=None)
def test_every_run_stands_before_all_that_the_rules_put_behind_it(runs, policy) -> None:
    for one, other in itertools.combinations(recommend(runs, policy).scores, 2):
        assert by_the_rules(one, other) == (deciding_rule(one, other), True)
        assert deciding_rule(other, one) is deciding_rule(one, other)


# --- the recommendation ------------------------------------------------------------------------------


def test_with_nothing_selected_it_recommends_nobody() -> None:
    recommendation = recommend([])
    assert (recommendation.run_id, recommendation.winner, recommendation.margin) == (None, None, None)


def test_with_nobody_eligible_it_recommends_nobody() -> None:
    runs = [RunSummary(run_id="a", name="a", status=RunStatus.RUNNING, eval_loss=0.1), completed("b", None)]
    recommendation = recommend(runs)
    assert (recommendation.run_id, recommendation.winner, recommendation.runner_up) == (None, None, None)


def test_a_lone_eligible_run_wins() -> None:
    runs = [completed("a"), RunSummary(run_id="b", name="b", status=RunStatus.RUNNING, eval_loss=0.1)]
    recommendation = recommend(runs)
    assert (recommendation.run_id, recommendation.margin, recommendation.runner_up) == ("a", None, None)


def test_two_runs_have_a_margin() -> None:
    recommendation = recommend([completed("a", 0.5, 0.48), completed("b", 0.6, 0.59), completed("c", 2.0, 1.0)])
    assert recommendation.run_id == recommendation.winner.run_id == "a"
    assert recommendation.runner_up.run_id == "b"
    assert recommendation.margin == pytest.approx(70 * (1 - (0.55 / 0.65) ** 10))


@given(some_runs(), POLICIES)
@settings(deadline=None)
def test_every_recommendation_agrees_with_its_ranking(runs, policy) -> None:
    recommendation = recommend(runs, policy)
    assert recommendation.policy is policy
    assert (recommendation.run_id is None) == (not recommendation.scores)
    if recommendation.margin is not None:
        assert round(recommendation.margin, 9) >= 0
        assert (won_by(runs, policy) is not Rule.BETTER) == (
            round(recommendation.winner.total, 9) == round(recommendation.runner_up.total, 9)
        )

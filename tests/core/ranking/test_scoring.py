"""The scoring rules, number by number and law by law."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.core.facts.runs import (
    STATUS_SYNONYMS,
    RunStatus,
    RunSummary,
    eval_loss_of,
    normalise_status,
    train_loss_of,
)
from lib.core.gap.negative_gap import Explanation
from lib.core.ranking.decision import decide
from lib.core.ranking.policy import DEFAULT_POLICY, GapBand, ScoringPolicy
from lib.core.ranking.scoring import (
    LeftOut,
    Unscorable,
    band_of,
    gap_label,
    gap_points,
    loss_points,
    ranked,
)
from lib.core.ranking.values import RunValues
from tests.core.ranked_runs import GAP_ONLY, LOSS_ONLY, completed, recommend, score

# --- the values that count ---------------------------------------------------------------------------

NOT_A_VALUE = [None, math.nan, math.inf, -math.inf, "n/a", "", "null", True]


@pytest.mark.parametrize("skipped", NOT_A_VALUE, ids=repr)
def test_what_is_not_a_finite_number_passes_its_turn_to_the_next_field(skipped) -> None:
    run = completed(eval_loss=skipped, loss=skipped)
    assert eval_loss_of(run) is None
    assert train_loss_of(run) is None
    later = completed(eval_loss=skipped, loss=skipped, final_eval_loss=0.7, final_loss=0.6)
    assert (eval_loss_of(later), train_loss_of(later)) == (0.7, 0.6)
    assert score(later).gap == pytest.approx(0.1)


def test_the_fields_are_asked_in_the_documented_order() -> None:
    fields = {"best_eval_loss": 0.1, "eval_loss": 0.2, "final_eval_loss": 0.3}
    run = RunSummary(run_id="a", name="a", loss=0.4, final_loss=0.5, **fields)
    assert (eval_loss_of(run), train_loss_of(run)) == (0.1, 0.4)
    run = RunSummary(run_id="a", name="a", loss=None, final_loss=0.5, eval_loss=0.2, final_eval_loss=0.3)
    assert (eval_loss_of(run), train_loss_of(run)) == (0.2, 0.5)


def test_zero_is_a_value_and_the_best_eval_loss_there_can_be() -> None:
    run = completed(eval_loss=0.0, loss=0.0, final_loss=9.0)
    result = score(run)
    assert (result.eval_loss, result.loss_points) == (0.0, 100.0)
    # A train loss of exactly 0 is no loss of a training that goes on.
    assert (result.train_loss, result.gap, result.total) == (0.0, None, 100.0)


def test_text_that_is_a_number_counts_as_that_number() -> None:
    assert eval_loss_of(completed(eval_loss="0.25")) == 0.25


@pytest.mark.parametrize(("eval_loss", "loss"), [(0.5, None), (None, 0.5), (None, None), (math.nan, 0.5)])
def test_the_gap_is_unknown_when_either_loss_is(eval_loss, loss) -> None:
    assert all(each.gap is None for each in recommend([completed(eval_loss=eval_loss, loss=loss)]).scores)


# --- points ------------------------------------------------------------------------------------------


def test_a_tiny_loss_is_not_torn_apart_from_none_by_its_digits() -> None:
    first, second = recommend([completed("a", 0.0, None), completed("b", 0.001, None)]).scores
    assert (first.loss_points, round(second.loss_points)) == (100.0, 82)


@pytest.mark.parametrize("lowest", [0.3, 1.0, 2.5, 8.0])
def test_each_percent_above_the_lowest_costs_nine_to_ten_points(lowest) -> None:
    cost = 100.0 - loss_points(1.01 * lowest, lowest)
    assert 8.0 < cost < 9.6
    assert lowest < 2.0 or cost > 9.0


def test_the_lowest_band_makes_up_for_at_most_three_and_a_half_percent() -> None:
    for lowest in (1.0, 3.0, 10.0):
        best, worst = RunValues("a", lowest, 1, lowest, lowest - 0.3, True, 0.3), None
        for percent, wins in ((3.3, "b"), (3.9, "a")):
            loss = lowest * (1.0 + percent / 100.0)
            worst = RunValues("b", loss, 1, loss, loss - 0.01, True, 0.01)
            assert ranked([best, worst])[0].run_id == wins


@given(st.floats(0, 30), st.floats(0, 30), st.floats(1e-6, 5))
@settings(deadline=None)
def test_eval_loss_points_fall_strictly_and_never_leave_0_to_100(lowest, above, more) -> None:
    better, worse = (loss_points(lowest + above + each, lowest) for each in (0.0, more))
    assert 100 >= better > worse >= 0


@given(st.floats(0.01, 30), st.floats(1.0, 2.0), st.floats(0.1, 10))
@settings(deadline=None)
def test_without_the_offset_only_the_ratio_of_losses_counts(lowest, ratio, scale) -> None:
    bare = ScoringPolicy(loss_offset=0.0)
    one, other = (loss_points(ratio * lowest * by, lowest * by, bare) for by in (1.0, scale))
    assert one == pytest.approx(other, rel=1e-9)


def test_a_negative_eval_loss_earns_no_more_than_zero_does() -> None:
    scores = recommend([completed("a", -3.0, None), completed("b", 0.0, None)]).scores
    assert [(each.loss_points, each.eval_loss) for each in scores] == [(100.0, -3.0), (100.0, 0.0)]


BANDS = [
    (-1e9, 40, "potential data leakage"),
    (-0.01, 40, "potential data leakage"),
    (-1e-9, 40, "potential data leakage"),
    (-4e-10, 100, "excellent"),
    (-0.0, 100, "excellent"),
    (0.0, 100, "excellent"),
    (0.049999999, 100, "excellent"),
    (0.0499999996, 80, "good"),
    (0.05, 80, "good"),
    (0.0500000004, 80, "good"),
    (0.099999999, 80, "good"),
    (0.0999999996, 60, "moderate overfitting"),
    (0.1, 60, "moderate overfitting"),
    (0.199999999, 60, "moderate overfitting"),
    (0.1999999996, 30, "high overfitting"),
    (0.2, 30, "high overfitting"),
    (7.0, 30, "high overfitting"),
    (math.inf, 30, "high overfitting"),
    (None, 50, "unknown"),
]


@pytest.mark.parametrize(("gap", "points", "label"), BANDS)
def test_every_edge_belongs_to_the_band_above_it(gap, points, label) -> None:
    band = band_of(gap)
    assert (band.points, band.label) == (points, label)


@pytest.mark.parametrize("edge", [0.0, 0.05, 0.1, 0.2])
def test_one_ulp_around_an_edge_changes_no_band(edge) -> None:
    assert band_of(math.nextafter(edge, -math.inf)) == band_of(edge) == band_of(math.nextafter(edge, math.inf))


@pytest.mark.parametrize(
    ("eval_loss", "loss", "label"),
    [
        (0.85, 0.80, "good"),
        (1.15, 1.05, "moderate overfitting"),
        (0.3, 0.1, "high overfitting"),
        (0.3, 0.1 + 0.2, "excellent"),
        (0.9, 0.8, "moderate overfitting"),
    ],
)
def test_binary_floating_point_decides_no_band(eval_loss, loss, label) -> None:
    assert score(completed(eval_loss=eval_loss, loss=loss)).gap_label == label


@given(st.integers(0, 3000), st.integers(-300, 3000))
@settings(deadline=None)
def test_the_band_of_losses_with_three_decimals_is_that_of_the_exact_difference(loss, difference) -> None:
    """Thousandths are exact as integers, so this is the rule without any floating point."""
    eval_loss, train_loss = (loss + difference) / 1000, loss / 1000
    values = RunValues("a", eval_loss, eval_loss=eval_loss, train_loss=train_loss, gap=eval_loss - train_loss)
    expected = next(
        points for below, points in ((0, 40), (50, 100), (100, 80), (200, 60), (math.inf, 30)) if difference < below
    )
    assert gap_points(values) == expected


def test_the_composite_is_seven_tenths_loss_and_three_tenths_gap() -> None:
    assert (DEFAULT_POLICY.eval_weight, DEFAULT_POLICY.gap_weight) == (0.7, 0.3)
    best, result, unknown = recommend(
        [completed("a", 1.0, 0.99), completed("b", 1.05, 1.0), completed("c", 1.05, None)]
    ).scores
    points = 100 * (1.05 / 1.10) ** 10
    assert best.total == 100.0
    assert result.total == pytest.approx(0.7 * points + 0.3 * 80, abs=1e-12)
    assert unknown.total == pytest.approx(0.7 * points + 15)


def test_where_no_gap_is_known_the_eval_loss_alone_ranks() -> None:
    found = recommend([completed("a", 1.0, None), completed("b", 1.05, None)])
    assert [each.total for each in found.scores] == [each.loss_points for each in found.scores]
    assert not found.gaps_count


@given(st.floats(0, 1), st.floats(-1, 10), st.one_of(st.none(), st.floats(-1, 10)))
@settings(deadline=None)
def test_the_composite_lies_between_its_two_parts(weight, eval_loss, loss) -> None:
    result = score(completed(eval_loss=eval_loss, loss=loss), ScoringPolicy(eval_weight=weight))
    low, high = sorted((result.loss_points, result.gap_points if result.gap is not None else result.loss_points))
    assert low - 1e-9 <= result.total <= high + 1e-9


@pytest.mark.parametrize("weight", [-0.01, 1.01, math.nan, math.inf])
def test_a_weight_outside_0_to_1_is_refused(weight) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        ScoringPolicy(eval_weight=weight)


def test_weights_and_bands_come_from_the_policy_that_is_given() -> None:
    strict = ScoringPolicy(
        eval_weight=0.25,
        bands=(GapBand(0.0, 10.0, "leak"), GapBand(0.01, 90.0, "tight"), GapBand(math.inf, 0.0, "loose")),
        unknown_band=GapBand(math.inf, 5.0, "who knows"),
    )
    result = score(completed(eval_loss=1.0, loss=0.98), strict)
    assert (result.gap_points, result.gap_label) == (0.0, "loose")
    assert result.total == pytest.approx(0.25 * 100)
    assert score(completed(eval_loss=1.0, loss=None), strict).gap_label == "who knows"
    assert strict.eval_weight + strict.gap_weight == 1.0


def test_the_weights_can_turn_the_verdict() -> None:
    lower_loss, smaller_gap = completed("low", 0.40, 0.15), completed("tight", 0.41, 0.40)
    assert recommend([lower_loss, smaller_gap], LOSS_ONLY).run_id == "low"
    assert recommend([lower_loss, smaller_gap], GAP_ONLY).run_id == "tight"


# --- who may be recommended --------------------------------------------------------------------------

ALL_SYNONYMS = [(raw, status) for status, raws in STATUS_SYNONYMS.items() for raw in raws]


@pytest.mark.parametrize("change", [str.lower, str.upper, str.title, lambda raw: f"  {raw}\n"])
@pytest.mark.parametrize(("raw", "status"), ALL_SYNONYMS)
def test_only_synonyms_of_completed_can_be_recommended_in_any_case(raw, status, change) -> None:
    assert normalise_status(change(raw)) is status
    run = RunSummary(run_id="a", name="a", status=normalise_status(change(raw)), raw_status=raw, eval_loss=0.5)
    assert (decide([run], {}, DEFAULT_POLICY).recommendation.run_id == "a") == (status is RunStatus.COMPLETED)


@pytest.mark.parametrize(
    ("status", "raw", "text"),
    [
        (RunStatus.RUNNING, "training", "running"),
        (RunStatus.QUEUED, "pending", "queued"),
        (RunStatus.PAUSED, "paused", "paused"),
        (RunStatus.FAILED, "error", "failed"),
        (RunStatus.CANCELLED, "killed", "cancelled"),
        (RunStatus.UNKNOWN, "zombie {0}", "zombie {0}"),
        (RunStatus.UNKNOWN, None, "unknown"),
    ],
)
def test_a_run_left_out_says_why(status, raw, text) -> None:
    run = RunSummary(run_id="a", name="a", status=status, raw_status=raw, best_eval_loss=0.0, loss=0.0)
    found = decide([run], {}, DEFAULT_POLICY).recommendation
    assert found.unscorable == (Unscorable("a", LeftOut(status.value), text),)
    assert found.run_id is None


@pytest.mark.parametrize(
    ("eval_loss", "code"),
    [
        (None, LeftOut.NO_EVAL_LOSS),
        (math.nan, LeftOut.NO_FINITE_EVAL_LOSS),
        (math.inf, LeftOut.NO_FINITE_EVAL_LOSS),
    ],
)
def test_a_completed_run_without_a_finite_eval_loss_says_which_it_lacks(eval_loss, code) -> None:
    found = decide([completed(eval_loss=eval_loss)], {}, DEFAULT_POLICY).recommendation
    assert found.unscorable == (Unscorable("a", code, "completed"),)


def test_those_left_out_are_listed_by_id_and_every_run_is_in_one_list() -> None:
    runs = [
        RunSummary(run_id="z", name="z", status=RunStatus.FAILED),
        completed("b"),
        RunSummary(run_id="y", name="y", status=RunStatus.RUNNING, eval_loss=0.1),
        completed("a", eval_loss=None),
    ]
    found = decide(runs, {}, DEFAULT_POLICY).recommendation
    assert [left_out.run_id for left_out in found.unscorable] == ["a", "y", "z"]
    assert [each.run_id for each in found.scores] == ["b"]


# --- the error of the gap ----------------------------------------------------------------------------


def with_gap(gap, error=0.0, explanation=None):
    return RunValues("a", 1.0, 1, 1.0, 1.0 - gap, True, gap, explanation=explanation, train_error=error)


def test_gaps_that_nobody_can_tell_apart_have_nearly_the_same_points() -> None:
    low, high = with_gap(0.0499, 0.02), with_gap(0.0501, 0.02)
    assert 0.0 < gap_points(low) - gap_points(high) < 0.3
    assert (gap_label(low), gap_label(high)) == ("excellent", "good")


def test_what_may_lie_below_0_counts_in_full_unless_the_measured_gap_does() -> None:
    assert gap_points(with_gap(0.001, 0.01)) > 99.9
    below = with_gap(-0.001, 0.01)
    assert 60.0 < gap_points(below) < 80.0
    explained = with_gap(-0.3, 0.0, Explanation.EXPLAINED)
    assert (gap_points(explained), gap_label(explained)) == (100.0, "none")
    assert (gap_points(with_gap(-0.3)), gap_label(with_gap(-0.3))) == (40.0, "potential data leakage")

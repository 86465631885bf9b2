"""The set of those that may be the best: laws, borders, and simulated runs with known truth."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.noise import AHEAD, EQUAL, exponential, plateau, power, rate_of, u_shaped
from lib.core.noise.best_set import LEVEL, Outcome, best_set, comparison_quantile
from lib.core.noise.pairs import Basis

STEPS = np.arange(1.0, 31.0) * 50.0


def flat(*levels, count=30, noise=0.01, seed=0):
    rng = np.random.default_rng(seed)
    return [(STEPS[:count], level + noise * rng.standard_normal(count)) for level in levels]


def test_a_clear_lead_is_a_winner_and_the_others_say_why_they_are_out():
    found = best_set(flat(1.0, 1.1, 1.2))
    assert (found.outcome, found.members, found.undecided) == (Outcome.WINNER, (0,), ())
    assert set(found.beaten) == {1, 2}
    assert found.beaten[1].by == 0
    assert found.beaten[1].difference.value == pytest.approx(0.1, abs=0.02)
    assert found.beaten[1].excess > 0.0
    assert (found.seed_freedom, found.few, found.level) == (0, False, LEVEL)
    assert found.bases <= {Basis.PAIRED, Basis.COVARIANCE, Basis.SEPARATE}


def test_runs_that_are_equally_good_tie_and_one_far_behind_is_out():
    found = best_set(flat(1.2, 1.0, 1.0))
    assert (found.outcome, set(found.members)) == (Outcome.TIE, {1, 2})


@pytest.mark.parametrize("count", [3, 4, 6, 8, 30])
def test_the_same_curve_twice_is_a_tie(count):
    (one,) = flat(1.0, count=count)
    assert best_set([one, one]).members == (0, 1)
    assert best_set([one, one]).outcome is Outcome.TIE


@pytest.mark.parametrize("value", [0.0, 0.1, 1e-12, 1e25])
def test_constants_tie_where_they_are_equal_and_do_not_where_they_differ(value):
    same, other = np.full(30, value), np.full(30, value * 1.001 + (value == 0.0))
    assert best_set([(STEPS, same), (STEPS, same)]).outcome is Outcome.TIE
    assert best_set([(STEPS, other), (STEPS, same)]).members == (1,)
    digits = same * (1.0 + np.finfo(float).eps)
    assert best_set([(STEPS, digits), (STEPS, same)]).outcome is Outcome.TIE


def test_a_run_with_too_few_values_may_be_the_best():
    (one, far), short = flat(1.0, 1.5), (STEPS, np.r_[0.9, 0.9, np.full(28, np.nan)])
    found = best_set([one, far, short])
    assert (found.outcome, found.members, found.undecided) == (Outcome.CANNOT_TELL, (0, 2), (2,))
    assert found.estimates[2] is None
    assert best_set([one, one, short]).outcome is Outcome.TIE
    assert best_set([short, short]).outcome is Outcome.CANNOT_TELL
    assert best_set([one]).outcome is Outcome.CANNOT_TELL
    assert best_set([]).members == ()


def test_three_to_five_values_are_marked():
    found = best_set(flat(1.0, 2.0, count=4))
    assert (found.outcome, found.few) == (Outcome.WINNER, True)


@settings(max_examples=20, deadline=None)
@given(
    order=st.permutations(range(4)),
    scale=st.sampled_from([1e-12, 3.0, 1e25]),
    seed=st.integers(0, 50),
    count=st.sampled_from([3, 6, 20, 30]),
)
def test_neither_the_order_of_the_runs_nor_the_unit_matters(order, scale, seed, count):
    curves = flat(1.0, 1.01, 1.02, 1.05, count=count, seed=seed)
    before = best_set(curves)
    after = best_set([(curves[place][0] * 3.0, scale * curves[place][1]) for place in order])
    assert before.outcome is after.outcome
    assert before.members == tuple(order[place] for place in after.members)


def test_configurations_are_compared_where_runs_differ_only_in_their_seed():
    curves = flat(1.0, 1.02, 1.10, 1.12, noise=0.002)
    assert best_set(curves).members == (0,)
    found = best_set(curves, ["a", "a", "b", "b"])
    assert (found.outcome, found.members, found.seed_freedom) == (Outcome.WINNER, (0, 1), 2)
    assert found.bases == {Basis.SEEDS}
    assert found.beaten[3].difference.value == pytest.approx(0.10, abs=0.01)
    near = best_set(flat(1.0, 1.02, 1.03, 1.05, noise=0.002), ["a", "a", "b", "b"])
    assert (near.outcome, near.members) == (Outcome.TIE, (0, 1, 2, 3))


def test_a_difference_of_configurations_has_to_exceed_what_seeds_and_what_evaluations_leave_open():
    close = flat(1.0, 1.0, 1.04, 1.04, noise=0.02)
    found = best_set(close, ["a", "a", "b", "b"])
    errors = [one.error for one in found.estimates]
    means = [(found.estimates[at].value + found.estimates[at + 1].value) / 2.0 for at in (0, 2)]
    spread = sum((one.value - means[run // 2]) ** 2 for run, one in enumerate(found.estimates)) / 2.0
    # Student's t for 2.5 % above: 4.303 with the 2 degrees of the seeds, about 2.07 with the 23 or so of evaluations.
    assert spread < np.mean(np.square(errors)) / 4.0
    assert found.compared[2, 0].within == pytest.approx(2.07 * np.sqrt(np.sum(np.square(errors))) / 2.0, rel=0.02)
    assert found.outcome is Outcome.WINNER
    wide = best_set(flat(1.0, 1.04, 1.04, 1.08, noise=0.002), ["a", "a", "b", "b"])
    assert wide.compared[2, 0].within == pytest.approx(4.303 * np.sqrt(0.0008), rel=0.05)


def test_seeds_without_a_second_configuration_or_a_second_run_leave_runs_to_be_compared():
    curves = flat(1.0, 1.1)
    for repeats in (None, ["a", "b"], ["a", "a"]):
        found = best_set(curves, repeats)
        assert (found.members, found.seed_freedom) == ((0,), 0)


def test_a_configuration_without_values_may_be_the_best_and_a_run_without_them_counts_by_its_sisters():
    short = (STEPS[:2], np.ones(2))
    curves = flat(1.0, 1.002, 1.2, noise=0.002)
    found = best_set([*curves, short], ["a", "a", "b", "c"])
    assert (found.outcome, found.members, found.undecided) == (Outcome.CANNOT_TELL, (0, 1, 3), (3,))
    assert best_set([*curves, short], ["a", "a", "b", "b"]).members == (0, 1)


def test_what_cannot_be_meant_is_refused():
    with pytest.raises(ValueError, match="level"):
        best_set([], level=1.0)
    with pytest.raises(ValueError, match="configurations"):
        best_set(flat(1.0, 1.0), ["a"])


def test_the_quantile_grows_with_the_runs_and_falls_with_the_freedom():
    assert comparison_quantile(5.0, 2) > comparison_quantile(50.0, 2)
    assert comparison_quantile(5.0, 5) > comparison_quantile(5.0, 2)
    assert comparison_quantile(5.0, 2, few=True) > comparison_quantile(5.0, 2)
    assert comparison_quantile(1e6, 2, 0.9) == pytest.approx(1.96, abs=0.001)


@pytest.mark.parametrize("shape", [power, u_shaped], ids=lambda shape: shape.__name__)
@pytest.mark.parametrize(("noise", "most"), [("t3", 0.06), ("AR 0.6", 0.12)])
def test_equal_runs_hardly_ever_have_a_winner(shape, noise, most):
    assert rate_of(replace(EQUAL, shape=shape, noise=noise), 50, seed=7) <= most


@pytest.mark.parametrize(("shape", "count", "least"), [(exponential, 30, 0.5), (plateau, 20, 0.6), (power, 50, 0.75)])
def test_a_lead_of_two_deviations_is_called(shape, count, least):
    assert rate_of(replace(AHEAD, shape=shape, count=count), 50, seed=8) >= least


def test_of_three_to_five_values_a_large_lead_is_called_and_equal_runs_have_no_winner():
    assert rate_of(replace(AHEAD, shape=plateau, count=4, lead=8.0), 60, seed=11) >= 0.4
    assert rate_of(replace(EQUAL, shape=power, noise="AR 0.6", count=4), 60, seed=11) <= 0.04


def test_a_paired_lead_is_called_more_often_and_the_set_holds_the_best():
    assert rate_of(replace(AHEAD, shape=power, shared=0.9), 50, seed=9) >= 0.9
    assert rate_of(replace(EQUAL, shape=power, counted="held", lead=None), 50, seed=9) >= 0.9


@pytest.mark.parametrize(("repeats", "seeds", "least"), [((3, 2), 3.0, 0.65), ((2, 2), 3.0, 0.4), ((2, 2), 1.0, 0.4)])
def test_repeats_with_other_seeds_are_called(repeats, seeds, least):
    cell = replace(EQUAL, counted="first", lead=4.0, repeats=repeats, seed_deviation=seeds)
    assert rate_of(cell, 100, seed=10) >= least
    assert rate_of(replace(cell, counted="winner", lead=0.0), 100, seed=10) <= 0.07


def test_a_long_gap_in_the_steps_makes_no_winner_of_equal_runs():
    rng, called = np.random.default_rng(12), 0
    steps = np.concatenate((np.arange(1.0, 15.0) * 50.0, 50_000.0 + np.arange(6.0) * 50.0))
    trend = (1.0 + 40.0 * np.arange(1.0, 21.0) / 20.0) ** -0.6
    for number in range(60):
        noise = (0.002, 0.01, 0.05)[number % 3]
        found = best_set([(steps, 1.0 + trend + noise * rng.standard_normal(20)) for _ in range(2)])
        called += found.outcome is Outcome.WINNER
    assert called <= 4


def test_a_wild_run_does_not_hide_a_lead_among_calm_ones():
    rng, called = np.random.default_rng(13), 0
    for _ in range(30):
        curves = [(STEPS, level + noise * rng.standard_normal(30)) for level, noise in ((1.0, 0.01), (1.5, 0.1))]
        # Evaluated at other steps, so that nothing can be paired.
        curves.append((STEPS + 17.0, 1.03 + 0.01 * rng.standard_normal(30)))
        called += best_set(curves).members == (0,)
    assert called >= 20

"""The estimate of a lowest value: held to an independent program, to laws, and to borders."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.core.noise import smoothing
from lib.core.noise.estimate import estimates_of, moderated
from lib.core.noise.pairs import Basis, common_places, difference, unpaired
from lib.core.noise.settled import before_apart, least_difference, settled, spikes


def curve(count, base, fall, rise=0.0, wiggle=0.01, start=0.0):
    """Without any random number, so that every program can make it."""
    i = np.arange(1.0, count + 1.0)
    values = base + fall * np.exp(-i / 4.0) + rise * (i / count) ** 2 + wiggle * np.sin(12.9898 * i**1.5)
    values[0] += start
    return i * 50.0, values


SELECTIONS = {
    "five": [curve(5, 1.0, 0.5), curve(5, 1.1, 0.4)],
    "seven": [curve(7, 1.0, 0.5), curve(7, 1.02, 0.4)],
    "twenty": [curve(20, 1.0, 0.5), curve(20, 1.03, 0.3, 0.1), curve(20, 1.0, 0.4, 0.0, 0.02)],
    "hundred": [curve(100, 1.0, 0.5, 0.05), curve(60, 1.01, 0.5, 0.2, 0.01, 6.0)],
}
EXPECTED = {
    "five": [
        (1.147710252, 0.008819858403, 6.0, 0.008618609019),
        (1.219214618, 0.00772843732, 6.0, 0.007453565208),
    ],
    "seven": [
        (1.096501758, 0.005714705192, 8.0, 0.005916138975),
        (1.099565299, 0.005021614816, 8.0, 0.00520815745),
    ],
    "twenty": [
        (1.001532024, 0.008228697155, 20.0, 0.01023246238),
        (1.082732914, 0.006893149559, 20.0, 0.0102888506),
        (0.9999126332, 0.01289825103, 21.0, 0.01705070634),
    ],
    "hundred": [
        (1.004871455, 0.002604503951, 49.0, 0.007134116663),
        (1.035946942, 0.00294616725, 49.0, 0.007011310821),
    ],
}
"""Value, error, freedom and noise by a program that inverts the covariance of every point of the grid."""

SEPARATE = {
    "five": (-0.07150436551, 0.01172683443, 11.79651989),
    "seven": (-0.003063541209, 0.00376965701, 9.991318989),
    "twenty": (-0.08120089027, 0.0107343825, 20.40107099),
    "hundred": (-0.03107548748, 0.003701543395, 50.69868622),
}
OTHER_PRIOR = np.array((0.5, 0.2, 0.15, 0.15))
"""Of the autocorrelations, in that program."""


@pytest.mark.parametrize("name", SELECTIONS)
def test_it_is_what_inverting_the_covariances_gives(name, monkeypatch):
    monkeypatch.setattr(smoothing, "AUTOCORRELATION_PRIOR", OTHER_PRIOR)
    found = estimates_of(SELECTIONS[name])
    numbers = [(one.value, one.error, one.freedom, one.noise) for one in found]
    assert numbers == [pytest.approx(each, rel=1e-8) for each in EXPECTED[name]]
    first, second = found[:2]
    _, ours, theirs = np.intersect1d(first.steps, second.steps, return_indices=True)
    apart = unpaired(first, second, ours, theirs)
    assert (apart.value, apart.error, apart.freedom) == pytest.approx(SEPARATE[name], rel=1e-7)


def noisy(count, level=1.0, seed=0, noise=0.01):
    rng = np.random.default_rng(seed)
    i = np.arange(1.0, count + 1.0)
    return i * 10.0, level + 0.5 * np.exp(-i / 5.0) + noise * rng.standard_normal(count)


@settings(max_examples=15, deadline=None)
@given(
    scale=st.sampled_from([1e-12, 1e-3, 7.0, 1e6, 1e25]),
    shift=st.floats(-3.0, 3.0),
    stretch=st.sampled_from([1.0, 3.0, 1000.0]),
    count=st.integers(3, 60),
)
def test_units_of_values_and_steps_do_not_matter_and_a_shift_only_shifts(scale, shift, stretch, count):
    curves = [noisy(count, seed=1), noisy(count, 1.02, seed=2)]
    before = estimates_of(curves)
    after = estimates_of([(stretch * steps, scale * (values + shift)) for steps, values in curves])
    for one, other in zip(before, after, strict=True):
        assert other.value == pytest.approx(scale * (one.value + shift), rel=1e-6, abs=1e-7 * scale)
        assert (other.error, other.noise) == pytest.approx((scale * one.error, scale * one.noise), rel=1e-4)
        assert (other.step, other.freedom) == (stretch * one.step, one.freedom)
    apart, scaled = difference(*before), difference(*after)
    assert (scaled.error, scaled.freedom) == pytest.approx((scale * apart.error, apart.freedom), rel=1e-4)


def test_a_difference_turned_around_is_the_same_with_the_other_sign():
    first, second = estimates_of([noisy(30, seed=3), noisy(30, 1.01, seed=4)])
    there, back = difference(first, second), difference(second, first)
    assert there.value == pytest.approx(-back.value, rel=1e-9)
    assert (there.error, there.freedom, there.basis) == (pytest.approx(back.error), back.freedom, back.basis)


@pytest.mark.parametrize("count", [3, 5, 6, 30])
def test_what_is_not_finite_or_beyond_all_bounds_is_left_out(count):
    steps, values = noisy(count)
    more = np.concatenate((steps, steps[-1] + np.arange(1.0, 5.0)))
    broken = np.concatenate((values, [np.nan, np.inf, -np.inf, 1e200]))
    (alone,), (among,) = estimates_of([(steps, values)]), estimates_of([(more, broken)])
    assert (alone.value, alone.error, alone.evaluations) == (among.value, among.error, among.evaluations)


def test_fewer_than_three_values_have_no_estimate():
    steps, values = noisy(20)
    values[2:] = np.nan
    assert estimates_of([(steps, values), (steps[:0], values[:0])]) == [None, None]
    assert estimates_of([]) == []


@pytest.mark.parametrize("steps", [[1.0, 2.0, 2.0, 3.0], [1.0, 3.0, 2.0, 4.0], [-1.0, 0.0, 1.0], [0.0, 1.0, np.nan]])
def test_steps_that_are_repeated_unsorted_negative_or_not_finite_are_refused(steps):
    with pytest.raises(ValueError, match="strictly increasing"):
        estimates_of([(np.array(steps), np.ones(len(steps)))])


def test_steps_and_values_of_different_length_are_refused():
    with pytest.raises(ValueError, match="one length"):
        estimates_of([(np.arange(4.0), np.ones(3))])


def test_values_that_are_all_the_same_have_an_error_of_rounding_only():
    steps = np.arange(1.0, 31.0)
    (one,) = estimates_of([(steps, np.full(30, 0.7))])
    assert one.value == 0.7
    assert 0.0 < one.error < 1e-14


def test_the_noise_is_at_least_the_rounding_of_the_values():
    steps = np.arange(1.0, 31.0)
    (one,) = estimates_of([(steps, np.where(steps == 4.0, 0.72, 0.71))])
    assert one.noise >= 0.01 / np.sqrt(12.0) * 0.999


def test_a_training_that_comes_apart_after_its_best_makes_no_noise_before_it():
    steps, values = noisy(40)
    after = np.concatenate((values[:30], 3.0 + np.random.default_rng(8).standard_normal(10)))
    (until,), (whole,) = estimates_of([(steps[:30], values[:30])]), estimates_of([(steps, after)])
    assert (whole.value, whole.noise, whole.steps[-1]) == (until.value, until.noise, until.steps[-1])


def test_a_second_fall_does_not_hide_the_lowest_values_before_it():
    steps, values = noisy(60)
    hill = values + 0.8 * ((steps > 200.0) & (steps < 280.0)) + 0.1 * (steps >= 280.0)
    (one,) = estimates_of([(steps, hill)])
    assert one.step <= 200.0
    assert one.value == pytest.approx(hill[:20].min(), abs=0.03)


@pytest.mark.parametrize("unlearned", [1, 3])
def test_evaluations_before_the_model_learned_change_neither_value_nor_noise(unlearned):
    steps, values = noisy(24)
    first = np.arange(unlearned) * 1.0
    (alone,) = estimates_of([(steps, values)])
    (among,) = estimates_of([(np.concatenate((first, steps)), np.concatenate((7.0 + 0.1 * first, values)))])
    assert among.steps.tolist() == alone.steps.tolist()
    assert among.noise == pytest.approx(alone.noise, rel=0.1)
    assert among.value == pytest.approx(alone.value, abs=0.3 * alone.error)


def test_one_wild_value_is_no_lowest_value_and_makes_little_noise():
    steps, values = noisy(30)
    wild = values.copy()
    wild[15] -= 0.4
    (clean,), (among,) = estimates_of([(steps, values)]), estimates_of([(steps, wild)])
    assert among.value == pytest.approx(clean.value, abs=3.0 * clean.error)
    assert among.noise < 0.03


ODD_STEPS = {
    "log spaced": np.unique(np.round(np.geomspace(1.0, 1e5, 40))),
    "one cluster": np.concatenate((np.arange(1.0, 20.0) * 1000.0, 5000.0 + np.arange(1.0, 9.0) * 1e-3)),
    "a long gap": np.concatenate((np.arange(1.0, 20.0), 1e6 + np.arange(10.0))),
    "late": 1e9 + np.arange(30.0),
    "from 0": np.arange(30.0),
    "three far apart": np.array((1.0, 2.0, 1e8)),
    "next to each other": np.array((1.0, 1.0 + 1e-9, 2.0, 3.0, 4.0, 5.0, 6.0)),
}


@pytest.mark.parametrize("name", ODD_STEPS)
@pytest.mark.parametrize("scale", [1e-12, 1.0, 1e25])
def test_odd_steps_give_finite_numbers(name, scale):
    steps = np.sort(ODD_STEPS[name])
    rng = np.random.default_rng(5)
    curves = [(steps, scale * (1.0 + 0.01 * rng.standard_normal(len(steps)))) for _ in range(3)]
    found = estimates_of(curves)
    apart = difference(found[0], found[1])
    for one in found:
        assert np.isfinite([one.value, one.error]).all()
        assert 0.2 * 0.01 < one.noise / scale < 5.0 * 0.01
        assert abs(one.value / scale - 1.0) < 0.1
    assert 0.0 < apart.error < 0.1 * scale


def test_a_long_curve_is_judged_by_what_lies_around_its_lowest_stretch():
    i = np.arange(1.0, 5001.0)
    rng = np.random.default_rng(6)
    (one,) = estimates_of([(i, 1.0 + (i / 5000.0 - 0.5) ** 2 + 0.01 * rng.standard_normal(5000))])
    assert len(one.steps) == 48
    assert one.evaluations == 5000
    assert 1500.0 < one.step < 3500.0
    assert one.noise == pytest.approx(0.01, rel=0.35)


@pytest.mark.parametrize("count", [20, 40])
@pytest.mark.parametrize("size", [3.0, 1e3, 1e25])
@pytest.mark.parametrize("places", [[0], [3], [15], [-2], [-1], [9, 10], slice(15, None)])
def test_losses_that_came_apart_do_not_make_the_noise_of_the_others(places, size, count):
    steps, values = noisy(count, seed=8)
    (calm,) = estimates_of([(steps, values)])
    wild = values.copy()
    wild[places] = size
    (one,) = estimates_of([(steps, wild)])
    assert one.noise < 4.0 * calm.noise
    assert one.value == pytest.approx(calm.value, abs=0.03)


@pytest.mark.parametrize("count", [12, 20, 30, 60, 120])
@pytest.mark.parametrize("size", [5.0, 1e4, 1e25, -1e4])
@pytest.mark.parametrize("many", [1, 2, 3, 4])
def test_a_few_spikes_in_a_row_change_little_wherever_they_are(many, size, count):
    rng = np.random.default_rng([count, many])
    steps = np.arange(1.0, count + 1.0) * 50.0
    values = 1.0 + np.exp(-6.0 * steps / steps[-1]) + 0.01 * rng.standard_normal(count)
    (calm,) = estimates_of([(steps, values)])
    for place in range(1, count - many):
        wild = values.copy()
        wild[place : place + many] += size
        (one,) = estimates_of([(steps, wild)])
        assert one.noise < 6.0 * calm.noise
        assert one.value == pytest.approx(calm.value, abs=0.1)


def test_what_leaps_away_is_a_spike_where_it_comes_back():
    values = np.concatenate((np.linspace(1.1, 1.0, 10), [3.0, 9.0, 1.2], np.linspace(1.0, 0.9, 10), [7.0, 8.0]))
    assert np.flatnonzero(spikes(values, least_difference(values))).tolist() == [10, 11]


def test_values_that_jump_as_a_matter_of_course_are_no_spikes():
    steps = np.arange(1.0, 41.0)
    rng = np.random.default_rng(9)
    for values in (
        np.resize([0.5, 0.9], 40) + 0.01 * rng.standard_normal(40),
        rng.choice([0.5, 0.75, 1.0], 40),
        1.0 + 0.1 * rng.standard_t(3.0, 40),
        np.concatenate((np.full(20, 2.0), np.full(20, 1.0))) + 0.01 * rng.standard_normal(40),
        4.0 / steps,
        (steps / 20.0 - 1.0) ** 2,
    ):
        assert not spikes(values, least_difference(values)).any()


def test_variances_are_drawn_to_their_mean_but_not_to_what_is_of_another_kind():
    assert moderated([2.0], [5]) == [(2.0, 5)]
    assert moderated([], []) == []
    (low, freedom), (high, _) = moderated([1.0, 2.0], [6, 6])
    assert 1.0 < low < high < 2.0
    assert freedom == 10.0
    (calm, _), (wild, _) = moderated([1.0, 1e6], [40, 40])
    assert calm < 1.2
    assert wild > 0.9e6


def test_noise_that_two_runs_share_is_taken_off_their_difference():
    rng = np.random.default_rng(7)
    steps, shared = np.arange(1.0, 31.0), 0.02 * rng.standard_normal(30)
    curves = [(steps, level + shared + 0.002 * rng.standard_normal(30)) for level in (1.0, 1.01)]
    apart = difference(*estimates_of(curves))
    assert apart.basis is Basis.PAIRED
    assert apart.error < 0.004
    assert apart.value == pytest.approx(-0.01, abs=0.004)
    moved = [curves[0], (steps + 0.5, curves[1][1])]
    assert difference(*estimates_of(moved)).basis is Basis.SEPARATE


@given(st.sets(st.integers(0, 30)), st.sets(st.integers(0, 30)))
def test_common_places_are_where_both_have_a_step(first, second):
    ours, theirs = (np.array(sorted(steps), dtype=np.float64) for steps in (first, second))
    one, other = common_places(ours, theirs)
    assert ours[one].tolist() == theirs[other].tolist() == sorted(first & second)


@pytest.mark.parametrize(
    ("values", "kept"),
    [
        ([2.0, 1.6, 1.4, 1.35, 7.5, 7.8, 7.9, 7.6], 4),
        ([1.5, 1.4, 1e25, 1e25, 1e25], 2),
        # An overfitting that rises for good, a spike that it comes back from, a fall, and a score in percent.
        ([1.5, 1.3, 1.21, 1.25, 1.4, 1.55, 1.7, 1.8], 8),
        ([0.011, 0.01, 0.0105, 0.02, 0.029, 0.03], 6),
        ([1.5, 1.4, 9.0, 1.3, 1.25], 5),
        ([9.0, 1.5, 1.4, 1.3], 4),
        ([-70.0, -71.0, -20.0, -19.0, -20.0], 5),
    ],
)
def test_what_came_after_a_training_came_apart_tells_nothing_of_its_noise(values, kept):
    assert before_apart(np.array(values)) == kept


def test_with_too_little_before_a_training_came_apart_its_noise_is_not_known():
    steps = np.arange(1.0, 9.0)
    assert settled(steps, np.array([1.5, 1.4, *[1e25] * 6])) is None
    four = settled(steps, np.array([1.6, 1.45, 1.38, 1.35, 9.8, 10.1, 9.9, 10.0]))
    assert four is not None
    assert four.values.tolist() == [1.6, 1.45, 1.38, 1.35]

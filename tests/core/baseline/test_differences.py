"""The difference of a value to that of the baseline: laws, and where a share or a direction means nothing."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.core.baseline.differences import LARGEST_SHARE, Difference, Sense, difference, has_share, is_percentage
from lib.core.baseline.words import difference_sentence, difference_words, sensed, shown_by
from lib.core.text.formatting import LOSS_SPEC
from lib.core.text.precision import MINUS

numbers = st.floats(-1e12, 1e12)
directions = st.sampled_from(["lower", "higher", None])
noises = st.one_of(st.none(), st.floats(0.0, 1e3))
OTHER = {Sense.BETTER: Sense.WORSE, Sense.WORSE: Sense.BETTER}
SHOW = shown_by(LOSS_SPEC, 3)


@given(numbers, directions, noises)
def test_what_is_compared_with_itself_differs_by_nothing(value, better, noise):
    found = difference(value, value, better, noise)
    assert (found.value, found.sense) == (0.0, Sense.NEITHER)
    assert found.share in (None, 0.0)
    assert difference_words(found, SHOW) == "same"


@given(numbers, numbers, directions, noises)
def test_the_other_way_round_sign_and_sense_turn(one, other, better, noise):
    there, back = difference(one, other, better, noise), difference(other, one, better, noise)
    assert there.value == -back.value
    assert back.sense is OTHER.get(there.sense, there.sense)


@given(numbers, numbers, st.sampled_from(["lower", "higher"]), st.floats(0.0, 1e3))
def test_better_is_what_the_direction_says_beyond_the_noise(one, other, better, noise):
    found = difference(one, other, better, noise)
    if abs(one - other) <= noise:
        assert found.sense in (Sense.LEVEL, Sense.NEITHER)
    else:
        assert found.sense is (Sense.BETTER if (one < other) is (better == "lower") else Sense.WORSE)


@given(numbers, numbers)
def test_a_share_is_of_a_baseline_above_zero_and_can_be_read(one, other):
    found = difference(one, other)
    if found.share is not None:
        assert one > 0.0
        assert other > 0.0
        assert abs(found.share) < LARGEST_SHARE
        assert math.copysign(1.0, found.share) == math.copysign(1.0, found.value) or found.value == 0.0
    assert difference(one, other, has_share=False).share is None
    assert difference(one, other, in_points=True).share is None


@pytest.mark.parametrize(
    ("value", "base"), [(None, 1.0), (1.0, None), (math.nan, 1.0), (1.0, math.inf), (1e308, -1e308), ("n/a", 1.0)]
)
def test_there_is_none_where_one_of_both_is_no_number(value, base):
    assert difference(value, base, "lower") is None


@pytest.mark.parametrize(("value", "base"), [(1.0, 0.0), (1.0, -1.0), (-1.0, 1.0), (-2.0, -1.0), (0.0, 1.0)])
def test_zero_and_what_crosses_it_has_no_percentage(value, base):
    assert difference(value, base).share is None


def test_powers_of_ten_scores_and_rewards_have_no_percentage():
    assert not any(map(has_share, ("learning_rate", "eval_f1", "eval_reward", "rewards/margins", "gap", "score")))
    assert all(map(has_share, ("eval_loss", "perplexity", "tokens_per_second", "duration", "batch")))
    assert is_percentage("gpu_utilization_percent", 90.0)


@pytest.mark.parametrize(
    ("found", "words", "sentence"),
    [
        (Difference(-0.03, -0.032, Sense.BETTER), "-0.030 (-3.2%) better", "lower than a: better, beyond the noise."),
        (Difference(0.2, 0.25, Sense.WORSE), "+0.200 (+25%) worse", "higher than a: worse, beyond the noise."),
        (Difference(0.001, 0.0001, Sense.LEVEL), "+0.001 level", "0.001 higher than a: within the noise."),
        (Difference(2.0, None, Sense.NEITHER, in_points=True), "+2.000 points", "2.000 points higher than a."),
        (Difference(-2.0, None, Sense.UNTOLD), "-2.000", "lower than a: too little is known of the noise."),
    ],
)
def test_it_is_said_short_and_in_words(found, words, sentence):
    assert sensed(difference_words(found, SHOW), found.sense) == words.replace("-", MINUS)
    said = difference_sentence(found, SHOW, "a")
    assert said.endswith(sentence)
    assert not {MINUS, "-", "+"} & set(said), "a direction is a word there"

"""Expected points of bands, and leads over the error of a gap."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.core.noise.lead import PointBands, Scored, lead_left, reaches

LEFT_OUT = PointBands((0.0, 0.05, 0.1, 0.2), (40.0, 100.0, 80.0, 60.0, 30.0))
EXPLAINED = PointBands((0.0, 0.05, 0.1, 0.2), (100.0, 100.0, 80.0, 60.0, 30.0))


def composite(loss: float, points: float) -> float:
    return 0.7 * 100.0 * (1.05 / (loss + 0.05)) ** 10 + 0.3 * points


@pytest.mark.parametrize(
    ("gap", "points"), [(-0.01, 40.0), (0.0, 100.0), (0.85 - 0.80, 80.0), (0.0499, 100.0), (0.2, 30.0), (5.0, 30.0)]
)
def test_without_an_error_the_points_are_those_of_the_band(gap, points):
    assert LEFT_OUT.at(gap) == LEFT_OUT.expected(gap, 0.0) == points


def test_gaps_that_nobody_can_tell_apart_have_nearly_the_same_points():
    low, high = EXPLAINED.expected(0.0499, 0.01), EXPLAINED.expected(0.0501, 0.01)
    assert 0.0 < low - high < 0.5
    assert EXPLAINED.expected(0.05, 0.01) == pytest.approx(90.0, abs=0.01)


@given(st.floats(-1.0, 1.0), st.floats(1e-6, 10.0))
def test_the_expected_points_are_the_mean_over_the_bands(gap, error):
    def below(edge: float) -> float:
        return 0.5 * (1.0 + math.erf((edge - round(gap, 9)) / error / math.sqrt(2.0)))

    shares = np.diff([0.0, *map(below, LEFT_OUT.edges), 1.0])
    assert LEFT_OUT.expected(gap, error) == pytest.approx(float(shares @ np.array(LEFT_OUT.points)), abs=1e-7)
    low, high = min(LEFT_OUT.points), max(LEFT_OUT.points)
    assert low - 1e-9 <= LEFT_OUT.expected(gap, error) <= high + 1e-9


def test_the_range_has_every_band_in_reach():
    assert EXPLAINED.range(0.04, 0.0) == (100.0, 100.0)
    assert EXPLAINED.range(0.04, 0.02) == (80.0, 100.0)
    assert LEFT_OUT.range(0.0, 1.0) == (30.0, 100.0)


def test_bands_that_do_not_fit_are_refused():
    for edges, points in (((0.0, 0.0), (1.0, 2.0, 3.0)), ((0.0,), (1.0,))):
        with pytest.raises(ValueError, match="ascend"):
            PointBands(edges, points)


@given(st.floats(0.0, 10.0), st.floats(0.0, 10.0))
def test_the_two_reaches_add_up_to_that_of_the_difference(first, second):
    assert sum(reaches(first, second, 2.0)) == pytest.approx(2.0 * math.hypot(first, second))


def scored(loss, gap, gap_error=0.0, error=0.0):
    return Scored(loss, error, gap, gap_error, EXPLAINED)


def holds(leader, rival, quantile=2.0, within=0.0):
    return lead_left(leader, rival, rival.value - leader.value, within, quantile, composite) > 0.0


def test_a_lead_of_one_band_holds_only_where_the_gaps_can_be_told_apart():
    leader, rival = (0.04, 0.01), (0.07, 0.01)
    assert holds(scored(1.0, 0.04), scored(1.0, 0.07))
    assert not holds(scored(1.0, *leader), scored(1.0, *rival))
    assert holds(scored(1.0, 0.02, 0.01), scored(1.0, 0.08, 0.01))


def test_a_lead_in_the_loss_holds_only_beyond_its_noise_and_over_what_the_gap_may_hide():
    leader, rival = scored(1.0, 0.02, error=0.01), scored(1.05, 0.02, error=0.01)
    assert holds(leader, rival, within=0.03)
    assert not holds(leader, rival, within=0.06)
    assert not holds(scored(1.0, 0.02, 0.05), scored(1.01, 0.02))


def test_an_unknown_gap_reaches_from_the_worst_to_the_best_band():
    unknown = Scored(1.0, 0.0, None, 0.0, EXPLAINED, (30.0, 100.0))
    assert not holds(unknown, scored(1.01, 0.02))
    assert holds(unknown, scored(1.2, 0.02))


def test_equal_runs_have_no_lead():
    assert not holds(scored(1.0, 0.02), scored(1.0, 0.02))

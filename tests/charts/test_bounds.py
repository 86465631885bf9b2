"""Outliers: what is outside of the percentiles, and when they are ignored without being asked."""

from __future__ import annotations

import numpy as np
import pytest

from lib.charts.bounds import MOST_SORTED, bounds_of
from lib.charts.drawn import Curve, View, drawn_of

WHOLE = View("Step")


def drawn(y, view: View = WHOLE):
    values = np.asarray(y, float)
    return drawn_of(Curve("● a", 0, np.arange(len(values), dtype=float), values, ".4f"), view)


def test_one_in_a_hundred_is_below_and_three_are_above():
    found = bounds_of([drawn(range(101))])
    assert (found.low, found.high, found.outside, found.points) == (1.0, 97.0, 1 + 3, 101)


def test_curves_are_taken_together_and_only_what_is_in_view():
    both = bounds_of([drawn(range(50)), drawn(range(50, 101))])
    assert (both.low, both.high, both.outside, both.points) == (1.0, 97.0, 4, 101)
    part = bounds_of([drawn(range(1000), View("Step", 100, 200))])
    assert (part.low, part.high, part.points) == (101.0, 197.0, 101)


def test_what_is_no_number_is_no_point_and_without_points_there_are_no_bounds():
    assert bounds_of([drawn([np.nan, 1.0, np.inf, 3.0])]).points == 2
    assert bounds_of([drawn([np.nan]), drawn([])]) is None


def test_of_very_many_points_every_one_outside_is_counted():
    y = np.arange(3.0 * MOST_SORTED)
    found = bounds_of([drawn(y)])
    assert found.outside == np.count_nonzero((y < found.low) | (y > found.high))
    assert found.low == pytest.approx(0.01 * len(y), rel=0.01)
    assert found.high == pytest.approx(0.97 * len(y), rel=0.01)


@pytest.mark.parametrize(
    ("y", "dwarfed"),
    [
        (np.concatenate(([9.0, 8, 7], np.linspace(2, 1, 97))), True),
        # A spike in the middle is news, not the start of training.
        (np.concatenate((np.linspace(2, 1, 50), [40.0], np.linspace(1, 0.9, 50))), False),
        (np.linspace(2, 1, 100), False),
        (np.ones(100), False),
        (np.array([5.0]), False),
    ],
    ids=["a steep start", "a spike in the middle", "a steady fall", "a constant", "one point"],
)
def test_the_start_dwarfs_the_rest_where_most_of_the_range_is_its(y, dwarfed):
    assert bounds_of([drawn(y)]).dwarfed is dwarfed

"""The smoothed lines of a curve, by weight."""

from __future__ import annotations

import math

import numpy as np
import pytest

from lib.charts.drawn import Curve, View, drawn_of
from lib.charts.smoothed import Room, SmoothedLines

WEIGHTS = (0.0, 0.5, 0.75)


def curve(y) -> Curve:
    return Curve("● a", 0, np.arange(float(len(y))), np.asarray(y, float), ".4f")


def test_a_line_is_the_average_of_the_whole_curve_where_there_are_values():
    x, y = SmoothedLines(curve([2.0, math.nan, 2.0, 4.0, 1.0]), View("Step"), WEIGHTS).line(0.5)
    assert x.tolist() == [0.0, 2.0, 3.0, 4.0]
    assert y == pytest.approx([2.0, 2.0, 5.5 / 1.75, 3.75 / 1.875], abs=1e-12)


def test_in_a_range_it_begins_before_it_and_goes_to_the_edges():
    x, y = SmoothedLines(curve([8.0, 2.0, 2.0, 4.0, 1.0]), View("Step", 2.0, 3.0), WEIGHTS).line(0.5)
    assert x.tolist() == [1.0, 2.0, 3.0, 4.0]
    # (8 / 2 + 2) / 1.5, (8 / 4 + 2 / 2 + 2) / 1.75, and so on.
    assert y == pytest.approx([4.0, 5.0 / 1.75, 6.5 / 1.875, 4.25 / 1.9375], abs=1e-12)


def test_a_log_axis_leaves_out_what_it_cannot_show_and_not_what_it_counts_for():
    x, y = SmoothedLines(curve([2.0, -2.0, 4.0]), View("Step", log_y=True), WEIGHTS).line(0.5)
    assert x.tolist() == [0.0, 2.0]
    assert y == pytest.approx([2.0, (2 / 4 - 2 / 2 + 4) / 1.75], abs=1e-12)


def test_it_is_reduced_to_what_is_drawn_and_keeps_its_own_extremes():
    values = np.zeros(10_000)
    values[5_005] = 1.0
    x, y = SmoothedLines(curve(values), View("Step", buckets=10), WEIGHTS).line(0.75)
    assert len(x) <= 40
    assert (x[y.argmax()], y.max()) == (5_005.0, pytest.approx(0.25))


@pytest.mark.parametrize("weight", [0.5, 0.75, 0.3])
def test_it_is_the_line_that_is_drawn(weight):
    values = np.random.default_rng(1).normal(size=3_000)
    values[[7, 900]] = math.nan, math.inf
    lines = SmoothedLines(curve(values), View("Step", 100.0, 2_000.0, 0.9, buckets=20), WEIGHTS)
    drawn = drawn_of(curve(values), View("Step", 100.0, 2_000.0, weight, buckets=20))
    assert all(np.array_equal(*each) for each in zip(lines.line(weight), drawn.line, strict=True))


def test_it_is_made_once_for_a_weight_that_is_offered_and_never_kept_for_another():
    lines = SmoothedLines(curve([1.0, 2.0, 3.0]), View("Step"), WEIGHTS)
    first = lines.line(0.5)
    assert lines.line(0.3) is not lines.line(0.3)
    assert not lines.are_made
    lines.make()
    assert lines.are_made
    assert lines.line(0.5) is first
    assert lines.line(0.75) is lines.line(0.75)


def test_what_all_lines_take_is_bounded_and_what_goes_is_made_again():
    one = SmoothedLines(curve(range(1_000)), View("Step"), WEIGHTS, Room())
    one.make()
    room = Room(3 * one.size)
    every = [SmoothedLines(curve(range(1_000)), View("Step"), WEIGHTS, room) for _ in range(5)]
    for each in every[:3]:
        each.make()
    first = every[0].line(0.5)
    for each in every[3:]:
        each.make()
    assert [each.are_made for each in every] == [True, False, False, True, True], "that was looked at of late stays"
    assert sum(each.size for each in every) <= 3 * one.size
    assert every[1].line(0.5)[1].tolist() == first[1].tolist()


def test_one_that_alone_takes_more_than_all_may_stays_while_it_is_the_last():
    room = Room(1)
    one, other = (SmoothedLines(curve(range(100)), View("Step"), WEIGHTS, room) for _ in range(2))
    one.make()
    assert one.are_made
    other.make()
    assert [one.are_made, other.are_made] == [False, True]


def test_lines_of_runs_that_went_take_no_room():
    room = Room(1)
    SmoothedLines(curve(range(100)), View("Step"), WEIGHTS, room).make()
    last = SmoothedLines(curve(range(100)), View("Step"), WEIGHTS, room)
    last.make()
    assert last.are_made
    assert len(room._held) == 1

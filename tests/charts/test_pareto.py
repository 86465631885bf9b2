"""The picture of quality against cost: its data, and that nothing foreign in it is part of its language."""

from __future__ import annotations

import json

import altair as alt
import numpy as np
import pytest

from lib.charts.pareto import MOST_POINTS, pareto
from lib.charts.theme import COLORS, themed
from lib.core.budget.equal import Course, EqualBudget
from lib.core.budget.spent import Kind

HOSTILE = "datum.x; </script>\u202e{{}}"


def budget(courses, front, *, sign=1.0, amount=30.0):
    made = tuple(Course(name, np.asarray(at, float), np.asarray(best, float)) for name, at, best in courses)
    return EqualBudget(
        kind=Kind.SAMPLES, amount=amount, is_chosen=False, values={}, crossings=(), derived={}, missing={}, later={},
        ended={}, front=front, courses=made, sign=sign,
    )  # fmt: skip


def drawn(one, labels=None):
    names = [each.run_id for each in one.courses]
    slots = {name: at for at, name in enumerate(names)}
    return pareto(
        one, labels or {name: name for name in names}, slots, x_title="Samples", y_title="Best eval loss so far"
    )


def rows(found, at):
    """What a layer shows."""
    return found["datasets"][found["layer"][at]["data"]["name"]]


COURSES = [("a", [10, 20, 30], [3, 2, 1.5]), ("b", [10, 20, 40], [2.5, 2.5, 2.2]), ("c", [15, 25, 35], [4, 3, 3])]


def test_each_run_has_its_course_and_its_end_and_the_front_is_in_order():
    found = drawn(budget(COURSES, ("b", "a")))
    lines, _, front, rings, ends, rule = (rows(found, at) for at in range(6))
    assert [(row["x"], row["y"]) for row in lines if row["slot"] == 1] == [(10, 2.5), (40, 2.2)]
    assert [(row["run"], row["x"], row["y"]) for row in ends] == [("a", 30, 1.5), ("b", 40, 2.2), ("c", 25, 3)]
    assert [row["run"] for row in front] == [row["run"] for row in rings] == ["b", "a"]
    assert [row["x"] for row in rule] == [30]
    alt.LayerChart.from_dict(found)


def test_where_higher_is_better_values_are_the_metrics_own():
    one = budget([("a", [10, 20], [-0.5, -0.9]), ("b", [10, 20], [-0.6, -0.7])], ("a",), sign=-1.0)
    ends = rows(drawn(one), 4)
    assert [row["y"] for row in ends] == [0.9, 0.7]
    low, high = drawn(one)["layer"][0]["encoding"]["y"]["scale"]["domain"]
    assert (low, high) == (pytest.approx(0.5), 0.9)


def test_the_axis_ends_where_the_lines_do():
    one = budget([("a", [10, 20], [-0.3, -0.9]), ("b", [10, 20], [0.0, -0.1])], ("a",), sign=-1.0)
    assert drawn(one)["layer"][0]["encoding"]["y"]["scale"]["domain"] == [0.0, 0.9]


def test_every_end_lies_within_the_picture_and_equal_ends_have_room():
    for courses in (COURSES, [("a", [1], [2.0]), ("b", [1], [2.0])], [("a", [1], [0.0]), ("b", [2], [0.0])]):
        found = drawn(budget(courses, ("a",)))
        low, high = found["layer"][0]["encoding"]["y"]["scale"]["domain"]
        assert low < high
        assert all(low <= row["y"] <= high for row in rows(found, 4))


def test_a_long_course_is_thinned_and_keeps_its_ends():
    count = 20_000
    one = budget([("a", np.arange(1, count + 1), np.linspace(3, 1, count)), ("b", [5], [2])], ("a",))
    found = [row for row in rows(drawn(one), 0) if row["slot"] == 0]
    assert len(found) <= MOST_POINTS
    assert (found[0]["x"], found[-1]["x"], found[-1]["y"]) == (1, count, 1)


def test_a_hostile_name_stands_in_the_data_alone():
    found = drawn(budget(COURSES, ("a",)), {"a": HOSTILE, "b": "b", "c": "c"})
    assert "datum.x;" in json.dumps(found.pop("datasets"))
    assert "datum.x;" not in json.dumps(found)


def test_marks_of_no_run_have_the_ink_of_the_theme():
    for is_dark in (False, True):
        assert themed(is_dark=is_dark)["line"]["color"] == COLORS["text"][is_dark]
    layers = drawn(budget(COURSES, ("a",)))["layer"]
    assert all("color" not in json.dumps(layers[at]["mark"]) for at in (2, 3, 5))

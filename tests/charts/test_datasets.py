from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from lib.charts.datasets import (
    LANE_HEIGHT,
    MARK_BUCKETS,
    MARK_SENTENCES,
    RAW_OPACITY,
    FindingMark,
    chart_data,
)
from lib.charts.drawn import Curve, View
from lib.core.text.formatting import NOT_RECORDED

HOSTILE = ["<img src=x onerror=alert(1)>", "a.b['c']", "title", "Step", "x", "image", "● ", "日本\u202e", "y\ny"]
quick = settings(deadline=None, max_examples=40)
lengths = st.integers(1, 3000)
seeds = st.integers(0, 2**32 - 1)
finite = st.floats(-1e6, 1e6)
not_finite = st.sampled_from([math.nan, math.inf, -math.inf])


def curve(x, y, **facts) -> Curve:
    facts = {"name": "● a", "color": "#0072B2", "spec": ".4f"} | facts
    return Curve(x=np.asarray(x, float), y=np.asarray(y, float), **facts)


def eval_curve(x, y, **facts) -> Curve:
    return curve(x, y, **{"evaluated": True, "mark_lowest": True} | facts)


def noise(length: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=length)


def columns(table: pa.Table, *names: str) -> list[tuple]:
    return list(zip(*(table[name].to_pylist() for name in names), strict=True))


def extent_of(found) -> tuple[float, ...] | None:
    return tuple(found.tables["extent"]["x"].to_pylist()) or None


def rows_of(table: pa.Table, **wanted) -> list[dict]:
    return [row for row in table.to_pylist() if all(row[name] == value for name, value in wanted.items())]


@quick
@given(lengths, seeds, st.data(), st.integers(1, 60))
def test_a_planted_extreme_is_always_drawn(length, seed, data, buckets):
    y = noise(length, seed)
    at = data.draw(st.integers(0, length - 1))
    y[at] = data.draw(st.sampled_from([-100.0, 100.0]))
    found = chart_data([curve(np.arange(length), y)], View("Step", buckets=buckets))
    drawn = columns(found.tables["lines"], "x", "y")
    assert (float(at), y[at]) in drawn
    assert found.logged == length
    assert found.drawn == len(drawn) <= max(4 * buckets, 1)
    ys = [value for _, value in drawn]
    assert (min(ys), max(ys)) == (y.min(), y.max())
    assert {0.0, float(length - 1)} <= {x for x, _ in drawn}


@quick
@given(lengths, seeds, st.integers(1, 20), st.floats(0.0, 0.99))
def test_no_evaluation_is_ever_lost_or_smoothed(length, seed, buckets, smoothing):
    y = noise(length, seed)
    found = chart_data([eval_curve(np.arange(length), y)], View("Step", buckets=buckets, smoothing=smoothing))
    for name in ("lines", "evals"):
        assert columns(found.tables[name], "x", "y") == list(zip(np.arange(length, dtype=float), y, strict=True))
    assert set(found.tables["lines"]["kind"].to_pylist()) == {"eval"}
    assert set(found.tables["lines"]["opacity"].to_pylist()) == {1.0}
    assert columns(found.tables["best"], "x", "y") == [(float(y.argmin()), y.min())]


@quick
@given(lengths, seeds, st.floats(0.01, 0.99))
def test_a_smoothed_line_stays_within_the_raw_values_which_stay_behind_it(length, seed, smoothing):
    y = noise(length, seed)
    found = chart_data([curve(np.arange(length), y)], View("Step", smoothing=smoothing, buckets=30))
    raw = [row["y"] for row in found.tables["lines"].to_pylist() if row["opacity"] == RAW_OPACITY]
    smooth = [row["y"] for row in found.tables["lines"].to_pylist() if row["opacity"] == 1.0]
    assert (min(raw), max(raw)) == (y.min(), y.max())
    assert y.min() <= min(smooth) <= max(smooth) <= y.max()
    plain = chart_data([curve(np.arange(length), y)], View("Step", buckets=30))
    assert raw == plain.tables["lines"]["y"].to_pylist()
    assert found.drawn == plain.drawn


@pytest.mark.parametrize("smoothing", [0.5, 0.99])
def test_a_smoothed_constant_stays_constant(smoothing):
    found = chart_data([curve(range(500), np.full(500, 0.1))], View("Step", smoothing=smoothing))
    assert set(found.tables["lines"]["y"].to_pylist()) == {0.1}


@quick
@given(
    arrays.arrays(float, st.integers(0, 300), elements=finite | not_finite),
    st.booleans(),
    st.booleans(),
)
def test_every_value_is_drawn_counted_or_marked(y, log_y, evaluated):
    x = np.arange(len(y), dtype=float)
    view = View("Step", buckets=20, log_y=log_y)
    found = chart_data([curve(x, y, evaluated=evaluated, mark_lowest=evaluated)], view)
    broken = ~np.isfinite(y)
    hidden = np.isfinite(y) & (y <= 0) if log_y else np.zeros(len(y), bool)
    assert found.nonfinite == broken.sum()
    assert found.not_positive == hidden.sum()
    assert found.logged == len(y) - found.nonfinite - found.not_positive
    assert found.drawn <= found.logged
    for name in ("lines", "evals", "best"):
        drawn = np.array(found.tables[name]["y"].to_pylist(), float)
        assert np.isfinite(drawn).all()
        assert not (log_y and (drawn <= 0).any())
    marked = found.tables["nonfinite"]["x"].to_pylist()
    assert set(marked) <= set(x[broken])
    assert bool(marked) == broken.any()
    if broken.any():
        assert marked[0] == x[broken][0], "the first is where it went wrong"
    assert extent_of(found) == ((x[0], x[-1]) if len(y) else None)


@quick
@given(st.lists(finite, min_size=1, max_size=200, unique=True), finite, finite)
def test_a_range_shows_what_lies_in_it_and_is_the_extent(xs, first, second):
    assume(first != second)
    start, end = sorted((first, second))
    x = np.sort(np.array(xs))
    found = chart_data([curve(x, x), eval_curve(x, -x, name="● b")], View("Epoch", start, end))
    inside = x[(x >= start) & (x <= end)]
    assert extent_of(found) == (start, end)
    assert found.logged == found.drawn == 2 * len(inside)
    assert [row["x"] for row in rows_of(found.tables["lines"], kind="train")] == list(inside)
    assert found.tables["hover"]["Epoch"].to_pylist() == list(inside)
    # The lowest of the whole run is marked where it is in view, and no other in its place.
    best = found.tables["best"]["x"].to_pylist()
    assert best == ([x[-1]] if start <= x[-1] <= end else [])


def test_positions_that_are_not_known_are_left_out():
    found = chart_data([curve([np.nan, 1, 2], [5.0, 6.0, 7.0])], View("Hours since start"))
    assert found.tables["lines"]["y"].to_pylist() == [6.0, 7.0]
    assert extent_of(found) == (1.0, 2.0)
    assert found.logged == 2


def test_without_curves_or_points_every_dataset_keeps_its_columns():
    full = chart_data([eval_curve([1, 2], [1, np.nan])], View("Step"), [FindingMark("a", "#000000", 1.0, 2.0, "w")])
    for curves in ([], [curve([], [])]):
        empty = chart_data(curves, View("Step"))
        assert extent_of(empty) is None
        for name, table in full.tables.items():
            assert table.num_rows > 0
            assert empty.tables[name].num_rows == 0
            if name != "hover":
                assert empty.tables[name].column_names == table.column_names


def test_a_point_that_is_alone_in_view_has_a_mark_since_no_line_goes_through_it():
    alone = chart_data([curve([5], [2.0], color="#111111")], View("Step"))
    assert columns(alone.tables["evals"], "x", "y", "color") == [(5.0, 2.0, "#111111")]
    zoomed = chart_data([curve([1, 2, 3], [3.0, 1.0, 2.0])], View("Step", 1.5, 2.5))
    assert columns(zoomed.tables["evals"], "x", "y") == [(2.0, 1.0)]
    assert (
        chart_data([curve([1, 2], [3.0, np.nan]), curve([1, 2], [3.0, 1.0])], View("Step")).tables["evals"].num_rows
        == 1
    )


def test_the_lowest_value_is_marked_for_the_eval_loss_alone():
    x, y = [1, 2, 3], [3.0, 1.0, 2.0]
    found = chart_data(
        [curve(x, y), curve(x, y, name="● f1", evaluated=True), eval_curve(x, y, color="#111111")], View("Step")
    )
    assert columns(found.tables["best"], "x", "y", "color") == [(2.0, 1.0, "#111111")]
    assert found.tables["evals"].num_rows == 6


def test_the_lowest_value_ignores_what_is_not_finite():
    found = chart_data([eval_curve([1, 2, 3], [np.nan, 2.0, -np.inf])], View("Step"))
    assert columns(found.tables["best"], "x", "y") == [(2.0, 2.0)]
    nothing = chart_data([eval_curve([1, 2], [np.nan, np.inf])], View("Step"))
    assert nothing.tables["best"].num_rows == 0


def test_repeated_evaluations_are_drawn_and_not_marked():
    real = np.array([True, False, False, True])
    found = chart_data([eval_curve([1, 2, 3, 4], [2.0, 2.0, 2.0, 1.0], real=real)], View("Step"))
    assert found.tables["evals"]["x"].to_pylist() == [1.0, 4.0]
    assert found.tables["lines"]["x"].to_pylist() == [1.0, 2.0, 3.0, 4.0]
    later = chart_data([eval_curve([1, 2, 3, 4], [2.0, 2.0, 2.0, 1.0], real=real)], View("Step", 3.0, 9.0))
    assert later.tables["evals"]["x"].to_pylist() == [4.0]


def test_every_curve_is_a_series_of_its_own_in_its_colour():
    found = chart_data(
        [curve([1, 2], [1, 2], color="#A00000"), eval_curve([1, 2], [1, 2], name="● b", color="#A00000"),
         curve([1, 2], [3, 4], name="● c", color="#B00000")],
        View("Step", smoothing=0.5),
    )  # fmt: skip
    series = {}
    for row in found.tables["lines"].to_pylist():
        series.setdefault(row["series"], set()).add((row["color"], row["kind"], row["opacity"]))
    assert [each for _, each in sorted(series.items())] == [
        {("#A00000", "train", RAW_OPACITY)}, {("#A00000", "train", 1.0)}, {("#A00000", "eval", 1.0)},
        {("#B00000", "train", RAW_OPACITY)}, {("#B00000", "train", 1.0)},
    ]  # fmt: skip


def test_the_tooltip_has_a_column_for_every_curve_named_as_the_curve_is():
    curves = [curve([1, 2], [1, 2], name=f"● {name}") for name in HOSTILE]
    table = chart_data(curves, View("Step")).tables["hover"]
    assert table.column_names == ["Step", *(f"● {name}" for name in HOSTILE)]
    without_tooltip = chart_data(curves, View("Step")).tables
    for name, other in without_tooltip.items():
        if name != "hover":
            assert not any(hostile in str(other.to_pydict()) for hostile in HOSTILE if len(hostile) > 5)


@quick
@given(st.lists(st.tuples(lengths, seeds), min_size=1, max_size=3), st.integers(2, 200))
def test_the_tooltip_shows_the_values_that_were_logged(specs, positions):
    curves = []
    for number, (length, seed) in enumerate(specs):
        steps = np.sort(np.random.default_rng(seed).choice(5000, length, replace=False))
        curves.append(curve(steps, noise(length, seed), name=f"● {number}"))
    table = chart_data(curves, View("Step", hover_positions=positions)).tables["hover"]
    logged = np.unique(np.concatenate([each.x for each in curves]))
    xs = table["Step"].to_pylist()
    assert len(xs) <= positions
    assert set(xs) <= set(logged)
    assert {logged[0], logged[-1]} <= set(xs)
    assert xs == sorted(set(xs))
    for each in curves:
        for x, text in columns(table, "Step", each.name):
            if not each.x[0] <= x <= each.x[-1]:
                assert text == NOT_RECORDED
                continue
            at = np.flatnonzero(each.x <= x)[-1]
            value, place = f"{each.y[at]:.4f}", each.x[at]
            assert text == (value if place == x else f"{value} (at {place:,.6g})")


def test_the_tooltip_says_what_is_not_finite():
    table = chart_data([curve([1, 2, 3], [1.0, np.nan, np.inf])], View("Step")).tables["hover"]
    assert table["● a"].to_pylist() == ["1.0000", "NaN", "∞"]


def test_a_picture_leaves_its_curves_as_they_are():
    x, y = np.arange(50.0), noise(50, 1)
    y[3] = np.nan
    given_x, given_y = x.copy(), y.copy()
    chart_data([curve(x, y), eval_curve(x, y, name="● b")], View("Step", 5, 20, 0.9, True, 3))
    np.testing.assert_array_equal(x, given_x)
    np.testing.assert_array_equal(y, given_y)


def test_thousands_of_nan_side_by_side_travel_as_a_few_marks():
    y = np.full(5000, np.nan)
    y[0] = 1.0
    found = chart_data([curve(range(5000), y)], View("Step", buckets=50))
    assert found.nonfinite == 4999
    assert 1 <= found.tables["nonfinite"].num_rows <= 50


places = st.tuples(st.integers(0, 1000), st.integers(0, 300), st.sampled_from("abc"))


@quick
@given(st.lists(places, max_size=30), st.integers(0, 900), st.integers(1, 400), st.integers(2, 90))
def test_all_that_was_noticed_in_view_has_a_mark_of_its_run_and_nothing_is_invented(found, start, width, buckets):
    noticed = [
        FindingMark(run, f"#{run}", float(x), float(x + length), f"<{number}>")
        for number, (x, length, run) in enumerate(found)
    ]
    end, near = start + width, MARK_BUCKETS * width / buckets
    steps = np.arange(0, 1400.0)
    tables = chart_data([curve(steps, steps)], View("Step", start, end, buckets=buckets), noticed).tables
    marks = tables["marks"].to_pylist()
    seen = [notice for notice in noticed if start <= notice.x <= end]
    assert sum(int(mark["count"] or 1) for mark in marks) == len(seen)
    assert {(mark["run"], mark["x"]) for mark in marks} <= {(notice.run, notice.x) for notice in seen}
    for notice in seen:
        its = [mark for mark in marks if mark["run"] == notice.run and mark["x"] <= notice.x <= mark["x"] + near]
        assert its
        assert all(mark["color"] == notice.color for mark in its)
        assert any(notice.text in mark["finding"] or int(mark["count"]) > MARK_SENTENCES for mark in its)
    lanes = {mark["run"]: mark["lane"] for mark in marks}
    assert len(set(lanes.values())) == len(lanes), "no run's marks hide another's"
    for span in tables["spans"].to_pylist():
        assert start <= span["x"] <= span["x2"] <= end
        begins = [notice for notice in noticed if notice.color == span["color"]]
        assert any(span["x"] == max(notice.x, start) for notice in begins)
        assert any(span["x2"] == min(notice.end, end) for notice in begins)


def test_many_findings_at_nearly_one_place_are_one_mark_that_says_how_many():
    marks = [FindingMark("a", "#000000", 500.0 + number, 500.0 + number, f"spike {number}") for number in range(9)]
    (mark,) = chart_data([curve(range(1000), range(1000))], View("Step"), marks).tables["marks"].to_pylist()
    assert (mark["x"], mark["count"]) == (500.0, "9")
    assert mark["finding"].splitlines() == [*(f"spike {number}" for number in range(MARK_SENTENCES)), "And 3 more."]


def test_runs_stand_below_each_other_in_their_order():
    marks = [FindingMark("b", "#b", 900.0, 900.0, "late"), FindingMark("a", "#a", 5.0, 5.0, "early")]
    marks = chart_data([curve(range(1000), range(1000))], View("Step"), marks).tables["marks"].to_pylist()
    assert [mark["run"] for mark in marks] == ["b", "a"]
    assert marks[1]["lane"] - marks[0]["lane"] == LANE_HEIGHT


def test_without_points_in_view_nothing_is_marked():
    tables = chart_data([curve([], [])], View("Step"), [FindingMark("a", "#a", 5.0, 9.0, "w")]).tables
    assert tables["marks"].num_rows == tables["spans"].num_rows == 0


def test_stretches_that_overlap_are_one_line():
    marks = [FindingMark("a", "#a", x, end, "w") for x, end in ((10.0, 60.0), (30.0, 40.0), (55.0, 80.0), (90.0, 95.0))]
    spans = chart_data([curve(range(101), range(101))], View("Step"), marks).tables["spans"]
    assert columns(spans, "x", "x2") == [(10.0, 80.0), (90.0, 95.0)]

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from lib.charts.datasets import FindingMark, chart_data
from lib.charts.drawn import Curve, View
from lib.core.text.formatting import NOT_RECORDED

HOSTILE = ["<img src=x onerror=alert(1)>", "a.b['c']", "title", "Step", "x", "image", "● ", "日本\u202e", "y\ny"]
quick = settings(deadline=None, max_examples=40)
lengths = st.integers(1, 3000)
seeds = st.integers(0, 2**32 - 1)
finite = st.floats(-1e6, 1e6)
not_finite = st.sampled_from([math.nan, math.inf, -math.inf])


def curve(x, y, **facts) -> Curve:
    facts = {"name": "● a", "slot": 0, "spec": ".4f"} | facts
    return Curve(x=np.asarray(x, float), y=np.asarray(y, float), **facts)


def eval_curve(x, y, **facts) -> Curve:
    """An eval loss whose lowest finite value is its best."""
    known = np.where(np.isfinite(np.asarray(y, float)), np.asarray(y, float), np.inf)
    best = int(known.argmin()) if len(known) and np.isfinite(known).any() else None
    return curve(x, y, **{"evaluated": True, "best": best} | facts)


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
    assert set(found.tables["lines"]["faint"].to_pylist()) == {0.0}
    assert columns(found.tables["best"], "x", "y") == [(float(y.argmin()), y.min())]


@quick
@given(lengths, seeds, st.floats(0.01, 0.99))
def test_a_smoothed_line_stays_within_the_raw_values_which_stay_behind_it(length, seed, smoothing):
    y = noise(length, seed)
    found = chart_data([curve(np.arange(length), y)], View("Step", smoothing=smoothing, buckets=30))
    raw = [row["y"] for row in found.tables["lines"].to_pylist() if row["faint"]]
    smooth = [row["y"] for row in found.tables["lines"].to_pylist() if not row["faint"]]
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
    found = chart_data([(eval_curve if evaluated else curve)(x, y)], view)
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
    # A segment that crosses an edge needs the point beyond it; no further one is drawn.
    beyond = [*x[x < start][-1:], *inside, *x[x > end][:1]]
    assert [row["x"] for row in rows_of(found.tables["lines"], curve=0.0)] == beyond
    assert found.tables["evals"]["x"].to_pylist() == (list(inside) + (list(inside) if len(inside) == 1 else []))
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
    full = chart_data([eval_curve([1, 2], [1, np.nan])], View("Step"), [FindingMark(0, "spike", 1.0, 2.0, "w")])
    for curves in ([], [curve([], [])]):
        empty = chart_data(curves, View("Step"))
        assert extent_of(empty) is None
        for name, table in full.tables.items():
            assert table.num_rows > 0
            assert empty.tables[name].num_rows == 0
            if name != "hover":
                assert empty.tables[name].column_names == table.column_names


def test_a_point_that_is_alone_in_view_has_a_mark_since_no_line_goes_through_it():
    alone = chart_data([curve([1, 2], [1.0, 2.0]), curve([5], [2.0], slot=1)], View("Step"))
    assert columns(alone.tables["evals"], "x", "y", "curve") == [(5.0, 2.0, 1.0)]
    zoomed = chart_data([curve([1, 2, 3], [3.0, 1.0, 2.0])], View("Step", 1.5, 2.5))
    assert columns(zoomed.tables["evals"], "x", "y") == [(2.0, 1.0)]
    assert (
        chart_data([curve([1, 2], [3.0, np.nan]), curve([1, 2], [3.0, 1.0])], View("Step")).tables["evals"].num_rows
        == 1
    )


def test_the_best_evaluation_is_marked_whatever_is_lowest():
    x, y = [1, 2, 3], [3.0, 1.0, 2.0]
    found = chart_data([curve(x, y), curve(x, y, evaluated=True), eval_curve(x, y, best=2)], View("Step"))
    assert columns(found.tables["best"], "x", "y", "curve") == [(3.0, 2.0, 2.0)]
    assert found.tables["evals"].num_rows == 6


@pytest.mark.parametrize(
    ("view", "best"), [(View("Step", 1.5, 9), 0), (View("Step", log_y=True), 1), (View("Step"), 2)]
)
def test_a_best_evaluation_that_cannot_be_drawn_is_not_marked(view, best):
    found = chart_data([eval_curve([1, 2, 3], [3.0, -1.0, np.nan], best=best)], view)
    assert found.tables["best"].num_rows == 0


def test_repeated_evaluations_are_drawn_and_not_marked():
    real = np.array([True, False, False, True])
    found = chart_data([eval_curve([1, 2, 3, 4], [2.0, 2.0, 2.0, 1.0], real=real)], View("Step"))
    assert found.tables["evals"]["x"].to_pylist() == [1.0, 4.0]
    assert found.tables["lines"]["x"].to_pylist() == [1.0, 2.0, 3.0, 4.0]
    later = chart_data([eval_curve([1, 2, 3, 4], [2.0, 2.0, 2.0, 1.0], real=real)], View("Step", 3.0, 9.0))
    assert later.tables["evals"]["x"].to_pylist() == [4.0]


def test_every_curve_has_its_number_and_the_raw_line_behind_a_smoothed_one_is_told_apart():
    curves = [curve([1, 2], [1, 2]), eval_curve([1, 2], [1, 2], name="● b"), curve([1, 2], [3, 4], name="● c")]
    found = chart_data(curves, View("Step", smoothing=0.5))
    lines = set(columns(found.tables["lines"], "curve", "faint"))
    assert lines == {(0.0, 1.0), (0.0, 0.0), (1.0, 0.0), (2.0, 1.0), (2.0, 0.0)}


@quick
@given(st.integers(2, 400), seeds, st.floats(0.0, 0.99), st.booleans(), st.booleans())
def test_a_line_goes_on_to_the_nearest_points_that_can_be_drawn_beyond_the_view(
    length, seed, smoothing, log_y, ordered
):
    random = np.random.default_rng(seed)
    x, y = np.arange(length, dtype=float), random.normal(1.0, 1.0, length)
    y[random.random(length) < 0.2] = np.nan
    if not ordered:
        x[[0, -1]] = x[[-1, 0]]
    start, end = sorted(random.uniform(-5, length + 5, 2))
    found = chart_data([curve(x, y)], View("Step", start, end, smoothing, log_y, buckets=1000))
    drawable = np.isfinite(y) & ((y > 0) | (not log_y))
    drawn = [row["x"] for row in found.tables["lines"].to_pylist() if not row["faint"]]
    inside = x[drawable & (x >= start) & (x <= end)]
    if not ordered:
        assert sorted(drawn) == sorted(inside), "where positions go back, nobody knows what is beyond which edge"
        return
    assert drawn == [*x[drawable & (x < start)][-1:], *inside, *x[drawable & (x > end)][:1]]
    assert found.logged == len(inside), "what is beyond does not count"


def test_at_every_position_the_curves_are_in_the_order_of_their_values():
    curves = [curve([1, 20, 39], [3.0, 1.0, np.nan], name=name) for name in "ab"]
    # These two have more points, which are nearer to each other.
    curves += [curve([1, 2, 20], [2.0, 2.0, 2.0], name="c"), curve([20, 38, 39], [-5.0, 0.0, 1e9], name="d")]
    data = chart_data(curves, View("Step"))
    order = [data.order[data.tables["hover"]["Step"].to_pylist().index(x)] for x in (1, 20, 39)]
    # At 1 the last has begun not yet; at 39 the third has ended, and the first two are no numbers.
    assert [order[0][:3], order[1], order[2][0]] == [[2, 0, 1], [3, 0, 1, 2], 3]


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
            apart = (each.x[-1] - each.x[0]) / max(len(each.x) - 1, 1)
            if not each.x[0] - apart <= x <= each.x[-1] + apart:
                assert text == NOT_RECORDED
                continue
            at = np.abs(each.x - x).argmin()
            value, place = f"{each.y[at]:.4f}", each.x[at]
            assert text == (value if place == x else f"{value} (at {place:,.6g})")


def test_the_tooltip_says_what_is_not_finite():
    table = chart_data([curve([1, 2, 3], [1.0, np.nan, np.inf])], View("Step")).tables["hover"]
    assert table["● a"].to_pylist() == ["1", "NaN", "∞"], "and no digits that were not logged"


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


places = st.tuples(st.integers(0, 1000), st.integers(0, 300), st.integers(0, 4))


@quick
@given(st.lists(places, max_size=30), st.integers(0, 900), st.integers(1, 400))
def test_all_that_reaches_into_the_view_is_there_whole_and_nothing_is_invented(found, start, width):
    noticed = [
        FindingMark(slot, f"kind {slot}", float(x), float(x + length), f"<{number}>")
        for number, (x, length, slot) in enumerate(found)
    ]
    end = start + width
    steps = np.arange(0, 1400.0)
    shown = chart_data([curve(steps, steps)], View("Step", start, end), noticed)
    seen = sorted((each for each in noticed if each.x <= end and each.end >= start), key=lambda each: each.x)
    assert list(shown.marked) == seen
    assert columns(shown.tables["findings"], "slot", "kind", "x", "end", "text") == [
        (each.slot, each.kind, each.x, each.end, each.text) for each in seen
    ]


def test_without_points_in_view_nothing_is_marked():
    shown = chart_data([curve([], [])], View("Step"), [FindingMark(0, "spike", 5.0, 9.0, "w")])
    assert shown.tables["findings"].num_rows == 0

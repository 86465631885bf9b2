from __future__ import annotations

import itertools
import json

import numpy as np
import pytest

from lib.charts.datasets import FindingMark, chart_data
from lib.charts.drawn import Curve, View
from lib.charts.layout import AXES, DRAWN, LOSS_HEIGHT, METRIC_HEIGHT, Layout
from lib.charts.specification import Y_FORMAT, specification
from lib.core.curves.axes import Axis

EVERY_VIEW = list(itertools.product(Axis, [False, True]))
FOREIGN = ['<img src="x">', "a.b[0]", "'; x", "\\", "lr: 1e-4"]


def spec_of(title: str = "Loss", axis: Axis = Axis.STEP, height: int = LOSS_HEIGHT, **options) -> dict:
    return specification(Layout(title, axis.axis_title, height, **options)).to_dict()


def walk(node):
    """Every key and value anywhere in a specification."""
    if isinstance(node, dict):
        for key, value in node.items():
            yield key, value
            yield from walk(value)
    elif isinstance(node, list):
        for value in node:
            yield from walk(value)


def layers(spec: dict) -> dict[str, dict]:
    """The layers by the names of their datasets; of the marks the squares, which lie above their counts."""
    return {layer["data"]["name"]: layer for layer in spec["layer"]}


def tables(axis: Axis):
    steps = np.arange(5.0)
    curves = [
        Curve("● a", "#000000", steps, steps + 1, ".4f"),
        Curve("● b", "#111111", steps, np.array([1, np.nan, 3, 2, np.inf]), ".4f", evaluated=True, mark_lowest=True),
    ]
    return chart_data(curves, View(axis.axis_title), [FindingMark("a", "#000000", 1.0, 3.0, "w")]).tables


@pytest.mark.parametrize(("axis", "log_y"), EVERY_VIEW)
def test_a_specification_and_its_datasets_fit_together(axis, log_y):
    spec, data = spec_of(axis=axis, log_y=log_y), tables(axis)
    assert set(layers(spec)) == set(DRAWN)
    assert set(data) == {*DRAWN, "hover"}, "what is shown at the pointer is not drawn by Vega"
    # What is noticed has a layer for the squares and one for their counts.
    assert len(spec["layer"]) == len(DRAWN) + 1
    for layer in spec["layer"]:
        name = layer["data"]["name"]
        fields = {value for key, value in walk(layer["encoding"]) if key == "field"}
        assert fields, name
        assert fields <= set(data[name].column_names), name
        assert data[name].num_rows, name


def test_a_specification_carries_no_data_and_depends_on_nothing_but_the_look():
    keys = {key for key, _ in walk(spec_of())}
    assert not keys & {"values", "datasets", "url"}
    assert spec_of() == spec_of()
    others = [
        spec_of("Perplexity"), spec_of(axis=Axis.EPOCH), spec_of(height=METRIC_HEIGHT), spec_of(log_y=True),
        spec_of(y_format=".1e"),
    ]  # fmt: skip
    for one, other in itertools.combinations([spec_of(), *others], 2):
        assert one != other


def test_looks_are_told_apart_by_what_they_say():
    assert Layout("Loss", "Step", 300) == Layout("Loss", "Step", 300, log_y=False, y_format=None)
    assert len({Layout("Loss", "Step", 300), Layout("Loss", "Step", 300), Layout("Loss", "Step", 170)}) == 2


@pytest.mark.parametrize("height", [LOSS_HEIGHT, METRIC_HEIGHT])
def test_the_height_is_that_of_the_plot_and_the_room_around_it_is_fixed(height):
    spec = spec_of(height=height)
    assert spec["height"] == height
    assert spec["padding"] == AXES
    assert spec["autosize"] == "none", "else Vega would lay out the chart by its labels"
    assert "width" not in spec, "the page decides"


def test_vega_takes_no_part_in_hover_zoom_and_pin():
    spec = spec_of()
    assert spec["params"] == [{"name": Y_FORMAT, "value": ""}]
    assert not [key for key, _ in walk(spec["layer"]) if key in ("select", "params")]
    assert "hover" not in json.dumps(spec)


def test_no_mark_has_texts_that_nobody_can_reach():
    spec = spec_of()
    assert spec["config"]["mark"] == {"aria": False, "tooltip": None}
    assert not [key for key, _ in walk(spec["layer"]) if key in ("tooltip", "aria", "description")]


def test_what_was_noticed_lies_above_all_else_and_its_squares_above_their_counts():
    drawn = [(layer["data"]["name"], layer["mark"]["type"]) for layer in spec_of()["layer"]]
    assert drawn[-3:] == [("spans", "rule"), ("marks", "text"), ("marks", "point")]


def test_what_was_noticed_has_no_value_and_moves_no_axis():
    found = [layer for layer in spec_of()["layer"] if layer["data"]["name"] in ("spans", "marks")]
    assert len(found) == 3
    for layer in found:
        assert layer["encoding"]["y"] == {"field": "lane", "type": "quantitative", "scale": None, "axis": None}


def test_the_colour_is_the_one_in_the_data_and_has_no_legend():
    colored = [layer for layer in spec_of()["layer"] if "color" in layer["encoding"]]
    assert {layer["data"]["name"] for layer in colored} == set(DRAWN) - {"extent"}
    for layer in colored:
        assert layer["encoding"]["color"] == {"field": "color", "type": "nominal", "scale": None}


def test_train_is_solid_and_eval_dashed():
    scale = layers(spec_of())["lines"]["encoding"]["strokeDash"]["scale"]
    assert scale == {"domain": ["train", "eval"], "range": [[1, 0], [6, 4]]}


def test_segments_are_straight():
    assert layers(spec_of())["lines"]["mark"]["interpolate"] == "linear"


@pytest.mark.parametrize("log_y", [False, True])
@pytest.mark.parametrize("y_format", [None, ".1e"])
def test_the_y_axis_is_logarithmic_and_has_a_format_on_request(log_y, y_format):
    spec = spec_of(log_y=log_y, y_format=y_format)
    assert spec["params"] == [{"name": Y_FORMAT, "value": y_format or ""}]
    for name in ("lines", "evals", "best"):
        y = layers(spec)[name]["encoding"]["y"]
        assert y["scale"].get("type") == ("log" if log_y else None)
        assert f"{Y_FORMAT} ? format(datum.value, {Y_FORMAT})" in y["axis"]["labelExpr"]
        assert y["title"] == "Loss"


def test_all_layers_share_the_x_axis():
    for layer in spec_of(axis=Axis.HOURS)["layer"]:
        x = layer["encoding"]["x"]
        assert (x["field"], x["title"]) == ("x", "Hours since start")
        assert x["scale"] == {"nice": False, "zero": False}


@pytest.mark.parametrize("title", FOREIGN)
def test_a_foreign_metric_name_stands_in_the_title_as_it_is(title):
    spec = spec_of(title)
    assert layers(spec)["lines"]["encoding"]["y"]["title"] == title
    other = json.dumps(spec_of("Loss")).replace('"Loss"', json.dumps(title))
    assert json.dumps(spec) == other


@pytest.mark.parametrize(("axis", "log_y"), EVERY_VIEW)
def test_vega_lite_understands_it(axis, log_y):
    import vl_convert

    spec = spec_of(axis=axis, log_y=log_y)
    data = {name: table.to_pylist() for name, table in tables(axis).items() if name in DRAWN}
    vega = vl_convert.vegalite_to_vega(spec | {"datasets": data, "width": 400})
    assert {each["name"] for each in vega["data"]} >= set(DRAWN)
    assert not [each["name"] for each in vega["data"] if each["name"].endswith("_store")]

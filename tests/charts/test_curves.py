from __future__ import annotations

import itertools
import json
import re

import numpy as np
import pytest

from lib.charts.curves import DATASETS, LOSS_HEIGHT, PIN, ZOOM, curve_spec
from lib.charts.datasets import Notice, picture, pin_table
from lib.charts.drawn import Curve, View
from lib.charts.specification import AXES_HEIGHT
from lib.core.axes import Axis

EVERY_VIEW = list(itertools.product(Axis, [False, True]))
FOREIGN = ['<img src="x">', "a.b[0]", "'; x", "\\", "lr: 1e-4"]


def spec_of(title: str = "Loss", axis: Axis = Axis.STEP, **options) -> dict:
    return json.loads(curve_spec(title, axis.axis_title, height=LOSS_HEIGHT, **options))


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
    """The layers of the datasets by their names; the rule that follows the pointer has none."""
    return {layer["data"]["name"]: layer for layer in spec["layer"] if "name" in layer["data"]}


def tables(axis: Axis):
    steps = np.arange(5.0)
    curves = [
        Curve("● a", "#000000", steps, steps + 1, ".4f"),
        Curve("● b", "#111111", steps, np.array([1, np.nan, 3, 2, np.inf]), ".4f", evaluated=True, mark_lowest=True),
    ]
    found = picture(curves, View(axis.axis_title), [Notice("a", "#000000", 1.0, 3.0, "w")])
    return {**found.tables, "pin": pin_table(found.extent, 2.0)}


@pytest.mark.parametrize(("axis", "log_y"), EVERY_VIEW)
def test_a_specification_and_its_datasets_fit_together(axis, log_y):
    spec, data = spec_of(axis=axis, log_y=log_y), tables(axis)
    assert set(layers(spec)) == set(data) == set(DATASETS)
    # What is noticed has a layer for the squares and one for their counts, and one is the rule under the pointer.
    assert len(spec["layer"]) == len(DATASETS) + 2
    for layer in spec["layer"]:
        if "name" not in layer["data"]:
            continue
        name = layer["data"]["name"]
        fields = {value for key, value in walk(layer["encoding"]) if key == "field"}
        assert fields, name
        assert fields <= set(data[name].column_names), name
        assert data[name].num_rows, name


def test_a_specification_carries_no_data_and_depends_on_nothing_but_its_arguments():
    spec = spec_of()
    keys = {key for key, _ in walk(spec)}
    assert not keys & {"values", "datasets", "url"}
    assert curve_spec("Loss", "Step", height=300) == curve_spec("Loss", "Step", height=300)
    assert curve_spec("Loss", "Step", height=300) != curve_spec("Loss", "Epoch", height=300)
    assert curve_spec("Loss", "Step", height=300) != curve_spec("Loss", "Step", height=170)


def test_it_is_drawn_on_a_canvas_and_says_its_height():
    spec = spec_of()
    assert spec["usermeta"] == {"embedOptions": {"renderer": "canvas"}}
    assert spec["height"] == LOSS_HEIGHT + AXES_HEIGHT
    assert "width" not in spec, "the page decides"


def test_a_range_can_be_dragged_and_a_position_clicked():
    params = {param["name"]: param["select"] for param in spec_of()["params"]}
    assert set(params) == {ZOOM, PIN, "hover"}
    assert params[ZOOM]["type"] == "interval"
    assert params[PIN]["type"] == "point"
    assert params[PIN]["nearest"] is True
    assert all(select["encodings"] == ["x"] for select in params.values())


def test_the_hover_rule_searches_its_own_few_rows_only():
    params = {param["name"]: param["views"] for param in spec_of()["params"]}
    views = {name: layer.get("name") for name, layer in layers(spec_of()).items()}
    assert params["hover"] == params[PIN] == [views["hover"]]
    assert params[ZOOM] == [views["lines"]]


def test_one_rule_follows_the_pointer_so_that_a_move_redraws_no_other():
    (rule,) = (layer for layer in spec_of(axis=Axis.HOURS)["layer"] if "name" not in layer["data"])
    assert rule["data"] == {"sequence": {"start": 0, "stop": 1}}
    at = 'hover["Hours since start"]'
    assert rule["encoding"]["x"] == {"value": {"expr": f"{at} ? scale('x', {at}[0]) : 0"}}
    assert rule["encoding"]["opacity"] == {"value": {"expr": f"{at} ? 0.8 : 0"}}
    assert "hover" not in json.dumps(layers(spec_of())["hover"]["encoding"])


def test_only_the_squares_of_what_was_noticed_lie_above_the_hover_rule_and_take_the_pointer():
    names = list(layers(spec_of()))
    assert names.index("spans") < names.index("hover") < names.index("marks")
    with_tooltip = [layer for layer in spec_of()["layer"] if "tooltip" in json.dumps(layer)]
    assert spec_of()["config"]["mark"]["tooltip"] is None
    assert [layer["data"]["name"] for layer in with_tooltip] == ["hover", "marks"]
    assert with_tooltip[1]["mark"]["type"] == "point"
    assert spec_of()["layer"][-1] == with_tooltip[1]


def test_what_was_noticed_has_no_value_and_moves_no_axis():
    for layer in spec_of()["layer"]:
        if layer["data"].get("name") in ("spans", "marks"):
            assert layer["encoding"]["y"] == {"field": "lane", "type": "quantitative", "scale": None, "axis": None}


def test_the_colour_is_the_one_in_the_data_and_has_no_legend():
    for name, layer in layers(spec_of()).items():
        if "color" in layer["encoding"]:
            assert layer["encoding"]["color"] == {"field": "color", "type": "nominal", "scale": None}, name


def test_train_is_solid_and_eval_dashed():
    scale = layers(spec_of())["lines"]["encoding"]["strokeDash"]["scale"]
    assert scale == {"domain": ["train", "eval"], "range": [[1, 0], [6, 4]]}


def test_segments_are_straight():
    assert layers(spec_of())["lines"]["mark"]["interpolate"] == "linear"


@pytest.mark.parametrize("log_y", [False, True])
def test_the_y_axis_is_logarithmic_on_request(log_y):
    found = layers(spec_of(log_y=log_y, y_format=".1e"))
    for name in ("lines", "evals", "best"):
        y = found[name]["encoding"]["y"]
        assert y["scale"].get("type") == ("log" if log_y else None)
        assert y["axis"]["format"] == ".1e"
        assert y["title"] == "Loss"


def test_all_layers_share_the_x_axis():
    found = layers(spec_of(axis=Axis.HOURS))
    for name in ("extent", "lines", "evals", "best", "nonfinite", "pin"):
        assert found[name]["encoding"]["x"]["title"] == "Hours since start"
        assert found[name]["encoding"]["x"]["scale"] == {"nice": False, "zero": False}
    assert found["hover"]["encoding"]["x"]["field"] == "Hours since start"


@pytest.mark.parametrize("title", FOREIGN)
def test_a_foreign_metric_name_stands_in_the_title_as_it_is(title):
    spec = spec_of(title)
    assert layers(spec)["lines"]["encoding"]["y"]["title"] == title
    other = re.sub("view_[0-9a-f]+", "view", json.dumps(spec_of("Loss")).replace('"Loss"', json.dumps(title)))
    assert re.sub("view_[0-9a-f]+", "view", json.dumps(spec)) == other


@pytest.mark.parametrize(("axis", "log_y"), EVERY_VIEW)
def test_vega_lite_understands_it(axis, log_y):
    import vl_convert

    spec = spec_of(axis=axis, log_y=log_y)
    data = {name: table.to_pylist() for name, table in tables(axis).items()}
    vega = vl_convert.vegalite_to_vega(spec | {"datasets": data, "width": 400})
    assert {each["name"] for each in vega["data"]} >= set(DATASETS)
    assert {"zoom_store", "pin_store", "hover_store"} <= {each["name"] for each in vega["data"]}

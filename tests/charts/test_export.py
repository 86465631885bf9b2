"""A chart as a picture to keep, read from its SVG."""

from __future__ import annotations

import re
import struct
from dataclasses import replace

import numpy as np
import pytest

from lib.charts.datasets import FindingMark
from lib.charts.drawn import Curve, View
from lib.charts.export import PNG_SCALE, to_png, to_svg
from lib.charts.lane import SIGNS
from lib.charts.palette import RUN_COLORS, RUN_SHAPES
from lib.charts.still import HEIGHT, LONGEST_AT_END, NAMES, SMALL_HEIGHT, WIDTH
from tests.charts.pictures import (
    LOOK,
    NOTE,
    PLAIN,
    STEPS,
    SVG,
    THEME,
    drawn,
    extent_of_texts,
    lines_of,
    losses,
    made,
    texts,
)

HOSTILE = (
    "<img src=x onerror=alert(1)>",
    "</text></svg><script>alert(1)</script>",
    '"] + alert(1) + ["\'',
    "back\\slash \u2028 `${x}`",
    "客服 & rank 🦙",
)


def test_it_says_what_it_is_who_is_in_it_and_what_the_lines_mean():
    found = texts(made(losses()).picture())
    assert {"Loss", "Step", NOTE} <= set(found)
    named = {text for text in found if text.split()[0] in PLAIN}
    assert named == {"one 0.50", "two 0.51", "three 0.52", "four 0.53", "five 0.54"}


def test_names_stand_at_the_ends_of_their_lines():
    picture = made(losses()).picture()
    rows = [*picture["datasets"]["first"], *picture["datasets"]["names"]]
    heights = {row["text"].split("\N{NO-BREAK SPACE}")[0]: row["py"] for row in rows}
    # The runs end one apart, so there is room for each at the height of its end.
    ends = {row["color"]: row["py"] for row in picture["datasets"]["leaders"] if row["place"] == 0}
    assert heights == {name: pytest.approx(ends[RUN_COLORS[slot]]) for slot, name in enumerate(PLAIN)}
    assert heights["five"] < heights["four"] < heights["one"]


def test_names_of_lines_that_end_together_keep_apart():
    curves = [Curve(f"● {slot}", slot, STEPS, 1 / STEPS, ".4f") for slot in range(5)]
    picture = made(curves).picture()
    rows = sorted([*picture["datasets"]["first"], *picture["datasets"]["names"]], key=lambda row: row["py"])
    apart = np.diff([row["py"] for row in rows])
    assert len(rows) == 5
    assert (apart >= 15).all()
    assert all(0 <= row["py"] <= HEIGHT for row in rows)


def test_lines_have_the_colours_and_widths_of_their_kind():
    root = drawn(made(losses()).picture())
    lines = {
        (each.get("stroke"), each.get("stroke-width")) for each in lines_of(root) if each.get("stroke-width") != "1"
    }
    assert lines == {(color, "2") for color in RUN_COLORS}
    pale = [each for each in lines_of(root) if float(each.get("stroke-opacity", 1)) < 0.5]
    assert {each.get("stroke") for each in pale} == set(RUN_COLORS)
    assert {each.get("stroke-width") for each in pale} == {"1"}


def test_every_run_has_its_shape():
    data = made(losses()).picture()["datasets"]
    for name in ("marks", "best", "keys"):
        assert {(row["color"], row["shape"]) for row in data[name]} == set(zip(RUN_COLORS, RUN_SHAPES, strict=True))
    assert len(data["best"]) == 5
    assert {row["x"] for row in data["best"]} == {30.0}


@pytest.mark.parametrize(("mode", "lines"), [("train and eval", 10), ("eval", 5), ("train", 5)])
def test_it_shows_the_losses_that_are_chosen(mode, lines):
    picture = made(losses()).picture(replace(LOOK, mode=mode))
    assert len({row["line"] for row in picture["datasets"]["lines"]}) == lines
    assert bool(picture["datasets"]["best"]) == (mode != "train")
    assert "one 0.50" in texts(picture)


def test_the_theme_is_that_of_the_page():
    svg = to_svg(made(losses()).picture()).decode()
    assert f'fill="{THEME["ground"]}"' in svg
    assert {THEME[name] for name in ("text", "muted", "grid", "control")} <= set(re.findall(r"#[0-9a-f]{6}", svg))
    assert not {"#000000", "black"} & set(re.findall(r'(?:fill|stroke)="([^"]+)"', svg))


def test_the_recommended_run_stands_out():
    picture = made(losses()).picture(replace(LOOK, first=(2,)))
    assert [row["text"].split("\N{NO-BREAK SPACE}")[0] for row in picture["datasets"]["first"]] == ["three"]
    sizes = {row["color"]: row["size"] for row in picture["datasets"]["best"]}
    assert max(sizes, key=sizes.__getitem__) == RUN_COLORS[2]


def test_the_checkpoint_to_ship_has_its_rule_and_its_name():
    picture = made(losses(), flag={"x": 30.0, "slot": 0, "text": "★ checkpoint-30"}).picture()
    assert "checkpoint-30" in texts(picture)
    (row,) = picture["datasets"]["ship"]
    (best,) = [each for each in picture["datasets"]["best"] if each["color"] == RUN_COLORS[0]]
    assert row["x"] == best["x"] == 30.0
    out_of_view = made(losses(), View("Step", 1, 20), flag={"x": 30.0, "slot": 0, "text": "★ checkpoint-30"}).picture()
    assert "checkpoint-30" not in texts(out_of_view)


def test_what_is_no_number_is_marked_on_the_axis():
    y = np.where(STEPS == 7, np.nan, 1 / STEPS)
    picture = made([Curve("● a", 3, STEPS, y, ".4f")], said="▼ 1 NaN or infinite").picture()
    assert [(row["x"], row["color"]) for row in picture["datasets"]["nonfinite"]] == [(7.0, RUN_COLORS[3])]
    assert any("▼ 1 NaN or infinite" in text for text in texts(picture))


def test_outliers_are_left_out_and_counted_where_they_are_on_the_page():
    y = np.where(STEPS == 20, 100.0, 1 + STEPS / 100)
    chart = made([Curve("● a", 0, STEPS, y, ".4f")], bounds={"eval": [1.0, 1.4, 1, 40, False]})
    clipped = chart.picture(replace(LOOK, mode="eval", clips=True))
    whole = chart.picture(replace(LOOK, mode="eval"))
    assert any("1 of 40 points lie outside" in text for text in texts(clipped))
    assert not any("outside" in text for text in texts(whole))
    # A spike that the axis does not reach has a sign at the edge.
    assert [row["shape"] for row in clipped["datasets"]["beyond"]] == ["triangle-up"]
    assert whole["datasets"]["beyond"] == []
    assert "100" in texts(whole)
    assert "100" not in texts(clipped)


def test_no_mark_lies_outside_of_the_plot():
    curve = Curve("● a", 0, STEPS, np.where(STEPS == 1, 100.0, 1 + STEPS / 100), ".4f", True, best=0)
    picture = made([curve], bounds={"eval": [1.0, 1.4, 1, 40, True]}).picture(replace(LOOK, mode="eval", clips=True))
    assert 1.0 not in {row["x"] for row in picture["datasets"]["marks"]}
    assert picture["datasets"]["best"] == []


def test_findings_have_rows_signs_bars_and_words():
    marks = (FindingMark(1, "loss_spike", 10.0, 10.0, "spike"), FindingMark(1, "eval_rebound", 20.0, 40.0, "rises"))
    lane = [{"slot": 1, "words": "loss spike, eval rises", "symbols": {"loss_spike": "spike", "eval_rebound": "rise"}}]
    picture = made(losses(), marks=marks, lane=lane).picture()
    data = picture["datasets"]
    assert {"health", "loss spike, eval rises"} <= set(texts(picture))
    assert [row["color"] for row in data["chips"]] == [RUN_COLORS[1]] * 2
    assert [row["shape"].count("M") for row in data["chips"]] == [len(SIGNS["spike"]), len(SIGNS["rise"])]
    (span,) = data["spans"]
    assert span["px"] == pytest.approx(data["chips"][1]["px"])
    assert all(row["py"] > HEIGHT for row in (*data["chips"], *data["found"]))


def test_smoothing_and_a_log_axis_are_said_and_drawn():
    view = View("Step", smoothing=0.6, log_y=True)
    picture = made(losses(1), view).picture()
    assert any("smoothed with 0.6, raw values pale · log scale" in text for text in texts(picture))
    assert len({row["line"] for row in picture["datasets"]["lines"]}) == 3
    scales = [
        layer["encoding"]["y"]["scale"]["type"]
        for layer in picture["layer"]
        if (layer["encoding"]["y"].get("scale") or {}).get("type")
    ]
    assert set(scales) == {"log"}
    low, high = next(
        layer["encoding"]["y"]["scale"]["domain"]
        for layer in picture["layer"]
        if (layer["encoding"]["y"].get("scale") or {}).get("domain")
    )
    assert 0 < low < 1 / 40
    assert high > 1


@pytest.mark.parametrize("log_y", [False, True])
def test_a_chart_of_nothing_can_be_kept_too(log_y):
    found = texts(made([], View("Step", log_y=log_y)).picture())
    assert {"Loss", "Step"} <= set(found)


@pytest.mark.parametrize("value", [0.0, 5.0, -3.0])
def test_a_curve_of_one_value_or_one_point_is_drawn(value):
    level = made([Curve("● a", 0, STEPS, np.full(40, value), ".4f")]).picture()
    alone = made([Curve("● a", 0, STEPS[:1], np.array([value]), ".4f")]).picture()
    assert "one 0.50" in texts(level)
    assert "one 0.50" in texts(alone)
    assert len(alone["datasets"]["marks"]) == 1


def test_names_are_text_and_nothing_else():
    picture = made(losses()).picture(replace(LOOK, names=dict(enumerate(HOSTILE))), title=HOSTILE[0])
    found = texts(picture)
    for name in HOSTILE:
        assert any(" ".join(name.split()) in text for text in found), name
    root = drawn(picture)
    assert {element.tag.removeprefix(SVG) for element in root.iter()} <= {
        *("svg", "g", "path", "text", "rect", "line", "defs", "clipPath", "tspan")
    }
    assert not [name for element in root.iter() for name in element.attrib if name.lower().startswith("on")]
    assert HOSTILE[0] in found


def test_a_name_turns_nothing_around():
    names = {0: "run\u202e-1", **dict(list(enumerate(PLAIN))[1:])}
    picture = made(losses(), flag={"x": 30.0, "slot": 0, "text": "★ step\u202e 30"}).picture(replace(LOOK, names=names))
    assert not [text for text in texts(picture) if "\u202e" in text]
    assert "run-1 0.50" in texts(picture)
    assert "step 30" in texts(picture)


@pytest.mark.parametrize(
    "name",
    [
        "mixtral-8x7b-instruct-customer-support-1",
        "x" * 300,
        "word " * 60,
        "W" * LONGEST_AT_END,
        "客" * 41,
        "i" * (LONGEST_AT_END + 1),
    ],
)
def test_nothing_is_cut(name):
    names = {0: name, **dict(list(enumerate(PLAIN))[1:])}
    root = drawn(
        made(losses(), flag={"x": 30.0, "slot": 0, "text": "★ checkpoint-30"}).picture(replace(LOOK, names=names))
    )
    _, _, width, height = map(float, root.get("viewBox").split())
    found = extent_of_texts(root)
    assert all(left >= 0 and right <= width for left, right, _, _ in found)
    assert all(0 < y < height for *_, y, _ in found)
    assert "".join(name.split()) in "".join("".join(text.split()) for *_, text in found)
    assert not [text for *_, text in found if "…" in text]


def test_long_names_are_a_legend_in_the_order_of_the_runs():
    names = {slot: f"{name} {'x' * 120}" for slot, name in enumerate(PLAIN)}
    data = made(losses()).picture(replace(LOOK, names=names))["datasets"]
    assert [row["color"] for row in data["keys"]] == list(RUN_COLORS)
    heights = [row["py"] for row in data["keys"]]
    assert heights == sorted(heights)
    assert max(heights) < 0
    assert data["leaders"] == []


@pytest.mark.parametrize("log_y", [False, True])
@pytest.mark.parametrize("size", [1e-9, 3e-6, 1e-4, 1.0, 3e4, 1e8])
def test_the_y_axis_is_short_whatever_the_values(size, log_y):
    curve = Curve("● a", 0, STEPS, size * (1 + 8 * STEPS / 40), ".4f")
    root = drawn(made([curve], View("Step", log_y=log_y)).picture())
    labels = [text for left, _, _, text in extent_of_texts(root) if left < 60 and re.match(r"[-\u2212]?[0-9]", text)]
    assert len(labels) > 3
    assert max(map(len, labels)) <= 7, labels


def test_the_y_axis_has_the_format_of_its_metric():
    curve = Curve("● a", 0, STEPS, 2e3 * (1 + STEPS / 40), ".4f")
    found = texts(made([curve], format="~s").picture())
    assert sum(bool(re.fullmatch(r"[\d.]+k", text)) for text in found) > 3


def test_a_zoomed_picture_has_the_range_of_the_page():
    picture = made(losses(), View("Step", 10, 20)).picture()
    x = next(layer["encoding"]["x"] for layer in picture["layer"] if layer["encoding"]["x"].get("title") == "Step")
    low, high = x["scale"]["domain"]
    assert 9 < low <= 10
    assert 20 <= high < 21
    assert max(row["px"] for row in picture["datasets"]["keys"]) < WIDTH + 30


def test_it_needs_no_page():
    picture = made(losses()).picture()
    assert set(picture["datasets"]) == set(NAMES) == {layer["data"]["name"] for layer in picture["layer"]}


def test_a_png_is_sharp_enough_to_present():
    for is_wide, height in ((True, HEIGHT), (False, SMALL_HEIGHT)):
        png = to_png(made(losses(1), wide=is_wide).picture())
        assert png.startswith(b"\x89PNG\r\n\x1a\n")
        width, tall = struct.unpack(">II", png[16:24])
        assert width >= WIDTH * PNG_SCALE
        assert height * PNG_SCALE <= tall <= 2 * height * PNG_SCALE

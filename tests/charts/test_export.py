from __future__ import annotations

import json
import re
import struct
from xml.etree import ElementTree

import numpy as np
import pytest

from lib.charts.datasets import chart_data
from lib.charts.drawn import Curve, View
from lib.charts.export import PICTURE_WIDTH, PNG_SCALE, STILL, standalone, to_png, to_svg
from lib.charts.layout import DRAWN, Layout
from lib.charts.palette import RUN_COLORS
from lib.charts.specification import specification

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = (
    "<img src=x onerror=alert(1)>",
    "</text></svg><script>alert(1)</script>",
    '"] + alert(1) + ["\'',
    "back\\slash \u2028 `${x}`",
    "客服 & rank 🦙\U000e0041",
)
LAYOUT = Layout("Loss", "Step", 200)


def chart(labels=HOSTILE, title="Loss", layout=LAYOUT) -> dict:
    legend = dict(zip(RUN_COLORS, labels, strict=False))
    steps = np.arange(1.0, 40.0)
    curves = []
    for number, (color, label) in enumerate(legend.items()):
        curves.append(Curve(f"● {label} (T)", color, steps, 1 / steps + number, ".4f"))
        evals = np.where(steps == 7, np.nan, 2 / steps + number)
        curves.append(Curve(f"● {label} (E)", color, steps, evals, ".4f", evaluated=True, mark_lowest=True))
    return standalone(layout, chart_data(curves, View("Step")).tables, title=title, legend=legend)


def texts(svg: bytes) -> list[str]:
    root = ElementTree.fromstring(svg)
    return ["".join(element.itertext()) for element in root.iter(f"{SVG}text")]


@pytest.fixture(scope="module")
def svg() -> bytes:
    return to_svg(chart())


def test_the_picture_names_every_run_in_its_legend(svg):
    found = texts(svg)
    for label in HOSTILE:
        assert any(" ".join(text.split()) == " ".join(label.split()) for text in found), label


def test_names_are_text_in_the_picture_and_nothing_else(svg):
    root = ElementTree.fromstring(svg)
    kinds = {element.tag.removeprefix(SVG) for element in root.iter()}
    assert kinds <= {"svg", "g", "path", "text", "rect", "line", "defs", "clipPath", "tspan"}
    assert not [name for element in root.iter() for name in element.attrib if name.lower().startswith("on")]
    assert b"<img" not in svg


def test_the_picture_shows_the_colours_of_the_runs(svg):
    strokes = {element.get("stroke", "").lower() for element in ElementTree.fromstring(svg).iter()}
    assert {color.lower() for color in RUN_COLORS} <= strokes


def test_the_title_is_plain_text():
    assert "<b>eval</b>_f1 'x'" in texts(to_svg(chart(title="<b>eval</b>_f1 'x'")))


def test_the_order_of_the_legend_is_the_order_of_the_runs(svg):
    found = [" ".join(text.split()) for text in texts(svg)]
    places = [found.index(" ".join(label.split())) for label in HOSTILE]
    assert places == sorted(places)


def test_the_legend_names_no_more_than_the_runs():
    found = texts(to_svg(chart(("only one",))))
    assert found.count("only one") == 1
    assert not set(found) & set(RUN_COLORS)


def test_a_png_is_sharp_enough_to_present():
    png = to_png(chart())
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", png[16:24])
    assert width >= PICTURE_WIDTH * PNG_SCALE
    assert height >= 200 * PNG_SCALE


def test_it_carries_its_data_and_leaves_out_what_needs_a_page():
    found = chart()
    assert {layer["data"]["name"] for layer in found["layer"]} == set(STILL)
    assert set(found["datasets"]) == set(STILL)
    assert set(DRAWN) - set(STILL) == {"extent", "spans", "marks"}
    assert found["datasets"]["lines"]
    assert "tooltip" not in json.dumps(found["layer"])


def test_the_specification_of_the_page_stays_as_it_is():
    before = specification(LAYOUT).to_dict()
    found = chart()
    assert specification(LAYOUT).to_dict() == before
    assert "width" not in before
    assert found["autosize"] != before["autosize"], "a legend needs room"


def test_a_log_axis_and_an_empty_chart_can_be_kept_too():
    log = Layout("Loss", "Step", 200, log_y=True)
    assert "Loss" in texts(to_svg(chart(title="T", layout=log)))
    nothing = standalone(LAYOUT, chart_data([], View("Step")).tables, title="Nothing", legend={RUN_COLORS[0]: "a"})
    assert "Nothing" in texts(to_svg(nothing))


def test_the_axes_are_named_in_the_picture():
    found = texts(to_svg(chart(title="T", layout=Layout("GPU memory (GB)", "Hours since start", 200))))
    assert {"GPU memory (GB)", "Hours since start"} <= set(found)


@pytest.mark.parametrize(("y_format", "size", "like"), [(".1e", 1e-4, r"\d\.\de[\u2212-]\d"), ("~s", 2e3, r"\d+k")])
def test_the_y_axis_has_the_format_that_the_look_asks_for(y_format, size, like):
    steps = np.arange(1.0, 40.0)
    shown = chart_data([Curve("● a", RUN_COLORS[0], steps, size * (1 + 8 * steps / 40), ".4f")], View("Step"))
    drawn = {}
    for wanted in (y_format, None):
        layout = Layout("Loss", "Step", 200, y_format=wanted)
        drawn[wanted] = texts(to_svg(standalone(layout, shown.tables, title="T", legend={RUN_COLORS[0]: "a"})))
    assert sum(bool(re.fullmatch(like, text)) for text in drawn[y_format]) > 3, drawn[y_format]
    assert not [text for text in drawn[None] if re.fullmatch(like, text)]


@pytest.mark.parametrize("log_y", [False, True])
@pytest.mark.parametrize("size", [1e-9, 3e-6, 1e-4, 1.0, 3e4, 1e5, 1e8])
def test_the_y_axis_has_room_for_its_labels_whatever_the_values(size, log_y):
    steps = np.arange(1.0, 40.0)
    curves = [Curve("● a", RUN_COLORS[0], steps, size * (1 + 8 * steps / 40), ".4f")]
    layout = Layout("Loss", "Step", 200, log_y)
    drawn = standalone(
        layout, chart_data(curves, View("Step", log_y=log_y)).tables, title="T", legend={RUN_COLORS[0]: "a"}
    )
    labels = [text for text in texts(to_svg(drawn)) if re.match(r"[-\u2212]?[0-9]", text)]
    assert len(labels) > 6
    assert max(map(len, labels)) <= 7, labels

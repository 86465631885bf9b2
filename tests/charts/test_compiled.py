"""What the browser draws with: the file of the compiled specification, and the Vega beside it."""

from __future__ import annotations

import json
import re
from xml.etree import ElementTree

import numpy as np
import pytest

from lib.charts.compiled import COMPILED_FILE, TITLES, compiled
from lib.charts.datasets import RAW_OPACITY, chart_data
from lib.charts.drawn import Curve, View
from lib.charts.layout import AXES, DRAWN, Layout
from lib.charts.palette import RUN_COLORS
from lib.charts.specification import Y_FORMAT, specification

SCALES = pytest.mark.parametrize("scale", ["linear", "log"])


@pytest.fixture(scope="module")
def made() -> dict[str, dict]:
    return compiled()


def scale_of(vega: dict, name: str) -> dict:
    (found,) = [each for each in vega["scales"] if each["name"] == name]
    return found


def test_the_file_is_what_would_be_written_now(made):
    assert json.loads(COMPILED_FILE.read_text()) == made, "python -m lib.charts.compiled"


def test_there_is_one_for_each_scale(made):
    assert {name: scale_of(vega, "y")["type"] for name, vega in made.items()} == {"linear": "linear", "log": "log"}
    assert {scale_of(vega, "x")["type"] for vega in made.values()} == {"linear"}


@SCALES
def test_every_dataset_that_is_drawn_is_in_it_without_values(made, scale):
    data = {each["name"]: each for each in made[scale]["data"]}
    sources = {name for name, each in data.items() if "source" not in each}
    assert sources == set(DRAWN)
    assert all(each.keys() <= {"name", "format"} for name, each in data.items() if name in DRAWN)
    for each in data.values():
        assert not each.keys() & {"values", "url"}
    drawn = {mark.get("from", {}).get("data") or mark["from"]["facet"]["data"] for mark in made[scale]["marks"]}
    assert {data[name].get("source", name) for name in drawn} == set(DRAWN)


@SCALES
def test_the_titles_are_signals(made, scale):
    titles = {each["scale"]: each["title"] for each in made[scale]["axes"] if "title" in each}
    assert titles == {axis: {"signal": name} for axis, name in TITLES.items()}
    assert set(TITLES.values()) <= {each["name"] for each in made[scale]["signals"]}


@SCALES
def test_the_format_of_the_y_axis_is_a_signal_that_its_labels_read(made, scale):
    assert {"name": Y_FORMAT, "value": ""} in made[scale]["signals"]
    labels = [each["encode"]["labels"]["update"]["text"]["signal"] for each in made[scale]["axes"] if "encode" in each]
    assert len(labels) == 1
    assert f"format(datum.value, {Y_FORMAT})" in labels[0]


@SCALES
def test_the_page_shows_through(made, scale):
    assert "background" not in made[scale]


@SCALES
def test_the_plot_has_its_place_whatever_the_labels(made, scale):
    assert made[scale]["padding"] == AXES
    assert made[scale]["autosize"] in ("none", {"type": "none"})


@SCALES
def test_one_serves_every_look_of_its_scale(made, scale):
    import vl_convert

    layout = Layout("GPU memory (GB)", "Hours since start", 431, scale == "log", ".1e")
    own = vl_convert.vegalite_to_vega(specification(layout).to_dict() | {"width": 777})
    assert (own.pop("height"), own.pop("width")) == (431, 777)
    (y_format,) = [each for each in own["signals"] if each["name"] == Y_FORMAT]
    assert y_format.pop("value") == ".1e"
    shared = json.loads(json.dumps(made[scale]))
    del shared["height"], shared["width"]
    shared["signals"] = [{"name": Y_FORMAT}]
    for axis in shared["axes"]:
        if "title" in axis:
            axis["title"] = {TITLES["x"]: layout.axis_title, TITLES["y"]: layout.title}[axis["title"]["signal"]]
    del own["background"]
    (curves,) = [mark for mark in shared["marks"] if mark["type"] == "group"]
    del curves["sort"]  # Vega-Lite knows no order of lines
    assert own == shared


@SCALES
def test_it_draws_curves_in_their_order_whichever_came_first_and_names_the_axes(made, scale):
    import vl_convert

    shown = chart_data(
        [Curve(f"● {color}", color, np.arange(1.0, 9.0), np.arange(1.0, 9.0), ".4f") for color in RUN_COLORS],
        View("Step", smoothing=0.5),
    )
    vega = json.loads(json.dumps(made[scale])) | {"width": 300}
    for data in vega["data"]:
        if data["name"] in DRAWN:
            data["values"] = shown.tables[data["name"]].to_pylist()[::-1]
    for signal in vega["signals"]:
        signal["value"] = {TITLES["x"]: "<Step>", TITLES["y"]: "'Loss'"}.get(signal["name"], signal["value"])
    svg = ElementTree.fromstring(vl_convert.vega_to_svg(vega))
    lines = [
        (each.get("stroke"), float(each.get("opacity", 1))) for each in svg.iter() if each.get("stroke-width") == "1.6"
    ]
    assert lines == [(color, opacity) for color in RUN_COLORS for opacity in (RAW_OPACITY, 1.0)]
    assert {"<Step>", "'Loss'"} <= {element.text for element in svg.iter()}


@SCALES
def test_the_script_sets_signals_and_asks_scales_that_are_there(made, scale):
    script = (COMPILED_FILE.parent / "charts.js").read_text()
    signals = set(re.findall(r"\.signal\('(\w+)'", script))
    assert signals == {Y_FORMAT, *TITLES.values()}
    assert signals <= {each["name"] for each in made[scale]["signals"]}
    asked = set(re.findall(r"view\.scale\('(\w+)'\)", script))
    assert asked
    assert asked <= {each["name"] for each in made[scale]["scales"]}


@SCALES
def test_the_vega_beside_it_is_of_the_version_that_it_is_written_for(made, scale):
    wanted = re.fullmatch(r"https://vega\.github\.io/schema/vega/v(\d+)\.json", made[scale]["$schema"])
    library = (COMPILED_FILE.parent / "vega.min.js").read_text()
    (version,) = re.findall(r'\b\w\.version="(\d+)\.\d+\.\d+"', library)
    assert version == wanted[1]

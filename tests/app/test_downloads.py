"""What can be kept of the charts: who is offered what, and what is in it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from xml.etree import ElementTree

import pytest
import streamlit as st

from lib.charts.palette import RUN_COLORS
from lib.charts.theme import COLORS
from lib.ui.charts.component import CHARTS
from lib.ui.charts.downloads import CSV
from tests.app.harness import PROJECT_ROOT, App

TURN = 1790000000000


@pytest.fixture
def files(monkeypatch) -> dict[str, Callable[[], bytes]]:
    """What makes the files that were offered last, by their names."""
    found = {}
    offer = st.download_button

    def offered(label, data, file_name, *args, **options):
        found[file_name] = data
        return offer(label, data, file_name, *args, **options)

    monkeypatch.setattr(st, "download_button", offered)
    return found


def buttons(app: App) -> list[str]:
    return [each.key for each in app.at.get("download_button")]


def ask(app: App, chart: str = "loss", kind: str = "svg", turn: object = TURN) -> App:
    return app.trigger(CHARTS, "picture", {"chart": chart, "kind": kind, "turn": turn})


def texts(svg: bytes) -> list[str]:
    return ["".join(each.itertext()) for each in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]


def test_a_picture_is_offered_when_it_is_asked_for(opened, demo, files):
    app = opened(run=demo.alike[:2])
    assert [key for key in buttons(app) if key.startswith("download")] == [CSV]
    ask(app).assert_sound()
    assert f"download_picture_{TURN}" in buttons(app)
    svg = files["runoff-loss.svg"]()
    for run in app.shared["runs"]:
        assert [text for text in texts(svg) if text.startswith(run["label"])], "in full"
        assert RUN_COLORS[run["slot"]] in svg.decode()
    assert "Loss" in texts(svg)
    ask(app, "grad_norm", "png", TURN + 1)
    assert [key for key in buttons(app) if "picture" in key] == [f"download_picture_{TURN + 1}"]
    assert files["runoff-grad_norm.png"]().startswith(b"\x89PNG")


def test_it_stays_while_it_is_made_and_shows_what_is_looked_at(opened, demo, files):
    app = ask(opened(run=demo.alike[:2]))
    before = texts(files["runoff-loss.svg"]())
    app.put(loss="train", log="1", smooth="0.6")
    assert f"download_picture_{TURN}" in buttons(app)
    after = texts(files["runoff-loss.svg"]())
    assert any("train pale" in text for text in before)
    assert not any("train pale" in text for text in after)
    assert any("smoothed with 0.6, raw values pale" in text and "log scale" in text for text in after)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_has_the_theme_that_is_shown(opened, demo, files, theme):
    app = opened(run=demo.alike[:2])
    app.at.context["theme"] = theme
    ask(app)
    assert f'fill="{COLORS["ground"][theme == "dark"]}"' in files["runoff-loss.svg"]().decode()


@pytest.mark.parametrize("is_ignored", [True, False])
def test_outliers_are_ignored_where_the_page_ignores_them(opened, demo, files, is_ignored):
    app = ask(opened(run=demo.alike, outliers="ignored" if is_ignored else "shown"))
    assert any("points lie outside" in text for text in texts(files["runoff-loss.svg"]())) == is_ignored
    bounds = app.charts["Loss"].head["bounds"]["train and eval"]
    auto = ask(opened(run=demo.alike))
    assert any("points lie outside" in text for text in texts(files["runoff-loss.svg"]())) == bounds[4]
    auto.assert_sound()


@pytest.mark.parametrize(
    "asked",
    [
        {"chart": "no_such", "kind": "svg", "turn": 1},
        {"chart": "loss", "kind": "exe", "turn": 1},
        {"chart": "loss", "kind": ["svg"], "turn": 1},
        {"chart": "loss", "kind": "svg", "turn": "x'] { } ["},
        {"chart": {}, "kind": "svg", "turn": 1},
        {},
        [],
        "loss",
        None,
    ],
)
def test_a_wish_that_makes_no_sense_is_none(opened, demo, asked):
    app = opened(run=demo.alike[:1])
    before = buttons(app)
    app.trigger(CHARTS, "picture", asked).assert_sound()
    assert buttons(app) == before


PROGRAM = """
import sys
from tests.app.harness import App
app = App.open(run={runs})
app.assert_sound()
assert len(app.charts) == 5
sys.exit(', '.join(sorted({{'altair', 'vl_convert'}} & {{name.partition('.')[0] for name in sys.modules}})) or 0)
"""


def test_a_page_with_charts_loads_nothing_that_only_pictures_need(demo):
    program = PROGRAM.format(runs=json.dumps(demo.alike))
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=PROJECT_ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr[-500:]

"""What can be kept of the charts: who is offered what, and what is in it."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from xml.etree import ElementTree

import numpy as np
import pytest

from lib.charts.palette import RUN_COLORS
from lib.charts.theme import COLORS
from lib.ui.charts.component import CHARTS
from lib.ui.charts.downloads import CSV
from tests.app.harness import PROJECT_ROOT, App

TURN = 1790000000000


def buttons(app: App) -> list[str]:
    return [each.key for each in app.at.get("download_button")]


def ask(app: App, chart: str = "loss", kind: str = "svg", turn: object = TURN) -> App:
    return app.trigger(CHARTS, "file", {"chart": chart, "kind": kind, "turn": turn})


def texts(svg: bytes) -> list[str]:
    return ["".join(each.itertext()) for each in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]


def test_a_picture_is_offered_when_it_is_asked_for(opened, demo, files):
    app = opened(run=demo.alike[:2])
    assert [key for key in buttons(app) if key.startswith("download")] == [CSV]
    ask(app).assert_sound()
    assert f"download_file_{TURN}" in buttons(app)
    svg = files["runoff-loss.svg"]()
    for run in app.shared["runs"]:
        assert [text for text in texts(svg) if text.startswith(run["label"])], "in full"
        assert RUN_COLORS[run["slot"]] in svg.decode()
    assert "Loss" in texts(svg)
    ask(app, "grad_norm", "png", TURN + 1)
    assert [key for key in buttons(app) if "file" in key] == [f"download_file_{TURN + 1}"]
    assert files["runoff-grad_norm.png"]().startswith(b"\x89PNG")


def test_it_stays_while_it_is_made_and_shows_what_is_looked_at(opened, demo, files):
    app = ask(opened(run=demo.alike[:2]))
    before = texts(files["runoff-loss.svg"]())
    app.put(loss="train", log="1", smooth="0.6")
    assert f"download_file_{TURN}" in buttons(app)
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
    app.trigger(CHARTS, "file", asked).assert_sound()
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


def rows_of(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode())))


def test_what_a_chart_draws_is_offered_as_a_table(opened, demo, files):
    app = ask(opened(run=demo.alike[:2], zoom="500~1500", smooth="0.6"), kind="csv")
    app.assert_sound()
    rows = rows_of(files["runoff-loss-drawn.csv"]())
    lines = app.charts["Loss"].data["lines"]
    inside = lines[lines["x"].between(500, 1500)]
    drawn = [row for row in rows if row["drawn_as"] in ("line", "smoothed", "raw")]
    assert sorted((float(row["Step"]), float(row["value"])) for row in drawn) == sorted(
        zip(inside["x"], inside["y"], strict=True)
    )
    assert {row["run"] for row in rows} == {run["label"] for run in app.shared["runs"]}
    assert {(row["metric"], row["drawn_as"]) for row in rows} >= {
        *(("train_loss", "smoothed"), ("train_loss", "raw"), ("eval_loss", "line"), ("eval_loss", "mark"))
    }
    assert all(500 <= float(row["Step"]) <= 1500 for row in rows)


def test_it_follows_the_choice_of_losses_and_says_what_lies_beyond_the_axis(opened, demo, files):
    ask(opened(run=demo.alike[:2], loss="eval", outliers="ignored"), kind="csv")
    rows = rows_of(files["runoff-loss-drawn.csv"]())
    assert {row["metric"] for row in rows} == {"eval_loss"}
    assert {row["beyond_y_axis"] for row in rows} == {"yes", "no"}


def test_differences_are_named_so_in_it(opened, demo, files):
    first, second = demo.alike[:2]
    app = ask(opened(run=[first, second], base=first, minus="1"), kind="csv")
    rows = rows_of(files["runoff-loss-drawn.csv"]())
    label = app.charts[next(title for title in app.charts if title.startswith("Loss"))].head["baseline"]
    values = {row["run"]: set() for row in rows}
    for row in rows:
        values[row["run"]].add(float(row[f"difference to {label}"]))
    assert values.pop(label) == {0.0}
    assert len(*values.values()) > 10


def test_all_points_of_one_chart_are_offered_as_logged(opened, demo, files):
    ask(opened(run=demo.alike[:2], zoom="500~1500", smooth="0.6"), "grad_norm", "points")
    rows = rows_of(files["runoff-grad_norm-points.csv"]())
    curves = demo.source.load_curves(demo.alike[:2], ["grad_norm"])
    steps = np.concatenate([each.get("grad_norm").step for each in curves.values()])
    assert len(rows) == np.count_nonzero((steps >= 500) & (steps <= 1500))
    assert {row["metric"] for row in rows} == {"grad_norm"}


def test_no_cell_of_them_is_a_formula(on_folder, tmp_path, files):
    rows = "".join(f"{step},{1 / step},0.5\n" for step in range(1, 6))
    (tmp_path / "=1+1").mkdir()
    (tmp_path / "=1+1" / "metrics.csv").write_text(f"step,train_loss,=HYPERLINK(1)\n{rows}")
    app = on_folder(tmp_path)
    (run_id,) = app.listed
    app.address(run=run_id).assert_sound()
    more = [metric["key"] for group in app.shared["further"] for metric in group["metrics"]]
    app.put(metric=more)
    for part in app.parts:
        for kind in ("csv", "points"):
            if not part.head["empty"]:
                ask(app, part.head["key"], kind)
    made = [
        cell
        for name, make in files.items()
        if name.endswith(("-drawn.csv", "-points.csv"))
        for row in csv.reader(io.StringIO(make().decode()))
        for cell in row
    ]
    assert {"'=1+1", "'=HYPERLINK(1)"} <= {*made}
    assert not [cell for cell in made if cell[:1] in "=+@\t\r" and cell]

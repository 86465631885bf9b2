"""A baseline: pinned, carried by the link, dropped with a sentence, and in ranking, table, tooltips and curves."""

from __future__ import annotations

import csv
import io
from urllib.parse import parse_qs

import pytest

from lib.core.text.precision import MINUS
from lib.ui.charts.component import CHARTS
from tests.app.harness import DIFF, GONE, HEALTH, MAIN, PAGES, RANKING
from tests.demo.specs import demo_id

DROPPED = "The baseline is not among the selected runs any more"


@pytest.fixture
def runs(demo):
    return demo.alike[:3]


def test_it_is_pinned_on_the_page_and_taken_back(opened, runs):
    app = opened(run=runs)
    assert app.at.radio(key="widget:base").options == ["none", *(run["label"] for run in app.shared["runs"])]
    plain = app.ranking
    verdict = app.panel[:6]
    app.turn("radio", "widget:base", runs[1]).assert_sound()
    assert app.link == {"run": runs, "base": [runs[1]]}
    assert app.panel[:6] == verdict, "the verdict does not depend on it"
    assert "Eval loss to baseline" in app.ranking[0]
    assert sum("baseline" in row for row in app.ranking[1:4]) == 1
    assert sum(row.count("better") + row.count("worse") + row.count("level") for row in app.ranking[1:4]) >= 2
    assert app.lines[runs[1]]["mark"] == "baseline"
    app.turn("radio", "widget:base", "").assert_sound()
    assert app.link == {"run": runs}
    assert app.ranking == plain


def test_every_page_carries_it_and_back_brings_it_back(opened, runs):
    app = opened(run=runs, base=runs[0], minus="1")
    for page in PAGES:
        app.go(page, **app.link).assert_sound()
        assert app.link == {"run": runs, "base": [runs[0]], "minus": ["1"]}
        links = [parse_qs(element.proto.query_string) for element in app.at.get("page_link")]
        assert links == [app.link] * len(links)
        assert app.lines[runs[0]]["mark"] == "baseline"
    app.go(MAIN, **app.link)
    earlier = app.link
    app.turn("radio", "widget:base", runs[2])
    assert app.link["base"] == [runs[2]]
    app.address(**earlier).assert_sound()
    assert app.at.radio(key="widget:base").value == runs[0]
    assert app.link == earlier


@pytest.mark.parametrize("page", [MAIN, DIFF, HEALTH, RANKING])
def test_one_that_is_deselected_is_dropped_and_that_is_said_once(opened, runs, page):
    app = opened(page, run=runs, base=runs[0], minus="1")
    app.uncheck(runs[0]).assert_sound()
    assert app.link == {"run": runs[1:]}
    (said,) = (text for text in app.said if DROPPED in text)
    assert runs[0] not in said, "by its name, not by its id"
    app.rerun()
    assert not [text for text in app.said if DROPPED in text]


@pytest.mark.parametrize("base", [GONE, "<b>x</b>", "upload~1~a"])
def test_one_that_is_not_there_is_dropped_and_that_is_said(opened, runs, base):
    app = opened(run=runs, base=base)
    app.assert_sound()
    assert app.link == {"run": runs}
    assert sum(DROPPED in text for text in app.said) == 1
    assert "<b>x</b>" not in "".join(app.html_bodies)
    assert "to baseline" not in app.ranking[0]


def test_a_deleted_one_is_named_as_run_and_as_baseline(opened, runs):
    app = opened(run=[GONE, *runs], base=GONE)
    app.assert_sound()
    assert app.link == {"run": runs}
    assert len(app.at.warning) == 2


def test_the_table_has_a_second_line_with_sign_word_and_note(opened, runs):
    app = opened(run=runs, base=runs[0])
    rows = app.grid.rows
    own = next(label for label in rows.index if rows.loc[label, "run_text"].endswith("\nbaseline"))
    others = [label for label in rows.index if label != own]
    assert "\n" not in rows.loc[own, "eval_loss_text"]
    for label in others:
        value, beside = rows.loc[label, "eval_loss_text"].split("\n")
        assert beside[0] in ("+", MINUS)
        assert beside.endswith("%)")
        assert "than support-llama-8b" in rows.loc[label, "eval_loss_note"]
        assert value.removeprefix("🏆 ")[0].isdigit()
    senses = {each for row in rows.loc[others, "_senses"] for each in row.split("\x1f")}
    assert {"better", "worse"} & senses
    rules = app.grid.arguments["gridOptions"]["columnDefs"][1]["cellClassRules"]
    assert {"better", "worse", "level", "against"} <= set(rules)
    legend = next(body for body in app.html_bodies if "table-legend" in body)
    assert "▴ better, ▾ worse, ≈ within the noise" in legend


def test_the_tables_export_has_it(opened, runs, files):
    opened(run=runs, base=runs[0])
    rows = list(csv.DictReader(io.StringIO(files["runoff-summary.csv"]())))
    assert [row["Baseline"] for row in rows].count("yes") == 1
    told = {row["Run id"]: row["Eval loss: better or worse"] for row in rows}
    assert told[runs[0]] == ""
    assert {told[run_id] for run_id in runs[1:]} <= {"better", "worse", "level"}


def test_runs_that_do_not_compare_have_none_and_it_is_said_why(opened, demo):
    other = demo_id("legal-gemma-linear")
    app = opened(run=[*demo.alike[:2], other], base=demo.alike[0], minus="1")
    app.assert_sound()
    body = next(body for body in app.html_bodies if 'class="verdict"' in body)
    assert "does not compare, different" in body
    loss = next(chart for title, chart in app.charts.items() if title.startswith("Loss - difference to"))
    assert "no difference for legal" in loss.head["said"]
    # What is no loss compares all the same.
    rate = next(chart for title, chart in app.charts.items() if title.startswith("Learning rate - difference"))
    assert len(rate.head["curves"]) == 3


def test_curves_are_differences_where_that_is_chosen(opened, runs):
    app = opened(run=runs, base=runs[0], minus="1", smooth="0.5", x="hours", log="1")
    app.assert_sound()
    assert app.shared["options"]["baseline"]
    for title, chart in app.charts.items():
        assert " - difference to support-llama-8b" in title
        assert chart.head["minus"]
        assert not chart.head["log"]
        slot = next(run["slot"] for run in app.shared["runs"] if run["label"] == chart.head["baseline"])
        for number, curve in enumerate(chart.head["curves"]):
            own = chart.data["lines"][chart.data["lines"]["curve"] == number]
            assert (own["y"] == 0).all() == (curve["slot"] == slot)
    app.put(minus="").assert_sound()
    assert not any("difference" in title for title in app.charts)
    assert app.charts["Loss"].data["against"].shape[1] == len(app.charts["Loss"].head["curves"])
    app.put(base="")
    assert not app.shared["options"]["baseline"]
    assert "against" not in app.charts["Loss"].data


def test_the_switch_without_a_baseline_draws_what_was_logged(opened, runs):
    app = opened(run=runs, minus="1")
    app.assert_sound()
    assert "Loss" in app.charts
    assert app.link == {"run": runs, "minus": ["1"]}


def test_the_browser_may_set_the_switch_and_not_the_baseline(opened, runs):
    app = opened(run=runs, base=runs[0])
    app.trigger(CHARTS, "put", {"minus": ["1"], "base": [runs[1]]})
    assert (app.link["minus"], app.link["base"]) == (["1"], [runs[0]])

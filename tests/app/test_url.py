"""What a link carries: options and their values, Back, and links that make no sense."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qs

import pandas as pd
import pytest

from lib.ui.session import link
from tests.app.harness import DIFF, MAIN, PAGES, RANKING

JUNK = {
    "weight": ["abc", "nan", "-0.1", "1.1", "inf", "", "0x1"],
    "status": ["bogus", ""],
    "sort": ["fastest"],
    "list": ["-1", "1", "1e9", "many"],
    "x": ["parsec"],
    "loss": ["both"],
    "smooth": ["1", "nan"],
    "log": ["yes"],
    "zoom": ["5~1", "5", "1~2~3", "nan~5", "1~inf", "~", "a~b", "1~1"],
    "pin": ["inf", "nan", "here"],
}


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("position", range(3))
def test_what_makes_no_sense_is_named_and_ignored(opened, demo, page, position):
    junk = {name: values[position % len(values)] for name, values in JUNK.items()}
    app = opened(page, run=["<script>", demo.alike[0]], **junk)
    app.assert_sound()
    assert app.link == {"run": [demo.alike[0]]}
    (gone, ignored) = app.at.warning
    assert gone.value.endswith(r"(\<script\>).")
    for name, value in junk.items():
        assert f"{name}={value}" in app.text
    assert ignored.value.startswith("Parts of this link were not understood and are ignored: ")
    assert "<script>" not in "".join(app.html_bodies)


def test_a_link_with_too_many_fields_to_be_read_is_said_and_cleared(opened, demo):
    app = opened(fields="1234")
    app.assert_sound()
    (said,) = app.at.warning
    assert said.value.startswith("Expected a link with at most 1,000 fields, got one with 1,234, of which none is used")
    assert not app.link
    app.address(run=demo.alike[:1]).assert_sound()
    assert not app.at.warning


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in JUNK.items() for value in values])
def test_no_junk_gets_through_the_parser(name, value):
    with pytest.raises(ValueError):  # noqa: PT011  that it is ignored and named is what counts
        link.PARAMS[name].parse([value])


@pytest.fixture
def declared(monkeypatch) -> Callable[..., link.Param[int]]:
    """Declare one more parameter, for one test."""
    monkeypatch.setattr(link, "PARAMS", dict(link.PARAMS))
    return lambda **facts: link.Param("probe", 0, lambda texts: int(texts[-1]), **facts)


def bases(app) -> list[str]:
    return [part.head["basis"] for part in app.parts]


@pytest.mark.parametrize("charts", [True, False])
def test_a_parameter_that_is_declared_is_carried(opened, demo, declared, charts):
    probe = declared(charts=charts)
    value = lambda app: app.at.session_state["url:state"][probe]  # noqa: E731
    app = opened(run=demo.alike[:2], probe="7")
    app.assert_sound()
    assert value(app) == 7
    before = {"run": list(demo.alike[:2]), "probe": ["7"]}
    assert app.link == before
    links = [parse_qs(element.proto.query_string) for element in app.at.get("page_link")]
    assert links == [before] * len(links)
    charts_before = bases(app)
    app.turn("slider", "widget:weight", 0.5).assert_sound()
    assert app.link == {**before, "weight": ["0.5"]}
    app.go(RANKING, **app.link).assert_sound()
    assert value(app) == 7
    app.go(MAIN, run=demo.alike[:2]).assert_sound()
    assert value(app) == 0, "a link without it stands for the default"
    assert app.link == {"run": list(demo.alike[:2])}
    assert [now != then for now, then in zip(bases(app), charts_before, strict=True)] == [charts] * 5
    app.address(run=demo.alike[:2], probe="many").assert_sound()
    assert "probe=many" in app.text


def test_parameters_of_others_are_no_error(opened, demo):
    app = opened(run=demo.alike[0], embed="true", utm_source="mail")
    app.assert_sound()
    assert not app.at.warning
    assert app.compared == (demo.alike[0],)
    assert "utm_source" not in app.link


def test_ignored_parts_are_named_only_as_long_as_the_link_stands(opened):
    app = opened(weight="abc")
    assert len(app.at.warning) == 1
    app.address(weight="0.5").assert_sound()
    assert not app.at.warning


def test_back_restores_the_earlier_comparison(opened, demo):
    first, second = demo.alike[:2]
    app = opened().check(first)
    earlier = app.link
    app.check(second).turn("slider", "widget:weight", 0.5)
    later = app.link
    assert later == {"run": [first, second], "weight": ["0.5"]}
    app.address(**earlier).assert_sound()
    assert app.checked == {first}
    assert len(app.grid.rows) == 1
    assert app.at.slider(key="widget:weight").value == 0.7
    assert app.link == earlier
    app.address(**later).assert_sound()
    assert app.checked == {first, second}
    assert app.at.slider(key="widget:weight").value == 0.5
    app.address()
    assert app.checked == set()


def test_the_comparison_can_be_changed_after_back(opened, demo):
    first, second, third = demo.alike[:3]
    app = opened().check(first)
    earlier = app.link
    app.check(second).address(**earlier).check(third).assert_sound()
    assert app.compared == (first, third)
    assert app.checked == {first, third}


def test_a_link_opened_elsewhere_shows_the_same(opened, demo):
    app = opened(run=demo.alike[:3], x="epoch", smooth="0.5", log="1", loss="eval", weight="0.25", col="model")
    again = opened(**app.link)
    again.assert_sound()
    assert again.link == app.link
    assert again.grid.rows.equals(app.grid.rows)
    assert list(again.looks.items()) == list(app.looks.items())
    assert again.captions == app.captions
    for title, chart in again.charts.items():
        assert chart.head == app.charts[title].head
        for name, data in chart.data.items():
            pd.testing.assert_frame_equal(data, app.charts[title].data[name])
    links = [parse_qs(element.proto.query_string) for element in app.at.get("page_link")]
    assert links == [app.link] * len(links)


def test_the_weight_changes_the_verdict_its_numbers_and_the_link(opened, demo):
    app = opened(run=demo.alike[:2])
    before = app.grid.rows["score"].to_dict()
    app.turn("slider", "widget:weight", 0.2).assert_sound()
    assert app.link["weight"] == ["0.2"]
    assert "Decided by: eval loss 20, gap 80" in app.text
    after = app.grid.rows["score"].to_dict()
    assert all(after[label] != before[label] for label in before)
    app.go(RANKING)
    assert "Composite = 0.20 × eval-loss points + 0.80 × gap points" in app.text
    assert "The default weight of the eval loss is 0.70." in app.text
    app.go(MAIN).click("default_weight").assert_sound()
    assert "weight" not in app.link
    assert app.grid.rows["score"].to_dict() == before


@pytest.mark.parametrize("weight", [0.0, 0.35, 1.0])
def test_the_score_is_the_weighted_sum_of_its_parts(opened, demo, weight):
    app = opened(RANKING, run=demo.alike, weight=str(weight))
    app.assert_sound()
    lines = app.cards.table("Line")
    of_loss, of_gap, total = (
        list(map(float, lines[title])) for title in ("Eval-loss points", "Gap points", "Composite")
    )
    expected = [weight * one + (1 - weight) * other for one, other in zip(of_loss, of_gap, strict=True)]
    # The parts are shown with four decimals, the composite is rounded to two.
    assert total == pytest.approx(expected, abs=0.0051)
    assert total == sorted(total, reverse=True)


def test_the_columns_of_the_table_can_be_chosen(opened, demo):
    app = opened(run=demo.alike[:2])
    default = app.columns
    assert default[0] == "run"
    app.at.session_state["columns"] = True
    app.rerun().turn("button_group", "widget:col:settings", ["model"]).assert_sound()
    settings = {"model", "dataset", "learning_rate", "batch"}
    assert set(app.columns) == {*default, "model"} - (settings - {"model"})
    assert set(app.link["col"]) == set(app.columns) - {"run"}
    again = opened(run=demo.alike[:2], col=["perplexity", "no such column", "model"])
    again.assert_sound()
    assert again.columns == ["run", "perplexity", "model"]
    assert opened(run=demo.alike[:2], col=["no such column"]).columns == default


def parameters(app) -> list[str]:
    """The settings that the page compares."""
    return list(app.cards.table("Setting"))


def test_the_diff_search_narrows_the_rows_and_stands_in_the_link(opened, demo):
    app = opened(DIFF, run=demo.alike[:3])
    app.turn("text_input", "widget:find", "learning rate").assert_sound()
    assert app.link["find"] == ["learning rate"]
    shown = parameters(app)
    assert "Learning rate" in shown
    assert len(shown) < len(parameters(opened(DIFF, run=demo.alike[:3])))
    app.turn("text_input", "widget:find", "zzzz").assert_sound()
    assert "No setting and no value matches the search." in app.text

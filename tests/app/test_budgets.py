"""The card of equal budgets: closed until somebody opens it, and what a link says of it."""

from __future__ import annotations

import json

import pytest

from tests.app.harness import write_run


def bodies(app, label):
    return [body for body in app.html_bodies if f'aria-label="{label}"' in body]


def spec(app):
    (chart,) = app.at.get("vega_lite_chart")
    return json.loads(chart.proto.spec)


def test_it_costs_nothing_until_it_is_opened(opened, demo):
    app = opened(run=demo.alike[:3])
    app.assert_sound()
    assert [each.label for each in app.at.expander] == ["**At equal budgets**"]
    assert bodies(app, "At this budget") == bodies(app, "Equal budgets") == []


def test_one_run_or_runs_that_do_not_compare_have_no_card(opened, demo):
    assert not opened(run=demo.alike[:1]).at.expander


def test_a_link_opens_it_at_its_amount(opened, demo):
    app = opened(run=demo.alike[:3], budget="samples~40000", price="2.5~€")
    app.assert_sound()
    (table,) = bodies(app, "At this budget")
    assert "Best eval loss at 40,000 samples" in table
    (others,) = bodies(app, "Equal budgets")
    assert all(f"Equal {noun}" in others for noun in ("steps", "tokens", "hours", "cost"))
    assert "€2.5 for an hour of a GPU × " in others
    assert len(spec(app)["layer"]) == 6
    assert app.link["budget"] == ["samples~40000"]


def test_what_is_typed_and_priced_stands_in_the_link(opened, demo):
    app = opened(run=demo.alike[:3], budget="samples~40000")
    typed, price = app.at.number_input[-2:]
    assert (typed.label, typed.value, price.label, price.value) == ("Samples", 40000.0, "Price of a GPU hour", None)
    typed.set_value(20000.0).run()
    assert "at 20,000 samples" in bodies(app, "At this budget")[0]
    app.at.number_input[-1].set_value(3.0).run()
    assert app.link["price"] == ["3~$"]
    assert app.link["budget"] == ["samples~20000"]
    assert "Equal cost" in bodies(app, "Equal budgets")[0]
    app.at.button(key="budget_reset").click().run()
    assert "budget" not in app.link
    assert "at 112,000 samples" in bodies(app, "At this budget")[0]


@pytest.mark.parametrize("budget", ["money~3", "samples~1", "hours~1000000"])
def test_an_amount_that_nobody_reached_or_has_no_price_is_said(opened, demo, budget):
    app = opened(run=demo.alike[:3], budget=budget)
    app.assert_sound()
    said = " ".join((*app.html_bodies, app.text))
    assert any(
        words in said for words in ("a price of a GPU hour is set", "no run was evaluated yet", "had ended by then")
    )


def test_a_price_of_runs_without_times_is_said_to_be_of_no_use(on_folder, tmp_path):
    for name, least in (("a", 0.2), ("b", 0.3)):
        write_run(tmp_path / name, [1.0, 0.5, 0.4], [least + 0.2, least + 0.1, least])
    app = on_folder(tmp_path, run=["a", "b"], price="2.5~$")
    app.assert_sound()
    assert "where a price of a GPU hour is set and their logs have times." in app.text
    assert "logs have times" not in on_folder(tmp_path, run=["a", "b"], budget="steps~2").text

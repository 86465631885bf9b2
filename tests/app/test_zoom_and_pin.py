"""The range that charts show, and the panel of a pinned step."""

from __future__ import annotations

import math

from lib.core.curves.metric_curves import frame_of
from lib.core.facts.metrics import METRICS, metric_of
from lib.core.text import formatting
from tests.app.harness import write_run
from tests.app.reading import rows_of


def test_a_zoom_narrows_every_chart_and_shows_all_that_is_in_it(opened, demo):
    run_id = demo.alike[0]
    whole = opened(run=run_id)
    app = opened(run=run_id, zoom="1000~1200")
    app.assert_sound()
    assert app.shared["options"]["values"]["zoom"] == [1000, 1200]
    assert app.link["zoom"] == ["1000~1200"]
    for chart in app.charts.values():
        assert list(chart.data["extent"]["x"]) == [1000, 1200]
        assert not chart.data["lines"].empty
        assert chart.data["hover"]["Step"].between(1000, 1200).all()
    norms = rows_of(demo, run_id, "grad_norm")
    drawn = {title: shown.charts["Gradient norm"].data["lines"] for title, shown in (("all", whole), ("part", app))}
    assert len(drawn["all"]) < len(norms)
    # And a point beyond each edge, which the lines lead to.
    inside = norms.index[norms["step"].between(1000, 1200)]
    assert list(drawn["part"]["y"]) == list(norms.loc[inside[0] - 1 : inside[-1] + 1, "value"])

    app.put(zoom="").assert_sound()
    assert "zoom" not in app.link
    assert app.charts["Gradient norm"].data["lines"].equals(drawn["all"])


def test_a_zoom_beyond_the_data_is_left_with_a_message_and_one_that_reaches_out_is_cut(opened, demo):
    run_id = demo.alike[0]
    extent = opened(run=run_id).shared["options"]["extent"]
    app = opened(run=run_id, zoom="900000~900001", pin="5")
    app.assert_sound()
    assert "zoom" not in app.link
    assert not any(chart.data["hover"].empty for chart in app.charts.values())
    (said,) = [each.value for each in app.at.warning]
    assert said.startswith("The range 900,000 to 900,001 holds nothing; all is shown, ")
    app = opened(run=run_id, zoom=f"{extent[1] - 100:g}~900001")
    app.assert_sound()
    assert not app.at.warning
    assert app.shared["options"]["values"]["zoom"] == [extent[1] - 100, extent[1]]


def test_the_panel_of_a_pinned_step_has_the_values_of_all_rows(opened, demo):
    runs, pin = [demo.alike[0], demo.diverged], 1234
    app = opened(run=runs, pin=str(pin))
    app.assert_sound()
    assert app.pinned["title"] == "Step 1,234"
    metrics = {
        metric_of(key).axis_title: key for key in frame_of(demo.source.load_curves(runs).values())["metric"].unique()
    }
    derived = {metric.axis_title for metric in METRICS.values() if metric.derived_from}
    cells = []
    for label, run_id in (("support-llama-8b", runs[0]), ("support-qwen-7b", runs[1])):
        shown = app.pinned_values(label)
        assert set(shown) - set(metrics) <= derived
        for title, key in metrics.items():
            rows = rows_of(demo, run_id, key)
            assert shown.get(title, formatting.NOT_RECORDED) == _pinned(rows, pin, metric_of(key).spec)
        cells += shown.values()
    assert any("(at 1,200)" in cell for cell in cells)
    assert [chart.pin for chart in app.charts.values()] == [pin] * 5


def test_the_panel_has_the_best_run_first_and_leads_to_the_evaluations_beside(on_folder, tmp_path):
    write_run(tmp_path / "a", [1.0, 0.5, 0.4, 0.3], [0.8, 0.7, 0.6, 0.5])
    write_run(tmp_path / "b", [1.0, 0.9, 0.8, 0.7], [0.9, 0.65, 0.7, 0.8])
    app = on_folder(tmp_path, run=["a", "b"], pin="2")
    slots = {run["label"]: run["slot"] for run in app.shared["runs"]}
    assert app.pinned["columns"] == ["Eval", "Train"]
    assert app.pinned["rows"] == [
        {"slot": slots["b"], "cells": ["0.65", "0.9"], "best": [True, False]},
        {"slot": slots["a"], "cells": ["0.70", "0.5"], "best": [False, False]},
    ]
    assert (app.pinned["previous"], app.pinned["next"]) == (1.0, 3.0)
    assert app.put(pin="4").pinned["next"] is None
    assert app.put(pin="1").pinned["previous"] is None


def _pinned(rows, pin: int, spec: str) -> str:
    if rows.empty:
        return formatting.NOT_RECORDED
    nearest = rows.iloc[(rows["step"] - pin).abs().argmin()]
    return formatting.shower(spec)(nearest["value"]) + ("" if nearest["step"] == pin else f" (at {nearest['step']:,})")


def test_a_pin_at_a_value_that_is_not_finite_shows_it(opened, demo):
    rows = rows_of(demo, demo.diverged, "train_loss")
    broken = rows[~rows["value"].map(math.isfinite)]
    app = opened(run=demo.diverged, pin=str(int(broken["step"].iloc[-1])))
    app.assert_sound()
    assert app.pinned_values(app.shared["runs"][0]["label"])["Train loss"] in ("NaN", "∞")


def test_a_pin_before_the_first_row_says_where_its_values_are_from(opened, demo):
    app = opened(run=demo.alike[0], pin="-5")
    app.assert_sound()
    cells = app.pinned_values(app.shared["runs"][0]["label"]).values()
    assert cells
    assert all(" (at " in cell for cell in cells)
    assert [chart.pin for chart in app.charts.values()] == [-5] * 5
    assert all(chart.data["extent"]["x"].min() > -5 for chart in app.charts.values()), "out of view"


def test_unpin_takes_the_pin_away(opened, demo):
    app = opened(run=demo.alike[0], pin="500").put(pin="")
    app.assert_sound()
    assert app.pinned is None
    assert [chart.pin for chart in app.charts.values()] == [None] * 5

"""Losses as a share of each run's own first evaluation: offered where they do not compare, and what cannot be one."""

from __future__ import annotations

import pytest

from lib.core.text.formatting import NOT_RECORDED
from tests.app.harness import write_run


@pytest.fixture
def apart(demo) -> list[str]:
    """Two runs that were evaluated on other data."""
    ids = {run.name: run.run_id for run in demo.runs}
    return [demo.hostile, ids["legal-qa-gemma-9b"]]


def test_each_curve_begins_at_100_percent_and_keeps_its_form(opened, demo, apart):
    app = opened(run=apart, loss="relative")
    app.assert_sound()
    chart = app.charts["Eval loss"]
    evals = chart.data["evals"]
    slots = {run["label"]: run["slot"] for run in app.shared["runs"]}
    for number, curve in enumerate(chart.head["curves"]):
        assert curve["kind"] == "eval"
        (run_id,) = [run for run in apart if slots[demo.labels[run]] == curve["slot"]]
        losses = demo.source.load_curves([run_id])[run_id].get("eval_loss").value
        own = evals.loc[evals["curve"] == number, "y"]
        assert own.iloc[0] == 1.0
        assert own.tolist() == pytest.approx((losses / losses[0]).tolist())
        assert curve["last"].endswith("%")


def test_it_is_offered_only_where_losses_do_not_compare_or_a_link_asks_for_it(opened, demo, apart):
    def modes(**query) -> list[str]:
        return [value for value, _ in opened(**query).shared["options"]["modes"]]

    assert "relative" in modes(run=apart)
    assert "relative" not in modes(run=demo.alike)
    assert "relative" in modes(run=demo.alike, loss="relative")


def test_where_losses_do_not_compare_every_choice_of_them_says_so(opened, demo, apart):
    assert all("cannot be compared" in note for note in opened(run=apart).shared["lossNotes"].values())
    assert all("compare" not in note for note in opened(run=demo.alike).shared["lossNotes"].values())


def test_a_run_without_a_first_evaluation_above_0_is_named_and_alone_shows_its_losses(on_folder, tmp_path):
    write_run(tmp_path / "a", [1.0, 0.5, 0.4], [0.8, 0.6, 0.7])
    write_run(tmp_path / "b", [1.0, 0.5, 0.4], [-0.9, -1.0, -1.1])
    chart = on_folder(tmp_path, run=["a", "b"], loss="relative").charts["Eval loss"]
    assert len(chart.head["curves"]) == 1
    assert "not shown: b (no first evaluation above 0)" in chart.head["said"]
    alone = on_folder(tmp_path, run=["b"], loss="relative")
    assert "Loss" in alone.charts
    assert NOT_RECORDED not in alone.charts["Loss"].head["title"]

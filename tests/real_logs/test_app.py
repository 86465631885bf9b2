"""The pages on real logs."""

from __future__ import annotations

import pytest

from tests.app.harness import DIFF, RANKING
from tests.app.test_pages import assert_shows


@pytest.fixture
def opened(on_folder, logs, runs):
    """Open a page of the app on these runs: ``opened(names, page)``."""
    return lambda names, *page: on_folder(logs, *page, run=[runs[name].run_id for name in names])


def test_the_runs_of_batch_8_get_the_known_verdict(opened):
    names = ["8 3e-6", "8 2e-5", "8 3e-5", "8 4e-5", "8 1e-3"]
    app = opened(names)
    assert_shows(app, 5)
    rows = app.grid.rows
    assert set(rows.index) == set(names)
    assert rows["lowest_eval_loss_text"].to_dict() == {
        "8 3e-6": "0.342", "8 2e-5": "0.333", "8 3e-5": "0.329", "8 4e-5": "0.332", "8 1e-3": "0.363",
    }  # fmt: skip
    assert rows["lowest_eval_loss_step_text"].to_dict() == {
        "8 3e-6": "13,500", "8 2e-5": "2,025", "8 3e-5": "2,025", "8 4e-5": "1,350", "8 1e-3": "13,500",
    }  # fmt: skip
    assert list(rows.index[rows["_recommended"]]) == ["8 3e-5"] == [rows.index[0]]
    assert rows["run_text"]["8 3e-5"] == "8 3e-5 ★"
    assert list(rows.index[rows["eval_loss_text"].str.contains("🏆")]) == ["8 3e-6"]
    # Decided by the metric by which the trainer itself chose; its checkpoint is the one to ship.
    headline, pick, _, why, *_ = app.panel
    assert headline == "Ship any of 8 3e-5, 8 4e-5"
    assert pick == "If you must pick: 8 3e-5, checkpoint-12150 Tie"
    assert why == "Their values of macro avg F1, 0.43 and 0.42, differ by less than the noise."
    assert list(app.colors) == names
    (line,) = [line for line in app.runs["selected"] if line["recommended"]]
    assert line["value"] == "0.43"


def test_by_the_eval_loss_the_three_good_ones_tie(on_folder, logs, runs):
    names = ["8 3e-6", "8 2e-5", "8 3e-5", "8 4e-5", "8 1e-3"]
    app = on_folder(logs, run=[runs[name].run_id for name in names], by="eval_loss")
    app.assert_sound()
    headline = app.panel[0]
    assert headline.startswith("Ship any of ")
    assert {name for name in names if name in headline} == {"8 2e-5", "8 3e-5", "8 4e-5"}


@pytest.mark.parametrize("page", [DIFF, RANKING])
def test_the_other_pages_show_them(opened, page):
    app = opened(("8 3e-6", "8 3e-5", "mt5_news_summaries"), page)
    assert_shows(app, 3)
    if page == RANKING:
        assert app.cards.tables[0][0] == ["Line", "1. 8 3e-5 ★", "2. 8 3e-6"]
        assert "mt5_news_summaries is left out: " in app.text


def test_runs_without_a_recorded_method_are_not_said_to_compare(opened):
    app = opened(("8 3e-6", "8 3e-5"))
    app.assert_sound()
    assert "We cannot check that these runs have the same method" in "\n".join(app.panel)
    assert "Unsure" in app.panel[1]

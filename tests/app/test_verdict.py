"""The verdict panel: every kind of headline, what stands below it, and the rules on the page that explains it."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import numpy as np
import pytest

from lib.core.text.formatting import NOT_RECORDED
from lib.core.verdict.objection_kinds import KINDS
from lib.core.verdict.objections import NARROW_WEIGHT
from lib.ui.session import offers
from tests.app.harness import DIFF, HEALTH, MAIN, RANKING, write_run
from tests.app.reading import plain

SAME = {
    "trainer": "sft", "dataset_name": "tatsu-lab/alpaca", "model_name_or_path": "meta-llama/Meta-Llama-3-8B",
    "max_seq_length": 2048, "packing": False,
}  # fmt: skip
WOBBLE = np.resize([0.0, 1.0, 0.4, 0.7, 0.1, 0.9], 30)


def write(path, name, loss, noise=0.001, count=30, rows=(), turn=0, **args):
    """A run whose eval loss falls from twice ``loss`` to it."""
    evaluation = np.arange(count)
    values = list(loss * (1 + np.exp(-evaluation / 6)) + noise * np.roll(WOBBLE, turn)[:count])
    trained = list(np.linspace(2 * loss, loss * 0.99, count))
    return write_run(path / name, trained, values, rows=rows, args={**SAME, "learning_rate": 1e-4, **args})


@pytest.fixture
def compared(on_folder, tmp_path):
    def opened(*names, **query):
        app = on_folder(tmp_path, run=names, **query)
        app.assert_sound()
        return app

    return opened


def test_a_winner_has_a_headline_a_checkpoint_a_badge_reasons_and_an_objection(compared, tmp_path):
    write(tmp_path, "better", 0.5)
    write(tmp_path, "worse", 0.9)
    app = compared("better", "worse")
    headline, sure, why, because, against, objection, heads, *others = app.panel
    assert headline == "Ship better"
    assert sure == "step 29, if saved Fairly sure the lead is beyond the noise"
    assert why == "Why"
    assert because.startswith("Lowest eval loss, 0.50")
    assert "Runner-up: worse with " in because
    assert (against, bool(objection)) == ("Against", True)
    assert heads == "Run Score Behind the best Gap Mark"
    assert others[0].startswith("better 100.0")
    assert others[0].endswith("★ ship")
    assert others[1].startswith("worse ")


def test_a_tie_is_a_verdict_and_the_star_marks_the_first_by_score(compared, tmp_path):
    write(tmp_path, "one", 0.5, noise=0.05)
    write(tmp_path, "other", 0.507, noise=0.05, turn=2)
    app = compared("one", "other")
    assert app.panel[:2] == ["Ship any of one, other", "If you must pick: one, step 25, if saved Tie"]
    assert "More evaluation data would show whether they differ." in app.text
    assert "It rests on the evaluations at the same steps, paired." in app.text
    # The star stands where list and table have it.
    assert (app.text.count("★ level"), app.text.count("≈ level")) == (1, 1)
    marked = app.grid.rows
    assert marked["_recommended"].to_dict() == {"one": True, "other": False}


def test_too_few_evaluations_cannot_tell(compared, tmp_path):
    write(tmp_path, "better", 0.5, count=2)
    write(tmp_path, "worse", 0.9, count=2)
    app = compared("better", "worse")
    assert app.panel[0] == "Ship better"
    assert app.panel[1].endswith("Cannot tell how sure noise unknown")
    assert "The noise is not known." in app.text


def test_runs_of_different_data_are_not_ranked_together_and_one_button_selects_some_that_are(compared, tmp_path):
    write(tmp_path, "one", 0.5)
    write(tmp_path, "other", 0.4, dataset_name="another/set")
    write(tmp_path, "third", 0.45, dataset_name="another/set")
    write(tmp_path, "fourth", 0.6, dataset_name="another/set")
    app = compared("one", "other")
    assert app.panel[:2] == [
        "Not comparable: different evaluation data",
        "No recommendation each run is judged on its own",
    ]
    assert "points behind" not in app.text
    assert "★" not in "".join(app.panel)
    app.click("select_alike").assert_sound()
    assert sorted(app.compared) == ["fourth", "other", "third"]
    assert app.panel[0] == "Ship other"
    assert "select_alike" not in [button.key for button in app.at.button]


@pytest.mark.parametrize("page", [MAIN, RANKING, DIFF, HEALTH])
def test_where_nothing_is_recommended_no_page_calls_a_run_so(on_folder, tmp_path, page):
    for name, loss, data in (("a", 0.5, "x/y"), ("b", 0.4, "p/q"), ("c", 0.6, "x/y"), ("d", 0.7, "p/q")):
        write(tmp_path, name, loss, rows=[{"step": 12, "loss": 40.0}], dataset_name=data)
    app = on_folder(tmp_path, page, run=["a", "b", "c", "d"])
    app.assert_sound()
    assert not any(line.get("recommended") for line in app.lines.values())
    shown = "".join(app.html_bodies)
    assert "★" not in shown
    assert "class=recommended" not in shown
    if page != RANKING:
        # That page explains the rules for all runs.
        assert "recommended run" not in app.text
        assert "the recommended one" not in app.text
    if page == MAIN:
        assert not any(app.grid.rows["_recommended"])


def test_of_selected_runs_of_which_some_compare_the_button_keeps_those(compared, tmp_path):
    for name, loss, data in (("a", 0.5, "x/y"), ("b", 0.6, "x/y"), ("c", 0.7, "p/q"), ("d", 0.8, "p/q")):
        write(tmp_path, name, loss, dataset_name=data)
    app = compared("a", "b", "c", "d")
    assert app.panel[0].startswith("Not comparable")
    app.click("select_alike").assert_sound()
    assert app.compared == ("a", "b")


def test_the_larger_class_is_ranked_and_the_others_stand_apart(compared, tmp_path):
    for name, loss, data in (("a", 0.5, "x/y"), ("b", 0.9, "x/y"), ("c", 0.1, "p/q")):
        write(tmp_path, name, loss, dataset_name=data)
    app = compared("a", "b", "c")
    assert app.panel[0] == "Ship a"
    assert any(text.startswith("c – ") and text.endswith("not comparable") for text in app.panel)
    rows = app.grid.rows
    assert [rows.at[name, "score_text"] for name in "ac"] == ["100.0", NOT_RECORDED]
    assert "does not compare with the ranked runs (different evaluation data)" in rows.at["c", "score_note"]
    scores = app.go(RANKING, run=("a", "b", "c")).cards.tables
    assert ["Composite" in str(scores[number]) for number in (0, 1)] == [True, False]
    assert [scores[number][0][1:] for number in (0, 1)] == [["1. a ★", "2. b"], ["1. c"]]
    assert "Not comparable with these: different evaluation data." in app.text


def test_one_run_is_the_only_choice_and_a_better_one_that_is_not_selected_is_a_click_away(compared, tmp_path):
    write(tmp_path, "only", 0.5)
    write(tmp_path, "better", 0.4)
    write(tmp_path, "worse", 0.6)
    app = compared("only")
    assert app.panel[:2] == ["Only choice: only", "step 29, if saved Nothing to compare with"]
    (offer,) = [button for button in app.at.button if button.key == "select_better"]
    assert plain(offer.label).startswith("Not selected, but better: better, 0.40")
    app.click("select_better").assert_sound()
    assert app.compared == ("only", "better")
    assert app.panel[0] == "Ship better"
    assert "select_better" not in [button.key for button in app.at.button]


def test_with_five_selected_a_better_one_takes_the_place_of_the_last(compared, tmp_path):
    for place in range(5):
        write(tmp_path, f"run-{place}", 0.5 + place / 10)
    write(tmp_path, "better", 0.4)
    app = compared(*(f"run-{place}" for place in range(5)))
    app.click("select_better").assert_sound()
    assert app.compared == ("run-0", "run-1", "run-2", "run-3", "better")


@pytest.mark.parametrize(("asked", "data"), [("better_in", "x/y"), ("comparable_with", "p/q")])
def test_the_list_is_gone_through_once_and_again_when_a_run_of_it_changed(compared, tmp_path, monkeypatch, asked, data):
    write(tmp_path, "a", 0.5, dataset_name="x/y")
    write(tmp_path, "b", 0.6, dataset_name=data)
    write(tmp_path, "better", 0.4, dataset_name="x/y")
    calls, make = [], getattr(offers, asked)
    monkeypatch.setattr(offers, asked, lambda *of: calls.append(of) or make(*of))
    app = compared("a", "b")
    first = len(calls)
    assert first
    app.rerun().rerun().assert_sound()
    assert len(calls) == first
    listed = offers.offered
    monkeypatch.setattr(offers, "offered", lambda *of: tuple(replace(run, version="newer") for run in listed(*of)))
    app.rerun().assert_sound()
    assert len(calls) > first


def test_failed_runs_have_no_recommendation_and_nobody_says_yet(opened, demo):
    app = opened(run=[demo.diverged])
    app.assert_sound()
    assert app.panel[:2] == ["No recommendation", "1 failed only completed runs can be recommended"]
    assert "Against" not in app.panel


def test_a_running_run_says_yet(opened, demo):
    assert opened(run=[demo.running]).panel[0] == "No recommendation yet"


def test_details_are_there_on_demand(opened, demo):
    app = opened(run=demo.alike)
    app.assert_sound()
    (body,) = [body for body in app.html_bodies if 'class="verdict"' in body]
    buttons = dict(re.findall(r'popovertarget="([^"]+)">([^<]+)<', body))
    assert set(buttons.values()) >= {"What would flip it", "Checkpoints", "Noise", "Comparability"}
    assert any(label.startswith("Objections (") for label in buttons.values())
    assert set(re.findall(r'<div id="([^"]+)" class="verdict-part" popover', body)) == set(buttons)
    assert "It stays first for eval weights from" in app.text
    (deciding,) = [label for element in app.at.get("popover") if "Decided" in (label := element.proto.popover.label)]
    assert deciding == "Decided by: eval loss 70, gap 30"


def test_what_stands_behind_the_buttons_is_in_the_order_of_the_ranking(compared, tmp_path):
    for name, level in (("best", 0.5), ("middle", 0.7), ("last", 0.9)):
        write(tmp_path, name, level)
    app = compared("last", "best", "middle")
    (body,) = [body for body in app.html_bodies if 'class="verdict"' in body]
    checkpoints = body.partition('id="verdict-checkpoints"')[2].partition('<div id="verdict-')[0]
    assert re.findall(r"<tr><td>(\w+)</td>", checkpoints) == ["best", "middle", "last"]
    assert re.findall(r"<p><b>(\w+)</b>", checkpoints) == ["best", "middle", "last"]
    assert "| Best |  | best | middle | last |" in app.text


def test_a_name_that_is_cut_is_there_in_full_on_hover(opened, demo):
    (name,) = [run.name for run in demo.runs if run.run_id == demo.longest]
    app = opened(run=[demo.alike[0], demo.longest])
    assert f'title="{name}' in "".join(app.html_bodies)


def test_the_page_that_explains_the_ranking_prints_the_rules_with_their_constants(opened):
    app = opened(RANKING)
    app.assert_sound()
    assert "When to trust the score" in app.headings
    assert f"within {NARROW_WEIGHT:.2f} of the eval weight" in app.text
    objections = app.cards.rows("Objection", "At most")
    assert [row[:2] for row in objections] == [[kind.title, kind.cap.value] for kind in KINDS]


def reasons_on(app) -> list[str]:
    """What may give a reason: the texts of the page with the tooltips of its list, and the tooltips of its table."""
    return [app.text, *app.grid.rows["run_note"]]


def test_of_two_runs_that_do_not_compare_neither_is_called_the_only_completed_one(compared, tmp_path):
    write(tmp_path, "one", 0.5)
    write(tmp_path, "other", 0.4, dataset_name="another/set")
    app = compared("one", "other")
    said = reasons_on(app)
    assert [text for text in said if "only completed run" in text or "only eligible one" in text] == []
    assert [text for text in said if "Only one run" in text] == []
    # Neither is recommended, so that there is nothing to give a reason for.
    assert [text for text in said if "Recommended" in text] == []


@pytest.mark.parametrize("ended", [(1, 2), (1, None), (1, 1)], ids=["earlier", "known", "neither"])
def test_what_breaks_a_tie_is_told_in_one_way_all_over_the_page(compared, tmp_path, ended):
    for name, day in zip(("one", "other"), ended, strict=True):
        stated = {} if day is None else {"completed_at": f"2026-01-0{day}T00:00:00Z"}
        # Another learning rate at the end, so that the two are not one training.
        rows = [{"step": 30, "learning_rate": 1e-5 if name == "one" else 2e-5}]
        manifest = write(tmp_path, name, 0.5, rows=rows) / "run_manifest.json"
        manifest.write_text(json.dumps({"status": "completed", **stated}))
    said = reasons_on(compared("one", "other"))
    words = {found for text in said for found in re.findall(r"wins (?:the tie )?by (.*?)\.(?:\s|$)", text)}
    assert len(words) == 1

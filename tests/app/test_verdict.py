"""The verdict panel: every kind of headline, what stands below it, and the rules on the page that explains it."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

from lib.core.verdict.objection_kinds import KINDS
from lib.core.verdict.objections import NARROW_WEIGHT
from tests.app.harness import RANKING, write_run

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


def headings(app):
    return [text.split("\n")[0] for text in app.said if text.startswith("#### ")]


def test_a_winner_has_a_star_reasons_an_objection_a_checkpoint_and_a_line_for_the_other(compared, tmp_path):
    write(tmp_path, "better", 0.5)
    write(tmp_path, "worse", 0.9)
    app = compared("better", "worse")
    assert headings(app) == ["#### ★ better"]
    assert "Recommended score " in app.text
    assert "is beyond the noise (90% level)" in app.text
    assert "Its eval loss is 0.50" in app.text
    assert "Strongest objection:" in app.text
    assert "Checkpoint:" in app.text
    assert "Why not the others" in app.text
    assert "worse: " in app.text


def test_a_tie_is_a_verdict_and_the_star_marks_the_first_by_score(compared, tmp_path):
    write(tmp_path, "one", 0.5, noise=0.05)
    write(tmp_path, "other", 0.507, noise=0.05, turn=2)
    app = compared("one", "other")
    assert headings(app) == ["#### :material/balance: Tie: one and other may be as good"]
    assert "★ first: one" in app.text
    assert ":violet-badge[tie]" in "\n".join(app.said)
    assert "More evaluation data would show whether they differ" in app.text
    assert "It rests on the evaluations at the same steps, paired." in app.text
    rows = app.grid.rows
    assert rows["_recommended"].to_dict() == {"one": True, "other": False}


def test_too_few_evaluations_cannot_tell(compared, tmp_path):
    write(tmp_path, "better", 0.5, count=2)
    write(tmp_path, "worse", 0.9, count=2)
    app = compared("better", "worse")
    assert headings(app) == ["#### ★ better"]
    assert "cannot tell how sure" in app.text
    assert "Whether its lead is more than noise cannot be told." in app.text


def test_runs_of_different_data_are_not_ranked_together(compared, tmp_path):
    write(tmp_path, "one", 0.5)
    write(tmp_path, "other", 0.4, dataset_name="another/set")
    app = compared("one", "other")
    assert headings(app) == ["#### :material/call_split: Not comparable: one and other"]
    assert "Losses not comparable; improved on own first evaluation (starred run: 50%):" in app.text
    assert "other: different evaluation data; by 50%." in app.text
    assert "★ best of its class: one" in app.text
    assert "points behind" not in app.text


def test_the_larger_class_is_ranked_and_the_others_stand_apart(compared, tmp_path):
    for name, loss, data in (("a", 0.5, "x/y"), ("b", 0.9, "x/y"), ("c", 0.1, "p/q")):
        write(tmp_path, name, loss, dataset_name=data)
    app = compared("a", "b", "c")
    assert headings(app) == ["#### ★ a"]
    assert "c: different evaluation data; by " in app.text
    scores = app.go(RANKING, run=("a", "b", "c")).at.dataframe
    assert [list(scores[number].value["Run"]) for number in (0, 1)] == [["a", "b"], ["c"]]
    assert "Not comparable with these: different evaluation data." in app.text


def test_one_run_has_no_competition(compared, tmp_path):
    write(tmp_path, "only", 0.5)
    app = compared("only")
    assert headings(app) == ["#### ★ only"]
    assert "There is nothing to compare it with." in app.text
    assert "Why not the others" not in app.text


def test_failed_runs_have_no_recommendation_and_nobody_says_yet(opened, demo):
    app = opened(run=[demo.diverged])
    app.assert_sound()
    assert headings(app) == ["#### :material/hourglass_empty: No recommendation"]
    assert "Why none of them" in app.text
    assert "Strongest objection" not in app.text


def test_a_running_run_says_yet(opened, demo):
    assert headings(opened(run=[demo.running])) == ["#### :material/hourglass_empty: No recommendation yet"]


def test_details_are_there_on_demand(opened, demo):
    app = opened(run=demo.alike)
    app.assert_sound()
    labels = [element.proto.popover.label for element in app.at.get("popover")]
    for label in ("What would flip it", "Noise", "Comparability", "Stability", "Score and checkpoints"):
        assert label in labels
    assert any(label.startswith("All objections (") for label in labels)
    assert "It stays the recommended run for eval weights from" in app.text
    assert "| Run | Evaluations |" in app.text


def test_a_name_that_is_cut_is_there_in_full_on_hover(opened, demo):
    (name,) = [run.name for run in demo.runs if run.run_id == demo.longest]
    app = opened(run=[demo.alike[0], demo.longest])
    helps = [element.proto.help for element in app.at.markdown if element.proto.help]
    assert any(name in text for text in helps)


def test_the_page_that_explains_the_ranking_prints_the_rules_with_their_constants(opened):
    app = opened(RANKING)
    app.assert_sound()
    assert "When to trust the score" in app.headings
    assert f"within {NARROW_WEIGHT:.2f} of the eval weight" in app.text
    tables = [frame.value for frame in app.at.dataframe]
    (objections,) = [table for table in tables if "Objection" in table]
    assert list(objections["Objection"]) == [kind.title for kind in KINDS]
    assert list(objections["At most"]) == [kind.cap.value for kind in KINDS]


def reasons_on(app) -> list[str]:
    """What may give a reason: the texts of the page with the tooltips of its list, and the tooltips of its table."""
    return [app.text, *app.grid.rows["run_note"]]


def test_of_two_runs_that_do_not_compare_neither_is_called_the_only_completed_one(compared, tmp_path):
    write(tmp_path, "one", 0.5)
    write(tmp_path, "other", 0.4, dataset_name="another/set")
    said = reasons_on(compared("one", "other"))
    assert [text for text in said if "only completed run" in text or "only eligible one" in text] == []
    assert [text for text in said if "Only one run" in text] == []
    alone = "It is the best of its own class of comparable runs, and the only one in it."
    assert said[0].count(alone) == 2, "in the panel and in the list"
    assert sum(alone in text for text in said[1:]) == 1, "in the table"


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

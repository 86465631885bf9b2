"""Which columns the summary table has: what differs or decides, and what somebody chose."""

from __future__ import annotations

import re

import pytest

from lib.ui.session import link
from tests.app.harness import write_run
from tests.app.reading import definitions, options

F1 = [{"step": step, "eval_f1": value} for step, value in ((1, 0.2), (2, 0.9), (3, 0.7))]
HOSTILE_METRIC = "::JSCODE::alert('1')::JSCODE::"


@pytest.fixture
def with_f1(on_folder, tmp_path):
    """Two runs with eval losses that are lowest at steps 3 and 1, and an F1 that is best at step 2 of the first."""
    write_run(tmp_path / "a", [0.8, 0.7, 0.6], [0.9, 0.8, 0.7], rows=[*F1, {"step": 2, HOSTILE_METRIC: 7.0}])
    write_run(tmp_path / "b", [0.8, 0.7, 0.6], [0.6, 0.8, 0.9], rows=[{"step": 1, "eval_f1": 0.3}])
    return lambda **query: on_folder(tmp_path, run=["a", "b"], **query)


def test_any_logged_metric_can_be_a_column_and_the_link_carries_it(with_f1):
    app = with_f1(col=["eval_loss", "eval_f1", HOSTILE_METRIC], by="eval_f1")
    app.assert_sound()
    assert app.link["col"] == ["eval_loss", "eval_f1", HOSTILE_METRIC]
    assert "JSCODE::" not in options(app)
    assert "alert('" not in options(app)
    rows, (run, f1, *_) = app.grid.rows, app.columns
    assert run == "run", "what decides is next to it"
    assert definitions(app)[f1]["headerName"] == "F1\nbest"
    assert rows[f1].to_dict() == {"a": 0.9, "b": 0.3}
    assert rows[f"{f1}_text"].to_dict() == {"a": "0.9", "b": "0.3"}
    assert rows[f"{f1}_note"]["a"] == "At step 2. Best: the highest of 2 runs."
    assert rows["eval_loss_text"]["a"] == "0.8"
    assert "The lowest is 0.7000 at step 3." in rows["eval_loss_note"]["a"]
    # By the eval loss the checkpoint of the first is that of step 3.
    by_loss = with_f1(col=["eval_f1"])
    assert by_loss.grid.rows[f1].to_dict() == {"a": 0.7, "b": 0.3}


def test_a_name_that_is_no_column_leaves_the_link_and_the_page_says_so(with_f1):
    app = with_f1(col=["eval_loss", "unheard of"], metric=["eval_f1", "unheard of"], by="eval_runtime")
    app.assert_sound()
    assert app.columns == ["run", "eval_loss"]
    assert (app.link["col"], app.link["metric"]) == (["eval_loss"], ["eval_f1"])
    assert "by" not in app.link
    said = [each.value.replace("\\", "") for each in app.at.warning]
    assert said == [
        "Left out of the link, as no selected run logged such a metric: metric=unheard of, by=eval_runtime.",
        "1 column of the link left out: unheard of. No selected run logged it.",
    ]


def test_the_list_shows_what_decides_of_a_selected_run_and_its_eval_loss_else(on_folder, with_f1, tmp_path):
    write_run(tmp_path / "c", [0.8], [0.75])
    app = with_f1(by="eval_f1")
    assert {line["name"]: line["value"] for line in app.lines.values()} == {"a": "0.9", "b": "0.3", "c": "0.75"}
    assert (app.runs["selectedValue"], app.runs["otherValue"]) == ("F1", "Eval loss")


def test_the_trophy_is_on_the_checkpoint_with_the_lowest_eval_loss_not_on_the_run_that_once_had_it(with_f1):
    plainly = with_f1().grid.rows["eval_loss_text"]
    assert plainly.to_dict() == {"a": "0.7", "b": "🏆 0.6"}
    rows = with_f1(by="eval_f1", col=["eval_loss", "lowest_eval_loss"]).grid.rows
    assert rows["eval_loss_text"].to_dict() == {"a": "0.8", "b": "🏆 0.6"}
    assert rows["lowest_eval_loss_text"].to_dict() == {"a": "0.7", "b": "0.6"}


def legend(app) -> str:
    """The line below the table, as text."""
    (line,) = [body for body in app.html_bodies if "table-legend" in body]
    return re.sub(r"<[^>]+>", "", line)


def test_only_what_decides_or_differs_is_shown_and_the_rest_is_said_below(on_folder, tmp_path):
    for name, losses, batch in (("a", [0.9, 0.8], 4), ("b", [0.9, 0.7], 8)):
        write_run(tmp_path / name, losses, losses, args={"per_device_train_batch_size": batch, "learning_rate": 1e-4})
    app = on_folder(tmp_path, run=["a", "b"])
    app.assert_sound()
    assert app.columns == ["run", "score", "eval_loss", "steps_to_best", "train_loss", "gap", "batch", "findings"]
    assert list(app.grid.rows.index) == ["b", "a"], "the recommended run first"
    assert legend(app).endswith("in all: learning rate 1e-4")
    chosen = on_folder(tmp_path, run=["a", "b"], col=["learning_rate"])
    assert chosen.columns == ["run", "learning_rate"]
    assert "learning rate 1e-4" not in legend(chosen)
    assert "batch" not in legend(chosen)


def test_the_metric_that_decides_is_a_column_though_nobody_chose_it(with_f1):
    app = with_f1(by="eval_f1")
    app.assert_sound()
    assert [definitions(app)[key]["headerName"] for key in app.columns[:4]] == [
        "Run\n\u00a0", "F1\nbest", "\u00a0\nat step", "Eval loss\nthere",
    ]  # fmt: skip
    assert {"lowest_eval_loss", "lowest_eval_loss_step"} <= set(app.columns), (
        "it is another one than that of the best F1"
    )
    assert "lowest_eval_loss" not in with_f1().columns
    assert "col" not in app.link


def pills(app) -> dict[str, list[str]]:
    """The columns that are offered, by group."""
    found = [each for each in app.at.button_group if each.key.startswith("widget:col:")]
    return {each.label: [option.content for option in each.proto.options] for each in found}


def open_columns(app):
    app.at.session_state["columns"] = True
    return app.rerun()


def test_columns_are_chosen_in_groups_and_the_default_ones_are_no_choice(with_f1):
    app = open_columns(with_f1())
    default = app.columns
    groups = pills(app)
    assert list(groups) == ["Decides", "Losses", "Training", "Settings", "Further metrics"]
    assert "Perplexity" in groups["Losses"]
    key = f"widget:{link.COLUMNS.name}:losses"
    before = list(app.at.button_group(key=key).value)
    app.turn("button_group", key, [*before, "perplexity"]).assert_sound()
    assert set(app.columns) == {*default, "perplexity"}
    assert set(app.link["col"]) == {*default, "perplexity"} - {"run"}
    app.turn("button_group", key, before)
    assert app.columns == default
    assert "col" not in app.link


def test_typing_leaves_the_columns_that_it_names(with_f1):
    app = open_columns(with_f1())
    app.turn("text_input", "column_search", "perpl").assert_sound()
    assert pills(app) == {"Losses": ["Perplexity"]}

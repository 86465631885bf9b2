"""The summary table as it is sent to the grid: constants in the options, foreign text in the data."""

from __future__ import annotations

import json
import re

import pandas as pd
import pytest

from lib.charts.palette import RUN_COLORS
from lib.core.curves.derived import DERIVED
from lib.core.text import formatting
from lib.table.columns import COLUMNS
from lib.table.marks import Mark
from lib.ui.panels import grid as drawn
from lib.ui.panels import table
from lib.ui.session import link
from tests.app.harness import write_run

OFFERED = [column for column in COLUMNS if column.metric not in DERIVED]
"""The columns of a table where nothing that is derived tells more than what it is derived from."""
EVERY_COLUMN = [column.key for column in OFFERED if column.key != "run"]


def definitions(app) -> dict[str, dict]:
    """The columns' definitions, by key."""
    return {each["colId"]: each for each in app.grid.arguments["gridOptions"]["columnDefs"]}


def options(app) -> str:
    """All that is sent beside the data, apart from the data's own hash."""
    return json.dumps({name: value for name, value in app.grid.arguments.items() if name != "data_hash"})


def words(app) -> set[str]:
    """The words of the options; how wide things are, and where, may differ."""
    return {word for word in re.findall(r"\w+", options(app)) if not word.isdigit()}


def test_the_options_hold_constants_only(opened, on_folder, demo, tmp_path):
    hostile = "::JSCODE::alert(1)::JSCODE::<img src=x>"
    write_run(tmp_path / hostile, [1.0], [0.8], args={"dataset_name": hostile})
    write_run(tmp_path / "b", [0.5], [0.9], args={"dataset_name": "'+alert(1)+'"})
    apps = [
        opened(run=demo.alike, col=EVERY_COLUMN),
        opened(run=[demo.hostile, demo.queued], col=EVERY_COLUMN),
    ]
    apps.append(on_folder(tmp_path, run=[hostile, "b"], col=EVERY_COLUMN))
    for app in apps:
        app.assert_sound()
    known = {word for column in COLUMNS for line in column.lines for word in line.split()}
    keys = {column.key + drawn.NOTE for column in COLUMNS}
    assert words(apps[0]) >= words(apps[2]) - words(apps[1]) - known - keys
    assert words(apps[0]) >= words(apps[1]) - words(apps[2]) - known - keys
    assert "alert" not in options(apps[-1])
    assert "JSCODE" not in options(apps[-1])


def test_foreign_text_travels_as_data(on_folder, tmp_path):
    hostile = "::JSCODE::alert(1)::JSCODE::<img src=x>"
    write_run(tmp_path / hostile, [1.0], [0.8], args={"dataset_name": hostile})
    app = on_folder(tmp_path)
    app.check(app.listed[0]).address(run=app.listed[0], col="dataset").assert_sound()
    (row,) = app.grid.rows.to_dict("records")
    assert row["run_text"] == f"{hostile} ★"
    assert row["dataset_text"] == hostile


def test_no_code_is_let_through_and_nothing_is_asked_of_the_server(opened, demo):
    arguments = opened(run=demo.alike).grid.arguments
    assert arguments["allow_unsafe_jscode"] is False
    assert arguments.get("enable_enterprise_modules") in (None, False)
    assert not arguments.get("update_on")
    assert "http" not in json.dumps(arguments).replace("http://www.w3.org", "")


def test_every_row_is_high_enough_to_be_seen(opened, demo):
    heights = {n: opened(run=demo.alike[:n]).grid.arguments["height"] for n in (1, 3, 5)}
    assert heights[3] - heights[1] == heights[5] - heights[3] == 2 * drawn.ROW_HEIGHT
    assert heights[1] >= drawn.HEADER_HEIGHT + drawn.ROW_HEIGHT


def test_every_expression_names_columns_that_are_sent(opened, demo):
    grid = opened(run=demo.alike[:2], col=EVERY_COLUMN).grid
    sent = set(grid.rows.columns)
    definitions = grid.arguments["gridOptions"]["columnDefs"]
    assert {definition["colId"] for definition in definitions} == {"run", *EVERY_COLUMN}
    for definition in definitions:
        assert {definition["tooltipField"]} <= sent if "tooltipField" in definition else True
        named = re.findall(r"data\['(\w+)'\]", json.dumps(definition))
        assert named
        assert set(named) <= sent
    rules = json.dumps(grid.arguments["gridOptions"]["rowClassRules"])
    assert set(re.findall(r"data\.(\w+)", rules)) <= sent


def test_every_class_that_a_rule_gives_has_a_style(opened, demo):
    grid = opened(run=demo.alike[:2], col=EVERY_COLUMN).grid
    grid_options, css = grid.arguments["gridOptions"], " ".join(grid.arguments["custom_css"])
    classes = {name for definition in grid_options["columnDefs"] for name in definition["cellClassRules"]}
    assert classes == set(Mark)
    assert grid_options["rowClassRules"].keys() >= {f"slot-{slot}" for slot in range(len(RUN_COLORS))}
    for name in classes | set(grid_options["rowClassRules"]):
        assert f".{name}" in css, name


def test_headers_say_what_a_column_means_and_which_direction_is_better(opened, demo):
    definitions = opened(run=demo.alike[:2], col=EVERY_COLUMN).grid.arguments["gridOptions"]["columnDefs"]
    tooltips = {definition["colId"]: definition["headerTooltip"] for definition in definitions}
    assert "Lower is better." in tooltips["eval_loss"]
    assert "Higher is better." in tooltips["score"]
    assert "better" not in tooltips["train_loss"]
    assert all(tooltips.values())


def test_missing_values_are_sorted_last_both_ways(opened, demo):
    definitions = opened(run=demo.alike[:2], col=EVERY_COLUMN).grid.arguments["gridOptions"]["columnDefs"]
    shows = {column.key: column.show for column in OFFERED}
    for definition in definitions:
        is_number = shows[definition["colId"]] is not None
        assert ("column.getSort() === 'desc' ? -1e308 : 1e308" in definition["valueGetter"]) is is_number


def marks_of(rows: pd.DataFrame, column: str) -> dict[str, str]:
    return rows[f"{column}_mark"].to_dict()


@pytest.fixture
def compared(on_folder, tmp_path):
    """A table of runs with these (train loss, eval loss), by name."""

    def build(**losses: tuple[float, float | None]):
        for name, (train, evaluated) in losses.items():
            write_run(tmp_path / name, [train], [] if evaluated is None else [evaluated])
        app = on_folder(tmp_path, run=list(losses), col=EVERY_COLUMN)
        app.assert_sound()
        return app.grid.rows

    return build


def test_the_best_and_the_worst_are_marked_by_more_than_colour(compared):
    rows = compared(a=(0.5, 0.52), b=(0.5, 0.7), c=(0.5, 0.6))
    assert marks_of(rows, "eval_loss") == {"a": "best", "b": "worst", "c": ""}
    assert rows["eval_loss_text"].to_dict() == {"a": "🏆 0.52", "b": "0.70", "c": "0.60"}
    assert [drawn.SIGNS[mark][0] for mark in (Mark.TIE_BEST, Mark.WORST)] == ["= ", "▽ "]
    assert "600" in drawn.CSS[".ag-cell.best, .ag-cell.tie-best"]["font-weight"]
    assert "Best: the lowest of 3 runs." in rows["eval_loss_note"]["a"]
    assert "Worst: the highest of 3 runs." in rows["eval_loss_note"]["b"]
    assert marks_of(rows, "score")["a"] == "best"


def test_a_tie_is_shown_as_one(compared):
    rows = compared(a=(0.5, 0.52), b=(0.4, 0.52), c=(0.5, 0.6))
    assert marks_of(rows, "eval_loss") == {"a": "tie-best", "b": "tie-best", "c": "worst"}
    assert rows["eval_loss_text"].str.startswith("🏆 ").to_dict() == {"a": True, "b": True, "c": False}
    assert "Best, tied: the lowest of 3 runs." in rows["eval_loss_note"]["a"]


def test_a_single_run_is_neither_best_nor_worst(compared):
    rows = compared(a=(0.5, 0.52))
    assert marks_of(rows, "eval_loss") == {"a": ""}
    assert marks_of(rows, "score") == {"a": ""}
    assert rows["run_text"]["a"] == "a ★"


def test_where_more_is_not_better_nobody_wins(compared):
    rows = compared(a=(0.1, 0.52), b=(0.9, 0.95))
    for column in ("train_loss", "learning_rate", "duration"):
        assert set(rows[f"{column}_mark"]) == {""}


def test_gaps_are_marked_above_a_tenth_and_below_zero(compared):
    rows = compared(a=(0.5, 0.7), b=(0.5, 0.6), c=(0.5, 0.45), d=(0.5, 0.5), e=(0.5, None))
    assert marks_of(rows, "gap") == {"a": "high", "b": "", "c": "negative", "d": "", "e": ""}
    assert rows["gap_text"].to_dict() == {
        "a": "+0.200", "b": "+0.100", "c": "-0.050", "d": "+0.000", "e": formatting.NOT_RECORDED,
    }  # fmt: skip


def test_a_zero_is_a_value_and_nothing_recorded_is_not(compared):
    rows = compared(a=(0.0, 0.0), b=(0.5, None))
    assert rows["eval_loss_text"].to_dict() == {"a": "🏆 0", "b": formatting.NOT_RECORDED}
    assert rows["train_loss_text"]["a"] == "0.0"
    assert rows["_recommended"].to_dict() == {"a": True, "b": False}


def test_each_row_has_the_colour_of_its_run(opened, demo):
    app = opened(run=demo.alike[:3]).uncheck(demo.alike[0]).check(demo.hostile)
    assert {label: RUN_COLORS[slot] for label, slot in app.grid.rows["_slot"].items()} == app.colors
    assert sorted(app.grid.rows["_slot"]) == [0, 1, 2]


def test_the_table_is_made_once_and_the_grid_cannot_change_it(opened, demo, monkeypatch):
    made = []
    make = table.grid_frame

    def watched(*args):
        frame = make(*args)
        made.append((frame, frame.copy(deep=True)))
        return frame

    monkeypatch.setattr(table, "grid_frame", watched)
    opened(run=demo.alike[:2]).rerun().rerun().assert_sound()
    ((frame, before),) = made
    pd.testing.assert_frame_equal(frame, before)


def test_speed_per_gpu_can_be_chosen_where_a_run_has_several_gpus(opened, demo):
    key = "tokens_per_second_per_gpu"
    app = opened(run=[demo.four_gpus, demo.alike[0]], col=["tokens_per_second", key])
    app.assert_sound()
    assert app.columns == ["run", "tokens_per_second", key]
    rows = app.grid.rows
    assert sorted(rows["tokens_per_second"] / rows[key]) == pytest.approx([1.0, 4.0])
    tooltips = {each["colId"]: each["headerTooltip"] for each in app.grid.arguments["gridOptions"]["columnDefs"]}
    assert tooltips[key].startswith("Derived: ")
    default = opened(run=[demo.four_gpus, demo.alike[0]])
    assert key not in default.columns
    alone = opened(run=demo.alike[:2], col=["tokens_per_second", key])
    alone.assert_sound()
    assert alone.columns == ["run", "tokens_per_second"]


def test_the_table_can_be_kept_as_csv_whatever_columns_are_shown(opened, demo):
    app = opened(run=demo.alike[:2], col="model")
    (button,) = [each for each in app.at.get("download_button") if each.key == "summary_csv"]
    assert button.label == "CSV"


F1 = [{"step": step, "eval_f1": value} for step, value in ((1, 0.2), (2, 0.9), (3, 0.7))]
"""Best at step 2."""
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

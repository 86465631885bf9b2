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
from lib.ui.panels import grid_look as drawn
from lib.ui.panels import table
from lib.ui.panels.grid import NOTE
from tests.app.harness import write_run
from tests.app.reading import options

OFFERED = [column for column in COLUMNS if column.metric not in DERIVED]
"""The columns of a table where nothing that is derived tells more than what it is derived from."""
EVERY_COLUMN = [column.key for column in OFFERED if column.key != "run"]


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
    keys = {column.key + NOTE for column in COLUMNS}
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
    assert classes == {*Mark, *drawn.SENSES, "against"}
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


@pytest.mark.parametrize(
    ("sets", "marks", "lowest_of_all"),
    [
        (("a.jsonl", "b.jsonl", "c.jsonl"), {"a": "", "b": "", "c": ""}, set()),
        (("a.jsonl", "a.jsonl", "c.jsonl"), {"a": "worst", "b": "best", "c": ""}, set()),
        (("a.jsonl", "a.jsonl", "a.jsonl"), {"a": "", "b": "worst", "c": "best"}, {"c"}),
    ],
)
def test_losses_of_unfinished_runs_are_marked_only_among_those_that_compare(
    on_folder, tmp_path, sets, marks, lowest_of_all
):
    for name, data, lowest in zip("abc", sets, (0.7, 0.6 if sets[2] == "c.jsonl" else 0.8, 0.5), strict=True):
        write_run(tmp_path / name, [0.9, 0.8], [0.9, lowest], args={"eval_dataset": data}, total=9)
    app = on_folder(tmp_path, run=list("abc"), col=EVERY_COLUMN)
    rows = app.grid.rows
    assert marks_of(rows, "eval_loss") == marks
    assert {name for name, text in rows["eval_loss_text"].items() if text.startswith("🏆")} == lowest_of_all


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
    assert button.label.startswith("CSV")


"""Best at step 2."""

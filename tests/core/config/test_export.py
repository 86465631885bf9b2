from __future__ import annotations

import csv
import io

import pytest

from lib.core.config.diff import diff
from lib.core.config.export import to_csv, to_markdown
from lib.core.facts.runs import RunSummary


def rows_of(*configs):
    return diff([RunSummary(run_id=str(n), name=f"run {n}", config=each) for n, each in enumerate(configs)])


def cells_of(text):
    return list(csv.reader(io.StringIO(text)))


def test_csv_has_one_line_per_parameter_and_one_column_per_run():
    header, *lines = cells_of(to_csv(rows_of({"lr": 1e-4}, {"lr": 2e-4, "foo": "null"}), ["A", "B"]))
    assert header == ["Group", "Parameter", "Key", "Differs", "A", "B", "Notes"]
    assert lines == [
        ["optimizer", "Learning rate", "learning_rate", "yes", "1e-4", "2e-4", ""],
        ["other", "Foo", "foo", "yes", "not set", '"null"', ""],
    ]


@pytest.mark.parametrize("text", ["=1+1", "+cmd", "-cmd|x", "@SUM(A1)", " =1", "-1+1", "＝1"])
def test_a_cell_is_never_a_formula(text):
    header, line = cells_of(to_csv(rows_of({text: text}), [text]))
    assert header[4] == f"'{text}"
    assert line[2] == f"'{text}"
    assert not line[4].lstrip().startswith(("=", "+", "-", "@", "＝"))


def test_negative_numbers_stay_numbers():
    _, line = cells_of(to_csv(rows_of({"shift": -1.5}), ["A"]))
    assert line[4] == "-1.5"


def test_csv_holds_whole_values_and_survives_quotes_and_line_breaks():
    text = 'a "quoted"\r\nline; ' + "x" * 1_000
    _, line = cells_of(to_csv(rows_of({"template": text}), ["A\nB"]))
    assert line[4].replace("\r\n", "\n") == text.replace("\r\n", "\n")


def test_markdown_is_a_github_table():
    assert to_markdown(rows_of({"lr": 1e-4}, {"lr": 2e-4}), ["A", "B"]) == (
        "| Group | Parameter | A | B |\n| --- | --- | --- | --- |\n| optimizer | Learning rate | 1e-4 | 2e-4 |\n"
    )


def test_markdown_escapes_names_and_values():
    lines = to_markdown(rows_of({"a|b": "x|y\nz `c` <img src=x> **b** [l](u) &amp;"}), ["L|1\n<b>"]).splitlines()
    assert len(lines) == 3
    assert lines[0] == "| Group | Parameter | L\\|1<br>&lt;b&gt; |"
    assert "A\\|b" in lines[2]
    assert "x\\|y<br>z \\`c\\` &lt;img src=x&gt; \\*\\*b\\*\\* \\[l\\](u) &amp;amp;" in lines[2]


def test_every_line_of_the_markdown_table_has_the_same_number_of_cells():
    rows = rows_of({"lora": {"r": 8}, "training": {"lora_r": 16}, "p|": "a|b"}, {"lora": {"r": 8}})
    counts = {line.replace("\\|", "").count("|") for line in to_markdown(rows, ["A", "B"]).splitlines()}
    assert counts == {6}


def test_notes_are_exported_with_the_run_they_are_about():
    rows = rows_of({"lora": {"r": 8}, "training": {"lora_r": 16}}, {"lora": {"r": 8}})
    _, line = cells_of(to_csv(rows, ["A", "B"]))
    assert line[-1].startswith("A: LoRA rank is stated with different values")
    assert "A: LoRA rank is stated" in to_markdown(rows, ["A", "B"])


@pytest.mark.parametrize("export", [to_csv, to_markdown])
def test_labels_must_match_the_runs(export):
    with pytest.raises(ValueError, match="Expected a label for each of the 2 runs, got 1"):
        export(rows_of({"lr": 1}, {"lr": 2}), ["A"])


def test_no_rows_give_a_header():
    assert len(cells_of(to_csv((), ["A"]))) == 1
    assert len(to_markdown((), ["A"]).splitlines()) == 2

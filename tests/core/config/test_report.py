from __future__ import annotations

import csv
import io

import pytest

from lib.core.config.diff import diff
from lib.core.config.report import effective_table, odd_settings, to_csv, to_markdown, tokens_per_step
from lib.core.config.setting import Oddity
from lib.core.facts.runs import RunSummary

ODD = {
    "lora": {"r": 8, "lora_alpha": 16, "target_modules": ["q_proj", "down_proj:"]},
    "training": {
        "lora_config": {"r": 16}, "lora_r": 8, "warmup_steps": 10, "warmup_ratio": 0.1, "batch_size": 4,
        "packing": None,
    },
    "provider": {"api_key": "sk-0123456789"},
}  # fmt: skip


def run(number, config=None, **columns):
    return RunSummary(run_id=f"r{number}", name="r", config=config or {}, **columns)


def test_what_is_odd_is_told_once_for_each_run_with_places_and_the_one_that_counts():
    found = odd_settings(diff([run(1, {"seed": 1}), run(2, ODD)]))
    assert [(one.run, one.kind, one.titles) for one in found] == [
        (1, Oddity.CONTRADICTION, ("Warm-up steps", "Warm-up ratio")),
        (1, Oddity.CONTRADICTION, ("LoRA rank",)),
        (1, Oddity.TYPO, ("Target modules",)),
    ]
    assert "uses config.training.warmup_steps" in found[0].sentence
    assert "config.lora.r = 8, config.training.lora_config.r = 16. The trainer uses config.lora.r." in found[1].sentence
    assert odd_settings(diff([run(1, {"seed": 1})])) == ()


def test_the_effective_table_names_the_places_that_are_overridden_and_those_that_agree():
    table = {title: rest for title, *rest in effective_table(diff([run(1), run(2, ODD, batch_size=4)]), 1)}
    assert table["LoRA rank"] == [
        "8", "config.lora.r", "overrides config.training.lora_config.r = 16; same in config.training.lora_r", "LoRA",
    ]  # fmt: skip
    assert table["Batch size"] == ["4", "config.training.batch_size", "same in column batch_size", "batch"]
    assert table["Packing"][0] == "null"
    assert table["Warm-up in effect, share"][:2] == [
        "cannot tell", "derived: config.training.warmup_steps, all steps not known",
    ]  # fmt: skip
    assert table["Warm-up ratio"][2] == ""


def test_a_run_that_does_not_state_a_parameter_has_no_row_for_it():
    assert effective_table(diff([run(1), run(2, ODD)]), 0) == []


def test_no_secret_is_in_the_report():
    rows = diff([run(1, ODD), run(2, ODD | {"training": {"api_key": "sk-9876543210"}, "api_key": "sk-1111111111"})])
    report = repr([effective_table(rows, number) for number in range(2)]) + repr(odd_settings(rows))
    assert "sk-" not in report
    assert "••••" in report


def test_tokens_per_step_are_those_that_the_job_counted():
    assert tokens_per_step(run(1, total_tokens_processed=1000, current_step=10)) == 100
    assert tokens_per_step(run(1, total_tokens_processed=1000)) is None
    assert tokens_per_step(run(1, total_tokens_processed=1000, current_step=0)) is None
    assert tokens_per_step(run(1, total_tokens_processed=1000, current_step=9, resumed_from_run_id="r0")) is None


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

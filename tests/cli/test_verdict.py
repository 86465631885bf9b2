from __future__ import annotations

import json
import math
import subprocess
import sys

import pytest

from lib.cli.__main__ import main
from tests.app.harness import PROJECT_ROOT, write_run

FALLING = [2.0 / step for step in range(1, 41)]
KEYS = {
    *("headline", "recommended", "tied", "decided_by", "sure", "checkpoint", "ranking", "left_out", "objections"),
    *("findings", "classes"),
}
SAME = {"task_type": "CAUSAL_LM", "dataset_name": "a/b", "model_name_or_path": "m/n", "output_dir": "out"}
RANKED = {"run", "value", "step", "score", "eval_loss", "train_loss", "gap", "gap_error", "checkpoint"}


@pytest.fixture
def verdict(capsys):
    """Ask for a verdict; gives the exit code, what was printed, as data where it is JSON, and the errors."""

    def ask(*arguments):
        code = main(["verdict", *map(str, arguments)])
        printed, errors = capsys.readouterr()
        if "--json" in arguments:
            return code, json.loads(printed) if printed else None, errors
        return code, printed, errors

    return ask


def steady(level: float) -> list[float]:
    """Evaluations that fall to a level, with a little noise."""
    return [level + 0.5 * 0.7**step + 0.0005 * (-1) ** step for step in range(40)]


@pytest.fixture
def two_runs(tmp_path):
    write_run(tmp_path / "better", FALLING, steady(1.0), args=SAME | {"learning_rate": 1e-4})
    write_run(tmp_path / "worse", FALLING, steady(1.3), args=SAME | {"learning_rate": 2e-4})
    return tmp_path


def test_a_clear_winner_is_recommended(two_runs, verdict):
    code, said, errors = verdict(two_runs, "--json")
    assert (code, errors) == (0, "")
    assert set(said) == KEYS
    assert (said["headline"], said["recommended"], said["tied"]) == ("winner", "better", [])
    assert [each["run"] for each in said["ranking"]] == ["better", "worse"]
    assert all(set(each) == RANKED for each in said["ranking"])
    assert said["checkpoint"] == said["ranking"][0]["checkpoint"]
    assert set(said["findings"]) == {"better", "worse"}


def test_it_is_told_in_the_lines_of_the_page(two_runs, verdict):
    code, said, _ = verdict(two_runs)
    assert code == 0
    headline, _, checkpoint, why, against, *rows = said.splitlines()
    assert headline == "Ship better"
    assert checkpoint.startswith("Checkpoint: ")
    assert why.startswith("Why: Lowest eval loss, 0.9995, and best score, ")
    assert against.startswith("Against: ")
    assert [row.split()[0] for row in rows[:3]] == ["Run", "better", "worse"]
    assert rows[1].endswith("★ ship")
    assert "It rests on the evaluations at the same steps, paired." in rows
    assert any(row.startswith("Noise, up to ") for row in rows)
    assert "Shaded" not in said


def test_one_run_is_alone(two_runs, verdict):
    code, said, _ = verdict(two_runs, "--run", "worse", "--json")
    assert (code, said["headline"], said["recommended"]) == (0, "alone", "worse")


def test_a_tie_recommends_none(tmp_path, verdict):
    for name in ("one", "two"):
        write_run(tmp_path / name, [*FALLING[:-1], 0.05 if name == "one" else 0.051], steady(1.0))
    code, said, _ = verdict(tmp_path, "--json")
    assert (code, said["headline"], said["recommended"], said["checkpoint"]) == (3, "tie", None, None)
    assert sorted(said["tied"]) == ["one", "two"]


def test_without_a_value_there_is_none(tmp_path, verdict):
    write_run(tmp_path / "no evaluations", FALLING)
    code, said, _ = verdict(tmp_path, "--json")
    assert (code, said["headline"], said["recommended"], said["ranking"]) == (3, "none", None, [])
    assert said["left_out"][0]["run"] == "no evaluations"
    assert "eval" in said["left_out"][0]["why"]


def test_the_checkpoint_is_of_the_step_at_which_the_deciding_metric_is_best(tmp_path, verdict):
    """The eval loss is lowest at step 10 and F1 highest at step 30; the runs chose their best checkpoint by F1."""
    for name, f1 in (("plain", 0.5), ("tuned", 0.8)):
        scores = [f1 - abs(step - 30) / 100 for step in range(1, 41)]
        rows = [{"step": step, "eval_f1": score} for step, score in enumerate(scores, 1)]
        losses = [1.0 + abs(step - 10) / 100 for step in range(1, 41)]
        args = {"metric_for_best_model": "eval_f1", "greater_is_better": True, "save_steps": 1, "eval_steps": 1}
        write_run(tmp_path / name, FALLING, losses, rows=rows, args=args)
        for step in (10, 30):
            (tmp_path / name / f"checkpoint-{step}").mkdir()
            (tmp_path / name / f"checkpoint-{step}" / "model.safetensors").write_bytes(b"weights")
    code, said, _ = verdict(tmp_path, "--json")
    assert (code, said["recommended"], said["decided_by"]) == (0, "tuned", "eval_f1")
    assert said["checkpoint"] == {"step": 30, "path": "checkpoint-30", "fate": "kept"}
    _, said, _ = verdict(tmp_path, "--by", "eval_loss", "--json")
    assert said["decided_by"] == "eval_loss"
    assert {each["checkpoint"]["path"] for each in said["ranking"]} == {"checkpoint-10"}
    _, said, _ = verdict(tmp_path, "--by", "eval_f1", "--direction", "lower", "--json")
    assert said["ranking"][0]["run"] == "plain"


@pytest.mark.parametrize("arguments", [[], ["--run", "better", "--run", "nobody"]])
def test_a_wrong_call_says_so_on_standard_error_only(two_runs, verdict, arguments):
    for position in range(4):
        write_run(two_runs / f"more {position}", FALLING, steady(2.0))
    code, said, errors = verdict(two_runs, *arguments)
    assert (code, said) == (2, "")
    assert errors.startswith("Expected")


@pytest.mark.parametrize("metric", ["eval_nobody_logged", "train_loss", "loss"])
def test_a_metric_that_no_evaluation_measured_is_a_wrong_call(two_runs, verdict, metric):
    code, said, errors = verdict(two_runs, "--by", metric, "--json")
    assert (code, said) == (2, None)
    assert metric in errors
    assert "eval_loss" in errors


def test_runs_without_the_metric_that_was_named_are_left_out(two_runs, verdict):
    scored = [{"step": step, "eval_f1": 0.01 * step} for step in range(1, 41)]
    write_run(two_runs / "scored", FALLING, steady(1.2), rows=scored, args=SAME | {"learning_rate": 3e-4})
    code, said, _ = verdict(two_runs, "--by", "eval_f1", "--json")
    assert (code, said["headline"], said["recommended"], said["decided_by"]) == (0, "alone", "scored", "eval_f1")
    assert {each["run"]: each["why"] for each in said["left_out"]} == {
        "better": "no F1 logged",
        "worse": "no F1 logged",
    }


def test_a_direction_that_nothing_tells_can_be_said(two_runs, verdict):
    for name, score in (("better", 0.3), ("worse", 0.6)):
        rows = [{"step": step, "eval_goodness": score + step / 1000} for step in range(1, 41)]
        args = SAME | {"metric_for_best_model": "goodness"}
        write_run(two_runs / name, FALLING, steady(1.0), rows=rows, args=args)
    code, said, _ = verdict(two_runs, "--json")
    assert (code, said["headline"], said["decided_by"]) == (3, "none", "eval_goodness")
    code, said, _ = verdict(two_runs, "--direction", "higher", "--json")
    assert (code, said["recommended"], said["ranking"][0]["value"]) == (0, "worse", 0.64)


def test_what_cannot_be_read_is_named_on_standard_error(two_runs, verdict):
    (two_runs / "broken").mkdir()
    (two_runs / "broken" / "trainer_state.json").write_text("[1")
    code, said, errors = verdict(two_runs, "--json")
    assert (code, said["recommended"]) == (0, "better")
    assert errors.startswith("Not read: broken/trainer_state.json: ")


def test_where_nothing_can_be_read_the_error_says_why(tmp_path, verdict):
    assert verdict(tmp_path)[0] == 2
    (tmp_path / "trainer_state.json").write_text("[]")
    code, said, errors = verdict(tmp_path)
    assert (code, said) == (2, "")
    assert "Expected at least one run, found none.\ntrainer_state.json: Expected a JSON object" in errors


def test_values_that_are_no_numbers_are_null_and_names_are_whole(tmp_path, verdict, capsys):
    """Every number is one that JSON has; names come back as they are whatever the terminal can show."""
    write_run(tmp_path / "実験 \u202eé", [math.nan, *FALLING[1:-1], math.inf], [*steady(1.0)[:-1], math.nan])
    write_run(tmp_path / "b", [1e25] * 40, [1e25 / step for step in range(1, 41)])
    code, said, _ = verdict(tmp_path, "--json")
    assert code in (0, 3)
    assert {*said["findings"]} == {"実験 é", "b"}
    main(["verdict", str(tmp_path), "--json"])
    printed = capsys.readouterr().out
    assert printed.isascii()
    json.loads(printed, parse_constant=pytest.fail)


def test_the_lines_say_why_runs_are_left_out_by_what_was_decided_and_how_they_were_read(tmp_path, verdict):
    write_run(tmp_path / "lr_2e-4", FALLING, steady(1.0), total=100)
    code, said, _ = verdict(tmp_path)
    assert code == 3
    assert said.startswith("No recommendation\n")
    assert "lr_2e-4: Left out: not known to have completed: log ends at step 40 of 100." in said
    rates = [{"step": step, "learning_rate": 5e-5} for step in range(1, 41)]
    write_run(tmp_path / "lr_2e-4", FALLING, steady(1.0), rows=rates)
    code, said, _ = verdict(tmp_path)
    assert code == 0
    assert "Decided by eval loss and gap: " in said
    assert 'Note on lr_2e-4: The folder name "lr_2e-4" says learning rate 2e-4' in said


def test_a_folder_that_is_not_there_is_a_wrong_call(tmp_path, verdict):
    code, said, errors = verdict(tmp_path / "nowhere")
    assert (code, said) == (2, "")
    assert "nowhere" in errors


def test_it_runs_as_a_module_without_the_page(two_runs):
    program = "import sys; sys.modules['streamlit'] = None; sys.argv[1:] = ['verdict', sys.argv[1]]\n"
    program += "import runpy; runpy.run_module('lib.cli', run_name='__main__')"
    done = subprocess.run(
        [sys.executable, "-c", program, str(two_runs)], cwd=PROJECT_ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Ship better\n")


@pytest.mark.parametrize(
    ("header", "column", "ended", "badge", "hint"),
    [
        ("val_loss", steady(1.0), [], "only completed runs can be recommended", "say so with --ended."),
        ("val_ppl", steady(9.0), ["--ended"], "only runs with a value that decides", "Name the metric that decides"),
    ],
)
def test_without_a_recommendation_it_says_what_would_give_one(tmp_path, verdict, header, column, ended, badge, hint):
    rows = [f"{step},{train},{held}" for step, (train, held) in enumerate(zip(FALLING, column, strict=True), 1)]
    (tmp_path / "log.csv").write_text("\n".join((f"step,train_loss,{header}", *rows)))
    code, said, _ = verdict(tmp_path, *ended)
    assert code == 3
    assert badge in said
    assert hint in said
    assert "below" not in said.split("\nRun")[0], "there is no page below the lines"
    assert said.count("--") == 1, "one hint"

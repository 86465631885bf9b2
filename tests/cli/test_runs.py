from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from lib.cli.__main__ import main
from tests.app.harness import write_run
from tests.data.folder.states import save

KEYS = {"runs", "unreadable", "unused"}
OF_RUN = {
    *("name", "format", "status", "files", "metrics", "best_eval_loss", "best_eval_step"),
    *("last_step", "total_steps", "notes"),
}


@pytest.fixture
def runs(capsys):
    """Ask for the runs of a folder; gives the exit code, what was printed, as data where it is JSON, and the errors."""

    def ask(*arguments):
        code = main(["runs", *map(str, arguments)])
        printed, errors = capsys.readouterr()
        return code, json.loads(printed) if "--json" in arguments and printed else printed, errors

    return ask


@pytest.fixture
def outputs(tmp_path):
    write_run(tmp_path / "a", [2.0, 1.0, 0.5], [1.5, 0.9, 1.1], total=9)
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "trainer_state.json").write_text("{")
    (tmp_path / "lines").mkdir()
    lines = [{"current_steps": step, "total_steps": 100, "loss": 2 / step} for step in range(1, 5)]
    (tmp_path / "lines" / "trainer_log.jsonl").write_text("\n".join(map(json.dumps, lines)) + "\n")
    save(tmp_path / "bare" / "checkpoint-10")
    (tmp_path / "picture.png").write_bytes(b"")
    return tmp_path


def test_json_says_what_was_found(outputs, runs):
    code, said, errors = runs(outputs, "--json")
    assert (code, errors, set(said)) == (0, "", KEYS)
    assert all(set(each) == OF_RUN for each in said["runs"])
    by_name = {each["name"]: each for each in said["runs"]}
    assert set(by_name) == {"a", "lines"}
    first = by_name["a"]
    assert (first["format"], first["files"]) == ("Hugging Face Trainer", ["a/trainer_state.json"])
    assert (first["best_eval_loss"], first["best_eval_step"]) == (0.9, 2)
    assert (first["last_step"], first["total_steps"]) == (3, 9)
    assert first["metrics"]["train_loss"] == 3
    assert by_name["lines"]["format"] == "LLaMA-Factory"
    assert by_name["lines"]["metrics"] == {"train_loss": 4}
    assert by_name["lines"]["status"] == "log ends at step 4 of 100"
    ((path, reason),) = [tuple(each.values()) for each in said["unreadable"]]
    assert path == "b/trainer_state.json"
    assert "not valid JSON" in reason
    assert {each["path"] for each in said["unused"]} == {"bare", "."}
    assert any("1 .png" in each["why"] for each in said["unused"])


def test_text_is_a_table_and_what_is_no_run(outputs, runs):
    code, said, _ = runs(outputs)
    head, *rows = said.splitlines()
    assert code == 0
    assert head.split("  ")[0] == "Run"
    assert rows[0].split()[0] == "a"
    assert "0.9" in rows[0]
    assert any(line.startswith("Not read: b/trainer_state.json: ") for line in rows)
    assert any(line.startswith("No run: bare: ") for line in rows)


def test_a_folder_without_runs_says_what_was_looked_for(tmp_path, runs):
    code, said, _ = runs(tmp_path)
    assert code == 0
    assert said.startswith("No run was found. Looked for: Hugging Face Trainer (trainer_state.json), ")
    assert "TensorBoard" in said
    assert runs(tmp_path, "--json")[1] == {"runs": [], "unreadable": [], "unused": []}


def test_a_folder_that_is_not_there_ends_with_two(tmp_path, runs):
    code, said, errors = runs(tmp_path / "nowhere")
    assert (code, said) == (2, "")
    assert "found nothing" in errors


def test_what_is_not_finite_is_null(tmp_path, runs):
    write_run(tmp_path / "a", [1.0, 1.0], [float("inf"), float("nan")])
    (run,) = runs(tmp_path, "--json")[1]["runs"]
    assert run["best_eval_loss"] is None


def test_a_result_without_a_curve_is_shown_as_the_verdict_takes_it(tmp_path, runs):
    rows = ["name,lr,batch_size,val_loss", "run_0,0.001,32,0.5", "run_1,0.0003,32,0.6"]
    (tmp_path / "sweep.csv").write_text("\n".join(rows) + "\n")
    _, said, _ = runs(tmp_path, "--json")
    assert {each["name"]: each["best_eval_loss"] for each in said["runs"]} == {"run_0": 0.5, "run_1": 0.6}


def test_letters_that_the_terminal_does_not_have_are_spelt_out(tmp_path):
    write_run(tmp_path / "läuft", [2.0, 1.0], [1.5, 0.9])
    command = [sys.executable, "-m", "lib.cli", "runs", str(tmp_path)]
    told = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(
        command, env=told | {"PYTHONIOENCODING": "ascii"}, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "l\\xe4uft" in done.stdout

from __future__ import annotations

import json
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
RANKED = {"run", "value", "step", "score", "eval_loss", "train_loss", "gap", "gap_error", "checkpoint"}


@pytest.fixture
def verdict(capsys):
    """Ask for a verdict; gives the exit code, what was printed, as data where it is JSON, and the errors."""

    def ask(*arguments):
        code = main(["verdict", *map(str, arguments)])
        printed, errors = capsys.readouterr()
        return code, json.loads(printed) if "--json" in arguments else printed, errors

    return ask


def steady(level: float) -> list[float]:
    """Evaluations that fall to a level, with a little noise."""
    return [level + 0.5 * 0.7**step + 0.0005 * (-1) ** step for step in range(40)]


@pytest.fixture
def two_runs(tmp_path):
    args = {"task_type": "CAUSAL_LM", "dataset_name": "a/b", "model_name_or_path": "m/n", "output_dir": "out"}
    write_run(tmp_path / "better", FALLING, steady(1.0), args=args | {"learning_rate": 1e-4})
    write_run(tmp_path / "worse", FALLING, steady(1.3), args=args | {"learning_rate": 2e-4})
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


def test_it_is_told_in_lines_too(two_runs, verdict):
    code, said, _ = verdict(two_runs)
    assert code == 0
    assert said.startswith("better\n")
    assert "Strongest objection:" in said
    assert "worse:" in said


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
    assert done.stdout.startswith("better\n")

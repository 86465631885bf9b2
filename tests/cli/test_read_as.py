"""``--as`` reads metrics as somebody says, with the syntax of a link's ``as``."""

from __future__ import annotations

import json

import pytest

from lib.cli.__main__ import main


@pytest.fixture
def folder(tmp_path):
    for at, level in enumerate((0.9, 1.4)):
        falling = [(step, 3 / (step + 3)) for step in range(0, 400, 10)]
        rows = "".join(f"{step},{each + at / 9:.4f},{each + level:.4f}\n" for step, each in falling)
        (tmp_path / f"m{at}.csv").write_text("step,loss,held_out\n" + rows)
    return str(tmp_path)


def test_a_metric_that_nobody_knew_decides(folder, capsys):
    assert main(["verdict", folder, "--ended", "--json"]) == 3
    capsys.readouterr()
    main(["verdict", folder, "--ended", "--as", "held_out~eval_loss", "--json"])
    said = json.loads(capsys.readouterr().out)
    assert (said["decided_by"], said["recommended"]) == ("eval_loss", "m0")


def test_the_list_of_runs_has_it_too(folder, capsys):
    assert main(["runs", folder, "--as", "held_out~eval_loss", "--json"]) == 0
    runs = json.loads(capsys.readouterr().out)["runs"]
    assert all(set(run["metrics"]) == {"train_loss", "eval_loss"} and run["best_eval_loss"] for run in runs)


@pytest.mark.parametrize("command", ["runs", "verdict"])
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("held_out", "a tilde"),
        ("~eval_loss", "a tilde"),
        ("held_out~accuracy", "a tilde"),
        ("nothing~eval_loss", "held_out"),
        ("loss~eval_loss", "held_out"),
    ],
)
def test_what_makes_no_sense_is_refused_with_what_can_be_said(folder, capsys, command, text, expected):
    assert main([command, folder, "--as", text]) == 2
    assert expected in capsys.readouterr().err

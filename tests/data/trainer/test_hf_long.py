"""A long log of a Trainer is read in parts, and comes to what it comes to as a whole."""

from __future__ import annotations

import json

import numpy as np
import pytest

from lib.data.formats import json_history
from lib.data.trainer.hf_log import TrainerLog, read_trainer_log


def history():
    rows = []
    for step in range(1, 200):
        rows.append({"epoch": step / 50, "loss": 2 / step, "grad_norm": "1.5", "step": step, "timestamp": 1.7e9 + step})
        if step % 50 == 0:
            rows.append({"eval_loss": float("nan") if step == 100 else 0.5, "eval_by": {"f1": 0.5}, "step": step})
            rows.append({"train_runtime": 9.0, "train_loss": 0.3, "step": step})
            rows.append({"eval_loss": 0.4, "step": step})
    return [*rows, {"loss": 1.0}, "x", {"train_runtime": 5.0, "train_loss": 0.2, "step": 199}, {"eval_loss": 0.3}]


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("more", [{}, {"log_history": history()[:20]}])
def test_parts_and_the_whole_are_one_log(tmp_path, monkeypatch, indent, more) -> None:
    path = tmp_path / "trainer_state.json"
    content = {
        "global_step": 199,
        "log_history": history(),
        "max_steps": 300,
        "trial_params": {"lr": 1, "x": [1]},
    } | more
    path.write_text(json.dumps(content, indent=indent))
    whole = read_trainer_log(path)
    assert isinstance(whole, TrainerLog)
    monkeypatch.setattr(json_history, "PART", 500)
    monkeypatch.setattr(json_history, "_LEAST", 0)
    parts = read_trainer_log(path)
    assert isinstance(parts, TrainerLog)
    for name in (
        "state",
        "summary",
        "closing",
        "closed_at",
        "stopped_early",
        "rows",
        "started",
        "ended",
        "digest",
        "notes",
    ):
        assert getattr(parts, name) == getattr(whole, name), name
    assert parts.points.names == whole.points.names
    for name in ("metric", "step", "epoch", "at", "value"):
        np.testing.assert_array_equal(getattr(parts.points, name), getattr(whole.points, name))


def test_a_long_log_that_is_cut_off_is_named(tmp_path, monkeypatch) -> None:
    path = tmp_path / "trainer_state.json"
    path.write_text(json.dumps({"log_history": history(), "global_step": 1})[:-200])
    monkeypatch.setattr(json_history, "PART", 500)
    monkeypatch.setattr(json_history, "_LEAST", 0)
    assert "not valid JSON" in read_trainer_log(path).reason

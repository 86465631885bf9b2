"""Tables in which the rows of evaluations do not count as those of training do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from lib.data.formats.readers.any_table import FORMAT
from tests.data.formats.readers.units import read

LOSS = [3.0, 2.5, 2.2, 2.0, 1.9]


def rows(epochs: int, steps: int = 5, *, evaluated: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A row for every tenth step, and one for each epoch's evaluation."""
    for epoch in range(1, epochs + 1):
        for row in range(1, steps + 1):
            step = 10 * ((epoch - 1) * steps + row)
            yield {"lr": 1e-4, "loss": 3.0 - step / 1000, "data_time": 0.3, "iter": step, "step": step}
        yield {"val/accuracy": 0.5 + epoch / 100, "data_time": 9.0} | {
            name: epoch if value == "epoch" else value for name, value in evaluated.items()
        }


def run_of(tmp_path, lines):
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (run,) = read(FORMAT, tmp_path, {"log.jsonl": text}).runs
    return run


@pytest.mark.parametrize("epochs", [1, 2, 3, 4, 5, 12, 40])
@pytest.mark.parametrize("evaluated", [{"step": "epoch"}, {"epoch": "epoch"}, {}])
def test_an_evaluation_that_counts_epochs_or_nothing_stands_where_training_was(tmp_path, epochs, evaluated):
    lines = list(rows(epochs, evaluated=evaluated))
    run = run_of(tmp_path, [*lines, {"loss": 1.0, "iter": 10**6, "step": 10**6, "lr": 0.0, "data_time": 0.3}])
    assert run.series["val/accuracy"].step.tolist() == [50 * each for each in range(1, epochs + 1)]
    assert run.series["loss"].step.tolist() == [*range(10, 50 * epochs + 1, 10), 10**6]
    # What both kinds of rows have is that of training.
    assert set(run.series["data_time"].value.tolist()) == {0.3}
    assert any('state no "' in note and "val/accuracy" in note for note in run.notes)


def test_what_stands_after_all_steps_is_a_result(tmp_path):
    lines = [{"step": 10 * n, "loss": loss} for n, loss in enumerate(LOSS, 1)]
    run = run_of(tmp_path, [*lines, {"test_loss": 2.1}])
    assert set(run.series) == {"loss"}
    assert run.last["test_loss"] == 2.1


def test_what_stands_before_all_steps_is_a_setting(tmp_path):
    lines = [{"step": 10 * n, "loss": loss} for n, loss in enumerate(LOSS, 1)]
    run = run_of(tmp_path, [{"batch_size": 8, "max_length": 512}, *lines])
    assert set(run.series) == {"loss"}


def test_a_step_that_goes_back_in_a_resumed_training_stays_that(tmp_path):
    steps = [10, 20, 30, 40, 20, 30, 40, 50, 60, 70, 80]
    run = run_of(tmp_path, [{"step": step, "iter": step, "loss": 3.0 - step / 100} for step in steps])
    assert run.series["loss"].step.tolist() == steps

"""Event files against the texts that the same programs wrote, and run folders of Weights & Biases."""

from __future__ import annotations

import re

import numpy as np
import pytest

from lib.core.facts.runs import RunStatus
from lib.data.formats.readers import tensorboard, wandb_run
from tests.data.formats.reading import readings

EVENTS = "tensorboard/nanogpt_hyperbolic"
FOLDERS = "wandb/nanogpt_tokenizers"


@pytest.fixture(scope="module")
def events(logs):
    if not (logs / EVENTS).is_dir():
        pytest.fail(f"Expected {EVENTS} in the folder of real logs.")
    return readings(tensorboard.FORMAT, logs / EVENTS)


def test_every_run_has_the_values_that_its_text_has(events, logs) -> None:
    assert len(events) == 11
    for folder, reading in events.items():
        (run,) = reading.runs
        text = (logs / EVENTS / folder).parent.joinpath("log.txt").read_text(encoding="utf-8")
        # The text counts the steps that are done, the event file the step that was.
        for name, key, before in (("Loss/Train", "avg_train_loss", 1), ("Loss/Validation", "val_loss", 0)):
            told = np.array(re.findall(rf"^step:(\d+)/\d+ {key}:(\S+)", text, re.M), dtype=float)
            series = run.series[name]
            many = len(series.step)
            assert len(told) - many in (0, 1)
            assert (series.step == told[:many, 0] - before).all()
            np.testing.assert_allclose(series.value, told[:many, 1], atol=6e-5, equal_nan=True)
        assert (reading.unreadable, reading.unused, run.status) == ((), (), RunStatus.UNKNOWN)
        assert np.ptp(np.concatenate([each.at for each in run.series.values()])) > 10


def test_numbers_are_those_that_were_logged_and_configurations_are_there(events) -> None:
    for reading in events.values():
        (run,) = reading.runs
        assert {"num_iterations", "batch_size"} <= {*run.config["run_params"]}
        for series in run.series.values():
            assert max(len(repr(each).lstrip("-").replace(".", "")) for each in series.value.tolist()) <= 10


def test_run_folders_without_run_file_state_facts(logs) -> None:
    found = readings(wandb_run.FORMAT, logs / FOLDERS)
    assert {reading.runs[0].identity for reading in found.values()} == {"jnyhr7aj", "jqe8zy9r"}
    for reading in found.values():
        (run,) = reading.runs
        assert dict(run.series) == {}
        assert run.config["config"]["block_size"] == 1024
        assert "_wandb" not in run.config["config"]
        assert {"iter", "train/loss", "val/loss", "lr", "mfu"} == {*run.last}

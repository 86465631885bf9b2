"""How important a line is, as a logging module puts it before a message, is no part of what the line counts."""

from __future__ import annotations

import pytest

from lib.data.formats.readers.text_logs import FORMAT
from tests.data.formats.reading import only_run, points, put

LINES = range(1, 31)


@pytest.mark.parametrize(
    "before",
    ["", "INFO ", "INFO: ", "[INFO] ", "INFO:root:", "DEBUG    ", "2025-03-01 10:00:00,123 INFO ", "WARNING "],
)
@pytest.mark.parametrize("counted", ["Epoch", "step"])
def test_a_level_before_the_message_changes_nothing(tmp_path, before, counted) -> None:
    lines = [f"{before}{counted} {at}: train_loss={2 / at:.4f} val_loss={2.5 / at:.4f}" for at in LINES]
    put(tmp_path, {"train.log": "\n".join(lines) + "\n"})
    run = only_run(FORMAT, tmp_path)
    assert points(run) == {
        "train_loss": [(at, float(f"{2 / at:.4f}")) for at in LINES],
        "val_loss": [(at, float(f"{2.5 / at:.4f}")) for at in LINES],
    }


def test_a_word_that_is_no_level_stays(tmp_path) -> None:
    lines = [f"INFORMED Epoch {at}: train_loss={2 / at:.4f}" for at in LINES]
    put(tmp_path, {"train.log": "\n".join(lines) + "\n", "true.log": "Epoch 1: train_loss=2\nEpoch 2: train_loss=1\n"})
    assert only_run(FORMAT, tmp_path).files == (("true.log",),)

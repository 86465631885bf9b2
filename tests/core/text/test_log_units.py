"""Sentences about steps of a log that counts epochs."""

from __future__ import annotations

import pytest

from lib.core.text.log_units import by_unit, in_epochs, unit_of
from tests.core.checked_runs import run_of


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("Rises from step 3 to step 9.", "Rises from epoch 3 to epoch 9."),
        ("Between steps 3 and 5.", "Between epochs 3 and 5."),
        ("Steps go back; a step is one.", "Epochs go back; an epoch is one."),
        ('In "step 3.csv" at step 4.', 'In "step 3.csv" at epoch 4.'),
        ("8 optimizer steps, 4 accumulation steps.", "8 optimizer steps, 4 accumulation steps."),
        ("train/loss_step and step-3 and save_steps", "train/loss_step and step-3 and save_steps"),
    ],
)
def test_steps_become_epochs_but_not_in_names(said, expected):
    assert in_epochs(said) == expected


def test_only_where_the_log_counts_epochs():
    steps, epochs = run_of(current_step=30, current_epoch=3.0), run_of(current_step=3, current_epoch=3.0)
    assert (unit_of(steps), unit_of(epochs)) == ("step", "epoch")
    assert (by_unit("At step 3.", steps), by_unit("At step 3.", epochs)) == ("At step 3.", "At epoch 3.")

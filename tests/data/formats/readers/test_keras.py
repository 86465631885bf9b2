from __future__ import annotations

import pytest

from lib.data.formats.readers.keras import FORMAT
from tests.data.formats.readers.units import KERAS, read


def test_a_row_is_an_epoch_that_is_done(tmp_path) -> None:
    (run,) = read(FORMAT, tmp_path, KERAS).runs
    assert run.counted == "epoch"
    assert run.series.keys() == {"accuracy", "loss", "val_loss"}
    assert run.series["val_loss"].step.tolist() == [0, 2]
    assert run.series["val_loss"].epoch is None
    assert [str(value) for value in run.series["loss"].value] == ["2.0", "nan", "0.7"]


def test_a_log_that_was_appended_to_says_so(tmp_path) -> None:
    (run,) = read(FORMAT, tmp_path, {"a.csv": "epoch;accuracy;loss\n0;0.5;2\n1;0.6;1\n0;0.5;3\n"}).runs
    assert run.series["loss"].step.tolist() == [0, 1, 0]
    assert any("repeat" in note for note in run.notes)


def test_a_first_epoch_without_validation_leaves_room_for_it(tmp_path) -> None:
    # Keras writes the header by then, and the names for validation behind all others.
    content = "epoch,loss,weighted_f1,val_loss,val_weighted_f1\n0,2,0.1,NA,NA\n1,1,0.2,1.5,0.3\n"
    (run,) = read(FORMAT, tmp_path, {"train.csv": content}).runs
    assert run.series["val_weighted_f1"].step.tolist() == [1]
    assert run.series["weighted_f1"].step.tolist() == [0, 1]


@pytest.mark.parametrize(
    "content",
    [
        "step,loss\n1,2\n",
        "epoch,val_loss,loss\n1,2,3\n",
        "a line\nanother, line\n",
        "",
        "epoch,loss\n-1,2\n",
        "epoch,acc\n1,2\n",
    ],
)
def test_what_is_not_of_its_form_is_passed_on(tmp_path, content) -> None:
    assert read(FORMAT, tmp_path, {"train.log": content}) is None

"""Tables of evaluations in and between epochs, as sentence-transformers writes them."""

from __future__ import annotations

import pytest

from lib.data.formats.readers.any_table import FORMAT
from tests.data.formats.reading import only_run, points, put

PLACE = "run/eval/similarity_evaluation_dev_results.csv"


def table(rows):
    return "epoch,steps,cosine_pearson\n" + "".join(f"{epoch},{step},{value}\n" for epoch, step, value in rows)


def test_evaluations_within_epochs_and_at_their_ends_stand_one_after_the_other(tmp_path):
    steps = [100, 200, 300, -1]
    rows = [(epoch, step, 0.5 + epoch / 10 + at / 100) for epoch in range(3) for at, step in enumerate(steps)]
    put(tmp_path, {PLACE: table(rows)})
    run = only_run(FORMAT, tmp_path)
    assert points(run) == {"cosine_pearson": [(100 * at, value) for at, (_, _, value) in enumerate(rows, 1)]}
    assert any("not stated" in note for note in run.notes)


def test_evaluations_between_epochs_alone_count_epochs(tmp_path):
    put(tmp_path, {PLACE: table([(0, -1, 0.5), (1, -1, 0.6), (2, -1, 0.7)])})
    run = only_run(FORMAT, tmp_path)
    assert run.counted == "epoch"
    assert points(run) == {"cosine_pearson": [(0, 0.5), (1, 0.6), (2, 0.7)]}


def test_a_table_that_breaks_off_within_an_epoch_keeps_what_it_has(tmp_path):
    put(tmp_path, {PLACE: table([(0, 100, 0.5), (0, 200, 0.55), (0, -1, 0.6), (1, 100, 0.7)])})
    assert points(only_run(FORMAT, tmp_path))["cosine_pearson"] == [(100, 0.5), (200, 0.55), (300, 0.6), (400, 0.7)]


@pytest.mark.parametrize(
    "rows",
    [
        # Within an epoch, of no epoch, and lower than that: it is no end.
        [(0, -1, 0.5), (0, 100, 0.6), (1, 100, 0.7), (1, 200, 0.8)],
        [(0, -2, 0.5), (1, -1, 0.6), (2, 100, 0.7)],
    ],
)
def test_other_steps_below_0_are_no_ends_of_epochs(tmp_path, rows):
    put(tmp_path, {PLACE: table(rows)})
    assert not any("length of an epoch" in note for note in only_run(FORMAT, tmp_path).notes)

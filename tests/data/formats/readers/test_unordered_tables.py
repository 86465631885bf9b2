"""Tables out of order are read in order, and a count beside columns that are no metrics is data and no run."""

from __future__ import annotations

import math
import random

import pytest

from lib.data.formats.readers.any_table import FORMAT
from tests.data.formats.readers.units import read

RANDOM = random.Random(11)


def table(header, rows, separator=","):
    return "\n".join(separator.join(map(str, row)) for row in (header, *rows)) + "\n"


def log(steps, start=3.0):
    return [
        (step, round(start * math.exp(-step / 300), 4), round(0.9 - 0.5 * math.exp(-step / 200), 4)) for step in steps
    ]


def shuffled(rows):
    rows = list(rows)
    RANDOM.shuffle(rows)
    return rows


@pytest.mark.parametrize("count", ["step", "global_step", "iter", "epoch"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("order", ["shuffled", "newest first", "by metric"])
def test_rows_in_any_order_are_read_by_step(tmp_path, count, separator, order):
    rows = log(range(5, 400, 7))
    turned = {"shuffled": shuffled(rows), "newest first": rows[::-1], "by metric": sorted(rows, key=lambda row: row[2])}
    content = table((count, "train_loss", "myScore"), turned[order], separator)
    (run,) = read(FORMAT, tmp_path, {"a.csv": content}).runs
    assert run.series["train_loss"].step.tolist() == [row[0] for row in rows]
    assert run.series["train_loss"].value.tolist() == [row[1] for row in rows]
    # By a metric that falls all the way the order is that of the steps, or the other way around.
    assert any("in that order" in note for note in run.notes) or turned[order] == rows


def test_of_rows_of_one_step_the_last_counts_and_that_is_said(tmp_path):
    rows = shuffled(log(range(0, 500, 10)))
    rows += [(50, 9.0, 0.1), (70, 9.0, 0.1)]
    (run,) = read(FORMAT, tmp_path, {"a.csv": table(("step", "loss", "acc"), rows)}).runs
    values = dict(zip(run.series["loss"].step.tolist(), run.series["loss"].value.tolist(), strict=True))
    assert values[50] == values[70] == 9.0
    assert any("2 rows have the step of another" in note for note in run.notes)


def test_several_runs_out_of_order_are_no_repeats(tmp_path):
    rows = shuffled((name, *row) for at, name in enumerate("abc") for row in log(range(0, 300, 10), 2 + at))
    runs = read(FORMAT, tmp_path, {"a.csv": table(("run", "step", "loss", "acc"), rows)}).runs
    assert sorted(run.name for run in runs) == ["a", "b", "c"]
    assert all(run.series["loss"].step.tolist() == list(range(0, 300, 10)) for run in runs)
    assert not any("another" in note for run in runs for note in run.notes)


@pytest.mark.parametrize(
    ("header", "rows"),
    [
        # A sweep, with the epoch that was each run's best.
        (
            ("lr", "batch_size", "epoch", "val_acc"),
            [(1e-3 / k, 8 * k, (7 * k) % 11, 0.5 + k / 50) for k in range(1, 9)],
        ),
        # Settings, one of them the length of training.
        (("epochs", "val_acc"), [(10, 0.5), (3, 0.4), (30, 0.6), (5, 0.3), (50, 0.7), (1, 0.2)]),
        # Steps of no interval: best checkpoints.
        (("step", "val_acc"), [(937, 0.5), (12, 0.4), (411, 0.6), (89, 0.3), (3020, 0.7), (640, 0.2)]),
    ],
)
def test_what_is_no_log_in_another_order_stays_none(tmp_path, header, rows):
    reading = read(FORMAT, tmp_path, {"a.csv": table(header, rows)})
    assert reading.runs == ()


def noise(low, high):
    return RANDOM.randint(low, high)


@pytest.mark.parametrize(
    ("header", "rows"),
    [
        (("step", "price", "area", "year"), [(k, noise(90, 900), noise(30, 200), 1950 + k % 60) for k in range(200)]),
        (("epoch", "ra", "dec"), [(2000 + k, noise(0, 3600) / 10, noise(0, 900) / 10) for k in range(60)]),
        (("iteration", "id", "price"), [(k, 10_000 + k, noise(1, 99)) for k in range(80)]),
        (("step", "year", "rooms"), [(k, 1900 + k // 4, noise(1, 9)) for k in range(200)]),
        (("step", "temperature", "minutes"), [(k, noise(20, 220), noise(1, 60)) for k in range(1, 30)]),
    ],
)
def test_data_beside_a_count_are_no_run_and_the_reason_is_named(tmp_path, header, rows):
    reading = read(FORMAT, tmp_path, {"a.csv": table(header, rows)})
    assert reading.runs == ()
    (told,) = reading.unused
    assert "o column that is a training metric" in told.why or "no column has the name" in told.why
    assert header[0] in told.why


@pytest.mark.parametrize(
    "name", ["bleu", "reward", "pass@1", "f1_macro", "hits@10", "chrF", "exact_match", "win_rate/acc"]
)
def test_known_metrics_make_a_run_however_they_run(tmp_path, name):
    rows = [(k * 50, noise(0, 100) / 100) for k in range(1, 12)]
    (run,) = read(FORMAT, tmp_path, {"a.csv": table(("step", name), rows)}).runs
    assert list(run.series) == [name]


@pytest.mark.parametrize(
    "shape", [lambda k: math.exp(-k / 12), lambda k: k / (k + 9), lambda k: 1 / (1 + math.exp(12 - k))]
)
def test_a_metric_that_nobody_knows_is_one_where_it_runs_like_a_curve(tmp_path, shape):
    rows = [(k, round(shape(k) + noise(-20, 20) / 1000, 5)) for k in range(40)]
    (run,) = read(FORMAT, tmp_path, {"a.csv": table(("step", "quux"), rows)}).runs
    assert list(run.series) == ["quux"]


def test_an_empty_file_is_said_to_be_empty(tmp_path):
    (told,) = read(FORMAT, tmp_path, {"a.csv": ""}).unused
    assert "empty" in told.why

"""What launchers and loggers put before each line, and counts that stand in brackets instead."""

from __future__ import annotations

import pytest

from lib.data.formats.readers.text_logs import FORMAT
from tests.data.formats.reading import only_run, points, put

STEPS = range(10, 101, 10)
LABELS = {
    "torchrun, and no space": "[rank{}]:| ",
    "srun": "{}:   ",
    "mpirun": "[1,{}]<stdout>:",
    "mpirun of Open MPI 5": "[prterun-gpu1-1234@1,{}]<stdout>: ",
    "MPICH": "[{}] ",
    "nodes": "node{}: ",
}


@pytest.mark.parametrize("label", LABELS.values(), ids=LABELS)
def test_of_several_processes_the_first_is_read(tmp_path, label):
    lines = [f"{label.format(rank)}step {step} loss: {rank + step / 100}" for step in STEPS for rank in (1, 0, 2)]
    put(tmp_path, {"train.log": "\n".join(lines) + "\n"})
    (found,) = points(only_run(FORMAT, tmp_path)).values()
    first = 1 if "node" in label else 0
    assert found == [(step, step / 100) for step in STEPS], first


@pytest.mark.parametrize("before", ["", "I0102 10:00:00.123456 1234 logging_writer.py:48] ", "[10:00:00] "])
def test_a_count_in_brackets_before_names_is_the_step(tmp_path, before):
    lines = [f"{before}[{step}] accuracy=0.5, loss={step / 100}" for step in STEPS]
    put(tmp_path, {"train.log": "\n".join(lines) + "\n"})
    assert points(only_run(FORMAT, tmp_path))["loss"] == [(step, step / 100) for step in STEPS]


def test_numbers_in_brackets_that_go_back_again_and_again_are_those_of_processes(tmp_path):
    lines = [f"[{rank}] loss={rank + line / 100}" for line in range(40) for rank in range(8)]
    put(tmp_path, {"train.log": "\n".join(lines) + "\n"})
    assert FORMAT.read(tmp_path, ("train.log",), [("train.log",)]) is None


def test_the_prefix_of_a_container_is_no_part_of_the_line(tmp_path):
    lines = [f"2026-01-02T10:00:00.123456789Z stdout F Iter {step}: Train loss {step / 100}" for step in STEPS]
    put(tmp_path, {"train.log": "\n".join(lines) + "\n"})
    assert points(only_run(FORMAT, tmp_path)) == {"Train loss": [(step, step / 100) for step in STEPS]}


def test_fractions_may_stand_behind_a_comma(tmp_path):
    lines = [f"step {step}: train loss {2 + step / 1000}, lr 1e-4".replace(".", ",") for step in STEPS]
    put(tmp_path, {"train.log": "\n".join(lines) + "\n"})
    assert points(only_run(FORMAT, tmp_path))["train loss"] == [(step, 2 + step / 1000) for step in STEPS]


@pytest.mark.parametrize("line", ["step {0:,}: tokens 1,234,567, loss {1}", "[1,0] step {0} of (3,4), loss {1}"])
def test_commas_of_thousands_and_lists_are_none_before_fractions(tmp_path, line):
    put(tmp_path, {"train.log": "".join(line.format(100 * step, step / 100) + "\n" for step in STEPS)})
    assert points(only_run(FORMAT, tmp_path))["loss"] == [(100 * step, step / 100) for step in STEPS]


@pytest.mark.parametrize(
    "line",
    [
        "step {0} → train loss: {1} ↓",
        "🚀 Step {0} | 📉 train loss: {1}",
        "01/02/2026 12:00:10 PM step {0} train loss {1}",
    ],
)
def test_signs_and_halves_of_a_day_are_no_part_of_a_name(tmp_path, line):
    put(tmp_path, {"train.log": "".join(line.format(step, step / 100) + "\n" for step in STEPS)})
    assert points(only_run(FORMAT, tmp_path)) == {"train loss": [(step, step / 100) for step in STEPS]}


def test_lines_that_state_fractions_of_epochs_alone_are_counted(tmp_path):
    lines = [f"Epoch {step / 50:.2f}: train loss {3 - step / 100}" for step in STEPS]
    put(tmp_path, {"train.log": "\n".join(lines) + "\n"})
    run = only_run(FORMAT, tmp_path)
    assert points(run) == {"train loss": [(n, 3 - step / 100) for n, step in enumerate(STEPS, 1)]}
    assert run.notes

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from lib.core.facts.runs import ReadAs, RunStatus
from lib.core.facts.sizes import MOST_METRICS
from lib.data.formats.assembly import renamed
from tests.curves import check_curve
from tests.data.formats.forms.logs import CHANGED, falling, form, series

DENSE, SPARSE = range(0, 1000, 10), range(100, 1001, 100)


def logged(**more):
    return {"loss": falling(DENSE), "val_loss": falling(SPARSE, 2.5), **more}


def test_a_log_becomes_a_run_with_its_losses_and_where_it_ends():
    made = form(
        "runs/a", logged(), total_steps=2000, config={"config": {"lr": 3e-4, "batch_size": 8, "dataset": "x/alpaca"}}
    )
    run = made.run
    for curve in made.curves.curves.values():
        check_curve(curve)
    assert set(made.curves.curves) == {"train_loss", "eval_loss"}
    assert (run.loss, run.eval_loss) == (pytest.approx(2.0 / 991**0.5), pytest.approx(2.5 / 1001**0.5))
    assert (run.best_eval_loss, run.best_step) == (run.eval_loss, 1000)
    assert (run.current_step, run.total_steps, run.progress) == (1000, 2000, 0.5)
    assert (run.status, run.raw_status) == (RunStatus.UNKNOWN, "log ends at step 1,000 of 2,000")
    assert (run.max_learning_rate, run.batch_size, run.dataset_name) == (3e-4, 8, "alpaca")
    assert run.read_as == (ReadAs("loss", "train_loss"), ReadAs("val_loss", "eval_loss"))
    assert (run.formats, run.files) == (("TensorBoard",), ("runs/a/events.out",))
    assert run.updated_at is not None
    assert run.updated_at.timestamp() == CHANGED


def test_a_log_that_reached_its_last_planned_step_is_complete_whoever_says_the_plan():
    assert form("a", logged(), total_steps=1000).run.status is RunStatus.COMPLETED
    assert form("a", logged(), side_files={"training_args.json": {"max_steps": 1000}}).run.status is RunStatus.COMPLETED
    assert form("a", logged(), config={"args": {"max_steps": -1}}).run.total_steps is None
    # A number below what was logged counts something else.
    assert form("a", logged(), config={"args": {"max_steps": 10}}).run.total_steps is None


def test_what_the_log_says_of_its_end_goes_before_how_far_it_came():
    failed = form("a", logged(), total_steps=1000, status=RunStatus.FAILED, said="crashed", error="CUDA").run
    assert (failed.status, failed.raw_status, failed.error_message) == (RunStatus.FAILED, "crashed", "CUDA")
    early = form("a", logged(), total_steps=9000, status=RunStatus.COMPLETED).run
    assert (early.status, early.ended_early) == (RunStatus.COMPLETED, True)
    said = form("a", logged(), side_files={"run_manifest.json": {"status": "aborted"}}).run
    assert (said.status, said.raw_status) == (RunStatus.CANCELLED, "aborted")
    assert form("a", logged(), said="sleeping").run.status_text == "sleeping"


def test_the_evaluation_of_the_base_model_is_no_checkpoint():
    base = series([0, 100, 200], [0.5, 0.9, 0.8])
    run = form("a", {"train_loss": falling(DENSE), "eval_loss": base}).run
    assert (run.best_eval_loss, run.best_step) == (0.8, 200)
    alone = form("a", {"train_loss": falling(DENSE), "eval_loss": series([0], [0.5])}).run
    assert (alone.best_eval_loss, alone.eval_loss) == (None, None)


@pytest.mark.parametrize("has_column", [False, True])
def test_a_log_that_counts_epochs_from_0_is_shown_by_epochs_done(has_column):
    logged = {"loss": falling(range(5)), "val_loss": series(range(5), [5, 4, 3, 2, 2.5])}
    if has_column:
        logged = {name: replace(each, epoch=each.step.astype(float)) for name, each in logged.items()}
    made = form(
        "a",
        logged,
        counted="epoch",
        total_epochs=5,
    )
    curve = made.curves.get("eval_loss")
    assert curve.step.tolist() == [1, 2, 3, 4, 5]
    assert curve.epoch.tolist() == [1, 2, 3, 4, 5]
    run = made.run
    assert (run.best_step, run.best_epoch, run.total_steps, run.total_epochs) == (4, 4.0, 5, 5.0)
    assert run.steps_are_epochs
    assert run.status is RunStatus.COMPLETED
    assert any("epochs from 0" in note for note in run.notes)


def test_an_evaluation_at_epoch_0_before_training_stays_there():
    made = form("a", {"loss": falling(range(1, 6)), "val_loss": series(range(6), [1, 5, 4, 3, 2, 3])}, counted="epoch")
    assert made.curves.get("eval_loss").step.tolist() == list(range(6))
    assert (made.run.best_step, made.run.raw_status) == (4, "log ends at epoch 5")


def test_rows_are_counted_by_the_optimizers_step_that_stands_beside_them():
    rows = range(10)
    steps = [0, 100, 200, 300, 400, 500, 600, 700, 800, 900]
    made = form("a", {"train/loss": falling(rows), "val/loss": series([4, 9], [2.0, 1.0]), "iter": series(rows, steps)})
    assert made.curves.get("train_loss").step.tolist() == steps
    assert made.curves.get("eval_loss").step.tolist() == [400, 900]
    assert "iter" not in made.curves.curves
    assert any('"iter"' in note for note in made.run.notes)


@pytest.mark.parametrize(
    "other",
    [[0, 1, 2, 0, 1, 2, 0, 1, 2, 0], [0.5, *range(1, 10)], [math.nan, *range(1, 10)], [-1, *range(9)]],
    ids=["starts anew each epoch", "fractions", "NaN", "negative"],
)
def test_what_counts_something_else_is_no_axis(other):
    made = form("a", {"loss": falling(range(10)), "iter": series(range(10), other)})
    assert made.curves.get("train_loss").step.tolist() == list(range(10))


def test_epochs_come_of_the_metric_that_logs_them():
    epochs = series(DENSE, [step / 500 for step in DENSE])
    made = form("a", {"train/loss": falling(DENSE), "eval/loss": falling(range(100, 1000, 100)), "train/epoch": epochs})
    assert made.curves.get("eval_loss").epoch.tolist() == pytest.approx([step / 500 for step in range(100, 1000, 100)])
    assert made.run.current_epoch == pytest.approx(990 / 500)
    assert not any("epoch" in metric for metric in made.curves.curves)


def test_a_loss_with_the_values_of_the_evaluations_is_not_the_train_loss():
    same = falling(SPARSE)
    made = form("a", {"loss": same, "val_loss": same})
    assert set(made.curves.curves) == {"eval_loss", "loss"}
    said = form("a", {"train_loss": same, "val_loss": same})
    assert set(said.curves.curves) == {"eval_loss", "train_loss"}, "its name says what it is"


def test_results_that_were_logged_without_a_step_are_of_the_end():
    made = form(
        "a", {"val_loss": series([0], [0.4]), "val_acc": series([0], [0.9])}, last={"val_loss": 0.4, "val_acc": 0.9}
    )
    assert made.curves.get("eval_loss").step.tolist() == [1]
    assert (made.run.final_eval_loss, made.run.best_eval_loss) == (0.4, 0.4)
    going_on = form("a", {"val_loss": series([0], [0.4])})
    assert going_on.curves.get("eval_loss").step.tolist() == [0]


def test_times_are_counted_from_the_first_and_unix_time_says_when():
    start = 1_760_000_000.0
    made = form(
        "a",
        {"loss": series(range(3), [3, 2, 1], [start, start + 10, math.nan]), "lr": series([2], [1e-4], [start + 30])},
    )
    assert made.curves.get("train_loss").elapsed_s.tolist()[:2] == [0.0, 10.0]
    run = made.run
    assert run.started_at is not None
    assert (run.started_at.timestamp(), run.duration_s) == (start, 30.0)
    assert made.curves.rows is not None
    assert made.curves.rows.timed == 2
    since_start = form("a", {"loss": series(range(3), [3, 2, 1], [5, 10, 20])}).run
    assert (since_start.started_at, since_start.duration_s) == (None, 15.0)


def test_steps_that_were_written_again_are_told_and_the_last_one_holds():
    made = form("a", {"loss": series([1, 2, 3, 2, 3], [5, 4, 3, 2, 1])})
    assert made.curves.get("train_loss").value.tolist() == [5, 2, 1]
    rows = made.curves.rows
    assert rows is not None
    assert (rows.rewritten, rows.rewritten_metrics, rows.backwards) == (2, ("train_loss",), 1)


def test_of_thousands_of_metrics_those_that_tell_most_are_read_and_the_rest_is_named():
    layers = {f"layer{number}/norm": falling(range(3)) for number in range(MOST_METRICS + 50)}
    made = form("a", {**layers, "val/f1": series([2], [0.5]), **logged()})
    assert len(made.curves.curves) == MOST_METRICS
    assert {"train_loss", "eval_loss", "val/f1"} <= set(made.curves.curves)
    assert any("metrics" in note and "left out" in note for note in made.run.notes)


def test_what_stands_beside_a_log_completes_it_and_what_differs_is_said():
    beside = {"training_args.json": {"learning_rate": 1e-4, "seed": 7}}
    run = form("a", logged(), side_files=beside, config={"training_args": {"learning_rate": 2e-4}}).run
    assert run.config["training_args"] == {"learning_rate": 2e-4, "seed": 7}
    assert run.max_learning_rate == 2e-4
    assert any("training_args.learning_rate" in note for note in run.notes)
    results = {"train_results.json": {"train_runtime": 50.0, "train_loss": 1.5}, "all_results.json": {"eval_loss": 0.7}}
    ended = form("a", logged(), side_files=results).run
    assert (ended.status, ended.duration_s, ended.final_eval_loss) == (RunStatus.COMPLETED, 50.0, 0.7)
    assert ended.extra["mean_train_loss"] == 1.5


def test_a_trainers_closing_row_says_that_it_returned_and_is_no_point_of_a_curve():
    last = {name: series([990], [value]) for name, value in (("train/train_runtime", 50.0), ("train/train_loss", 1.5))}
    epochs = series(DENSE, [step / 500 for step in DENSE])
    page = {"train/loss": falling(DENSE), "train/epoch": epochs, **last}
    made = form("OUT/runs/x", page, config={"args": {"max_steps": 9000}})
    assert set(made.curves.curves) == {"train_loss"}
    run = made.run
    assert (run.status, run.ended_early, run.duration_s) == (RunStatus.COMPLETED, True, 50.0)
    assert run.extra["mean_train_loss"] == 1.5
    resumed = form("OUT/runs/x", {**page, "train/loss": falling(range(0, 2000, 10))})
    assert (set(resumed.curves.curves), resumed.run.status) == ({"train_loss"}, RunStatus.UNKNOWN)
    summary = form(
        "OUT/runs/x", {"train/loss": falling(DENSE)}, last={"train/train_runtime": 50.0, "train/loss": 1.0}
    ).run
    assert summary.status is RunStatus.COMPLETED
    assert form("x", {"train/loss": falling(DENSE), "train/train_loss": falling(DENSE)}).run.status is RunStatus.UNKNOWN


def test_nothing_that_a_log_may_hold_breaks_it():
    empty = form("", {}, files=(("x",),))
    assert (empty.run.name, len(empty.curves.curves)) == ("run", 0)
    odd = {"loss": series([2**53, -1], [1, 2]), "": series([1], [math.inf]), "epoch": series([1], [1])}
    made = form(
        "a", odd, config={"args": None, "x": 3}, total_steps=0, total_epochs=math.inf, started=math.inf, ended=-math.inf
    )
    assert list(made.curves.curves) == [""]
    assert made.run.raw_status == "log ends at step 1"
    assert form("a", {"epoch": series([1], [1])}, counted="epoch").curves.points == 0


def test_closing_values_are_read_by_the_same_names():
    run = form("a", {}, last={"train_loss": 0.5, "val/loss": 0.7, "val/acc": 0.9, "ppl": 2.0}).run
    assert (run.final_loss, run.final_eval_loss, run.best_eval_loss) == (0.5, 0.7, None)
    assert run.extra["result.val/acc"] == 0.9
    assert "mean_train_loss" not in run.extra
    mean = form("a", {}, last={"train_loss": 0.5, "train_runtime": 60.0}).run
    assert (mean.final_loss, mean.extra["mean_train_loss"], mean.duration_s) == (None, 0.5, 60.0)


# Reading under other names.


def test_a_guess_is_corrected_and_facts_follow():
    made = form(
        "a", {"train/mlm_loss": falling(DENSE), "val_loss": falling(SPARSE), "val_extra": series(SPARSE, [9.0] * 10)}
    )
    assert ReadAs("train/mlm_loss", "train_loss", guessed=True) in made.run.read_as
    run, curves = renamed(made.run, made.curves, {"train/mlm_loss": "", "val_extra": "eval_loss"})
    assert set(curves.curves) == {"train/mlm_loss", "eval_loss", "val_loss"}
    assert (run.loss, run.best_eval_loss) == (None, 9.0)
    assert run.read_as == (ReadAs("val_extra", "eval_loss"),)
    assert not any("may be wrong" in note for note in run.notes)
    again, same = renamed(run, curves, {"val_extra": "", "val_loss": "eval_loss", "train/mlm_loss": "train_loss"})
    assert (again.loss, again.best_eval_loss) == (made.run.loss, made.run.best_eval_loss)
    assert set(same.curves) == set(made.curves.curves)


def test_a_guess_that_is_confirmed_is_one_no_more_and_nothing_changes_for_nothing():
    made = form("a", {"train/mlm_loss": falling(DENSE)})
    run, curves = renamed(made.run, made.curves, {"train/mlm_loss": "train_loss"})
    assert run.read_as == (ReadAs("train/mlm_loss", "train_loss"),)
    assert renamed(run, curves, {"train/mlm_loss": "train_loss", "never logged": "eval_loss"}) == (run, curves)


def test_names_that_are_exchanged_lose_no_curve():
    made = form("a", {"train_loss": falling(DENSE, 1.0), "loss": falling(DENSE, 3.0)})
    run, curves = renamed(made.run, made.curves, {"loss": "train_loss"})
    assert np.array_equal(curves.curves["train_loss"].value, made.curves.curves["loss"].value)
    assert len(curves.curves) == 2
    assert run.loss == made.curves.curves["loss"].value[-1]
    back, _ = renamed(run, curves, {"loss": "", "train_loss": "train_loss"})
    assert back.loss == made.run.loss

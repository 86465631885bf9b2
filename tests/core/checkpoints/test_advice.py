from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.core.checkpoints.advice import Fate, checkpoint_to_ship, step_in_path
from lib.core.checkpoints.save_plan import plan_of
from lib.core.checkpoints.saved import Doubt, kept_steps
from lib.core.curves.evidence import RunEvidence, evidence_of
from lib.core.curves.metric_curves import RunCurves, complete_curve
from lib.core.facts.runs import Checkpoint, RunStatus, RunSummary

KEPT, DELETED, NEVER, UNSURE = Fate.KEPT, Fate.DELETED, Fate.NEVER_SAVED, Fate.CANNOT_TELL
RUN = RunSummary(run_id="r", name="r")
NOTHING_LOGGED, NO_CURVES = RunEvidence(run_id="r"), RunCurves("r")
EVIDENCE = RunEvidence(run_id="r", first_step=1, last_step=1000, best_eval_loss=0.41117, best_step=350, best_epoch=1.75)


def shipped(run, evidence=NOTHING_LOGGED, curves=NO_CURVES):
    return checkpoint_to_ship(run, evidence, curves)


def saving(**options):
    return replace(RUN, config={"training": options})


@pytest.mark.parametrize("path", ["out/checkpoint-350", "s3/run/step_350/adapter", "epoch=1-step=350.ckpt"])
def test_the_recorded_checkpoint_of_the_best_step_is_the_one_to_ship(path):
    advice = shipped(replace(RUN, best_checkpoint_path=path), EVIDENCE)
    assert (advice.step, advice.epoch, advice.eval_loss) == (350, 1.75, 0.41117)
    assert (advice.path, advice.path_step, advice.saved_step, advice.fate) == (path, 350, 350, KEPT)


def test_a_checkpoint_of_another_step_is_given_beside_the_best_step():
    advice = shipped(replace(RUN, best_checkpoint_path="out/checkpoint-900"), EVIDENCE)
    assert (advice.step, advice.path_step, advice.recorded_step, advice.fate) == (350, 900, 900, UNSURE)


def test_a_path_that_names_no_step_is_given():
    advice = shipped(replace(RUN, best_checkpoint_path="out/best"), EVIDENCE)
    assert (advice.path, advice.path_step, advice.fate) == ("out/best", None, UNSURE)


@pytest.mark.parametrize("path", [None, "", "  "])
def test_an_unknown_path_is_unknown(path):
    advice = shipped(replace(RUN, best_checkpoint_path=path), EVIDENCE)
    assert (advice.path, advice.saved_step, advice.fate) == (None, None, UNSURE)


ALL = {"save_total_limit": None}
LAST_ONLY = {"load_best_model_at_end": False}
BEST_TOO = {"load_best_model_at_end": True, "metric_for_best_model": "eval_loss"}
COMPLETED, RUNNING, FAILED = RunStatus.COMPLETED, RunStatus.RUNNING, RunStatus.FAILED


def by_steps(every, limit=None, **options):
    return {"save_strategy": "steps", "save_steps": every, "save_total_limit": limit, **options}


def by_epoch(limit=None, **options):
    return {"save_strategy": "epoch", "num_train_epochs": 5, "save_total_limit": limit, **options}


def schedule(options, status=COMPLETED, total=1000, best=350, last=None):
    """A run of 1,000 steps and 5 epochs, and what is logged of it."""
    run = replace(RUN, config={"training": options}, status=status, total_steps=total)
    last = last or total
    return run, RunEvidence(run_id="r", first_step=10, last_step=last, best_eval_loss=0.4, best_step=best)


# options, of the run, what became of the best checkpoint, the nearest that certainly exists, a nearer possible one
SCHEDULES = {
    "every 50 steps, all kept": (by_steps(50), {}, KEPT, 350, None),
    "every 100 steps: 300 and 400 are equally near": (by_steps(100), {}, NEVER, 300, None),
    "every 90 steps: 360 is nearest; 1000 is no matter": (by_steps(90), {}, NEVER, 360, None),
    "every 500 steps: nothing is saved at step 0": (by_steps(500), {}, NEVER, 500, None),
    "every 2000 steps: only the end may be saved": (by_steps(2000), {}, NEVER, None, 1000),
    "a share of all steps": (by_steps(0.05), {}, KEPT, 350, None),
    "a share that misses the best": (by_steps(0.3), {}, NEVER, 300, None),
    "the last two kept, the best long gone": (by_steps(50, 2, **LAST_ONLY), {}, DELETED, 950, None),
    "the last one kept": (by_steps(50, 1, **LAST_ONLY), {}, DELETED, 1000, None),
    "the last two kept, the best among them": (by_steps(50, 2, **LAST_ONLY), {"best": 950}, KEPT, 950, None),
    "the best beside the last": (by_steps(50, 2, **BEST_TOO), {}, KEPT, 350, None),
    "limit 1 and the best: two remain": (by_steps(50, 1, **BEST_TOO), {}, KEPT, 350, None),
    "as many saved as the limit keeps": (by_steps(350, 2, **LAST_ONLY), {"total": 700}, KEPT, 350, None),
    "a limit of 0 keeps all": (by_steps(50, 0), {}, KEPT, 350, None),
    "limit as text": (by_steps("50", "2", load_best_model_at_end="false"), {}, DELETED, 950, None),
    "limit not recorded": ({"save_steps": 50}, {}, UNSURE, 1000, 350),
    "limit not recorded, the best kept whatever it is": ({"save_steps": 50, **BEST_TOO}, {}, KEPT, 350, None),
    "limit not recorded, the best is the last": ({"save_steps": 50}, {"best": 1000}, KEPT, 1000, None),
    "not recorded whether the best is kept": (by_steps(50, 2), {}, UNSURE, 1000, 350),
    "not recorded, and never saved": (by_steps(100, 2), {}, NEVER, 1000, 300),
    "the best by a metric that is not recorded": (
        by_steps(50, 2, load_best_model_at_end=True), {}, UNSURE, 1000, 350,
    ),
    "a metric of null is the loss": (
        by_steps(50, 2, load_best_model_at_end=True, metric_for_best_model=None), {}, KEPT, 350, None,
    ),
    "a metric is kept without being loaded": (
        by_steps(50, 2, load_best_model_at_end=False, metric_for_best_model="loss"), {}, KEPT, 350, None,
    ),
    "the best by another metric, not logged": (
        by_steps(50, 2, load_best_model_at_end=True, metric_for_best_model="f1"), {}, UNSURE, 1000, 350,
    ),
    "the highest loss is kept": (by_steps(50, 2, **BEST_TOO, greater_is_better=True), {}, UNSURE, 1000, 350),
    "the end is off the schedule": (by_steps(300), {"best": 1000}, UNSURE, 900, 1000),
    "the end is off the schedule, the last one kept": (
        by_steps(300, 1, **LAST_ONLY), {"best": 900}, UNSURE, None, 900,
    ),
    "every epoch": (by_epoch(), {"best": 400}, KEPT, 400, None),
    "every epoch, evaluated between": (by_epoch(), {}, NEVER, 400, None),
    "every epoch, the last two kept": (by_epoch(2, **LAST_ONLY), {"best": 400}, DELETED, 800, None),
    "every epoch, the best kept": (by_epoch(1, **BEST_TOO), {"best": 400}, KEPT, 400, None),
    "every epoch of unknown length": (by_epoch(num_train_epochs=3), {}, UNSURE, None, None),
    "epochs cut by max_steps": (by_epoch(max_steps=1000), {"best": 400}, UNSURE, None, None),
    "never": ({"save_strategy": "no"}, {}, NEVER, None, None),
    "never, as YAML reads it": ({"save_strategy": False}, {}, NEVER, None, None),
    "the interval plays no part": ({"save_strategy": "no", "save_steps": 50}, {}, NEVER, None, None),
    "whenever the loss is best": (
        {"save_strategy": "best", "metric_for_best_model": "loss", "save_total_limit": 1}, {}, KEPT, 350, None,
    ),
    "whenever something is best": ({"save_strategy": "best"}, {}, UNSURE, None, None),
    "by steps of unknown number": ({"save_strategy": "steps"}, {}, UNSURE, None, None),
    "nothing recorded": ({}, {}, UNSURE, None, None),
    "an enumeration's name": (
        {"save_strategy": "IntervalStrategy.STEPS", "save_steps": 50, **ALL}, {}, KEPT, 350, None,
    ),
    "running: what exists now": (by_steps(50, 2, **LAST_ONLY), {"status": RUNNING, "last": 380}, KEPT, 350, None),
    "running: gone by now": (by_steps(50, 2, **LAST_ONLY), {"status": RUNNING, "last": 460}, DELETED, 400, None),
    "running: not saved yet": (by_steps(400, 2), {"status": RUNNING, "last": 390}, NEVER, None, None),
    "failed: nothing is saved at the end": (by_steps(300), {"status": FAILED, "last": 700}, NEVER, 300, None),
    "stopped early": (
        by_steps(50, 2, **LAST_ONLY, logging_steps=10), {"last": 500}, DELETED, 450, None,
    ),
    "stopped, or its last steps not logged": (
        by_steps(50, 2, **LAST_ONLY, logging_steps=10), {"total": 505, "last": 500, "best": 450}, UNSURE, 500, 450,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("options", "of_run", "fate", "nearest", "possible"), SCHEDULES.values(), ids=SCHEDULES)
def test_what_a_schedule_left_of_the_best_checkpoint(options, of_run, fate, nearest, possible):
    advice = shipped(*schedule(options, **of_run))
    assert (advice.fate, advice.saved_step, advice.possible_step) == (fate, nearest, possible)
    assert (advice.saved_step == advice.step) == (fate is KEPT)
    assert (advice.doubt is Doubt.OPTIONS) == bool(advice.unknown)


def curve(steps, values, epochs=None):
    steps = np.array(steps)
    epochs = np.full(len(steps), np.nan) if epochs is None else np.array(epochs)
    return complete_curve(steps, np.array(values), epochs, np.full(len(steps), np.nan))


EVALS = curve([100, 150, 200, 300, 400], [0.9, 0.5, 0.6, 0.7, 0.55])
F1 = curve([100, 150, 200, 300, 400], [0.1, 0.2, 0.3, 0.8, 0.4])


def advised(options, **curves):
    run = replace(RUN, config={"training": options}, status=COMPLETED, total_steps=400)
    series = RunCurves("r", curves)
    return shipped(run, evidence_of(series), series)


def test_the_kept_checkpoint_is_that_of_the_recorded_metric():
    other = {"load_best_model_at_end": True, "metric_for_best_model": "f1"}
    advice = advised(by_steps(100, 2, **other), eval_loss=EVALS, eval_f1=F1)
    assert (advice.fate, advice.saved_step, advice.saved_eval_loss) == (Fate.NEVER_SAVED, 300, 0.7)
    worst = advised(by_steps(100, 2, **other, greater_is_better=False), eval_loss=EVALS, eval_f1=F1)
    assert (worst.saved_step, worst.saved_eval_loss) == (100, 0.9)


def test_versions_of_the_trainer_that_would_keep_different_checkpoints_leave_it_open():
    # Step 150 is best and was never saved: older versions then keep 400, newer ones stay with 100.
    advice = advised(by_steps(100, 2, **BEST_TOO), eval_loss=EVALS)
    assert (advice.fate, advice.saved_step, advice.possible_step) == (Fate.NEVER_SAVED, 400, 100)
    assert advice.doubt is Doubt.TRAINER


def test_a_checkpoint_whenever_the_metric_is_best_is_one_for_each_record():
    options = {"save_strategy": "best", "metric_for_best_model": "f1", "save_total_limit": None}
    advice = advised(options, eval_loss=EVALS, eval_f1=F1)
    assert (advice.fate, advice.saved_step) == (Fate.KEPT, 150)
    assert advised({**options, "save_total_limit": 2}, eval_loss=EVALS, eval_f1=F1).saved_step == 200


def test_epochs_end_where_the_logged_epochs_say():
    train = curve([10, 20, 30, 390], [1.0, 0.9, 0.8, 0.7], [0.08, 0.15, 0.23, 2.95])
    loss = curve([132, 264, 396], [0.9, 0.5, 0.6], [1.0, 2.0, 3.0])
    advice = advised({"save_strategy": "epoch", **ALL}, train_loss=train, eval_loss=loss)
    assert (advice.fate, advice.saved_step) == (Fate.KEPT, 264)
    between = advised({"save_strategy": "epoch", **ALL}, train_loss=train, eval_loss=EVALS)
    assert (between.fate, between.saved_step) == (Fate.NEVER_SAVED, 132)


def test_where_every_epoch_is_evaluated_its_end_is_known():
    options = {"save_strategy": "epoch", "eval_strategy": "epoch", **ALL}
    assert advised(options, eval_loss=EVALS).fate is Fate.KEPT


@given(
    saved=st.lists(st.integers(1, 60), min_size=1, max_size=12, unique=True).map(sorted),
    limit=st.integers(1, 5),
    data=st.data(),
)
@settings(deadline=None, max_examples=150)
def test_what_is_kept_is_what_deleting_after_every_save_leaves(saved, limit, data):
    """Against the Trainer's own procedure, run save by save with the best so far moved behind all but the last."""
    losses = {step: data.draw(st.floats(0, 1), label=str(step)) for step in saved}
    kept, best = [], None
    for step in saved:
        kept.append(step)
        if best is None or losses[step] < losses[best]:
            best = step
        order = list(kept)
        for place in range(order.index(best), len(order) - 2):
            order[place], order[place + 1] = order[place + 1], order[place]
        allowed = 2 if limit == 1 and order[-1] != best else limit
        kept = sorted(order[max(len(order) - allowed, 0) :])
    assert kept_steps(np.array(saved), limit, best).tolist() == kept


def test_checkpoints_that_the_source_saw_are_what_exists():
    run, evidence = schedule(by_steps(50))
    names = (("checkpoint-900", 900), ("checkpoint-1000", 1000), ("final", None))
    seen = replace(run, checkpoints=tuple(Checkpoint(*each) for each in names))
    advice = shipped(seen, evidence)
    assert (advice.fate, advice.saved_step, advice.path) == (Fate.NOT_FOUND, 900, "checkpoint-900")


def test_a_path_follows_from_the_output_folder():
    run, evidence = schedule(by_steps(50))
    run = replace(run, config={**run.config, "output_dir": "out/run/"})
    assert shipped(run, evidence).path == "out/run/checkpoint-350"


def test_a_recorded_checkpoint_of_another_step_is_what_was_kept_as_best():
    run, evidence = schedule(by_steps(50, 2, load_best_model_at_end=True, metric_for_best_model="f1"))
    advice = shipped(replace(run, best_checkpoint_path="out/checkpoint-500"), evidence)
    assert (advice.fate, advice.saved_step, advice.path) == (Fate.DELETED, 500, "out/checkpoint-500")


def test_a_nearer_checkpoint_than_the_recorded_one_is_preferred():
    run, evidence = schedule(by_steps(50))
    advice = shipped(replace(run, best_checkpoint_path="out/checkpoint-900"), evidence)
    assert (advice.fate, advice.path) == (Fate.KEPT, "out/checkpoint-350")


@pytest.mark.parametrize(
    ("config", "every"),
    [
        ({"training": {"save_steps": 50}, "save_steps": 70}, 50),
        ({"training_args": {"save_steps": "60"}}, 60),
        ({"save_steps": 70.0}, 70),
        ({"training": {"save_steps": None}, "save_steps": 70}, 70),
        ({"training": {"save_steps": 0.1}}, 100),
        ({"training": {"save_steps": 50, "save_strategy": "epoch"}}, None),
        ({"trainer_state": {"save_steps": 500}}, None),  # the state repeats it whatever the strategy is
        ({"training": {"save_steps": 50, "save_strategy": "IntervalStrategy.STEPS"}}, 50),
        ({"training": {"save_steps": 0}}, None),
        ({"training": {"save_steps": -5}}, None),
        ({"training": {"save_steps": True}}, None),
        ({"training": {"save_steps": math.inf}}, None),
        ({"training": {"save_steps": "often"}}, None),
        ({"training": "none"}, None),
        ({}, None),
    ],
)
def test_the_saving_interval_is_read_from_the_config(config, every):
    assert plan_of(replace(RUN, config=config, total_steps=1000)).every == every


def test_a_share_of_an_unknown_number_of_steps_is_unknown():
    assert plan_of(saving(save_steps=0.1)).every is None


def test_the_stored_best_stands_in_where_the_series_have_no_eval_loss():
    run = replace(RUN, best_eval_loss=0.0, best_step=0, best_epoch=0.0)
    for evidence in (NOTHING_LOGGED, RunEvidence(run_id="r", first_step=0, last_step=9)):
        advice = shipped(run, evidence)
        assert (advice.step, advice.epoch, advice.eval_loss) == (0, 0.0, 0.0)


def test_a_best_loss_without_a_step_is_said():
    advice = shipped(replace(RUN, best_eval_loss=0.4, best_checkpoint_path="checkpoint-9"))
    assert (advice.step, advice.recorded_step, advice.fate) == (None, 9, UNSURE)


@pytest.mark.parametrize("loss", [None, math.nan, math.inf])
def test_without_an_eval_loss_there_is_no_advice(loss):
    advice = shipped(replace(RUN, best_eval_loss=loss, best_step=5), RunEvidence(run_id="r"))
    assert (advice.step, advice.epoch, advice.eval_loss) == (None, None, None)


def test_a_last_eval_loss_alone_is_not_taken_for_the_best():
    advice = shipped(replace(RUN, eval_loss=0.4))
    assert advice.eval_loss is None


@pytest.mark.parametrize(
    ("path", "step"),
    [
        ("checkpoint-350", 350),
        ("step350", 350),
        ("step-350", 350),
        ("global_step350", 350),
        ("out/step2/checkpoint-350", 350),
        ("C:\\out\\Checkpoint-7", 7),
        ("timestep99", None),
        ("checkpoint-best", None),
        ("out/350", None),
    ],
)
def test_the_step_in_a_path(path, step):
    assert step_in_path(path) == step

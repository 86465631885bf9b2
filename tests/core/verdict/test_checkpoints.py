"""What is said about the checkpoint to ship: all of it, in a line, and where it is missing."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from lib.core.checkpoints.advice import Fate
from lib.core.facts.runs import Checkpoint, RunStatus
from lib.core.verdict.checkpoints import checkpoint_name, checkpoint_note, checkpoint_sentence, missing_checkpoint
from tests.core.checkpoints.test_advice import (
    BEST_TOO,
    EVALS,
    EVIDENCE,
    LAST_ONLY,
    RUN,
    SCHEDULES,
    advised,
    by_epoch,
    by_steps,
    schedule,
    shipped,
)
from tests.core.verdict.test_objections import KEPT


def recorded(path):
    return checkpoint_sentence(shipped(replace(RUN, best_checkpoint_path=path), EVIDENCE))


def said(options, **of_run):
    return checkpoint_sentence(shipped(*schedule(options, **of_run)))


def test_a_recorded_checkpoint_is_named_and_how_far_it_is_the_best():
    start = "The lowest eval loss, 0.4112, was measured at step 350 (epoch 1.75)."
    assert recorded("out/checkpoint-350") == f"{start} Ship out/checkpoint-350."
    assert recorded("out/checkpoint-900") == (
        f"{start} The trainer kept out/checkpoint-900, of step 900, as its best, perhaps by another metric than the"
        " eval loss."
    )
    assert recorded("out/best") == f"{start} The trainer recorded out/best as its best; its step is not in its name."
    assert recorded(None) == (
        f"{start} Whether a checkpoint of it was saved cannot be told: it is not recorded when checkpoints are saved"
        " (save_strategy, save_steps)."
    )


@pytest.mark.parametrize(
    ("options", "of_run", "words"),
    [
        (by_steps(100), {},
         "No checkpoint was saved at that step: one is saved every 100 steps."
         " The nearest that exists is the checkpoint of step 300 (50 steps earlier)."),
        (by_steps(400, 2), {"status": RunStatus.RUNNING, "last": 390},
         "No checkpoint was saved at that step so far: one is saved every 400 steps. No checkpoint exists."),
        (by_steps(50, 2, **LAST_ONLY), {},
         "has been deleted since: only 2 checkpoints are kept."
         " The nearest that exists is the checkpoint of step 950 (600 steps later)."),
        (by_steps(50, 1, **LAST_ONLY), {}, "has been deleted since: only one checkpoint is kept."),
        (by_steps(50), {}, "Ship the checkpoint of step 350; its path is not recorded."),
        ({"save_steps": 50}, {}, "whether it still exists cannot be told: save_total_limit, load_best_model_at_end and"
         " metric_for_best_model are not recorded. The nearest that certainly exists is the checkpoint of step 1,000"),
        (by_steps(50, 2, load_best_model_at_end=True, metric_for_best_model="f1"), {},
         "cannot be told: which one was best by eval_f1 is not known."),
        (by_steps(50, 2, **LAST_ONLY, logging_steps=10), {"total": 505, "last": 500, "best": 450},
         "the last logged step is not the last one planned"),
        (by_epoch(), {}, "one is saved at the end of every epoch"),
        (by_epoch(num_train_epochs=3), {}, "it is not recorded how many steps an epoch has"),
        ({"save_strategy": "best"}, {}, "metric_for_best_model is not recorded, or not logged"),
        ({"save_strategy": "steps"}, {}, "save_steps is not recorded, or not a number of steps"),
        ({"save_strategy": "no"}, {}, "No checkpoint was saved: save_strategy is no."),
    ],
)  # fmt: skip
def test_what_a_schedule_left_is_said_with_its_reason(options, of_run, words):
    assert words in said(options, **of_run)


def test_versions_of_the_trainer_that_differ_are_said():
    advice = advised(by_steps(100, 2, **BEST_TOO), eval_loss=EVALS)
    assert "One of step 100 is nearest and may exist; whether it does cannot be told: versions of the trainer" in (
        checkpoint_sentence(advice)
    )


@pytest.mark.parametrize(("options", "of_run"), [case[:2] for case in SCHEDULES.values()], ids=SCHEDULES)
def test_every_schedule_has_whole_sentences_and_a_line(options, of_run):
    advice = shipped(*schedule(options, **of_run))
    sentence = checkpoint_sentence(advice)
    assert sentence.endswith(".")
    assert "None" not in sentence + checkpoint_name(advice) + checkpoint_note(advice)
    assert bool(missing_checkpoint(advice)) == (advice.fate in (Fate.DELETED, Fate.NEVER_SAVED))


def test_checkpoints_that_the_source_saw_are_what_exists():
    run, evidence = schedule(by_steps(50))
    names = (("checkpoint-900", 900), ("checkpoint-1000", 1000), ("final", None))
    seen = replace(run, checkpoints=tuple(Checkpoint(*each) for each in names))
    advice = shipped(seen, evidence)
    assert "no checkpoint of that step in the run's folder" in checkpoint_sentence(advice)
    assert missing_checkpoint(advice) == (
        "The checkpoint of its best evaluation (step 350) is not in the run's folder. The nearest that exists is of"
        " step 900."
    )
    folder = replace(run, config={**run.config, "output_dir": "out/run/"})
    assert checkpoint_sentence(shipped(folder, evidence)).endswith("Ship out/run/checkpoint-350.")


def test_what_is_saved_at_the_end_is_told_only_as_far_as_it_is_recorded():
    never = {"save_strategy": "no", "load_best_model_at_end": False}
    assert "If the script saved a model at the end, which is not recorded, it is that of this step." in (
        said(never, best=1000)
    )
    assert "The model saved at the end is that of this step" in said({**never, "save_final_model": True}, best=1000)
    assert "saved at the end" not in said(never)
    assert "saved at the end" not in said({"save_strategy": "no", "save_final_model": False}, best=1000)


def test_without_a_step_or_a_best_loss_that_is_said():
    without_step = shipped(replace(RUN, best_eval_loss=0.4, best_checkpoint_path="checkpoint-9"))
    assert "a step that is not recorded" in checkpoint_sentence(without_step)
    assert "it is of step 9" in checkpoint_sentence(without_step)
    for loss in (None, math.nan):
        assert checkpoint_sentence(shipped(replace(RUN, best_eval_loss=loss, best_step=5))) == (
            "No eval loss is recorded, so no checkpoint can be told to be the best."
        )
    assert checkpoint_sentence(shipped(replace(RUN, eval_loss=0.4))).startswith("Only the last eval loss is recorded")


@pytest.mark.parametrize(
    ("changes", "name", "note"),
    [
        ({}, "checkpoint-10", ""),
        ({"path": None}, "step 10", ""),
        (
            {"step": 13500, "fate": Fate.CANNOT_TELL, "path": "out/checkpoint-10800", "saved_step": 10800,
             "saved_eval_loss": 0.342049},
            "checkpoint-10800",
            "Saved: checkpoint-10800 (0.3420). The best one, step 13,500, may not be saved.",
        ),
        (
            {"step": 13500, "fate": Fate.DELETED, "path": None, "saved_step": 10800, "saved_eval_loss": None},
            "step 10,800",
            "Saved: step 10,800. The best one, step 13,500, has been deleted or was not saved.",
        ),
        (
            {"step": 13500, "fate": Fate.NOT_FOUND, "path": None, "saved_step": None},
            "step 13,500, gone",
            "The best one, step 13,500, is not in the run's folder, and no other surely exists.",
        ),
        ({"fate": Fate.CANNOT_TELL, "path": None, "saved_step": None}, "step 10, if saved", ""),
        ({"step": None, "fate": Fate.CANNOT_TELL, "path": None, "saved_step": None}, "checkpoint not known", ""),
        ({"path": "D:\\models\\checkpoint-10\\"}, "checkpoint-10", ""),
    ],
)  # fmt: skip
def test_the_checkpoint_has_a_name_and_what_became_of_the_best_is_said_where_that_is_another(changes, name, note):
    advice = replace(KEPT, **changes)
    assert (checkpoint_name(advice), checkpoint_note(advice)) == (name, note)


def test_a_long_folder_keeps_its_end():
    advice = replace(KEPT, path=f"outputs/{'x' * 80}-checkpoint-10")
    assert checkpoint_name(advice).endswith("-checkpoint-10")
    assert len(checkpoint_name(advice)) <= 40


def test_a_checkpoint_of_a_log_that_counts_epochs_is_called_by_its_epoch():
    run = replace(RUN, current_step=9, current_epoch=9.0, total_steps=None, total_epochs=None)
    of_epochs = replace(KEPT, run=run, step=9, path=None, saved_step=None, recorded=None, fate=Fate.CANNOT_TELL)
    assert checkpoint_name(of_epochs) == "epoch 9, if saved"
    assert "measured at epoch 9." in checkpoint_sentence(of_epochs)
    assert "(epoch 9)" in missing_checkpoint(replace(of_epochs, fate=Fate.DELETED))

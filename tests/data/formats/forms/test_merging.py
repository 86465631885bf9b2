from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lib.core.facts.runs import RunStatus
from lib.data.formats.assembly import Form, merged, same_runs
from lib.data.formats.forms.form import HF_TRAINER
from tests.curves import check_curve
from tests.data.formats.forms.logs import falling, form, series

DENSE, SPARSE = range(0, 1000, 10), range(100, 1001, 100)


def joined(*forms):
    (group,) = same_runs(forms)
    assert len(group) == len(forms)
    made = merged([forms[at] for at in group])
    for curve in made.curves.curves.values():
        check_curve(curve)
    assert made.run.run_id == made.curves.run_id
    return made


def events(path="RUN/tb", **facts):
    return form(path, {"train/loss": falling(DENSE), "val/loss": falling(SPARSE, 2.5)}, **facts)


def printed(path="RUN/log.txt", digits=4, **facts):
    logged = {"train_loss": falling(range(100, 1000, 100), 2.0, digits), "val_loss": falling(SPARSE, 2.5, digits)}
    return form(path, logged, facts.pop("format", "text log"), **facts)


def test_the_richest_curve_of_each_metric_is_shown_and_the_rest_is_said():
    made = joined(printed(), events())
    assert made.curves.get("train_loss").step.tolist() == list(DENSE)
    assert made.curves.get("train_loss").value[10] == 2.0 / 101**0.5, "not the rounded one"
    run = made.run
    assert run.formats == ("TensorBoard", "text log")
    assert run.files == ("RUN/tb/events.out", "RUN/log.txt")
    assert (made.folder, made.format, made.files[0]) == (("RUN",), "TensorBoard", ("RUN", "tb", "events.out"))
    assert run.notes == ("Read from events.out; log.txt (19 points) says the same and was not needed.",)
    assert {each.name: each.metric for each in run.read_as} == {"train/loss": "train_loss", "val/loss": "eval_loss"}


def test_how_a_form_was_read_that_was_not_needed_is_not_told_and_several_are_told_together():
    forms = [events(), printed(notes=("Lines were guessed.",)), printed("RUN/logs/out.txt", 3, format="other")]
    (note,) = joined(*forms).run.notes
    assert note.endswith("; out.txt (19 points) and log.txt (19 points) say the same and were not needed.")


def test_what_only_another_form_has_is_taken_and_named():
    accuracy = series(SPARSE, [0.1] * 10)
    text = form(
        "RUN/log.txt", {"val_loss": falling(SPARSE, 2.5, 4), "val_acc": accuracy, "lr": falling(SPARSE)}, "text log"
    )
    made = joined(events(), text)
    assert set(made.curves.curves) == {"train_loss", "eval_loss", "val_accuracy", "learning_rate"}
    (note,) = (note for note in made.run.notes if note.startswith("Read from"))
    assert "log.txt says the same (10 points), and from it come " in note


def test_finer_values_are_shown_also_where_the_coarser_log_has_more_points():
    steps = range(0, 1001, 50)
    text = form("RUN/log.txt", {"val_loss": falling(steps, 2.5, 3), "train_loss": falling(DENSE, 2.0, 3)}, "text log")
    made = joined(events(), text)
    evaluations = made.curves.get("eval_loss")
    assert evaluations.step.tolist() == list(steps)
    exact, rounded = falling(steps, 2.5).value, falling(steps, 2.5, 3).value
    fine = np.isin(list(steps), list(SPARSE))
    assert np.array_equal(evaluations.value, np.where(fine, exact, rounded))
    assert made.run.best_eval_loss == exact[-1]


def test_one_metric_under_two_names_stands_once():
    rewards = falling(DENSE, 0.3)
    state = form("OUT", {"loss": falling(DENSE), "rewards/chosen": rewards, "eval_loss": falling(SPARSE, 2.5)})
    page = form("OUT/tb", {"train/loss": falling(DENSE), "train/rewards/chosen": rewards}, "W&B CSV")
    assert set(joined(state, page).curves.curves) == {"train_loss", "eval_loss", "rewards/chosen"}
    # Of one name, but not of the same values: both are shown.
    other = form("OUT/tb", {"train/loss": falling(DENSE), "train/rewards/chosen": falling(DENSE, 0.7)}, "W&B CSV")
    assert set(joined(state, other).curves.curves) == {
        "train_loss",
        "eval_loss",
        "rewards/chosen",
        "train/rewards/chosen",
    }


def test_facts_come_of_the_first_form_that_has_them_and_follow_from_all_together():
    text = printed(total_steps=1000, config={"config": {"lr": 3e-4, "dataset": "x"}})
    made = joined(events(), text)
    run = made.run
    assert (run.status, run.total_steps, run.progress) == (RunStatus.COMPLETED, 1000, 1.0)
    assert (run.max_learning_rate, run.dataset) == (3e-4, "x")
    assert run.best_eval_loss == pytest.approx(2.5 / 1001**0.5, rel=1e-9), "that of the richer curve"
    crashed = joined(events(), printed(total_steps=9000, status=RunStatus.FAILED, said="crashed")).run
    assert (crashed.status, crashed.raw_status) == (RunStatus.FAILED, "crashed")
    going = joined(events(), printed(total_steps=9000)).run
    assert going.raw_status == "log ends at step 1,000 of 9,000"


def test_a_configured_learning_rate_goes_before_one_that_was_seen():
    rates = series(DENSE, [2e-4] * len(DENSE))
    logged = form("RUN/tb", {"train_loss": falling(DENSE), "lr": rates})
    assert any("not recorded" in note for note in logged.run.notes)
    run = joined(logged, form("RUN", {}, "Weights & Biases", config={"config": {"learning_rate": 3e-4}})).run
    assert run.max_learning_rate == 3e-4
    assert not any("not recorded" in note for note in run.notes)


def test_settings_that_a_table_states_otherwise_are_noted_and_not_overwritten():
    own = events("a", name="a", config={"config": {"lr": 1e-4}})
    rows = [
        form("sweep.csv", {}, "W&B CSV", key=name, name=name, config={"config": {"lr": 2e-4, "wd": 0.1}})
        for name in "ab"
    ]
    (group,) = same_runs([own, *rows])
    run = merged([[own, *rows][at] for at in group]).run
    assert run.config == {"config": {"lr": 1e-4, "wd": 0.1}}
    assert run.max_learning_rate == 1e-4
    assert "sweep.csv states config.lr otherwise; events.out counts." in run.notes


def test_parts_of_a_resumed_run_are_put_together_and_the_later_holds():
    parts = [
        form(f"wandb/run-2025010{day}_010203-abcd1234", {"loss": logged, "lr": logged}, "Weights & Biases",
             identity="abcd1234", started=started)
        for day, logged, started in (
            (2, series([3, 4, 5], [30.0, 40.0, 50.0], [0, 1, 2]), 1_760_001_000.0),
            (1, series([1, 2, 3, 4], [1.0, 2.0, 3.0, 4.0], [0, 1, 2, 3]), 1_760_000_000.0),
        )
    ]  # fmt: skip
    made = joined(*parts)
    curve = made.curves.get("train_loss")
    assert curve.step.tolist() == [1, 2, 3, 4, 5]
    assert curve.value.tolist() == [1.0, 2.0, 30.0, 40.0, 50.0]
    assert curve.elapsed_s.tolist() == [0.0, 1.0, 1000.0, 1001.0, 1002.0]
    assert made.run.loss == 50.0
    assert any("in 2 parts" in note and "4 values" in note for note in made.run.notes)


def test_an_export_beside_the_store_that_it_was_made_of_is_no_resumed_run():
    both = [
        form(path, {"loss": falling(DENSE)}, "Trackio", identity="x") for path in ("demo.db", "export/demo.parquet")
    ]
    made = joined(*both)
    assert len(made.curves.get("train_loss")) == len(DENSE)
    assert any("in 2 places" in note for note in made.run.notes)


def test_steps_of_a_form_that_counts_otherwise_become_those_of_the_leading_one():
    shifted = series([step + 1 for step in SPARSE], falling(SPARSE, 2.5).value)
    accuracy = series([step + 1 for step in SPARSE], [0.1] * 10)
    made = joined(events(), form("RUN/log.txt", {"val_loss": shifted, "val_acc": accuracy}, "text log"))
    assert made.curves.get("val_accuracy").step.tolist() == list(SPARSE)


def test_a_log_may_count_one_metric_from_another_number_and_measure_one_otherwise():
    late = series([step - 1 for step in SPARSE], falling(SPARSE, 2.0).value)
    page = form("RUN/tb", {"Loss/Train": late, "Loss/Validation": falling(SPARSE, 2.5)})
    text = {"train_loss": falling(SPARSE, 2.0, 3), "val_loss": falling([0, *SPARSE], 2.5, 3)}
    made = joined(page, form("RUN/log.txt", text, "text log"))
    train = made.curves.get("train_loss")
    assert train.step.tolist() == list(SPARSE)
    assert train.value.tolist() == late.value.tolist(), "the finer values, by the leading log's steps"
    # A mean and a single batch under one name are two metrics of one run.
    single = form("RUN/tb", {"train/loss": falling(SPARSE, 3.0), "val/loss": falling(SPARSE, 2.5)})
    both = joined(single, form("RUN/log.txt", text, "text log")).curves.curves
    assert set(both) == {"train_loss", "eval_loss", "train/loss"}
    assert both["train/loss"].value[0] == falling(SPARSE, 3.0).value[0]


def test_a_trainers_state_keeps_its_facts_and_its_folder():
    made = events("OUT")
    kept = replace(
        made.run, best_step=900, best_checkpoint_path="OUT/checkpoint-900", status=RunStatus.UNKNOWN, raw_status="x"
    )
    state = Form(made.folder, HF_TRAINER, made.files, "", "", "", "", kept, made.curves)
    logged = {"train/loss": falling(DENSE), "val/loss": falling(SPARSE, 2.5), "lr": falling(DENSE)}
    said = {"name": "fancy", "identity": "abcd1234", "status": RunStatus.FAILED, "said": "crashed"}
    log = form("OUT/wandb/run-20250101_010203-abcd1234", logged, "Weights & Biases", **said)
    found = joined(log, state)
    assert (found.format, found.folder, found.name, found.identity) == (HF_TRAINER, ("OUT",), "fancy", "abcd1234")
    run = found.run
    assert (run.best_step, run.best_checkpoint_path) == (900, "OUT/checkpoint-900")
    assert (run.status, run.raw_status) == (RunStatus.FAILED, "crashed")
    assert run.learning_rate == falling(DENSE).value[-1]


def test_a_form_alone_is_what_it_was():
    one = events()
    assert merged([one]) is one


def test_curves_are_those_of_one_form_whatever_the_order():
    forms = [
        events(),
        printed(),
        form("RUN/files/output.log", {"val_loss": falling(range(50, 1001, 50), 2.5, 3)}, "other"),
    ]
    first, second = (joined(*order).curves.curves for order in (forms, forms[::-1]))
    assert first.keys() == second.keys()
    assert all(np.array_equal(first[key].value, second[key].value) for key in first)

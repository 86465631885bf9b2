from __future__ import annotations

import json
import shutil

import pytest

from lib.core.facts.query import RunQuery
from lib.core.facts.runs import RunStatus
from lib.data.folder import source as folder
from lib.data.folder.names import run_id_of
from lib.data.folder.source import FolderSource
from tests.data.folder.states import advice_in, runs_in, save, training, until, write

EVALS = {100: 1.9, 200: 1.3, 300: 1.4, 400: 1.5}
ROWS = training(400, EVALS, planned=400)


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch):
    monkeypatch.setattr(folder, "SCAN_INTERVAL_S", 0.0)


def resumed(rows, at, noise, **facts):
    """A training that went on from a step: what it logged anew differs a little."""
    again = training(rows[-1]["step"], {}, **facts)
    return until(rows, at) + [
        row | {"loss": row["loss"] * (1 + noise * (-1) ** (row["step"] // 10))} for row in again if row["step"] > at
    ]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"rate": 3e-4, "seed": 1}, {"rate": 1e-4, "seed": 2}),
        ({"rate": 3e-4}, {"rate": 1e-4}),  # the same losses at first, as with the same seed
        ({"seed": 1}, {"seed": 2}),  # another seed alone
        ({"planned": 700, "seed": 1}, {"planned": 2000, "seed": 2}),
    ],
)
@pytest.mark.parametrize("at_root", [False, True])
def test_two_trainings_in_one_folder_are_told_apart(tmp_path, first, second, at_root):
    one = training(200, {100: 1.9, 200: 1.85}, **{"planned": 700, **first})
    two = training(700, {100: 1.5, 200: 1.2, 500: 1.36, 700: 1.5}, **{"planned": 700, **second})
    for rows, steps, facts in ((one, (100, 200), first), (two, (500, 700), second)):
        for step in steps:
            write(tmp_path / "run" / f"checkpoint-{step}", until(rows, step), planned=facts.get("planned", 700))
    if at_root:
        write(tmp_path / "run", two, planned=second.get("planned", 700))
    runs = runs_in(tmp_path)
    assert set(runs) == {"run (checkpoint-100, -200)", "run (checkpoint-500, -700)"}
    assert len({run.run_id for run in runs.values()}) == 2
    assert all("2 trainings" in " ".join(run.notes) for run in runs.values())
    advice = advice_in(tmp_path, "run (checkpoint-500, -700)")
    # checkpoint-200 is of the other training.
    assert (advice.step, advice.saved_step, advice.path) == (200, 500, "checkpoint-500")
    assert advice_in(tmp_path, "run (checkpoint-100, -200)").path == "checkpoint-200"


@pytest.mark.parametrize("seed", [1, 2])
def test_two_trainings_whose_losses_are_about_0_are_told_apart_by_their_rewards(tmp_path, seed):
    for step, own in ((200, 1), (400, seed)):
        rows = [row | {"loss": 0.0, "reward": 3 - row["loss"]} for row in training(step, {}, seed=own, planned=400)]
        write(tmp_path / "run" / f"checkpoint-{step}", rows, planned=400)
    assert len(runs_in(tmp_path)) == seed


def test_three_trainings_in_one_folder(tmp_path):
    for step, seed in ((100, 1), (200, 2), (300, 3), (400, 2)):
        write(tmp_path / "run" / f"checkpoint-{step}", training(step, {}, seed=seed, planned=400), planned=400)
    names = set(runs_in(tmp_path))
    assert names == {"run (checkpoint-100)", "run (checkpoint-200, -400)", "run (checkpoint-300)"}


def test_files_beside_two_trainings_are_of_the_one_whose_log_lies_there(tmp_path):
    one, two = training(200, {}, seed=1, planned=700), training(700, {}, seed=2, planned=700)
    write(tmp_path / "checkpoint-200", one, planned=700)
    write(tmp_path / "checkpoint-700", two, planned=700)
    (tmp_path / "training_args.json").write_text('{"weight_decay": 0.1}')
    unclear = runs_in(tmp_path).values()
    assert all(not run.config.get("training_args") for run in unclear)
    assert all("were left out: training_args.json" in " ".join(run.notes) for run in unclear)
    write(tmp_path, two, planned=700)
    stated = {run.current_step: run.config.get("training_args") for run in runs_in(tmp_path).values()}
    assert stated == {200: None, 700: {"weight_decay": 0.1}}


def test_the_ids_of_two_trainings_stay_while_they_grow_and_shrink(tmp_path):
    one, two = training(200, {}, seed=1, planned=700), training(700, {}, seed=2, planned=700)
    write(tmp_path / "checkpoint-200", one, planned=700)
    write(tmp_path / "checkpoint-500", until(two, 500), planned=700)
    before = {run.run_id for run in runs_in(tmp_path).values()}
    write(tmp_path / "checkpoint-700", two, planned=700)
    shutil.rmtree(tmp_path / "checkpoint-500")
    assert {run.run_id for run in runs_in(tmp_path).values()} == before
    shutil.rmtree(tmp_path / "checkpoint-200")
    assert {run.run_id for run in runs_in(tmp_path).values()} == {"."}


def test_of_a_checkpoint_that_may_be_of_two_trainings_none_is_told(tmp_path):
    for step, seed in ((200, 1), (700, 2)):
        write(tmp_path / "run" / f"checkpoint-{step}", training(step, EVALS, seed=seed, planned=700), planned=700)
    save(tmp_path / "run" / "checkpoint-300")
    for run in runs_in(tmp_path).values():
        assert "checkpoint-300" not in {each.folder for each in run.checkpoints}
        assert "Of which of them checkpoint-300 is cannot be told" in " ".join(run.notes)


@pytest.mark.parametrize(
    "later",
    [
        pytest.param((ROWS, 400), id="the same training, further on"),
        pytest.param((ROWS + training(600, {}, planned=600)[len(ROWS) :], 600), id="more steps planned"),
        pytest.param((resumed(ROWS, 200, 0.002, planned=400), 400), id="resumed, with noise"),
        pytest.param((resumed(ROWS, 200, 0.05, seed=5, planned=400), 400), id="resumed, with data in another order"),
        pytest.param(([row for row in ROWS if row["step"] > 300], 400), id="a log that begins later"),
    ],
)
def test_a_resumed_or_continued_training_stays_one(tmp_path, later):
    for step in (100, 300):
        write(tmp_path / "run" / f"checkpoint-{step}", until(ROWS, step), planned=400)
    rows, planned = later
    write(tmp_path / "run" / f"checkpoint-{rows[-1]['step']}", rows, planned=planned)
    assert list(runs_in(tmp_path)) == ["run"]


def test_a_training_logged_by_epochs_that_was_resumed_stays_one(tmp_path):
    rows = training(400, EVALS, planned=400, every=100)
    write(tmp_path / "run" / "checkpoint-300", until(rows, 300), planned=400)
    write(tmp_path / "run" / "checkpoint-400", resumed(rows, 100, 0.02, planned=400, every=100), planned=400)
    assert list(runs_in(tmp_path)) == ["run"]


@pytest.mark.parametrize(
    "name", ["tmp-checkpoint-400", "last-checkpoint", "checkpoint-last", "ckpt_400", "checkpoint_400"]
)
def test_whatever_a_checkpoint_is_called_it_is_part_of_its_run(tmp_path, name):
    write(tmp_path / "run" / "checkpoint-200", until(ROWS, 200), planned=400)
    write(tmp_path / "run" / name, ROWS, planned=400)
    assert list(runs_in(tmp_path)) == ["run"]


@pytest.mark.parametrize("name", ["epoch_4", "step_400", "best_model", "final_model", "last"])
def test_a_name_that_may_be_a_runs_is_a_checkpoints_only_where_the_log_says_so(tmp_path, name):
    write(tmp_path / "run" / "checkpoint-200", until(ROWS, 200), planned=400)
    write(tmp_path / "run" / name, ROWS, planned=400)
    assert list(runs_in(tmp_path)) == ["run"]
    write(tmp_path / "run" / name, training(400, EVALS, seed=9, planned=400), planned=400)
    runs = runs_in(tmp_path)
    assert set(runs) == {"run", name}
    assert all(run.checkpoints != () for run in runs.values())


def test_folders_of_epochs_without_a_log_above_are_one_run(tmp_path):
    for epoch in (1, 2, 3):
        write(tmp_path / "run" / f"epoch_{epoch}", until(ROWS, 100 * epoch), planned=400)
    assert list(runs_in(tmp_path)) == ["run"]
    assert advice_in(tmp_path, "run").path == "epoch_2"


def test_a_sweep_over_epochs_is_no_training(tmp_path):
    for epoch in (1, 2, 3):
        rows = training(100 * epoch, EVALS, seed=epoch, planned=100 * epoch)
        write(tmp_path / "sweep" / f"epoch_{epoch}", rows, planned=100 * epoch)
    runs = runs_in(tmp_path)
    assert set(runs) == {"epoch_1", "epoch_2", "epoch_3"}
    assert runs["epoch_1"].run_id == run_id_of(("sweep", "epoch_1"))


def test_the_same_log_elsewhere_and_its_beginning_are_one_training(tmp_path):
    write(tmp_path / "a", ROWS, planned=400)
    write(tmp_path / "copy", ROWS, planned=400)
    write(tmp_path / "earlier", until(ROWS, 200), planned=400)
    write(tmp_path / "other", training(400, EVALS, seed=3, planned=400), planned=400)
    # What lies beside a log, and facts of its state, are no part of it.
    (tmp_path / "copy" / "training_args.json").write_text('{"learning_rate": 9e-9}')
    runs = runs_in(tmp_path)
    same = {name: run.same_training_as for name, run in runs.items()}
    assert same == {"a": None, "copy": "a", "earlier": "a", "other": None}
    assert 'The log is the beginning of that of "a": the same training.' in runs["earlier"].notes


@pytest.mark.parametrize("rows", [0, 1, 2])
def test_short_logs_prove_nothing(tmp_path, rows):
    for name in ("a", "b"):
        write(tmp_path / name, ROWS[:rows], planned=400)
    assert {run.same_training_as for run in runs_in(tmp_path).values()} == {None}


def test_a_copy_that_comes_changes_the_version_of_what_it_stands_for(tmp_path):
    write(tmp_path / "b", until(ROWS, 200), planned=400)
    source = FolderSource(tmp_path)
    (before,) = source.list_runs(RunQuery(limit=9)).runs
    write(tmp_path / "a", ROWS, planned=400)
    after = {run.name: run for run in source.list_runs(RunQuery(limit=9)).runs}["b"]
    assert (before.same_training_as, after.same_training_as) == (None, "a")
    assert before.version != after.version


def control(stop, counter=None, patience=3):
    early = {"args": {"early_stopping_patience": patience}, "attributes": {"early_stopping_patience_counter": counter}}
    callbacks = {} if counter is None else {"EarlyStoppingCallback": early}
    return callbacks | ({} if stop is None else {"TrainerControl": {"args": {"should_training_stop": stop}}})


@pytest.mark.parametrize(
    ("callbacks", "status"),
    [
        (control(True, 3), RunStatus.COMPLETED),
        (control(True), RunStatus.COMPLETED),
        (control(None, 3), RunStatus.COMPLETED),
        (control(False, 2), RunStatus.UNKNOWN),
        (control(False, 3), RunStatus.UNKNOWN),  # left over: the training goes on without early stopping
        (control(None, 0, patience=0), RunStatus.UNKNOWN),
        ({"EarlyStoppingCallback": [{"args": None}, control(None, 4)["EarlyStoppingCallback"]]}, RunStatus.COMPLETED),
        ({"TrainerControl": "odd"}, RunStatus.UNKNOWN),
        ([], RunStatus.UNKNOWN),
        (None, RunStatus.UNKNOWN),
    ],
)
def test_a_training_that_its_callbacks_stopped_is_completed(tmp_path, callbacks, status):
    write(tmp_path / "run" / "checkpoint-400", ROWS, planned=2000, stateful_callbacks=callbacks)
    run = runs_in(tmp_path)["run"]
    assert run.status is status
    assert ("Training was stopped early, at step 400 of 2,000." in run.notes) is (status is RunStatus.COMPLETED)
    assert run.ended_early is (status is RunStatus.COMPLETED)


def test_the_regular_end_is_not_early(tmp_path):
    write(tmp_path / "run", ROWS, planned=400, stateful_callbacks=control(True, 0))
    run = runs_in(tmp_path)["run"]
    assert not any("early" in note for note in run.notes)
    assert not run.ended_early


SUMMARY = {"step": 400, "train_runtime": 9.0, "train_loss": 1.0}


@pytest.mark.parametrize("again", [1.3, 1.29997, 1.1])
def test_rows_after_the_end_of_training_are_no_points(tmp_path, again):
    after = [{"step": 400, "eval_loss": again}, {"step": 400, "predict_f1": 0.5}]
    write(tmp_path / "run", [*ROWS, SUMMARY, *after], planned=400)
    source = FolderSource(tmp_path)
    (run,) = source.list_runs(RunQuery(limit=9)).runs
    curves = source.load_curves([run.run_id])[run.run_id]
    assert dict(zip(*(column.tolist() for column in curves.get("eval_loss").columns[:2]), strict=True)) == EVALS
    assert (run.best_eval_loss, run.best_step, run.eval_loss, run.final_eval_loss) == (1.3, 200, 1.5, again)
    assert "predict_f1" not in curves.curves
    assert run.extra["closing.predict_f1"] == 0.5


def test_an_evaluation_after_the_end_alone_is_the_final_one(tmp_path):
    write(tmp_path / "run", [*training(400, {}), SUMMARY, {"step": 400, "eval_loss": 1.25}], planned=400)
    run = runs_in(tmp_path)["run"]
    assert (run.best_eval_loss, run.best_step, run.eval_loss, run.final_eval_loss) == (None, None, None, 1.25)


def test_where_training_goes_on_after_a_summary_its_rows_are_points(tmp_path):
    more = training(800, {600: 1.25, 800: 1.35}, planned=800)[len(ROWS) - len(EVALS) :]
    again, end = {"step": 400, "eval_loss": 1.0}, {"step": 800, "eval_loss": 1.25}
    early = {"step": 405, "eval_loss": 1.45}
    rows = [*ROWS, SUMMARY, again, early, *more, SUMMARY | {"step": 800}, end]
    write(tmp_path / "run", rows, planned=800)
    source = FolderSource(tmp_path)
    (run,) = source.list_runs(RunQuery(limit=9)).runs
    curve = source.load_curves([run.run_id])[run.run_id].get("eval_loss")
    expected = EVALS | {405: 1.45, 600: 1.25, 800: 1.35}
    assert dict(zip(curve.step.tolist(), curve.value.tolist(), strict=True)) == expected
    assert run.status is RunStatus.COMPLETED


def test_an_evaluation_before_training_is_shown_and_never_the_best(tmp_path):
    write(tmp_path / "run", [{"step": 0, "eval_loss": 0.5}, *ROWS], planned=400)
    write(tmp_path / "only", [{"step": 0, "eval_loss": 0.5}, *training(400, {})], planned=400)
    source = FolderSource(tmp_path)
    runs = runs_in(tmp_path)
    assert source.load_curves(["run"])["run"].get("eval_loss").step[0] == 0
    assert (runs["run"].best_eval_loss, runs["run"].best_step) == (1.3, 200)
    assert (runs["only"].best_eval_loss, runs["only"].eval_loss) == (None, None)


def test_numbers_written_as_text_are_numbers(tmp_path):
    rows = [{key: value if key == "step" else str(value) for key, value in row.items()} for row in ROWS]
    write(tmp_path / "run", rows, planned=400)
    assert runs_in(tmp_path)["run"].best_eval_loss == 1.3


def test_names_with_controls_do_not_turn_the_text_around(tmp_path):
    write(tmp_path / "\u202elr_2e-4\u200b", training(400, EVALS, rate=4.8e-5), planned=400)
    (run,) = runs_in(tmp_path).values()
    assert all("\u202e" not in note and "\u200b" not in note for note in run.notes)
    assert json.dumps(run.notes).isascii()

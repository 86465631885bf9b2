from __future__ import annotations

import shutil

import pytest

from lib.core.checkpoints.advice import Fate
from lib.core.facts.query import RunQuery
from lib.core.facts.runs import Checkpoint
from lib.core.verdict.checkpoints import checkpoint_sentence
from lib.data.folder import source as folder
from lib.data.folder.source import FolderSource
from tests.data.folder.states import advice_in, runs_in, save, training, until, write

ROWS = training(400, {100: 1.5, 200: 1.2, 300: 1.3, 400: 1.6}, planned=400)


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch):
    monkeypatch.setattr(folder, "SCAN_INTERVAL_S", 0.0)


def test_a_recorded_path_that_is_not_there_is_not_recommended(tmp_path):
    for step in (100, 300):
        write(
            tmp_path / "run" / f"checkpoint-{step}", until(ROWS, step), planned=400,
            best_model_checkpoint="/old-host/job7/checkpoint-200", best_metric=1.2,
        )  # fmt: skip
    advice = advice_in(tmp_path, "run")
    # Of two that are equally near the one that measured better.
    assert (advice.fate, advice.path, advice.saved_eval_loss) == (Fate.NOT_FOUND, "checkpoint-300", 1.3)
    assert "Ship" not in checkpoint_sentence(advice)
    assert "checkpoint-300" in checkpoint_sentence(advice)


@pytest.mark.parametrize(
    "recorded", ["/old-host/job7/checkpoint-200", "D:\\runs\\job7\\checkpoint-200", "out/checkpoint-200/"]
)
def test_a_path_of_another_machine_is_the_local_folder(tmp_path, recorded):
    for step in (200, 400):
        write(tmp_path / "run" / f"checkpoint-{step}", until(ROWS, step), planned=400, best_model_checkpoint=recorded)
    advice = advice_in(tmp_path, "run")
    assert (advice.fate, advice.path) == (Fate.KEPT, "checkpoint-200")
    assert checkpoint_sentence(advice).endswith("Ship checkpoint-200.")


def test_a_path_that_was_recorded_without_an_eval_loss_is_looked_up(tmp_path):
    rows = training(400, {}, planned=400)
    facts = {"planned": 400, "best_model_checkpoint": "/old/checkpoint-200"}
    write(tmp_path / "run" / "checkpoint-400", rows, **facts)
    assert advice_in(tmp_path, "run").path is None
    write(tmp_path / "run" / "checkpoint-200", until(rows, 200), **facts)
    assert advice_in(tmp_path, "run").path == "checkpoint-200"


@pytest.mark.parametrize(
    "name", ["checkpoint-best", "best-checkpoint", "checkpoint_best", "ckpt-77", "checkpoint-epoch-2"]
)
def test_the_step_is_that_of_the_state_whatever_the_name(tmp_path, name):
    for step in (100, 300):
        write(tmp_path / "run" / f"checkpoint-{step}", until(ROWS, step), planned=400)
    write(tmp_path / "run" / name, until(ROWS, 200), planned=400)
    advice = advice_in(tmp_path, "run")
    assert (advice.fate, advice.path) == (Fate.KEPT, name)
    assert checkpoint_sentence(advice).endswith(f"Ship {name}.")


@pytest.mark.parametrize(
    ("name", "file", "step"),
    [
        ("checkpoint-200", "adapter_model.safetensors", 200),
        ("checkpoint-200", "adapter_model.bin", 200),
        ("checkpoint_200", "model.safetensors", 200),
        ("checkpoint-200", "pytorch_model.bin", 200),
        ("step_200", "pytorch_model.bin.index.json", 200),
        ("checkpoint-200", "model.safetensors.index.json", 200),
        ("global_step200", "mp_rank_00_model_states.pt", 200),
        ("epoch_2", "model.safetensors", 200),
        ("checkpoint-best", "model.safetensors", 200),
        ("best_model", "model.safetensors", 200),
        ("last-checkpoint", "model.safetensors", 400),
    ],
)
def test_weights_without_a_state_are_a_checkpoint(tmp_path, name, file, step):
    write(tmp_path / "run", ROWS, planned=400, best_metric=1.2, best_model_checkpoint="/elsewhere/checkpoint-200")
    save(tmp_path / "run" / name, file)
    assert runs_in(tmp_path)["run"].checkpoints == (Checkpoint(name, step),)
    assert advice_in(tmp_path, "run").path == name


@pytest.mark.parametrize(
    "files",
    [[], ["optimizer.pt", "scheduler.pt", "rng_state_0.pth", "training_args.bin", "optimizer.bin"], ["README.md"]],
)
def test_a_folder_without_weights_and_state_is_no_checkpoint(tmp_path, files):
    write(tmp_path / "run", ROWS, planned=400)
    (tmp_path / "run" / "checkpoint-200").mkdir()
    for file in files:
        save(tmp_path / "run" / "checkpoint-200", file)
    assert runs_in(tmp_path)["run"].checkpoints == ()
    advice = advice_in(tmp_path, "run")
    assert (advice.fate, advice.path, advice.none_exists) == (Fate.NOT_FOUND, None, True)
    assert "No checkpoint exists." in checkpoint_sentence(advice)


def test_an_unfinished_save_is_listed_and_never_shipped(tmp_path):
    write(tmp_path / "run" / "checkpoint-100", until(ROWS, 100), planned=400)
    write(tmp_path / "run" / "tmp-checkpoint-200", until(ROWS, 200), planned=400)
    assert runs_in(tmp_path)["run"].checkpoints[1] == Checkpoint("tmp-checkpoint-200", 200, is_complete=False)
    advice = advice_in(tmp_path, "run")
    assert advice.path == "checkpoint-100"
    assert "tmp-checkpoint-200, was not saved to its end" in checkpoint_sentence(advice)


def test_a_set_of_files_with_one_missing_is_unfinished(tmp_path):
    write(tmp_path / "run", ROWS, planned=400)
    for part in (1, 3):
        save(tmp_path / "run" / "checkpoint-200", f"model-0000{part}-of-00003.safetensors")
    assert runs_in(tmp_path)["run"].checkpoints == (Checkpoint("checkpoint-200", 200, is_complete=False),)
    save(tmp_path / "run" / "checkpoint-200", "model-00002-of-00003.safetensors")
    assert runs_in(tmp_path)["run"].checkpoints == (Checkpoint("checkpoint-200", 200),)


def test_weights_in_a_folder_of_the_checkpoint_are_its_own(tmp_path):
    write(tmp_path / "run", ROWS, planned=400)
    save(tmp_path / "run" / "checkpoint-200" / "global_step200", "bf16_zero_pp_rank_0_mp_rank_00_optim_states.pt")
    assert runs_in(tmp_path)["run"].checkpoints == ()
    save(tmp_path / "run" / "checkpoint-200" / "global_step200", "zero_pp_rank_0_mp_rank_00_model_states.pt")
    assert runs_in(tmp_path)["run"].checkpoints == (Checkpoint("checkpoint-200", 200),)


def test_epochs_may_be_counted_from_0(tmp_path):
    write(tmp_path / "run", ROWS, planned=400)
    for epoch in range(4):
        save(tmp_path / "run" / f"epoch_{epoch}", "model.safetensors")
    assert [each.step for each in runs_in(tmp_path)["run"].checkpoints] == [100, 200, 300, 400]
    assert advice_in(tmp_path, "run").path == "epoch_1"


def test_of_two_of_one_step_that_with_the_step_in_its_name_is_shipped(tmp_path):
    for name in ("checkpoint-200", "checkpoint-best", "a-checkpoint"):
        write(tmp_path / "run" / name, until(ROWS, 200), planned=400)
    assert advice_in(tmp_path, "run").path == "checkpoint-200"


def test_a_state_saved_after_the_end_does_not_tell_the_step_of_reloaded_weights(tmp_path):
    closed = [*ROWS, {"step": 400, "train_runtime": 9.0, "train_loss": 1.0}]
    write(tmp_path / "run", closed, planned=400, best_global_step=200)
    write(tmp_path / "run" / "best_model", closed, planned=400, best_global_step=200)
    assert runs_in(tmp_path)["run"].checkpoints == (Checkpoint("best_model", 200),)


def test_without_any_folder_of_a_checkpoint_the_recorded_path_stands(tmp_path):
    write(tmp_path / "run", ROWS, planned=400, best_model_checkpoint="out/checkpoint-200")
    assert runs_in(tmp_path)["run"].checkpoints is None
    assert advice_in(tmp_path, "run").path == "out/checkpoint-200"


def test_a_recorded_path_of_thousands_of_digits_is_no_step(tmp_path):
    closed = [*ROWS, {"step": 400, "train_runtime": 9.0, "train_loss": 1.0}]
    for folder_of in ("run", "run/best_model"):
        write(tmp_path / folder_of, closed, planned=400, best_model_checkpoint=f"out/checkpoint-{'9' * 5000}")
    assert [each.folder for each in runs_in(tmp_path)["run"].checkpoints] == ["best_model"]


def test_a_checkpoint_that_comes_or_goes_changes_the_version(tmp_path):
    write(tmp_path / "run", ROWS, planned=400)
    source = FolderSource(tmp_path)

    def version():
        return source.list_runs(RunQuery(limit=9)).runs[0].version

    versions = [version()]
    save(tmp_path / "run" / "checkpoint-200")
    versions.append(version())
    save(tmp_path / "run" / "best_model")
    versions.append(version())
    shutil.rmtree(tmp_path / "run" / "checkpoint-200")
    versions.append(version())
    assert len(set(versions)) == 4
    assert version() == versions[-1]

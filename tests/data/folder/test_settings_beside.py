"""Settings in YAML files beside logs of any format."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lib.core.facts.query import RunPage, RunQuery
from lib.data.folder import source as folder
from lib.data.folder.source import FolderSource


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch):
    monkeypatch.setattr(folder, "SCAN_INTERVAL_S", 0.0)


def write_log(place: Path, name: str = "log.csv") -> None:
    place.mkdir(parents=True, exist_ok=True)
    rows = [f"{step},{7 / step:.4f},{7 / step + 0.1:.4f}" for step in range(10, 110, 10)]
    (place / name).write_text("\n".join(["step,train_loss,val_loss", *rows]) + "\n")


def page_of(source: FolderSource) -> RunPage:
    return source.list_runs(RunQuery(limit=10**6))


@pytest.mark.parametrize("log", ["log.csv", "metrics.csv"])
@pytest.mark.parametrize("name", ["config.yaml", "config.yml", "params.yaml", "args.yaml", "hparams.yaml"])
def test_yaml_beside_a_log_states_settings_and_not_its_format(tmp_path, name, log):
    write_log(tmp_path / "run", log)
    (tmp_path / "run" / name).write_text("optimizer:\n  lr: 1e-3\nbatch_size: 32\nseed: 1\n")
    page = page_of(FolderSource(tmp_path))
    (run,) = page.runs
    assert (run.max_learning_rate, run.batch_size, run.formats) == (1e-3, 32, ("Table",))
    assert run.config[name.split(".")[0]] == {"optimizer": {"lr": 1e-3}, "batch_size": 32, "seed": 1}
    assert (page.unreadable, page.unused) == ((), ())
    assert not any("not recorded" in note for note in run.notes)


def test_hparams_beside_a_text_log_are_no_second_format(tmp_path):
    lines = [f"step {step}: train loss {7 / step:.4f}, lr 1.0e-03" for step in range(10, 110, 10)]
    (tmp_path / "train.log").write_text("\n".join(lines) + "\n")
    (tmp_path / "hparams.yaml").write_text("lr: 0.002\n")
    (run,) = page_of(FolderSource(tmp_path)).runs
    assert (run.formats, run.max_learning_rate) == (("text log",), 0.002)


def test_yaml_beside_a_trainers_state_states_settings(tmp_path):
    rows = [{"step": step, "loss": 7 / step} for step in range(1, 6)]
    state = {"global_step": 5, "max_steps": 5, "log_history": rows}
    (tmp_path / "trainer_state.json").write_text(json.dumps(state))
    (tmp_path / "config.yaml").write_text("learning_rate: 3e-5\n")
    (run,) = page_of(FolderSource(tmp_path)).runs
    assert run.max_learning_rate == 3e-5


def test_a_change_of_the_yaml_is_another_version(tmp_path):
    write_log(tmp_path / "run")
    (tmp_path / "run" / "config.yaml").write_text("lr: 0.001\n")
    source = FolderSource(tmp_path)
    (before,) = page_of(source).runs
    (tmp_path / "run" / "config.yaml").write_text("lr: 0.0025\n")
    (after,) = page_of(source).runs
    assert (before.max_learning_rate, after.max_learning_rate) == (0.001, 0.0025)
    assert before.version != after.version


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"lr: [1\n: :", "Expected YAML, found a mistake"),
        (b"- 1\n- 2\n", "Expected settings by name, found a list."),
        (b"version https://git-lfs.github.com/spec/v1\n", "Git LFS pointer"),
        (b"lr: 1\n#" + b"x" * (4 * 2**20), "files above 4 MB are not read"),
        (b"a: " + b"{b: " * 50 + b"1" + b"}" * 50, "levels deep"),
    ],
    ids=["broken", "a list", "a pointer", "too large", "too deep"],
)
def test_yaml_that_cannot_be_read_is_named_once_and_the_run_stays(tmp_path, content, why):
    write_log(tmp_path / "run")
    (tmp_path / "run" / "config.yaml").write_bytes(content)
    page = page_of(FolderSource(tmp_path))
    assert len(page.runs) == 1
    (unread,) = page.unreadable
    assert unread.path == "run/config.yaml"
    assert why in unread.reason


@pytest.mark.parametrize("content", ["", "{}\n", "# nothing\n", "lr:\n  desc: null\n  value: 0.1\n"])
def test_yaml_without_settings_of_its_own_says_nothing(tmp_path, content):
    write_log(tmp_path / "run")
    (tmp_path / "run" / "config.yaml").write_text(content)
    page = page_of(FolderSource(tmp_path))
    (run,) = page.runs
    assert run.max_learning_rate is None
    assert page.unreadable == ()

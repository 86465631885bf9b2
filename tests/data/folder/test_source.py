from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from lib.core.facts.errors import AccessDenied, SourceUnavailable
from lib.core.facts.query import RunPage, RunQuery
from lib.core.facts.runs import Checkpoint, RunSummary
from lib.data.folder import reading
from lib.data.folder import scan as folder_scan
from lib.data.folder import source as folder
from lib.data.folder.names import run_id_of, telling_names
from lib.data.folder.source import FolderSource
from lib.data.trainer.hf_log import read_trainer_log


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch):
    monkeypatch.setattr(folder, "SCAN_INTERVAL_S", 0.0)


def write_state(path: Path, losses=(1.0,), *, first: int = 1, total: int = 10, **facts) -> Path:
    rows = [{"step": step, "loss": loss} for step, loss in enumerate(losses, first)]
    last = rows[-1]["step"] if rows else 0
    path.mkdir(parents=True, exist_ok=True)
    file = path / "trainer_state.json"
    file.write_text(json.dumps({"global_step": last, "max_steps": total, "log_history": rows, **facts}))
    return file


def page_of(path: Path | FolderSource) -> RunPage:
    source = path if isinstance(path, FolderSource) else FolderSource(path)
    return source.list_runs(RunQuery(limit=10**6))


def runs_of(path: Path | FolderSource) -> dict[str, RunSummary]:
    return {run.name: run for run in page_of(path).runs}


def train_loss(source: FolderSource, run: RunSummary) -> dict[int, float]:
    curve = source.load_curves([run.run_id], ["train_loss"])[run.run_id].get("train_loss")
    return dict(zip(curve.step.tolist(), curve.value.tolist(), strict=True))


def test_checkpoints_of_one_folder_are_one_run(tmp_path):
    write_state(tmp_path / "run" / "checkpoint-2", [5.0, 4.0])
    write_state(tmp_path / "run" / "checkpoint-10", [3.0, 2.0, 1.0], first=2)
    write_state(tmp_path / "run", [9.0], first=3)
    write_state(tmp_path / "run" / "final_model", [1.0])
    source = FolderSource(tmp_path)
    runs = runs_of(source)
    assert set(runs) == {"run", "final_model"}
    assert runs["run"].run_id == "run"
    assert runs["run"].current_step == 4
    # Step 1 is only in the first checkpoint; on steps 2 and 3 the furthest state wins.
    assert train_loss(source, runs["run"]) == {1: 5.0, 2: 3.0, 3: 2.0, 4: 1.0}
    assert "Values that the last checkpoint lacks were taken from others: 1." in runs["run"].notes
    assert runs["run"].checkpoints == (Checkpoint("checkpoint-2", 2), Checkpoint("checkpoint-10", 4))


def test_the_root_itself_can_be_the_run(tmp_path):
    write_state(tmp_path / "out" / "checkpoint-1")
    (only,) = page_of(tmp_path / "out").runs
    assert (only.run_id, only.name) == (".", "out")
    (inside,) = page_of(tmp_path / "out" / "checkpoint-1").runs
    assert (inside.run_id, inside.name) == (".", "checkpoint-1")


def test_side_files_are_found_beside_the_run_and_its_leading_checkpoint(tmp_path):
    write_state(tmp_path / "checkpoint-1", [1.0], total=1)
    (tmp_path / "checkpoint-1" / "adapter_config.json").write_text('{"r": 8, "lora_alpha": 16}')
    (tmp_path / "training_args.json").write_text('{"learning_rate": 2e-4, "dataset_name": "data/alpaca"}')
    (tmp_path / "training_args.bin").write_bytes(b"a pickle that nobody opens")
    (run,) = page_of(tmp_path).runs
    assert run.config["adapter_config"] == {"r": 8, "lora_alpha": 16}
    assert (run.max_learning_rate, run.dataset) == (2e-4, "data/alpaca")


def test_a_broken_side_file_is_named_and_the_run_stays(tmp_path):
    write_state(tmp_path / "a", total=1)
    (tmp_path / "a" / "adapter_config.json").write_text("{")
    page = page_of(tmp_path)
    assert [run.name for run in page.runs] == ["a"]
    assert [problem.path for problem in page.unreadable] == ["a/adapter_config.json"]


def test_what_cannot_be_read_is_named_and_takes_nothing_down(tmp_path):
    write_state(tmp_path / "good")
    for name, content in {
        "broken": "{",
        "lfs": "version https://git-lfs.github.com/spec/v1",
        "list": "[]",
    }.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "trainer_state.json").write_text(content)
    for name, target in {"loop": "trainer_state.json", "dangling": "nowhere"}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "trainer_state.json").symlink_to(target)
    (tmp_path / "folder" / "trainer_state.json").mkdir(parents=True)
    page = page_of(tmp_path)
    assert [run.name for run in page.runs] == ["good"]
    reasons = {problem.path.split("/")[0]: problem.reason for problem in page.unreadable}
    assert list(reasons) == ["broken", "dangling", "folder", "lfs", "list", "loop"]
    assert "not valid JSON" in reasons["broken"]
    assert "leads to no file" in reasons["loop"]
    assert "leads to no file" in reasons["dangling"]
    assert "Git LFS pointer" in reasons["lfs"]


def test_a_pipe_in_place_of_a_file_does_not_block(tmp_path):
    os.mkfifo(tmp_path / "trainer_state.json")
    assert len(page_of(tmp_path).unreadable) == 1


def test_permissions_are_said(ordinary_folder):
    folder = ordinary_folder
    file = write_state(folder / "a")
    file.chmod(0)
    source = FolderSource(folder)
    assert [problem.reason for problem in page_of(source).unreadable] == ["Permission denied."]
    file.chmod(0o600)
    assert set(runs_of(source)) == {"a"}
    (folder / "a").chmod(0)
    assert [problem.path for problem in page_of(folder).unreadable] == ["a"]
    folder.chmod(0)
    with pytest.raises(AccessDenied):
        page_of(folder)
    folder.chmod(0o700)
    (folder / "a").chmod(0o700)


def test_a_name_that_is_no_text_is_written_out(tmp_path):
    write_state(Path(os.fsdecode(os.fsencode(tmp_path) + b"/run\xff")))
    (run,) = page_of(tmp_path).runs
    assert run.name == "run\\xff"
    assert run.run_id.isascii()


def test_circles_of_links_end_and_links_rename_nothing(tmp_path):
    write_state(tmp_path / "out" / "zebra")
    (tmp_path / "out" / "a_link").symlink_to("zebra")
    (tmp_path / "out" / "zebra" / "up").symlink_to("..")
    (tmp_path / "out" / "self").symlink_to("self")
    write_state(tmp_path / "elsewhere" / "far")
    (tmp_path / "out" / "mount").symlink_to(tmp_path / "elsewhere")
    assert {run.run_id for run in page_of(tmp_path / "out").runs} == {"zebra", run_id_of(["mount", "far"])}


def test_an_endless_tree_ends_with_a_word(tmp_path, monkeypatch):
    for name in "abc":
        write_state(tmp_path / name)
    monkeypatch.setattr(folder_scan, "MAX_FOLDERS", 3)
    page = page_of(tmp_path)
    assert {run.name for run in page.runs} == {"a", "b"}
    assert [problem.path for problem in page.unreadable] == ["c"]


@pytest.mark.parametrize("skipped", [".git", ".venv", ".hidden", "node_modules", "__pycache__"])
def test_hidden_and_installed_folders_are_skipped(tmp_path, skipped):
    write_state(tmp_path / skipped / "run")
    assert page_of(tmp_path).total == 0


def test_a_root_that_is_hidden_itself_is_read(tmp_path):
    write_state(tmp_path / ".outputs" / "run")
    assert set(runs_of(tmp_path / ".outputs")) == {"run"}


def test_an_empty_folder_is_an_empty_page(tmp_path):
    page = page_of(tmp_path)
    assert (page.runs, page.total, page.unreadable) == ((), 0, ())


@pytest.mark.parametrize("kind", ["nothing", "a file"])
def test_a_root_that_is_no_folder_is_said(tmp_path, kind):
    root = tmp_path / "outputs"
    if kind == "a file":
        root.write_text("")
    with pytest.raises(SourceUnavailable, match=f"outputs, found {kind}") as raised:
        page_of(root)
    assert "make run RUNS=" in raised.value.hint


def test_a_root_that_comes_into_being_and_goes(tmp_path):
    source = FolderSource(tmp_path / "later")
    with pytest.raises(SourceUnavailable):
        page_of(source)
    file = write_state(tmp_path / "later" / "run")
    assert set(runs_of(source)) == {"run"}
    file.unlink()
    assert page_of(source).total == 0
    assert source.load_curves(["run"]) == {}


def test_files_are_read_again_only_when_they_change(tmp_path, monkeypatch):
    file = write_state(tmp_path / "a", [1.0])
    source = FolderSource(tmp_path)
    read: list[Path] = []
    monkeypatch.setattr(reading, "read_trainer_log", lambda path: read.append(path) or read_trainer_log(path))
    before = runs_of(source)["a"]
    assert runs_of(source)["a"] == before
    assert read == [file]
    stamp = file.stat()
    # What copies with its times, as rsync -a does, shows only when it was put there.
    file.write_text(file.read_text().replace("1.0", "1.5"))
    os.utime(file, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    assert runs_of(source)["a"].loss == 1.5
    file.write_text(file.read_text().replace("1.5", "2.0"))
    os.utime(file, ns=(stamp.st_atime_ns, stamp.st_mtime_ns + 10**9))
    after = runs_of(source)["a"]
    assert (before.loss, after.loss) == (1.0, 2.0)
    assert after.updated_at > before.updated_at
    assert train_loss(source, after) == {1: 2.0}
    write_state(tmp_path / "a", [1.0, 3.0])
    os.utime(file, ns=(stamp.st_atime_ns, stamp.st_mtime_ns + 10**9))
    assert runs_of(source)["a"].loss == 3.0


def test_a_side_file_that_changes_changes_the_run(tmp_path):
    write_state(tmp_path / "a", [1.0])
    source = FolderSource(tmp_path)
    assert runs_of(source)["a"].batch_size is None
    (tmp_path / "a" / "training_args.json").write_text('{"per_device_train_batch_size": 4}')
    assert runs_of(source)["a"].batch_size == 4


def test_a_broken_file_is_read_again_once_it_is_whole(tmp_path):
    file = write_state(tmp_path / "a")
    whole = file.read_text()
    file.write_text(whole[:-5])
    source = FolderSource(tmp_path)
    assert len(page_of(source).unreadable) == 1
    file.write_text(whole)
    assert page_of(source).unreadable == ()
    assert set(runs_of(source)) == {"a"}


def test_the_tree_is_not_looked_at_again_at_once(tmp_path, monkeypatch):
    monkeypatch.setattr(folder, "SCAN_INTERVAL_S", 3600.0)
    source = FolderSource(tmp_path)
    assert page_of(source).total == 0
    write_state(tmp_path / "a")
    assert page_of(source).total == 0
    monkeypatch.setattr(folder, "SCAN_INTERVAL_S", 0.0)
    assert page_of(source).total == 1


def test_ids_do_not_depend_on_where_the_root_lies_or_on_siblings(tmp_path):
    write_state(tmp_path / "one" / "deep" / "8 3e-5")
    write_state(tmp_path / "two" / "deep" / "8 3e-5")
    write_state(tmp_path / "two" / "other" / "8 3e-5")
    (first,) = page_of(tmp_path / "one").runs
    second = {run.run_id: run.name for run in page_of(tmp_path / "two").runs}
    assert second[first.run_id] == "deep"
    assert first.name == "8 3e-5"
    assert first.run_id == page_of(tmp_path / "one").runs[0].run_id


def test_ids_can_stand_in_a_link_and_differ():
    folders = [("a", "b"), ("a-b",), ("a b",), ("a/b",), ("é",), ("?&#=,",), ("x" * 500,), ("y", "x" * 499), ()]
    ids = {run_id_of(path) for path in folders if path != ("a/b",)}
    assert len(ids) == len(folders) - 1
    for run_id in ids:
        assert len(run_id) <= 60
        assert not set(run_id) - set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")


@pytest.mark.parametrize(
    ("folders", "names"),
    [
        ([("r", "a"), ("r", "b")], ["a", "b"]),
        ([("r", "old", "a"), ("r", "final")], ["a", "final"]),
        ([("r", "x", "out"), ("r", "y", "out")], ["x", "y"]),
        ([("r", "x", "a"), ("r", "y", "a"), ("r", "y", "b")], ["x/a", "y/a", "b"]),
        ([("r",), ("r", "r")], ["r", "r/r"]),
        ([("r", "only")], ["only"]),
        ([("token=5f3a", "x"), ("https:", "me:pw@hub", "y")], ["x", "y"]),
        ([("a", "https:", "me:pw@hub"), ("b", "https:", "me:pw@hub")], ["a", "b"]),
        ([("https:", "me:pw@a"), ("https:", "me:pw@b")], ["••••@a", "••••@b"]),
        ([], []),
    ],
)
def test_names_are_the_shortest_ends_that_differ(folders, names):
    assert list(telling_names(folders).values()) == names


def test_the_same_log_twice_is_said_on_both_runs(tmp_path):
    for name in ("a", "b", "c"):
        write_state(tmp_path / name, [1.0 if name != "c" else 2.0])
    write_state(tmp_path / "empty1", [])
    write_state(tmp_path / "empty2", [])
    notes = {name: " ".join(run.notes) for name, run in runs_of(tmp_path).items()}
    assert 'byte for byte that of "b"' in notes["a"]
    assert 'byte for byte that of "a"' in notes["b"]
    assert notes["c"] == notes["empty1"] == notes["empty2"] == ""


def test_readers_of_different_folders_have_different_cache_keys(tmp_path):
    keys = {FolderSource(tmp_path).cache_key, FolderSource(tmp_path / "a").cache_key}
    assert len(keys) == 2
    assert FolderSource(tmp_path / "a" / "..").cache_key in keys


def test_of_a_hundred_thousand_rows_none_is_lost(tmp_path):
    write_state(tmp_path / "long", [0.5] * 100_000, total=100_000)
    source = FolderSource(tmp_path)
    (run,) = page_of(source).runs
    assert source.load_curves([run.run_id])[run.run_id].points == 100_000

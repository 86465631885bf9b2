"""A folder is looked at in the background, while files are written, hang, break, go and come back."""

from __future__ import annotations

import math
import os
import threading
import time

import pytest

from lib.core.facts.query import RunPage, RunQuery
from lib.data.folder import following, look, reading
from lib.data.folder import source as folder
from lib.data.folder.names import run_id_of
from lib.data.folder.source import FolderSource
from lib.data.source import FollowedSource, IncompleteRead, LiveSource
from lib.data.trainer.training_files import Unread
from tests.data.folder.lines_format import LinesFormat, write_lines
from tests.data.folder.states import training, write

ROWS = training(400, {200: 1.3, 400: 1.5})
EVERYTHING = RunQuery(limit=10**6)


@pytest.fixture(autouse=True)
def lines(monkeypatch) -> LinesFormat:
    """The one format besides the states of a ``Trainer``; the folder is looked at on every read."""
    made = LinesFormat()
    monkeypatch.setattr(folder, "formats", lambda: (made,))
    monkeypatch.setattr(folder, "SCAN_INTERVAL_S", 0.0)
    return made


def page_of(source: FolderSource) -> RunPage:
    return source.list_runs(EVERYTHING)


def names(page: RunPage) -> set[str]:
    return {run.name for run in page.runs}


def until(is_so, seconds: float = 60.0) -> None:
    """Wait for something that happens in another thread."""
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.01)


def losses(source: FolderSource, run_id: str) -> list[float]:
    found = source.load_curves([run_id], ["train_loss"])
    return found[run_id].get("train_loss").value.tolist() if run_id in found else []


def test_it_is_followed_and_not_far_away(tmp_path):
    assert isinstance(FolderSource(tmp_path), FollowedSource)
    assert not isinstance(FolderSource(tmp_path), LiveSource)


def test_while_a_file_is_read_the_others_are_listed_with_a_count(tmp_path, lines, monkeypatch):
    monkeypatch.setattr(following, "PATIENCE_S", 0.05)
    monkeypatch.setattr(look, "PUBLISH_S", 0.0)
    monkeypatch.setattr(look, "PUBLISH_SHARE", math.inf)
    monkeypatch.setattr(following, "STUCK_S", 60.0)
    write(tmp_path / "a", ROWS, planned=400)
    write_lines(tmp_path / "b" / "one.lines", "1 loss 0.5")
    write_lines(tmp_path / "z" / "slow.lines", "1 loss 0.25")
    lines.waits["slow.lines"] = threading.Event()
    source = FolderSource(tmp_path)
    until(lambda: names(page_of(source)) == {"a", "b"})
    assert page_of(source).looked_at == (2, 3)
    assert len(source.load_curves(["a"])["a"].get("eval_loss")) == 2
    lines.waits["slow.lines"].set()
    source.settle()
    page = page_of(source)
    assert (names(page), page.looked_at) == ({"a", "b", "z"}, None)


def test_a_file_that_does_not_answer_is_named_and_read_when_it_does(tmp_path, lines, monkeypatch):
    monkeypatch.setattr(following, "STUCK_S", 0.2)
    write_lines(tmp_path / "a" / "hangs.lines", "1 loss 0.5")
    write_lines(tmp_path / "b" / "one.lines", "1 loss 0.25")
    lines.waits["hangs.lines"] = threading.Event()
    source = FolderSource(tmp_path)
    page = page_of(source)
    assert names(page) == {"b"}
    ((path, reason),) = [(each.path, each.reason) for each in page.unreadable]
    assert (path, "does not answer" in reason) == ("a/hangs.lines", True)
    assert lines.asked.count("a/hangs.lines") == 1
    lines.waits["hangs.lines"].set()
    until(lambda: names(page_of(source)) == {"a", "b"})
    assert page_of(source).unreadable == ()


def test_an_answer_is_whole_where_the_look_is_quick(tmp_path):
    write(tmp_path / "a", ROWS, planned=400)
    page = page_of(FolderSource(tmp_path))
    assert (names(page), page.looked_at) == ({"a"}, None)


@pytest.mark.parametrize("broken", ['{"log_history": [', ""])
def test_a_state_that_is_half_written_keeps_what_was_read_before(tmp_path, broken):
    file = write(tmp_path / "a", ROWS, planned=400) / "trainer_state.json"
    whole = file.read_text()
    source = FolderSource(tmp_path)
    (before,) = page_of(source).runs
    held = losses(source, "a")
    file.write_text(broken)
    page = page_of(source)
    (kept,) = page.runs
    assert (kept.run_id, kept.best_eval_loss) == ("a", 1.3)
    assert any("could not be read" in note for note in kept.notes)
    assert kept.version != before.version
    assert [each.path for each in page.unreadable] == ["a/trainer_state.json"]
    assert losses(source, "a") == held
    file.write_text(whole)
    (after,) = page_of(source).runs
    assert after.notes == before.notes
    assert page_of(source).unreadable == ()


def test_a_broken_log_of_another_program_keeps_its_run(tmp_path):
    file = write_lines(tmp_path / "a" / "one.lines", "1 loss 0.5", "2 loss 0.25")
    source = FolderSource(tmp_path)
    (before,) = page_of(source).runs
    file.write_text("lines\n1 loss 0.5\nbroken")
    (kept,) = page_of(source).runs
    assert kept.run_id == before.run_id
    assert losses(source, kept.run_id) == [0.5, 0.25]


def test_what_breaks_and_was_never_kept_is_said_when_curves_are_asked_for(tmp_path, monkeypatch):
    monkeypatch.setattr(look, "KEPT_POINTS", 0)
    file = write(tmp_path / "a", ROWS, planned=400) / "trainer_state.json"
    source = FolderSource(tmp_path)
    page_of(source)
    file.write_text("{")
    page_of(source)
    with pytest.raises(IncompleteRead, match="found none that can be read") as raised:
        source.load_curves(["a"])
    assert raised.value.run_ids == ("a",)


def test_curves_that_were_not_kept_are_read_again(tmp_path, monkeypatch):
    monkeypatch.setattr(look, "KEPT_POINTS", 0)
    write(tmp_path / "a", ROWS, planned=400)
    source = FolderSource(tmp_path)
    assert len(losses(source, "a")) == 40


def test_a_log_that_is_deleted_from_its_folder_is_gone_at_once(tmp_path, monkeypatch):
    monkeypatch.setattr(look, "GONE_S", 3600.0)
    (write(tmp_path / "a", ROWS, planned=400) / "note.md").write_text("stays")
    source = FolderSource(tmp_path)
    assert names(page_of(source)) == {"a"}
    (tmp_path / "a" / "trainer_state.json").unlink()
    assert names(page_of(source)) == set()


def test_a_file_that_takes_long_to_read_rests(tmp_path, lines, monkeypatch):
    monkeypatch.setattr(look, "QUICK_S", -1.0)
    monkeypatch.setattr(look, "REST", 1e12)
    file = write_lines(tmp_path / "a" / "one.lines", "1 loss 0.5")
    source = FolderSource(tmp_path)
    assert losses(source, page_of(source).runs[0].run_id) == [0.5]
    with file.open("a") as writer:
        writer.write("2 loss 0.25\n")
    page_of(source)
    assert lines.asked == ["a/one.lines"]


def test_new_points_come_by_themselves(tmp_path):
    file = write_lines(tmp_path / "a" / "one.lines", "1 loss 0.5")
    source = FolderSource(tmp_path)
    (before,) = page_of(source).runs
    with file.open("a") as writer:
        writer.write("2 loss 0.25\n")
    (after,) = source.load_runs([before.run_id])
    assert after.version != before.version
    assert losses(source, after.run_id) == [0.5, 0.25]


def test_a_reader_that_fails_takes_nothing_else_down(tmp_path, lines):
    write(tmp_path / "a", ROWS, planned=400)
    write_lines(tmp_path / "b" / "one.lines", "1 loss 0.5")
    lines.fails = True
    page = page_of(FolderSource(tmp_path))
    assert names(page) == {"a"}
    assert [each.path for each in page.unreadable] == ["b/one.lines"]


def test_a_fault_in_what_is_made_of_a_log_takes_nothing_else_down(tmp_path, monkeypatch):
    for name in ("a", "b"):
        write(tmp_path / name, ROWS, planned=400)
    write_lines(tmp_path / "c" / "one.lines", "1 loss 0.5")
    made = reading.UnitReader._form

    def form(self, unit, *others):
        if unit == ("b",):
            raise ValueError("nobody thought of it")
        return made(self, unit, *others)

    monkeypatch.setattr(reading.UnitReader, "_form", form)
    page = page_of(FolderSource(tmp_path))
    assert len(page.runs) == 2
    assert [each.path for each in page.unreadable] == ["b/trainer_state.json"]


def test_a_format_gets_regular_files_only(tmp_path, lines):
    (tmp_path / "a").mkdir()
    os.mkfifo(tmp_path / "a" / "pipe.lines")
    (tmp_path / "a" / "nowhere.lines").symlink_to("nothing")
    (tmp_path / "a" / "folder.lines").mkdir()
    assert page_of(FolderSource(tmp_path)).total == 0
    assert lines.asked == []


def test_what_one_format_takes_is_not_asked_of_the_next(tmp_path, lines, monkeypatch):
    general = LinesFormat()
    general.title, general.is_general = "Anything", True
    general.matches = lambda path: path[-1].endswith((".lines", ".txt"))
    monkeypatch.setattr(folder, "formats", lambda: (lines, general))
    write_lines(tmp_path / "a" / "one.lines", "1 loss 0.5")
    write_lines(tmp_path / "b" / "two.txt", "1 loss 0.25")
    (tmp_path / "c.lines").write_text("nothing of the kind")
    page = page_of(FolderSource(tmp_path))
    assert lines.asked == ["c.lines", "a/one.lines"]
    assert general.asked == ["c.lines", "b/two.txt"]
    assert {run.formats for run in page.runs} == {("Lines",), ("Anything",)}
    assert [each.path for each in page.unused] == ["c.lines"]


def test_runs_of_one_file_are_told_apart_and_keep_their_ids(tmp_path):
    file = write_lines(tmp_path / "sweep.lines", "x:1 loss 0.5", "y:1 loss 0.25")
    source = FolderSource(tmp_path)
    before = {run.name: (run.run_id, run.version) for run in page_of(source).runs}
    assert set(before) == {"x", "y"}
    with file.open("a") as writer:
        writer.write("x:2 loss 0.125\nz:1 loss 1\n")
    after = {run.name: (run.run_id, run.version) for run in page_of(source).runs}
    assert {name: run_id for name, (run_id, _) in after.items() if name in before} == {
        name: run_id for name, (run_id, _) in before.items()
    }
    assert after["y"] == before["y"]
    assert after["x"] != before["x"]


def test_ids_do_not_depend_on_what_lies_beside(tmp_path):
    write_lines(tmp_path / "b" / "one.lines", "1 loss 0.5")
    source = FolderSource(tmp_path)
    (alone,) = page_of(source).runs
    write_lines(tmp_path / "a" / "one.lines", "1 loss 0.75")
    write(tmp_path / "c", ROWS, planned=400)
    assert alone.run_id in {run.run_id for run in page_of(source).runs}


def test_many_who_ask_at_once_get_the_same(tmp_path):
    for number in range(20):
        write(tmp_path / f"run{number}", training(100, {}, seed=number), planned=100)
    source = FolderSource(tmp_path)
    found: list[int] = []
    threads = [threading.Thread(target=lambda: found.append(page_of(source).total)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [20] * 8


def test_runs_that_somebody_asks_for_are_waited_for_and_read_first(tmp_path, lines, monkeypatch):
    monkeypatch.setattr(following, "PATIENCE_S", 0.0)
    monkeypatch.setattr(look, "PUBLISH_S", 0.0)
    monkeypatch.setattr(look, "PUBLISH_SHARE", math.inf)
    monkeypatch.setattr(following, "STUCK_S", 60.0)
    for name in "abc":
        write_lines(tmp_path / name / "slow.lines", "1 loss 0.5")
    write_lines(tmp_path / "z" / "one.lines", "1 loss 0.25")
    wanted = run_id_of(["z", "one.lines"])
    lines.waits["slow.lines"] = threading.Event()
    source = FolderSource(tmp_path)
    assert [run.name for run in source.load_runs([wanted])] == ["z"]
    assert losses(source, wanted) == [0.25]
    assert lines.asked[0] == "z/one.lines"
    lines.waits["slow.lines"].set()
    source.settle()
    assert source.load_runs(["nobody"]) == ()


def test_settling_waits_however_short_the_patience(tmp_path, lines, monkeypatch):
    monkeypatch.setattr(following, "PATIENCE_S", 0.0)
    write_lines(tmp_path / "a" / "slow.lines", "1 loss 0.5")
    lines.waits["slow.lines"] = threading.Event()
    threading.Timer(0.3, lines.waits["slow.lines"].set).start()
    source = FolderSource(tmp_path)
    source.settle()
    assert names(source._open().follower.newest(math.inf) and page_of(source)) == {"a"}


def test_a_tree_in_which_nothing_changed_is_not_gone_through_again(tmp_path, lines, monkeypatch):
    write(tmp_path / "a", ROWS, planned=400)
    write_lines(tmp_path / "b.lines", "1 loss 1.0", "2 loss 0.5")
    source = FolderSource(tmp_path)
    first = page_of(source)
    sights: list[object] = []
    real = look.stamps_of
    monkeypatch.setattr(look, "stamps_of", lambda folder, files: sights.append(folder) or real(folder, files))
    again = page_of(source)
    assert again.runs == first.runs
    assert again.unused == first.unused
    assert sights == []
    write(tmp_path / "c", training(300, {}, seed=3), planned=400)
    assert names(page_of(source)) == names(first) | {"c"}
    assert sights


def test_what_may_be_read_yet_is_tried_again_though_nothing_changed(tmp_path, monkeypatch):
    write(tmp_path / "a", ROWS, planned=400)
    write(tmp_path / "b", training(300, {}, seed=3), planned=400)
    real = reading.read_trainer_log
    fails = [True]

    def read(path):
        return Unread("Not now.", transient=True) if fails[0] and path.parent.name == "b" else real(path)

    monkeypatch.setattr(reading, "read_trainer_log", read)
    source = FolderSource(tmp_path)
    assert names(page_of(source)) == {"a"}
    assert names(page_of(source)) == {"a"}
    fails[0] = False
    assert names(page_of(source)) == {"a", "b"}

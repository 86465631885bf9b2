"""A folder without runs, or with more than runs, says what lies there."""

from __future__ import annotations

import pytest

from lib.core.facts.query import RunQuery
from lib.data.folder import source as folder
from lib.data.folder.source import FolderSource
from tests.data.folder.lines_format import LinesFormat, write_lines
from tests.data.folder.states import save, training, write


@pytest.fixture(autouse=True)
def lines(monkeypatch):
    made = LinesFormat()
    monkeypatch.setattr(folder, "formats", lambda: (made,))
    return made


def said(root) -> dict[str, str]:
    return {each.path: each.why for each in FolderSource(root).list_runs(RunQuery()).unused}


def test_an_empty_folder_has_nothing_to_say(tmp_path):
    page = FolderSource(tmp_path).list_runs(RunQuery())
    assert (page.unused, page.looked_at) == ((), None)
    assert page.looked_for == ("Hugging Face Trainer (trainer_state.json)", "Lines (.lines files)")


def test_files_of_kinds_that_nobody_reads_are_counted(tmp_path):
    for number in range(12):
        (tmp_path / f"{number}.png").write_bytes(b"")
    for name in ("LICENSE", "a.b c", "model.bin", ".hidden.gz", "deep.tar.gz"):
        (tmp_path / name).write_bytes(b"")
    assert said(tmp_path) == {
        ".": "Files of kinds that are not read: 12 .png, 2 without an ending, 2 .gz, 1 .bin.",
    }


def test_a_run_says_nothing_of_its_own_files(tmp_path):
    write(tmp_path / "a", training(40, {}), planned=40)
    save(tmp_path / "a" / "checkpoint-20")
    (tmp_path / "a" / "training_args.json").write_text("{}")
    assert said(tmp_path) == {}


def test_what_a_reader_says_of_many_files_is_said_once(tmp_path):
    for number in range(3):
        write_lines(tmp_path / "all" / str(number) / "none.lines")
    assert said(tmp_path) == {"all": "3 files, such as 0/none.lines: A file without lines."}


def test_files_that_look_like_logs_and_are_none_are_counted(tmp_path):
    for name in ("x", "y"):
        (tmp_path / f"{name}.lines").write_text("nothing")
    (found,) = said(tmp_path).items()
    assert found == (".", "These files are no logs of trainings, or none that are read: 2 .lines (x.lines, y.lines).")


def test_of_many_such_files_those_are_named_that_say_log_and_train(tmp_path):
    for name in ("a", "b", "train", "z"):
        (tmp_path / f"{name}.lines").write_text("nothing")
    (why,) = said(tmp_path).values()
    assert why.endswith("4 .lines (train.lines, a.lines, b.lines and 1 more).")


@pytest.mark.parametrize("names", [("checkpoint-10",), ("checkpoint-10", "checkpoint-20", "other")])
def test_checkpoints_without_a_log(tmp_path, names):
    for name in names:
        save(tmp_path / "run" / name)
    why = said(tmp_path)["run"]
    assert why.startswith("A checkpoint folder without a log" if len(names) == 1 else "2 checkpoint folders without")


def test_the_list_of_them_is_bounded(tmp_path):
    for number in range(60):
        save(tmp_path / f"run{number:02}" / "checkpoint-1")
    found = FolderSource(tmp_path).list_runs(RunQuery()).unused
    assert len(found) == 51
    assert found[-1].why == "10 more that are no runs."


def test_foreign_names_do_not_steer_the_text(tmp_path):
    for number in range(2):
        write_lines(tmp_path / "\u202e\n" / str(number) / "none\u202e.lines")
    assert all("\u202e" not in path + why and "\n" not in path + why for path, why in said(tmp_path).items())

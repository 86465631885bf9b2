"""The list of a large folder is remembered whole, and shown where the same tree is found again."""

from __future__ import annotations

import sqlite3
import time

import pytest

from lib.core.facts.query import RunPage, RunQuery, RunSort
from lib.core.facts.runs import RunStatus
from lib.data.folder import look
from lib.data.folder import source as folder
from lib.data.folder.listing import Listing
from lib.data.folder.memory.remembered import CACHE_VARIABLE
from lib.data.folder.source import FolderSource
from tests.data.folder.states import training, write

QUERIES = [
    RunQuery(limit=100),
    RunQuery(search="b", limit=1),
    RunQuery(status=RunStatus.UNKNOWN),
    *(RunQuery(sort=sort) for sort in RunSort),
]


@pytest.fixture(autouse=True)
def place(monkeypatch, tmp_path):
    """A place of the test's own, for lists of any length."""
    monkeypatch.setattr(folder, "SCAN_INTERVAL_S", 3600.0)
    monkeypatch.setattr(look, "LEAST_LISTED", 1)
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def runs(tmp_path):
    """A folder of three runs, one with a loss that is no number, of one more that is broken, and of something else."""
    root = tmp_path / "out"
    write(root / "a", training(400, {200: 1.3, 400: 1.5}), planned=400)
    write(root / "b \udcff", training(300, {200: 1.4}, seed=1), planned=400, best=float("nan"))
    write(root / "c", [{"step": 1, "loss": float("nan")}, {"step": 2, "loss": float("inf")}], planned=400)
    (root / "broken").mkdir()
    (root / "broken" / "trainer_state.json").write_text("{")
    (root / "picture.png").write_text("")
    return root


@pytest.fixture
def made(monkeypatch) -> list[int]:
    """How many forms each list was made of, where one was made."""
    counts: list[int] = []
    real = Listing.make
    monkeypatch.setattr(Listing, "make", lambda self, found: counts.append(len(found)) or real(self, found))
    return counts


def answers(source: FolderSource) -> list[RunPage]:
    source.settle()
    return [source.list_runs(query) for query in QUERIES]


def remembered(root, place) -> list[RunPage]:
    """What is listed by a process whose list is remembered when this returns."""
    found = answers(FolderSource(root))
    end = time.monotonic() + 120
    while not _stored(place):
        assert time.monotonic() < end
        time.sleep(0.02)
    return found


def _stored(place) -> int:
    try:
        with sqlite3.connect(place / "read-folders.sqlite") as database:
            return database.execute("SELECT COUNT(*) FROM lists").fetchone()[0]
    except sqlite3.OperationalError:
        return 0


def test_a_start_lists_the_same_before_anything_else_is_looked_at(runs, place, made, monkeypatch):
    monkeypatch.setattr(look, "LISTED_S", 3600.0)
    first = remembered(runs, place)
    made.clear()
    source = FolderSource(runs)
    assert repr(answers(source)) == repr(first)
    assert [run.version for run in source.load_runs(["a", "c"])] == [
        run.version for name in "ac" for run in first[0].runs if run.run_id == name
    ]
    assert made == []
    # Whoever asks for curves does not wait for that hour.
    assert len(source.load_curves(["a"])["a"].get("train_loss")) == 40
    assert source.points("a")["train_loss"] == 40
    assert made[-1] == 3


@pytest.mark.parametrize("change", ["a run grew", "a run more", "a checkpoint", "the only file of a kind"])
def test_another_tree_is_looked_at(runs, place, change):
    remembered(runs, place)
    if change == "a run grew":
        write(runs / "a", training(500, {200: 1.3, 400: 1.5}), planned=600)
    elif change == "a run more":
        write(runs / "d", training(100, {}, seed=5), planned=400)
    elif change == "a checkpoint":
        (runs / "a" / "checkpoint-200").mkdir()
        (runs / "a" / "checkpoint-200" / "model.safetensors").write_text("")
    else:
        (runs / "picture.gif").write_text("")
    found = answers(FolderSource(runs))
    (runs.parent / "cache").rename(runs.parent / "aside")
    assert repr(found) == repr(answers(FolderSource(runs)))


@pytest.mark.parametrize("content", ["", "{}", '{"facts": [[1]], "runs": [], "unreadable": [], "unused": []}'])
def test_a_damaged_list_is_made_anew(runs, place, made, content):
    first = remembered(runs, place)
    with sqlite3.connect(place / "read-folders.sqlite") as database:
        database.execute("UPDATE lists SET content = ?", (content,))
    made.clear()
    assert repr(answers(FolderSource(runs))) == repr(first)
    assert made[-1] == 3

from __future__ import annotations

import os
import sqlite3
import stat
import time

import pytest

from lib.data.formats.files import NotReadable
from lib.data.formats.stores import sqlite_files
from lib.data.formats.stores.sqlite_files import database, is_named_so, units

LONG_AGO = time.time() - 7200


def make(path, rows=3, mode="delete"):
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute(f"PRAGMA journal_mode = {mode}")
    connection.execute("CREATE TABLE IF NOT EXISTS t (a INTEGER, b TEXT)")
    connection.execute("BEGIN")
    connection.executemany("INSERT INTO t VALUES (?, ?)", [(each, f"text {each}") for each in range(rows)])
    connection.execute("COMMIT")
    return connection


def count(path) -> int:
    with database(path) as found:
        assert found is not None
        return next(found.rows("SELECT count(*) FROM t"))[0]


@pytest.fixture(params=["quiet", "written to"])
def age(request):
    """What makes a file look as if nobody had written it for long."""
    return (lambda path: os.utime(path, (LONG_AGO, LONG_AGO))) if request.param == "quiet" else (lambda path: None)


@pytest.mark.parametrize("mode", ["delete", "wal"])
def test_a_database_is_read_and_nothing_is_left_beside_it(tmp_path, mode, age) -> None:
    path = tmp_path / "a ?#%.db"
    make(path, mode=mode).close()
    age(path)
    assert count(path) == 3
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


def test_what_stands_in_the_log_alone_is_read(tmp_path, age) -> None:
    path = tmp_path / "a.db"
    writer = make(path, mode="wal")
    age(path)
    before = sorted(each.name for each in tmp_path.iterdir())
    assert "a.db-wal" in before
    assert count(path) == 3
    writer.execute("INSERT INTO t VALUES (9, 'more')")
    assert count(path) == 4
    assert sorted(each.name for each in tmp_path.iterdir()) == before
    writer.close()


def test_a_copy_of_database_and_log_without_its_shared_memory_is_read(tmp_path) -> None:
    writer = make(tmp_path / "a.db", mode="wal")
    other = tmp_path / "other"
    other.mkdir()
    for name in ("a.db", "a.db-wal"):
        (other / name).write_bytes((tmp_path / name).read_bytes())
    writer.close()
    assert count(other / "a.db") == 3
    assert sorted(each.name for each in other.iterdir()) == ["a.db", "a.db-wal"]


def test_a_writer_can_write_while_its_database_is_read(tmp_path) -> None:
    path = tmp_path / "a.db"
    writer = make(path, rows=50_000)
    writer.execute("PRAGMA busy_timeout = 0")
    with database(path) as found:
        rows = found.chunks("SELECT a FROM t")
        first = next(rows)
        writer.execute("INSERT INTO t VALUES (9, 'more')")
        assert sum(map(len, rows)) == 50_000 - len(first)
    writer.close()


def test_an_unfinished_transaction_is_not_seen(tmp_path) -> None:
    path = tmp_path / "a.db"
    writer = make(path, rows=20_000)
    writer.execute("PRAGMA cache_size = 5")
    writer.execute("BEGIN")
    writer.execute("UPDATE t SET b = 'changed in a transaction that never ends' || a")
    assert (tmp_path / "a.db-journal").stat().st_size > 0
    with database(path) as found:
        texts = {text for (text,) in found.rows("SELECT b FROM t WHERE a < 10")}
    assert texts == {f"text {each}".encode() for each in range(10)}
    writer.close()


def test_a_large_database_that_is_locked_says_so(tmp_path, monkeypatch) -> None:
    path = tmp_path / "a.db"
    writer = make(path)
    writer.execute("BEGIN EXCLUSIVE")
    monkeypatch.setattr(sqlite_files, "MOST_COPIED", 10)
    monkeypatch.setattr(sqlite_files, "_BUSY_SECONDS", 0.05)
    with pytest.raises(NotReadable, match="try again"):
        count(path)
    writer.close()


@pytest.mark.parametrize("content", [b"", b"text", b"SQLite format 3\x00", b"\x00" * 5000])
def test_other_files_are_no_databases(tmp_path, content) -> None:
    path = tmp_path / "a.db"
    path.write_bytes(content)
    with database(path) as found:
        assert found is None


def test_a_pipe_and_a_folder_are_refused_at_once(tmp_path) -> None:
    os.mkfifo(tmp_path / "pipe.db")
    (tmp_path / "folder.db").mkdir()
    for name in ("pipe.db", "folder.db", "nothing.db"):
        with pytest.raises(NotReadable):
            count(tmp_path / name)


def test_views_and_virtual_tables_are_no_tables(tmp_path) -> None:
    path = tmp_path / "a.db"
    writer = make(path)
    writer.execute("CREATE VIEW v AS SELECT * FROM t")
    writer.execute("CREATE VIRTUAL TABLE w USING fts5(x)")
    writer.execute('CREATE TABLE "odd ""name" (a)')
    writer.close()
    with database(path) as found:
        assert not found.has("v") and not found.has("w")  # noqa: PT018
        assert found.has("t", "a", "b") and not found.has("t", "c")  # noqa: PT018
        assert found.has('odd "name', "a")


def test_an_endless_question_ends(tmp_path, monkeypatch) -> None:
    path = tmp_path / "a.db"
    make(path, rows=5_000).close()
    monkeypatch.setattr(sqlite_files, "SECONDS", 0.2)
    with database(path) as found, pytest.raises(NotReadable, match="longer"):
        list(found.rows("SELECT sum(x.a * y.a * z.a) FROM t x, t y, t z"))


def test_too_many_rows_are_cut_with_a_sentence(tmp_path, monkeypatch) -> None:
    path = tmp_path / "a.db"
    make(path, rows=50).close()
    monkeypatch.setattr(sqlite_files, "MOST_ROWS", 20)
    monkeypatch.setattr(sqlite_files, "_FETCHED", 5)
    with database(path) as found:
        chunks = found.chunks("SELECT a FROM t LIMIT 45", at_once=10)
        assert [len(next(chunks)) for _ in range(2)] == [10, 10]
        with pytest.raises(NotReadable, match="more than 20 rows"):
            next(chunks)


def test_a_folder_that_may_not_be_written_is_read(ordinary_folder) -> None:
    make(ordinary_folder / "a.db", mode="wal").close()
    ordinary_folder.chmod(stat.S_IRUSR | stat.S_IXUSR)
    try:
        assert count(ordinary_folder / "a.db") == 3
    finally:
        ordinary_folder.chmod(stat.S_IRWXU)


def test_names_and_units() -> None:
    names = ["a.db", "a.db-wal", "a.db-shm", "b.SQLITE3", "c.txt", "d.db-wal", "e.sqlite-journal"]
    taken = [(name,) for name in names if is_named_so((name,))]
    assert taken == [("a.db",), ("a.db-wal",), ("b.SQLITE3",), ("d.db-wal",)]
    assert units(taken) == {("a.db",): [("a.db",), ("a.db-wal",)], ("b.SQLITE3",): [("b.SQLITE3",)]}

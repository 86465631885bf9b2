"""SQLite databases that another program wrote, and may be writing: read without leaving a trace beside them."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from lib.data.formats.files import NotReadable, open_regular
from lib.data.formats.logged import FilePath, Folder

SUFFIXES = (".db", ".sqlite", ".sqlite3")
WAL, JOURNAL = "-wal", "-journal"

MOST_BYTES = 4 * 2**30
"""A gigabyte holds some six million values of MLflow's."""
MOST_COPIED = 2**30
"""What may be being written is copied first: who reads it where it lies would keep its program from writing."""
QUIET_SECONDS = 600.0
"""A database that was changed since may be being written."""
MOST_CELL = 256 * 2**20
"""Bytes of one value: a larger one ends the reading. Questions pass over what is far smaller than that."""
MOST_ROWS = 10_000_000
"""Rows of one question: some 20 seconds."""
SECONDS = 120.0
"""For all questions to one database: an honest one is read in 30, where nothing else runs."""
ROWS_AT_ONCE = 20_000
_FETCHED = 500

_HEADER = b"SQLite format 3\x00"
_WAL_VERSION = 2
_BUSY_SECONDS = 2.0


class Database:
    """An open database. Texts come as bytes, as foreign ones need not be UTF-8.

    Attributes:
        tables: The columns of its real tables, by their names.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.tables: Mapping[str, frozenset[str]] = {}
        self.tables = self._tables()

    def has(self, table: str, *columns: str) -> bool:
        """Whether there is a table with these columns."""
        return self.tables.get(table, frozenset()) >= set(columns) and table in self.tables

    def chunks(
        self, question: str, values: Sequence[Any] = (), at_once: int = ROWS_AT_ONCE
    ) -> Iterator[list[tuple[Any, ...]]]:
        """The rows of an answer, some thousands at a time: fewer where they may be long.

        Raises:
            NotReadable: If it cannot be read further, or has too many rows.
        """
        rows = 0
        with _errors_explained():
            cursor = self._connection.execute(question, values)
        is_whole = False
        while not is_whole:
            found: list[tuple[Any, ...]] = []
            broken: NotReadable | None = None
            try:
                with _errors_explained():
                    # By few at once, since those that come together with an error are lost.
                    while len(found) < at_once and (some := cursor.fetchmany(_FETCHED)):
                        found += some
            except NotReadable as error:
                broken = error
            rows += len(found)
            if rows > MOST_ROWS:
                raise NotReadable(f"The database has more than {MOST_ROWS:,} rows; the others were not read.")
            if found:
                yield found
            if broken is not None:
                raise broken
            is_whole = len(found) < at_once

    def rows(self, question: str, values: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
        """The rows of a short answer, one by one; raises as ``chunks``."""
        for found in self.chunks(question, values):
            yield from found

    def _tables(self) -> dict[str, frozenset[str]]:
        # Views and virtual tables run what the file says; nobody here asks them.
        real = [
            as_text(name)
            for (name,) in self.rows("SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE 'CREATE TABLE%'")
        ]
        return {
            name: frozenset(as_text(column) for (column,) in self.rows("SELECT name FROM pragma_table_info(?)", [name]))
            for name in real[:1000]
        }


def as_text(value: Any) -> str:
    """A cell as text; what is null is ""."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return "" if value is None else str(value)


def units(files: Sequence[FilePath]) -> dict[Folder, list[FilePath]]:
    """Databases, each with the log of what was written to it last."""
    found: dict[Folder, list[FilePath]] = {path: [path] for path in files if not path[-1].endswith(WAL)}
    for path in files:
        of = (*path[:-1], path[-1].removesuffix(WAL))
        if path[-1].endswith(WAL) and of in found:
            found[of].append(path)
    return found


def is_named_so(path: FilePath) -> bool:
    """Whether a file is called as databases are, or as the log of one."""
    return path[-1].lower().removesuffix(WAL).endswith(SUFFIXES)


@contextmanager
def database(path: Path) -> Iterator[Database | None]:
    """A database to read from; ``None`` for a file that is none, whatever it is called.

    Raises:
        NotReadable: If it is locked, being written, damaged or too large.
    """
    with open_regular(path, MOST_BYTES) as file:
        head = file.read(100)
    if not head.startswith(_HEADER) or len(head) < 100:
        yield None
        return
    with ExitStack() as stack:
        yield _connected(path, _WAL_VERSION in head[18:20], stack)


def _connected(path: Path, has_wal: bool, stack: ExitStack) -> Database:
    if _is_quiet(path) or _size(path) > MOST_COPIED:
        try:
            # With a log that is empty everything is in the file, and to look for more would make files beside it.
            is_whole = has_wal and not _size(path.with_name(path.name + WAL))
            return _opened(path, "mode=ro&immutable=1" if is_whole else "mode=ro", stack)
        except _Unreachable:
            pass
    folder = Path(stack.enter_context(_temporary()))
    return _opened(_copied(path, folder), "mode=rw", stack)


def _is_quiet(path: Path) -> bool:
    """Whether nobody seems to be writing it."""
    if any(_size(path.with_name(path.name + each)) for each in (WAL, JOURNAL)):
        return False
    try:
        return time.time() - os.stat(path).st_mtime > QUIET_SECONDS
    except OSError:
        return False


def _opened(path: Path, mode: str, stack: ExitStack) -> Database:
    with _errors_explained():
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?{mode}", uri=True, timeout=_BUSY_SECONDS, isolation_level=None
        )
        stack.callback(connection.close)
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MOST_CELL)
        connection.text_factory = bytes
        end = time.monotonic() + SECONDS
        connection.set_progress_handler(lambda: time.monotonic() > end, 10_000)
        for setting in ("trusted_schema = OFF", "query_only = ON", "cell_size_check = ON", "temp_store = MEMORY"):
            connection.execute(f"PRAGMA {setting}")
        # One transaction, so that all answers are of one moment.
        connection.execute("BEGIN")
        return Database(connection)


@contextmanager
def _temporary() -> Iterator[str]:
    try:
        folder = tempfile.mkdtemp(prefix="runoff-")
    except OSError as error:
        raise NotReadable("The database is being written, and there is no room to copy it.") from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _copied(path: Path, folder: Path) -> Path:
    """A copy of a database with its logs, all of one moment."""
    names = [path.with_name(path.name + each) for each in ("", WAL, JOURNAL)]
    if sum(map(_size, names)) > MOST_COPIED:
        raise NotReadable(
            f"The database may be being written, and above {MOST_COPIED / 2**20:,.0f} MB it is not copied. "
            "Try again when its program has ended."
        )
    for _ in range(3):
        before = _stamp(path)
        for name in names:
            target = folder / name.name
            target.unlink(missing_ok=True)
            if _size(name) or name == path:
                try:
                    with open_regular(name, MOST_BYTES) as source, target.open("wb") as copy:
                        shutil.copyfileobj(source, copy, 2**20)
                except OSError as error:
                    raise NotReadable("The database is being written, and there is no room to copy it.") from error
        # What the log holds moves into the database from time to time; a copy of both meanwhile fits nothing.
        if _stamp(path) == before:
            return folder / path.name
    raise NotReadable("The database is being written; try again in a moment.")


def _stamp(path: Path) -> tuple[int, int, bytes]:
    """What changes when pages of the database do, or its log begins anew."""
    try:
        found = os.stat(path)
        log = path.with_name(path.name + WAL)
        if not _size(log):
            return found.st_size, found.st_mtime_ns, b""
        with open_regular(log, MOST_BYTES) as file:
            return found.st_size, found.st_mtime_ns, file.read(32)
    except OSError as error:
        raise NotReadable("The database is gone; it may be being written.") from error


def _size(path: Path) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return 0


class _Unreachable(NotReadable):
    """It cannot be opened where it lies."""


_SENTENCES: Mapping[int, str] = {
    sqlite3.SQLITE_BUSY: "The database is locked by the program that writes it; try again in a moment.",
    sqlite3.SQLITE_LOCKED: "The database is locked by the program that writes it; try again in a moment.",
    sqlite3.SQLITE_INTERRUPT: f"Reading the database took longer than {SECONDS:.0f} s; the rest was not read.",
    sqlite3.SQLITE_CORRUPT: "The database is damaged, or was copied while it was being written: copy it again.",
    sqlite3.SQLITE_NOTADB: "The database is damaged, or encrypted.",
    sqlite3.SQLITE_TOOBIG: f"The database has a value of more than {MOST_CELL // 2**20} MB.",
    sqlite3.SQLITE_IOERR: "The database could not be read from its disk; it may be half written. Try again.",
    sqlite3.SQLITE_NOMEM: "The database needs more memory than there is.",
}
_NOT_HERE = {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_PROTOCOL}


@contextmanager
def _errors_explained() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        # The low byte is the kind, the others say more of it.
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
        if code in _NOT_HERE:
            raise _Unreachable("The database cannot be opened: it may be half written. Try again.") from error
        raise NotReadable(_SENTENCES.get(code, "The database cannot be read: it may be damaged.")) from error
    except (MemoryError, OverflowError, ValueError) as error:
        raise NotReadable("The database cannot be read: it may be damaged.") from error

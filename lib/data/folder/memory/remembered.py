"""What was read of folders, on disk between two starts: to be thrown away at any time.

It is a database in the user's folder for such things. Where that cannot be written, is full, locked or damaged, all
is read anew, and a line in the log says so. Nothing in it is code: what is found there is JSON, or ignored.
"""

from __future__ import annotations

import hashlib
import logging
import os
import sqlite3
import threading
import time
from collections.abc import Mapping
from contextlib import closing
from functools import cache
from pathlib import Path

from lib.data.folder.collection import paused
from lib.data.folder.memory.texts import from_text, to_text
from lib.data.folder.units import FoundUnit, Unit

CACHE_VARIABLE = "RUNOFF_CACHE"
"""Environment variable: the folder of the database; empty for none."""
MOST_BYTES = 256 * 2**20
"""What all entries and lists may hold together: 50,000 runs with their settings."""
WAIT_S = 2.0
"""Another process that writes is waited for so long."""

_LOG = logging.getLogger(__name__)
_TABLES = """
CREATE TABLE IF NOT EXISTS units (root TEXT, unit TEXT, code TEXT, found TEXT, PRIMARY KEY (root, unit)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS lists (root TEXT PRIMARY KEY, code TEXT, scan TEXT, content TEXT);
CREATE TABLE IF NOT EXISTS roots (root TEXT PRIMARY KEY, used REAL, bytes INTEGER) WITHOUT ROWID;
"""


class Remembered:
    """What was read below one root. Safe to share between threads; no call raises.

    Args:
        root: The folder, by its real path.
        place: The folder of the database; ``None`` for none.
    """

    def __init__(self, root: Path, place: Path | None) -> None:
        self._root = hashlib.sha256(os.fsencode(root)).hexdigest()[:32]
        self._file = None if place is None else place / "read-folders.sqlite"
        self._lock = threading.Lock()

    def load(self) -> dict[Unit, FoundUnit]:
        """All units that this version of the code read."""
        found: dict[Unit, FoundUnit] = {}
        try:
            with self._lock, closing(self._open(self._file)) as database:
                rows = database.execute(
                    "SELECT unit, found FROM units WHERE root = ? AND code = ?", (self._root, code_version())
                ).fetchall()
        except (OSError, sqlite3.Error, _Nowhere) as error:
            self._say("read", error)
            return found
        with paused():
            for name, text in rows:
                try:
                    found[_unit_of(name)] = from_text(text)
                except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
                    continue  # Damaged: it is read anew.
        return found

    def is_empty(self) -> bool:
        """Whether this version of the code read nothing of it."""
        try:
            with self._lock, closing(self._open(self._file)) as database:
                asked = "SELECT 1 FROM units WHERE root = ? AND code = ? LIMIT 1"
                return database.execute(asked, (self._root, code_version())).fetchone() is None
        except (OSError, sqlite3.Error, _Nowhere):
            return True  # ``load`` says why.

    def store(self, changed: Mapping[Unit, FoundUnit | str | None], *, is_last: bool = True) -> None:
        """Take what was read, or its text, ``None`` for what is gone.

        Args:
            changed: By unit.
            is_last: There is no more for now: the oldest folders of too many are dropped, which looks at all.
        """
        rows, gone = [], []
        for unit, found in changed.items():
            text = to_text(found) if isinstance(found, FoundUnit) else found
            if text is None:
                gone.append((self._root, _name_of(unit)))
            else:
                rows.append((self._root, _name_of(unit), code_version(), text))
        try:
            with self._lock, closing(self._open(self._file)) as database, database:
                database.executemany("DELETE FROM units WHERE root = ? AND unit = ?", gone)
                database.executemany("INSERT OR REPLACE INTO units VALUES (?, ?, ?, ?)", rows)
                if is_last:
                    self._bound(database)
                else:
                    database.execute("INSERT OR IGNORE INTO roots VALUES (?, ?, 0)", (self._root, time.time()))
        except (OSError, sqlite3.Error, _Nowhere) as error:
            self._say("write", error)

    def list_of(self, scan: str) -> str | None:
        """The list that was remembered of a tree, by the digest of what lay there."""
        try:
            with self._lock, closing(self._open(self._file)) as database:
                row = database.execute(
                    "SELECT content FROM lists WHERE root = ? AND code = ? AND scan = ?",
                    (self._root, code_version(), scan),
                ).fetchone()
        except (OSError, sqlite3.Error, _Nowhere) as error:
            self._say("read", error)
            return None
        return None if row is None else str(row[0])

    def store_list(self, scan: str, content: str) -> None:
        """Take the list of a tree in the place of the one before."""
        try:
            with self._lock, closing(self._open(self._file)) as database, database:
                row = self._root, code_version(), scan, content
                database.execute("INSERT OR REPLACE INTO lists VALUES (?, ?, ?, ?)", row)
                self._bound(database)
        except (OSError, sqlite3.Error, _Nowhere) as error:
            self._say("write", error)

    def _bound(self, database: sqlite3.Connection) -> None:
        """Drop what another version of the code read, and the folders that nobody looked at for the longest."""
        database.execute("DELETE FROM units WHERE code != ? AND root = ?", (code_version(), self._root))
        (size,) = database.execute(
            "SELECT (SELECT COALESCE(SUM(LENGTH(found)), 0) FROM units WHERE root = :root)"
            " + (SELECT COALESCE(SUM(LENGTH(content)), 0) FROM lists WHERE root = :root)",
            {"root": self._root},
        ).fetchone()
        database.execute("INSERT OR REPLACE INTO roots VALUES (?, ?, ?)", (self._root, time.time(), size))
        kept = 0
        for root, held in database.execute("SELECT root, bytes FROM roots ORDER BY used DESC").fetchall():
            kept += held
            if kept > MOST_BYTES:
                database.execute("DELETE FROM units WHERE root = ?", (root,))
                database.execute("DELETE FROM lists WHERE root = ?", (root,))
                database.execute("DELETE FROM roots WHERE root = ?", (root,))

    def _open(self, file: Path | None) -> sqlite3.Connection:
        if file is None:
            raise _Nowhere
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            return self._connected(file)
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):
                raise
            # Damaged, or no database at all.
            file.unlink(missing_ok=True)
            return self._connected(file)

    def _connected(self, file: Path) -> sqlite3.Connection:
        database = sqlite3.connect(file, timeout=WAIT_S, check_same_thread=False)
        try:
            database.executescript(_TABLES)
        except sqlite3.Error:
            database.close()
            raise
        return database

    def _say(self, what: str, error: Exception) -> None:
        if not isinstance(error, _Nowhere):
            _LOG.warning("What was read of folders could not be %s in %s: %s.", _DONE[what], self._file, error)


class _Nowhere(Exception):
    """There is no place for a database."""


_DONE = {"read": "looked up", "write": "remembered"}


def place_from(environment: Mapping[str, str]) -> Path | None:
    """The folder of the database; ``None`` where there is none to be."""
    if CACHE_VARIABLE in environment:
        said = environment[CACHE_VARIABLE].strip()
        return Path(os.path.expanduser(said)) if said else None
    base = environment.get("XDG_CACHE_HOME", "").strip()
    if base and os.path.isabs(base):
        return Path(base) / "runoff"
    home = os.path.expanduser("~")
    return Path(home) / ".cache" / "runoff" if os.path.isabs(home) else None


@cache
def code_version() -> str:
    """Another text for any other code that reads: what it made of files then is not what it would make now."""
    library = Path(__file__).parents[3]
    seen = hashlib.blake2b(digest_size=8)
    for path in sorted([*(library / "core").rglob("*.py"), *(library / "data").rglob("*.py")]):
        seen.update(str(path.relative_to(library)).encode())
        try:
            seen.update(path.read_bytes())
        except OSError:
            seen.update(b"?")
    return seen.hexdigest()


def _name_of(unit: Unit) -> str:
    """Names of folders hold any byte but these two."""
    return "\0".join((unit.format, *unit.folder)).encode("utf-8", "backslashreplace").decode()


def _unit_of(name: str) -> Unit:
    format_title, *folder = name.split("\0")
    return Unit(format_title, tuple(folder))

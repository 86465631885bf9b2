"""Reading one long unit in a process of its own: parsing holds the interpreter for seconds, and pages need it too."""

from __future__ import annotations

import contextlib
import logging
import os
import pickle
import selectors
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from lib.core.facts.errors import SourceUnavailable
from lib.data.folder.names import path_text
from lib.data.folder.processes.packed import Lost, read, room
from lib.data.folder.processes.started import started, ticks_of
from lib.data.folder.processes.worker import WHOLE, asked_of
from lib.data.folder.reading import Curves, Files, UnitReader
from lib.data.folder.units import FoundUnit
from lib.data.formats.logged import FilePath, Folder
from lib.data.trainer.hf_log import TRAINER_STATE

LONG_BYTES = 16 * 10**6
"""Files of so many bytes take longer to parse than a process to start, half a second of a processor."""
MOST_AT_ONCE = max(1, (os.cpu_count() or 1) - 1)
"""So many long units are read at once, of all folders: a processor is left for the pages."""
LOOKED_AT_S = 0.5
"""Whether a process still works is looked at so often."""
IDLE_S = 5.0
"""A process that uses no processor for so long waits for a disk: others are read meanwhile."""
PATIENCE_S = 60.0
"""Whoever looks at a folder is told for so long that a process is at work: after that others may have to be listed."""

_TURNS = threading.BoundedSemaphore(MOST_AT_ONCE)
_LOG = logging.getLogger(__name__)


class Read(NamedTuple):
    """What was found in a unit, the curves of its runs, and how much of a processor that took, in seconds."""

    found: FoundUnit
    curves: Curves
    cost_s: float


class Beside:
    """Reads units: long ones in processes, one for each, and all others itself. Safe to share between threads.

    Args:
        root, top: As of ``UnitReader``.
        reader: Reads what is not long.
    """

    def __init__(self, root: Path, top: str, reader: UnitReader) -> None:
        self._root, self._top, self._reader = root, top, reader
        self._lock = threading.Lock()
        self._idle: _Process | None = None

    def close(self) -> None:
        """End the process that waits for more to read, where there is one; the next read starts another."""
        with self._lock:
            idle, self._idle = self._idle, None
        if idle is not None:
            idle.end()

    def read(self, folder: Folder, files: Files, sight: str, goes_on: Callable[[], None] = lambda: None) -> Read:
        """What is in the files of a unit.

        Args:
            folder: Names the unit.
            files: Of the unit.
            sight: Names what was there to see.
            goes_on: Is told now and then that it is worked on, or waits for others that are.

        Raises:
            SourceUnavailable: If the process that reads it is lost.
        """
        if size_of(files) >= LONG_BYTES:
            with contextlib.suppress(_NotByProcess):
                return self._by_process(folder, files, sight, goes_on)
        began = time.thread_time()
        found, curves = self._reader.read(folder, files, sight)
        return Read(found, curves, time.thread_time() - began)

    def _by_process(self, folder: Folder, files: Files, sight: str, goes_on: Callable[[], None]) -> Read:
        with contextlib.ExitStack() as turn:
            while not _TURNS.acquire(timeout=LOOKED_AT_S):
                goes_on()
            turn.callback(_TURNS.release)
            mine = self._taken()
            try:
                assert mine.process.stdin is not None
                assert mine.process.stdout is not None
                mine.process.stdin.write(f"{asked_of(folder, files, sight)}\n".encode())
                mine.process.stdin.flush()
                _await(mine.process, turn, goes_on)
                found = Read(*read(mine.process.stdout, mine.place))
            except (Lost, OSError, pickle.PickleError, ValueError, TypeError, KeyError, AttributeError) as error:
                code = mine.code()
                mine.end()
                if code == 0:
                    # It has no word for what it found.
                    raise _NotByProcess from error
                raise _lost(longest_of(folder, files), code) from error
            except BaseException:
                mine.end()
                raise
            if found.found.is_read or not self._is_kept(mine):
                mine.end()
            return found

    def _taken(self) -> _Process:
        """The process that waits, or a new one."""
        with self._lock:
            idle, self._idle = self._idle, None
        if idle is not None:
            if idle.process.poll() is None:
                return idle
            idle.end()
        with contextlib.ExitStack() as undone:
            try:
                place = room()
                undone.callback(os.close, place)
                begun = _Process(started(self._root, self._top, WHOLE, str(place), given=(place,)), place)
            except OSError as error:
                _LOG.warning("No process could be started to read a long log: %s.", error)
                raise _NotByProcess from error
            undone.pop_all()
            return begun

    def _is_kept(self, mine: _Process) -> bool:
        """Let a process wait that has read nothing: the next format is asked for the same files. One is enough."""
        with self._lock:
            if self._idle is not None:
                return False
            self._idle = mine
            return True


class _NotByProcess(Exception):
    """No process can be asked."""


class _Process(NamedTuple):
    """A process that reads, and where it puts the arrays that it read."""

    process: subprocess.Popen[bytes]
    place: int

    def code(self) -> int:
        """What it ends with, now that nobody asks it any more."""
        with contextlib.suppress(OSError):
            if self.process.stdin is not None:
                self.process.stdin.close()
        return self.process.wait()

    def end(self) -> None:
        self.process.kill()
        # What was not written any more is lost with the process.
        with contextlib.suppress(OSError), self.process:
            pass
        os.close(self.place)


def _await(process: subprocess.Popen[bytes], turn: contextlib.ExitStack, goes_on: Callable[[], None]) -> None:
    """Wait until a process answers or ends."""
    began = seen = time.monotonic()
    used = 0
    with selectors.DefaultSelector() as answers:
        answers.register(process.stdout, selectors.EVENT_READ)  # type: ignore[arg-type]  # it is a pipe
        while not answers.select(LOOKED_AT_S):
            now, before, used = time.monotonic(), used, ticks_of(process, used)
            if used != before:
                seen = now
                if now - began < PATIENCE_S:
                    goes_on()
            elif now - seen >= IDLE_S:
                turn.close()


def size_of(files: Files) -> int:
    """Bytes of the files of a unit, as they were when they were looked for."""
    if files.states is None:
        stamps = (files.scan.stamps.get(path) for path in files.paths)
        return sum(stamp[1] for stamp in stamps if stamp is not None)
    return sum(stamp[1] for names in files.states.values() for stamp in names.values() if stamp is not None)


def longest_of(folder: Folder, files: Files) -> FilePath:
    """The file of a unit that takes longest to read."""
    sizes = {path: files.scan.stamps.get(path) for path in files.paths}
    if files.states is not None:
        sizes = {(*place, TRAINER_STATE): names.get(TRAINER_STATE) for place, names in files.states.items()}
    return max(sizes, key=lambda path: (sizes[path] or (0, 0, 0))[1], default=(*folder, TRAINER_STATE))


def _lost(path: FilePath, code: int) -> SourceUnavailable:
    how = f"signal {-code}" if code < 0 else f"code {code}"
    return SourceUnavailable(
        f"Reading {path_text(path[:-1], path[-1])} broke off: the process that read it has ended ({how}).",
        hint="It is read again by itself. If it breaks off each time, the machine may be short of memory.",
    )

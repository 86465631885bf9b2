"""Reading many units ahead, in processes of their own: parsing holds the interpreter, and pages need it too."""

from __future__ import annotations

import contextlib
import logging
import os
import subprocess
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from itertools import count, islice
from pathlib import Path

from lib.data.folder.memory.texts import from_text
from lib.data.folder.processes.started import started, ticks_of
from lib.data.folder.processes.worker import STARTED, asked_of
from lib.data.folder.reading import Files
from lib.data.folder.units import FoundUnit, Unit
from lib.data.formats.logged import Folder

LEAST, LEAST_FOLDERS = 400, 1600
"""Fewer units are read sooner than a process has started; in so many folders there will be enough, mostly."""
MOST_PROCESSES = 4
"""More would wait for the disk and for the one who takes what they read."""
MOST_TOLD = 1000
"""The processes begin with the first units before the others are worded."""
MOST_ASKED = 32_768
"""A process is asked for so many bytes at once: every pipe holds more, so that neither end waits for the other."""
MOST_TAKEN = 2**20
"""So many bytes of an answer are taken at once."""
PATIENCE_S = 30.0
"""A unit that takes longer is read by whoever wants it."""
LOOKED_AT_S = 1.0
"""Whether a process still works is looked at so often: on a busy machine an answer takes long."""

_LOG = logging.getLogger(__name__)


class Ahead:
    """Units that others read meanwhile. What they do not answer is for the caller to read.

    The processes are started when there is first enough to read, or it is expected; they end with ``close``.

    Args:
        root, top: As of ``UnitReader``.
    """

    def __init__(self, root: Path, top: str) -> None:
        self._root, self._top = root, top
        self._changed = threading.Condition()
        self._left: deque[tuple[Unit, str]] = deque()
        self._waited: set[Unit] = set()
        self._found: dict[Unit, tuple[FoundUnit, str]] = {}
        self._processes: list[subprocess.Popen[bytes]] = []
        self._threads: list[threading.Thread] = []
        self._reads: dict[Unit, subprocess.Popen[bytes]] = {}
        self._answers: Counter[subprocess.Popen[bytes]] = Counter()
        self._ticks: dict[subprocess.Popen[bytes], tuple[float, int]] = {}
        self._feeding = 0
        self._is_closed = False

    def expected_by(self, told: Callable[[Folder], None]) -> Callable[[Folder], None]:
        """As ``told``, which is told each folder: of a large tree the processes start while it is walked through."""
        folders = count(1)

        def each(folder: Folder) -> None:
            told(folder)
            if next(folders) == LEAST_FOLDERS:
                self.expect()

        return each

    def expect(self) -> None:
        """Start the processes, as much will be asked for: they are there by then."""
        if not self._processes:
            cores = min(os.cpu_count() or 1, MOST_PROCESSES)
            for _ in range(cores if cores > 1 else 0):
                self._start(self._root, self._top)

    def ask(self, units: Mapping[Unit, Files], sights: Mapping[Unit, str]) -> None:
        """Have units read, if they are many.

        Args:
            units: In the order in which they will be wanted.
            sights: What was there to see of each.
        """
        if len(units) >= LEAST:
            self.expect()
        each = iter(units.items())
        while self._feeding and (some := dict(islice(each, MOST_TOLD))):
            asked = {unit: asked_of(unit.folder, files, sights[unit]) for unit, files in some.items()}
            with self._changed:
                if self._feeding:
                    self._left.extend(asked.items())
                    self._waited.update(asked)
                    self._changed.notify_all()

    def take(self, unit: Unit, goes_on: Callable[[], None]) -> tuple[FoundUnit, str] | None:
        """What was found in a unit, and its text; ``None`` where nobody says so.

        Args:
            unit: One that was asked for, or not.
            goes_on: Is told whenever it is not this unit that takes long: others are read before, or a process starts.
        """
        if unit in self._found:
            # Nobody else takes it, and once it is there it stays.
            return self._found.pop(unit)
        until = time.monotonic() + PATIENCE_S
        heard: tuple[int, int] | None = None
        while True:
            with self._changed:
                heard = self._heard(unit) if heard is None else heard
                left = until - time.monotonic()
                if unit in self._waited and left > 0 and self._heard(unit) == heard:
                    self._changed.wait(min(left, LOOKED_AT_S))
                if unit not in self._waited or time.monotonic() >= until:
                    self._waited.discard(unit)
                    return self._found.pop(unit, None)
                before, heard = heard, self._heard(unit)
            # Without the lock: it may list what was found, and who reads shall not wait for that.
            if heard != before or not heard[0]:
                goes_on()

    def _heard(self, unit: Unit) -> tuple[int, int]:
        """How much was heard of who reads a unit, 0 while that process starts; and how much it has worked."""
        process = self._reads.get(unit)
        return (self._answers.total(), 0) if process is None else (self._answers[process], self._worked(process))

    def _worked(self, process: subprocess.Popen[bytes]) -> int:
        """Another number whenever a process has used a hundredth of a second of a processor more; seldom looked at."""
        at, ticks = self._ticks.get(process, (-LOOKED_AT_S, 0))
        now = time.monotonic()
        if now - at >= LOOKED_AT_S:
            ticks = ticks_of(process, ticks)
            self._ticks[process] = now, ticks
        return ticks

    def close(self) -> None:
        """End the processes."""
        with self._changed:
            self._is_closed = True
            self._left.clear()
            self._waited.clear()
            self._changed.notify_all()
        for process in self._processes:
            process.kill()
        for thread in self._threads:
            thread.join()

    def _start(self, root: Path, top: str) -> None:
        try:
            process = started(root, top)
        except OSError as error:
            _LOG.warning("No process could be started to read ahead: %s.", error)
            return
        self._processes.append(process)
        self._feeding += 1
        self._threads.append(threading.Thread(target=self._feed, args=(process,), name="runoff-ahead", daemon=True))
        self._threads[-1].start()

    def _feed(self, process: subprocess.Popen[bytes]) -> None:
        """Ask a process for units until nobody wants any more, or it ends."""
        assert process.stdin is not None
        assert process.stdout is not None
        mine: list[tuple[Unit, str]] = []
        try:
            if process.stdout.readline() != STARTED:
                raise EOFError("it did not start")
            self._take(process, [], [])
            while mine := self._next(process):
                process.stdin.write("".join((*(f"{line}\n" for _, line in mine), "\n")).encode())
                process.stdin.flush()
                begun: list[bytes] = []
                while mine:
                    piece = os.read(process.stdout.fileno(), MOST_TAKEN)
                    if not piece:
                        raise EOFError("it ended")
                    begun.append(piece)
                    if b"\n" in piece:
                        *lines, rest = b"".join(begun).split(b"\n")
                        begun = [rest]
                        self._take(process, [unit for unit, _ in mine[: len(lines)]], lines)
                        del mine[: len(lines)]
        except (OSError, ValueError, EOFError) as error:
            _LOG.warning("A process that reads ahead was lost: %s.", error)
        finally:
            process.kill()
            # What was not written any more is lost with the process.
            with contextlib.suppress(OSError), process:
                pass
            with self._changed:
                self._waited.difference_update(unit for unit, _ in mine)
                self._feeding -= 1
                if not self._feeding:
                    self._waited.difference_update(unit for unit, _ in self._left)
                    self._left.clear()
                self._changed.notify_all()

    def _next(self, process: subprocess.Popen[bytes]) -> list[tuple[Unit, str]]:
        asked: list[tuple[Unit, str]] = []
        size = 0
        with self._changed:
            while not self._left and not self._is_closed:
                self._changed.wait()
            while self._left and (not asked or size + len(self._left[0][1]) < MOST_ASKED):
                asked.append(self._left.popleft())
                size += len(asked[-1][1])
                self._reads[asked[-1][0]] = process
        return asked

    def _take(self, process: subprocess.Popen[bytes], units: Sequence[Unit], lines: Sequence[bytes]) -> None:
        found = {}
        for unit, line in zip(units, lines, strict=True):
            # What cannot be understood is read by whoever wants it.
            with contextlib.suppress(ValueError, TypeError, KeyError, AttributeError, RecursionError):
                text = line.decode()
                if text:
                    found[unit] = from_text(text), text
        with self._changed:
            self._waited.difference_update(units)
            self._found |= found
            self._answers[process] += 1
            self._changed.notify_all()

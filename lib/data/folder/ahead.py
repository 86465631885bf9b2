"""Reading many units ahead, in processes of their own: parsing holds the interpreter, and pages need it too."""

from __future__ import annotations

import contextlib
import logging
import os
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Mapping
from pathlib import Path

from lib.data.folder.reading import Files
from lib.data.folder.units import FoundUnit, Unit, from_text
from lib.data.folder.worker import asked_of

LEAST = 400
"""Fewer units are read sooner than a process has started."""
MOST_PROCESSES = 4
"""More would wait for the disk and for the one who takes what they read."""
MOST_ASKED = 32_768
"""A process is asked for so many bytes at once: every pipe holds more, so that neither end waits for the other."""
PATIENCE_S = 30.0
"""A unit that takes longer is read by whoever wants it."""

_LOG = logging.getLogger(__name__)


class Ahead:
    """Units that others read meanwhile. What they do not answer is for the caller to read.

    Args:
        root, top: As of ``UnitReader``.
        units: In the order in which they will be wanted.
        sights: What was there to see of each.
    """

    def __init__(self, root: Path, top: str, units: Mapping[Unit, Files], sights: Mapping[Unit, str]) -> None:
        asked = {
            unit: asked_of(unit.folder, files, sights[unit])
            for unit, files in (units.items() if len(units) >= LEAST else ())
        }
        self._changed = threading.Condition()
        self._left = deque(asked.items())
        self._waited: set[Unit] = set(asked)
        self._found: dict[Unit, tuple[FoundUnit, str]] = {}
        self._processes: list[subprocess.Popen[bytes]] = []
        self._threads: list[threading.Thread] = []
        count = min(os.cpu_count() or 1, MOST_PROCESSES) if asked else 0
        for _ in range(count if count > 1 else 0):
            self._start(root, top)
        if not self._processes:
            self._waited.clear()

    def take(self, unit: Unit) -> tuple[FoundUnit, str] | None:
        """What was found in a unit, and its text; ``None`` where nobody says so."""
        until = time.monotonic() + PATIENCE_S
        with self._changed:
            while unit in self._waited and (left := until - time.monotonic()) > 0:
                self._changed.wait(left)
            self._waited.discard(unit)
            return self._found.pop(unit, None)

    def close(self) -> None:
        """End the processes."""
        with self._changed:
            self._left.clear()
            self._waited.clear()
            self._changed.notify_all()
        for process in self._processes:
            process.kill()
        for thread in self._threads:
            thread.join()

    def _start(self, root: Path, top: str) -> None:
        project = Path(__file__).parents[3]
        command = [sys.executable, "-m", "lib.data.folder.worker", str(root), top]
        try:
            process = subprocess.Popen(command, cwd=project, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        except OSError as error:
            _LOG.warning("No process could be started to read ahead: %s.", error)
            return
        self._processes.append(process)
        self._threads.append(threading.Thread(target=self._feed, args=(process,), name="runoff-ahead", daemon=True))
        self._threads[-1].start()

    def _feed(self, process: subprocess.Popen[bytes]) -> None:
        """Ask a process for units until there are none left, or it ends."""
        assert process.stdin is not None
        assert process.stdout is not None
        mine: list[tuple[Unit, str]] = []
        try:
            while mine := self._next():
                process.stdin.write("".join(f"{line}\n" for _, line in mine).encode())
                process.stdin.flush()
                while mine:
                    line = process.stdout.readline()
                    if not line.endswith(b"\n"):
                        raise EOFError("it ended")
                    self._take(mine.pop(0)[0], line)
        except (OSError, ValueError, EOFError) as error:
            _LOG.warning("A process that reads ahead was lost: %s.", error)
        finally:
            process.kill()
            # What was not written any more is lost with the process.
            with contextlib.suppress(OSError), process:
                pass
            with self._changed:
                self._waited.difference_update(unit for unit, _ in mine)
                if all(each is process or each.poll() is not None for each in self._processes):
                    self._waited.difference_update(unit for unit, _ in self._left)
                    self._left.clear()
                self._changed.notify_all()

    def _next(self) -> list[tuple[Unit, str]]:
        asked: list[tuple[Unit, str]] = []
        size = 0
        with self._changed:
            while self._left and (not asked or size + len(self._left[0][1]) < MOST_ASKED):
                asked.append(self._left.popleft())
                size += len(asked[-1][1])
        return asked

    def _take(self, unit: Unit, line: bytes) -> None:
        text = line.decode().strip()
        try:
            found = from_text(text) if text else None
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            found = None
        with self._changed:
            self._waited.discard(unit)
            if found is not None:
                self._found[unit] = found, text
            self._changed.notify_all()

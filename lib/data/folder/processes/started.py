"""Processes that read, as seen from the one that started them."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

PROJECT = Path(__file__).parents[4]
_KEEPING = {"MALLOC_MMAP_THRESHOLD_": str(32 * 2**20), "MALLOC_TRIM_THRESHOLD_": str(256 * 2**20)}
"""A process that reads one block after the other asks for the same room again and again. The GNU C library would give
it back to the system each time, and to get it anew took a third of all the work; other libraries ignore this."""


def started(root: Path, top: str, *rest: str, given: Sequence[int] = ()) -> subprocess.Popen[bytes]:
    """A process that reads below a root (``lib.data.folder.processes.worker``), with both its ends as pipes.

    Args:
        root: As of ``UnitReader``.
        top: The same.
        rest: What else it is told.
        given: Descriptors that it has too.

    Raises:
        OSError: If none can be started.
    """
    command = [sys.executable, "-m", "lib.data.folder.processes.worker", str(root), top, *rest]
    return subprocess.Popen(
        command,
        cwd=PROJECT,
        env={**_KEEPING, **os.environ},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        pass_fds=given,
    )


def ticks_of(process: subprocess.Popen[bytes], last: int = 0) -> int:
    """Hundredths of a second of a processor that a process has used; ``last`` where the system does not say."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        said = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
        return int(said[11]) + int(said[12])
    return last

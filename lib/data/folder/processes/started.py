"""Processes that read, as seen from the one that started them."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

PROJECT = Path(__file__).parents[4]


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
    return subprocess.Popen(command, cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, pass_fds=given)


def ticks_of(process: subprocess.Popen[bytes], last: int = 0) -> int:
    """Hundredths of a second of a processor that a process has used; ``last`` where the system does not say."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        said = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
        return int(said[11]) + int(said[12])
    return last

"""What was read of a unit on its way to another process: its facts as JSON, its curves as the bytes of their arrays.

Through a pipe go the places of the arrays in a file without a name that both processes have, and a pickle (protocol 5)
of all the rest. Whoever takes them maps that file: no array is copied once more, and none stands in memory twice.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import pickle
import struct
import tempfile
from types import MappingProxyType
from typing import IO, Any, NamedTuple

import numpy as np

from lib.core.curves.metric_curves import MetricCurve, RunCurves
from lib.data.folder.memory.texts import from_text, to_text
from lib.data.folder.reading import Curves
from lib.data.folder.units import FoundUnit

_NUMBER = struct.Struct("<Q")
_ALIGNED = 64
"""Arrays begin at multiples of it, as those that NumPy makes do."""


class Lost(Exception):
    """The process ended before all of it came."""


class _Same(NamedTuple):
    """An array that has one number at all places."""

    value: float
    length: int


def room() -> int:
    """The descriptor of an empty file without a name, in memory where the system has such files."""
    with contextlib.suppress(OSError, AttributeError):
        return os.memfd_create("runoff")
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


def write(pipe: IO[bytes], place: int, found: FoundUnit, curves: Curves, cost_s: float) -> bool:
    """Write what was read; nothing where JSON has no word for it, and whether it has.

    Args:
        pipe: Gets all but the arrays.
        place: Gets these: the descriptor of a ``room``.
        found: What was read.
        curves: The same.
        cost_s: How much of a processor that took, in seconds.
    """
    text = to_text(found)
    if text is None:
        return False
    buffers: list[pickle.PickleBuffer] = []
    same: dict[int, _Same] = {}
    plain = {tag: _plain(each, same) for tag, each in curves.items()}
    said = pickle.dumps((text, plain, cost_s), protocol=5, buffer_callback=buffers.append)
    numbers, end = [len(said), len(buffers)], 0
    for piece in (buffer.raw() for buffer in buffers):
        numbers += [end, piece.nbytes]
        _put(place, piece, end)
        end = -(-(end + piece.nbytes) // _ALIGNED) * _ALIGNED
    pipe.write(b"".join(map(_NUMBER.pack, numbers)))
    pipe.write(said)
    pipe.flush()
    return True


def read(pipe: IO[bytes], place: int) -> tuple[FoundUnit, Curves, float]:
    """What ``write`` wrote; only what a process of ours wrote may be read so. The arrays cannot be written to.

    Raises:
        Lost: If it is not all there.
    """
    size, count = _number(pipe), _number(pipe)
    places = [(_number(pipe), _number(pipe)) for _ in range(count)]
    said = _taken(pipe, size)
    end = max((begin + size for begin, size in places), default=0)
    if end > os.fstat(place).st_size:
        raise Lost
    held = memoryview(mmap.mmap(place, end, access=mmap.ACCESS_READ) if end else b"")
    text, plain, cost_s = pickle.loads(said, buffers=[held[begin : begin + size] for begin, size in places])
    made: dict[int, np.ndarray] = {}
    return from_text(text), {tag: _curves(made, *each) for tag, each in plain.items()}, cost_s


def _put(place: int, piece: memoryview, begin: int) -> None:
    written = 0
    while written < piece.nbytes:
        written += os.pwrite(place, piece[written:], begin + written)


def _plain(run: RunCurves, same: dict[int, _Same]) -> tuple[Any, ...]:
    """The parts of a run's curves. What is one number throughout is told as that, once for each such array."""

    def told(column: np.ndarray) -> np.ndarray | _Same:
        if column.strides != (0,) or not len(column):
            return column
        return same.setdefault(id(column), _Same(float(column[0]), len(column)))

    curves = {
        metric: (*map(told, each.columns), each.logged, each.lost, each.median) for metric, each in run.curves.items()
    }
    return run.run_id, curves, run.unread, run.rows, run.may_have_more


def _curves(made: dict[int, np.ndarray], run_id: str, curves: dict[str, tuple[Any, ...]], *more: Any) -> RunCurves:
    def column(told: np.ndarray | _Same) -> np.ndarray:
        if not isinstance(told, _Same):
            return told
        if id(told) not in made:
            made[id(told)] = np.broadcast_to(told.value, told.length)
        return made[id(told)]

    found = {
        metric: MetricCurve(column(step), column(value), column(epoch), column(elapsed_s), *rest)
        for metric, (step, value, epoch, elapsed_s, *rest) in curves.items()
    }
    return RunCurves(run_id, MappingProxyType(found), *more)


def _number(pipe: IO[bytes]) -> int:
    number: int = _NUMBER.unpack(_taken(pipe, _NUMBER.size))[0]
    return number


def _taken(pipe: IO[bytes], size: int) -> bytearray:
    taken = bytearray(size)
    view, filled = memoryview(taken), 0
    while filled < size:
        count = pipe.readinto(view[filled:])  # type: ignore[attr-defined]  # of every binary file
        if not count:
            raise Lost
        filled += count
    return taken

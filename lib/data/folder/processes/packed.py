"""What was read of a unit on its way through a pipe: its facts as JSON, its curves as the bytes of their arrays.

A number of pieces, and of each its length and its bytes; the first is a pickle (protocol 5), the others are the arrays
in it, which are neither copied where they are written nor where they are taken.
"""

from __future__ import annotations

import pickle
import struct
from types import MappingProxyType
from typing import IO, Any

from lib.core.curves.metric_curves import MetricCurve, RunCurves
from lib.data.folder.memory.texts import from_text, to_text
from lib.data.folder.reading import Curves
from lib.data.folder.units import FoundUnit

_NUMBER = struct.Struct("<Q")


class Lost(Exception):
    """The process ended before all of it came."""


def write(pipe: IO[bytes], found: FoundUnit, curves: Curves, cost_s: float) -> None:
    """Write what was read, and how much of a processor that took, in seconds. Nothing where JSON has no word for it."""
    text = to_text(found)
    if text is None:
        return
    buffers: list[pickle.PickleBuffer] = []
    plain = {tag: _plain(each) for tag, each in curves.items()}
    said = pickle.dumps((text, plain, cost_s), protocol=5, buffer_callback=buffers.append)
    pipe.write(_NUMBER.pack(1 + len(buffers)))
    for piece in (memoryview(said), *(buffer.raw() for buffer in buffers)):
        pipe.write(_NUMBER.pack(piece.nbytes))
        pipe.write(piece)
    pipe.flush()


def read(pipe: IO[bytes]) -> tuple[FoundUnit, Curves, float]:
    """What ``write`` wrote; only what a process of ours wrote may be read so.

    Raises:
        Lost: If it is not all there.
    """
    said, *buffers = (_taken(pipe, _number(pipe)) for _ in range(_number(pipe) or 1))
    text, plain, cost_s = pickle.loads(said, buffers=buffers)
    return from_text(text), {tag: _curves(*each) for tag, each in plain.items()}, cost_s


def _plain(run: RunCurves) -> tuple[Any, ...]:
    curves = {metric: (*each.columns, each.logged, each.lost, each.median) for metric, each in run.curves.items()}
    return run.run_id, curves, run.unread, run.rows, run.may_have_more


def _curves(run_id: str, curves: dict[str, tuple[Any, ...]], *rest: Any) -> RunCurves:
    made = {metric: MetricCurve(*each) for metric, each in curves.items()}
    return RunCurves(run_id, MappingProxyType(made), *rest)


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

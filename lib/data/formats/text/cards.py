"""Values that were printed in a box, one below the other, as Stable-Baselines3 does: each box is one line of a log."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

_ROW = re.compile(rb"\|[ ]{1,8}([^|\r\n]{1,80}?)[ ]{0,80}\|[ ]{0,80}([^|\r\n]{0,80}?)[ ]{0,80}\|[ ]*")
_EDGE = re.compile(rb"-{8,200}[ ]*")
_COUNTS = frozenset((b"total_timesteps", b"total timesteps", b"num_timesteps", b"timesteps", b"global_step"))
"""What a box counts by; one that has none of these is no part of a log."""
_MARK = b"\n| "
_WIDTH = 300
"""A longer line is no row of a box."""
_MOST = 200
"""A box of more rows is a table of something else."""


def without_cards(parts: Iterable[bytes]) -> Iterator[bytes]:
    """A text with each box as one line.

    Args:
        parts: Whole lines each.

    Yields:
        The same, but that a box which goes on in the next part is in that.
    """
    held = b""
    for part in parts:
        if not held and _MARK not in part:
            yield part
            continue
        text, held = _folded(held + part)
        if text:
            yield text
    if held:
        yield held


def _folded(text: bytes) -> tuple[bytes, bytes]:
    """The text with its boxes folded, and the beginning of one that has no end yet."""
    lines: list[bytes] = []
    box: list[bytes] = []
    for line in text.splitlines(keepends=True):
        bare = line.rstrip(b"\r\n")
        if len(box) < _MOST and len(bare) <= _WIDTH and _ROW.fullmatch(bare):
            box.append(line)
            continue
        if box and _EDGE.fullmatch(bare) and (one := _line_of(box)) is not None:
            lines.append(one)
        else:
            lines += box
        box = []
        lines.append(line)
    return b"".join(lines), b"".join(box)


def _line_of(box: Iterable[bytes]) -> bytes | None:
    """The values of a box behind its count; ``None`` where it has none."""
    section, step = b"", b""
    values: list[bytes] = []
    for line in box:
        found = _ROW.fullmatch(line.rstrip(b"\r\n"))
        assert found is not None
        name, value = found.groups()
        if not value:
            section = name if name.endswith(b"/") else b""
        elif name.rpartition(b"/")[2].lower() in _COUNTS:
            step = value
        else:
            values.append((name if b"/" in name else section + name) + b": " + value)
    return b"step " + step + b" | " + b" | ".join(values) + b"\n" if step.isdigit() and values else None

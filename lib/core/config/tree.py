"""A nested configuration as flat keys, and back.

A path is a tuple of mapping keys (text) and list indices (integers). As text it reads
``training.lora_config.r`` or ``datasets[0].path``; a dot, bracket or backslash that belongs to a key is
escaped with a backslash, so that the key ``a.b`` and the key ``b`` inside ``a`` stay two things.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

Path = tuple[str | int, ...]

_SCALARS = frozenset((str, int, float, bool, type(None)))
_CONTAINERS = (Mapping, list, tuple, set, frozenset, np.ndarray)
_SPECIAL = re.compile(r"[\\.\[]")
_TOKEN = re.compile(r"\[(\d+)\]|((?:\\.|[^\\.\[])*+)", re.DOTALL)


def join(prefix: str, segment: str | int, *, first: bool = False) -> str:
    r"""Append one segment to the text of a path.

    Args:
        prefix: The text of the path so far.
        segment: A mapping key, or the index of a list.
        first: True where ``segment`` is the first of its path.

    Example:
        >>> join("a", "b.c"), join("a", 0)
        ('a.b\\.c', 'a[0]')
    """
    if isinstance(segment, int):
        return f"{prefix}[{segment}]"
    escaped = _SPECIAL.sub(r"\\\g<0>", segment) if _SPECIAL.search(segment) else segment
    return escaped if first else f"{prefix}.{escaped}"


def encode(path: Path) -> str:
    r"""Write a path as text; ``decode`` gives it back. The first segment is a mapping key.

    Example:
        >>> encode(("datasets", 0, "path")), encode(("a.b",))
        ('datasets[0].path', 'a\\.b')
    """
    written = ""
    for position, segment in enumerate(path):
        written = join(written, segment, first=position == 0)
    return written


def decode(key: str) -> Path:
    r"""Read the text of a path.

    Raises:
        ValueError: If ``key`` is not the text of a path.

    Example:
        >>> decode(r"a\.b[0].c")
        ('a.b', 0, 'c')
    """
    path: list[str | int] = []
    position = 0
    expects_name = True
    while expects_name or position < len(key):
        if not expects_name and key[position] == ".":
            position += 1
            expects_name = True
        found = None if expects_name and key[position : position + 1] == "[" else _TOKEN.match(key, position)
        if expects_name:
            name = found.group(2) if found else ""
            path.append(re.sub(r"\\(.)", r"\1", name, flags=re.DOTALL))
        elif found and found.group(1):
            path.append(int(found.group(1)))
        else:
            raise ValueError(f"Expected a path such as a.b[0], got {key!r}.")
        position = found.end() if found else position
        expects_name = False
    return tuple(path)


def leaves(tree: Mapping[Any, Any]) -> Iterator[tuple[Path, Any, Any]]:
    """Yield the path, the value and the container of every leaf, in the order of the tree.

    A leaf is a scalar, a list of scalars (given as a tuple) or an empty container. A list that contains a
    container is walked by index. Mapping keys become text, as in JSON. Neither depth nor size is limited.
    """
    stack: list[tuple[Path, Any, Any]] = [((), tree, None)]
    while stack:
        path, value, container = stack.pop()
        if type(value) not in _SCALARS:
            if isinstance(value, Mapping) and value:
                stack.extend(((*path, str(key)), value[key], value) for key in reversed(list(value)))
                continue
            value = _as_list(value)
            if isinstance(value, list | tuple):
                if any(type(item) not in _SCALARS and isinstance(item, _CONTAINERS) for item in value):
                    last = len(value) - 1
                    stack.extend(((*path, index), value[index], value) for index in range(last, -1, -1))
                    continue
                value = tuple(item.item() if isinstance(item, np.generic) else item for item in value)
        if path:
            yield path, value, container


def _as_list(value: Any) -> Any:
    """Numpy's values and sets as what JSON has for them; anything else as it is."""
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    return sorted(value, key=repr) if isinstance(value, set | frozenset) else value

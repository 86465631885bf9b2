"""A nested configuration as flat keys.

A path is a tuple of mapping keys (text) and list indices (integers). As text it reads
``training.lora_config.r`` or ``datasets[0].path``; a dot, bracket or backslash that belongs to a key is
escaped with a backslash, so that the key ``a.b`` and the key ``b`` inside ``a`` stay two things.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import reduce
from typing import Any

import numpy as np

from lib.core.facts.foreign import legible

Path = tuple[str | int, ...]

_SCALARS = frozenset((str, int, float, bool, type(None)))
_CONTAINERS = (Mapping, list, tuple, set, frozenset, np.ndarray)
_SPECIAL = re.compile(r"[\\.\[]")


def join(prefix: str, segment: str | int) -> str:
    r"""Append a mapping key, or the index of a list, to the text of a path.

    Example:
        >>> join("a", "b.c"), join("a", 0)
        ('a.b\\.c', 'a[0]')
    """
    if isinstance(segment, int):
        return f"{prefix}[{segment}]"
    if _SPECIAL.search(segment):
        segment = _SPECIAL.sub(r"\\\g<0>", segment)
    return f"{prefix}.{legible(segment)}"


def encode(path: Path) -> str:
    r"""Write a path as text; two paths that begin with a mapping key are never the same text.

    Example:
        >>> encode(("datasets", 0, "path")), encode(("a.b",))
        ('datasets[0].path', 'a\\.b')
    """
    return reduce(join, path, "").removeprefix(".")


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

"""What names of folders and files say: a run's name and its identity, and what a file is."""

from __future__ import annotations

import hashlib
import os
import re
from collections import Counter
from collections.abc import Iterable, Sequence

from lib.core.facts.credentials import redact, redact_path
from lib.core.facts.foreign import isolated
from lib.data.formats.logged import Folder

LONGEST_KIND = 12
"""A longer end of a name is part of the name."""
MAX_ID_LENGTH = 60
"""Five ids must fit into a link that people paste."""


def readable(name: str) -> str:
    """The name of a file or folder as text: bytes that are no text are written out in hexadecimal."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def run_id_of(folder: Sequence[str]) -> str:
    """Return the identity of the run in a folder, given by its path below the root.

    Only letters, digits, "_", "." and "-" occur, so that an id can stand in a link as it is. Where
    something else had to be replaced, or cut, the first digits of the path's SHA-256 keep ids apart.

    Example:
        >>> run_id_of(["run1"]), run_id_of(["old", "8 3e-5"]), run_id_of([])
        ('run1', 'old-8-3e-5-39b94ac7', '.')
    """
    path = "/".join(folder) or "."
    # It stands in links: what looks like a credential is left out of it.
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", redact(path))
    if plain == path and len(path) <= MAX_ID_LENGTH:
        return path
    digest = hashlib.sha256(path.encode("utf-8", "surrogateescape")).hexdigest()[:8]
    return f"{plain[-(MAX_ID_LENGTH - 9) :].strip('-')}-{digest}"


def telling_names(folders: Iterable[tuple[str, ...]]) -> dict[tuple[str, ...], str]:
    """Name each folder by the fewest of its last parts that tell it from all others.

    Last parts that all have in common ("output") tell nothing and are left out.

    Example:
        >>> telling_names([("x", "a", "out"), ("x", "b", "out"), ("y", "b", "out")]).values()
        dict_values(['a', 'x/b', 'y/b'])
    """
    paths = list(folders)
    shared = 0
    if len(paths) > 1:
        shortest = min(len(path) for path in paths)
        while shared < shortest - 1 and len({path[-1 - shared] for path in paths}) == 1:
            shared += 1
    telling = [path[: len(path) - shared] for path in paths]
    ends = Counter(path[-count:] for path in telling for count in range(1, len(path) + 1))
    names = {}
    for whole_path, path in zip(paths, telling, strict=True):
        counts = range(1, len(path) + 1)
        count = next((count for count in counts if ends[path[-count:]] == 1), len(path))
        # Some credentials are known by what stands before them in the path: of its end alone they would not be.
        names[whole_path] = "/".join(redact_path(readable("/".join(path))).split("/")[-count:])
    return names


def path_text(folder: Folder, name: str = "") -> str:
    """A path below the root for people to read."""
    return isolated(readable("/".join((*folder, name) if name else folder))) or "."


def kind_of(name: str) -> str:
    """The end of a name that tells what a file is; "" where it has none, or one that is none."""
    end = os.path.splitext(name)[1].lower()
    return end if 1 < len(end) <= LONGEST_KIND and end.isascii() and end[1:].isalnum() else ""

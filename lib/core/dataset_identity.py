"""Whether two datasets are the same, by what they are called: yes, no, or cannot tell."""

from __future__ import annotations

import re

from lib.core.config_datasets import dataset_name, stem

_ID = re.compile(
    r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|(?<![a-z0-9])(?=[a-f]*\d)[0-9a-f]{16,}(?![a-z0-9])|\d{8,}",
    re.IGNORECASE,
)


def same_dataset(first: object, second: object) -> bool | None:
    """Compare two datasets as they were stated.

    ======================================= ==========================================================
    True                                    the whole paths or ids are equal; of lists, in any order
    False                                   their names differ, ids and extensions of files left out
    None                                    one is not recorded; only the names are equal (under other
                                            ids, folders or owners); a name is nothing but an id
    ======================================= ==========================================================

    Example:
        >>> same_dataset("a/1/chat.jsonl", "b/2/chat.jsonl"), same_dataset("chat.jsonl", "code.jsonl")
        (None, False)
    """
    one, other = _parts(first), _parts(second)
    if not one or not other:
        return None
    if set(one) == set(other):
        return True
    names = {_name(part) for part in one}, {_name(part) for part in other}
    if "" in names[0] | names[1]:
        return None
    return None if names[0] == names[1] else False


def shown_dataset(value: object) -> str:
    """A dataset's name, or the names of several."""
    return " + ".join(dataset_name(part) for part in _parts(value))


def _parts(value: object) -> tuple[str, ...]:
    items = value if isinstance(value, list | tuple) else (value,)
    # A trailing slash or another separator makes no other dataset.
    paths = (str(item).strip().replace("\\", "/").rstrip("/") for item in items if item is not None)
    return tuple(path for path in paths if path)


def _name(path: str) -> str:
    """The name without owner, ids and extensions, in lower case; "" where nothing is left of it."""
    name = dataset_name(path)
    if name == path and path.count("/") == 1:
        # The id of a dataset hub: another owner may hold a copy.
        name = path.split("/")[1]
    return re.sub(r"[\W_]+", " ", _ID.sub("", stem(name))).strip().casefold()

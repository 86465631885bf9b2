"""What a dataset is called, out of the path or id it was read from, and whether two of them are the same.

Storage keys carry folders and ids that are new for every upload: they say where the data lay, not what
the data are.
"""

from __future__ import annotations

import re

_UUID = r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}"
_VOLATILE = re.compile(rf"{_UUID}|[0-9a-f]{{16,}}|[\d_.:T-]{{8,}}Z?", re.IGNORECASE)
# What was taken is not tried otherwise: a long row of digits could be cut into numbers in any way.
_GENERIC = re.compile(
    r"(?:train(?:ing)?|test|eval(?:uation)?|val(?:id(?:ation)?)?|dev|data(?:set)?|default|output|final|file|main|all"
    r"|part|shard|sft|dpo)(?:[-_]?(?:data(?:set)?|set|split|file|\d[\d_-]*+|of))*+",
    re.IGNORECASE,
)
_FOLDERS = {"data", "dataset", "datasets", "upload", "uploads", "input", "inputs", "files", "storage", "train"}
_ID = re.compile(rf"{_UUID}|(?<![a-z0-9])(?=[a-f]*\d)[0-9a-f]{{16,}}(?![a-z0-9])|\d{{8,}}", re.IGNORECASE)
_EXTENSION = re.compile(r"\.(?:jsonl?|csv|tsv|parquet|arrow|txt|ya?ml|zip|gz|zst|bin)$", re.IGNORECASE)


def dataset_name(path: str) -> str:
    """Return the part of a dataset's path that tells it from others.

    That is the last part; with the folder before it where the last part says nothing ("train.jsonl"),
    skipping folders that are ids or dates. The id of a dataset hub ("owner/name") stays whole.

    Example:
        >>> dataset_name("uploads/5f3a9c1e-0000-4000-8000-00000000abcd/alpaca.jsonl")
        'alpaca.jsonl'
        >>> dataset_name("/data/alpaca/train.jsonl"), dataset_name("tatsu-lab/alpaca")
        ('alpaca/train.jsonl', 'tatsu-lab/alpaca')
    """
    parts = [part for part in path.replace("\\", "/").split("/") if part]
    if not parts:
        return path
    *folders, last = parts
    if _is_hub_id(path, folders, last):
        return path
    if not _GENERIC.fullmatch(stem(last)):
        return last
    # A scheme or a drive ("s3:", "C:") is not a folder's name.
    named = [folder for folder in folders if not _VOLATILE.fullmatch(folder) and not folder.endswith(":")]
    return f"{named[-1]}/{last}" if named else last


def stem(name: str) -> str:
    """Return a file name without the extensions of data files.

    Example:
        >>> stem("alpaca.jsonl.gz"), stem("llama-3.1")
        ('alpaca', 'llama-3.1')
    """
    while (shorter := _EXTENSION.sub("", name)) != name:
        name = shorter
    return name


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


def _is_hub_id(path: str, folders: list[str], last: str) -> bool:
    if len(folders) != 1 or path.startswith(("/", ".", "~")) or "\\" in path or ":" in folders[0]:
        return False
    named = not _VOLATILE.fullmatch(folders[0]) and folders[0].lower() not in _FOLDERS
    return named and stem(last) == last


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

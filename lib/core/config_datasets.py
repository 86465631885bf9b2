"""What a dataset is called, out of the path or id it was read from.

Storage keys carry folders and ids that are new for every upload: they say where the data lay, not what
the data are.
"""

from __future__ import annotations

import re

_VOLATILE = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|[0-9a-f]{16,}|[\d_.:T-]{8,}Z?", re.IGNORECASE)
_GENERIC = re.compile(
    r"(?:train(?:ing)?|test|eval(?:uation)?|val(?:id(?:ation)?)?|dev|data(?:set)?|default|output|final|file|main|all"
    r"|part|shard|sft|dpo)(?:[-_]?(?:data(?:set)?|set|split|file|\d[\d_-]*|of|\d+))*",
    re.IGNORECASE,
)
_FOLDERS = {"data", "dataset", "datasets", "upload", "uploads", "input", "inputs", "files", "storage", "train"}
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


def dataset_folder(path: str) -> str | None:
    """Return the whole path where ``dataset_name`` leaves a part of it out, else ``None``."""
    return path if dataset_name(path) != path else None


def stem(name: str) -> str:
    """Return a file name without the extensions of data files.

    Example:
        >>> stem("alpaca.jsonl.gz"), stem("llama-3.1")
        ('alpaca', 'llama-3.1')
    """
    while (shorter := _EXTENSION.sub("", name)) != name:
        name = shorter
    return name


def _is_hub_id(path: str, folders: list[str], last: str) -> bool:
    if len(folders) != 1 or path.startswith(("/", ".", "~")) or "\\" in path or ":" in folders[0]:
        return False
    named = not _VOLATILE.fullmatch(folders[0]) and folders[0].lower() not in _FOLDERS
    return named and stem(last) == last

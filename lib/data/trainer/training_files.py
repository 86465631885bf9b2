"""Reading the JSON and YAML files that a training leaves.

Nothing else is read. ``training_args.bin`` is a pickle, which runs code when opened, and is never touched.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import translate
from pathlib import Path
from typing import Any

from lib.data.formats.files import NotReadable, read_bytes
from lib.data.formats.safe_yaml import MOST_BYTES, load_yaml
from lib.data.stated.settings import MANIFEST_PATTERN, RESULT_FILES, SECTION_OF_FILE

MAX_FILE_BYTES = 512 * 2**20
"""Larger files are named as unreadable: parsed JSON takes about ten times its size in memory."""
MAX_NESTING = 40
"""Side files nested deeper than this hold no hyperparameters and would break whoever walks them."""
_MANIFEST = re.compile(translate(MANIFEST_PATTERN))
LFS_POINTER = "version https://git-lfs"
_ONLY_POINTER = "The file is only a Git LFS pointer: its content was not fetched (git lfs pull)."


@dataclass(frozen=True, slots=True)
class JsonFile:
    """A file that was read. ``digest`` is equal for equal bytes."""

    content: Mapping[str, Any]
    digest: str


@dataclass(frozen=True, slots=True)
class Unread:
    """A file that could not be read, and why. ``transient``: not for its content, so worth another try."""

    reason: str
    transient: bool = False


def read_json(path: Path) -> JsonFile | Unread:
    """Read one JSON object; whatever the file holds, the answer is its object or a sentence, no exception."""
    data = read_data(path)
    return data if isinstance(data, Unread) else parse_json(data)


def read_data(path: Path, most: int = MAX_FILE_BYTES) -> bytes | Unread:
    """The content of a file of at most so many bytes, or why it cannot be had."""
    try:
        return read_bytes(path, most)
    except NotReadable as error:
        return Unread(str(error), transient=isinstance(error.__cause__, OSError))


def parse_json(data: bytes) -> JsonFile | Unread:
    """The JSON object that the bytes of a file are, or why they are none."""
    import orjson

    try:
        # Four times as fast as what reads NaN, stray bytes and halves of surrogate pairs too.
        quick = orjson.loads(data)
    except orjson.JSONDecodeError:
        quick = None
    return JsonFile(quick, hashlib.sha256(data).hexdigest()) if isinstance(quick, dict) else _parse_any(data)


def _parse_any(data: bytes) -> JsonFile | Unread:
    # A stray byte in a label must not take the numbers down with it.
    written = data.decode("utf-8-sig", errors="replace")
    if written.startswith(LFS_POINTER):
        return Unread(_ONLY_POINTER)
    if not written.strip():
        return Unread("The file is empty.")
    try:
        content = json.loads(written)
        if "\\ud" in written or "\\uD" in written:
            # Half a surrogate pair is valid JSON, and no text that can be stored or sent.
            content = json.loads(json.dumps(content, ensure_ascii=False).encode("utf-8", "replace"))
    except json.JSONDecodeError as error:
        return Unread(f"The file is not valid JSON: {error.msg} (line {error.lineno}).")
    except ValueError as error:
        return Unread(f"The file is not valid JSON: {error}.")
    except (RecursionError, MemoryError):
        return Unread("The file is nested too deeply, or too large, to be read.")
    if not isinstance(content, dict):
        return Unread(f"Expected a JSON object, found {_KINDS.get(type(content), 'a number')}.")
    return JsonFile(content, hashlib.sha256(data).hexdigest())


_KINDS = {list: "a list", str: "a text", type(None): "null", bool: "true or false"}


def is_side_file(name: str) -> bool:
    """Tell whether a file of this name may state hyperparameters or results of the run beside it."""
    return name in SECTION_OF_FILE or name in RESULT_FILES or _MANIFEST.match(name) is not None


def is_yaml(name: str) -> bool:
    """Tell whether a file of this name is read as YAML."""
    return name.endswith((".yaml", ".yml"))


def read_side_file(path: Path) -> JsonFile | Unread:
    """As ``read_json``, for files whose whole content is kept, of JSON or YAML."""
    read = _read_yaml(path) if is_yaml(path.name) else read_json(path)
    if isinstance(read, JsonFile) and _nesting_exceeds(read.content, MAX_NESTING):
        return Unread(f"The file is nested more than {MAX_NESTING} levels deep.")
    return read


def _read_yaml(path: Path) -> JsonFile | Unread:
    """The settings of a YAML file; none where it is a tracker's, whose own reader knows what it means."""
    data = read_data(path, MOST_BYTES)
    if isinstance(data, Unread):
        return data
    if data.startswith(LFS_POINTER.encode()):
        return Unread(_ONLY_POINTER)
    try:
        content = load_yaml(data)
    except NotReadable as error:
        return Unread(str(error))
    if content is None:
        content = {}
    if not isinstance(content, dict):
        return Unread(f"Expected settings by name, found {_KINDS.get(type(content), 'a number')}.")
    # W&B and SwanLab put each value into a mapping of its own, with what is said of it.
    is_of_tracker = bool(content) and all(isinstance(each, dict) and "value" in each for each in content.values())
    return JsonFile({} if is_of_tracker else content, hashlib.sha256(data).hexdigest())


def _nesting_exceeds(value: Any, limit: int) -> bool:
    level = [value]
    for _ in range(limit):
        inner: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                inner.extend(item.values())
            elif isinstance(item, list):
                inner.extend(item)
        level = inner
    return bool(level)

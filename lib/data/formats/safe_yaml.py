"""YAML that somebody else wrote, as plain values: nothing that a file names is ever constructed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from lib.data.formats.files import NotReadable, read_bytes

MOST_BYTES = 4 * 2**20
"""A configuration has kilobytes; one of this size is read in seconds."""
MOST_NODES = 200_000
"""Values with all that aliases repeat: a few lines of aliases of aliases stand for billions."""
MOST_DEPTH = 64
"""Deeper than any configuration, and far from where a walk over the result would run out of stack."""

_MOST_DIGITS = 400
"""No double has more before its dot, and Python makes no text of integers of many thousands."""

_PREFIX = "tag:yaml.org,2002:"
_MERGE = _PREFIX + "merge"
_NAMED = re.compile(r"tag:yaml\.org,2002:python/[a-z/]+:(.+)")
# Programs that write YAML 1.2 (W&B's newer ones) leave out the dot and the sign that YAML 1.1 wants.
# A second way to part the same digits would take the square of their number.
_FLOAT = re.compile(r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)[eE][-+]?\d+")


def load_yaml(content: bytes) -> Any:
    r"""The first document of a YAML file: dicts, lists, texts, numbers, booleans and ``None``.

    Values with a tag of some program become what stands below the tag, and a tag that is all there is
    (``!!python/name:torch.float16 ''``) the name in it. Keys are texts as they are written; of equal keys the last
    wins. Dates, and numbers with colons, stay text. What an alias names is the same object, not a copy.

    Raises:
        NotReadable: If it is no YAML, too large, too deep, or repeats itself by aliases beyond all measure.

    Example:
        >>> load_yaml(b"lr: 1e-4\nwhen: 2026-01-02\ndtype: !!python/name:torch.half ''\nsize: !!python/tuple [1, 2]")
        {'lr': 0.0001, 'when': '2026-01-02', 'dtype': 'torch.half', 'size': [1, 2]}
    """
    import yaml

    if len(content) > MOST_BYTES:
        raise NotReadable(f"The YAML has more than {MOST_BYTES // 2**20} MB; no configuration is that large.")
    # The parser in C reads what the one in Python does, ten times as fast.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(content)
    try:
        return _Builder(loader).document()
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f" in line {mark.line + 1}" if mark is not None else ""
        raise NotReadable(f"Expected YAML, found a mistake{place}.") from error
    except (UnicodeError, ValueError, OverflowError) as error:
        raise NotReadable("Expected YAML, found what is no text.") from error
    finally:
        loader.dispose()


def settings_of(path: Path, section: str) -> dict[str, Any]:
    """The settings in a YAML file as one section of a configuration; empty where it has none.

    Raises:
        NotReadable: If it is no YAML.
    """
    found = load_yaml(read_bytes(path, MOST_BYTES))
    return {section: found} if isinstance(found, dict) and found else {}


class _Open:
    """A list or a mapping that is being read."""

    __slots__ = ("anchor", "has_key", "key", "merged", "merges", "nodes", "value")

    def __init__(self, value: list[Any] | dict[str, Any], anchor: str | None) -> None:
        self.value = value
        self.anchor = anchor
        self.key = ""
        self.has_key = False
        self.merges = False
        self.merged: list[Any] = []
        self.nodes = 1

    def take(self, item: Any, text: str, nodes: int, is_merge: bool) -> None:
        """Put in the next value, or of a mapping the next key.

        Args:
            item: The value.
            text: The same as a key.
            nodes: How many values it stands for.
            is_merge: It is ``<<``, not quoted.
        """
        self.nodes += nodes
        if isinstance(self.value, list):
            self.value.append(item)
        elif not self.has_key:
            self.key, self.has_key, self.merges = text, True, is_merge
        else:
            if self.merges:
                self.merged += item if isinstance(item, list) else [item]
            else:
                self.value[self.key] = item
            self.has_key = False

    def finished(self) -> list[Any] | dict[str, Any]:
        """The whole: what it says itself wins over what it merges, and the first of those over the others."""
        if isinstance(self.value, dict):
            for each in self.merged:
                if isinstance(each, dict):
                    for key, value in each.items():
                        self.value.setdefault(key, value)
        return self.value


class _Builder:
    """Values of a parser's events, without recursion."""

    def __init__(self, loader: Any) -> None:
        self._loader = loader
        self._open: list[_Open] = []
        self._known: dict[str, tuple[Any, int]] = {}
        self._result: Any = None

    def document(self) -> Any:
        import yaml

        while True:
            event = self._loader.get_event()
            if event is None or isinstance(event, yaml.DocumentEndEvent | yaml.StreamEndEvent):
                return self._result
            if isinstance(event, yaml.ScalarEvent):
                value, is_merge = self._scalar(event)
                self._put(value, event.value, 1, event.anchor, is_merge)
            elif isinstance(event, yaml.AliasEvent):
                if event.anchor not in self._known:
                    raise NotReadable("The YAML has an alias to what is not there, or to what it stands in.")
                value, nodes = self._known[event.anchor]
                self._put(value, _as_key(value), nodes, None, False)
            elif isinstance(event, yaml.SequenceStartEvent | yaml.MappingStartEvent):
                if len(self._open) >= MOST_DEPTH:
                    raise NotReadable(f"The YAML is nested more than {MOST_DEPTH} levels deep.")
                self._open.append(_Open([] if isinstance(event, yaml.SequenceStartEvent) else {}, event.anchor))
                if event.anchor:
                    self._known.pop(event.anchor, None)
            elif isinstance(event, yaml.SequenceEndEvent | yaml.MappingEndEvent):
                done = self._open.pop()
                value = done.finished()
                self._put(value, _as_key(value), done.nodes, done.anchor, False)

    def _put(self, value: Any, text: str, nodes: int, anchor: str | None, is_merge: bool) -> None:
        # Also of what is not closed yet: to merge costs as much as what is merged.
        if (self._open[-1].nodes if self._open else 0) + nodes > MOST_NODES:
            raise NotReadable(f"The YAML stands for more than {MOST_NODES:,} values.")
        if anchor:
            self._known[anchor] = (value, nodes)
        if self._open:
            self._open[-1].take(value, text, nodes, is_merge)
        else:
            self._result = value

    def _scalar(self, event: Any) -> tuple[Any, bool]:
        """A value that is no list and no mapping, and whether it is a plain ``<<``."""
        import yaml

        text = event.value
        tag = event.tag
        if tag is None or tag == "!":
            tag = self._loader.resolve(yaml.ScalarNode, text, event.implicit)
        if tag == _MERGE:
            return text, event.implicit[0]
        if not text and (named := _NAMED.fullmatch(tag)):
            return named[1], False
        if event.tag is None and event.implicit[0] and _FLOAT.fullmatch(text):
            # What is too large for a number is no number: the short name of a commit looks like 12e4567.
            value = float(text)
            return (value if abs(value) != float("inf") else text), False
        return _plain(tag.removeprefix(_PREFIX), text), False


def _plain(kind: str, text: str) -> Any:
    """A scalar as what its tag says it is; its text where that says nothing to us, or is not true."""
    lower = text.lower().replace("_", "")
    if len(lower) > _MOST_DIGITS:
        return text
    try:
        if kind == "null":
            return None
        if kind == "bool":
            return {"yes": True, "true": True, "on": True, "no": False, "false": False, "off": False}.get(lower, text)
        if kind == "float":
            return float(lower.replace(".inf", "inf").replace(".nan", "nan"))
        if kind == "int":
            octal = re.fullmatch(r"[-+]?0[0-7]+", lower)
            return int(lower, 8) if octal else int(lower, 0)
    except ValueError:
        pass
    return text


def _as_key(value: Any) -> str:
    """What is no text, as a key: ``? [1, 2]`` becomes "1, 2"."""
    if isinstance(value, list):
        return ", ".join(str(each) for each in value[:16] if not isinstance(each, list | dict))
    return "" if isinstance(value, dict) else str(value)

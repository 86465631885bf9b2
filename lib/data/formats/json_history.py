"""A long list of rows in a JSON file, read in parts, so that it is never in memory as objects all at once.

A file is cut where one row seems to end and the next to begin. That may be wrong, as within a text or an inner list.
But where each part by itself is a list's content, and the rest of the file without them is an object, then all of it
is what the whole would have been: JSON has one reading. Where one of them is not, the file is read as a whole.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

PART = 2 * 2**20
_TRIES = 20
"""So many places are tried where a part may end; wrong ones are as rare as texts of braces, or lists within a row."""
_LEAST = 4 * PART
"""Smaller files are read as they are."""
_BETWEEN = re.compile(rb"\}[ \t\r\n]{0,40},[ \t\r\n]{0,40}\{")
_MARK = b'"\\u0000the rows stood here\\u0000"'
# JSON has no words for these, and the Trainer writes them; as texts they are read as the numbers that they are.
_WORDS = (b"NaN", b"Infinity", b"-Infinity")


class History:
    """The rows below one key of a JSON object, and the object without them.

    Iterate over it first: ``rest`` is the object, with an empty list in their place, as soon as that is through.
    """

    def __init__(self, data: bytes, key: str) -> None:
        self.data, self.key = data, key
        self.rest: dict[str, Any] = {}

    def parts(self) -> Iterator[list[Any]]:
        """The rows, some thousands at a time.

        Raises:
            ValueError: If the file cannot be read in parts: then nothing of what was given may be used.
        """
        if len(self.data) < _LEAST:
            raise ValueError("It is short.")
        found = re.search(rb'"' + re.escape(self.key.encode()) + rb'"[ \t\r\n]{0,40}:[ \t\r\n]{0,40}\[', self.data)
        if found is None:
            raise ValueError("It has no long list.")
        begin = place = found.end()
        while (cut := self._part(place)) is not None:
            rows, place = cut
            yield rows
        if len(self.data) - place > 8 * PART:
            raise ValueError("Its rows have no regular ends.")
        tail = self.data[place:].decode("utf-8", errors="replace")
        last, end = json.JSONDecoder().raw_decode("[" + tail)
        if not isinstance(last, list):
            raise ValueError("It is no list.")
        yield last
        head = self.data[: begin - 1].decode("utf-8-sig", errors="replace")
        rest = json.loads(head + _MARK.decode() + tail[end - 1 :])
        if not isinstance(rest, dict) or rest.get(self.key) != json.loads(_MARK):
            raise ValueError("The list stands elsewhere.")
        rest[self.key] = []
        self.rest = rest

    def _part(self, place: int) -> tuple[list[Any], int] | None:
        """The rows from a place on to one where a row begins, and that place; ``None`` where the list ends before."""
        begin = place + PART
        for _ in range(_TRIES):
            cut = _BETWEEN.search(self.data, begin, place + 4 * PART)
            if cut is None:
                return None
            comma = self.data.index(b",", cut.start())
            try:
                return _rows(self.data[place:comma]), comma + 1
            except json.JSONDecodeError:
                begin = comma
        return None


def _rows(part: bytes) -> list[Any]:
    import orjson

    text = b"[" + part + b"]"
    try:
        return list(orjson.loads(text))
    except orjson.JSONDecodeError:
        pass
    try:
        return list(orjson.loads(_quoted(text)))
    except orjson.JSONDecodeError:
        if b"\\ud" in text or b"\\uD" in text:
            raise ValueError("It has half a surrogate pair.") from None
        return list(json.loads(text.decode("utf-8", errors="replace")))


def _quoted(text: bytes) -> bytes:
    """Numbers that JSON does not know as texts. In a text this ends the text, and what follows is no JSON."""
    for space in (b": ", b":"):
        for word in _WORDS:
            text = text.replace(space + word, b':"' + word + b'"')
    return text

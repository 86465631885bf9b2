"""Large JSON answers, made small before they are read: what has more values than anybody looks at is cut out.

To make a Python object of each value takes a tenth of a microsecond, in which nothing else of the process runs. So the
values of what is large are counted among its bytes first, in arrays. And each pass over an enormous text takes a while,
of which a dozen are made until a row is a run: but for its beginning and its fingerprint it is left where it is.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lib.core.facts.sizes import DEEPEST, LONGEST_VALUE, Cut

LARGE = 2 * 2**20
"""In bytes: in less is nothing that takes long to read."""
MOST_VALUES = 500_000
"""Values of one column, or of one section of it, that are read: no vocabulary is as large. It takes 0.2 s."""

LONG_TEXT = 2**20
"""Bytes without a quote: what is longer is a text of which nobody reads the rest, or has no texts in it."""
MOST_QUOTES = 200
"""So many quotes inside of a text are passed over to find its end: in what is full of them a pass is no faster."""

_CHUNK = 4 * 2**20
"""Bytes that are looked at together: some ten times as much memory is needed for them."""
_CONFIG = re.compile(rb'"config"\s*:\s*"\Z')
_NO_BACKSLASH = re.compile(rb"[^\\]")
_QUOTE, _BACKSLASH = b'"\\'
NONE, UNKNOWN = -1, -2
"""Of a place in bytes."""
_LONGEST_CHARACTER = 6
"""Bytes that JSON may write for one: more than UTF-8 does."""
_DEEPER = np.zeros(256, np.int8)
_DEEPER[list(b"[{")] = 1
_DEEPER[list(b"]}")] = -1
_IS_MARK = _DEEPER != 0
_IS_MARK[ord(",")] = True


class Shortened:
    """An answer without what is too large in it.

    Args:
        body: JSON.
        level: How many arrays and objects stand around a value: two around that of a column in an array of rows.
        texts: Cut long texts out too.

    Attributes:
        body: The same, with a short text in the place of what was cut out.
        has_texts: Long texts were cut out. It is no JSON any more where that was no text, which is not looked at.
    """

    def __init__(self, body: bytes, level: int, *, texts: bool = False) -> None:
        self.body = body
        self._level = level
        self._cuts: dict[str, Cut] = {}
        if texts and len(body) >= LARGE:
            self._cut_texts()
        self.has_texts = bool(self._cuts)
        body = self.body
        # Many more bytes than marks are one long text.
        if len(body) < LARGE or sum(map(body.count, (b",", b"[", b"{"))) <= MOST_VALUES:
            return
        mark, end = secrets.token_hex(16), 0
        kept: list[bytes] = []
        for first, last, count in _too_large(body, level):
            name = f"{mark}{len(self._cuts)}"
            what = f"{count:,} values in {(last - first) / 1e6:,.1f} MB, of at most {MOST_VALUES:,}"
            self._cuts[name] = Cut("…", what, body[first:last])
            kept += (body[end:first], b'"', name.encode(), b'"')
            end = last
        if kept:
            self.body = b"".join((*kept, body[end:]))

    def told(self, value: Any) -> Any:
        """What was read of it, which is changed, with what says how much was cut out in the place of that."""
        if not self._cuts:
            return value
        # A text may stand anywhere.
        return self._told(value, self._level + (DEEPEST if self.has_texts else 1))

    def _cut_texts(self) -> None:
        mark, end = secrets.token_hex(16), 0
        kept: list[bytes] = []
        for first, last in _long_texts(self.body):
            name = f"{mark}t{len(self._cuts)}"
            self._cuts[name] = _cut_text(self.body, first, last)
            kept += (self.body[end:first], name.encode())
            end = last
        if kept:
            self.body = b"".join((*kept, self.body[end:]))

    def _told(self, value: Any, depth: int) -> Any:
        if isinstance(value, str):
            return self._cuts.get(value, value)
        if depth and isinstance(value, dict):
            told = {self._cuts.get(key, key): self._told(item, depth - 1) for key, item in value.items()}
            value.clear()
            value.update(told)
        elif depth and isinstance(value, list):
            value[:] = [self._told(item, depth - 1) for item in value]
        return value


def _long_texts(body: bytes) -> Iterator[tuple[int, int]]:
    """Where what stands between two quotes begins and ends, where that is long, in order."""
    at = 0
    while at + LONG_TEXT < len(body):
        # From the far end of what would be too short: a few looks are enough for all of an answer.
        quote = _quote_before(body, at, at + LONG_TEXT)
        if quote >= at:
            at = quote + 1
            continue
        end = _quote_after(body, at + LONG_TEXT) if quote == NONE else NONE
        if end == NONE:
            return
        if not _is_document(body, at):
            yield at, end
        at = end + 1


def _is_document(body: bytes, at: int) -> bool:
    """Whether what begins there may be JSON itself, of which all is read: a configuration that is stored as text."""
    before = body[max(0, at - 50) : at]
    return bool(_CONFIG.search(before)) or (at < 50 and not before.strip(b'" \t\r\n'))


def _quote_before(body: bytes, first: int, last: int) -> int:
    """The last quote that begins or ends a text, ``NONE`` where there is no such one, or ``UNKNOWN``."""
    for _ in range(MOST_QUOTES):
        last = body.rfind(b'"', first, last)
        if last == NONE or not _is_escaped(body, last):
            return last
    return UNKNOWN


def _quote_after(body: bytes, first: int) -> int:
    """The first quote that begins or ends a text, or ``NONE`` where none is found."""
    for _ in range(MOST_QUOTES):
        found = body.find(b'"', first)
        if found == NONE or not _is_escaped(body, found):
            return found
        first = found + 1
    return NONE


def _is_escaped(body: bytes, at: int) -> bool:
    # Of a thousand it is not worth knowing: where this is wrong, what is left is no JSON.
    before = body[max(0, at - 1000) : at]
    return bool((len(before) - len(before.rstrip(b"\\"))) % 2)


def _cut_text(body: bytes, first: int, last: int) -> Cut:
    """What is kept of a text: its beginning, and what tells it from others."""
    seen = hashlib.sha256(memoryview(body)[first:last]).digest()
    written = body[first : min(last, first + _LONGEST_CHARACTER * LONGEST_VALUE)].decode("utf-8", "replace")
    size = f"{(last - first) / 1e6:,.1f} MB"
    return Cut(f"{_beginning(written)}… (the beginning of {size})", f"a text of {size}", seen)


def _beginning(written: str) -> str:
    """The characters that the beginning of a JSON text stands for."""
    for less in range(_LONGEST_CHARACTER):
        try:
            text: str = json.loads(f'"{written[: len(written) - less]}"', strict=False)
        except ValueError:
            # It ends inside of an escape.
            continue
        return text[:LONGEST_VALUE]
    return ""


def _too_large(body: bytes, level: int) -> Iterator[tuple[int, int, int]]:
    """Where what is to be cut out begins and ends, and how many values it has, in order.

    Of a value that is too large its own parts are cut out where each of them is, and else all of it.
    """
    outer, inner = _Spans(level + 1), _Spans(level + 2)
    for places, depths, deeper in _marks(body):
        outer.add(places, depths, deeper)
        inner.add(places, depths, deeper)
    at = 0
    for first, last, count in outer.large:
        parts = []
        while at < len(inner.large) and inner.large[at][0] < last:
            parts.append(inner.large[at])
            at += 1
        left = count - sum(each for _, _, each in parts)
        yield from parts if left <= MOST_VALUES else [(first, last, count)]


class _Spans:
    """Arrays and objects of one depth that have too many values, as the marks of a text come.

    Attributes:
        large: Where each begins and ends, and how many marks are in it.
    """

    def __init__(self, depth: int) -> None:
        self.large: list[tuple[int, int, int]] = []
        self._depth = depth
        self._seen = 0
        self._open: tuple[int, int] | None = None

    def add(self, places: NDArray[np.int64], depths: NDArray[np.int64], deeper: NDArray[np.int8]) -> None:
        """Take marks: where each stands, how deep it is after it, and whether it goes deeper (1) or comes back (-1)."""
        begins = np.flatnonzero((deeper > 0) & (depths == self._depth))
        ends = np.flatnonzero((deeper < 0) & (depths == self._depth - 1))
        starts = places[begins], self._seen + begins
        if self._open is not None:
            starts = np.concatenate(([self._open[0]], starts[0])), np.concatenate(([self._open[1]], starts[1]))
        whole = min(len(starts[0]), len(ends))
        counts = self._seen + ends[:whole] - starts[1][:whole]
        for each in np.flatnonzero(counts > MOST_VALUES):
            self.large.append((int(starts[0][each]), int(places[ends[each]]) + 1, int(counts[each])))
        self._open = (int(starts[0][whole]), int(starts[1][whole])) if len(starts[0]) > whole else None
        self._seen += len(places)


def _marks(body: bytes) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int8]]]:
    """Brackets, braces and commas outside of texts, some at a time."""
    whole = np.frombuffer(body, np.uint8)
    depth, in_text, start = 0, False, 0
    while start < len(whole):
        # Not between a backslash and what follows it.
        found = _NO_BACKSLASH.search(body, start + _CHUNK - 1)
        end = found.end() if found is not None else len(whole)
        part = whole[start:end]
        quotes = _quotes(part)
        inside = np.bitwise_xor.accumulate(quotes.view(np.uint8)).astype(bool) ^ in_text
        places = np.flatnonzero(_IS_MARK[part] & ~inside)
        deeper = _DEEPER[part[places]]
        depths = depth + np.cumsum(deeper, dtype=np.int64)
        yield places + start, depths, deeper
        in_text = bool(inside[-1])
        depth, start = int(depths[-1]) if len(depths) else depth, end


def _quotes(part: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Which bytes are quotes that begin or end a text."""
    quotes: NDArray[np.bool_] = part == _QUOTE
    slashes: NDArray[np.bool_] = part == _BACKSLASH
    if not slashes.any():
        return quotes
    after = np.flatnonzero(quotes[1:] & slashes[:-1]) + 1
    runs = np.flatnonzero(slashes & ~np.concatenate(([False], slashes[:-1])))
    lengths = after - runs[np.searchsorted(runs, after) - 1]
    quotes[after[lengths % 2 == 1]] = False
    return quotes

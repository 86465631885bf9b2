"""How much of what others wrote is kept: every limit on its size, and what is said where something was cut.

They are far above what trainings write. What is beyond them is a fault or an attack, and would cost every page seconds.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping
from typing import Any

LONGEST_NAME = 300
"""Characters of a name, a status, an id of another run."""
LONGEST_TEXT = 4_000
"""Characters of other text of a run: its error, paths, notes."""
LONGEST_ID = 200
"""Characters of a run's own id: it stands in links."""
MOST_METRICS = 400
"""Of one run. Nobody looks through more, and each costs every check a pass: a log of each layer has thousands."""
LONGEST_METRIC = 250
"""Characters of the name of a metric: MLflow allows so many."""
LONGEST_KEY = 200
"""Characters of a name inside a configuration."""
LONGEST_VALUE = 20_000
"""Characters of one value of a configuration: prompts and templates are whole."""
MOST_CHARACTERS = 2_000_000
"""Characters of all texts of a configuration."""
MOST_ITEMS = 1_000
"""Values of one section or list of a configuration: what comes behind a vocabulary is still seen."""
MOST_SETTINGS = 4_000
"""Values of a whole configuration, items of lists among them."""
DEEPEST = 40
"""Levels of a configuration that are looked into."""
MOST_DIGITS = 300
"""Digits of a whole number: a float holds no more."""
LARGEST_STEP = 2**53
"""Beyond it a float no longer knows every step."""
MOST_NOTES = 100
"""Notes of one run."""

LONGEST_LIST = 1_000
"""Runs that are listed at most; each is some elements of the page."""
LONGEST_SEARCH = 200
"""Characters of a text that is searched for: more make an address so long that gateways cut it off."""
LONGEST_PARAMETER = 300
"""Characters of one value of a link's parameter."""
MOST_OCCURRENCES = 200
"""How often a link may name a parameter that it can name several times."""
MOST_NAMED_CHARACTERS = 100
"""Characters of a link's value in a sentence about it."""


class Cut(str):
    """What is shown in the place of something too large; another one for anything else that was cut.

    Attributes:
        what: What was cut and how much there was, in words that go on from "cut: ".
    """

    __slots__ = ("_seen", "what")

    def __new__(cls, shown: str, what: str, whole: str | bytes = b"") -> Cut:
        made = super().__new__(cls, shown)
        made.what = what
        data = whole.encode("utf-8", "surrogatepass") if isinstance(whole, str) else whole
        made._seen = hashlib.blake2b(data, digest_size=8).hexdigest()
        return made

    what: str
    _seen: str

    def __repr__(self) -> str:
        return f"Cut({str(self)!r}, {self._seen})"

    def __reduce__(self) -> tuple[type[str], tuple[str]]:
        return str, (str(self),)


def whole_number(digits: str) -> int | Cut:
    """A whole number as JSON writes it; text that says how long it is where no number can hold it."""
    count = len(digits) - digits.startswith("-")
    if count <= MOST_DIGITS:
        return int(digits)
    return Cut(f"{digits[:20]}… ({count:,} digits)", f"a number of {count:,} digits", digits)


def decimal_number(written: str) -> float | Cut:
    """A number as JSON writes it; the text itself where no number can hold it."""
    value = float(written)
    return value if math.isfinite(value) else Cut(written[:30], f"the number {written[:30]}", written)


def plain_text(text: str) -> str:
    r"""Text that can be stored and sent: without halves of surrogate pairs and without NUL.

    Example:
        >>> plain_text("a\x00b"), plain_text("a\ud800b") == "a\ufffdb"
        ('a\ufffdb', True)
    """
    if text.isascii():
        return text if "\x00" not in text else text.replace("\x00", "\ufffd")
    try:
        text.encode()
    except UnicodeEncodeError:
        # Two halves beside each other are one character.
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text.replace("\x00", "\ufffd")


def cut_text(text: str, most: int) -> str:
    """At most so many characters of a text; an ellipsis says that there were more.

    Example:
        >>> cut_text("abcdef", 3), cut_text("abc", 3)
        ('abc…', 'abc')
    """
    return text if len(text) <= most else text[:most].rstrip() + "…"


class Bounded(dict[str, Any]):
    """A configuration within the limits. Nobody may change it.

    Attributes:
        notes: What was cut of it, in sentences.
    """

    __slots__ = ("notes",)

    def __init__(self, content: Mapping[Any, Any], notes: tuple[str, ...] = ()) -> None:
        super().__init__(content)
        self.notes = notes

    def __reduce__(self) -> tuple[type[Bounded], tuple[dict[str, Any], tuple[str, ...]]]:
        return Bounded, (dict(self), self.notes)


def bounded(content: Mapping[Any, Any], what: str) -> Bounded:
    """A configuration, or another nested column, within the limits; itself where it is.

    Args:
        content: Of JSON's kinds of values, however deep.
        what: What it is called in the notes.
    """
    if isinstance(content, Bounded):
        return content
    if _is_within(content, DEEPEST, [MOST_SETTINGS, MOST_CHARACTERS]):
        return Bounded(content)
    shears = _Shears()
    kept = shears.mapping(content, DEEPEST)
    return Bounded(kept, tuple(shears.said(what)))


def bounded_value(value: Any, what: str) -> tuple[Any, tuple[str, ...]]:
    """Any other value of JSON's kinds within the limits, and what was cut of it, in sentences."""
    if _is_within(value, DEEPEST, [MOST_SETTINGS, MOST_CHARACTERS]):
        return value, ()
    shears = _Shears()
    kept = shears.value(value, DEEPEST)
    return kept, tuple(shears.said(what))


def _is_within(value: Any, depth: int, left: list[int]) -> bool:
    kind = type(value)
    if kind is str:
        left[1] -= len(value)
        return len(value) <= LONGEST_VALUE and left[1] >= 0 and value.isascii() and "\x00" not in value
    if kind is int:
        return bool(-(10**15) < value < 10**15)
    if isinstance(value, Mapping):
        left[0] -= len(value)
        if left[0] < 0 or depth <= 0 or len(value) > MOST_ITEMS:
            return False
        for key, item in value.items():
            if type(key) is not str or len(key) > LONGEST_KEY or not key.isascii() or "\x00" in key:
                return False
            if (type(item) is not float or item != item) and item is not None and not _is_within(item, depth - 1, left):
                return False
        return True
    if isinstance(value, list | tuple):
        left[0] -= len(value)
        return (
            left[0] >= 0
            and depth > 0
            and len(value) <= MOST_ITEMS
            and all(_is_within(item, depth - 1, left) for item in value)
        )
    return not isinstance(value, Cut)


class _Shears:
    """Cuts a value to the limits, and counts what it cut."""

    def __init__(self) -> None:
        self._left = MOST_SETTINGS
        self._room = MOST_CHARACTERS
        self._dropped = 0
        self._long_values = self._long_keys = self._deep = 0
        self._longest = 0
        self._whats: list[str] = []

    def value(self, value: Any, depth: int) -> Any:
        if isinstance(value, Cut):
            self._whats.append(value.what)
            return value
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, bool):
            return value
        if isinstance(value, int):
            return value if abs(value) < 10**MOST_DIGITS else self.value(_long_number(value), depth)
        if not isinstance(value, Mapping | list | tuple):
            return value
        if depth <= 0 and value:
            self._deep += 1
            return "…"
        if isinstance(value, Mapping):
            return self.mapping(value, depth)
        kept: list[Any] = []
        for item in value:
            if self._left <= 0 or len(kept) == MOST_ITEMS:
                self._dropped += len(value) - len(kept)
                break
            self._left -= 1
            kept.append(self.value(item, depth - 1))
        return type(value)(kept) if type(value) in (list, tuple) else kept

    def mapping(self, content: Mapping[Any, Any], depth: int) -> dict[str, Any]:
        kept: dict[str, Any] = {}
        for read, (key, item) in enumerate(content.items()):
            if self._left <= 0 or read == MOST_ITEMS:
                self._dropped += len(content) - read
                break
            self._left -= 1
            name = plain_text(str(key))
            if len(name) > LONGEST_KEY:
                self._long_keys += 1
                name = cut_text(name, LONGEST_KEY)
            kept[name] = self.value(item, depth - 1)
        return kept

    def _text(self, text: str) -> str:
        most = max(min(LONGEST_VALUE, self._room), LONGEST_NAME)
        self._room -= min(len(text), most)
        if len(text) > most:
            self._long_values += 1
            self._longest = max(self._longest, len(text))
            text = f"{text[:most]}… (first {most:,} of {len(text):,} characters)"
        return plain_text(text)

    def said(self, what: str) -> Iterator[str]:
        """What was cut, in sentences."""
        if self._dropped:
            yield (
                f"{what}: of a section or a list the first {MOST_ITEMS:,} values are looked at, of all of it"
                f" {MOST_SETTINGS:,}; {self._dropped:,} more are left out."
            )
        if self._deep:
            parts = "1 part" if self._deep == 1 else f"{self._deep:,} parts"
            yield f"{what}: {parts} nested deeper than {DEEPEST} levels {'is' if self._deep == 1 else 'are'} left out."
        if self._long_values:
            yield (
                f"{what}: of texts above {LONGEST_VALUE:,} characters, and of those behind {MOST_CHARACTERS:,} in all,"
                " only the beginning is kept"
                f" ({self._long_values:,}, the longest of {self._longest:,})."
            )
        if self._long_keys:
            yield f"{what}: names above {LONGEST_KEY} characters are cut ({self._long_keys:,})."
        if self._whats:
            more = f" and {len(self._whats) - 3:,} more" if len(self._whats) > 3 else ""
            yield f"{what}: too large to be used: {', '.join(self._whats[:3])}{more}."


def _long_number(value: int) -> Cut:
    # Python refuses to write out numbers of more than some thousand digits.
    count = int(value.bit_length() * math.log10(2)) + 1
    first = abs(value) // 10 ** (count - 20)
    sign = "-" if value < 0 else ""
    return Cut(f"{sign}{str(first)[:20]}… (about {count:,} digits)", f"a number of about {count:,} digits", hex(value))

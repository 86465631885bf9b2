"""Text that others wrote, made safe to stand beside our own: names, paths, values."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

ISOLATE, END_OF_ISOLATE = ISOLATES = "\u2068", "\u2069"
"""What stands between them is laid out by itself, and does not turn around what stands beside it."""
_REPLACEMENT = "\ufffd"
_PLACE = "\u25cc"
"""Stands for the letter below a mark that has none: else it would be put on what stands before the name."""

MOST_MARKS = 8
"""Marks on one letter: a stack of Tibetan letters has no more. Piles of them cover the lines above and below."""
MOST_ACCENTS = 4
"""Those among them that go up or down however many there are; phonetic scripts have no more on one letter."""
MOST_OF_ONE = 2
"""The same mark in a row."""

_FROM_RIGHT_TO_LEFT = frozenset(("R", "AL", "AN"))
_JOINERS = "\u200c\u200d"
"""Invisible, but part of how words of some scripts and some emojis are written."""
_JOINED = re.compile(
    "[\xa9\xae\u0590-\u10ff\u1200-\u1cff\u20e3\u2190-\u2bff\u3030\u303d\u3297\u3299\ua840-\uaaff\uabc0-\uabff"
    "\ufb1d-\ufdff\ufe0f\ufe70-\ufefc\U00010800-\U00011fff\U0001e800-\U0001fbff]"
)
"""Characters that a joiner may stand behind: of those scripts, and pictures. Behind others it does nothing."""
_FLAG = re.compile("\U0001f3f4[\U000e0020-\U000e007e]{1,12}\U000e007f")
"""A flag of a region: the tags behind it say of which, and cannot be seen by themselves."""
_BLANKS = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Letters that look like blanks."""
_UNSEEN = re.compile("[\u034f\u17b4\u17b5\u2065\ufff0-\ufff8\U000e0000-\U000e00ff\U000e01f0-\U000e0fff]")
"""What else is made to be not seen, though its category does not say so."""
VARIANTS = re.compile("[\u180b-\u180d\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef]")
"""What chooses a form of the character before it."""
_SIGNS = re.compile("[\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd]")
"""Signs that hold the digits behind them, of the same category as what cannot be seen."""
_STEERING = frozenset(("Cc", "Cf", "Zl", "Zp"))


def isolated(text: str) -> str:
    r"""Foreign text without control characters; isolated where letters in it run from right to left.

    An override that turns the direction around would reach beyond the name, over the numbers beside it.

    Example:
        >>> isolated("run\u202e-1\u200b"), isolated("\u05d0") == ISOLATE + "\u05d0" + END_OF_ISOLATE
        ('run-1', True)
    """
    if text.isascii() and text.isprintable():
        return text
    plain = without_controls(text.replace(ISOLATE, "").replace(END_OF_ISOLATE, ""))
    if unicodedata.category(plain[:1] or " ").startswith("M"):
        plain = _PLACE + plain
    return enclosed(plain)


def enclosed(plain: str) -> str:
    """Text that steers nothing, isolated where letters in it run from right to left; whatever else it holds stays."""
    if plain.isascii():
        return plain
    turns = any(unicodedata.bidirectional(character) in _FROM_RIGHT_TO_LEFT for character in set(plain))
    return f"{ISOLATE}{plain}{END_OF_ISOLATE}" if turns else plain


def without_controls(text: str) -> str:
    """Text without characters that cannot be seen and only steer; white space and ends of lines become blanks.

    Of marks piled up on a letter the first ones stay, and of half a character a sign that something stood there.
    Isolates stay: whole sentences have them around what is foreign in them.
    """
    if _is_ordinary(text):
        return text
    return "".join(_shown(piece) if is_seen else "" for piece, is_seen in _pieces(text))


def spelled_out(text: str) -> str:
    r"""Text in which whatever cannot be seen and only steers is written out, so that two that differ look different.

    Example:
        >>> print(spelled_out("run\u202e-1\u200b"), spelled_out("two\nlines"))
        run\u202e-1\u200b two
        lines
    """
    if _is_ordinary(text):
        return text
    return "".join(
        piece if is_seen and piece not in _BLANKS and piece not in _ENDS_OF_LINES else escape(piece)
        for piece, is_seen in _pieces(text, isolates=False)
    )


def legible(name: str) -> str:
    r"""A name that programs read, of a setting or a metric: isolated, and nothing of it is left out.

    Example:
        >>> print(legible("eval_\u200bf1"))
        eval_\u200bf1
    """
    return isolated(spelled_out(name))


def escape(text: str) -> str:
    r"""Each character as JavaScript and Python write it by its number.

    Example:
        >>> print(escape("\u200b\U000e0041"))
        \u200b\U000e0041
    """
    return "".join(f"\\u{ord(each):04x}" if each <= "\uffff" else f"\\U{ord(each):08x}" for each in text)


def searchable(text: str) -> str:
    """What of a text is looked for: what is seen of it, in any case, however its letters are composed.

    Example:
        >>> searchable("Cafe\u0301 ru\u200bn") == searchable("caf\u00e9 RUN")
        True
    """
    if text.isascii() and text.isprintable():
        return text.casefold()
    plain = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", without_controls(text)).casefold())
    return "".join(each for each in plain if unicodedata.category(each) != "Cf")


def closed(text: str) -> str:
    """A piece that was cut out of a text, with the begin or the end of each isolate that was cut through.

    Example:
        >>> closed(ISOLATE + "ab") == closed("ab" + END_OF_ISOLATE) == ISOLATE + "ab" + END_OF_ISOLATE
        True
    """
    if ISOLATE not in text and END_OF_ISOLATE not in text:
        return text
    depth = begins = 0
    for character in text:
        depth += (character == ISOLATE) - (character == END_OF_ISOLATE)
        begins, depth = (begins + 1, 0) if depth < 0 else (begins, depth)
    return ISOLATE * begins + text + END_OF_ISOLATE * depth


_ENDS_OF_LINES = frozenset("\v\f\x1c\x1d\x1e\x1f\x85\u2028\u2029")
"""White space that is no blank, tab or end of a line of every program's."""


def _is_ordinary(text: str) -> bool:
    """Tell whether nothing in a text needs a closer look, which takes a hundred times as long."""
    return (text.isascii() and text.isprintable()) or all(map(_is_ordinary_character, set(text)))


@lru_cache(maxsize=8192)
def _is_ordinary_character(character: str) -> bool:
    is_odd = character in _BLANKS or _UNSEEN.match(character) or VARIANTS.match(character)
    return character == " " or (unicodedata.category(character)[0] in "LNPS" and not is_odd)


def _pieces(text: str, *, isolates: bool = True) -> Iterator[tuple[str, bool]]:
    """The characters of a text in their order, and whether each is seen, or needed for how the one before it looks.

    Args:
        text: Any.
        isolates: These count as seen.
    """
    flags = {found.start(): found.end() for found in _FLAG.finditer(text)}
    pile = _Pile()
    before, done = "", 0
    for at, character in enumerate(text):
        if at < done:
            continue
        if at in flags:
            done = flags[at]
            piece, is_seen = text[at:done], True
        else:
            piece, is_seen = character, _is_seen(character, before) or (isolates and character in ISOLATES)
        # What is not seen parts no letter from the marks behind it.
        is_seen = is_seen and pile.takes(piece)
        yield piece, is_seen
        before = (" " if piece in _BLANKS else piece) if is_seen else before


def _is_seen(character: str, before: str) -> bool:
    """Tell whether a character is seen by itself, or by what it does to the one before it."""
    if character.isspace() or character in _BLANKS or _SIGNS.match(character):
        return True
    if character in _JOINERS:
        return bool(_JOINED.match(before))
    if VARIANTS.match(character):
        return before != "" and not (before.isspace() or VARIANTS.match(before))
    is_no_character = ord(character) & 0xFFFE == 0xFFFE or "\ufdd0" <= character <= "\ufdef"
    steers = unicodedata.category(character) in _STEERING
    return not (steers or is_no_character or _UNSEEN.match(character))


def _shown(piece: str) -> str:
    if piece.isspace() or piece in _BLANKS:
        return " "
    return _REPLACEMENT if "\ud800" <= piece <= "\udfff" else piece


class _Pile:
    """Counts the marks on one letter."""

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self._marks = self._accents = self._same = 0
        self._last = ""

    def takes(self, character: str) -> bool:
        """Tell whether there is room for it: there always is for what is no mark."""
        if character in _JOINERS or VARIANTS.match(character):
            return True
        category = unicodedata.category(character[0])
        if category not in ("Mn", "Me"):
            self._begin()
            return True
        same = self._same + 1 if character == self._last else 1
        placed = unicodedata.combining(character)
        # Marks of these classes stand above, below or across whatever they follow; others have their place in a letter.
        is_accent = placed == 1 or placed >= 200 or category == "Me"
        if self._marks == MOST_MARKS or same > MOST_OF_ONE or (is_accent and self._accents == MOST_ACCENTS):
            return False
        self._last, self._same = character, same
        self._marks += 1
        self._accents += is_accent
        return True

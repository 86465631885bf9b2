"""What of a text the eye can tell apart, and texts that differ written so that they look different."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Sequence

from lib.core.facts.foreign import ISOLATES, VARIANTS, escape, without_controls

_ALIKE = str.maketrans(
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0455\u0456\u0458\u04bb\u0501\u051b\u051d\u04cf\u04c0"
    "\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0425\u0405\u0406\u0408\u050c"
    "\u03bf\u03bd\u03c1\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5"
    "\u03a7\u03f3"
    "\u0585\u0570\u057d\u0578\u0131\u0261\u0251\u01c0"
    "\u2010\u2012\u2013\u2014\u2015\u2212\u02d7\u2043\u2018\u2019\u02bc\u2032\u201c\u201d\u2044\u2215"
    "\u2236\u02d0\u0589",
    "aeopcyxsijhdqwllABEKMHOPCTXSIJGovpABEZHIKMNOPTYXjohunigal--------''''\"\"//:::",
)
"""What most fonts draw alike, in the place of which this stands when texts are compared by their look."""


_UNSEEN_OUTSIDE = " " + "".join(sorted(ISOLATES))
"""What a page leaves out, or does not draw, at either end of a text."""


def look(text: str) -> str:
    """What of ``text`` the eye can tell apart: no case, no outer or repeated blanks, nothing invisible.

    Letters of different alphabets that are drawn alike are one.

    Example:
        >>> look(" Llama  8B\u200b ") == look("llama 8b"), look("run\u20131") == look("\uff52un-1")
        (True, True)
    """
    plain = " ".join(text.split())
    if plain.isascii() and plain.isprintable():
        return plain.casefold()
    return _eye(unicodedata.normalize("NFKC", _eye(plain)).casefold())


def apart(shown: Sequence[str], whole: Sequence[str]) -> tuple[str, ...]:
    r"""Texts that stand beside each other; of those that look the same and are not, what the eye misses is written out.

    Case is seen, and so are the blanks inside quotes.

    Args:
        shown: The texts.
        whole: What each of them stands for; equal ones may look the same.

    Example:
        >>> apart(["cafe\u0301", "caf\xe9", "tea"], ["cafe\u0301", "caf\xe9", "tea"])
        ('cafe\\u0301', 'café', 'tea')
        >>> apart(["a b", "a  b"], ["a b", "a  b"])
        ('a b', 'a \\u0020b')
    """
    groups: dict[str, list[int]] = defaultdict(list)
    if len(set(whole)) > 1:
        for at, text in enumerate(shown):
            groups[_eye(text)].append(at)
    told = list(shown)
    for places in groups.values():
        if len({whole[at] for at in places}) > 1:
            forms = {whole[at]: _told(whole[at]) for at in places}
            if len({_eye(form) for form in forms.values()}) < len(forms):
                forms = {text: _told(text, every=True) for text in forms}
            for at in places:
                told[at] = forms[whole[at]]
    return tuple(told)


def _eye(text: str) -> str:
    """A text as it is drawn, in the letters that stand for those that are drawn alike."""
    if text.isascii() and text.isprintable():
        return " ".join(text.split())
    plain = unicodedata.normalize("NFKC", without_controls(text)).translate(_ALIKE)
    seen = (each for each in plain if unicodedata.category(each) not in ("Cc", "Cf") and not VARIANTS.match(each))
    # A letter that was replaced, or that an invisible one held apart, has its marks put on it only now.
    return " ".join(unicodedata.normalize("NFC", "".join(seen)).split())


def _told(text: str, *, every: bool = False) -> str:
    """A text with what the eye misses written out; with ``every`` all that is not ASCII."""
    is_parted = unicodedata.normalize("NFC", text) != text
    parts: list[str] = []
    begin = len(text) - len(text.lstrip(_UNSEEN_OUTSIDE))
    end = len(text.rstrip(_UNSEEN_OUTSIDE))
    for at, character in enumerate(text):
        if character in ISOLATES:
            parts.append(character)
            continue
        is_missed = (
            (character.isspace() and (character != " " or parts[-1:] == [" "] or not begin <= at < end))
            or (_eye(character) != character and not character.isspace())
            or (is_parted and unicodedata.category(character).startswith("M"))
        )
        is_missed |= every and not character.isascii()
        parts.append(escape(character) if is_missed else character)
    return "".join(parts)

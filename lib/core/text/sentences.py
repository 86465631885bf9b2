"""Sentences with parts that stand out: the numbers and the names that decide."""

from __future__ import annotations

from collections.abc import Iterable

WORDS_MOST = 25
"""Words that a sentence of the verdict has at most."""


class Strong(str):
    """A part of a sentence that stands out."""

    __slots__ = ()


Sentence = tuple[str, ...]
"""The parts of one or more sentences in a row, some of them ``Strong``."""


def said(template: str, *parts: str) -> Sentence:
    """A sentence whose blanks ``{}`` are filled with parts that stand out.

    Example:
        >>> said("Lowest eval loss, {}.", "0.918")
        ('Lowest eval loss, ', '0.918', '.')
    """
    texts = template.split("{}")
    found: list[str] = [texts[0]]
    for part, text in zip(parts, texts[1:], strict=True):
        found += [Strong(part), text]
    return tuple(each for each in found if each)


def in_a_row(sentences: Iterable[Sentence]) -> Sentence:
    """Several sentences as one, with blanks between them."""
    found: list[str] = []
    for sentence in filter(None, sentences):
        found += [*([" "] if found else []), *sentence]
    return tuple(found)


def plain(sentence: Sentence) -> str:
    """The text of it.

    Example:
        >>> plain(said("Lowest eval loss, {}.", "0.918"))
        'Lowest eval loss, 0.918.'
    """
    return "".join(sentence)

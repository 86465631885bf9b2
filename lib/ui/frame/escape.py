"""Foreign text on the page. Names, paths and values are shown as the characters they are."""

from __future__ import annotations

import re
from functools import lru_cache

from lib.core.facts.foreign import closed, without_controls

_SPECIAL = re.compile(
    r"[\\`*{}\[\]<>|~:$&#@]"  # mean something wherever they stand
    r"|(?<![^\W_])_|_(?![^\W_])"  # an underscore inside a word means nothing
    r"|^[-+=]",  # a list or a rule, at the start only
)
_NUMBERED = re.compile(r"^(\d{1,9})([.)])")
"""A numbered list, at the start only."""
_REPLACED_LATER = re.compile(
    r"(?<=http)(?=s?://)|(?<=www)(?=\.)|(?=@)"  # links
    r"|(?<=:)(?=material[/_]|streamlit:)"  # an icon, a picture
    r"|(?<=<)(?=-)|(?<=-)(?=[->])|(?<=[<>~])(?==)",  # arrows, dashes, relation signs
    re.IGNORECASE,
)
"""What Streamlit looks for in the text after the backslashes are gone, and the place to part it."""
_NOTHING = ":small[]"
"""Draws nothing, and ends the piece of text that is searched."""


@lru_cache(maxsize=4096)
def md(text: str) -> str:
    r"""Escape ``text`` for the places where Streamlit renders Markdown: labels, badges, captions.

    Without this a name could fetch an image, draw a link, or read as bold. White space is folded, controls go. The
    options of a selectbox and a multiselect are not Markdown: there it would show its backslashes.

    Example:
        >>> print(md("<b>v2</b> | [x](y) snake_case 3e-5"))
        \<b\>v2\</b\> \| \[x\](y) snake_case 3e-5
        >>> print(md("www.example.org -> :material/home:"))
        www:small[].example.org -:small[]\> \::small[]material/home\:
    """
    # A null character cannot be shown, so it can mark the places while the rest is escaped.
    plain = closed(without_controls(text.replace("\0", "\ufffd")))
    parted = _REPLACED_LATER.sub("\0", " ".join(plain.split()))
    return _NUMBERED.sub(r"\1\\\2", _SPECIAL.sub(r"\\\g<0>", parted)).replace("\0", _NOTHING)

"""Foreign text on the page. Names, paths and values are shown as the characters they are."""

from __future__ import annotations

import re

_SPECIAL = re.compile(
    r"[\\`*{}\[\]<>|~:$&#@]"  # mean something wherever they stand
    r"|(?<![^\W_])_|_(?![^\W_])"  # an underscore inside a word means nothing
    r"|^[-+=]|(?<=^\d)[.)]|(?<=^\d\d)[.)]"  # a list or a rule, at the start only
    r"|(?<=\bwww)\.",  # a link
    re.IGNORECASE,
)


def md(text: str) -> str:
    r"""Escape ``text`` for the places where Streamlit renders Markdown: labels, badges, captions.

    Without this a name could fetch an image, draw a link, or read as bold. White space is folded.

    Example:
        >>> print(md("<b>v2</b> | [x](y) snake_case 3e-5"))
        \<b\>v2\</b\> \| \[x\](y) snake_case 3e-5
    """
    return _SPECIAL.sub(r"\\\g<0>", " ".join(text.split()))

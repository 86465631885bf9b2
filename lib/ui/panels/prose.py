"""Our own texts with a little markup as HTML: paragraphs, lists, bold, code and tables."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape

_BOLD = re.compile(r"\*\*(.+?)\*\*")
_CODE = re.compile(r"`(.+?)`")


def prose(text: str) -> str:
    """Paragraphs between blank lines; lines that begin with "- " or "1. " are a list.

    Example:
        >>> prose("**Gap** is E - T.")
        '<p><b>Gap</b> is E - T.</p>'
    """
    return "".join(map(_block, text.split("\n\n")))


def _block(block: str) -> str:
    lines = block.splitlines()
    for mark, tag in (("- ", "ul"), ("1. ", "ol")):
        if all(line.startswith(mark) for line in lines):
            return f"<{tag}>{''.join(f'<li>{_inline(line.removeprefix(mark))}</li>' for line in lines)}</{tag}>"
    return f"<p>{_inline(block)}</p>"


def _inline(text: str) -> str:
    return _CODE.sub(r"<code>\1</code>", _BOLD.sub(r"<b>\1</b>", escape(text, quote=False)))


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], widths: Sequence[int] = ()) -> str:
    """A table of texts, the first of each row as its name.

    Args:
        heads: Of the columns.
        rows: Their texts.
        widths: Percent of the columns.
    """
    columns = "".join(f'<col style="width:{width}%">' for width in widths)
    head = "".join(f'<th scope="col">{escape(each)}</th>' for each in heads)
    body = "".join(
        f'<tr><th scope="row">{escape(first)}</th>{"".join(f"<td>{escape(each)}</td>" for each in rest)}</tr>'
        for first, *rest in rows
    )
    return (
        f'<table class="stacks"><colgroup>{columns}</colgroup><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table>"
    )


def folded(title: str, beside: str, body: str) -> str:
    """A part of a card that opens on a click."""
    said = f'<span class="beside">{escape(beside)}</span>' if beside else ""
    return f'<details><summary><h3>{escape(title)}</h3>{said}</summary><div class="in">{body}</div></details>'

"""The signs of kinds of findings as pictures in a page: those that the charts draw on their canvas."""

from __future__ import annotations

from urllib.parse import quote

from lib.charts.lane import SIGNS, kind_of, path_of

SIGN_STYLE = "".join(
    f'.chip.{name}::before {{ mask-image: url("data:image/svg+xml,'
    + quote(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="-6.5 -6.5 13 13" fill="none" stroke="black"'
        f' stroke-width="1.5" stroke-linecap="round" stroke-linejoin="round"><path d="{path_of(name)}"/></svg>'
    )
    + '"); }\n'
    for name in SIGNS
)
"""The signs as masks of what has the class ``chip`` and the name of the sign."""


def sign(code: str, slot: int) -> str:
    """The sign of a kind of finding on a chip in the colour of a run, as HTML."""
    return f'<i class="chip {kind_of(code, "").symbol}" style="background: var(--run-{slot})"></i>'

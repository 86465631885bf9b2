"""The signs of kinds of findings as pictures in a page: those that the charts draw on their canvas."""

from __future__ import annotations

from urllib.parse import quote

from lib.charts.lane import OTHER, kind_of

_LINES = {
    "spike": "M-3.2 2.5L-1.2 2.5L0 -3L1.2 2.5L3.2 2.5",
    "peak": "M-3 2.5L0 -3L3 2.5",
    "rise": "M-3 -0.5L-0.5 2L3 -2.5M0.5 -2.5L3 -2.5L3 0",
    "fall": "M-3 -2.5L-0.5 -0.5L3 2.5M0.5 2.5L3 2.5L3 0",
    "flat": "M-3.2 2.5L-3.2 -2L3.2 -2L3.2 2.5",
    "gap": "M-3.2 0L-1.3 0M1.3 0L3.2 0",
    "broken": "M-2.5 -2.5L2.5 2.5M2.5 -2.5L-2.5 2.5",
    OTHER: "M0 -3L0 0.5M0 2.6L0 3",
}
"""By sign, its lines around the middle of a chip of 13 pixels, as in ``static/plot.js``."""


SIGN_STYLE = "".join(
    f'.chip.{name}::before {{ mask-image: url("data:image/svg+xml,'
    + quote(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="-6.5 -6.5 13 13" fill="none" stroke="black"'
        f' stroke-width="1.5" stroke-linecap="round" stroke-linejoin="round"><path d="{lines}"/></svg>'
    )
    + '"); }\n'
    for name, lines in _LINES.items()
)
"""The signs as masks of what has the class ``chip`` and the name of the sign."""


def sign(code: str, slot: int) -> str:
    """The sign of a kind of finding on a chip in the colour of a run, as HTML."""
    return f'<i class="chip {kind_of(code, "").symbol}" style="background: var(--run-{slot})"></i>'

"""The look of the app: grounds, type sizes, and the marks of runs, as CSS variables and classes.

Streamlit sets ``color-scheme`` on its root element, so ``light-dark()`` follows the theme without a script. What is
drawn by components of ours uses the same variables, as these are not isolated.
"""

from __future__ import annotations

from lib.charts.palette import RUN_COLORS
from lib.charts.theme import COLORS, MARK_SHAPES, SIZES

TOKENS = (
    '.stApp, [data-testid="stDialog"] {'
    + "".join(f" --{name}: light-dark({light}, {dark});" for name, (light, dark) in COLORS.items())
    + "".join(f" --run-{slot}: {color};" for slot, color in enumerate(RUN_COLORS))
    + "".join(f" --size-{name}: {pixels}px;" for name, pixels in SIZES.items())
    + " }\n"
    + ".runoff-unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }\n"
    + ".run-uploaded { flex: none; font-style: normal; margin-left: 6px; font-size: var(--size-caption);"
    + " font-weight: 400; color: var(--muted); }\n"
    + ".run-mark { display: inline-block; width: 10px; height: 10px; flex: none; }\n"
    + "".join(
        f".run-mark.slot-{slot} {{ background: {color}; clip-path: {shape}; }}\n"
        for slot, (color, shape) in enumerate(zip(RUN_COLORS, MARK_SHAPES, strict=True))
    )
    + "".join(
        f"html[data-run-shown='{slot}'] [data-run]:not([data-run='{slot}']) {{ opacity: .28; }}\n"
        for slot in range(len(RUN_COLORS))
    )
)
"""Variables for all of it (``var(--muted)``, ``var(--run-0)``, ``var(--size-small)``); the class ``run-mark slot-0`` of
the mark of a run in HTML; ``runoff-unseen`` for what only a screen reader gets; and what is paled while another run is
brought out (``static/highlight.js``)."""

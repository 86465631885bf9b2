"""How a run is told apart: five colours and five shapes, the same in both themes and everywhere on the page."""

from __future__ import annotations

RUN_COLORS = ("#4667eb", "#b47d00", "#d62b81", "#0096a6", "#3f7c4b")
"""One colour a selection slot. A run keeps its slot, and so its colour and its shape, for as long as it is selected.
Every pair differs by a CIEDE2000 of 11 or more for people with protanopia, deuteranopia and tritanopia, and each has a
contrast of 3 : 1 on every ground of the page; ``tests/charts/test_palette.py`` computes both."""

RUN_SHAPES = ("circle", "square", "triangle-up", "diamond", "cross")
"""The shape of a slot's marks, as Vega calls it: the second cue beside the colour."""

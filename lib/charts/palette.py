"""The colour of a run: five colours that people with colour-vision deficiencies can tell apart."""

from __future__ import annotations

RUN_COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#B8860B")
"""One colour a selection slot: from Okabe and Ito's colour-universal palette, the yellow darkened so
that it reads on white. A run keeps its slot, and so its colour, for as long as it is selected."""

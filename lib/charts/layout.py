"""What a chart of curves looks like, and the datasets that it shows.

=============  ===========================================================================
name           columns
=============  ===========================================================================
lines          x, y, series (int), color, kind ("train" solid, "eval" dashed), opacity
evals          x, y, color: one mark each
best           x, y, color: the lowest eval loss of a run
nonfinite      x, color: where a run logged NaN or an infinity; drawn on the axis
extent         x: the two ends of the range in view, so that all charts share it
hover          the x axis's title, and a column of ready text for every curve, named as it
               is to be shown; one row for each position that the rule can take
spans          x, x2, color, lane: how far a finding reaches; drawn at the top of the plot
marks          x, color, lane, count, run, finding: what was noticed there; ``lane`` is the
               distance from the top in pixels, ``count`` is "" for one
=============  ===========================================================================

Vega draws all of them save ``hover``, which ``static/charts.js`` shows at the pointer.
"""

from __future__ import annotations

from dataclasses import dataclass

DRAWN = ("lines", "evals", "best", "nonfinite", "extent", "spans", "marks")
"""The datasets that Vega draws."""

LOSS_HEIGHT, METRIC_HEIGHT = 300, 170

AXES = {"left": 54, "top": 24, "right": 18, "bottom": 36}
"""Pixels around the plot, whatever the labels: so plots lie below each other and keep their place when the selection
changes, and the browser need not lay them out again."""


@dataclass(frozen=True, slots=True)
class Layout:
    """What a chart looks like without its data.

    Attributes:
        title: Of the y axis, with the unit.
        axis_title: Of the x axis; also the name of the ``hover`` dataset's position column.
        height: Plot height in pixels.
        log_y: Logarithmic y axis. The data must hold positive values only.
        y_format: d3 format of the y axis; ``None`` for Vega's own choice, shortened where it is long.
    """

    title: str
    axis_title: str
    height: int
    log_y: bool = False
    y_format: str | None = None

"""The Vega-Lite specification of a chart of curves.

A specification depends on the metric, the x axis and the scale, never on the selected runs: colour is
a field of the data, series are told apart by a number, and the tooltip shows whatever columns its row
has. So a change of the selection sends data only, and the browser patches the view it has.

The datasets that the page sends beside the specification:

=============  ===========================================================================
name           columns
=============  ===========================================================================
lines          x, y, series (int), color, kind ("train" solid, "eval" dashed), opacity
evals          x, y, color: one mark each
best           x, y, color: the lowest eval loss of a run
nonfinite      x, color: where a run logged NaN or an infinity; drawn on the axis
extent         x: the two ends of the range in view, so that all charts share it
hover          the x axis's title, and a column of ready text for every run, named as it
               is to be shown; one row for each position that the rule can take
pin            x: the pinned position, one row or none
spans          x, x2, color, lane: how far a finding reaches; drawn at the top of the plot
marks          x, color, lane, count, run, finding: what was noticed there; ``lane`` is the
               distance from the top in pixels, ``count`` is "" for one
=============  ===========================================================================
"""

from __future__ import annotations

from functools import cache

DATASETS = ("lines", "evals", "best", "nonfinite", "extent", "hover", "pin", "spans", "marks")
ZOOM, PIN = "zoom", "pin"
"""Names of the two selections: a range of x, dragged; a position on x, clicked."""

LOSS_HEIGHT, METRIC_HEIGHT = 300, 170


@cache
def curve_spec(title: str, axis_title: str, *, height: int, log_y: bool = False, y_format: str | None = None) -> str:
    """Return the specification of one chart as JSON, without data.

    Args:
        title: Of the y axis, with the unit.
        axis_title: Of the x axis; also the name of the ``hover`` dataset's position column.
        height: Plot height in pixels.
        log_y: Logarithmic y axis. The data must hold positive values only.
        y_format: d3 format of the y axis; ``None`` for Vega's own choice, shortened where it is long.
    """
    # Imported where a chart is drawn: a page without one needs no altair.
    from lib.charts.specification import specification

    chart = specification(title, axis_title, height=height, log_y=log_y, y_format=y_format)
    return chart.to_json(indent=None)

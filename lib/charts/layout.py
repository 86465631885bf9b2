"""What a chart of curves is, and the datasets that it shows.

=============  ===========================================================================
name           columns
=============  ===========================================================================
lines          x, y, curve (its number in the head), faint (1 for the raw line behind a
               smoothed one): the nearest points beyond the range are among them
evals          x, y, curve: one mark each
best           x, y, curve: the best evaluation of a run
nonfinite      x, curve: where a run logged NaN or an infinity; drawn on the axis
extent         x: the two ends of the range in view, so that all charts share it
hover          the x axis's title, and a column of ready text for every curve, named as it
               is to be shown; one row for each position that the rule can take
against        a column of ready text for every curve, named by its number: how far it is from
               the baseline at each position of ``hover``; only where one is pinned
findings       x, end, slot, kind, text: what was noticed of a run, where it begins and ends
=============  ===========================================================================

``static/plot.js`` draws them on the page, ``lib.charts.still`` makes a picture to keep of them.
"""

from __future__ import annotations

MAIN_HEIGHT, SMALL_HEIGHT = 300, 116
"""Of a plot, in pixels, without its axis and what stands below that."""

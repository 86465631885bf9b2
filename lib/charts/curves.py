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

import altair as alt

DATASETS = ("lines", "evals", "best", "nonfinite", "extent", "hover", "pin", "spans", "marks")
ZOOM, PIN = "zoom", "pin"
"""Names of the two selections: a range of x, dragged; a position on x, clicked."""

LOSS_HEIGHT, METRIC_HEIGHT = 300, 170
KINDS = ("train", "eval")
DASHES = ((1, 0), (6, 4))


PLAIN_MARKS = {"aria": False}
"""The browser would work out a text for every point, which nobody can reach on a canvas: that costs more than drawing
the lines. The chart as a whole has a text of its own."""


def _named(name: str) -> alt.NamedData:
    # Arrow has types; to parse every number anew would cost.
    return alt.NamedData(name, format=alt.DataFormat(parse=None))


@cache
def curve_spec(title: str, axis_title: str, *, height: int, log_y: bool = False, y_format: str | None = None) -> str:
    """Return the specification of one chart as JSON, without data.

    Args:
        title: Of the y axis, with the unit.
        axis_title: Of the x axis; also the name of the ``hover`` dataset's position column.
        height: Plot height in pixels.
        log_y: Logarithmic y axis. The data must hold positive values only.
        y_format: d3 format of the y axis; ``None`` for Vega's own choice.
    """
    x_axis = alt.Axis(grid=False, tickCount=6, titlePadding=2)
    x = alt.X("x:Q", title=axis_title, scale=alt.Scale(nice=False, zero=False), axis=x_axis)
    y_scale = alt.Scale(type="log", nice=False) if log_y else alt.Scale(zero=False)
    y = alt.Y("y:Q", title=title, scale=y_scale, axis=alt.Axis(format=y_format or alt.Undefined, tickCount=6))
    color = alt.Color("color:N", scale=None)

    zoom = alt.selection_interval(name=ZOOM, encodings=["x"])
    lines = (
        alt.Chart(_named("lines"))
        .mark_line(strokeWidth=1.6, interpolate="linear", clip=True)
        .encode(
            x=x,
            y=y,
            color=color,
            detail="series:O",
            strokeDash=alt.StrokeDash("kind:N", scale=alt.Scale(domain=KINDS, range=DASHES), legend=None),
            opacity=alt.Opacity("opacity:Q", scale=None),
        )
        .add_params(zoom)
    )
    evals = alt.Chart(_named("evals")).mark_point(size=22, filled=True, opacity=1).encode(x=x, y=y, color=color)
    best = (
        alt.Chart(_named("best"))
        .mark_point(shape="diamond", size=110, filled=False, strokeWidth=2.2, opacity=1)
        .encode(x=x, y=y, color=color)
    )
    nonfinite = (
        alt.Chart(_named("nonfinite"))
        .mark_point(shape="triangle-down", size=70, filled=True, opacity=1)
        .encode(x=x, y=alt.value("height"), color=color)
    )
    extent = alt.Chart(_named("extent")).mark_rule(opacity=0).encode(x=x)
    # What lies last is topmost: only there a mark gets the pointer, which else belongs to the hover rule.
    layers = [
        extent,
        lines,
        evals,
        best,
        nonfinite,
        _spans(x),
        _hover_rule(axis_title),
        _pin_rule(x),
        *_marks(x),
    ]
    chart = (
        alt.layer(*layers)
        .properties(
            height=height,
            padding={"left": 0, "top": 6, "right": 6, "bottom": 0},
            usermeta={"embedOptions": {"renderer": "canvas"}},
        )
        .configure_mark(**PLAIN_MARKS)
    )
    return chart.to_json(indent=None)


def _hover_rule(axis_title: str) -> alt.Chart:
    """The rule that follows the pointer, and the positions that a click can pin.

    A layer of its own with few rows: a nearest-point search over every point of every curve would
    cost a visible delay at each move of the pointer.
    """
    hover = alt.selection_point(
        name="hover", on="pointermove", nearest=True, encodings=["x"], clear="pointerleave", empty=False
    )
    pin = alt.selection_point(name=PIN, on="click", nearest=True, encodings=["x"], empty=False, clear=False)
    return (
        alt.Chart(_named("hover"))
        .mark_rule(color="#808080", strokeWidth=1.2, tooltip=alt.TooltipContent("data"))
        .encode(
            x=alt.X(f"{axis_title}:Q"),
            opacity=alt.condition(hover, alt.value(0.8), alt.value(0)),
        )
        .add_params(hover, pin)
    )


def _pin_rule(x: alt.X) -> alt.Chart:
    return alt.Chart(_named("pin")).mark_rule(color="#e3a008", strokeWidth=2, strokeDash=[2, 2]).encode(x=x)


def _spans(x: alt.X) -> alt.Chart:
    return (
        alt.Chart(_named("spans"))
        .mark_rule(strokeWidth=2, opacity=0.45)
        .encode(x=x, x2="x2:Q", y=_lane(), color=alt.Color("color:N", scale=None))
    )


def _marks(x: alt.X) -> tuple[alt.Chart, alt.Chart]:
    """What was noticed, each at its place on the upper edge of the plot, with a tooltip of its own."""
    color = alt.Color("color:N", scale=None)
    base = alt.Chart(_named("marks")).encode(x=x, y=_lane(), color=color)
    count = base.mark_text(align="left", baseline="middle", dx=6, fontSize=10, fontWeight="bold")
    square = base.mark_point(shape="square", size=52, filled=True, opacity=1)
    said = [alt.Tooltip("run:N", title="Run"), alt.Tooltip("finding:N", title="Noticed")]
    return count.encode(text="count:N"), square.encode(tooltip=said)


def _lane() -> alt.Y:
    """Pixels from the top: what was noticed has no value."""
    return alt.Y("lane:Q", scale=None, axis=None)

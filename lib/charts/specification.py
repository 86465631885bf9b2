"""The Vega-Lite specification of a chart of curves; ``lib.charts.curves`` says what each dataset holds."""

from __future__ import annotations

import altair as alt

from lib.charts.curves import AXES, Look

KINDS = ("train", "eval")
DASHES = ((1, 0), (6, 4))

PLAIN_MARKS = {"aria": False, "tooltip": None}
"""The browser would work out two texts for every point, which nobody can reach on a canvas: that costs more than
drawing the lines. The chart as a whole has a text of its own."""

TITLE_ABOVE = {
    "titleAngle": 0,
    "titleAlign": "left",
    "titleAnchor": "end",
    "titleBaseline": "bottom",
    "titleX": -AXES["left"],
    "titleY": -10,
}
"""Of the y axis: above it, where no label of whatever width can push it away."""

Y_FORMAT = "yFormat"
"""The parameter that holds the d3 format of the y axis; "" for Vega's own choice, shortened where it is long."""

LABELS = (
    f"{Y_FORMAT} ? format(datum.value, {Y_FORMAT}) : datum.label === '' ? ''"
    " : abs(datum.value) >= 1e5 ? format(datum.value, '.4~s')"
    " : datum.value !== 0 && abs(datum.value) < 1e-4 ? format(datum.value, '.1e') : datum.label"
)
"""Of the y axis: the margin has room for some seven characters."""


def _named(name: str) -> alt.NamedData:
    # The columns have types; to parse every number anew would cost.
    return alt.NamedData(name, format=alt.DataFormat(parse=None))


def specification(look: Look) -> alt.LayerChart:
    """The chart of a look, without data.

    It depends on nothing else: colour is a field of the data and series are told apart by a number. So a change
    of the selection sends data only, and the browser patches the view it has.
    """
    # A label that the margin at the right would cut is left out.
    x_axis = alt.Axis(grid=False, tickCount=6, titlePadding=2, labelPadding=6, labelBound=AXES["right"])
    x = alt.X("x:Q", title=look.axis_title, scale=alt.Scale(nice=False, zero=False), axis=x_axis)
    y_scale = alt.Scale(type="log", nice=False) if look.log_y else alt.Scale(zero=False)
    y_axis = alt.Axis(tickCount=6, labelPadding=6, labelExpr=LABELS, **TITLE_ABOVE)
    y = alt.Y("y:Q", title=look.title, scale=y_scale, axis=y_axis)
    color = alt.Color("color:N", scale=None)

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
    return (
        alt.layer(extent, lines, evals, best, nonfinite, _spans(x), *_marks(x))
        .add_params(alt.param(name=Y_FORMAT, value=look.y_format or ""))
        .properties(height=look.height, padding=AXES, autosize="none")
        .configure_mark(**PLAIN_MARKS)
    )


def _spans(x: alt.X) -> alt.Chart:
    return (
        alt.Chart(_named("spans"))
        .mark_rule(strokeWidth=2, opacity=0.45)
        .encode(x=x, x2="x2:Q", y=_lane(), color=alt.Color("color:N", scale=None))
    )


def _marks(x: alt.X) -> tuple[alt.Chart, alt.Chart]:
    """What was noticed, each at its place on the upper edge of the plot."""
    base = alt.Chart(_named("marks")).encode(x=x, y=_lane(), color=alt.Color("color:N", scale=None))
    count = base.mark_text(align="left", baseline="middle", dx=6, fontSize=10, fontWeight="bold")
    return count.encode(text="count:N"), base.mark_point(shape="square", size=52, filled=True, opacity=1)


def _lane() -> alt.Y:
    """Pixels from the top: what was noticed has no value."""
    return alt.Y("lane:Q", scale=None, axis=None)

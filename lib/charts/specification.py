"""The Vega-Lite specification of a chart of curves; ``lib.charts.layout`` says what each dataset holds."""

from __future__ import annotations

import altair as alt

from lib.charts.layout import AXES, Layout

KINDS = ("train", "eval")
DASHES = ((1, 0), (6, 4))

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
    return alt.NamedData(name, format={"parse": None})


def specification(layout: Layout) -> alt.LayerChart:
    """A chart, without its data.

    It depends on nothing else: colour is a field of the data and series are told apart by a number. So a change
    of the selection sends data only, and the browser patches the view it has.
    """
    # A label that the margin at the right would cut is left out.
    x_axis = alt.Axis(grid=False, tickCount=6, titlePadding=2, labelPadding=6, labelBound=AXES["right"])
    x = alt.X("x:Q", title=layout.axis_title, scale=alt.Scale(nice=False, zero=False), axis=x_axis)
    y_scale = alt.Scale(type="log", nice=False) if layout.log_y else alt.Scale(zero=False)
    # The title stands above the axis, where no label of whatever width can push it away.
    y_axis = alt.Axis(
        tickCount=6,
        labelPadding=6,
        labelExpr=LABELS,
        titleAngle=0,
        titleAlign="left",
        titleAnchor="end",
        titleBaseline="bottom",
        titleX=-AXES["left"],
        titleY=-10,
    )
    y = alt.Y("y:Q", title=layout.title, scale=y_scale, axis=y_axis)
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
    chart: alt.LayerChart = (
        alt.layer(extent, lines, evals, best, nonfinite, _spans(x), *_marks(x))
        .add_params(alt.param(name=Y_FORMAT, value=layout.y_format or ""))
        .properties(height=layout.height, padding=AXES, autosize="none")
        # The browser would work out two texts for every point, which nobody can reach on a canvas: that costs more
        # than drawing the lines. The chart as a whole has a text of its own.
        .configure_mark(aria=False, tooltip=None)
    )
    return chart


def _spans(x: alt.X) -> alt.Chart:
    color = alt.Color("color:N", scale=None)
    base = alt.Chart(_named("spans")).mark_rule(strokeWidth=2, opacity=0.45)
    spans: alt.Chart = base.encode(x=x, x2="x2:Q", y=_lane(), color=color)
    return spans


def _marks(x: alt.X) -> tuple[alt.Chart, alt.Chart]:
    """What was noticed, each at its place on the upper edge of the plot."""
    base = alt.Chart(_named("marks")).encode(x=x, y=_lane(), color=alt.Color("color:N", scale=None))
    count = base.mark_text(align="left", baseline="middle", dx=6, fontSize=10, fontWeight="bold")
    return count.encode(text="count:N"), base.mark_point(shape="square", size=52, filled=True, opacity=1)


def _lane() -> alt.Y:
    """Pixels from the top: what was noticed has no value."""
    return alt.Y("lane:Q", scale=None, axis=None)

"""The layers of a chart of curves, built with altair; ``lib.charts.curves`` says what each dataset holds."""

from __future__ import annotations

import json

import altair as alt

from lib.charts.curves import PIN, ZOOM

HOVER = "hover"
KINDS = ("train", "eval")
DASHES = ((1, 0), (6, 4))

PLAIN_MARKS = {"aria": False, "tooltip": None}
"""The browser would work out two texts for every point, which nobody can reach on a canvas: that costs more than
drawing the lines. The chart as a whole has a text of its own."""

PADDING = {"left": 0, "top": 2, "right": 8, "bottom": 0}
LEFT, AXES_HEIGHT = 54, 58
"""Pixels that the axes take at the left of the plot, and above and below it, whatever their labels: so plots lie below
each other and keep their place when the selection changes, and the browser need not lay them out again."""

TITLE_ABOVE = {
    "titleAngle": 0,
    "titleAlign": "left",
    "titleAnchor": "end",
    "titleBaseline": "bottom",
    "titleX": -LEFT,
    "titleY": -10,
}
"""Of the y axis: above it, where no label of whatever width can push it away; it is what gives the axis its width."""


SHORT_LABELS = (
    "datum.label === '' ? '' : abs(datum.value) >= 1e5 ? format(datum.value, '.4~s')"
    " : datum.value !== 0 && abs(datum.value) < 1e-4 ? format(datum.value, '.1e') : datum.label"
)
"""Of the y axis, where a metric has no format of its own: the margin has room for some seven characters."""


def _named(name: str) -> alt.NamedData:
    # Arrow has types; to parse every number anew would cost.
    return alt.NamedData(name, format=alt.DataFormat(parse=None))


def specification(title: str, axis_title: str, *, height: int, log_y: bool, y_format: str | None) -> alt.LayerChart:
    """The chart that ``lib.charts.curves.curve_spec`` describes, without data."""
    x_axis = alt.Axis(grid=False, tickCount=6, titlePadding=2, labelPadding=6)
    x = alt.X("x:Q", title=axis_title, scale=alt.Scale(nice=False, zero=False), axis=x_axis)
    y_scale = alt.Scale(type="log", nice=False) if log_y else alt.Scale(zero=False)
    labels = {"format": y_format} if y_format else {"labelExpr": SHORT_LABELS}
    y_axis = alt.Axis(tickCount=6, labelPadding=6, **labels, **TITLE_ABOVE)
    y = alt.Y("y:Q", title=title, scale=y_scale, axis=y_axis)
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
        _hover_positions(axis_title),
        _hover_rule(axis_title),
        _pin_rule(x),
        *_marks(x),
    ]
    return (
        alt.layer(*layers)
        .properties(
            height=height + AXES_HEIGHT,
            padding=PADDING,
            usermeta={"embedOptions": {"renderer": "canvas"}},
        )
        .configure_mark(**PLAIN_MARKS)
    )


def _hover_positions(axis_title: str) -> alt.Chart:
    """The positions that the pointer can take and a click can pin, with a tooltip each.

    A layer of its own with few rows: a nearest-point search over every point of every curve would
    cost a visible delay at each move of the pointer.
    """
    hover = alt.selection_point(
        name=HOVER, on="pointermove", nearest=True, encodings=["x"], clear="pointerleave", empty=False
    )
    pin = alt.selection_point(name=PIN, on="click", nearest=True, encodings=["x"], empty=False, clear=False)
    return (
        alt.Chart(_named("hover"))
        .mark_rule(opacity=0, tooltip=alt.TooltipContent("data"))
        .encode(x=alt.X(f"{axis_title}:Q"))
        .add_params(hover, pin)
    )


def _hover_rule(axis_title: str) -> alt.Chart:
    """The rule that follows the pointer: one, put where it is, so that a move changes nothing else."""
    at = f"{HOVER}[{json.dumps(axis_title)}]"
    return (
        alt.Chart(alt.sequence(1))
        .mark_rule(color="#808080", strokeWidth=1.2)
        .encode(
            x=alt.value(alt.expr(f"{at} ? scale('x', {at}[0]) : 0")),
            opacity=alt.value(alt.expr(f"{at} ? 0.8 : 0")),
        )
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

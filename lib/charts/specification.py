"""The Altair specification of a still chart: its layers, from the back to the front, and what each shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from lib.charts.placed import CHIP, Plot

FONT = "Arial, Helvetica, 'Liberation Sans', sans-serif"
"""As wide on nearly every machine, so that texts have the room that was made for them."""
TEXT_SIZE, TITLE_SIZE = 12, 16
PLAIN = {"font": FONT, "view": {"stroke": None}, "axis": {"labelFontSize": TEXT_SIZE, "titleFontSize": TEXT_SIZE}}
"""The configuration of a chart whose colours come from the page that it stands in (``lib.charts.theme.themed``)."""
PADDING = 16

Y_LABELS = (
    "datum.label === '' ? '' : abs(datum.value) >= 1e5 ? format(datum.value, '.4~s')"
    " : datum.value !== 0 && abs(datum.value) < 1e-4 ? format(datum.value, '.1e') : datum.label"
)
"""Of an axis that has no format of its own: long numbers are shortened."""

STAR = "M0,-1L0.22,-0.31L0.95,-0.31L0.36,0.12L0.59,0.81L0,0.38L-0.59,0.81L-0.36,0.12L-0.95,-0.31L-0.22,-0.31Z"
"""The sign of the checkpoint to ship, as a path: not every font has it."""


def specification(
    plot: Plot, theme: Mapping[str, str], *, title: str, told: Sequence[str], axis: str, y_format: str
) -> alt.LayerChart:
    """A chart without its data: each layer names a dataset of ``lib.charts.still``.

    Args:
        plot: Its axes and its size.
        theme: The colours ``text``, ``muted``, ``grid``, ``control`` and ``ground``.
        title: Plain text.
        told: The lines below the title.
        axis: The title of the x axis.
        y_format: d3 format of the y axis; "" for one that the axis chooses.
    """
    x_axis = alt.Axis(grid=False, tickCount=8, tickSize=4, labelPadding=5, titlePadding=6, labelFlush=False)
    # A text that is an expression itself holds nothing foreign.
    own = f"datum.value === 0 ? '0' : format(datum.value, '{y_format}')"
    y_axis = alt.Axis(tickCount=6, domain=False, ticks=False, labelPadding=7, labelExpr=own if y_format else Y_LABELS)
    y_kind: Any = "log" if plot.log else "linear"
    x = alt.X("x:Q", title=axis, scale=alt.Scale(domain=plot.x, nice=False, zero=False), axis=x_axis)
    y = alt.Y("y:Q", title=None, scale=alt.Scale(type=y_kind, domain=plot.y, nice=False), axis=y_axis)
    here, pixels = {"x": x, "y": y}, {"x": _across("px"), "y": _down("py")}
    color, shape = alt.Color("color:N", scale=None), alt.Shape("shape:N", scale=None)
    text, size = alt.Text("text:N"), alt.Size("size:Q", scale=None)
    ink, muted, ground = (alt.value(theme[name]) for name in ("text", "muted", "ground"))
    lines = {"detail": "line:O", "order": alt.Order("place:Q"), "color": color}
    # Of the stroke, since for a shape's own opacity whoever draws an SVG makes a layer of each.
    width, opacity = alt.StrokeWidth("width:Q", scale=None), alt.StrokeOpacity("opacity:Q", scale=None)
    layers = [
        _of("zero").mark_rule(color=theme["muted"]).encode(x=_across("px"), x2="end:Q", y=y),
        _of("lines")
        .mark_line(clip=True, strokeJoin="round")
        .encode(**here, **lines, strokeWidth=width, strokeOpacity=opacity),
        _of("marks").mark_point(size=34).encode(**here, color=color, shape=shape),
        _of("beyond").mark_point(size=30).encode(**pixels, color=color, shape=shape),
        _of("ship").mark_rule(strokeDash=[1.5, 2.5]).encode(x=x, y=_down("py"), y2="end:Q", color=ink),
        _of("ship").mark_point(size=100, shape=STAR).encode(x=x, y=_down("above"), color=ink),
        _of("ship").mark_text(dx=9, fontWeight="bold").encode(x=x, y=_down("above"), text=text, color=ink),
        # The ring around a best evaluation is the same mark in the colour of the ground, larger and below it.
        _of("best").mark_point().encode(**here, color=ground, shape=shape, size=alt.Size("ring:Q", scale=None)),
        _of("best").mark_point().encode(**here, color=color, shape=shape, size=size),
        _of("nonfinite").mark_point(size=60, shape="triangle-down").encode(x=x, y=_down("py"), color=color),
        _of("leaders").mark_line(strokeWidth=1, strokeOpacity=0.7).encode(**pixels, **lines),
        _of("keys").mark_point(size=60).encode(**pixels, color=color, shape=shape),
        _of("names").mark_text().encode(**pixels, text=text, color=ink),
        _of("first").mark_text(fontWeight="bold").encode(**pixels, text=text, color=ink),
        _of("rows").mark_rule(color=theme["grid"]).encode(x=_across("px"), x2="end:Q", y=_down("py")),
        _of("spans")
        .mark_rule(strokeWidth=4, strokeOpacity=0.3)
        .encode(x=_across("px"), x2="end:Q", y=_down("py"), color=color),
        _of("chips").mark_point(size=CHIP**2, shape="square").encode(**pixels, color=color),
        _of("chips").mark_point(size=4, filled=False, stroke="white", strokeWidth=1.5).encode(**pixels, shape=shape),
        _of("heading").mark_text(align="right").encode(**pixels, text=text, color=muted),
        _of("found").mark_text().encode(**pixels, text=text, color=muted),
    ]
    chart: alt.LayerChart = alt.LayerChart(layer=layers).properties(
        width=plot.width,
        height=plot.height,
        padding=PADDING,
        background=theme["ground"],
        title=alt.Title(title, subtitle=[*told]),
    )
    return _themed(chart, theme)


def _of(dataset: str) -> alt.Chart:
    return alt.Chart(alt.NamedData(dataset, format={"parse": None}))


def _across(column: str) -> alt.X:
    """A column in pixels: what it places has no value on the axis."""
    return alt.X(f"{column}:Q", scale=None, axis=None)


def _down(column: str) -> alt.Y:
    return alt.Y(f"{column}:Q", scale=None, axis=None)


def _themed(chart: alt.LayerChart, theme: Mapping[str, str]) -> alt.LayerChart:
    muted, size = theme["muted"], TEXT_SIZE
    themed: alt.LayerChart = (
        chart.configure(font=FONT)
        .configure_view(stroke=None)
        .configure_point(filled=True, opacity=1)
        .configure_text(align="left", baseline="middle", fontSize=size)
        .configure_axis(
            gridColor=theme["grid"],
            domainColor=theme["control"],
            tickColor=theme["control"],
            labelColor=muted,
            labelFontSize=size,
            labelLimit=0,
            titleColor=muted,
            titleFontSize=size,
            titleFontWeight="normal",
        )
        .configure_title(
            anchor="start",
            frame="bounds",
            offset=12,
            limit=0,
            color=theme["text"],
            fontSize=TITLE_SIZE,
            fontWeight="bold",
            subtitleColor=muted,
            subtitleFontSize=size,
            subtitleLineHeight=16,
            subtitlePadding=5,
        )
    )
    return themed

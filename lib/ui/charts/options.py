"""How the charts are looked at: loss mode, x axis, smoothing, log axis, and the zoom and pin in force."""

from __future__ import annotations

import streamlit as st

from lib.core.curves.axes import Axis
from lib.core.text import formatting
from lib.ui.session import link, url
from lib.ui.session.url import WidgetArguments

HELP = """
**Loss.** Solid lines are train loss, dashed lines eval loss with a mark on each evaluation; the diamond
is the run's lowest eval loss. Eval loss that rises while train loss falls is overfitting: the last
checkpoint is then not the best one.

**Learning rate.** It climbs during warm-up and then decays. Runs with another schedule are hard to
compare before both have decayed.

**Gradient norm.** It falls and then wanders. A lone spike is common; spikes that grow, or that loss
follows, say that training is becoming unstable.

**Throughput.** Short dips are evaluations and checkpoints; a lasting drop is another job, the data
loader or a hot GPU.

**GPU memory.** It should be level after the first steps. A slow climb is a leak.

**Nothing is hidden.** A line is reduced to what the screen can show, but the first, last, lowest and
highest point of every stretch stay. ▼ on the axis marks NaN and infinite values. Zooming in shows
full resolution.
"""


def options() -> None:
    """Draw the options."""
    loss, axis, smoothing, log, more = st.columns([3.1, 1.6, 1.9, 1, 1.9], vertical_alignment="bottom", gap="medium")
    loss.segmented_control("Loss", link.LOSS_MODES, required=True, **url.widget(link.LOSS_MODE))
    axis.selectbox("x axis", list(Axis), format_func=lambda each: each.axis_title, **_axis_widget())
    smoothing.select_slider(
        "Smoothing",
        sorted({*link.SMOOTHING_WEIGHTS, url.value(link.SMOOTHING)}),
        format_func="{:g}".format,
        help="Exponential moving average without start-up bias; the raw line stays behind it, faint."
        " Eval loss is never smoothed.",
        **url.widget(link.SMOOTHING),
    )
    log.toggle("Log y", **url.widget(link.LOG_Y))
    with more.popover("How to read", icon=":material/help:", width="stretch"):
        st.markdown(HELP)


class EndArguments(WidgetArguments):
    """What ties a field to one end of the zoomed range, and what kind of number it takes."""

    step: int | None
    format: str | None


def _axis_widget() -> WidgetArguments:
    """A zoomed range and a pinned position mean nothing on another axis, so they go with it."""
    widget = url.widget(link.AXIS)
    take = widget["on_change"]

    def change() -> None:
        take()
        url.put(link.ZOOM, None)
        url.put(link.PIN, None)

    return {"key": widget["key"], "on_change": change}


def zoom_bar(extent: tuple[float, float] | None) -> None:
    """Draw the range in view, in numbers that can be changed, and the pinned position.

    Args:
        extent: The two ends of the x axis over all runs; ``None`` where nothing is logged.
    """
    if extent is None:
        return
    zoom, pin = url.value(link.ZOOM), url.value(link.PIN)
    title = url.value(link.AXIS).axis_title
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        for end, name in enumerate(("from", "to")):
            st.number_input(
                f"{title} {name}",
                placeholder=formatting.place(extent[end]),
                width=150,
                **_end_widget(end, extent),
            )
        if zoom is not None:
            st.button("Reset zoom", key="reset_zoom", on_click=url.put, args=(link.ZOOM, None), type="tertiary")
        else:
            st.caption("Or drag across a chart to zoom all of them; click to pin a step.", width="content")
        if pin is not None:
            st.markdown(f":material/push_pin: {title} **{formatting.place(pin)}**", width="content")
            st.button("Unpin", key="unpin", on_click=url.put, args=(link.PIN, None), type="tertiary")


def _end_widget(end: int, extent: tuple[float, float]) -> EndArguments:
    """The field for one end of the zoomed range; empty where the axis ends there."""
    key, zoom = f"zoom_{end}", url.value(link.ZOOM)
    whole = url.value(link.AXIS) is Axis.STEP
    value = None if zoom is None or zoom[end] == extent[end] else zoom[end]
    st.session_state[key] = int(value) if whole and value is not None else value

    def take() -> None:
        typed = st.session_state[key]
        value = extent[end] if typed is None else float(typed)
        start, stop = zoom or extent
        ends = (start, value) if end else (value, stop)
        # Two ends that leave nothing between them are no range; the whole axis is none either.
        url.put(link.ZOOM, ends if ends[0] < ends[1] and ends != extent else None)

    return {"key": key, "on_change": take, "step": 1 if whole else None, "format": "%d" if whole else None}

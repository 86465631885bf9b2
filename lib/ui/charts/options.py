"""How the charts are looked at: what the toolbar above them shows, and what is taken from it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from lib.core.curves.axes import Axis
from lib.core.text import formatting
from lib.ui.charts import relative
from lib.ui.session import link, url
from lib.ui.session.link import Param

HELP = (
    (
        "Loss",
        "Eval loss is in front, with a mark on each evaluation; train loss is pale behind it. The largest mark is a"
        " run's best evaluation. Eval loss that rises while train loss falls is overfitting: the last checkpoint is"
        " then not the best one.",
    ),
    (
        "Health",
        "Below the axis each run with findings has a row: a sign for each kind, a bar for how long. Point at a sign to"
        " read more; click it to pin its step.",
    ),
    (
        "Learning rate",
        "It climbs during warm-up and then decays. Runs with another schedule are hard to compare before both have"
        " decayed.",
    ),
    ("Gradient norm", "A lone spike is common. Spikes that grow, or that loss follows, say that training is unstable."),
    ("Throughput", "Short dips are evaluations and checkpoints. A lasting drop is another job, the data or a hot GPU."),
    ("GPU memory", "It should be level after the first steps. A slow climb is a leak."),
    (
        "Baseline",
        "Where a run is pinned as the baseline (below the ranking), values show how far they are from it. Difference"
        " draws each curve less the baseline's: at its own points, the baseline between two neighbouring ones, nothing"
        " beyond its ends. The level of the baseline is zero.",
    ),
    (
        "Nothing is hidden",
        "A line is reduced to what the screen can show; first, last, lowest and highest point of every stretch stay."
        " ▼ on the axis marks NaN and infinite values. Zooming in shows full resolution.",
    ),
    (
        "Pointer and keys",
        "Drag to zoom all charts, click to pin a step. Point at a run anywhere to bring it out, click its name to hold"
        " it. With a chart in focus: left and right move the rule, Enter pins, up and down bring a run out, F and"
        " Shift+F go through the findings.",
    ),
)
"""What is said about how to read the charts, by heading."""

TAKEN: Mapping[str, Param[Any]] = {
    param.name: param
    for param in (
        *(link.LOSS_MODE, link.AXIS, link.SMOOTHING, link.LOG_Y, link.OUTLIERS, link.MINUS),
        *(link.ZOOM, link.PIN, link.MORE_METRICS),
    )
}
"""What the browser may change, by name."""

MODES = {"train and eval": "Eval + train", "eval": "Eval", "train": "Train", relative.MODE: "% of first"}
"""What the choices of losses are called, in their order."""


_ALWAYS = tuple(mode for mode in MODES if mode != relative.MODE)


def options(
    extent: tuple[float, float] | None, *, apart: bool = False, in_epochs: bool = False, baseline: str = ""
) -> dict[str, Any]:
    """What the toolbar shows.

    Args:
        extent: The two ends of the x axis over all runs; ``None`` where nothing is logged.
        apart: Some of the losses do not compare: how far each came from its own start is offered too.
        in_epochs: Of all runs a step is an epoch, so that one of the two axes is enough.
        baseline: What the run is called that curves can be drawn as differences to; "" for none.
    """
    zoom = url.value(link.ZOOM)
    axis = url.value(link.AXIS)
    other = (Axis.STEP if axis is Axis.EPOCH else Axis.EPOCH) if in_epochs else None
    return {
        "values": {
            "loss": url.value(link.LOSS_MODE),
            "x": axis.value,
            "smooth": f"{url.value(link.SMOOTHING):g}",
            "log": url.value(link.LOG_Y),
            "outliers": url.value(link.OUTLIERS),
            "zoom": zoom,
            "pin": url.value(link.PIN),
            "minus": url.value(link.MINUS),
        },
        "baseline": baseline,
        "modes": [each for each in MODES.items() if apart or each[0] in (*_ALWAYS, url.value(link.LOSS_MODE))],
        "axes": [[each.value, each.title_of(in_epochs=in_epochs)] for each in Axis if each is not other],
        "weights": [f"{weight:g}" for weight in sorted({*link.SMOOTHING_WEIGHTS, url.value(link.SMOOTHING)})],
        "extent": extent,
        "whole": axis is Axis.STEP,
        "help": HELP,
    }


def take(changes: Mapping[str, Sequence[str]]) -> None:
    """Let what was changed in the browser hold in this session; what makes no sense is as it was.

    Args:
        changes: Texts by a parameter's name, as a link carries them; none for its default.
    """
    before = url.value(link.AXIS)
    for name, texts in changes.items():
        param = TAKEN.get(name)
        if param is None:
            continue
        try:
            url.put(param, param.parse(texts) if texts else param.default)
        except ValueError:
            continue
    if url.value(link.AXIS) is not before:
        # A zoomed range and a pinned position mean nothing on another axis.
        url.put(link.ZOOM, None)
        url.put(link.PIN, None)
    zoom = url.value(link.ZOOM)
    if zoom is not None and "zoom" in changes and url.value(link.AXIS) is Axis.STEP:
        url.put(link.ZOOM, (float(math.floor(zoom[0])), float(math.ceil(zoom[1]))))


def keep_in_view(extent: tuple[float, float] | None, *, grows: bool) -> bool:
    """Let the chosen range lie in the data, and say it where nothing does: then the whole is shown.

    Args:
        extent: As for ``options``.
        grows: A run may go on, so that a range that reaches beyond the data is one that waits for it.

    Returns:
        False where a range was dropped, for which curves may have been read.
    """
    zoom = url.value(link.ZOOM)
    if zoom is None or extent is None:
        return True
    start, end = max(zoom[0], extent[0]), min(zoom[1], extent[1])
    if start < end:
        if (start, end) != zoom and not grows:
            url.put(link.ZOOM, None if (start, end) == extent else (start, end))
        return True
    url.put(link.ZOOM, None)
    asked, there = (" to ".join(formatting.place(each) for each in ends) for ends in (zoom, extent))
    st.warning(f"The range {asked} holds nothing; all is shown, {there}.", icon=":material/link_off:")
    return False

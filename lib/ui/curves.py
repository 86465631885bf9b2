"""The charts of the main page: loss, the four health metrics, any further metric, and the pinned step."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import streamlit as st

from lib.charts.curves import LOSS_HEIGHT, METRIC_HEIGHT, PIN, ZOOM, curve_spec
from lib.charts.datasets import Curve, Picture, View, picture
from lib.core import formatting
from lib.core.axes import Axis, position, why_not
from lib.core.metrics import METRICS, Metric, metric_of
from lib.core.series import real_evaluations
from lib.ui import url
from lib.ui.comparison import ComparedRun
from lib.ui.escape import md
from lib.ui.legend import legend

BUCKETS = {True: 200, False: 100}
"""Buckets a curve is cut into in the wide chart and in a half-width one. Each keeps up to four points, so
that there are about as many points as pixels."""

HEALTH = ("learning_rate", "grad_norm", "throughput", "gpu_memory_allocated_gb")
THROUGHPUT = ("tokens_per_second", "samples_per_second")
LOSSES = {"train and eval": ("train_loss", "eval_loss"), "train": ("train_loss",), "eval": ("eval_loss",)}
Y_FORMATS = {"learning_rate": ".1e", "tokens_per_second": "~s"}
LEGEND_KEYS = {
    "(T)": "train loss: solid line",
    "(E)": "eval loss: dashed line, ● each evaluation, ◇ the lowest",
    "▼": "NaN or infinity was logged",
}
_REMOUNTS = "chart remounts"


@dataclass(frozen=True, slots=True)
class Chart:
    """One chart: what it is called, its metrics, and the curves that were found for them."""

    key: str
    title: str
    spec: str
    curves: tuple[Curve, ...]
    picture: Picture
    absent: tuple[str, ...]


@st.fragment
def curves(runs: Sequence[ComparedRun]) -> None:
    """Draw options, charts, the pinned step and the downloads. Reruns by itself on each of them."""
    shown = [each for each in runs if each.curves is not None]
    _options(shown)
    view_runs = _on_axis(shown)
    _loss_chart(view_runs)
    _health_charts(view_runs)
    _more_charts(view_runs)
    _pinned(view_runs)
    url.write()


@dataclass(frozen=True, slots=True)
class PlacedRun:
    """A run and where each of its metric rows lies on the x axis."""

    compared: ComparedRun
    x: np.ndarray

    def points(self, metric: str) -> tuple[np.ndarray, np.ndarray] | None:
        """X and value of every logged point of a metric; ``None`` where it was never logged."""
        rows = self.compared.curves.metrics.get(metric)
        return None if rows is None else (self.x[rows], self.compared.curves.values[rows])


def _options(runs: Sequence[ComparedRun]) -> None:
    loss, axis, smoothing, log, more = st.columns([3.1, 1.6, 1.9, 1, 1.9], vertical_alignment="bottom", gap="medium")
    loss.segmented_control("Loss", url.LOSS_MODES, required=True, **url.LOSS_MODE.widget())
    axis.selectbox("x axis", list(Axis), format_func=lambda each: each.axis_title, **_axis_widget())
    smoothing.slider(
        "Smoothing",
        0.0,
        0.99,
        step=0.01,
        help="Exponential moving average without start-up bias; the raw line stays behind it, faint."
        " Eval loss is never smoothed.",
        **url.SMOOTHING.widget(),
    )
    log.toggle("Log y", **url.LOG_Y.widget())
    with more.popover("How to read", icon=":material/help:", width="stretch"):
        st.markdown(HELP)
    _zoom_bar()


def _axis_widget() -> dict:
    """A zoomed range and a pinned position mean nothing on another axis, so they go with it."""
    widget = url.AXIS.widget()
    take = widget["on_change"]

    def change() -> None:
        take()
        url.ZOOM.set(None)
        url.PIN.set(None)

    return widget | {"on_change": change}


def _zoom_bar() -> None:
    zoom, pin = url.ZOOM.value, url.PIN.value
    if zoom is None and pin is None:
        st.caption("Drag across a chart to zoom all of them; click to pin a step.")
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        title = url.AXIS.value.axis_title
        if zoom is not None:
            st.markdown(f":material/zoom_in: {title} **{_place(zoom[0])}** to **{_place(zoom[1])}**", width="content")
            st.button("Reset zoom", key="reset_zoom", on_click=url.ZOOM.set, args=(None,), type="tertiary")
        if pin is not None:
            st.markdown(f":material/push_pin: {title} **{_place(pin)}**", width="content")
            st.button("Unpin", key="unpin", on_click=_unpin, type="tertiary")


def _on_axis(runs: Sequence[ComparedRun]) -> list[PlacedRun]:
    """Place every run on the chosen axis; name those that cannot be, and why."""
    axis = url.AXIS.value
    placed = []
    for each in runs:
        x = position(each.curves.frame, axis, each.run, each.curves.batch.effective)
        if x is None:
            st.caption(f":material/info: {md(each.label)} is not shown on this axis. {why_not(axis)}")
        else:
            placed.append(PlacedRun(each, x))
    return placed


def _loss_chart(runs: Sequence[PlacedRun]) -> None:
    keys = LOSSES[url.LOSS_MODE.value]
    chart = _chart("loss", "Loss", keys, runs, wide=True, suffixes={"train_loss": " (T)", "eval_loss": " (E)"})
    side = len(runs) > 2
    if not side:
        legend([each.compared for each in runs], limit=14, vertical=False, keys=LEGEND_KEYS)
        _draw(chart, alt="Train and eval loss of the selected runs")
        return
    left, right = st.columns([5.2, 1])
    with left:
        _draw(chart, alt="Train and eval loss of the selected runs")
    with right:
        legend([each.compared for each in runs], limit=14, vertical=True, keys=LEGEND_KEYS)


def _health_charts(runs: Sequence[PlacedRun]) -> None:
    side = len(runs) > 3
    if side:
        left, right = st.columns([5.2, 1])
        with right:
            legend([each.compared for each in runs], limit=18, vertical=True)
    else:
        left = st.container()
        with left:
            legend([each.compared for each in runs], limit=18, vertical=False)
    with left:
        for pair in (HEALTH[:2], HEALTH[2:]):
            for column, name in zip(st.columns(2), pair, strict=True):
                with column:
                    key = _throughput(runs) if name == "throughput" else name
                    metric = metric_of(key)
                    _draw(
                        _chart(name, metric.axis_title, (key,), runs),
                        alt=f"{metric.title} of the selected runs",
                    )


def _throughput(runs: Sequence[PlacedRun]) -> str:
    """The throughput that most runs log; units are never mixed in one chart."""
    return max(THROUGHPUT, key=lambda key: sum(run.points(key) is not None for run in runs))


def _more_charts(runs: Sequence[PlacedRun]) -> None:
    """Any further metric of the rows."""
    drawn = {"train_loss", "eval_loss", _throughput(runs), *HEALTH}
    logged = sorted({key for run in runs for key in run.compared.curves.metrics} - drawn)
    chosen = [key for key in url.MORE_METRICS.value if key in logged]
    st.multiselect(
        "Further metrics",
        logged,
        format_func=lambda key: md(metric_of(key).axis_title),
        placeholder="Perplexity, GPU utilisation, …" if logged else "These runs log no further metric",
        disabled=not logged,
        **url.MORE_METRICS.widget(chosen, adopt=tuple),
    )
    for start in range(0, len(chosen), 2):
        for column, key in zip(st.columns(2), chosen[start : start + 2], strict=False):
            with column:
                metric = metric_of(key)
                _draw(
                    _chart(f"more_{key}", metric.axis_title, (key,), runs),
                    alt=f"{metric.title} of the selected runs",
                )


def _chart(
    key: str,
    title: str,
    metrics: Sequence[str],
    runs: Sequence[PlacedRun],
    *,
    wide: bool = False,
    suffixes: dict[str, str] | None = None,
) -> Chart:
    """Compute one chart."""
    axis = url.AXIS.value
    found: list[Curve] = []
    absent: list[str] = []
    for name in metrics:
        metric = metric_of(name)
        for run in runs:
            points = run.points(name)
            if points is None:
                absent.append(
                    f"{run.compared.label} ({metric.title.lower()})" if len(metrics) > 1 else run.compared.label
                )
                continue
            found.append(_curve(run, metric, points, (suffixes or {}).get(name, "")))
    zoom = url.ZOOM.value or (None, None)
    view = View(
        axis.axis_title, *zoom, url.SMOOTHING.value, url.LOG_Y.value, BUCKETS[wide], url.PIN.value
    )  # fmt: skip
    spec = curve_spec(
        title,
        axis.axis_title,
        height=LOSS_HEIGHT if wide else METRIC_HEIGHT,
        log_y=url.LOG_Y.value,
        y_format=Y_FORMATS.get(metrics[0], "~g"),
    )
    return Chart(key, title, spec, tuple(found), picture(found, view), tuple(absent))


def _curve(run: PlacedRun, metric: Metric, points: tuple[np.ndarray, np.ndarray], suffix: str) -> Curve:
    x, y = points
    real = None
    if metric.evaluated:
        train = run.points("train_loss")
        real = real_evaluations(x, y, train[0] if train else np.empty(0))
    # The bullet keeps a name apart from the position's own column, and from the words that the
    # tooltip has a use of its own for ("title", "image").
    return Curve(f"● {run.compared.label}{suffix}", run.compared.color, x, y, metric.spec, metric.evaluated, real)


def _draw(chart: Chart, *, alt: str) -> None:
    if not chart.curves:
        with st.container(border=True):
            st.markdown(f"**{md(chart.title)}**  \n:gray[Not logged by any of the selected runs.]")
        return
    remounts = st.session_state.setdefault(_REMOUNTS, {})
    key = f"chart:{chart.key}:{remounts.get(chart.key, 0)}"
    st.vega_lite_chart(
        None,
        json.loads(chart.spec) | {"datasets": dict(chart.picture.tables)},
        key=key,
        width="stretch",
        on_select=lambda: _take_selection(key, chart.key),
        selection_mode=[ZOOM, PIN],
        alt=alt,
    )
    st.caption(_said(chart))


def _take_selection(key: str, chart: str) -> None:
    """A dragged range zooms all charts, a click pins a position in all of them."""
    selection = st.session_state[key].selection
    dragged = (selection.get(ZOOM) or {}).get("x")
    if dragged and dragged[0] < dragged[1]:
        start, end = dragged
        if url.AXIS.value is Axis.STEP:
            start, end = math.floor(start), math.ceil(end)
        url.ZOOM.set((start, end))
        # The browser keeps the dragged rectangle as long as the chart stays the same element.
        _remount(chart)
    elif clicked := selection.get(PIN):
        url.PIN.set(float(next(iter(clicked[0].values()))))


def _unpin() -> None:
    url.PIN.set(None)


def _remount(chart: str) -> None:
    remounts = st.session_state.setdefault(_REMOUNTS, {})
    remounts[chart] = remounts.get(chart, 0) + 1


def _said(chart: Chart) -> str:
    """What the picture does not show by itself."""
    shown = chart.picture
    said = [
        f"{formatting.count(shown.drawn)} of {formatting.count(shown.logged)} points drawn, every extreme kept"
        if shown.drawn < shown.logged
        else f"all {formatting.count(shown.logged)} points drawn"
    ]
    if shown.nonfinite:
        said.append(f"▼ {formatting.count(shown.nonfinite)} NaN or infinite")
    if shown.not_positive:
        said.append(f"{formatting.count(shown.not_positive)} not above zero, hidden by the log axis")
    if chart.absent:
        said.append(f"not logged: {md(', '.join(chart.absent))}")
    return f":small[{' · '.join(said)}]"


def _pinned(runs: Sequence[PlacedRun]) -> None:
    """Every metric of every run at the pinned position, from all rows."""
    pin = url.PIN.value
    if pin is None:
        return
    st.markdown(f"**Pinned at {url.AXIS.value.axis_title.lower()} {_place(pin)}**")
    columns = {each.compared.label: _column(each, pin) for each in runs}
    known = [key for key in _metric_order(runs) if any(key in column for column in columns.values())]
    if not known:
        st.caption("No run has logged anything up to here.")
        return
    table = pd.DataFrame(
        {label: [column.get(key, formatting.NOT_RECORDED) for key in known] for label, column in columns.items()},
        index=pd.Index([metric_of(key).axis_title for key in known], name="Metric"),
    )
    st.dataframe(table, key="pinned")
    st.caption(":small[Where a run logged nothing just there, the last value before it, with its place.]")


def _metric_order(runs: Sequence[PlacedRun]) -> list[str]:
    logged = {key for run in runs for key in run.compared.curves.metrics}
    return [key for key in METRICS if key in logged] + sorted(logged - set(METRICS))


def _column(run: PlacedRun, pin: float) -> dict[str, str]:
    """The values of one run at ``pin``, as text by metric."""
    column = {}
    for key in run.compared.curves.metrics:
        x, y = run.points(key)
        before = np.flatnonzero(x <= pin)
        if len(before):
            # Positions may go back where a clock jumped: the latest place counts, not the latest row.
            at = before[np.lexsort((before, x[before]))[-1]]
            exact = x[at] == pin
            column[key] = f"{y[at]:{metric_of(key).spec}}" + ("" if exact else f" (at {_place(x[at])})")
    return column


def _place(x: float) -> str:
    return formatting.count(x) if x == int(x) else f"{x:,.4g}"


HELP = """
**Loss.** Solid lines are train loss, dashed lines eval loss with a mark on each evaluation; the diamond
is the run's lowest eval loss. Eval loss that rises while train loss falls is overfitting: ship the
checkpoint at the diamond, not the last one.

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

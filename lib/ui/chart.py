"""One chart of curves: computed from the runs, drawn, and its selections taken."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, replace
from types import MappingProxyType

import numpy as np
import streamlit as st
from streamlit.dataframe_util import convert_arrow_table_to_arrow_bytes

from lib.charts.curves import LOSS_HEIGHT, METRIC_HEIGHT, PIN, ZOOM, curve_spec
from lib.charts.datasets import Notice, Picture, picture, pin_table
from lib.charts.drawn import Curve, Drawn, View, drawn_of
from lib.core import formatting
from lib.core.axes import Axis
from lib.core.evidence import is_measured
from lib.core.findings import Finding
from lib.core.metric_curves import MetricCurve
from lib.core.metrics import Metric, metric_of
from lib.core.noticed import SIGNS
from lib.ui import cached, url
from lib.ui.comparison import Comparison
from lib.ui.escape import md
from lib.ui.noticed import noticed_of
from lib.ui.placed import PlacedRun

BUCKETS = {True: 90, False: 50}
"""Buckets a curve is cut into in the wide chart and in a half-width one. Each keeps up to four points, so
that there is about one for every pixel or two; more only make every redraw slower."""

HOVER_POSITIONS = {True: 200, False: 100}
"""Positions that the hover rule can take: as many as a pointer can tell apart."""

Y_FORMATS = {"learning_rate": ".1e", "tokens_per_second": "~s"}
_REMOUNTS = "chart remounts"


@dataclass(frozen=True, slots=True)
class Chart:
    """One chart, computed.

    Attributes:
        key: Tells the charts of a page apart.
        title: Of the y axis, with the unit.
        metrics: Their keys.
        encoded: The picture's datasets as they travel to the browser.
        absent: The runs that lack a metric, in words.
    """

    key: str
    title: str
    metrics: tuple[str, ...]
    spec: str
    picture: Picture
    encoded: Mapping[str, bytes]
    absent: tuple[str, ...]

    @property
    def is_empty(self) -> bool:
        """None of the runs logged any of the metrics."""
        return not self.picture.curves


def compute(
    key: str,
    title: str,
    metrics: Sequence[str],
    comparison: Comparison,
    runs: Sequence[PlacedRun],
    *,
    wide: bool = False,
    suffixes: Mapping[str, str] = MappingProxyType({}),
) -> Chart:
    """A chart of some metrics; ``suffixes`` tell them apart in the tooltip. Computed once for each view."""
    axis, log_y = url.AXIS.value, url.LOG_Y.value
    view = View(
        axis.axis_title,
        *(url.ZOOM.value or (None, None)),
        url.SMOOTHING.value,
        log_y,
        BUCKETS[wide],
        HOVER_POSITIONS[wide],
    )

    def make() -> Chart:
        found, absent, keys = _curves(metrics, runs, suffixes)

        def draw(curve: Curve) -> Drawn:
            # A curve is reduced once for each way of looking, whatever it is compared with and called there.
            key = (keys[curve.name], axis, *astuple(view))
            return cached.once("drawn", key, lambda: drawn_of(curve, view))

        height = LOSS_HEIGHT if wide else METRIC_HEIGHT
        y_format = Y_FORMATS.get(metrics[0])
        spec = curve_spec(title, axis.axis_title, height=height, log_y=log_y, y_format=y_format)
        shown = picture(found, view, _notices(metrics, runs), draw)
        encoded = {name: convert_arrow_table_to_arrow_bytes(table) for name, table in shown.tables.items()}
        return Chart(key, title, tuple(metrics), spec, shown, encoded, absent)

    detail = tuple((run.detail.points, run.further.points) for run in runs)
    return cached.once("chart", (comparison.key, key, tuple(metrics), axis, *astuple(view), detail), make)


def _curves(
    metrics: Sequence[str], runs: Sequence[PlacedRun], suffixes: Mapping[str, str]
) -> tuple[list[Curve], tuple[str, ...], dict[str, tuple]]:
    """The curves that are there; in words the ones that are not; and by name what each curve is made of."""
    found: list[Curve] = []
    absent: list[str] = []
    keys: dict[str, tuple] = {}
    for metric in map(metric_of, metrics):
        for run in runs:
            curve = run.curve(metric.key)
            if curve is None:
                which = f" ({metric.title.lower()})" if len(metrics) > 1 else ""
                absent.append(run.compared.label + which)
                continue
            # The bullet keeps a name apart from the position's own column, and from the words that the
            # tooltip has a use of its own for ("title", "image").
            name = f"● {run.compared.label}{suffixes.get(metric.key, '')}"
            keys[name] = (run.compared.key, run.detail.points, metric.key)
            found.append(_curve(name, run, metric, curve, keys[name]))
    return found, tuple(absent), keys


def _curve(name: str, run: PlacedRun, metric: Metric, curve: MetricCurve, key: tuple) -> Curve:
    real = None
    if metric.evaluated:
        looked_at = replace(run.curves, curves={**run.curves.curves, metric.key: curve})
        real = cached.once("real evaluations", key, lambda: is_measured(looked_at, metric.key))
    known_lost = int((~np.isfinite(curve.value)).sum()) if curve.lost else 0
    return Curve(
        name,
        run.compared.color,
        run.placing(curve),
        curve.value,
        metric.spec,
        metric.evaluated,
        mark_lowest=metric.key == "eval_loss",
        real=real,
        unread=curve.logged - curve.lost - (len(curve) - known_lost),
        unread_nonfinite=curve.lost - known_lost,
    )


def _notices(metrics: Sequence[str], runs: Sequence[PlacedRun]) -> list[Notice]:
    """What was noticed in these metrics, where the runs have it on the axis."""
    found = []
    for run in runs:
        noticed = noticed_of(run.compared)
        for finding in noticed.findings if noticed else ():
            if finding.evidence.get("metric") in metrics and (place := _place(run, finding)) is not None:
                found.append(Notice(run.compared.label, run.compared.color, *place, _sentence(finding)))
    return found


def _place(run: PlacedRun, finding: Finding) -> tuple[float, float] | None:
    """Where a finding begins and ends, by the points of its curve; ``None`` where these have no place."""
    curve = run.curves.curves.get(str(finding.evidence["metric"]))
    if finding.step is None or curve is None:
        return None
    x = run.placing(curve)
    known = np.isfinite(x)
    if not known.any():
        return None
    steps = [finding.step, finding.step if finding.extent is None else finding.extent]
    begin, end = np.interp(steps, curve.step[known], x[known])
    return float(begin), float(max(begin, end))


def _sentence(finding: Finding) -> str:
    return f"{SIGNS[finding.severity]} {finding.severity.value.capitalize()}: {finding.sentence}"


def draw(chart: Chart, *, alt: str) -> None:
    """Draw a chart and what is to be said about it, or say that nothing was logged."""
    if chart.is_empty:
        with st.container(border=True):
            st.markdown(f"**{md(chart.title)}**  \n:gray[Not logged by any of the selected runs.]")
        return
    remounts = st.session_state.setdefault(_REMOUNTS, {})
    key = f"chart:{chart.key}:{remounts.get(chart.key, 0)}"
    pin = convert_arrow_table_to_arrow_bytes(pin_table(chart.picture.extent, url.PIN.value))
    st.vega_lite_chart(
        None,
        json.loads(chart.spec) | {"datasets": {**chart.encoded, "pin": pin}},
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

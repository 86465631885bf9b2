"""One chart of curves, made of what it depends on and of the runs' curves."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType
from typing import Any, Protocol, TypeVar

import numpy as np

from lib.charts.datasets import ChartData, FindingMark, chart_data, smoothed_lines
from lib.charts.drawn import Curve, drawn_of
from lib.charts.layout import DRAWN, LOSS_HEIGHT, METRIC_HEIGHT, Layout
from lib.charts.packed import packed
from lib.core.curves.axes import Placing
from lib.core.curves.evidence import is_measured
from lib.core.curves.metric_curves import MetricCurve, RunCurves
from lib.core.facts.metrics import metric_of
from lib.core.text import formatting
from lib.ui.charts.on_axis import RunOnAxis
from lib.ui.charts.request import ChartRequest, CurveRequest, CurvesKey, MetricFinding
from lib.ui.session import link, url
from lib.ui.session.comparison import Comparison

T = TypeVar("T")

_NOT_LOGGED = "%s: not logged by any of the runs on this axis."


class CurvesOnAxis(Protocol):
    """What a chart looks up of a run: nothing that does not follow from its ``CurvesKey`` and the options."""

    @property
    def placing(self) -> Placing:
        """Where the points of its curves lie."""

    @property
    def curves(self) -> RunCurves:
        """The curves of the whole run."""

    def curve(self, metric: str) -> MetricCurve | None:
        """A metric as finely as it is looked at; ``None`` where it was never logged."""

    def computed(self, subject: str, key: Hashable, make: Callable[[], T]) -> T:
        """What follows from the run alone, remembered with it."""


@dataclass(frozen=True, slots=True)
class Chart:
    """One chart, made.

    Attributes:
        request: What it depends on.
        layout: What it looks like, whatever the runs.
        curves: Of every metric and run; empty where none of the runs logged any of the metrics.
        data: What it shows.
        sent: All of it as it travels to the browser.
    """

    request: ChartRequest
    layout: Layout
    curves: tuple[Curve, ...]
    data: ChartData
    sent: bytes

    @property
    def key(self) -> str:
        """Tells the charts of a page apart."""
        return self.request.key

    @property
    def is_empty(self) -> bool:
        """None of the runs logged any of the metrics."""
        return not self.curves

    @property
    def to_smooth(self) -> int:
        """How many points smoothing looks at."""
        return sum(len(curve.y) for curve in self.curves if not curve.evaluated)


def compute(
    key: str,
    title: str,
    metrics: Sequence[str],
    comparison: Comparison,
    runs: Sequence[RunOnAxis],
    *,
    alt: str,
    wide: bool = False,
    suffixes: Mapping[str, str] = MappingProxyType({}),
) -> Chart:
    """A chart of some metrics; ``suffixes`` tell them apart in the tooltip. Made once for all that ask for the same."""
    request = ChartRequest(
        key,
        title,
        alt,
        tuple(metrics),
        tuple(suffixes.get(metric, "") for metric in metrics),
        tuple(run.shown for run in runs),
        url.state().of_charts,
        wide,
    )
    return comparison.computed("chart", request, lambda: make(request, {run.shown.curves: run for run in runs}))


def make(request: ChartRequest, runs: Mapping[CurvesKey, CurvesOnAxis]) -> Chart:
    """Make a chart.

    Args:
        request: All that it depends on.
        runs: Where the curves of the runs are found.
    """
    view = request.view
    found, absent = _curves(request, runs)
    curves = [curve for _, curve in found]
    # A curve is reduced once for each way of looking, whatever it is compared with and called there.
    drawn = [runs[one.curves].computed("drawn", one, partial(drawn_of, curve, view)) for one, curve in found]
    height = LOSS_HEIGHT if request.wide else METRIC_HEIGHT
    layout = Layout(request.title, view.axis_title, height, view.log_y, metric_of(request.metrics[0]).axis_spec or None)
    data = chart_data(curves, view, _marks(request, runs), drawn)
    head = {
        "key": request.key,
        "basis": request.basis,
        "alt": request.alt,
        "said": _said(data, absent) if curves else _NOT_LOGGED % request.title,
        "title": layout.title,
        "axis": layout.axis_title,
        "height": layout.height,
        "log": layout.log_y,
        "format": layout.y_format or "",
        "empty": not curves,
        "drawn": DRAWN,
        "colors": [curve.color for curve in curves],
        "smoothing": f"{view.smoothing:g}",
    }
    return Chart(request, layout, tuple(curves), data, packed(head, data.tables))


def smoothed_lines_sent(chart: Chart) -> bytes:
    """The chart's lines for every weight of smoothing that can be chosen, as they travel to the browser."""
    # Not kept: a browser asks once, and it is a quarter of a megabyte.
    head: dict[str, Any] = {"key": chart.key, "basis": chart.request.basis}
    return packed(head, smoothed_lines(chart.curves, chart.request.view, link.SMOOTHING_WEIGHTS))


def _curves(
    request: ChartRequest, runs: Mapping[CurvesKey, CurvesOnAxis]
) -> tuple[list[tuple[CurveRequest, Curve]], list[str]]:
    """The curves that are there, each with what it depends on; and in words the ones that are not."""
    found: list[tuple[CurveRequest, Curve]] = []
    absent: list[str] = []
    for key, suffix in zip(request.metrics, request.suffixes, strict=True):
        for run in request.runs:
            curve = runs[run.curves].curve(key)
            if curve is None:
                which = f" ({metric_of(key).title.lower()})" if len(request.metrics) > 1 else ""
                absent.append(run.label + which)
                continue
            # The bullet keeps a name apart from the position's own column, and from the words that the
            # tooltip has a use of its own for ("title", "image").
            one, name = request.curve(run, key), f"● {run.label}{suffix}"
            found.append((one, _curve(one, name, run.color, runs[run.curves], curve)))
    return found, absent


def _curve(one: CurveRequest, name: str, color: str, run: CurvesOnAxis, curve: MetricCurve) -> Curve:
    metric, real = metric_of(one.metric), None
    if metric.evaluated:
        looked_at = replace(run.curves, curves={**run.curves.curves, metric.key: curve})
        key = (one.curves, metric.key)
        real = run.computed("real evaluations", key, lambda: is_measured(looked_at, metric.key))
    known_lost = int((~np.isfinite(curve.value)).sum()) if curve.lost else 0
    return Curve(
        name,
        color,
        run.placing(curve),
        curve.value,
        metric.spec,
        metric.evaluated,
        mark_lowest=metric.key == "eval_loss",
        real=real,
        unread=curve.logged - curve.lost - (len(curve) - known_lost),
        unread_nonfinite=curve.lost - known_lost,
    )


def _marks(request: ChartRequest, runs: Mapping[CurvesKey, CurvesOnAxis]) -> list[FindingMark]:
    """The findings about these metrics, where the runs have them on the axis."""
    return [
        FindingMark(run.label, run.color, *place, finding.text)
        for run in request.runs
        for finding in run.findings
        if finding.metric in request.metrics and (place := _place(runs[run.curves], finding)) is not None
    ]


def _place(run: CurvesOnAxis, finding: MetricFinding) -> tuple[float, float] | None:
    """Where a finding begins and ends, by the points of its curve; ``None`` where these have no place."""
    curve = run.curves.curves.get(finding.metric)
    if curve is None:
        return None
    x = run.placing(curve)
    known = np.isfinite(x)
    if not known.any():
        return None
    begin, end = np.interp([finding.first, finding.last], curve.step[known], x[known])
    return float(begin), float(max(begin, end))


def _said(shown: ChartData, absent: Sequence[str]) -> str:
    """What the chart does not show by itself."""
    said = [
        f"{formatting.count(shown.drawn)} of {formatting.count(shown.logged)} points drawn, every extreme kept"
        if shown.drawn < shown.logged
        else "its only point drawn"
        if shown.logged == 1
        else f"all {formatting.count(shown.logged)} points drawn"
    ]
    if shown.nonfinite:
        said.append(f"▼ {formatting.count(shown.nonfinite)} NaN or infinite")
    if shown.not_positive:
        said.append(f"{formatting.count(shown.not_positive)} not above zero, hidden by the log axis")
    if absent:
        said.append(f"not logged: {', '.join(absent)}")
    return " · ".join(said)

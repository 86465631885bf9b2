"""One chart of curves, computed from the runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, replace
from secrets import token_hex
from types import MappingProxyType
from typing import Any

import numpy as np

from lib.charts.datasets import ChartData, FindingMark, chart_data, levels
from lib.charts.drawn import Curve, DrawnCurve, View, drawn_of
from lib.charts.layout import DRAWN, LOSS_HEIGHT, METRIC_HEIGHT, Layout
from lib.charts.packed import packed
from lib.core.checks.noticed import SIGNS
from lib.core.curves.evidence import is_measured
from lib.core.curves.metric_curves import MetricCurve
from lib.core.facts.findings import Finding
from lib.core.facts.metrics import Metric, metric_of
from lib.core.text import formatting
from lib.ui.charts.on_axis import RunOnAxis
from lib.ui.session import cached, link, url
from lib.ui.session.comparison import Comparison
from lib.ui.session.judgements import noticed_of

BUCKETS = {True: 90, False: 50}
"""Buckets a curve is cut into in the wide chart and in a half-width one. Each keeps up to four points, so
that there is about one for every pixel or two; more only make every redraw slower."""

HOVER_POSITIONS = {True: 200, False: 100}
"""Positions that the hover rule can take: as many as a pointer can tell apart."""

_NOT_LOGGED = "%s: not logged by any of the selected runs."

Y_FORMATS = {"learning_rate": ".1e", "tokens_per_second": "~s"}


@dataclass(frozen=True, slots=True)
class Chart:
    """One chart, computed.

    Attributes:
        key: Tells the charts of a page apart.
        metrics: Their keys.
        look: What it looks like, whatever the runs.
        view: How its curves are looked at.
        curves: Of every metric and run; empty where none of the runs logged any of the metrics.
        picture: What it shows.
        basis: The same text as long as nothing but the smoothing changes.
        sent: All of it as it travels to the browser.
    """

    key: str
    metrics: tuple[str, ...]
    look: Layout
    view: View
    curves: tuple[Curve, ...]
    picture: ChartData
    basis: str
    sent: bytes

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
    """A chart of some metrics; ``suffixes`` tell them apart in the tooltip. Computed once for each view."""
    axis, log_y = url.value(link.AXIS), url.value(link.LOG_Y)
    view = View(
        axis.axis_title,
        *(url.value(link.ZOOM) or (None, None)),
        url.value(link.SMOOTHING),
        log_y,
        BUCKETS[wide],
        HOVER_POSITIONS[wide],
    )

    def make() -> Chart:
        found, absent, keys = _curves(metrics, runs, suffixes)

        def draw(curve: Curve) -> DrawnCurve:
            # A curve is reduced once for each way of looking, whatever it is compared with and called there.
            key = (keys[curve.name], axis, *astuple(view))
            return cached.once("drawn", key, lambda: drawn_of(curve, view))

        height = LOSS_HEIGHT if wide else METRIC_HEIGHT
        look = Layout(title, axis.axis_title, height, log_y, Y_FORMATS.get(metrics[0]))
        shown = chart_data(found, view, _notices(metrics, runs), draw)
        head = {"key": key, "basis": basis, "alt": alt, "said": _said(shown, absent) if found else _NOT_LOGGED % title}
        sent = packed(head | _look(look, view, found), shown.tables)
        return Chart(key, tuple(metrics), look, view, tuple(found), shown, basis, sent)

    detail = tuple((run.detail.points, run.further.points) for run in runs)
    identity = (comparison.key, key, tuple(metrics), axis, *astuple(replace(view, smoothing=0.0)), detail)
    basis = cached.once("basis", identity, lambda: token_hex(8))
    return cached.once("chart", (*identity, view.smoothing), make)


def levels_sent(chart: Chart) -> bytes:
    """The chart's lines for every weight of smoothing that can be chosen, as they travel to the browser."""
    # Not kept: a browser asks once, and it is a quarter of a megabyte.
    head = {"key": chart.key, "basis": chart.basis}
    return packed(head, levels(chart.curves, chart.view, link.SMOOTHING_WEIGHTS))


def _curves(
    metrics: Sequence[str], runs: Sequence[RunOnAxis], suffixes: Mapping[str, str]
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


def _curve(name: str, run: RunOnAxis, metric: Metric, curve: MetricCurve, key: tuple) -> Curve:
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


def _notices(metrics: Sequence[str], runs: Sequence[RunOnAxis]) -> list[FindingMark]:
    """What was noticed in these metrics, where the runs have it on the axis."""
    found = []
    for run in runs:
        noticed = noticed_of(run.compared)
        for finding in noticed.findings if noticed else ():
            if finding.evidence.get("metric") in metrics and (place := _place(run, finding)) is not None:
                found.append(FindingMark(run.compared.label, run.compared.color, *place, _sentence(finding)))
    return found


def _place(run: RunOnAxis, finding: Finding) -> tuple[float, float] | None:
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


def _look(look: Layout, view: View, curves: Sequence[Curve]) -> dict[str, Any]:
    """What the browser needs besides the datasets."""
    return {
        "title": look.title,
        "axis": look.axis_title,
        "height": look.height,
        "log": look.log_y,
        "format": look.y_format or "",
        "empty": not curves,
        "drawn": DRAWN,
        "colors": [curve.color for curve in curves],
        "smoothing": f"{view.smoothing:g}",
    }


def _said(shown: ChartData, absent: Sequence[str]) -> str:
    """What the picture does not show by itself."""
    said = [
        f"{formatting.count(shown.drawn)} of {formatting.count(shown.logged)} points drawn, every extreme kept"
        if shown.drawn < shown.logged
        else f"all {formatting.count(shown.logged)} points drawn"
    ]
    if shown.nonfinite:
        said.append(f"▼ {formatting.count(shown.nonfinite)} NaN or infinite")
    if shown.not_positive:
        said.append(f"{formatting.count(shown.not_positive)} not above zero, hidden by the log axis")
    if absent:
        said.append(f"not logged: {', '.join(absent)}")
    return " · ".join(said)

"""One chart of curves, made of what it depends on and of the runs' curves."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Protocol, TypeVar

import numpy as np

from lib.charts.datasets import ChartData, FindingMark, chart_data, smoothed_lines, with_against
from lib.charts.drawn import Curve, DrawnCurve, View, drawn_of, with_line
from lib.charts.lane import Kind, counted, kind_of
from lib.charts.layout import MAIN_HEIGHT, SMALL_HEIGHT
from lib.charts.packed import packed
from lib.charts.smoothed import SmoothedLines
from lib.core.curves.axes import Placing
from lib.core.curves.evidence import is_evaluation
from lib.core.curves.metric_curves import MetricCurve, RunCurves
from lib.core.facts.metrics import metric_of
from lib.core.text import formatting
from lib.core.verdict.metric_titles import metric_title
from lib.ui.charts.against import NOTE, differences, texts_of, title_of, to_baseline
from lib.ui.charts.described import described, ends
from lib.ui.charts.on_axis import RunOnAxis
from lib.ui.charts.outliers import bounds_by_mode
from lib.ui.charts.relative import first_evaluation, of_first
from lib.ui.charts.request import ChartRequest, ChartRun, CurveRequest, CurvesKey
from lib.ui.session import link, url
from lib.ui.session.comparison import Comparison

T = TypeVar("T")


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
    """One chart, made. What it shows is kept once, as it travels: many are remembered, and few are taken as files.

    Attributes:
        request: What it depends on.
        curves: Of every metric and run; empty where none of the runs logged any of the metrics.
        asked: What is drawn of each of them depends on this.
        sent: What it shows, how, and what is said of it, as it travels to the browser (``lib.charts.packed``).
    """

    request: ChartRequest
    curves: tuple[Curve, ...]
    asked: tuple[CurveRequest, ...]
    sent: bytes

    @property
    def key(self) -> str:
        """Tells the charts of a page apart."""
        return self.request.key

    @property
    def is_empty(self) -> bool:
        """None of the runs logged any of the metrics."""
        return not self.curves


def compute(comparison: Comparison, runs: Sequence[RunOnAxis], asked: ChartRequest) -> Chart:
    """The chart that is asked for; its runs and options are put in. Made once for all that ask for the same."""
    shown, options = tuple(run.shown for run in runs), url.state().of_charts
    against = None if asked.relative else to_baseline(comparison.baseline, runs, asked.metrics)
    request = replace(asked, runs=shown, options=options, in_epochs=comparison.in_epochs, against=against)
    return comparison.computed("chart", request, lambda: make(request, {run.shown.curves: run for run in runs}))


def make(request: ChartRequest, runs: Mapping[CurvesKey, CurvesOnAxis]) -> Chart:
    """Make a chart.

    Args:
        request: All that it depends on.
        runs: Where the curves of the runs are found.
    """
    view = request.view
    found, absent = _curves(request, runs)
    found, logged, lacking = differences(request, found, runs) if request.is_difference else (found, found, [])
    curves = [curve for _, curve in found]
    drawn = [_drawn(one, curve, runs[one.curves], view) for one, curve in found]
    data = chart_data(curves, view, _marks(request, runs), drawn)
    if request.against is not None:
        grid = data.tables["hover"][view.axis_title].to_numpy()
        data = with_against(data, texts_of(request, logged, runs, grid))
    last = ends(curves, drawn)
    head = {
        "key": request.key,
        "basis": request.basis,
        "title": title_of(request),
        "metrics": request.metrics,
        "relative": request.relative,
        "note": NOTE if request.is_difference else request.note,
        "baseline": request.against.label if request.against else "",
        "minus": request.is_difference,
        "alt": described(request, curves, drawn),
        "said": " · ".join(
            filter(None, (_said(data, absent, "not shown" if request.relative else "not logged"), *lacking))
        ),
        "counted": _counted(data),
        "axis": view.axis_title,
        "wide": request.wide,
        "height": MAIN_HEIGHT if request.wide else SMALL_HEIGHT,
        "log": view.log_y,
        "format": ".1~%" if request.relative else metric_of(request.metrics[0]).axis_spec,
        "higher": request.better == "higher",
        "empty": not curves,
        "curves": [
            {"slot": curve.slot, "kind": _kind(request, curve), "name": curve.name, "last": text}
            for curve, text in zip(curves, last, strict=True)
        ],
        "order": data.order,
        "bounds": bounds_by_mode(request, curves, drawn),
        "flag": _flag(request, runs),
        "lane": _lane(request, data),
        "smoothing": f"{view.smoothing:g}",
    }
    return Chart(request, tuple(curves), tuple(one for one, _ in found), packed(head, data.tables))


def lines_to_make(chart: Chart, runs: Mapping[CurvesKey, CurvesOnAxis]) -> list[tuple[CurvesKey, SmoothedLines]]:
    """The smoothed lines of each curve that can be smoothed, made or not, and of which run it is."""
    lines = _lines_of(chart, runs)
    return [(one.curves, each) for one, each in zip(chart.asked, lines, strict=True) if each is not None]


def smoothed_lines_sent(chart: Chart, runs: Mapping[CurvesKey, CurvesOnAxis]) -> bytes:
    """The chart's lines for every weight of smoothing that can be chosen, as they travel to the browser."""
    # Not kept: a browser asks once, and it is up to a megabyte for a page.
    view = replace(chart.request.view, smoothing=0.0)
    drawn = [_drawn(one, curve, runs[one.curves], view) for one, curve in zip(chart.asked, chart.curves, strict=True)]
    head: dict[str, Any] = {"key": chart.key, "basis": chart.request.basis}
    return packed(head, smoothed_lines(drawn, _lines_of(chart, runs), link.SMOOTHING_WEIGHTS))


def _lines_of(chart: Chart, runs: Mapping[CurvesKey, CurvesOnAxis]) -> list[SmoothedLines | None]:
    return [
        None if curve.evaluated else _smoothed(one, curve, runs[one.curves], chart.request.view)
        for one, curve in zip(chart.asked, chart.curves, strict=True)
    ]


def _drawn(one: CurveRequest, curve: Curve, run: CurvesOnAxis, view: View) -> DrawnCurve:
    """What is drawn of a curve: reduced once for each way of looking, whatever it is compared with and called there."""
    drawn = run.computed("drawn", one.unsmoothed, partial(drawn_of, curve, replace(view, smoothing=0.0)))
    if curve.evaluated or not view.smoothing:
        return drawn
    return with_line(drawn, _smoothed(one, curve, run, view).line(view.smoothing))


def _smoothed(one: CurveRequest, curve: Curve, run: CurvesOnAxis, view: View) -> SmoothedLines:
    make = partial(SmoothedLines, curve, view, link.SMOOTHING_WEIGHTS)
    return run.computed("smoothed lines", one.unsmoothed, make)


def _curves(
    request: ChartRequest, runs: Mapping[CurvesKey, CurvesOnAxis]
) -> tuple[list[tuple[CurveRequest, Curve]], list[str]]:
    """The curves that are there, each with what it depends on; and in words the ones that are not."""
    found: list[tuple[CurveRequest, Curve]] = []
    absent: list[str] = []
    for key in request.metrics:
        for run in request.runs:
            curve = runs[run.curves].curve(key)
            several = len(request.metrics) > 1
            if curve is None:
                absent.append(run.label + (f" ({metric_title(key).lower()})" if several else ""))
                continue
            first = first_evaluation(runs[run.curves].curves) if request.relative else None
            if request.relative and first is None:
                absent.append(f"{run.label} (no first evaluation above 0)")
                continue
            one, name = request.curve(run, key), f"{run.label} · {metric_title(key).lower()}" if several else run.label
            made = _curve(one, name, run, runs[run.curves], curve)
            found.append((one, made if first is None else of_first(made, first)))
    return found, absent


def _curve(one: CurveRequest, name: str, shown: ChartRun, run: CurvesOnAxis, curve: MetricCurve) -> Curve:
    metric, real = metric_of(one.metric), None
    if metric.evaluated:
        looked_at = replace(run.curves, curves={**run.curves.curves, metric.key: curve})
        key = (one.curves, metric.key)
        real = run.computed("real evaluations", key, lambda: is_evaluation(looked_at, metric.key))
    known_lost = int((~np.isfinite(curve.value)).sum()) if curve.lost else 0
    return Curve(
        # The bullet keeps a name apart from the position's own column.
        f"● {name}",
        shown.slot,
        run.placing(curve),
        curve.value,
        metric.spec,
        metric.evaluated,
        best=_best(curve, shown.best_step, is_loss=metric.key == "eval_loss") if metric.evaluated else None,
        real=real,
        unread=curve.logged - curve.lost - (len(curve) - known_lost),
        unread_nonfinite=curve.lost - known_lost,
    )


def _best(curve: MetricCurve, step: int | None, *, is_loss: bool) -> int | None:
    """The point of the run's best evaluation; of a run that is not ranked, that of its lowest eval loss."""
    if step is not None:
        at = np.flatnonzero((curve.step == step) & np.isfinite(curve.value))
        return int(at[0]) if len(at) else None
    finite = np.flatnonzero(np.isfinite(curve.value))
    return int(finite[curve.value[finite].argmin()]) if is_loss and len(finite) else None


def _kind(request: ChartRequest, curve: Curve) -> str:
    if curve.evaluated:
        return "eval"
    return "train" if len(request.metrics) > 1 else "line"


def _flag(request: ChartRequest, runs: Mapping[CurvesKey, CurvesOnAxis]) -> dict[str, Any] | None:
    """The checkpoint to ship: where, of which run, and what it is called."""
    ship = request.ship
    shown = next((run for run in request.runs if ship is not None and run.curves == ship.curves), None)
    if ship is None or shown is None:
        return None
    for metric in request.metrics[::-1]:
        place = _placed(runs[ship.curves], metric, ship.step, ship.step)
        if place is not None:
            return {"x": place[0], "slot": shown.slot, "text": f"★ {ship.name}"}
    return None


def _lane(request: ChartRequest, data: ChartData) -> list[dict[str, Any]]:
    """A row for each run that has findings in view, in the order of the runs, and what was found in words."""
    kinds: dict[int, list[Kind]] = {}
    titles = {finding.code: finding.title for run in request.runs for finding in run.findings}
    for mark in data.marked:
        kinds.setdefault(mark.slot, []).append(kind_of(mark.kind, titles[mark.kind]))
    return [
        {
            "slot": run.slot,
            "words": counted(kinds[run.slot]),
            "symbols": {mark.kind: kind_of(mark.kind, "").symbol for mark in data.marked if mark.slot == run.slot},
        }
        for run in request.runs
        if run.slot in kinds
    ]


def _marks(request: ChartRequest, runs: Mapping[CurvesKey, CurvesOnAxis]) -> list[FindingMark]:
    """The findings about these metrics, where the runs have them on the axis."""
    return [
        FindingMark(run.slot, finding.code, *place, finding.text)
        for run in request.runs
        for finding in run.findings
        if finding.metric in request.metrics
        and (place := _placed(runs[run.curves], finding.metric, finding.first, finding.last)) is not None
    ]


def _placed(run: CurvesOnAxis, metric: str, first: int, last: int) -> tuple[float, float] | None:
    """Where two steps of a run are, by the points of a curve; ``None`` where these have no place."""
    curve = run.curves.curves.get(metric)
    if curve is None:
        return None
    x = run.placing(curve)
    known = np.isfinite(x)
    if not known.any():
        return None
    begin, end = np.interp([first, last], curve.step[known], x[known])
    return float(begin), float(max(begin, end))


def _counted(shown: ChartData) -> str:
    """How much of what was logged the lines go through."""
    if shown.drawn < shown.logged:
        return f"{formatting.count(shown.drawn)} of {formatting.count(shown.logged)} points drawn, every extreme kept"
    return "its only point drawn" if shown.logged == 1 else f"all {formatting.count(shown.logged)} points drawn"


def _said(shown: ChartData, absent: Sequence[str], lacking: str) -> str:
    """What the chart does not show by itself; "" for nothing."""
    said = []
    if shown.nonfinite:
        said.append(f"▼ {formatting.count(shown.nonfinite)} NaN or infinite")
    if shown.not_positive:
        said.append(f"{formatting.count(shown.not_positive)} not above zero, hidden by the log axis")
    if absent and shown.logged + shown.nonfinite + shown.not_positive:
        said.append(f"{lacking}: {', '.join(absent)}")
    return " · ".join(said)

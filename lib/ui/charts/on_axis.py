"""The selected runs on the chosen x axis, as finely as they are looked at."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import TypeVar

import numpy as np
import streamlit as st

from lib.core.checks.results import SIGNS
from lib.core.curves.axes import Axis, Placing, place, why_not
from lib.core.curves.derived import DERIVED, logged_for, telling
from lib.core.curves.metric_curves import MetricCurve, RunCurves
from lib.core.facts.errors import AppError, SignInExpired
from lib.core.facts.runs import RunSummary
from lib.data.source import RunSource
from lib.ui.charts.request import ChartRun, CurvesKey, MetricFinding, PartRead
from lib.ui.frame import messages
from lib.ui.frame.escape import md
from lib.ui.session import link, reads, url
from lib.ui.session.assessments import checks_of_run
from lib.ui.session.comparison import ComparedRun, Comparison
from lib.ui.session.run_data import FIRST_METRICS, RunData, derived

T = TypeVar("T")

NOTHING_READ = RunCurves("")


@dataclass(frozen=True)
class RunOnAxis:
    """A run on the x axis.

    Attributes:
        compared: The run.
        read: What was read of it.
        source: Where more of it can be read.
        placing: Where the points of its curves lie.
        beside: All compared runs.
        best_step: Of its best evaluation by the metric that decides; ``None`` where it is not ranked.
        further: Metrics that were not read at first, and are looked at.
        detail: Curves of the range in view, where those of the whole run are reduced.
        parts: What was asked for to have these two.
        is_checked: What the checks of the runs found is shown too.
    """

    compared: ComparedRun
    read: RunData
    source: RunSource
    placing: Placing
    beside: tuple[ComparedRun, ...]
    best_step: int | None = None
    further: RunCurves = NOTHING_READ
    detail: RunCurves = NOTHING_READ
    parts: tuple[PartRead, ...] = ()
    is_checked: bool = True

    @property
    def curves(self) -> RunCurves:
        """The curves of the whole run."""
        return self.read.curves

    def computed(self, subject: str, key: Hashable, make: Callable[[], T]) -> T:
        """As ``ComparedRun.computed``."""
        return self.compared.computed(subject, key, make)

    @cached_property
    def shown(self) -> ChartRun:
        """The run as charts show it."""
        each = self.compared
        findings = _findings(each, self.beside) if self.is_checked else ()
        return ChartRun(CurvesKey(each.key, self.parts), each.label, each.slot, self.best_step, findings)

    def curve(self, metric: str) -> MetricCurve | None:
        """A metric as finely as it is looked at; ``None`` where it was never logged."""
        whole = self.curves.curves.get(metric) or self.further.curves.get(metric)
        return self.detail.curves.get(metric, whole) if whole is not None else None

    def logged(self) -> set[str]:
        """The metrics that the run logs, or may log."""
        return {*self.curves.curves, *self.curves.unread}


def runs_on_axis(source: RunSource, comparison: Comparison, *, checked: bool = True) -> list[RunOnAxis]:
    """Place every run on the chosen axis, and read what the view needs; name what cannot be, and why.

    Args:
        source: Where more of the runs can be read.
        comparison: The runs.
        checked: What their checks found is shown too.
    """
    axis, found = url.value(link.AXIS), []
    failed: list[tuple[str, AppError]] = []
    scores = comparison.decision.scores
    for each in comparison.runs:
        if each.data is None:
            continue
        placing = each.computed("placing", axis, partial(_placing, each.run, each.data, axis))
        if placing is None:
            st.caption(f":material/info: {md(each.label)} is not shown on this axis. {why_not(axis)}")
            continue
        score = scores.get(each.run.run_id)
        best_step = None if score is None else score.values.step
        run = RunOnAxis(each, each.data, source, placing, comparison.runs, best_step, is_checked=checked)
        try:
            run = _with_details(run)
        except SignInExpired:
            raise
        except AppError as error:
            failed.append((each.label, error))
        found.append(run)
    messages.incomplete(failed, "shown in full resolution", comparison)
    return found


def axis_extent(runs: Sequence[RunOnAxis]) -> tuple[float, float] | None:
    """The two ends of the x axis over whole runs; ``None`` where there is no range of positions."""
    ends = [end for run in runs for end in run.computed("ends", url.value(link.AXIS), partial(_ends, run))]
    return (min(ends), max(ends)) if ends and min(ends) < max(ends) else None


def _ends(run: RunOnAxis) -> list[float]:
    """Where the curves of a run begin and end on the axis."""
    every = run.curves.curves.values()
    ends = [x for curve in every for x in run.placing(curve.where(np.unique([0, len(curve) - 1]))) if np.isfinite(x)]
    return [float(min(ends)), float(max(ends))] if ends else []


def _placing(run: RunSummary, data: RunData, axis: Axis) -> Placing | None:
    """Where the curves of a run lie; the positions are kept, as most curves of a run share their steps."""
    curves = data.curves
    placing = place(curves, axis, run, data.batch.effective)
    if placing is None:
        return None
    # Arrays are told apart by their identity: these live as long as ``curves``, which the function below holds.
    shared = {_arrays(curve) for curve in curves.curves.values()}
    known: dict[tuple[int, ...], np.ndarray] = {}

    def kept(curve: MetricCurve, _: RunCurves = curves) -> np.ndarray:
        arrays = _arrays(curve)
        if arrays not in shared:
            return placing(curve)
        if arrays not in known:
            known[arrays] = placing(curve)
        return known[arrays]

    return kept


def _arrays(curve: MetricCurve) -> tuple[int, ...]:
    return id(curve.step), id(curve.epoch), id(curve.elapsed_s)


def _with_details(run: RunOnAxis) -> RunOnAxis:
    whole = run.curves
    wanted = tuple(metric for metric in url.value(link.MORE_METRICS) if metric in whole.unread)
    if wanted:
        further = reads.load_metrics(run.source, run.read, wanted)
        run = replace(run, further=further, parts=(PartRead(wanted, None, further.points),))
    known = {**whole.curves, **run.further.curves}
    looked_at = {*FIRST_METRICS, *url.value(link.MORE_METRICS)}
    coarse = tuple(metric for metric, curve in known.items() if not curve.is_complete and metric in looked_at)
    zoom = url.value(link.ZOOM)
    if zoom is not None and coarse:
        steps = _steps_between([known[metric] for metric in coarse], run.placing, *zoom)
        detail = reads.load_part(run.source, run.read, coarse, steps)
        run = replace(run, detail=detail, parts=(*run.parts, PartRead(coarse, steps, detail.points)))
    return run


def _findings(each: ComparedRun, runs: Sequence[ComparedRun]) -> tuple[MetricFinding, ...]:
    """What was noticed about single metrics of a run."""
    found = checks_of_run(each, runs)
    if found is None:
        return ()
    return tuple(
        MetricFinding(
            str(finding.evidence["metric"]),
            finding.code,
            found.of(finding.code).check.title,
            finding.step,
            finding.step if finding.extent is None else finding.extent,
            f"{SIGNS[finding.severity]} {finding.severity.value.capitalize()}: {finding.sentence}",
        )
        for finding in found.findings
        if "metric" in finding.evidence and finding.step is not None
    )


def untold(runs: Sequence[RunOnAxis]) -> frozenset[str]:
    """The derived metrics that say nothing new of any of these runs, so that nobody need see them."""
    return DERIVED - telling(run.curves for run in runs)


def values_at(run: RunOnAxis, position: float) -> dict[str, tuple[float, float]]:
    """Value and position of every metric's point that is nearest to a position, from all rows.

    Of two that are as near, the earlier one. A metric that was not read at first is looked for up to the position.
    """
    curves = {**run.curves.curves, **run.further.curves}
    coarse = [curve for curve in curves.values() if not curve.is_complete]
    if coarse or run.curves.unread:
        steps = _steps_between(coarse or list(curves.values()), run.placing, position, position)
        near = reads.load_part(run.source, run.read, None, steps).curves
        # Nobody knows yet how far back a metric that was not read has its last point.
        sparse = tuple(
            metric
            for metric in run.curves.unread
            if metric not in curves and not (metric in near and (run.placing(near[metric]) <= position).any())
        )
        earlier = reads.load_part(run.source, run.read, sparse, (0, steps[1])).curves if sparse else {}
        curves = {**near, **earlier, **{metric: curve for metric, curve in curves.items() if curve.is_complete}}
    found = {}
    for metric, curve in curves.items():
        x = run.placing(curve)
        away = np.abs(x - position)
        if np.isfinite(away).any():
            nearest = np.flatnonzero(away == np.nanmin(away))
            # Positions may go back where a clock jumped: the latest row of the earliest place counts.
            at = nearest[np.flatnonzero(x[nearest] == x[nearest].min())[-1]]
            found[metric] = float(curve.value[at]), float(x[at])
    return found


def every_point(run: RunOnAxis, metrics: Sequence[str]) -> RunCurves:
    """Some metrics of a run with every logged value. Reads outside of the page's run, and draws nothing.

    Raises:
        RunSourceError: If they cannot be read.
    """
    known = {**run.further.curves, **run.curves.curves}
    if all(metric in known and known[metric].is_complete for metric in metrics if metric in run.logged()):
        return RunCurves(run.curves.run_id, known)
    read = run.source.load_curves([run.curves.run_id], logged_for(metrics))
    return derived(read.get(run.curves.run_id, RunCurves(run.curves.run_id)), run.compared.stored)


def _steps_between(curves: Sequence[MetricCurve], placing: Placing, start: float, end: float) -> tuple[int, int]:
    """Steps that hold every point of the curves from one position to another, as far as the known points tell."""
    first, last = math.inf, -math.inf
    for curve in curves:
        x = placing(curve)
        before, after = np.flatnonzero(x <= start), np.flatnonzero(x >= end)
        first = min(first, curve.step[before[-1]] if len(before) else curve.step[0])
        last = max(last, curve.step[after[0]] if len(after) else curve.step[-1])
    return int(first), int(last)

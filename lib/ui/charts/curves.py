"""The charts of the main page: loss, the metric that decides, the four health metrics, and any further metric."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from lib.core.curves.metric_curves import MetricCurve
from lib.core.facts.metrics import FURTHER, LOSS_CHART, METRICS, metric_of
from lib.core.facts.runs import RunStatus
from lib.core.ranking.metric_names import EVAL_LOSS
from lib.core.text.labels import brief_labels
from lib.core.verdict.metric_titles import axis_title, metric_title, own_titles
from lib.core.verdict.overview import HeadlineKind, headline
from lib.data.source import RunSource
from lib.ui.charts import relative
from lib.ui.charts.chart import Chart, compute
from lib.ui.charts.component import checks_are_wanted, draw, smoothing_is_wanted
from lib.ui.charts.downloads import CSV, asked_file, downloads
from lib.ui.charts.further import groups
from lib.ui.charts.on_axis import RunOnAxis, axis_extent, runs_on_axis, untold
from lib.ui.charts.options import keep_in_view, options
from lib.ui.charts.pinned import pinned
from lib.ui.charts.request import ChartRequest, CurvesKey, Ship
from lib.ui.charts.smoothing import smoothed_lines
from lib.ui.frame import refreshing, sign_in
from lib.ui.frame.after_charts import note_charts
from lib.ui.frame.shell import draw_menu
from lib.ui.session import link, url
from lib.ui.session.assessments import are_checked, common_spikes_of, shipped_assessments
from lib.ui.session.comparison import ComparedRun, Comparison
from lib.ui.session.link import LinkState

HEALTH = {
    chart: tuple(key for key, metric in METRICS.items() if metric.chart == chart)
    for chart in dict.fromkeys(metric.chart for metric in METRICS.values())
    if chart not in (LOSS_CHART, FURTHER)
}
"""The charts below the table, and the metrics of which each shows one."""

NAME_LIMIT = 22
"""Characters of a run's name at the end of a line."""

FAR_APART = 30.0
"""From so many times the learning rate on, one of two schedules is a flat line at the bottom of a linear axis."""


@st.fragment
def curves(source: RunSource, comparison: Comparison, menu: Sequence[DeltaGenerator]) -> None:
    """Draw toolbar, charts and the pinned step. Reruns by itself when one of them changes.

    Checking long runs takes seconds: the charts come first, and ask for what the checks found when they are drawn.
    """
    with sign_in.asked_for():
        _draw(source, comparison, menu)
    refreshing.wait_beside()


def _draw(source: RunSource, comparison: Comparison, menu: Sequence[DeltaGenerator]) -> None:
    is_checked = checks_are_wanted() or st.context.url is None or are_checked(comparison.runs)
    runs = runs_on_axis(source, comparison, checked=is_checked)
    extent = axis_extent(runs)
    if not keep_in_view(extent, grows=any(each.run.status is RunStatus.RUNNING for each in comparison.runs)):
        runs = runs_on_axis(source, comparison, checked=is_checked)
    further = _further(comparison, runs)
    main, health = _main(comparison, runs, checked=is_checked), _health(comparison, runs, further)
    logged = [chart for chart in (*main, *health) if not chart.is_empty]
    deciding = comparison.decision.deciding
    by_other = deciding.metric if _stands_beside(comparison) else None
    # Lines for the slider are no more urgent than the checks.
    wanted = smoothing_is_wanted()
    smoothed = smoothed_lines([*main, *health], runs, wanted=wanted) if is_checked or wanted else None
    loss_notes = relative.notes(comparison.decision)
    shared: dict[str, Any] = {
        "options": options(
            extent,
            apart=bool(comparison.decision.other_classes),
            in_epochs=comparison.in_epochs,
            baseline=comparison.labels[comparison.base] if comparison.baseline else "",
        ),
        "runs": _named(comparison, [run.compared for run in runs]),
        "lossNotes": loss_notes,
        "pinned": pinned(
            runs,
            [*([by_other] if by_other else []), *link.LOSSES["eval"], *link.LOSSES["train"]],
            higher=bool(by_other) and deciding.better == "higher",
        ),
        "absent": _absent(main, health),
        "notes": [each.sentence for each in common_spikes_of(comparison.runs)] if is_checked else [],
        # Another one each time, as what was found is not kept for ever and may be asked for again.
        "checking": "" if is_checked else f"{time.monotonic_ns()}",
        "further": groups(further, list(url.value(link.MORE_METRICS))),
        "csv": CSV if logged else "",
    }
    draw(main, health, shared, smoothed or ())
    note_charts(len(logged))
    downloads(logged, runs)
    asked_file(logged, runs, shared["runs"], loss_notes)
    url.write()
    draw_menu(menu)


def _main(comparison: Comparison, runs: Sequence[RunOnAxis], *, checked: bool) -> list[Chart]:
    """The loss; and before it the metric that decides, where that is another one."""
    ship, asked = _ship(comparison, runs) if checked else None, []
    deciding = comparison.decision.deciding
    metric = deciding.metric
    if metric is not None and _stands_beside(comparison):
        note = f"decides · {deciding.better} is better" if deciding.better else "decides"
        asked.append(_asked("deciding", metric_title(metric), (metric,), True, note, deciding.better or "", ship))
    mode = url.value(link.LOSS_MODE)
    # Which of both is shown, the browser decides; a share of the first evaluation is made here.
    is_relative = mode == relative.MODE and any(relative.first_evaluation(run.curves) is not None for run in runs)
    losses = link.LOSSES[mode if is_relative else link.LOSS_MODES[0]]
    title = "Eval loss" if is_relative else "Loss"
    asked.append(replace(_asked("loss", title, losses, True, "", "lower", ship), relative=is_relative))
    return [compute(comparison, runs, each) for each in asked]


def _stands_beside(comparison: Comparison) -> bool:
    """Whether a metric decides that is not in the loss chart."""
    return comparison.decision.deciding.metric not in (None, EVAL_LOSS)


def _health(comparison: Comparison, runs: Sequence[RunOnAxis], further: Sequence[str]) -> list[Chart]:
    """The health charts, and one for each of the ``further`` metrics that is chosen."""
    health = {chart: _most_logged(metrics, runs) for chart, metrics in HEALTH.items()}
    more = {f"more_{metric}": metric for metric in url.value(link.MORE_METRICS) if metric in further}
    found, titles = [], own_titles(further)
    for key, metric in (health | more).items():
        log = metric == "learning_rate" and _is_far_apart([run.curve(metric) for run in runs])
        title = titles.get(metric) or axis_title(metric)
        asked = _asked(key, title, (metric,), better=metric_of(metric).better or "")
        found.append(compute(comparison, runs, replace(asked, log=log, note="log scale" if log else "")))
    return found


def _is_far_apart(curves: Sequence[MetricCurve | None]) -> bool:
    """Whether the peaks of curves lie so far apart that a linear axis would show but one of them."""
    peaks = [peak for curve in curves if curve is not None and (peak := curve.value.max(initial=0.0)) > 0.0]
    return len(peaks) > 1 and bool(max(peaks) > FAR_APART * min(peaks))


def _asked(
    key: str,
    title: str,
    metrics: tuple[str, ...],
    wide: bool = False,
    note: str = "",
    better: str = "",
    ship: Ship | None = None,
) -> ChartRequest:
    return ChartRequest(key, title, metrics, (), LinkState(), wide, note, better, ship)


def _ship(comparison: Comparison, runs: Sequence[RunOnAxis]) -> Ship | None:
    """The checkpoint that the verdict says to ship; ``None`` where it names no single run."""
    said = headline(comparison.decision, [each.run for each in comparison.runs])
    if said.kind is not HeadlineKind.WINNER:
        return None
    (run_id,) = said.run_ids
    assessed = comparison.computed("assessments", comparison.how, lambda: shipped_assessments(comparison))
    shown = next((run for run in runs if run.compared.run.run_id == run_id), None)
    own = assessed.get(run_id)
    if shown is None or own is None:
        return None
    known, key = own.checkpoint, CurvesKey(shown.compared.key, shown.parts)
    if known.saved_step is not None:
        return Ship(key, known.saved_step, f"checkpoint-{known.saved_step}")
    counted = "epoch" if known.run.steps_are_epochs else "step"
    return None if known.step is None else Ship(key, known.step, f"{counted} {known.step:,}")


def _named(comparison: Comparison, runs: Sequence[ComparedRun]) -> list[dict[str, Any]]:
    """What the runs are called: in full, and as short as what differs allows."""
    short = brief_labels({each.run.run_id: each.label for each in runs}, NAME_LIMIT)
    said = headline(comparison.decision, [each.run for each in comparison.runs])
    first = said.run_ids if said.kind is HeadlineKind.WINNER else ()
    return [
        {
            "slot": each.slot,
            "label": each.label,
            "short": short[each.run.run_id],
            "first": each.run.run_id in first,
        }
        for each in runs
    ]


def _absent(main: Sequence[Chart], health: Sequence[Chart]) -> str:
    """The charts that are not there, since no run has logged what they would show; "" for none."""
    empty = [chart.request for chart in (*main, *health) if chart.is_empty]
    if not empty:
        return ""
    names = [metric_title(each.metrics[0]) if len(each.metrics) == 1 else each.title for each in empty]
    words = [name if name[:2].isupper() else name[:1].lower() + name[1:] for name in names]
    return f"Not logged by these runs: {', '.join(words)}."


def _most_logged(metrics: Sequence[str], runs: Sequence[RunOnAxis]) -> str:
    """The metric that most runs log; units are never mixed in one chart."""
    return max(metrics, key=lambda key: sum(run.curve(key) is not None for run in runs))


def _further(comparison: Comparison, runs: Sequence[RunOnAxis]) -> list[str]:
    """The metrics that the runs log and that have no chart of their own."""
    shown = {_most_logged(metrics, runs) for metrics in HEALTH.values()}.union(*link.LOSSES.values())
    if _stands_beside(comparison):
        shown |= {str(comparison.decision.deciding.metric)}
    return sorted({key for run in runs for key in run.logged()} - shown - untold(runs))
